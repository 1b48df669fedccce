"""Tables of rows that a test writes itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.flows.test_ingest import _ingest


def ingested(folder: Path, rows: Iterable[Mapping[str, object]]) -> Path:
    """Where the tables lie of texts that are clean already, one a row."""
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    _ingest(folder / "rows.jsonl", "--already-clean", "--out", folder / "out")
    return folder / "out"
