"""What a page says about itself: JSON-LD, OpenGraph, other meta elements, microdata, links. Read, not yet believed."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_ARTICLE = re.compile(r"(?:article|blogposting|report|reportage|review)$", re.I)
_NOT_ARTICLE = frozenset(
    "CollectionPage SearchResultsPage ProfilePage ImageGallery MediaGallery ContactPage AboutPage CheckoutPage".split()
)
_MAX_JSON_BYTES = 2_000_000
_MAX_NODES = 20_000
_CDATA = re.compile(r"^\s*(?://)?\s*<!\[CDATA\[|(?://)?\s*\]\]>\s*;?\s*$|^\s*<!--|-->\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured:
    """Facts a page states, each in the page's order and as it wrote them."""

    article: dict[str, Any] | None  # the JSON-LD object of the article
    ld_types: frozenset[str]  # every @type on the page
    meta: dict[str, list[str]]  # name, property or itemprop (lower case) -> contents
    links: dict[str, list[str]]  # rel (lower case) -> hrefs
    title_tag: str | None
    headings: list[str]  # texts of h1
    times: list[tuple[str, bool]]  # datetime values; True where marked as the publication's
    author_nodes: list[str] = field(default_factory=list)  # texts marked as author: rel, itemprop, by-line classes
    language: str | None = None
    has_article_body: bool = False  # an element is marked as an article's body by microdata


def text_of(node: Any) -> str:
    return " ".join(node.text(deep=True, separator=" ", strip=False).split())


def _load_json(text: str) -> Any:
    """JSON as pages write it: in comments, with raw line breaks, with a stray semicolon. None if hopeless."""
    text = _CDATA.sub("", text.strip()).strip().rstrip(";")
    if not text or len(text) > _MAX_JSON_BYTES:
        return None
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(re.sub(r",\s*([}\]])", r"\1", text), strict=False)
    except (ValueError, RecursionError):
        return None


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in a value, in reading order, at most _MAX_NODES nodes."""
    stack, seen = [value], 0
    while stack and seen < _MAX_NODES:
        seen += 1
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            stack.extend(reversed(node))


def types_of(obj: dict[str, Any]) -> list[str]:
    kinds = obj.get("@type")
    found = kinds if isinstance(kinds, list) else [kinds]
    return [k.rsplit("/", 1)[-1] for k in found if isinstance(k, str)]


def _words(text: object) -> set[str]:
    return set(re.findall(r"\w+", str(text or "").lower()))


def _pick_article(objects: list[dict[str, Any]], titles: list[str]) -> dict[str, Any] | None:
    """The JSON-LD article that shares most with the page's own titles: teasers of others stand in JSON-LD too."""
    best, best_score = None, -1.0
    wanted = [_words(t) for t in titles if t]
    for order, obj in enumerate(objects):
        kinds = types_of(obj)
        if not any(_ARTICLE.search(k) for k in kinds):
            continue
        head = _words(obj.get("headline") or obj.get("name"))
        near = max((len(head & w) / len(head | w) for w in wanted if head or w), default=0.0)
        full = sum(bool(obj.get(k)) for k in ("headline", "datePublished", "author", "articleBody"))
        score = near * 4 + full * 0.5 - order * 0.001
        if score > best_score:
            best, best_score = obj, score
    return best


def resolve(value: Any, by_id: dict[str, dict[str, Any]]) -> Any:
    """An object that is only a reference ({"@id": ...}) -> the object it names."""
    if isinstance(value, dict) and "@id" in value and len(value) <= 2 and "name" not in value:
        return by_id.get(str(value["@id"]), value)
    if isinstance(value, list):
        return [resolve(v, by_id) for v in value[:50]]
    return value


