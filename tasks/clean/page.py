"""One fetched page -> one clean article, or the reason why it is none."""

from __future__ import annotations

import re
import time

from selectolax.lexbor import LexborHTMLParser

from tasks.clean import metadata
from tasks.clean.blocks import outline
from tasks.clean.body import Body, find_body
from tasks.clean.decode import decode
from tasks.clean.facts import says_any
from tasks.clean.finders import is_bearable
from tasks.clean.guard import make_safe
from tasks.clean.identity import article_id, canonical_of, content_hash, outlet_of, page_key
from tasks.clean.language import declared, identify
from tasks.clean.listing import is_stated_article, listing_reason
from tasks.clean.structured import Structured, is_live, is_video, lists_only, read_structured
from tasks.scrape.records import RawPage
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Fate, RawRef, Reason

_COUNT = re.compile(r"\b\d{1,4} ")  # "we and our 842 partners"


def _failure(page: RawPage, outlet: str | None, reason: Reason, detail: str = "", *, skipped: bool = False) -> Failure:
    return Failure(
        ref=page.ref, url=page.url, step="clean", reason=reason, detail=detail, outlet=outlet,
        fate=Fate.SKIPPED if skipped else Fate.FAILED,
    )  # fmt: skip


def _refusal(
    html_facts: Structured, url: str | None, title: str | None, body: Body, shown: str, rules: CleanSettings
) -> tuple[Reason, str] | None:
    """Why a page with this body is no article, or None. Careful: a wrong refusal loses an article."""
    text = "\n".join(body.paragraphs)
    if (
        len(text) < 1500
        and says_any(f"{title or ''} {html_facts.title_tag or ''}", "error_pages")
        and html_facts.article is None
    ):
        return Reason.NOT_ARTICLE, "an error page"
    if (
        len(text) < 2500
        and html_facts.article is None
        and says_any(_COUNT.sub("", f"{title} {text[:500] or shown}"), "consent")
    ):
        return Reason.CONSENT_WALL, "a consent wall without the article"
    if is_live(html_facts):
        return Reason.NOT_ARTICLE, "a live ticker"
    if is_video(html_facts) and len(text) < 4 * rules.min_chars:
        return Reason.NOT_ARTICLE, "a video with a few lines"
    if lists_only(html_facts) and len(text) < 4 * rules.min_chars:
        return Reason.NOT_ARTICLE, f"states it is a {', '.join(sorted(html_facts.ld_types))[:80]}"
    listing = listing_reason(body.layout, html_facts, url) if body.layout else None
    if listing:
        return Reason.NOT_ARTICLE, listing
    if not text.strip():
        return Reason.NO_TEXT, "no body text found"
    if len(text) < rules.min_chars:
        return Reason.TOO_SHORT, f"{len(text)} of {rules.min_chars} characters"
    return None


def clean_page(page: RawPage, *, rules: CleanSettings) -> Article | Failure:
    """Turn one fetched page into an article.

    In: undecoded bytes of any charset. Out: text is NFC, paragraphs split by one newline.
    Failure: FAILED for TOO_LARGE, UNDECODABLE, TIME_LIMIT and NO_TEXT of an article; SKIPPED for pages that are no
    articles (NOT_ARTICLE, CONSENT_WALL, TOO_SHORT). Time is bounded by the guards before parsing and looked at between
    the stages, since a worker thread cannot be interrupted.
    """
    began = time.monotonic()
    outlet = page.outlet or outlet_of(page.url)
    if len(page.body) > rules.max_bytes:
        return _failure(page, outlet, Reason.TOO_LARGE, f"{len(page.body)} of {rules.max_bytes} bytes")
    decoded = decode(page.body, page.content_type)
    if decoded is None:
        return _failure(page, outlet, Reason.UNDECODABLE, "not text in any stated charset")
    html = make_safe(decoded)
    if html is None:
        return _failure(page, outlet, Reason.TOO_LARGE, "more tags than a page can need")
    if "<" not in html:
        return _failure(page, outlet, Reason.NOT_ARTICLE, "no markup", skipped=True)
    tree = LexborHTMLParser(html)
    facts = read_structured(tree)
    title = metadata.find_title(facts, outlet)
    if time.monotonic() - began > rules.max_seconds:
        return _failure(page, outlet, Reason.TIME_LIMIT, "parsing")
    runs = outline(tree.body) if tree.body is not None else []
    body = find_body(
        runs,
        html,
        page.url,
        title,
        metadata.find_description(facts),
        declared(facts.language),
        rules,
        stated=is_stated_article(facts),
    )
    if time.monotonic() - began > rules.max_seconds:
        return _failure(page, outlet, Reason.TIME_LIMIT, "finding the body")
    shown = " ".join(run.text for run in runs)[:100_000]
    return _assemble(page, outlet, facts, title, body, html, shown, rules)


def _assemble(
    page: RawPage,
    outlet: str | None,
    facts: Structured,
    title: str | None,
    body: Body,
    html: str,
    shown: str,
    rules: CleanSettings,
) -> Article | Failure:
    text = "\n".join(body.paragraphs)
    standfirst = body.standfirst or metadata.find_description(facts)
    refusal = _refusal(facts, page.url, title, body, shown, rules)
    if refusal is not None:
        return _failure(page, outlet, *refusal, skipped=refusal[0] is not Reason.NO_TEXT)
    canonical = canonical_of(next(iter(facts.links.get("canonical", [])), None), page.url)
    limit = metadata.trusted_limit(facts, page.fetched_at, page.headers)
    published = metadata.find_published(facts, canonical or page.url, page.published_given, limit)
    modified = metadata.find_modified(facts, limit)
    if published.moment is None and is_bearable(html):
        published = metadata.find_printed_date(html, page.url, limit)
    printed = [r.text for r in body.removed if r.after == 0][-8:] + body.paragraphs[:1]
    authors = metadata.find_authors(facts, outlet, printed)
    key = page_key(canonical, page.url, text)
    digest = content_hash(title, text)
    at = published.moment.at if published.moment else None
    return Article(
        article_id=article_id(key, digest), article_key=key, external_id=None, revision=1,
        valid_from=modified or page.fetched_at or at, change="first", url=page.url, canonical_url=canonical,
        outlet=outlet or outlet_of(canonical), title=title, standfirst=standfirst, text=text, authors=authors,
        section=metadata.find_section(facts), tags=metadata.find_tags(facts), published_at=at,
        published_from=published.source, published_precision=published.moment.precision if published.moment else None,
        modified_at=modified, fetched_at=page.fetched_at, language=identify(text, facts.language),
        word_count=len(re.findall(r"\w+", text)), agency=metadata.find_agency(authors, facts.author_nodes[:2], text),
        copy_group=None, is_original=None, story_id=None, access=metadata.find_access(facts, shown),
        rights=metadata.find_rights(facts, page.headers), extractor=body.extractor, confidence=body.confidence,
        removed=body.removed, raw_ref=RawRef(file=page.file, offset=page.offset), content_hash=digest,
    )  # fmt: skip
