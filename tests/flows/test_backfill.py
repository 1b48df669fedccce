"""Nights made again: equal where nothing changed, complete where something did, untouched where they cannot be."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from flows import backfill
from tasks import tables
from tasks.clean import task as clean_task
from tasks.publish import remake
from tests.flows.test_cli import _call
from tests.flows.test_ingest import _corpus
from tests.flows.test_many_nights import Calendar
from tests.scrape.press import serving

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline", "NIGHTDESK__ENGINE__SHARD_RECORDS": "3"}
BLIND = INLINE | {"NIGHTDESK__EXTRACT__LANGUAGES": '["de"]'}
"""Finds nothing in these articles, as an older nightdesk might not have."""
FIRST, SECOND = "2026-03-04", "2026-03-05"


def _ingest(corpus: Path, out: Path, night: str, env: dict[str, str]) -> None:
    _call("ingest", corpus, "--out", out, "--night", night, env=env)


def _two_nights(folder: Path, out: Path, env: dict[str, str]) -> None:
    """Eight articles; the night after, the same with two edited, one new and one copy."""
    folder.mkdir(exist_ok=True)
    first = _corpus(folder)
    _ingest(first, out, FIRST, env)
    rows = [json.loads(line) for line in first.read_text(encoding="utf-8").splitlines()]
    rows[0]["text"] = rows[0]["text"].replace("11", "15")
    rows[2]["text"] += " “We shall see on Monday,” said Amina Odhiambo."
    rows.append(rows[1] | {"id": "doc-8", "outlet": "paper7.example"})
    second = folder / "second.jsonl"
    second.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    _ingest(second, out, SECOND, env)


def _rows(out: Path, *, leave: tuple[str, ...] = ("runs",)) -> dict[str, list[str]]:
    """Every row of every table, as text, sorted."""
    found = {}
    for table in tables.TABLES:
        if table not in leave:
            files = sorted((out / table).rglob("*.parquet"))
            found[table] = sorted(
                f"{f.parent.name} {json.dumps(row, default=str, sort_keys=True)}"
                for f in files
                for row in pq.ParquetFile(f).read().to_pylist()
            )
    return found


def _files(out: Path) -> dict[Path, bytes]:
    return {f: f.read_bytes() for f in sorted(out.rglob("*.parquet"))}


def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no night pass for made by today's code."""
    monkeypatch.setattr(backfill, "_is_current", lambda run, settings: False)


def test_backfill_gives_what_todays_settings_would_have_given(tmp_path: Path) -> None:
    _two_nights(tmp_path / "a", tmp_path / "old", BLIND)
    before = pd.read_parquet(tmp_path / "old" / "articles")
    assert len(pd.read_parquet(tmp_path / "old" / "quotes")) < 3
    result = _call("backfill", FIRST, SECOND, "--out", tmp_path / "old", env=INLINE)
    assert "2 made again, 0 were up to date, 0 left" in result.output
    assert "kept their id" in result.output
    quotes = pd.read_parquet(tmp_path / "old" / "quotes")
    assert len(quotes) > 10
    after = pd.read_parquet(tmp_path / "old" / "articles")
    assert sorted(after.article_id) == sorted(before.article_id)  # their text is as it was
    _two_nights(tmp_path / "a", tmp_path / "new", INLINE)
    old, new = _rows(tmp_path / "old", leave=("runs", "inputs")), _rows(tmp_path / "new", leave=("runs", "inputs"))
    for table in old:
        assert old[table] == new[table], table
    assert "made again from the raw archive" in (tmp_path / "old" / "reports" / f"{FIRST}.html").read_text(
        encoding="utf-8"
    )
    runs = pd.read_parquet(tmp_path / "old" / "runs")
    assert runs.backfilled_at.notna().all()
    assert pd.read_parquet(tmp_path / "new" / "runs").backfilled_at.isna().all()
    assert not list((tmp_path / "old" / ".work").iterdir())
    assert "0 made again, 2 were up to date" in _call(
        "backfill", FIRST, SECOND, "--out", tmp_path / "old", env=INLINE
    ).output  # fmt: skip


def test_backfill_with_the_same_code_changes_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    _two_nights(tmp_path / "a", out, INLINE)
    _ingest(_corpus(tmp_path, n=9), out, FIRST, INLINE)  # a later run into the earlier night: one article more
    before = _rows(out)
    _anew(monkeypatch)
    _call("backfill", FIRST, FIRST, "--out", out, env=INLINE)
    assert _rows(out) == before
    _call("backfill", FIRST, SECOND, "--out", out, env=INLINE)
    assert _rows(out) == before


def test_backfill_of_crawled_nights_keeps_revisions_coverage_and_lost_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving({}) as press:
        calendar = Calendar(press, tmp_path, monkeypatch)
        for number, down in enumerate((None, None, "herald")):
            calendar.night(number, out=down, edits=number or None)
    out = tmp_path / "out"
    before = _rows(out)
    assert any('"fate": "revision"' in row for row in before["inputs"])
    assert any('"step": "scrape"' in row for row in before["inputs"])
    _anew(monkeypatch)
    nights = ("2026-03-01", "2026-03-03")
    _call("backfill", *nights, "--out", out, "--raw", tmp_path / "raw", env=INLINE)
    assert _rows(out) == before
    next((tmp_path / "raw" / "2026-03-02").glob("*.warc.gz")).unlink()
    result = _call("backfill", *nights, "--out", out, "--raw", tmp_path / "raw", env=INLINE, code=3)
    assert "2026-03-02: left as it was: 1 of its 1 raw files are gone" in result.output
    assert "2 made again, 0 were up to date, 1 left" in result.output
    assert _rows(out) == before


