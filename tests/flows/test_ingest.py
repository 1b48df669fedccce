"""The ingest flow through the command line, on small corpora: fates, repetition, interruption, wrong use."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks import tables

ROOT = Path(__file__).parents[2]
PIECES = [
    "Police in {city} arrested {n} protesters on Monday, officials said. “We will not be silenced,” said Amina "
    "Odhiambo, a spokeswoman for the union. She told reporters that the march would go on.",
    "At least {n} people were killed on Sunday when gunmen attacked a market near {city}, a hospital official said. "
    "The governor said the army had been sent to the area. “They came at noon,” said trader Musa Bello.",
    "The government of the region has agreed to reopen the border at {city}, the foreign minister said on Friday. "
    "According to the ministry, {n} lorries were waiting. No date was given for the first crossing.",
]
CITIES = ["Nairobi", "Lagos", "Mombasa", "Kano", "Kampala", "Accra", "Dakar", "Lusaka"]


def _corpus(folder: Path, n: int = 8) -> Path:
    path = folder / "corpus.jsonl"
    lines = []
    for i in range(n):
        text = PIECES[i % 3].format(city=CITIES[i % 8], n=11 + i)
        row = {"id": f"doc-{i}", "text": text, "published_at": "2026-03-03", "outlet": f"paper{i % 2}.example"}
        lines.append(json.dumps(row, ensure_ascii=False))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _ingest(*args: object, code: int = 0, runner: str = "inline") -> Any:
    env = {"NIGHTDESK__ENGINE__RUNNER": runner, "NIGHTDESK__ENGINE__SHARD_RECORDS": "2"}
    result = CliRunner().invoke(app, ["ingest", *map(str, args), "--night", "2026-03-04"], env=env)
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def _table(out: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(out / name)


def _same(a: Path, b: Path) -> None:
    """The rows of both folders are equal, apart from what names a moment."""
    for name in tables.TABLES:
        if name == "runs":
            continue
        keys = list(tables.KEYS[name])
        one, two = (_table(o, name).sort_values(keys).reset_index(drop=True) for o in (a, b))
        assert one.astype(str).equals(two.astype(str)), name


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ingest")
    _ingest(_corpus(folder), "--already-clean", "--out", folder / "out")
    return folder / "out"


def test_ingest_writes_every_table(done: Path) -> None:
    for name in tables.TABLES:
        files = list((done / name).glob("dt=2026-03-04/*.parquet"))
        assert len(files) == 1, name
    articles = _table(done, "articles")
    assert list(articles.external_id) == [f"doc-{i}" for i in range(8)]
    assert articles.published_at.dt.strftime("%Y-%m-%d").eq("2026-03-03").all()


def test_spans_slice_back_after_reading(done: Path) -> None:
    text = _table(done, "articles").set_index("article_id").text
    quotes, events = _table(done, "quotes"), _table(done, "events")
    assert len(quotes) >= 8
    assert len(events) >= 5
    for q in quotes.itertuples():
        assert text[q.article_id][q.start : q.end] == q.text
    for e in events.itertuples():
        assert text[e.article_id][e.start : e.end] == e.evidence
        assert text[e.article_id][e.trigger_start : e.trigger_end] == e.trigger


def test_fates_add_up_to_the_inputs(done: Path) -> None:
    inputs, run = _table(done, "inputs"), _table(done, "runs").iloc[0]
    assert run.n_inputs == len(inputs) == 8
    assert sum(run[f"n_{f.value}"] for f in tables.Fate) == run.n_inputs
    articles = set(_table(done, "articles").article_id)
    assert set(inputs.article_id) == articles
    assert set(_table(done, "quotes").article_id) <= articles


def test_second_run_of_the_same_input_doubles_nothing(tmp_path: Path) -> None:
    corpus, out = _corpus(tmp_path), tmp_path / "out"
    _ingest(corpus, "--already-clean", "--out", out)
    before = {t: len(_table(out, t)) for t in ("articles", "quotes", "sources", "events")}
    _ingest(corpus, "--already-clean", "--out", out)
    assert {t: len(_table(out, t)) for t in before} == before
    fates = _table(out, "inputs").groupby("run_id").fate.agg(set)
    assert sorted(map(sorted, fates)) == [["article"], ["unchanged"]]


def test_changed_text_becomes_a_revision_with_its_own_rows(tmp_path: Path) -> None:
    corpus, out = _corpus(tmp_path, 3), tmp_path / "out"
    _ingest(corpus, "--already-clean", "--out", out)
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("12 people", "15 people"), encoding="utf-8")
    _ingest(corpus, "--already-clean", "--out", out)
    articles = _table(out, "articles")
    changed = articles[articles.external_id == "doc-1"].sort_values("revision")
    assert list(changed.revision) == [1, 2]
    assert list(changed.change) == ["first", "body"]
    assert changed.article_key.nunique() == 1
    assert changed.article_id.nunique() == 2
    assert set(_table(out, "events").article_id) >= set(changed.article_id)


@pytest.mark.parametrize("step", ["clean", "extract"])
def test_ingest_killed_and_repeated_gives_the_same_tables(tmp_path: Path, done: Path, step: str) -> None:
    corpus, out = _corpus(done.parent), tmp_path / "out"  # the same path: it stands in the rows
    command = [sys.executable, "-m", "flows.cli", "ingest", str(corpus), "--already-clean", "--out", str(out)]
    env = os.environ | {"NIGHTDESK__ENGINE__RUNNER": "inline", "NIGHTDESK__ENGINE__SHARD_RECORDS": "2"}
    process = subprocess.Popen([*command, "--night", "2026-03-04"], env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not any((out / ".work").glob(f"*/{step}/*[0-9a-f]")) and time.monotonic() < deadline:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "articles").exists()
    _ingest(corpus, "--already-clean", "--out", out)
    _same(done, out)
    assert not any((out / ".work").glob("*-ingest-*"))


def _bad(folder: Path, kind: str) -> tuple[list[object], str, int]:
    """(arguments, words of the message, exit code)."""
    good = _corpus(folder)
    if kind == "missing":
        return [folder / "nothing.jsonl"], "nothing.jsonl", 2
    if kind == "not a warc":
        (folder / "x.warc.gz").write_bytes(b"this is no archive at all")
        return [folder / "x.warc.gz"], "WARC", 2
    if kind == "empty corpus":
        (folder / "empty.jsonl").write_text("")
        return [folder / "empty.jsonl"], "empty", 2
    if kind == "no such column":
        return [good, "--text-column", "body"], "body", 2
    if kind == "folder without pages":
        (folder / "pages").mkdir()
        return [folder / "pages"], "pages", 2
    if kind == "not utf-8":
        (folder / "latin.txt").write_bytes("Après la fête, café fermé à Orléans.".encode("latin-1"))
        return [folder / "latin.txt"], "UTF-8", 2
    if kind == "wrong date":
        return [good, "--published", "soon"], "--published", 2
    (folder / "newer").mkdir()
    (folder / "newer" / "datapackage.json").write_text(json.dumps({"schema_version": 999}))
    return [good, "--out", folder / "newer"], "newer nightdesk", 2


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "not a warc",
        "empty corpus",
        "no such column",
        "folder without pages",
        "not utf-8",
        "wrong date",
        "newer",
    ],
)
def test_wrong_use_is_one_clear_sentence(tmp_path: Path, kind: str) -> None:
    args, said, code = _bad(tmp_path, kind)
    if "--out" not in args:
        args += ["--out", tmp_path / "out"]
    result = _ingest(*args, code=code)
    assert said in result.output
    assert "Traceback" not in result.output


def test_bad_record_in_a_good_file_is_an_input_with_its_reason(tmp_path: Path) -> None:
    corpus, out = _corpus(tmp_path, 3), tmp_path / "out"
    with corpus.open("a", encoding="utf-8") as file:
        file.write('{"id": "broken", "text": \n{"id": "blank", "text": ""}\n')
    _ingest(corpus, "--already-clean", "--out", out)
    inputs = _table(out, "inputs")
    assert list(inputs.fate) == ["article"] * 3 + ["failed", "skipped"]
    assert list(inputs.reason[3:]) == ["record_unreadable", "no_text_column_value"]
    _ingest(corpus, "--already-clean", "--out", tmp_path / "strict", "--strict", code=3)


def test_json_summary_is_all_that_stands_on_standard_output(tmp_path: Path) -> None:
    result = _ingest(_corpus(tmp_path, 2), "--already-clean", "--out", tmp_path / "out", "--json")
    summary = json.loads(result.stdout)
    assert summary["fates"]["article"] == 2
    assert Path(summary["report"]).is_file()


def test_unwritable_folder_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = _ingest(_corpus(tmp_path), "--out", tmp_path / "file" / "out", code=2)
    assert "--out" in result.output


def test_file_cut_off_gives_what_can_be_read_and_says_so(tmp_path: Path) -> None:
    whole = gzip.compress(_corpus(tmp_path, 40).read_bytes())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[: len(whole) * 3 // 4])
    result = _ingest(tmp_path / "cut.jsonl.gz", "--already-clean", "--out", tmp_path / "out", code=3)
    assert "file_damaged" in result.output
    assert 0 < len(_table(tmp_path / "out", "articles")) < 40


def test_full_disk_is_one_sentence_and_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus, out = _corpus(tmp_path, 4), tmp_path / "out"
    _ingest(corpus, "--already-clean", "--out", out)
    before = {t: _table(out, t) for t in tables.TABLES}
    corpus.write_text(corpus.read_text(encoding="utf-8").replace("12 people", "15 people"), encoding="utf-8")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tasks.publish.night.write_batches", full)
        result = _ingest(corpus, "--already-clean", "--out", out, code=2)
    assert "disk is full" in result.output
    for name, frame in before.items():
        assert _table(out, name).astype(str).equals(frame.astype(str)), name
    _ingest(corpus, "--already-clean", "--out", out)
    assert _table(out, "articles").revision.max() == 2


def _two_wordings(folder: Path) -> Path:
    path = folder / "two.jsonl"
    rows = [{"id": "x", "outlet": "paper.example", "text": PIECES[1].format(city="Kano", n=n)} for n in (12, 15)]
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def test_two_wordings_of_one_id_given_twice_double_nothing(tmp_path: Path) -> None:
    corpus, out = _two_wordings(tmp_path), tmp_path / "out"
    _ingest(corpus, "--already-clean", "--out", out)
    first = _table(out, "articles")
    assert list(first.revision) == [1, 2]
    _ingest(corpus, "--already-clean", "--out", out)
    assert len(_table(out, "articles")) == 2
    assert list(_table(out, "inputs").fate[2:]) == ["unchanged", "unchanged"]


def test_same_file_given_twice_is_taken_once(tmp_path: Path) -> None:
    corpus = _corpus(tmp_path, 3)
    _ingest(corpus, corpus, "--already-clean", "--out", tmp_path / "out")
    assert len(_table(tmp_path / "out", "inputs")) == 3


@pytest.mark.parametrize("records", ["1", "2", "100"])
def test_rows_do_not_depend_on_how_inputs_are_cut_into_shards(
    tmp_path: Path, done: Path, monkeypatch: pytest.MonkeyPatch, records: str
) -> None:
    env = {"NIGHTDESK__ENGINE__RUNNER": "inline", "NIGHTDESK__ENGINE__SHARD_RECORDS": records}
    args = ["ingest", str(_corpus(done.parent)), "--already-clean", "--out", str(tmp_path), "--night", "2026-03-04"]
    assert CliRunner().invoke(app, args, env=env).exit_code == 0
    for name in ("articles", "quotes", "sources", "events", "stories", "quote_groups"):
        keys = list(tables.KEYS[name])
        one, two = (_table(o, name).sort_values(keys).reset_index(drop=True) for o in (done, tmp_path))
        assert one.astype(str).equals(two.astype(str)), name


def test_killed_run_is_finished_after_another_run_published_its_article(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, out = _corpus(tmp_path, 2), tmp_path / "out"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("flows.pipeline.link", killed)
        _ingest(corpus, "--already-clean", "--out", out, code=1)
    other = tmp_path / "other.jsonl"
    other.write_text(corpus.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    _ingest(other, "--already-clean", "--out", out)
    _ingest(corpus, "--already-clean", "--out", out)
    articles = _table(out, "articles")
    assert sorted(articles.external_id) == ["doc-0", "doc-1"]
    assert set(_table(out, "quotes").article_id) <= set(articles.article_id)


def test_failed_extraction_is_an_input_that_failed_and_leaves_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.extract import task

    def find_events(doc: Any, article: tables.Article, *rest: Any) -> list[tables.Event]:
        if article.external_id == "doc-1":
            raise RuntimeError("a fault of ours")
        return []

    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr(task, "find_events", find_events)
        _ingest(_corpus(tmp_path, 3), "--already-clean", "--out", out)
    inputs = _table(out, "inputs").set_index("fate")
    assert inputs.loc["failed", "reason"] == "internal_error"
    assert "a fault of ours" in inputs.loc["failed", "detail"]
    assert list(_table(out, "articles").external_id) == ["doc-0", "doc-2"]
    _ingest(_corpus(tmp_path, 3), "--already-clean", "--out", out)
    assert sorted(_table(out, "articles").external_id) == ["doc-0", "doc-1", "doc-2"]


def test_own_tables_are_no_input(tmp_path: Path) -> None:
    _corpus(tmp_path, 3)
    for _ in range(2):
        _ingest(tmp_path, "--already-clean", "--out", tmp_path / "tables")
    assert len(_table(tmp_path / "tables", "articles")) == 3


def test_older_night_ingested_later_keeps_the_corpus_wide_tables_whole(tmp_path: Path) -> None:
    corpus, out = _corpus(tmp_path, 4), tmp_path / "out"
    lines = corpus.read_text(encoding="utf-8").splitlines()
    for night, part in (("2026-03-05", lines[:2]), ("2026-03-01", lines[2:])):
        corpus.write_text("\n".join(part) + "\n", encoding="utf-8")
        env = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
        args = ["ingest", str(corpus), "--already-clean", "--out", str(out), "--night", night]
        result = CliRunner().invoke(app, args, env=env)
        assert result.exit_code == 0, result.output
    assert set(_table(out, "articles").story_id) == set(_table(out, "stories").story_id)
    assert [p.name for p in (out / "stories").iterdir()] == ["dt=2026-03-05"]
