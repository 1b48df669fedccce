"""Which id goes with which, for a whole night: sorted bytes instead of millions of Python strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Ids = npt.NDArray[np.bytes_]
BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Keys in ascending order and the value of each: 40 bytes a pair, where a dictionary takes 250. Ids are ASCII."""

    keys: Ids
    values: Ids

    @classmethod
    def read(cls, path: Path, key: str, value: str) -> Pairs:
        """Two columns of a Parquet file. Rows without a value are left out; of a key given twice the last holds."""
        found = list(_columns(path, key, value)) or [(np.zeros(0, "S1"), np.zeros(0, "S1"))]
        keys, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
        order = np.argsort(keys, kind="stable")
        return cls(keys=keys[order], values=values[order])

    def of(self, keys: Any) -> Any:
        """Arrow strings: the value of each key, null where it has none or is null itself."""
        wanted = keys.to_pylist()
        if not len(self.keys):
            return pa.nulls(len(wanted), pa.string())
        asked = np.array([k or "" for k in wanted], dtype=np.bytes_)
        at = np.searchsorted(self.keys, asked, side="right") - 1
        known = (at >= 0) & (self.keys[at] == asked)
        values = pa.array(self.values[at].tolist(), pa.binary(), mask=~known)
        return values.cast(pa.string())


def _columns(path: Path, key: str, value: str) -> Iterator[tuple[Ids, Ids]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=[key, value]):
            batch = batch.filter(batch[value].is_valid())
            if batch.num_rows:
                left, right = (np.array(batch[name].to_pylist(), dtype=np.bytes_) for name in (key, value))
                yield left, right
