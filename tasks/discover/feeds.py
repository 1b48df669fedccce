"""RSS and Atom by lxml, which bounds depth and memory; feedparser only for small odd ones.

feedparser alone took 50 times as long, and a hostile feed minutes: it parses in Python, and again as HTML where the XML
is damaged (measured by tests/scrape/hostile.py).
"""

from __future__ import annotations

import calendar
import codecs
import datetime as dt
import html
import io
import re
from typing import Any
from urllib.parse import urljoin

import feedparser

from tasks.discover.entries import Entry, Unreadable, parse_date
from tasks.discover.xml_records import Error, XmlRecords, local, text_of

MAX_FEED_ENTRIES = 5_000
"""Read from one feed, the first ones; no newspaper prints more in a week."""
SMALL_BYTES, SMALL_TAGS = 1_000_000, 20_000
"""Up to here feedparser is tried where lxml finds nothing."""

_RECORDS = frozenset({"item", "entry"})
_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})
# Many feeds hold addresses with bare ampersands, and HTML's names of characters: lxml would drop what follows them.
_BARE = re.compile(rb"&(?!(?:#[0-9]{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_TAG = re.compile(r"<[^<>]{0,500}>")
_DATES = ("pubdate", "published", "date", "issued", "created")
_UPDATES = ("updated", "modified")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}\bencoding\s*=", re.I)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.I)


def read_feed(body: bytes, content_type: str, url: str, limit: int) -> list[Entry]:
    """Entries of a feed in its order, at most `limit`. Raises Unreadable.

    A feed that is damaged or cut off gives the whole entries before that."""
    if b"<!ENTITY" in body[:100_000]:
        raise Unreadable("the feed declares XML entities, which no feed needs")
    body = body.lstrip(b" \t\r\n\x00")
    if not body:
        raise Unreadable("the feed is empty")
    limit = min(limit, MAX_FEED_ENTRIES)
    body = _BARE.sub(b"&amp;", body)
    records = XmlRecords(body, _RECORDS, encoding=_charset(body, content_type))
    found: list[Entry] = []
    try:
        for element in records:
            entry = _entry(element)
            if entry is not None:
                found.append(entry)
            if len(found) >= limit:
                break
    except Error:
        pass  # what came before counts; nothing at all is asked of feedparser
    if found or (records.root in _ROOTS and records.complaint is None):
        return found
    if records.root == "html" or re.search(rb"<html\b", body[:4096], re.I):
        raise Unreadable("it is an HTML page")
    return _odd_feed(body, content_type, url, limit)


def _charset(body: bytes, content_type: str) -> str | None:
    """What the server says, where the file itself says nothing: servers send a default that is wrong more often."""
    stated = _CHARSET.search(content_type)
    if stated is None or _DECLARED.match(body[:300]) or body.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return None
    try:
        name = codecs.lookup(stated[1]).name
    except LookupError:
        return None
    return name if name in ("utf-8", "iso8859-1", "cp1252", "iso8859-15", "iso8859-2", "cp1251", "koi8-r") else None


def _entry(element: Any) -> Entry | None:
    fields: dict[str, str] = {}
    link = original = guid = ""
    for child in element:
        name = local(child.tag)
        if name == "link":
            link = link or _link(child)
        elif name == "origlink":
            original = original or text_of(child, 4_000)
        elif name in ("guid", "id") and (child.get("isPermaLink") or "").lower() != "false":
            guid = guid or text_of(child, 4_000)
        elif name in _DATES or name in _UPDATES or (name == "title" and "search.yahoo" not in str(child.tag)):
            fields.setdefault(name, text_of(child, 2_000))
    address = original or link or (guid if guid.startswith(("http://", "https://")) else "")
    address = address or (element.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about") or "")
    if not address.strip():
        return None
    updated = _first_date(fields, _UPDATES)
    published = _first_date(fields, _DATES) or updated
    title = " ".join(_TAG.sub("", html.unescape(fields.get("title", ""))).split())
    return Entry(
        link=_based(element, address.strip()),
        title=title[:500] or None,
        published=published,
        updated=updated if updated != published else None,
    )


def _link(child: Any) -> str:
    """RSS writes the address as text, Atom as href, of several links that of the page."""
    href: str | None = child.get("href")
    if href is None:
        return text_of(child, 4_000)
    return href if (child.get("rel") or "alternate").lower() == "alternate" else ""


def _based(element: Any, address: str) -> str:
    """Against xml:base, where there is one."""
    base = element.base
    if not base:
        return address
    try:
        return urljoin(str(base), address)
    except ValueError:
        return address


def _first_date(fields: dict[str, str], names: tuple[str, ...]) -> dt.datetime | None:
    return next((when for n in names if (when := parse_date(fields.get(n))) is not None), None)


# --------------------------------------------------------------------------- feedparser


def _odd_feed(body: bytes, content_type: str, url: str, limit: int) -> list[Entry]:
    if len(body) > SMALL_BYTES or body.count(b"<") > SMALL_TAGS:
        raise Unreadable("it is neither RSS, Atom nor JSON Feed that can be read")
    # As a stream: feedparser would take plain bytes for a file name, too.
    try:
        parsed = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-type": content_type or "application/xml", "content-location": url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except ValueError as err:
        raise Unreadable(f"the feed cannot be parsed: {str(err)[:200]}") from err
    if not parsed.get("version") and not parsed.entries:
        raise Unreadable("it is neither RSS, Atom nor JSON Feed")
    return [e for e in map(_odd_entry, parsed.entries[:limit]) if e is not None]


def _odd_entry(entry: Any) -> Entry | None:
    link = entry.get("feedburner_origlink") or entry.get("link") or ""
    if not link and str(entry.get("id", "")).startswith(("http://", "https://")):
        link = entry["id"]
    if not isinstance(link, str) or not link.strip():
        return None
    title = _TAG.sub("", entry.get("title") or "").strip()
    published = _from_struct(entry.get("published_parsed") or entry.get("updated_parsed"))
    updated = _from_struct(dict.get(entry, "updated_parsed"))  # its own get gives the date of publication instead
    return Entry(
        link=link, title=title[:500] or None, published=published, updated=updated if updated != published else None
    )


def _from_struct(when: Any) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(calendar.timegm(when), dt.UTC) if when else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None
