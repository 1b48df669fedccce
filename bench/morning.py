"""The morning after a night of 10,000 articles, the last of seven such: the report, and the pages of explore.

usage: python -m bench report      (or `python -m bench.morning [ARTICLES NIGHTS]`, which keeps nothing)

The tables are those of a night of the demo, each row many times with ids, outlets, titles and addresses of its own,
written by the writers that publish a night. First paint is what Chromium says of the page from the disk (its
Performance API), the middle of five; it is left out where there is no Chromium.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.compute as pc

from bench.gold import OURS, Row
from flows.demo import run_demo
from flows.progress import progress
from tasks import tables
from tasks.publish import snapshots
from tasks.publish.night import no_visits, stage_counts
from tasks.publish.store import Store
from tasks.publish.write import read_table, write_batches
from tasks.report.explore import explore_app
from tasks.report.nightly import write_report
from tasks.settings import Settings

ARTICLES, NIGHTS = 10_000, 7
SPEAKERS = 40
"""So many copies of each source speak under ids of their own; the others are those again, as people are."""
LAST = dt.date(2026, 3, 2)
# What tells one copy of a row from another, by table; ids not named here are those of the article or alike.
OWN = ("article_id", "article_key", "quote_id", "event_id", "quote_group", "copy_group", "story_id", "ref", "url",
       "canonical_url", "title", "parent_quote_id", "attributed_quote_id")  # fmt: skip
SOURCES = ("source_id", "via_source_id", "attributed_source_id")
BROWSED = ("/", "/quotes", "/quotes?q=strike", "/sources?q=ann", "/events?type=ASSAULT", "/stories", "/articles")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def run_report() -> list[Row]:
    """Rows of the section."""
    with tempfile.TemporaryDirectory(prefix="nightdesk-morning-") as folder:
        return [measured(Path(folder), ARTICLES, NIGHTS)]


def measured(folder: Path, articles: int, nights: int) -> Row:
    """Seconds to make the last night's report, its size, its first paint, and the slowest page of explore."""
    rules = Settings().model_copy(update={"processed": str(folder / "one"), "raw": str(folder / "raw")})
    rules = rules.model_copy(update={"engine": rules.engine.model_copy(update={"runner": "inline"})})
    run_demo(folder, rules, progress(quiet=True))
    root = folder / "many"
    many_nights(Store.open(folder / "one"), root, articles, nights)
    load = os.getloadavg()[0]
    begun, cpu = time.monotonic(), time.process_time()
    page = write_report(root, LAST)
    took, worked = time.monotonic() - begun, time.process_time() - cpu
    readers = [f.stat().st_size for f in (root / "reports" / LAST.isoformat()).glob("*.html")]
    figures: dict[str, float | None] = {
        "seconds": round(took, 1), "CPU s": round(worked, 1), "MB": round(page.stat().st_size / 1e6, 2),
        "readers": len(readers), "largest reader MB": round(max(readers, default=0) / 1e6, 2),
        "first paint s": first_paint(page), "slowest page of explore s": round(max(asyncio.run(_browse(root))), 2),
    }  # fmt: skip
    return Row(
        section="report", set=f"{articles:,} articles, night {nights} of {nights}", system=OURS, figures=figures,
        note=f"load of the machine before: {load:.1f}",
    )  # fmt: skip


# --------------------------------------------------------------------------- many nights of one


def many_nights(one: Store, root: Path, articles: int, nights: int) -> None:
    """Make a store at `root` with so many nights, each of so many articles or a few more, out of one night."""
    night = one.nights("runs")[0]
    rows = {t: read_table(one.path(t, night)) for t in ("articles", "quotes", "sources", "events", "inputs")}
    run = read_table(one.path("runs", night))
    copies = math.ceil(articles / rows["articles"].num_rows)
    store = Store.open(root, write=True)
    for back in range(nights):
        _publish(store, rows, run, LAST - dt.timedelta(days=back), copies, last=back == nights - 1)


