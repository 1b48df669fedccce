"""One outlet -> the addresses of its new articles, from its feeds, sitemaps and pages."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tasks.discover.address import may_be_article, normalise, public, same_key
from tasks.discover.autodiscover import find_outlet
from tasks.discover.memory import (
    Forgetful,
    Memory,
    SourceMemory,
    after_change,
    after_failure,
    after_no_change,
    digest_of,
    is_due,
    still_dead,
)
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
_MOVED_AWAY = (Reason.HTTP_GONE, Reason.HTTP_REFUSED, Reason.FEED_UNREADABLE)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Night:
    """What every reading of one outlet's sources needs."""

    outlet: OutletConfig
    fetcher: Fetcher
    since: dt.datetime | None
    memory: Memory
    now: dt.datetime


async def discover(
    outlet: OutletConfig,
    *,
    fetcher: Fetcher,
    rules: DiscoverSettings,
    now: dt.datetime,
    memory: Memory | None = None,
) -> Discovery:
    """Addresses of the outlet, each once after normalisation, in the order of its sources.

    A source that cannot be read is a Failure with the source's address as ref (FEED_UNREADABLE, or why the fetch
    failed), and the others go on. One that has not changed since it was last read gives what it gave then. Raises
    ValueError if `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    since = now - dt.timedelta(days=rules.max_age_days) if rules.max_age_days else None
    night = _Night(outlet=outlet, fetcher=fetcher, since=since, memory=memory or Forgetful(), now=now)
    reads = await asyncio.gather(
        *(_read_feed(night, feed) for feed in outlet.feeds),
        *(_read_feed(night, sitemap) for sitemap in outlet.sitemaps),
        *(_read_source(night, page, _page_links, pages_only=True) for page in outlet.pages),
    )
    return _merge(outlet, reads, rules=rules, since=since, now=now)


Parse = Callable[[Fetched, OutletConfig], list[Entry]]


def _failed(night: _Night, source: str, failure: Failure) -> Failure:
    ref = public(source)
    return dataclasses.replace(failure, ref=ref, url=ref, step="discover", outlet=night.outlet.domain)


# Few bodies are parsed at once: a parsed feed takes many times its size, and there are few cores.
_PARSERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="parse")


async def _parsed(night: _Night, source: str, parse: Callable[[], list[Entry]]) -> list[Entry] | Failure:
    try:
        return await asyncio.get_running_loop().run_in_executor(_PARSERS, parse)
    except Unreadable as err:
        reason, detail = Reason.FEED_UNREADABLE, str(err)
    except Exception as err:  # the one broad catch of the step: parsers that others wrote meet bytes that others chose
        log.exception("parsing %s", public(source))
        reason, detail = Reason.INTERNAL_ERROR, f"{type(err).__name__}: {err}"
    ref = public(source)
    return Failure(ref=ref, url=ref, step="discover", reason=reason, detail=detail[:500], outlet=night.outlet.domain)


async def _read_source(night: _Night, source: str, parse: Parse, *, pages_only: bool = False) -> _Read:
    """The entries of one source: read now, or as they were where it has not changed or is not due."""
    read = _Read(source=source, base=source)
    shown = public(source)
    known = night.memory.source(shown) or SourceMemory(url=shown, outlet=night.outlet.domain)
    if not is_due(known, night.now):
        if known.dead:
            read.failures.append(still_dead(known))
            return await _with_stand_in(night, read, known)
        if known.digest is not None:
            return _remembered(read, known)
    # a moved address is asked for where it is now, unless that failed, or a password belongs to the old one
    at = known.location if known.moved and not known.fails and shown == source else None
    if known.validators is None and at is None:
        got = await night.fetcher.get(source, pages_only=pages_only)
    else:
        got = await night.fetcher.get(source, pages_only=pages_only, known=known.validators, at=at)
    if isinstance(got, Failure):
        return await _unread(night, read, known, _failed(night, source, got))
    if got.unchanged or digest_of(got.body) == known.digest:
        _keep(night, known, after_no_change(known, night.now))
        return _remembered(read, known)
    entries = await _parsed(night, source, functools.partial(parse, got, night.outlet))
    if isinstance(entries, Failure):
        return await _unread(night, read, known, entries)
    listing = pages_only or not (any(e.kind == "sitemap" for e in entries) or is_sitemap(got.body))
    _keep(night, known, after_change(known, got, entries, listing=listing, now=night.now))
    read.base, read.entries, read.undated_is_new = got.url, entries, listing
    return read


def _remembered(read: _Read, known: SourceMemory) -> _Read:
    read.base, read.entries, read.undated_is_new = known.location or read.source, list(known.entries), known.listing
    return read


async def _unread(night: _Night, read: _Read, known: SourceMemory, failure: Failure) -> _Read:
    """A source that failed. Of a feed that has been dead for some nights, the site is asked which it names now."""
    now = after_failure(known, failure, night.now)
    if now.dead and failure.reason in _MOVED_AWAY and read.source in night.outlet.feeds:
        now = dataclasses.replace(now, stand_in=await _look_for_stand_in(night, read.source))
    night.memory.keep_source(now)
    read.failures.append(failure)
    return await _with_stand_in(night, read, now)


async def _look_for_stand_in(night: _Night, source: str) -> str | None:
    found = await find_outlet(urlsplit(public(source)).netloc, fetcher=night.fetcher, now=night.now)
    listed = {same_key(a) for a in night.outlet.sources}
    return next((a for a in found.taken("feed", "news sitemap") if same_key(a) not in listed), None)


async def _with_stand_in(night: _Night, read: _Read, known: SourceMemory) -> _Read:
    if known.stand_in is None:
        return read
    shown = (night.outlet.domain, read.source, known.stand_in)
    log.warning("%s: %s is dead; read instead: %s. Correct outlets.toml", *shown)
    instead = await _read_feed(night, known.stand_in, depth=MAX_DEPTH)
    instead.source = read.source
    read.failures[-1] = dataclasses.replace(
        read.failures[-1], detail=f"read instead: {known.stand_in}; {read.failures[-1].detail}"[:500]
    )
    instead.failures = [*read.failures, *instead.failures]
    return instead


def _keep(night: _Night, before: SourceMemory, now: SourceMemory) -> None:
    if before.dead:
        log.warning("%s: %s answers again after %d failures", night.outlet.domain, before.url, before.fails)
    if now.moved and not before.moved:
        log.warning("%s: %s has moved for good to %s", night.outlet.domain, now.url, now.location)
    night.memory.keep_source(now)


async def _read_feed(night: _Night, source: str, *, depth: int = 0) -> _Read:
    read = await _read_source(night, source, _feed_entries)
    children = [e for e in read.entries if e.kind == "sitemap"]
    read.entries = [e for e in read.entries if e.kind == "article"]
    if children and depth < MAX_DEPTH:
        await _read_children(night, read, children, depth=depth)
    return read


def _feed_entries(got: Fetched, outlet: OutletConfig) -> list[Entry]:
    return parse_source(got.body, got.header("content-type"), got.url, limit=MAX_ENTRIES)


async def _read_children(night: _Night, read: _Read, children: list[Entry], *, depth: int) -> None:
    """The sitemaps of an index: none that has not changed since the oldest date wanted, the newest first."""
    since = night.since
    fresh = [c for c in children if since is None or c.published is None or c.published >= since]
    oldest = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    fresh.sort(key=lambda c: (c.published or oldest, "news" in c.link.lower()), reverse=True)
    for child in fresh[:MAX_SITEMAPS]:
        link = normalise(child.link, base=read.base)
        if link is None:
            continue
        inner = await _read_feed(night, link, depth=depth + 1)
        read.entries += inner.entries
        read.failures += inner.failures


def _page_links(got: Fetched, outlet: OutletConfig) -> list[Entry]:
    """The links of a page that may lead to articles."""
    found = []
    for entry in parse_links(got.body, got.url, limit=MAX_LINKS):
        address = normalise(entry.link, base=got.url)
        if address and may_be_article(address, entry.title or "", page=got.url, domain=outlet.domain):
            found.append(entry)
    return found


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
                    published_hint=entry.published, updated_hint=entry.updated,
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
