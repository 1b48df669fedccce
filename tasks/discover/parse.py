"""Feeds, sitemaps and pages -> their entries. Pure: bytes in, entries out; hostile XML costs no more than its size."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import lxml.etree
import lxml.html

from tasks.discover.entries import Entry, Unreadable, parse_date
from tasks.discover.feeds import read_feed
from tasks.discover.xml_records import Error, XmlRecords, local, text_of

__all__ = ["Entry", "Unreadable", "is_sitemap", "parse_date", "parse_links", "parse_source", "robots_sitemaps"]

MAX_XML_BYTES = 50_000_000
"""A sitemap's largest size by its protocol (sitemaps.org), decompressed."""

MAX_ROBOTS_BYTES = 512_000
"""Read of a robots.txt; RFC 9309 section 2.5 asks for at least 500 kibibytes. The rest of a longer one is left out."""


def parse_source(body: bytes, content_type: str, url: str, *, limit: int) -> list[Entry]:
    """Entries of a feed or sitemap, whichever it is, in its order, at most `limit`. Raises Unreadable.

    The body may be a gzip file (sitemap.xml.gz), and may be cut off: what stands before the cut counts.
    """
    if body[:2] == b"\x1f\x8b":
        body = _unzipped(body)
    body = _NUMBERED.sub(_no_character, body)
    start = body[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:1] == b"{":
        return _json_feed(body, limit)
    if urlsplit(url).path == "/robots.txt":
        return robots_sitemaps(body)
    if is_sitemap(body):
        return _sitemap(body, limit)
    if re.match(rb"https?://", start) and b"<" not in start:
        return _text_sitemap(body, limit)
    return read_feed(body, content_type, url, limit)


_NUMBERED = re.compile(rb"&#(?:x([0-9a-fA-F]{1,9})|([0-9]{1,10}));")


def _no_character(reference: re.Match[bytes]) -> bytes:
    """A numbered character reference, or U+FFFD for a number that is no character: both parsers stumble over those."""
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return b"&#65533;" if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF else reference[0]


def is_sitemap(body: bytes) -> bool:
    """Whether the bytes are an XML sitemap or an index of them, not a feed."""
    if body[:2] == b"\x1f\x8b":
        body = _unzipped(body[:65536])
    return re.search(rb"<(?:\w{1,20}:)?(?:urlset|sitemapindex)\b", body[:4096]) is not None


def _unzipped(body: bytes) -> bytes:
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, MAX_XML_BYTES)
    except zlib.error as err:
        raise Unreadable(f"the gzip file is damaged: {err}") from err


# --------------------------------------------------------------------------- feeds


def _json_feed(body: bytes, limit: int) -> list[Entry]:
    try:
        data = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as err:
        raise Unreadable(f"it begins as JSON but is not: {err}") from err
    items = data.get("items")
    if not isinstance(items, list):
        raise Unreadable("it is JSON, but no JSON Feed: it has no items")
    out = []
    for item in items[:limit]:
        if not isinstance(item, dict):
            continue
        link = item.get("url") or item.get("external_url") or item.get("id")
        if isinstance(link, str) and link.strip().startswith(("http://", "https://", "/")):
            title = item.get("title")
            updated = parse_date(item.get("date_modified"))
            date = parse_date(item.get("date_published")) or updated
            title = title[:500] if isinstance(title, str) else None
            out.append(Entry(link=link, title=title, published=date, updated=updated if updated != date else None))
    return out


# --------------------------------------------------------------------------- sitemaps

_SITEMAP_LINE = re.compile(rb"^[ \t]*sitemap[ \t]*:[ \t]*(https?://[^\s#]{1,2000})", re.I | re.M)


def robots_sitemaps(body: bytes) -> list[Entry]:
    """The sitemaps that a robots.txt names (sitemaps.org), each once, those whose address says news first.

    So a robots.txt may stand among an outlet's sitemaps, as an index of them. Raises Unreadable if it names none.
    """
    found = dict.fromkeys(m[1].decode("utf-8", "replace") for m in _SITEMAP_LINE.finditer(body[:MAX_ROBOTS_BYTES]))
    if not found:
        raise Unreadable("the robots.txt names no sitemap")
    return [Entry(link=link, kind="sitemap") for link in sorted(found, key=lambda link: "news" not in link.lower())]


def _sitemap(body: bytes, limit: int) -> list[Entry]:
    """Entries of a sitemap, a news sitemap or a sitemap index (https://www.sitemaps.org/protocol.html)."""
    out: list[Entry] = []
    records = XmlRecords(_BARE.sub(b"&amp;", body), _SITEMAP_RECORDS)
    try:
        for element in records:
            entry = _sitemap_entry(element, "sitemap" if local(element.tag) == "sitemap" else "article")
            if entry is not None:
                out.append(entry)
            if len(out) >= limit:
                break
    except Error as err:
        if not out:
            raise Unreadable(f"the sitemap is not XML: {str(err)[:200]}") from err
    if not out and records.complaint:  # a damaged sitemap gives what it can, but not nothing without a word
        raise Unreadable(f"the sitemap is not XML: {records.complaint}")
    return out


_BARE = re.compile(rb"&(?![#\w]{1,32};)")  # in addresses; lxml would drop what follows
_SITEMAP_RECORDS = frozenset({"url", "sitemap"})


def _sitemap_entry(element: Any, kind: Literal["article", "sitemap"]) -> Entry | None:
    fields: dict[str, str] = {}
    for child in _descendants(element):
        name = local(child.tag)
        if name in ("loc", "lastmod", "publication_date", "title") and "image" not in str(child.tag):
            fields.setdefault(name, text_of(child, 4_000))
    if not fields.get("loc"):
        return None
    updated = parse_date(fields.get("lastmod"))
    when = parse_date(fields.get("publication_date")) or updated
    title = fields.get("title", "")[:500] or None
    updated = updated if updated != when else None
    return Entry(link=fields["loc"], title=title, published=when, updated=updated, kind=kind)


def _descendants(element: Any) -> Iterator[Any]:
    """Children and grandchildren, at most 200: news:news holds its fields one level down."""
    n = 0
    for child in element:
        yield child
        for grandchild in child:
            yield grandchild
            n += 1
            if n > 200:
                return


def _text_sitemap(body: bytes, limit: int) -> list[Entry]:
    lines = body[:MAX_XML_BYTES].decode("utf-8", "replace").splitlines()
    return [Entry(link=line.strip()) for line in lines[:limit] if line.strip().startswith(("http://", "https://"))]


# --------------------------------------------------------------------------- pages


def parse_links(body: bytes, url: str, *, limit: int) -> list[Entry]:
    """The links of a page with their words, in its order, resolved against its <base> if any. Raises Unreadable."""
    try:
        root = lxml.html.document_fromstring(
            body, parser=lxml.html.HTMLParser(encoding=None, huge_tree=False, no_network=True), base_url=url
        )
    except (lxml.etree.ParserError, lxml.etree.XMLSyntaxError, ValueError) as err:
        raise Unreadable(f"the page cannot be parsed: {str(err)[:200]}") from err
    base = next((b.get("href") for b in root.iter("base") if b.get("href")), None)
    out = []
    for anchor in root.iter("a"):
        link = anchor.get("href")
        if link and not link.lstrip().startswith(("#", "javascript:", "mailto:", "tel:")):
            words = " ".join("".join(anchor.itertext()).split())
            out.append(Entry(link=_joined(base, link), title=words[:500] or None))
        if len(out) >= limit:
            break
    return out


def _joined(base: str | None, link: str) -> str:
    try:
        return urljoin(base, link) if base else link
    except ValueError:
        return link
