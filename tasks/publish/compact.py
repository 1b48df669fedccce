"""Old nights written anew in today's columns and whole row groups; small state files of a month put together.

A table has one file a night, and its folder's name is the night: nights are never merged into one file, or `dt` would
be wrong for every reader of Parquet (docs/choices.md). What makes years slow or wrong to read lies within the files:
many small row groups, and columns that a night was written without, which a reader that takes the columns of the first
file would not see in any.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.extract.checks import InvariantError
from tasks.publish.store import Store
from tasks.publish.write import BATCH_ROWS, as_written_today, read_batches, read_table, write_batches

MERGED = "wordings"
"""The state that is kept for ever, a file a night: every night reads all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What was done, or would be. `files` before and `into` after."""

    what: str
    night: dt.date
    files: int
    into: int
    rows: int
    bytes_before: int
    bytes_after: int | None


def compact(root: Path, *, dry_run: bool) -> Iterator[Compacted]:
    """Write anew what needs it, one commit a night, one a month of state; what was done is not done again.

    Each new file is compared with the old one row by row before it takes its place. Raises InvariantError if they
    differ, StoreError if another process writes to the tables; then nothing was changed but what was told before.
    """
    store = Store.open(root, write=not dry_run)
    if dry_run:
        yield from _planned(store)
        return
    with store.lock():
        for night in sorted({n for t in tables.TABLES for n in store.nights(t)}):
            yield from _compact_night(store, night)
        for month, files in _months(store):
            yield _merge_state(store, month, files)


def _planned(store: Store) -> Iterator[Compacted]:
    for night in sorted({n for t in tables.TABLES for n in store.nights(t)}):
        for table, place in _needing(store, night):
            yield _told(table, night, [place], pq.read_metadata(place).num_rows, None)
    for month, files in _months(store):
        yield _told(MERGED, month, files, sum(pq.read_metadata(f).num_rows for f in files), None)


def _told(what: str, night: dt.date, files: list[Path], rows: int, after: int | None) -> Compacted:
    return Compacted(
        what=what, night=night, files=len(files), into=1, rows=rows,
        bytes_before=sum(f.stat().st_size for f in files), bytes_after=after,
    )  # fmt: skip


def _needing(store: Store, night: dt.date) -> list[tuple[str, Path]]:
    places = ((t, store.path(t, night)) for t in tables.TABLES)
    return [(t, p) for t, p in places if p.is_file() and _needs(p, t)]


def _needs(place: Path, table: str) -> bool:
    """Whether a file has other columns than today's, or more row groups than its rows fill."""
    with pq.ParquetFile(place) as file:
        rows, groups = file.metadata.num_rows, file.metadata.num_row_groups
        older: bool = file.schema_arrow.names != tables.schema(table).names
        return older or groups > 1 + rows // BATCH_ROWS


def _compact_night(store: Store, night: dt.date) -> list[Compacted]:
    needing = _needing(store, night)
    if not needing:
        return []
    commit = store.begin()
    done = []
    for table, place in needing:
        staged = commit.stage(place)
        rows = write_batches(staged, table, read_batches([place]))
        _check_same(table, place, staged)
        done.append(_told(table, night, [place], rows, staged.stat().st_size))
    commit.publish()
    return done


def _check_same(table: str, old: Path, new: Path) -> None:
    schema = tables.schema(table)
    then = _even(as_written_today(pa.Table.from_batches([b]), schema) for b in read_batches([old]))
    now = _even(pa.Table.from_batches([b]).cast(schema) for b in read_batches([new]))
    for a, b in zip_longest(then, now):
        if a is None or b is None or not a.equals(b):
            raise InvariantError(f"{table}: the rows of {old} came out otherwise when they were written anew")


def _even(pieces: Iterable[Any]) -> Iterator[Any]:
    """The same rows in tables of BATCH_ROWS, the last one shorter and perhaps empty."""
    held: Any = None
    for piece in pieces:
        held = piece if held is None else pa.concat_tables([held, piece])
        while held.num_rows > BATCH_ROWS:
            yield held.slice(0, BATCH_ROWS).combine_chunks()
            held = held.slice(BATCH_ROWS)
    if held is not None and held.num_rows:
        yield held.combine_chunks()


# --------------------------------------------------------------------------- state


def _months(store: Store) -> list[tuple[dt.date, list[Path]]]:
    """Files of state of each month before the newest night's, where there are several: (first day, files)."""
    nights = store.nights("runs")
    if not nights:
        return []
    found: dict[dt.date, list[Path]] = defaultdict(list)
    for file in store.state_files(MERGED, since=dt.date.min, before=nights[-1].replace(day=1) - dt.timedelta(days=1)):
        found[dt.date.fromisoformat(file.stem).replace(day=1)].append(file)
    return [(month, files) for month, files in sorted(found.items()) if len(files) > 1]


def _merge_state(store: Store, month: dt.date, files: list[Path]) -> Compacted:
    """All rows of the month in the file of its first day. The others are emptied by the same commit, so that no row is
    there twice or not at all, and go after it: an empty file that stays behind says nothing."""
    pieces = [read_table(f) for f in files]
    data = pa.concat_tables(pieces)
    place = store.state_path(MERGED, month)
    commit = store.begin()
    staged = commit.stage(place)
    pq.write_table(data, staged, compression="zstd")
    if not read_table(staged).equals(data) or data.num_rows != sum(p.num_rows for p in pieces):
        raise InvariantError(f"the {MERGED} of {month:%Y-%m} came out otherwise when they were put together")
    for file in files:
        if file != place:
            pq.write_table(data.schema.empty_table(), commit.stage(file))
    told = _told(MERGED, month, files, data.num_rows, staged.stat().st_size)
    commit.publish()
    for file in files:
        if file != place:
            file.unlink(missing_ok=True)
    return told
