"""Ids that go with ids, without a Python object for each."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.publish import pairs
from tasks.publish.pairs import Pairs


@pytest.mark.parametrize("rows_at_once", [1, 50_000])
def test_of_gives_the_value_of_each_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_at_once: int) -> None:
    monkeypatch.setattr(pairs, "BATCH_ROWS", rows_at_once)
    data = pa.table(
        {"quote_id": ["q-b", "q-a", "q-longer", "q-c", "q-a"], "quote_group": ["g-1", "g-2", "g-33", None, "g-9"]}
    )
    pq.write_table(data, tmp_path / "groups.parquet")
    found = Pairs.read(tmp_path / "groups.parquet", "quote_id", "quote_group")
    asked = pa.chunked_array([["q-a", None, "q-longer"], ["q-c", "q-unknown", "q-b", "q", "z"]])
    assert found.of(asked).to_pylist() == ["g-9", None, "g-33", None, None, "g-1", None, None]


def test_of_gives_nulls_where_there_are_no_pairs(tmp_path: Path) -> None:
    empty = pa.table({"a": pa.array([], pa.string()), "b": pa.array([], pa.string())})
    pq.write_table(empty, tmp_path / "none.parquet")
    assert Pairs.read(tmp_path / "none.parquet", "a", "b").of(pa.array(["x", None])).to_pylist() == [None, None]
