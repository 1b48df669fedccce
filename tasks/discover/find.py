"""One outlet -> the addresses of its new articles, from its feeds, sitemaps and pages."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.discover.address import may_be_article, normalise, public, same_key
from tasks.discover.parse import Entry, Unreadable, is_sitemap, parse_links, parse_source
from tasks.discover.records import Address, Discovery, Fetched, Fetcher, OutletConfig
from tasks.settings import DiscoverSettings
from tasks.tables import Failure, Reason

__all__ = ["Address", "Discovery", "discover"]

log = logging.getLogger(__name__)

MAX_ENTRIES = 50_000
"""Read from one sitemap, which is as many as it may hold; the settings' limit comes after the dates."""
SMALL_SITEMAP = 200
"""A sitemap of so many addresses or fewer is taken whole: a night's news, no archive."""
MAX_LINKS = 5_000
"""Read from one page."""
MAX_SITEMAPS = 50
"""Sitemaps read of one sitemap index, the newest first."""
MAX_DEPTH = 2
"""An index in an index is read, one deeper is not: sitemaps.org allows none at all."""


@dataclass(slots=True, kw_only=True)
class _Read:
    """What one source of the outlet gave."""

    source: str
    entries: list[Entry] = field(default_factory=list)
    base: str = ""
    undated_is_new: bool = True
    failures: list[Failure] = field(default_factory=list)
    too_old: int = 0


async def discover(outlet: OutletConfig, *, fetcher: Fetcher, rules: DiscoverSettings, now: dt.datetime) -> Discovery:
    """Addresses of the outlet, each once after normalisation, in the order of its sources.

    A source that cannot be read is a Failure with the source's address as ref (FEED_UNREADABLE, or why the fetch
    failed), and the others go on. Raises ValueError if `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    since = now - dt.timedelta(days=rules.max_age_days) if rules.max_age_days else None
    reads = await asyncio.gather(
        *(_read_feed(outlet, feed, fetcher=fetcher, since=since) for feed in outlet.feeds),
        *(_read_feed(outlet, sitemap, fetcher=fetcher, since=since) for sitemap in outlet.sitemaps),
        *(_read_page(outlet, page, fetcher=fetcher) for page in outlet.pages),
    )
    return _merge(outlet, reads, rules=rules, since=since, now=now)


def _failed(outlet: OutletConfig, source: str, failure: Failure) -> Failure:
    return dataclasses.replace(failure, ref=public(source), url=public(source), step="discover", outlet=outlet.domain)


async def _parsed(outlet: OutletConfig, source: str, parse: Callable[[], list[Entry]]) -> list[Entry] | Failure:
    try:
        return await asyncio.to_thread(parse)
    except Unreadable as err:
        reason, detail = Reason.FEED_UNREADABLE, str(err)
    except Exception as err:  # the one broad catch of the step: parsers that others wrote meet bytes that others chose
        log.exception("parsing %s", public(source))
        reason, detail = Reason.INTERNAL_ERROR, f"{type(err).__name__}: {err}"
    ref = public(source)
    return Failure(ref=ref, url=ref, step="discover", reason=reason, detail=detail[:500], outlet=outlet.domain)


async def _read_feed(
    outlet: OutletConfig, source: str, *, fetcher: Fetcher, since: dt.datetime | None, depth: int = 0
) -> _Read:
    read = _Read(source=source, base=source)
    got = await fetcher.get(source)
    if isinstance(got, Failure):
        read.failures.append(_failed(outlet, source, got))
        return read
    entries = await _parsed(outlet, source, functools.partial(_parse, got))
    if isinstance(entries, Failure):
        read.failures.append(entries)
        return read
    read.base = got.url
    read.entries = [e for e in entries if e.kind == "article"]
    children = [e for e in entries if e.kind == "sitemap"]
    read.undated_is_new = not (children or is_sitemap(got.body))
    if children and depth < MAX_DEPTH:
        await _read_children(outlet, read, children, fetcher=fetcher, since=since, depth=depth)
    return read


def _parse(got: Fetched) -> list[Entry]:
    return parse_source(got.body, got.header("content-type"), got.url, limit=MAX_ENTRIES)


async def _read_children(
    outlet: OutletConfig, read: _Read, children: list[Entry], *, fetcher: Fetcher, since: dt.datetime | None, depth: int
) -> None:
    """The sitemaps of an index: none that has not changed since `since`, the newest first."""
    fresh = [c for c in children if since is None or c.published is None or c.published >= since]
    oldest = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    fresh.sort(key=lambda c: (c.published or oldest, "news" in c.link.lower()), reverse=True)
    for child in fresh[:MAX_SITEMAPS]:
        link = normalise(child.link, base=read.base)
        if link is None:
            continue
        inner = await _read_feed(outlet, link, fetcher=fetcher, since=since, depth=depth + 1)
        read.entries += inner.entries
        read.failures += inner.failures


async def _read_page(outlet: OutletConfig, page: str, *, fetcher: Fetcher) -> _Read:
    read = _Read(source=page, base=page)
    got = await fetcher.get(page, pages_only=True)
    if isinstance(got, Failure):
        read.failures.append(_failed(outlet, page, got))
        return read
    read.base = got.url
    links = await _parsed(outlet, page, functools.partial(parse_links, got.body, got.url, limit=MAX_LINKS))
    if isinstance(links, Failure):
        read.failures.append(links)
        return read
    for entry in links:
        address = normalise(entry.link, base=got.url)
        if address and may_be_article(address, entry.title or "", page=got.url, domain=outlet.domain):
            read.entries.append(entry)
    return read


def _merge(
    outlet: OutletConfig, reads: list[_Read], *, rules: DiscoverSettings, since: dt.datetime | None, now: dt.datetime
) -> Discovery:
    found: dict[str, Address] = {}
    rank: dict[str, dt.datetime] = {}
    counts: dict[str, int] = {}
    too_old = 0
    for read in reads:
        source = public(read.source)
        counts[source] = 0
        # Feeds and news sitemaps hold what is news to their outlet, whatever its date; archives are what is cut.
        archive = not read.undated_is_new and len(read.entries) > SMALL_SITEMAP
        for entry in read.entries:
            if archive and since is not None and entry.published is not None and entry.published < since:
                too_old += 1
                continue
            address = normalise(entry.link, base=read.base)
            if address is None:
                continue
            counts[source] += 1
            key = same_key(address)
            if key not in found:
                found[key] = Address(
                    url=address, outlet=outlet.domain, found_in=source, title_hint=entry.title,
                    published_hint=entry.published,
                )  # fmt: skip
                rank[key] = entry.published or (now if read.undated_is_new else dt.datetime(1, 1, 1, tzinfo=dt.UTC))
    if too_old:
        log.warning(
            "%s: %d entries of archives are left out as too old (discover.max_age_days)", outlet.domain, too_old
        )
    keep = set(sorted(found, key=lambda k: rank[k], reverse=True)[: rules.max_addresses])
    return Discovery(
        outlet=outlet.domain,
        addresses=[address for key, address in found.items() if key in keep],
        failures=[failure for read in reads for failure in read.failures],
        counts=counts,
        too_old=too_old,
        over_limit=len(found) - len(keep),
    )
