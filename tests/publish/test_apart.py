"""A wrong merge of sources, taken back by the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tests.flows.test_cli import _call

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
FULL = (
    "The National Harbour Council (NHC) opened the new gate in Port Sella on Monday.\n"
    '"The gate will stand for fifty years," the National Harbour Council said in a statement.'
)
SHORT = 'The walls of Ostra will be raised next spring.\n"Every house on the shore gets a pump before winter," the NHC said.'
LATER = 'The pumps of Ostra stood still on Wednesday.\n"No house was lost in the flood of the night," the NHC said.'


def _ingest(folder: Path, night: str, **texts: str) -> None:
    rows = [{"id": k, "text": t, "outlet": "otter.example", "published_at": night} for k, t in texts.items()]
    corpus = folder / f"{night}.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    _call("ingest", corpus, "--already-clean", "--out", folder / "out", "--night", night, env=INLINE)


def _speakers(out: Path) -> dict[str, str]:
    """id of the corpus -> source of its quote."""
    both = pd.read_parquet(out / "quotes").merge(pd.read_parquet(out / "articles"), on="article_id")
    return dict(zip(both.external_id, both.source_id, strict=True))


def _merges(out: Path, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_call("merges", "show", *words, "--json", "--out", out).stdout)
    return found


def test_a_merge_taken_back_is_out_of_the_tables_and_of_later_nights(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _ingest(tmp_path, "2026-03-02", full=FULL, short=SHORT)
    said = _speakers(out)
    assert said["short"] == said["full"]
    (merge,) = _merges(out, "nhc")
    assert (merge["into"], merge["reason"]) == (said["full"], "initials")
    events = pd.read_parquet(out / "events")

    told = _call("merges", "undo", merge["source_id"], "--out", out).stdout
    assert "no longer National Harbour Council" in told
    assert _speakers(out) == {"full": said["full"], "short": merge["source_id"]}
    assert _merges(out) == []
    sources = pd.read_parquet(out / "sources").set_index("source_id")
    assert sources.loc[merge["source_id"], "name"] == "NHC"
    index = pd.read_parquet(out / "source_index").set_index("source_id")
    assert index.loc[merge["source_id"], "n_quotes"] == index.loc[said["full"], "n_quotes"] == 1
    assert set(pd.read_parquet(out / "quote_groups").source_id) <= set(_speakers(out).values())
    assert len(pd.read_parquet(out / "events")) == len(events)
    assert len(pd.read_parquet(out / "outlets")) == 1

    _ingest(tmp_path, "2026-03-03", later=LATER)
    assert _speakers(out)["later"] == merge["source_id"]
    assert "0 taken back" in _call("merges", "undo", merge["source_id"], "--out", out).stdout  # twice does no harm


def test_undo_changes_nothing_when_no_such_merge_is_logged(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _ingest(tmp_path, "2026-03-02", full=FULL, short=SHORT)
    before = {f: f.read_bytes() for f in out.rglob("*.parquet")}
    answer = _call("merges", "undo", "s-nobody", "--out", out, code=2)
    assert "s-nobody" in answer.stderr
    assert {f: f.read_bytes() for f in out.rglob("*.parquet")} == before
