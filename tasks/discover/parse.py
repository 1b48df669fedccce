"""Feeds, sitemaps and pages -> their entries. Pure: bytes in, entries out; hostile XML costs no more than its size."""

from __future__ import annotations

import calendar
import datetime as dt
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import feedparser
import lxml.etree
import lxml.html
from dateutil import parser as dates

MAX_XML_BYTES = 50_000_000
"""A sitemap's largest size by its protocol (sitemaps.org), decompressed."""

MAX_ROBOTS_BYTES = 512_000
"""Read of a robots.txt; RFC 9309 section 2.5 asks for at least 500 kibibytes. The rest of a longer one is left out."""

MAX_FEED_ENTRIES = 5_000
"""Read from one feed, the first ones; no newspaper prints more in a week."""


class Unreadable(ValueError):
    """The bytes are no feed, sitemap or page; the message says what they are instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it stands there: the link may still be relative, the date is what it says, in UTC."""

    link: str
    title: str | None = None
    published: dt.datetime | None = None
    updated: dt.datetime | None = None  # null where it is the same as published
    kind: Literal["article", "sitemap"] = "article"


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
    return _feed(body, content_type, url, min(limit, MAX_FEED_ENTRIES))


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


def _feed(body: bytes, content_type: str, url: str, limit: int) -> list[Entry]:
    if b"<!ENTITY" in body[:100_000]:
        raise Unreadable("the feed declares XML entities, which no feed needs")
    if not body.strip():
        raise Unreadable("the feed is empty")
    # As a stream: feedparser would take plain bytes for a file name, too.
    try:
        parsed = feedparser.parse(
            io.BytesIO(_first_items(body, limit)),
            response_headers={"content-type": content_type or "application/xml", "content-location": url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except ValueError as err:
        raise Unreadable(f"the feed cannot be parsed: {str(err)[:200]}") from err
    if not parsed.get("version") and not parsed.entries:
        kind = "an HTML page" if re.search(rb"<html\b", body[:4096], re.I) else "neither RSS, Atom nor JSON Feed"
        raise Unreadable(f"it is {kind}")
    return [e for e in map(_feed_entry, parsed.entries[:limit]) if e is not None]


def _first_items(body: bytes, limit: int) -> bytes:
    """The feed cut after `limit` items, and closed: a feed of a million items must not cost a million."""
    ends = re.compile(rb"</(?:\w{1,20}:)?(item|entry)\s*>", re.I)
    for n, end in enumerate(ends.finditer(body), start=1):
        if n == limit:
            tail = b"</feed>" if end[1].lower() == b"entry" else b"</channel></rss>"
            return body[: end.end()] + tail
    return body


def _feed_entry(entry: Any) -> Entry | None:
    link = entry.get("feedburner_origlink") or entry.get("link") or ""
    if not link and str(entry.get("id", "")).startswith(("http://", "https://")):
        link = entry["id"]
    if not isinstance(link, str) or not link.strip():
        return None
    when = entry.get("published_parsed") or entry.get("updated_parsed")
    title = re.sub(r"<[^<>]{0,500}>", "", entry.get("title") or "").strip()
    published = _from_struct(when)
    updated = _from_struct(dict.get(entry, "updated_parsed"))  # its own get gives the date of publication instead
    return Entry(
        link=link, title=title[:500] or None, published=published, updated=updated if updated != published else None
    )


def _from_struct(when: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(calendar.timegm(when), dt.UTC) if when else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


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


def parse_date(text: object) -> dt.datetime | None:
    """An ISO or RFC 2822 date as UTC, one without a zone taken as UTC; None where it is no date."""
    if not isinstance(text, str) or not re.match(r"\s*\d{4}|\s*\w{2,4},?\s", text[:100]):
        return None
    try:
        when = dates.parse(text.strip()[:100], default=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        return when.astimezone(dt.UTC) if when.tzinfo else when.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


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
    events = lxml.etree.iterparse(
        io.BytesIO(body), events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        recover=True, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for _, element in events:
            name = _local(element.tag)
            if name not in ("url", "sitemap") or _local(getattr(element.getparent(), "tag", "")) in ("url", "sitemap"):
                continue
            entry = _sitemap_entry(element, "sitemap" if name == "sitemap" else "article")
            if entry is not None:
                out.append(entry)
            if len(out) >= limit:
                break
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except lxml.etree.XMLSyntaxError as err:
        if not out:
            raise Unreadable(f"the sitemap is not XML: {str(err)[:200]}") from err
    if not out and len(events.error_log):  # a damaged sitemap gives what it can, but not nothing without a word
        raise Unreadable(f"the sitemap is not XML: {str(events.error_log[0].message)[:200]}")
    return out


def _local(tag: object) -> str:
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _sitemap_entry(element: Any, kind: Literal["article", "sitemap"]) -> Entry | None:
    fields: dict[str, str] = {}
    for child in _descendants(element):
        name = _local(child.tag)
        if name in ("loc", "lastmod", "publication_date", "title") and "image" not in str(child.tag):
            fields.setdefault(name, _text(child))
    if not fields.get("loc"):
        return None
    updated = parse_date(fields.get("lastmod"))
    when = parse_date(fields.get("publication_date")) or updated
    title = fields.get("title", "")[:500] or None
    updated = updated if updated != when else None
    return Entry(link=fields["loc"], title=title, published=when, updated=updated, kind=kind)


def _text(element: Any) -> str:
    try:
        return (element.text or "").strip()
    except UnicodeDecodeError:  # libxml2 lets bytes through that are half a surrogate pair
        return ""


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
