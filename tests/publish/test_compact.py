"""compact: the same rows, in today's columns and whole row groups; nothing is lost whenever it is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks import tables
from tasks.publish import compact
from tasks.publish.store import Commit, Store
from tasks.publish.write import write_batches
from tests.flows.test_cli import _call
from tests.publish.test_older_nights import _ingest

TOLD = "Police in {} arrested {} people on Monday after a march over fuel prices, a spokesman said."
LATER = ["place_from", "date_from"]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Three nights, the first in an older format and in row groups of one row."""
    nights = ("2026-02-27", "2026-02-28", "2026-03-02")
    for i, night in enumerate(nights):
        out = _ingest(tmp_path, night, TOLD.format("Lagos", 12 + i), TOLD.format("Accra", 30 + i))
    file = out / "events" / f"dt={nights[0]}" / "part-0.parquet"
    pq.write_table(pq.ParquetFile(file).read().drop_columns(LATER), file, row_group_size=1)
    return out


def _rows(out: Path) -> dict[str, Any]:
    """Rows of every table and of what is remembered of wordings."""
    found: dict[str, Any] = {}
    for table in (*tables.TABLES, ".state/wordings"):
        rows = []
        for file in sorted((out / table).rglob("*.parquet")):
            for row in pq.ParquetFile(file).read().to_pylist():
                rows.append(json.dumps({k: v for k, v in row.items() if v is not None}, default=str, sort_keys=True))
        found[table] = sorted(rows)
    return found


def test_compact_changes_files_and_no_row(old: Path) -> None:
    before = _rows(old)
    assert "place_from" not in pd.read_parquet(old / "events").columns  # pandas takes the columns of the first file
    planned = json.loads(_call("compact", "--out", old, "--dry-run", "--json").stdout)
    assert {(p["what"], p["night"]) for p in planned} == {("events", "2026-02-27"), ("wordings", "2026-02-01")}
    assert "place_from" not in pd.read_parquet(old / "events").columns
    assert "3 files were written anew as 2" in _call("compact", "--out", old).output
    events = pd.read_parquet(old / "events")
    assert events.loc[events.dt != "2026-02-27", "place_from"].notna().all()
    assert events.loc[events.dt == "2026-02-27", "place_from"].isna().all()
    file = old / "events" / "dt=2026-02-27" / "part-0.parquet"
    assert pq.read_metadata(file).num_row_groups == 1
    assert sorted(p.stem for p in (old / ".state" / "wordings").iterdir()) == ["2026-02-01", "2026-03-02"]
    assert _rows(old) == before
    assert "nothing to do" in _call("compact", "--out", old).output


def test_wordings_are_known_after_they_were_put_together(old: Path, tmp_path: Path) -> None:
    _call("compact", "--out", old)
    corpus = tmp_path / "2026-02-27.jsonl"
    env = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
    _call("ingest", corpus, "--already-clean", "--out", old, "--night", "2026-03-05", env=env)
    assert set(pd.read_parquet(old / "inputs").query("dt == '2026-03-05'").fate) == {"unchanged"}


@pytest.mark.parametrize("moment", ["before", "after", "unlink"])
def test_a_killed_compact_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    before = _rows(old)
    publish, unlink = Commit.publish, Path.unlink

    def killed(self: Commit) -> None:
        if moment == "after":
            publish(self)
        raise KeyboardInterrupt

    def torn(self: Path, missing_ok: bool = False) -> None:
        if self.parent.name == "wordings":
            raise KeyboardInterrupt
        unlink(self, missing_ok)

    with monkeypatch.context() as patch:
        if moment == "unlink":
            patch.setattr(Path, "unlink", torn)
        else:
            patch.setattr(Commit, "publish", killed)
        _call("compact", "--out", old, code=1)
    assert _rows(old) == before
    _call("compact", "--out", old)
    assert _rows(old) == before
    assert "nothing to do" in _call("compact", "--out", old).output


def test_compact_keeps_the_old_file_where_the_new_one_differs(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _rows(old)
    whole = write_batches

    def lossy(path: Path, table: str, batches: Any) -> int:
        return whole(path, table, [pa.Table.from_batches([b]).slice(1) for b in batches][:1])

    monkeypatch.setattr(compact, "write_batches", lossy)
    assert "nothing was published" in " ".join(_call("compact", "--out", old, code=1).output.split())
    assert _rows(old) == before
    assert Store.open(old, write=True).nights("events")
