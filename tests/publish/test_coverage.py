"""Coverage: what is a gap, and what is an outlet that printed little."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks import tables
from tasks.publish import snapshots
from tasks.publish.night import _CONFIGS, _VISITS, Visit, _register
from tests import rows

OUTLET = "harbourpost.example"
QUIET: dict[str, Any] = {"found": 12, "fetched": 0, "known": 12, "listed": 12, "robots": "ok", "feed_dead": False}


def _input(n: int, fate: str, reason: str | None, step: str = "scrape", attempts: int = 1) -> tables.Input:
    return tables.Input(
        run_id="r", ref=f"https://{OUTLET}/{n}", url=None, outlet=OUTLET, fate=tables.Fate(fate), step=step,
        reason=tables.Reason(reason) if reason else None, detail=None, article_id=None, attempts=attempts,
    )  # fmt: skip


def _earlier(night: int, articles: int, status: Any) -> tables.Coverage:
    return tables.Coverage(
        outlet=OUTLET, night=rows.NIGHT - dt.timedelta(days=night), found=articles, fetched=articles, articles=articles,
        expected=None, status=status, usable_for_trends=status == "ok",
    )  # fmt: skip


def _cover(
    folder: Path,
    visit: Visit | None,
    *,
    articles: int = 0,
    inputs: list[tables.Input] | None = None,
    earlier: list[tables.Coverage] | None = None,
    before: list[tables.Coverage] | None = None,
) -> dict[str, Any]:
    def file(table: str, name: str, made: list[Any]) -> list[Path]:
        path = folder / name / f"dt={rows.NIGHT}" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(tables.to_arrow(table, made), path)
        return [path]

    texts = [rows.article(f"Article {n}.") for n in range(articles)]
    files = {"articles": file("articles", "a", texts), "inputs": file("inputs", "i", inputs or [])}
    with snapshots.corpus(files, folder / "temp") as db:
        usual = [_earlier(n, 10, "ok") for n in (1, 2, 3)] if earlier is None else earlier
        snapshots.add_view(db, "coverage_earlier", "coverage", file("coverage", "e", usual))
        snapshots.add_view(db, "coverage_before", "coverage", file("coverage", "b", before or []))
        _register(db, "visits", [dataclasses.asdict(visit)] if visit else [], _VISITS)
        _register(db, "configs", [], _CONFIGS)
        got = pa.Table.from_batches(list(snapshots.batches(db, snapshots.COVERAGE, night=rows.NIGHT, run="r")))
    (row,) = got.to_pylist()
    assert row["usable_for_trends"] == (row["status"] == "ok")
    return dict(row)


KNOWN = [_input(n, "unchanged", "not_due", attempts=0) for n in range(12)]
NIGHTS: tuple[tuple[str, dict[str, Any], list[tables.Input], int, str], ...] = (
    ("nothing new", QUIET, KNOWN, 0, "ok"),
    ("nothing new, and all were due", QUIET | {"known": 0, "fetched": 12}, [_input(1, "unchanged", "not_modified")], 0, "ok"),
    ("little new", QUIET | {"found": 14, "fetched": 2}, KNOWN, 2, "ok"),
    ("nothing new, an old page taken away", QUIET, [*KNOWN, _input(20, "failed", "http_gone")], 0, "ok"),
    ("nothing new, a page that failed days ago", QUIET, [*KNOWN, _input(20, "failed", "timeout", attempts=0)], 0, "ok"),
    ("the new pages are out", QUIET | {"found": 20}, [*KNOWN, *(_input(n, "failed", "http_server_error") for n in range(20, 28))], 0, "zero"),
    ("the new pages hide behind a wall", QUIET, [*KNOWN, _input(20, "skipped", "consent_wall", "clean")], 0, "zero"),
    ("one feed of two is out", QUIET, [*KNOWN, _input(20, "failed", "feed_unreadable", "discover")], 0, "zero"),
    ("an empty list", QUIET | {"found": 0, "known": 0, "listed": 0}, [], 0, "zero"),
    ("an empty list, old pages revisited", QUIET | {"found": 3, "known": 0, "listed": 0}, KNOWN[:3], 0, "zero"),
    ("half of the new pages are out", QUIET | {"found": 22}, [*KNOWN, *(_input(n, "failed", "timeout") for n in range(20, 28))], 4, "low"),
    ("a list that does not reach back", QUIET | {"found": 4, "fetched": 4, "known": 0, "listed": 4}, [], 4, "low"),
    ("some of many lost", QUIET, [*KNOWN, _input(20, "failed", "timeout")], 9, "ok"),
    ("the feed is dead", QUIET | {"found": 0, "known": 0, "listed": 0, "feed_dead": True}, [_input(1, "failed", "feed_unreadable", "discover")], 0, "feed_dead"),
    ("the feed is dead, old pages revisited", QUIET | {"listed": 0, "feed_dead": True}, KNOWN, 0, "feed_dead"),
    ("robots.txt cannot be had", QUIET | {"robots": "unreachable"}, KNOWN, 0, "blocked"),
)  # fmt: skip


@pytest.mark.parametrize(("what", "visit", "inputs", "articles", "status"), NIGHTS, ids=[n[0] for n in NIGHTS])
def test_status_of_a_night(
    what: str, visit: dict[str, Any], inputs: list[tables.Input], articles: int, status: str, tmp_path: Path
) -> None:
    row = _cover(tmp_path, Visit(outlet=OUTLET, **visit), articles=articles, inputs=inputs)
    assert (row["status"], row["expected"]) == (status, 10), what


def test_expectation_outlives_an_outage_of_weeks(tmp_path: Path) -> None:
    outage = [_earlier(n, 0, "zero") for n in range(1, 30)]
    earlier = [*outage, *(_earlier(n, 10, "ok") for n in range(30, 33))]
    visit = Visit(outlet=OUTLET, **QUIET | {"found": 0, "known": 0, "listed": 0})
    row = _cover(tmp_path, visit, earlier=earlier)
    assert (row["status"], row["expected"]) == ("zero", 10)


def test_expectation_follows_an_outlet_that_prints_less(tmp_path: Path) -> None:
    earlier = [_earlier(n, 2 if n <= 20 else 30, "low" if n <= 20 else "ok") for n in range(1, 60)]
    visit = Visit(outlet=OUTLET, **QUIET | {"found": 2, "known": 0})
    row = _cover(tmp_path, visit, articles=2, earlier=earlier)
    assert (row["status"], row["expected"]) == ("ok", 2)


@pytest.mark.parametrize("status", ["ok", "blocked", "feed_dead"])
def test_an_ingest_into_a_crawled_night_keeps_what_the_crawl_met(status: str, tmp_path: Path) -> None:
    before = [dataclasses.replace(_earlier(0, 0, status))]
    assert _cover(tmp_path, None, before=before)["status"] == status


def test_a_second_crawl_of_the_night_keeps_what_the_first_fetched(tmp_path: Path) -> None:
    visit = Visit(outlet=OUTLET, **QUIET | {"found": 12, "fetched": 0})
    row = _cover(tmp_path, visit, articles=9, inputs=KNOWN, before=[_earlier(0, 14, "ok")])
    assert (row["found"], row["fetched"], row["articles"]) == (14, 14, 9)
