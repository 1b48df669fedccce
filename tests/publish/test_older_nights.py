"""Nights written before a column came stay readable, and later nights join them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from tasks import load, tables
from tests.flows.test_cli import _call

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
LATER = ["place_from", "date_from"]


def _ingest(folder: Path, night: str, *texts: str) -> Path:
    rows = [
        {"id": f"{night}-{i}", "text": t, "outlet": "otter.example", "published_at": night} for i, t in enumerate(texts)
    ]
    corpus = folder / f"{night}.jsonl"
    corpus.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    _call("ingest", corpus, "--already-clean", "--out", folder / "out", "--night", night, env=INLINE)
    return folder / "out"


def test_every_column_that_came_later_can_be_null() -> None:
    for name in LATER:
        assert tables.schema("events").field(name).nullable


def test_a_night_without_a_later_column_is_read_and_joined(tmp_path: Path) -> None:
    told = "Police in Lagos arrested 12 people on Monday after a march over fuel prices, a spokesman said."
    out = _ingest(tmp_path, "2026-03-03", told)
    file = out / "events" / "dt=2026-03-03" / "part-0.parquet"
    old = pq.ParquetFile(file).read().drop_columns(LATER)
    assert old.num_rows
    pq.write_table(old, file)
    _ingest(tmp_path, "2026-03-04", told.replace("12", "14"), "Gunmen killed two soldiers near Gao on Tuesday.")
    _ingest(tmp_path, "2026-03-03", "Gunmen attacked a convoy near Agadez on Monday.")  # into the older night itself
    events = load.events(out, all_modalities=True)
    assert len(events) >= 4
    both = pd.concat(
        pd.read_parquet(f, columns=["event_id", *LATER]) for f in sorted((out / "events").rglob("*.parquet"))
    )
    assert both.loc[both.event_id.isin(old["event_id"].to_pylist()), "place_from"].isna().all()
    assert both["place_from"].notna().any()
    assert "arrested" in _call("show", "2026-03-04-0", "--out", out).stdout
