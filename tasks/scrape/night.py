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
from tasks.discover.records import Address, Discovery, Fetched, OutletConfig
from tasks.scrape.archive import RawArchive
from tasks.scrape.fetch import WebFetcher
from tasks.scrape.robots import RobotsState
from tasks.settings import DiscoverSettings, ScrapeSettings
from tasks.tables import Failure

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with what is done ("discover" or "scrape"), how much of it, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletVisit:
    """One outlet in one night. found = fetched + failed; `feed_dead`: not one of its sources could be read.

    `feeds`: its feeds, sitemaps and pages. `counts`: entries taken from each. `robots` is None if nothing was asked.
    """

    domain: str
    found: int
    fetched: int
    failed: int
    robots: RobotsState | None
    feed_dead: bool
    feeds: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    too_old: int = 0
    over_limit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeReport:
    """What a night's scrape left behind.

    `failures`: one for every address without an archived response (step "scrape"), and one for every feed, sitemap or
    page that could not be read (step "discover", its own address as ref). The sum over `outlets` of found equals the
    archived responses plus the failures of step "scrape".
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
) -> ScrapeReport:
    """Fetch the night into `raw_dir/NIGHT/RUN_NAME-00000.warc.gz` and so on.

    Called again with the same night and run name after it was killed, it goes on: what is archived is not fetched
    again. Raises OSError if the archive cannot be written (a full disk), ValueError for an impossible run name.
    """
    started = time.monotonic()
    folder = raw_dir / night.isoformat()
    agent = rules_scrape.user_agent
    with RawArchive(folder, run_name, records_per_warc=rules_scrape.records_per_warc, agent=agent) as archive:
        work = _Night(archive, rules_discover, rules_scrape, now_fn, progress)
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
    ) -> None:
        self._archive = archive
        self._before = dict(archive.archived)
        self._discover = rules_discover
        self._scrape = rules_scrape
        self._now = now_fn
        self._progress = progress or (lambda what, done, of: None)
        self._done = 0
        self._of = 0

    async def run(self, outlets: Sequence[OutletConfig]) -> tuple[list[Failure], list[OutletVisit]]:
        async with WebFetcher(self._scrape, now_fn=self._now) as fetcher:
            discoveries = await self._discover_all(outlets, fetcher)
            plan = _share(discoveries, self._before)
            self._of = sum(len(addresses) for addresses in plan)
            failed = await asyncio.gather(*(self._fetch_outlet(addresses, fetcher) for addresses in plan))
            visits = [
                self._visit(outlet, found, len(addresses), failures, fetcher)
                for outlet, found, addresses, failures in zip(outlets, discoveries, plan, failed, strict=True)
            ]
        return [f for d, fs in zip(discoveries, failed, strict=True) for f in (*d.failures, *fs)], visits

    async def _discover_all(self, outlets: Sequence[OutletConfig], fetcher: WebFetcher) -> list[Discovery]:
        done = 0

        async def one(outlet: OutletConfig) -> Discovery:
            nonlocal done
            found = await discover(outlet, fetcher=fetcher, rules=self._discover, now=self._now())
            done += 1
            self._progress("discover", done, len(outlets))
            return found

        return list(await asyncio.gather(*(one(outlet) for outlet in outlets)))

    async def _fetch_outlet(self, addresses: list[Address], fetcher: WebFetcher) -> list[Failure]:
        results = await asyncio.gather(*(self._fetch(address, fetcher) for address in addresses))
        return [r for r in results if r is not None]

    async def _fetch(self, address: Address, fetcher: WebFetcher) -> Failure | None:
        outcome: Failure | None = None
        if address.url not in self._before:
            got = await fetcher.get(address.url, pages_only=True)
            if isinstance(got, Fetched):
                self._archive.add(got, outlet=address.outlet)
            else:
                outcome = dataclasses.replace(got, outlet=address.outlet)
                log.debug("%s: %s %s", address.url, got.reason, got.detail)
        self._done += 1
        self._progress("scrape", self._done, self._of)
        return outcome

    def _visit(
        self, outlet: OutletConfig, found: Discovery, n: int, failed: list[Failure], fetcher: WebFetcher
    ) -> OutletVisit:
        sources = tuple(found.counts)
        dead = {f.ref for f in found.failures}
        states = collections.Counter(
            s for url in (*outlet.sources, *(a.url for a in found.addresses)) if (s := fetcher.robots_state(url))
        )
        log.info("%s: %d found, %d fetched, %d failed", outlet.domain, n, n - len(failed), len(failed))
        return OutletVisit(
            domain=outlet.domain,
            found=n,
            fetched=n - len(failed),
            failed=len(failed),
            robots=states.most_common(1)[0][0] if states else None,
            feed_dead=bool(sources) and all(s in dead for s in sources),
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