def _meta(tree: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in tree.css("meta")[:2000]:
        attributes = node.attributes
        content = attributes.get("content")
        if not content:
            continue
        for key in ("name", "property", "itemprop", "http-equiv"):
            name = attributes.get(key)
            if name:
                found.setdefault(name.strip().lower(), []).append(" ".join(content.split()))
    return found


def _links(tree: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in tree.css("link[rel], a[rel~='license']")[:2000]:
        attributes = node.attributes
        href = attributes.get("href")
        if href:
            for rel in (attributes.get("rel") or "").lower().split():
                found.setdefault(rel, []).append(href.strip())
    return found


def _times(tree: Any) -> list[tuple[str, bool]]:
    found = []
    for node in tree.css("time[datetime], [itemprop='datePublished']")[:40]:
        attributes = node.attributes
        value = attributes.get("datetime") or attributes.get("content") or text_of(node)
        marks = " ".join(
            filter(
                None, (attributes.get("itemprop"), attributes.get("class"), attributes.get("pubdate", "-") or "pubdate")
            )
        )
        if "modif" not in marks.lower() and "updat" not in marks.lower():
            found.append((value, "publish" in marks.lower() or "pubdate" in marks.lower()))
    return found


_AUTHOR_CSS = "[rel~='author'], [itemprop='author'], [class*='uthor'], [class*='yline'], [data-testid*='author']"
"""A few wide selectors and a look at what they found: every selector is tried on every element."""
_AUTHOR_CLASS = re.compile(
    r"byline__name|author-name|author_name|authorName|AuthorName|byline-name|article-author|article__author|Byline"
    r"|(?:^|\s)(?:author|byline)(?:\s|$)"
)


def _is_author(node: Any) -> bool:
    stated = node.attributes
    return (
        _AUTHOR_CLASS.search(stated.get("class") or "") is not None
        or stated.get("itemprop") == "author"
        or "author" in (stated.get("data-testid") or "")
        or "author" in (stated.get("rel") or "").split()
    )


def _author_nodes(tree: Any) -> list[str]:
    found = []
    for node in list(itertools.islice(filter(_is_author, tree.css(_AUTHOR_CSS)), 30)):
        name = node.css_first("[itemprop='name']")
        text = text_of(name if name is not None else node)
        if 3 <= len(text) <= 120 and text not in found:
            found.append(text)
    return found[:12]


def read_structured(tree: Any) -> Structured:
    """Everything the parsed page (selectolax) states about itself. Malformed parts are left out."""
    titles = tree.css("title")
    head_title = next((text_of(t) for t in titles if t.parent is not None and t.parent.tag != "svg"), None)
    headings = [t for t in (text_of(h) for h in tree.css("h1")[:10]) if t]
    meta = _meta(tree)
    objects: list[dict[str, Any]] = []
    for node in tree.css("script[type*='ld+json']")[:40]:
        objects.extend(_objects(_load_json(node.text(deep=True) or "")))
    by_id: dict[str, dict[str, Any]] = {}
    for obj in objects:
        if isinstance(obj.get("@id"), str) and len(obj) > len(by_id.get(obj["@id"], {})):
            by_id[obj["@id"]] = obj
    article = _pick_article(objects, [*headings, *meta.get("og:title", []), head_title or ""])
    if article is not None:
        article = {k: resolve(v, by_id) for k, v in article.items()}
    html = tree.css_first("html")
    return Structured(
        article=article,
        ld_types=frozenset(k for o in objects for k in types_of(o)),
        meta=meta,
        links=_links(tree),
        title_tag=head_title,
        headings=headings,
        times=_times(tree),
        author_nodes=_author_nodes(tree),
        has_article_body=tree.css_first("[itemprop~='articleBody']") is not None,
        language=(html.attributes.get("lang") if html is not None else None)
        or next(iter(meta.get("og:locale", [])), None),
    )


def lists_only(page: Structured) -> bool:
    """The page's JSON-LD names it a list, gallery or profile, and no article."""
    return page.article is None and bool(page.ld_types & _NOT_ARTICLE)


def is_live(page: Structured) -> bool:
    """The page's own article is a live ticker: entries of many hours, each superseding the last, and no one text."""
    return page.article is not None and "LiveBlogPosting" in types_of(page.article)


def is_video(page: Structured) -> bool:
    """The page states a video and no article."""
    kinds = [k.lower() for k in page.meta.get("og:type", [])]
    if page.article is not None or page.has_article_body or "article" in kinds:
        return False
    return "VideoObject" in page.ld_types or any(k.startswith("video") for k in kinds)
