"""Raw files go only where a setting says so, and never what is not in the tables."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks.publish import retention
from tasks.publish.store import Store
from tests.flows.test_cli import _call
from tests.flows.test_many_nights import FIRST, Calendar
from tests.scrape.press import serving

ENV = {"NIGHTDESK__RETENTION__RAW_DAYS": "2"}


def _raw(folder: Path) -> list[str]:
    return sorted(p.parent.name for p in (folder / "raw").rglob("*.warc.gz"))


def _calendar(folder: Path, monkeypatch: pytest.MonkeyPatch, press: Any, nights: int, days: int | None) -> Calendar:
    calendar = Calendar(press, folder, monkeypatch)
    kept = calendar.rules.retention.model_copy(update={"raw_days": days})
    calendar.rules = calendar.rules.model_copy(update={"retention": kept})
    for number in range(nights):
        calendar.night(number)
    return calendar


def test_raw_files_go_after_their_time_and_the_summary_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        calendar = _calendar(tmp_path, monkeypatch, press, 3, 2)
        assert _raw(tmp_path) == ["2026-03-01", "2026-03-02", "2026-03-03"]
        (tmp_path / "raw" / "2026-03-01" / "stray.warc.gz").write_bytes(b"")
        first, second = calendar.night(3), calendar.night(4)
    assert [(n.night.day, n.kept) for n in first.raw_deleted] == [
        (1, "nothing of 2026-03-01/stray.warc.gz is in the tables")
    ]  # fmt: skip
    assert "stay past their time: nothing of" in "\n".join(first.raw_lines())
    assert [(n.night.day, bool(n.kept)) for n in second.raw_deleted] == [(1, True), (2, False)]
    assert "deleted after their time: 1 night (2026-03-02), 1 file" in second.raw_lines()[0]
    assert second.as_json()["raw_deleted"][1]["files"][0].startswith("2026-03-02/")
    assert _raw(tmp_path) == ["2026-03-01", "2026-03-01", "2026-03-03", "2026-03-04", "2026-03-05"]
    where = ("--out", tmp_path / "out", "--raw", tmp_path / "raw")
    told = " ".join(_call("doctor", "--quick", *where, env=ENV | {"COLUMNS": "300"}).output.split())
    assert "raw files are kept 2 days; deleted so far: 1 night (2026-03-02), 1 file" in told
    assert "2026-03-01 stays: nothing of 2026-03-01/stray.warc.gz" in told
    left = json.loads(
        _call("backfill", "2026-03-02", "2026-03-02", *where, "--json", env=_stale(monkeypatch), code=3).stdout
    )
    assert "gone" in left[0]["left"]


def _stale(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    from flows import backfill

    monkeypatch.setattr(backfill, "_is_current", lambda run, settings: False)
    return {"NIGHTDESK__ENGINE__RUNNER": "inline"}


def test_nothing_is_deleted_by_default_nor_in_a_dry_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        summary = _calendar(tmp_path, monkeypatch, press, 2, None).night(30)
    assert not summary.raw_deleted
    where = ("--out", tmp_path / "out", "--raw", tmp_path / "raw")
    assert "kept for ever" in _call("prune", *where).output
    assert (
        "would delete 2 nights (2026-03-01 to 2026-03-02), 2 files"
        in _call("prune", "--dry-run", *where, env=ENV).output
    )
    assert _raw(tmp_path) == ["2026-03-01", "2026-03-02", "2026-03-31"]
    assert "deleted 2 nights" in _call("prune", "--days", 3, *where).output
    assert _raw(tmp_path) == ["2026-03-31"]
    assert "nothing to delete" in _call("prune", *where, env=ENV).output


def test_a_night_that_was_not_extracted_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        _calendar(tmp_path, monkeypatch, press, 2, None)
    store, raw = Store.open(tmp_path / "out"), tmp_path / "raw"
    late = FIRST.date() + dt.timedelta(days=90)
    place = store.path("inputs", FIRST.date())
    rows = pd.read_parquet(place)
    rows.loc[rows.ref.str.contains("#").idxmax(), "reason"] = "internal_error"
    rows.to_parquet(place)
    store.path("inputs", late - dt.timedelta(days=89)).unlink()
    found = retention.delete_raw(store, raw, 1, late, dry_run=False)
    assert [n.kept for n in found] == [
        "1 of its inputs failed by a fault that a later version may mend",
        "the night is not in the tables",
    ]
    assert len(_raw(tmp_path)) == 2
    assert not retention.deleted_so_far(store)