def _publish(store: Store, rows: dict[str, Any], run: Any, night: dt.date, copies: int, *, last: bool) -> None:
    commit = store.begin()
    shift = (night - LAST).days
    for table, data in rows.items():
        made = (_copy(data, night, n, shift) for n in range(copies))
        write_batches(commit.stage(store.path(table, night)), table, made)
    scaled = run.set_column(run.schema.get_field_index("night"), run.schema.field("night"), pa.array([night]))
    for name in (n for n in scaled.column_names if n.startswith("n_")):
        at = scaled.schema.get_field_index(name)
        scaled = scaled.set_column(at, scaled.schema.field(name), pc.multiply(scaled[name], copies))
    write_batches(commit.stage(store.path("runs", night)), "runs", [scaled])
    files = {t: commit.files(t) for t in rows}
    with snapshots.corpus(files, store.root / ".commit" / "tmp") as db:
        coverage = tables.to_arrow("coverage", _coverage(db, night))
        write_batches(commit.stage(store.path("coverage", night)), "coverage", [coverage])
        snapshots.add_view(db, "coverage_all", "coverage", commit.files("coverage"))
        snapshots.add_view(db, "outlets_earlier", "outlets", store.files("outlets"))
        no_visits(db)
        if last:
            stage_counts(store, commit, db, night)
    commit.publish()


def _copy(data: Any, night: dt.date, n: int, shift: int) -> Any:
    """The n-th copy of a table's rows, as of another night."""
    for i, field in enumerate(data.schema):
        column = data[field.name]
        if field.name in OWN:
            of = math.isqrt(n) if field.name == "story_id" else n  # stories of many sizes
            mark = f" {n}" if field.name == "title" else f"-{night:%d}-{of}"
            column = pc.binary_join_element_wise(column.cast(pa.string()), pa.scalar(mark), "")
        elif field.name in SOURCES:
            column = pc.binary_join_element_wise(column.cast(pa.string()), pa.scalar(f"-{n % SPEAKERS}"), "")
        elif field.name == "outlet":
            column = pc.binary_join_element_wise(pa.scalar(f"desk{n % SPEAKERS}"), column.cast(pa.string()), ".")
        elif field.name in ("published_at", "fetched_at", "valid_from"):
            column = pc.add(column, pa.scalar(dt.timedelta(days=shift, minutes=n), pa.duration("us")))
        else:
            continue
        data = data.set_column(i, field, column.cast(field.type))
    return data


def _coverage(db: Any, night: dt.date) -> Iterator[tables.Coverage]:
    sql = "select outlet, count(*) from articles where dt = $night group by outlet order by outlet"
    for outlet, n in db.execute(sql, {"night": night}).fetchall():
        yield tables.Coverage(
            outlet=outlet, night=night, found=n, fetched=n, articles=n, expected=float(n), status="ok",
            usable_for_trends=True,
        )  # fmt: skip


# --------------------------------------------------------------------------- what a reader waits for


def first_paint(page: Path) -> float | None:
    """Seconds until Chromium shows the first content of a file, the middle of five; None without Chromium."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return None
    from playwright.sync_api import sync_playwright

    asks = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    times = []
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(5):
            tab = opened.new_page()
            tab.goto(page.as_uri())
            tab.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
            times.append(tab.evaluate(asks) / 1000)
            tab.close()
        opened.close()
    return round(statistics.median(times), 2)


async def _browse(root: Path) -> list[float]:
    """Seconds of each of explore's pages, asked for once before so that its files are in the system's cache."""
    out = []
    transport = httpx.ASGITransport(app=explore_app(root))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=120) as web:
        for address in BROWSED:
            await web.get(address)
            begun = time.monotonic()
            answer = await web.get(address)
            answer.raise_for_status()
            out.append(time.monotonic() - begun)
    return out


if __name__ == "__main__":
    asked = [int(a) for a in sys.argv[1:3]]
    with tempfile.TemporaryDirectory(prefix="nightdesk-morning-") as name:
        print(measured(Path(name), *(asked + [ARTICLES, NIGHTS][len(asked) :])))
