"""One night of the live web: discover every outlet, fetch what was found, archive it, account for all of it."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.discover.find import discover
from tasks.discover.records import Address, Discovery, OutletConfig
from tasks.scrape.archive import RawArchive
from tasks.scrape.fetch import WebFetcher
from tasks.scrape.robots import RobotsState
from tasks.scrape.state import State, key_of
from tasks.scrape.visits import Visited, not_visited, wants_visit
from tasks.scrape.warc_records import payload_digest
from tasks.settings import DiscoverSettings, ScrapeSettings
from tasks.tables import Failure, Fate, Reason

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with what is done ("discover" or "scrape"), how much of it, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletVisit:
    """One outlet in one night. found = fetched + failed + known; `feed_dead`: not one of its sources could be read.

    `fetched`: answered, with a page or with the word that it has not changed; `known`: visited before and not due.
    `feeds`: its feeds, sitemaps and pages. `counts`: entries taken from each. `robots` is None if nothing was asked.
    """

    domain: str
    found: int
    fetched: int
    failed: int
    known: int
    robots: RobotsState | None
    feed_dead: bool
    feeds: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    too_old: int = 0
    over_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeReport:
    """What a night's scrape left behind.

    `failures`: one for every address without an archived response (step "scrape"; those that are known and not due
    among them), and one for every feed, sitemap or page that could not be read (step "discover", its own address as
    ref). The sum over `outlets` of found equals the archived responses plus the failures of step "scrape".
    """

    warcs: list[Path]
    failures: list[Failure]
    outlets: list[OutletVisit]
    seconds: float


def scrape_night(
    outlets: Sequence[OutletConfig],
    *,
    night: dt.date,
    run_name: str,
    raw_dir: Path,
    rules_discover: DiscoverSettings,
    rules_scrape: ScrapeSettings,
    now_fn: Callable[[], dt.datetime],
    progress: Progress | None = None,
    state: State | None = None,
) -> ScrapeReport:
    """Fetch the night into `raw_dir/NIGHT/RUN_NAME-00000.warc.gz` and so on.

    With a `state`, what it knows is asked for only where it is due, and with the question whether it changed; sources
    and hosts are kept in it, articles only once they are in the tables (`tasks/scrape/learn.py`).

    Called again with the same night and run name after it was killed, it goes on: what is archived is not fetched
    again. Raises OSError if the archive cannot be written (a full disk), ValueError for an impossible run name.
    """
    started = time.monotonic()
    folder = raw_dir / night.isoformat()
    agent = rules_scrape.user_agent
    with RawArchive(folder, run_name, records_per_warc=rules_scrape.records_per_warc, agent=agent) as archive:
        work = _Night(archive, rules_discover, rules_scrape, now_fn, progress, state)
        failures, visits = asyncio.run(work.run(outlets))
    return ScrapeReport(warcs=archive.files(), failures=failures, outlets=visits, seconds=time.monotonic() - started)


class _Night:
    """The work of one call of scrape_night."""

    def __init__(
        self,
        archive: RawArchive,
        rules_discover: DiscoverSettings,
        rules_scrape: ScrapeSettings,
        now_fn: Callable[[], dt.datetime],
        progress: Progress | None,
        state: State | None,
    ) -> None:
        self._archive = archive
        self._before = dict(archive.archived)
        self._discover = rules_discover
        self._scrape = rules_scrape
        self._now = now_fn
        self._progress = progress or (lambda what, done, of: None)
        self._state = state
        self._known: dict[str, Visited] = {}
        self._done = 0
        self._of = 0

    async def run(self, outlets: Sequence[OutletConfig]) -> tuple[list[Failure], list[OutletVisit]]:
        quiet = self._state.quiet_hosts(self._now()) if self._state else None
        async with WebFetcher(self._scrape, now_fn=self._now, quiet=quiet) as fetcher:
            discoveries = await self._discover_all(outlets, fetcher)
            plan = _share(discoveries, self._before)
            if self._state is not None:
                self._remember(self._state, plan, outlets)
            self._of = sum(len(addresses) for addresses in plan)
            failed = await asyncio.gather(*(self._fetch_outlet(addresses, fetcher) for addresses in plan))
            visits = [
                self._visit(outlet, found, len(addresses), failures, fetcher)
                for outlet, found, addresses, failures in zip(outlets, discoveries, plan, failed, strict=True)
            ]
            if self._state is not None:
                self._state.keep_quiet_hosts(fetcher.quiet_hosts())
        return [f for d, fs in zip(discoveries, failed, strict=True) for f in (*d.failures, *fs)], visits

    def _remember(self, state: State, plan: list[list[Address]], outlets: Sequence[OutletConfig]) -> None:
        """Look up what is known of the addresses, and add to each outlet's those whose next visit is due although no
        source lists them any more."""
        self._known = state.pages(a.url for addresses in plan for a in addresses)
        taken = {key_of(a.url) for addresses in plan for a in addresses}
        taken |= {key_of(page.url) for page in self._known.values()}
        for outlet, addresses in zip(outlets, plan, strict=True):
            for page in state.due(outlet.domain, self._now(), self._scrape.max_revisits):
                if key_of(page.url) not in taken:
                    taken.add(key_of(page.url))
                    self._known[page.url] = page
                    addresses.append(Address(url=page.url, outlet=outlet.domain, found_in=""))

    async def _discover_all(self, outlets: Sequence[OutletConfig], fetcher: WebFetcher) -> list[Discovery]:
        done = 0

        async def one(outlet: OutletConfig) -> Discovery:
            nonlocal done
            found = await discover(
                outlet, fetcher=fetcher, rules=self._discover, now=self._now(), memory=self._state
            )  # fmt: skip
            done += 1
            self._progress("discover", done, len(outlets))
            return found

        return list(await asyncio.gather(*(one(outlet) for outlet in outlets)))

    async def _fetch_outlet(self, addresses: list[Address], fetcher: WebFetcher) -> list[Failure]:
        results = await asyncio.gather(*(self._fetch(address, fetcher) for address in addresses))
        return [r for r in results if r is not None]

    async def _fetch(self, address: Address, fetcher: WebFetcher) -> Failure | None:
        outcome: Failure | None = None
        page = self._known.get(address.url)
        if address.url in self._before:
            pass
        elif page is not None and not wants_visit(page, address, self._now()):
            outcome = not_visited(page, address)
        else:
            outcome = await self._ask(address, page, fetcher)
        self._done += 1
        self._progress("scrape", self._done, self._of)
        return outcome

    async def _ask(self, address: Address, page: Visited | None, fetcher: WebFetcher) -> Failure | None:
        """Fetch and archive; the failure, or the word that nothing changed where the archive cannot say it."""
        if page is None:
            got = await fetcher.get(address.url, pages_only=True)
        else:
            at = page.address if page.address != address.url else None
            got = await fetcher.get(address.url, pages_only=True, known=page.validators, at=at)
        if isinstance(got, Failure):
            log.debug("%s: %s %s", address.url, got.reason, got.detail)
            return dataclasses.replace(got, outlet=address.outlet)
        body = page.body if page is not None else None
        same = got.unchanged or (body is not None and body[2] == payload_digest(got.raw))
        if same and body is None:  # the record that a revisit would refer to is not known
            return Failure(
                ref=address.url, url=address.url, step="scrape", reason=Reason.NOT_MODIFIED, fate=Fate.UNCHANGED,
                outlet=address.outlet, attempts=got.attempts,
            )  # fmt: skip
        if same and body is not None:
            self._archive.add_repeated(got, outlet=address.outlet, same_as=body)
        else:
            self._archive.add(got, outlet=address.outlet)
        return None

    def _visit(
        self, outlet: OutletConfig, found: Discovery, n: int, failed: list[Failure], fetcher: WebFetcher
    ) -> OutletVisit:
        sources = tuple(found.counts)
        dead = {f.ref for f in found.failures}
        states = collections.Counter(
            s for url in (*outlet.sources, *(a.url for a in found.addresses)) if (s := fetcher.robots_state(url))
        )
        known = sum(f.reason is Reason.NOT_DUE for f in failed)
        fetched = n - sum(f.fate is not Fate.UNCHANGED for f in failed) - known
        log.info("%s: %d found, %d fetched, %d known", outlet.domain, n, fetched, known)
        return OutletVisit(
            domain=outlet.domain,
            found=n,
            fetched=fetched,
            failed=n - fetched - known,
            known=known,
            robots=states.most_common(1)[0][0] if states else None,
            feed_dead=bool(sources) and all(s in dead and not found.counts[s] for s in sources),
            feeds=sources,
            counts=found.counts,
            too_old=found.too_old,
            over_limit=found.over_limit,
        )


def _share(discoveries: list[Discovery], before: dict[str, str | None]) -> list[list[Address]]:
    """The addresses of each outlet, so that the sums close: an address of two outlets goes to the first of them, and
    what a killed scrape had archived counts as found even where its feed no longer lists it."""
    taken: set[str] = set()
    plan: list[list[Address]] = []
    for found in discoveries:
        mine = [a for a in found.addresses if a.url not in taken]
        taken.update(a.url for a in mine)
        plan.append(mine)
    for i, found in enumerate(discoveries):
        for url, outlet in before.items():
            if outlet == found.outlet and url not in taken:
                taken.add(url)
                plan[i].append(Address(url=url, outlet=found.outlet, found_in=""))
    return plan
