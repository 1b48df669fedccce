"""A bare domain -> the feeds and sitemaps that an outlet is best found by."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import lxml.etree
import lxml.html

from tasks.discover.address import may_be_article, normalise, same_key
from tasks.discover.parse import Entry, Unreadable, is_sitemap, parse_links, parse_source, robots_sitemaps
from tasks.discover.records import Fetched, Fetcher
from tasks.tables import Failure

Kind = Literal["feed", "news sitemap", "sitemap", "page"]

MAX_CANDIDATES = 40
"""Addresses looked at for one outlet."""
MAX_FEEDS = 12
"""Kept for one outlet, those with the newest entries; sections beyond that repeat each other."""
FRESH_DAYS = 30
"""A feed without an entry of so many days has been given up."""
FEW_LINKS = 5
"""A front page with fewer links to articles is none."""
_FEED_TYPES = re.compile(r"application/(?:rss|atom|feed)\+(?:xml|json)|application/json|text/xml", re.I)
_FEED_WORDS = re.compile(r"(?:^|[/._-])(?:rss|feeds?|atom)(?:[/._?-]|$)", re.I)
_COMMENTS = re.compile(r"comments?[/._-]|/podcasts?/|format=amp", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One address that was looked at. `entries` and `newest` of what was read; `why` it is not taken, null if it is."""

    url: str
    kind: Kind
    named_in: str
    entries: int = 0
    newest: dt.datetime | None = None
    links: frozenset[str] = frozenset()
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOutlet:
    """What a domain says of itself, and what it may be found by. `candidates`: all that were looked at."""

    domain: str
    name: str | None
    language: str | None
    country: str | None
    candidates: tuple[Candidate, ...]
    failure: Failure | None = None  # why not even the front page could be had

    def taken(self, *kinds: Kind) -> list[str]:
        return [c.url for c in self.candidates if c.why is None and c.kind in kinds]


def bare_domain(text: str) -> str:
    """The domain (with its port, where one is given) that a user means: example.org, www.example.org/ or an address."""
    parts = urlsplit(text.strip() if "://" in text else f"https://{text.strip()}")
    return parts.netloc.rpartition("@")[2].lower().rstrip(".").removeprefix("www.")


async def find_outlet(domain: str, *, fetcher: Fetcher, now: dt.datetime) -> FoundOutlet:
    """Look at the front page, robots.txt and, where neither names anything, the usual places."""
    front = await _front_page(domain, fetcher)
    if isinstance(front, Failure):
        return FoundOutlet(
            domain=domain, name=None, language=None, country=_country(domain), candidates=(), failure=front
        )
    base = "{0.scheme}://{0.netloc}".format(urlsplit(front.url))
    root = _root(front.body)
    named = [*_named_in_page(root, front.url), *await _named_in_robots(base, fetcher)]
    looked = await _look(named, fetcher, now)
    if not any(c.why is None and c.kind in ("feed", "news sitemap") for c in looked):
        seen = {same_key(c.url) for c in looked}
        guesses = [(base + path, "a usual place") for path in _guesses() if same_key(base + path) not in seen]
        looked += [c for c in await _look(guesses, fetcher, now) if c.why is None]
    page = _page_candidate(front, domain)
    return FoundOutlet(
        domain=domain,
        name=_name(root),
        language=_language(root),
        country=_country(domain),
        candidates=tuple(choose([*looked, *([page] if page else [])], now)),
    )


async def _front_page(domain: str, fetcher: Fetcher) -> Fetched | Failure:
    first: Failure | None = None
    for start in (f"https://{domain}/", f"https://www.{domain}/", f"http://{domain}/"):
        got = await fetcher.get(start, pages_only=True)
        if isinstance(got, Fetched):
            return got
        first = first or got
    assert first is not None
    return first


def _root(body: bytes) -> lxml.html.HtmlElement | None:
    try:
        return lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(huge_tree=False, no_network=True))
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError):
        return None


def _named_in_page(root: lxml.html.HtmlElement | None, url: str) -> list[tuple[str, str]]:
    """Feeds and sitemaps that a page names: by link elements, then by its own links."""
    if root is None:
        return []
    found: dict[str, str] = {}
    for link in root.iter("link"):
        rel, kind = (link.get("rel") or "").lower(), link.get("type") or ""
        if ("alternate" in rel and _FEED_TYPES.search(kind)) or rel == "sitemap":
            _add(found, link.get("href"), url, "the front page's head")
    for anchor in root.iter("a"):
        href = anchor.get("href") or ""
        if len(href) < 500 and _FEED_WORDS.search(urlsplit(href).path if "[" not in href else ""):
            _add(found, href, url, "a link of the front page")
    return list(found.items())


def _add(found: dict[str, str], href: str | None, base: str, where: str) -> None:
    address = normalise(href or "", base=base)
    if address and len(found) < MAX_CANDIDATES:
        found.setdefault(address, where)


async def _named_in_robots(base: str, fetcher: Fetcher) -> list[tuple[str, str]]:
    got = await fetcher.get(f"{base}/robots.txt")
    if isinstance(got, Failure):
        return []
    try:
        return [(e.link, "robots.txt") for e in robots_sitemaps(got.body)[:MAX_CANDIDATES]]
    except Unreadable:
        return []


