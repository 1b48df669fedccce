"""How fast a night is fetched and archived: 20,000 pages of 200 hosts on loopback that answer after 100 ms each.

usage: python -m bench fetch        (or `python -m bench.fetch [HOSTS PAGES LATENCY_S DELAY_S]`, which keeps nothing)

The pages are 60 kB of markup, gzipped as sites send them. Asked of the server's own log: that no host was asked faster
than its delay. Pages a CPU second are pages a second on one core that has nothing else to do.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.crowd import KEEPER, host_of
from bench.gold import OURS, Row
from tasks.discover.records import OutletConfig
from tasks.scrape.night import scrape_night
from tasks.scrape.state import State
from tasks.settings import DiscoverSettings, ScrapeSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowded:
    """One measurement. `shortest_gap_s`: between two requests to one host, by the server's log."""

    wanted: int
    archived: int
    seconds: float
    cpu_seconds: float
    shortest_gap_s: float
    peak_bytes: int


@contextmanager
def crowd(hosts: int, pages: int, latency_s: float) -> Iterator[int]:
    """The port of a running crowd of outlets."""
    command = [sys.executable, "-m", "bench.crowd", str(hosts), str(pages), str(latency_s)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def fetch_crowd(folder: Path, hosts: int, pages: int, latency_s: float, delay_s: float) -> Crowded:
    """Fetch all pages of all hosts into a raw archive below `folder`."""
    rules = ScrapeSettings(delay_s=delay_s, allow_addresses=["127.78.0.0/16"])
    with crowd(hosts, pages, latency_s) as port, State.open(folder / "visits.sqlite") as state:
        outlets = [
            OutletConfig(name=host_of(i), domain=host_of(i), feeds=(f"http://{host_of(i)}:{port}/rss",))
            for i in range(hosts)
        ]
        begun, spent = time.monotonic(), time.process_time()
        report = scrape_night(
            outlets,
            night=dt.date(2026, 11, 24),
            run_name="crowd",
            raw_dir=folder,
            rules_discover=DiscoverSettings(max_addresses=pages),
            rules_scrape=rules,
            now_fn=lambda: dt.datetime.now(dt.UTC),
            state=state,
        )
        seconds, cpu = time.monotonic() - begun, time.process_time() - spent
        log = json.load(urllib.request.urlopen(f"http://{KEEPER}:{port}/log", timeout=30))
    return Crowded(
        wanted=hosts * pages,
        archived=sum(v.fetched for v in report.outlets),
        seconds=seconds,
        cpu_seconds=cpu,
        shortest_gap_s=min(gap for _, gap in log.values()),
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def run_fetch(hosts: int = 200, pages: int = 100, latency_s: float = 0.1, delay_s: float = 0.5) -> list[Row]:
    folder = Path(tempfile.mkdtemp(prefix="nightdesk-fetch-"))
    try:
        got = fetch_crowd(folder, hosts, pages, latency_s, delay_s)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures: dict[str, float | None] = {
        "archived": got.archived,
        "pages/s": round(got.archived / got.seconds, 1),
        "pages/CPU-s": round(got.archived / got.cpu_seconds, 1),
        "shortest gap s": round(got.shortest_gap_s, 3),
        "parent peak MB": round(got.peak_bytes / 1e6),
    }
    name = f"{got.wanted} pages of {hosts} hosts, {latency_s * 1000:.0f} ms each, delay {delay_s:g} s"
    return [Row(section="fetch", set=name, system=OURS, figures=figures)]


if __name__ == "__main__":
    numbers = sys.argv[1:]
    given = (
        (int(numbers[0]), int(numbers[1]), float(numbers[2]), float(numbers[3])) if numbers else (200, 100, 0.1, 0.5)
    )
    print(json.dumps(run_fetch(*given)[0].figures))
