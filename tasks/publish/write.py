"""Parquet files: how rows get into them, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.files import put_in_place

BATCH_ROWS = 20_000
"""Rows held at once when files are merged: at 4 KB an article, 80 MB."""


def open_writer(path: Path, table: str) -> Any:
    """A ParquetWriter: zstd; dictionary encoding on the low-cardinality columns and no others."""
    columns = tables.columns(table)
    return pq.ParquetWriter(
        path,
        tables.schema(table),
        compression="zstd",
        use_dictionary=[name for name, col in columns.items() if col.low_cardinality],
    )


def write_rows(path: Path, table: str, rows: Iterable[Any]) -> int:
    """Write rows to one file, which appears whole or not at all. Answers how many."""
    data = tables.to_arrow(table, rows)
    write_batches(path, table, [data])
    return int(data.num_rows)


def write_batches(path: Path, table: str, batches: Iterable[Any]) -> int:
    """Write Arrow tables or record batches that have the table's columns; the file appears by one rename.

    Small batches are gathered into row groups of about BATCH_ROWS. Answers the number of rows.
    """
    schema = tables.schema(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    total = 0
    pending: list[Any] = []
    with open_writer(draft, table) as writer:
        for batch in batches:
            piece = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            if piece.num_rows == 0:
                continue
            pending.append(as_written_today(piece, schema))
            if sum(p.num_rows for p in pending) >= BATCH_ROWS:
                total += _flush(writer, pending)
        total += _flush(writer, pending)
    put_in_place(draft, path)
    return total


def as_written_today(piece: Any, schema: Any) -> Any:
    """An Arrow table with the columns of `schema`: those that came after it was written are null."""
    for field in schema:
        if field.name not in piece.column_names:
            piece = piece.append_column(field, pa.nulls(piece.num_rows, field.type))
    return piece.select(schema.names).cast(schema)


def _flush(writer: Any, pending: list[Any]) -> int:
    if not pending:
        return 0
    data = pa.concat_tables(pending)
    pending.clear()
    writer.write_table(data)
    return int(data.num_rows)


def read_batches(paths: Iterable[Path], columns: list[str] | None = None) -> Iterator[Any]:
    """Record batches of at most BATCH_ROWS from each file in turn."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns)


def read_table(path: Path, columns: list[str] | None = None) -> Any:
    """One file as a pyarrow.Table, without looking at the folders above it for partitions."""
    with pq.ParquetFile(path) as file:
        return file.read(columns=columns)