@functools.cache
def _guesses() -> tuple[str, ...]:
    lines = (Path(__file__).parent / "guesses.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line.startswith("/"))


async def _look(named: Iterable[tuple[str, str]], fetcher: Fetcher, now: dt.datetime) -> list[Candidate]:
    unique = {same_key(url): (url, where) for url, where in reversed(list(named))}
    rows = list(unique.values())[::-1][:MAX_CANDIDATES]
    return list(await asyncio.gather(*(_candidate(url, where, fetcher, now) for url, where in rows)))


async def _candidate(url: str, named_in: str, fetcher: Fetcher, now: dt.datetime) -> Candidate:
    guess: Kind = "sitemap" if "sitemap" in url.lower() else "feed"
    got = await fetcher.get(url)
    if isinstance(got, Failure):
        return Candidate(url=url, kind=guess, named_in=named_in, why=f"{got.reason.value}: {got.detail}"[:120])
    try:
        entries = await asyncio.to_thread(parse_source, got.body, got.header("content-type"), got.url, limit=50_000)
    except Unreadable as err:
        return Candidate(url=url, kind=guess, named_in=named_in, why=str(err)[:120])
    return _described(url, named_in, got, entries, now)


def _described(url: str, named_in: str, got: Fetched, entries: Sequence[Entry], now: dt.datetime) -> Candidate:
    dates = [e.published for e in entries if e.published is not None and e.published <= now + dt.timedelta(days=1)]
    newest = max(dates, default=None)
    links = frozenset(same_key(a) for e in entries if (a := normalise(e.link, base=got.url)))
    kind: Kind = "feed"
    if any(e.kind == "sitemap" for e in entries) or is_sitemap(got.body):
        news = b"schemas/sitemap-news" in got.body[:4096] or "news" in urlsplit(url).path.lower()
        kind = "news sitemap" if news and newest is not None else "sitemap"
    address = got.url if got.moved else url
    return Candidate(url=address, kind=kind, named_in=named_in, entries=len(entries), newest=newest, links=links)


def _page_candidate(front: Fetched, domain: str) -> Candidate | None:
    """The front page itself, as a place to read links from."""
    try:
        links = parse_links(front.body, front.url, limit=5_000)
    except Unreadable:
        return None
    found = set()
    for link in links:
        address = normalise(link.link, base=front.url)
        if address and may_be_article(address, link.title or "", page=front.url, domain=domain):
            found.add(same_key(address))
    return Candidate(
        url=front.url, kind="page", named_in="the domain", entries=len(found), links=frozenset(found),
        why=f"{len(found)} links to articles" if len(found) < FEW_LINKS else None,
    )  # fmt: skip


def choose(candidates: Sequence[Candidate], now: dt.datetime) -> list[Candidate]:
    """The same candidates, each with why it is not taken, or none.

    Feeds with fresh entries, unless all of them are in another one; news sitemaps; other sitemaps and the front page
    only where there is neither, for they are archives, and links without a date.
    """
    oldest = now - dt.timedelta(days=FRESH_DAYS)
    out: list[Candidate] = []
    taken: set[str] = set()
    feeds = 0
    rank = {"feed": 0, "news sitemap": 1, "sitemap": 2, "page": 3}
    epoch = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    for c in sorted(candidates, key=lambda c: (rank[c.kind], -len(c.links), -(c.newest or epoch).timestamp(), c.url)):
        why = c.why
        if why is None and not c.entries:
            why = "it is empty"
        elif why is None and _COMMENTS.search(c.url):
            why = "comments or podcasts, not articles"
        elif why is None and c.newest is not None and c.newest < oldest:
            why = f"nothing new since {c.newest:%Y-%m-%d}"
        elif why is None and c.kind in ("feed", "news sitemap") and c.links <= taken:
            why = "all of it is in another one"
        elif why is None and c.kind in ("sitemap", "page") and taken:
            why = "not needed beside feeds and news sitemaps"
        elif why is None and c.kind == "feed" and feeds >= MAX_FEEDS:
            why = f"more than {MAX_FEEDS} feeds"
        if why is None:
            taken |= c.links
            feeds += c.kind == "feed"
        out.append(dataclasses.replace(c, why=why))
    return out


def _name(root: lxml.html.HtmlElement | None) -> str | None:
    """What the site calls itself: og:site_name, application-name, else the last or first part of its title."""
    if root is None:
        return None
    for meta in root.iter("meta"):
        key = (meta.get("property") or meta.get("name") or "").lower()
        if key in ("og:site_name", "application-name") and (meta.get("content") or "").strip():
            return " ".join(meta.get("content").split())[:100]
    title = " ".join((root.findtext(".//title") or "").split())
    parts = [p for p in re.split(r"\s[|–—-]\s|:\s", title) if p]
    return min(parts, key=len)[:100] if parts else None


def _language(root: lxml.html.HtmlElement | None) -> str | None:
    stated = (root.get("lang") or "") if root is not None else ""
    found = re.match(r"[A-Za-z]{2,3}(?=$|[-_])", stated)
    return found[0].lower() if found else None


@functools.cache
def _used_as_words() -> frozenset[str]:
    return frozenset("ai am cc co fm gg io ly me sh so tv ws to la vc bz nu eu".split())


def _country(domain: str) -> str | None:
    """By the top-level domain, unless it is one that is used as a word."""
    end = domain.partition(":")[0].rpartition(".")[2]
    if len(end) != 2 or not end.isalpha() or end in _used_as_words():
        return None
    return "GB" if end == "uk" else end.upper()
