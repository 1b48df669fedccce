"""Reading Parquet tables: shards of rows, read forward so that no row group is decoded twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.scrape.records import RawText
from tasks.scrape.rows import Row, check_columns, find_column, read_row, unreadable
from tasks.scrape.shards import InputError, InputOptions, Shard, shard_digest, shard_name
from tasks.tables import Failure, Reason

_kept = threading.local()
"""Of each thread, the file that its last shard came from, still open where that shard ended: a row group can only be
decoded from its begin, so opening it anew for every shard would cost the square of its length."""


def plan_parquet(path: Path, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
    """Shards of a Parquet file. Raises InputError if it is none, or has no text (or named id) column."""
    try:
        with pq.ParquetFile(path) as file:
            columns = list(file.schema_arrow.names)
            rows = file.metadata.num_rows
            size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path} is not a Parquet file: {str(err)[:200]}") from err
    check_columns(str(path), columns, options)
    whole = shard_digest("parquet", [], 0, options)
    with path.open("rb") as raw:
        while block := raw.read(1 << 20):
            whole.update(block)
    step = max(1, min(records, int(rows * max_bytes / size) if size else records))
    shards = []
    for start in range(0, rows, step):
        end = min(rows, start + step)
        digest = shard_digest("parquet", [str(path), str(end)], start, options)
        digest.update(whole.digest())
        shards.append(
            Shard(
                shard_id=shard_name(digest),
                kind="parquet",
                paths=(str(path),),
                start=start,
                end=end,
                first=start,
                count=end - start,
                bytes=size * (end - start) // rows,
                options=options,
            ),
        )
    return shards


def read_parquet(shard: Shard) -> Iterator[RawText | Failure]:
    """The rows of a shard, in order; rows that damage took away are failures, one each."""
    name = shard.paths[0]
    number = shard.start
    why = "fewer rows than it says"
    try:
        for row in _parquet_rows(name, shard.start, shard.end, shard.options):
            ref = f"{name}#{number}"
            if isinstance(row, str):
                yield unreadable(ref, Reason.RECORD_UNREADABLE, row)
            else:
                yield read_row(row, ref, name, number, shard.options)
            number += 1
    except (pa.ArrowException, OSError) as err:
        why = str(err)
    for lost in range(number, shard.end):
        yield unreadable(f"{name}#{lost}", Reason.FILE_DAMAGED, f"the Parquet file is damaged here: {why}")


def _parquet_rows(name: str, start: int, end: int, options: InputOptions) -> Iterator[Row | str]:
    """Rows start to end, only the columns that are understood, only the row groups that hold them."""
    wanted = ("id", "title", "url", "outlet", "authors", "published_at", "date", "language",
              options.text_column or "text", options.id_column or "id")  # fmt: skip
    stat = Path(name).stat()
    stamp = (name, stat.st_size, stat.st_mtime_ns, wanted)
    kept: tuple[Any, _ParquetCursor] | None = _kept.__dict__.pop("parquet", None)
    if kept is not None and kept[0] == stamp and kept[1].at <= start:
        cursor = kept[1]
    else:
        cursor = _ParquetCursor(name, wanted, start)
    yield from cursor.rows(start, end)
    _kept.parquet = (stamp, cursor)


class _ParquetCursor:
    """A Parquet file read forward. `at` is the row that the batch in hand begins with."""

    def __init__(self, name: str, wanted: Sequence[str], start: int) -> None:
        file = pq.ParquetFile(name)
        columns = sorted({c for w in wanted if (c := find_column(file.schema_arrow.names, w)) is not None})
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        first = self.at = 0
        while first < len(sizes) and self.at + sizes[first] <= start:
            self.at += sizes[first]
            first += 1
        # group by group: damage in one must not be met while reading the one before
        self._batches = (
            batch
            for group in range(first, len(sizes))
            for batch in file.iter_batches(batch_size=256, row_groups=[group], columns=columns)
        )
        self._batch: Any = None

    def rows(self, start: int, end: int) -> Iterator[Row | str]:
        while self.at < end:
            if self._batch is None:
                self._batch = next(self._batches, None)
            if self._batch is None:
                return
            size = self._batch.num_rows
            low, high = max(start - self.at, 0), min(end - self.at, size)
            if low < high:
                yield from _python_rows(self._batch.slice(low, high - low))
            if self.at + size > end:
                return  # the next shard begins in this batch
            self.at += size
            self._batch = None


def _python_rows(batch: Any) -> Iterator[Row | str]:
    """The rows of a batch; one whose values Python cannot hold (bytes that are no UTF-8, the year 50000) says why."""
    try:
        yield from batch.to_pylist()
        return
    except (ValueError, OverflowError) as err:
        if batch.num_rows == 1:
            yield str(err)
            return
    for i in range(batch.num_rows):
        yield from _python_rows(batch.slice(i, 1))