def test_a_changed_text_has_a_new_id_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's code reads doc-5 otherwise and refuses doc-4; the night after named both."""
    out = tmp_path / "out"
    _two_nights(tmp_path / "a", out, INLINE)
    before = pd.read_parquet(out / "articles").set_index("article_id")
    clean = vars(clean_task)["clean_text"]

    def other(record: Any, **kwargs: Any) -> Any:
        if record.external_id == "doc-4":
            return tables.Failure(ref=record.ref, url=None, step="clean", reason=tables.Reason.NOT_ARTICLE)
        if record.external_id == "doc-5":
            record = dataclasses.replace(record, text=record.text + " More was found below the fold of the page.")
        return clean(record, **kwargs)

    monkeypatch.setattr(clean_task, "clean_text", other)
    _anew(monkeypatch)
    _call("backfill", FIRST, FIRST, "--out", out, env=INLINE)
    articles = pd.read_parquet(out / "articles").set_index("article_id")
    assert not articles.index.duplicated().any()
    new, gone = set(articles.index) - set(before.index), set(before.index) - set(articles.index)
    assert articles.loc[list(new)].external_id.tolist() == ["doc-5"]
    assert sorted(before.loc[list(gone)].external_id) == ["doc-4", "doc-5"]
    inputs = pd.read_parquet(out / "inputs")
    assert set(inputs.article_id.dropna()) <= set(articles.index)
    second = inputs[(inputs.dt == SECOND) & inputs.ref.str.endswith("#5")]
    assert second.article_id.tolist() == list(new)
    monkeypatch.undo()
    _ingest(tmp_path / "a" / "second.jsonl", out, "2026-03-06", INLINE)  # nothing of it passes for edited
    last = pd.read_parquet(out / "inputs").query("dt == '2026-03-06'")
    assert last.fate.value_counts().to_dict() == {"unchanged": 8, "article": 1}


def test_backfill_leaves_a_night_whose_file_was_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    corpus = _corpus(tmp_path)
    _ingest(corpus, out, FIRST, BLIND)
    files = _files(out)
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("Lagos", "Abuja"), encoding="utf-8")
    result = _call("backfill", FIRST, SECOND, "--out", out, env=INLINE, code=3)
    assert "its raw files were written over: 1 inputs are others" in result.output
    assert _files(out) == files
    corpus.unlink()
    left = json.loads(_call("backfill", FIRST, FIRST, "--out", out, "--json", env=INLINE, code=3).stdout)
    assert "gone" in left[0]["left"]
    assert _files(out) == files
    assert "the newest there: 2026-03-04" in _call("backfill", SECOND, SECOND, "--out", out, env=INLINE, code=2).output
    assert "ends before it begins" in _call("backfill", SECOND, FIRST, "--out", out, env=INLINE, code=2).output


@pytest.mark.parametrize("step", ["show_earlier", "replace_night", "write_report"])
def test_a_killed_backfill_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    out = tmp_path / "out"
    _two_nights(tmp_path / "a", out, BLIND)
    before = _rows(out)
    place = backfill if step == "write_report" else remake
    whole = getattr(place, step)

    def killed(*args: Any, **kwargs: Any) -> Any:
        if any(getattr(a, "night", a) == dt.date.fromisoformat(SECOND) for a in args):
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(place, step, killed)
        _call("backfill", FIRST, SECOND, "--out", out, env=INLINE, code=1)
    half = _rows(out)
    second = [[r for r in rows["quotes"] if SECOND in r[:20]] for rows in (before, half)]
    assert (second[0] == second[1]) is (step != "write_report")
    assert len(half["quotes"]) > len(before["quotes"])
    assert "backfill-2026-03-05" in " ".join(p.name for p in (out / ".work").iterdir())
    result = _call("backfill", FIRST, SECOND, "--out", out, env=INLINE)
    assert ("0 made" if step == "write_report" else "1 made again, 1 were up to date") in result.output
    assert "made again from the raw archive" in (out / "reports" / f"{SECOND}.html").read_text(encoding="utf-8")
    assert not list((out / ".work").iterdir())
    _two_nights(tmp_path / "a", tmp_path / "new", INLINE)
    for table, rows in _rows(out, leave=("runs", "inputs")).items():
        assert rows == _rows(tmp_path / "new")[table], table


def test_a_night_of_an_older_nightdesk_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _ingest(_corpus(tmp_path), out, FIRST, BLIND)
    file = next((out / "runs").rglob("*.parquet"))
    pq.write_table(pq.ParquetFile(file).read().drop_columns(["given", "backfilled_at"]), file)
    result = _call("backfill", FIRST, FIRST, "--out", out, env=INLINE, code=3)
    assert "ingest its files again" in result.output
    assert len(pd.read_parquet(out / "articles")) == 8
