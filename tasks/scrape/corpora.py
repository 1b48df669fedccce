"""Reading text corpora: JSON Lines, CSV and TSV tables with a text column."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tasks.scrape.decode import GzipStream
from tasks.scrape.parquet import plan_parquet, read_parquet
from tasks.scrape.records import RawText
from tasks.scrape.rows import HALF_PAIR, Row, check_columns, read_row, unreadable
from tasks.scrape.shards import MAX_RECORD_BYTES, InputError, InputOptions, Kind, Shard, shard_digest, shard_name
from tasks.tables import Failure, Reason

_PROBE = 100
"""Records looked at to learn which columns a JSON Lines file has."""


# --------------------------------------------------------------------------- lines and rows of a file


def _is_gzip(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


@contextlib.contextmanager
def _opened(path: str) -> Iterator[io.BufferedReader]:
    """The file's bytes, decompressed where it is gzip."""
    zipped = _is_gzip(path)
    with Path(path).open("rb") as raw:
        yield io.BufferedReader(GzipStream(raw), 1 << 16) if zipped else raw


_kept = threading.local()
"""Of each thread, the file that its last shard came from, still open where that shard ended: a gzip stream can only be
read from its begin, so opening it anew for every shard would cost the square of its length."""


def _stamp(path: str) -> tuple[str, int, int]:
    stat = Path(path).stat()
    return path, stat.st_size, stat.st_mtime_ns


@contextlib.contextmanager
def _continued(path: str, offset: int) -> Iterator[io.BufferedReader]:
    """The file for reading from `offset`: where it is gzip, the one that the shard before left, if there is one."""
    if not _is_gzip(path):
        with _opened(path) as file:
            yield file
        return
    stamp = _stamp(path)
    kept: tuple[Any, io.BufferedReader] | None = _kept.__dict__.pop("lines", None)
    if kept is not None and kept[0] == stamp and kept[1].tell() <= offset:
        file = kept[1]
    else:
        file = io.BufferedReader(GzipStream(Path(path).open("rb")), 1 << 16)
    yield file
    _kept.lines = (stamp, file)  # not after an exception: then nobody knows where it stands


class _Lines:
    """Lines of a binary file with the offset reached; `fault` says why it ended before its end.

    A line over MAX_RECORD_BYTES comes as its first bytes, with `too_long` set.
    """

    def __init__(self, file: BinaryIO, offset: int) -> None:
        self.file = file
        self.offset = offset
        self.too_long = False
        self.fault: str | None = None
        try:
            file.seek(offset)
        except OSError as err:
            self.fault = str(err)

    def __iter__(self) -> Iterator[bytes]:
        while self.fault is None:
            line = self._read()
            if not line:
                return
            self.offset += len(line)
            self.too_long = len(line) >= MAX_RECORD_BYTES and not line.endswith(b"\n")
            rest = line
            while self.too_long and rest and not rest.endswith(b"\n"):
                rest = self._read()
                self.offset += len(rest)
            yield line

    def _read(self) -> bytes:
        try:
            return self.file.readline(MAX_RECORD_BYTES)
        except OSError as err:
            self.fault = str(err)
            return b""


def _text_lines(lines: _Lines, digest: list[Any]) -> Iterator[str]:
    """Lines for the csv reader, which asks for no more than the row needs. Bad bytes become lone surrogates."""
    for line in lines:
        for d in digest:
            d.update(line)
        yield line.decode("utf-8", "surrogateescape")


def _rows(lines: _Lines, delimiter: str, digest: list[Any]) -> Iterator[list[str] | str]:
    """Rows of a CSV file; a row that cannot be parsed comes as the text that says why."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    reader = csv.reader(_text_lines(lines, digest), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as err:
            yield str(err)
            continue
        if row:
            yield row


def _header(path: str, kind: Kind) -> tuple[list[str], str, int]:
    """(column names, delimiter, offset of the first row) of a CSV or TSV file."""
    begin = b""
    with _opened(path) as file:
        try:
            while len(begin) < 1 << 20 and (block := file.read1(1 << 16)):
                begin += block
        except OSError as err:
            if b"\n" not in begin:
                raise InputError(f"{path} cannot be read: {err}") from err
    if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path} is UTF-16 text: save it as UTF-8 (in a spreadsheet: CSV UTF-8) and try again")
    skip = 3 if begin.startswith(b"\xef\xbb\xbf") else 0
    line = begin[skip:].partition(b"\n")[0].decode("utf-8", "replace")
    bare = re.sub(r'"[^"]*"', "", line)
    delimiter = "\t" if kind == "tsv" else max(",;\t|", key=bare.count)
    lines = _Lines(io.BytesIO(begin), skip)
    for row in _rows(lines, delimiter, []):
        if isinstance(row, str):
            raise InputError(f"the first line of {path} is no header: {row}")
        return [HALF_PAIR.sub("\ufffd", c).strip() for c in row], delimiter, lines.offset
    return [], delimiter, skip


# --------------------------------------------------------------------------- planning


def plan_table(path: Path, kind: Kind, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
    """Shards of one table, cut between rows; none for a table without rows.

    Raises InputError if the file is not of its kind, or has no column for the text (or the id, where one is named).
    """
    if kind == "parquet":
        return plan_parquet(path, options, records=records, max_bytes=max_bytes)
    if kind == "jsonl":
        _check_jsonl(str(path), options)
        return _plan_lines(path, kind, options, 0, "", records=records, max_bytes=max_bytes)
    columns, delimiter, start = _header(str(path), kind)
    if not columns:
        return []
    check_columns(str(path), columns, options)
    return _plan_lines(path, kind, options, start, delimiter, records=records, max_bytes=max_bytes)


def _check_jsonl(path: str, options: InputOptions) -> None:
    columns: dict[str, None] = {}
    seen = 0
    problem = ""
    with _opened(path) as file:
        lines = _Lines(file, 0)
        for line in lines:
            row = _json_row(line)
            if isinstance(row, dict):
                columns.update(dict.fromkeys(row))
            elif row:
                problem = problem or row
            seen += bool(row)
            if seen >= _PROBE:
                break
        if lines.fault and not columns:
            raise InputError(f"{path} cannot be read: {lines.fault}")
    if seen and not columns:
        raise InputError(f"{path} is not a JSON Lines file: {problem}. Give one JSON object a line.")
    if seen:
        check_columns(path, list(columns), options)


def _json_row(line: bytes) -> Row | str | None:
    """The object in a line; why there is none; None for a blank line."""
    if not line.strip(b" \t\r\n\x00"):
        return None
    try:
        value = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except (ValueError, RecursionError) as err:
        return f"not JSON: {err}"
    return value if isinstance(value, dict) and value else "not a JSON object with fields"


def _plan_lines(
    path: Path, kind: Kind, options: InputOptions, start: int, delimiter: str, *, records: int, max_bytes: int
) -> list[Shard]:
    shards: list[Shard] = []
    name = str(path)
    digest = [shard_digest(kind, [name], start, options)]
    first = count = 0

    def close(end: int) -> None:
        shards.append(
            Shard(
                shard_id=shard_name(digest[0]),
                kind=kind,
                paths=(name,),
                start=start,
                end=end,
                first=first,
                count=count,
                bytes=end - start,
                options=options,
            ),
        )

    with _opened(name) as file:
        lines = _Lines(file, start)
        units = _rows(lines, delimiter, digest) if kind != "jsonl" else _hashed(lines, digest)
        for unit in units:
            count += not isinstance(unit, bytes) or bool(unit.strip(b" \t\r\n\x00"))
            if count >= records or lines.offset - start >= max_bytes:
                close(lines.offset)
                start, first, count = lines.offset, first + count, 0
                digest[0] = shard_digest(kind, [name], start, options)
        if lines.fault:
            digest[0].update(lines.fault.encode())
            count += 1  # the damage itself: a failure when it is read
            close(-1)
        elif count:
            close(lines.offset)
    return [s for s in shards if s.count]


def _hashed(lines: _Lines, digest: list[Any]) -> Iterator[bytes]:
    for line in lines:
        digest[0].update(line)
        yield line


# --------------------------------------------------------------------------- reading


def read_table(shard: Shard) -> Iterator[RawText | Failure]:
    """The rows of a table shard, in order; each is numbered from 0 in its file, and so is its ref."""
    if shard.kind == "parquet":
        yield from read_parquet(shard)
    else:
        yield from _read_lines(shard)


def _read_lines(shard: Shard) -> Iterator[RawText | Failure]:
    name = shard.paths[0]
    number = shard.first
    columns, delimiter, _ = _header(name, shard.kind) if shard.kind != "jsonl" else ([], "", 0)
    with _continued(name, shard.start) as file:
        lines = _Lines(file, shard.start)
        units: Iterator[Any] = iter(lines) if shard.kind == "jsonl" else _rows(lines, delimiter, [])
        while shard.end < 0 or lines.offset < shard.end:
            unit = next(units, None)
            if unit is None:
                break
            row = _json_row(unit) if isinstance(unit, bytes) else _csv_row(unit, columns)
            if row is None:
                continue
            ref = f"{name}#{number}"
            if lines.too_long:
                yield unreadable(ref, Reason.TOO_LARGE, f"a line over {MAX_RECORD_BYTES} bytes")
            elif isinstance(row, str):
                yield unreadable(ref, Reason.RECORD_UNREADABLE, row)
            else:
                yield read_row(row, ref, name, number, shard.options)
            number += 1
        if lines.fault:
            yield unreadable(f"{name}#{number}", Reason.FILE_DAMAGED, f"the file ends early: {lines.fault}")


def _csv_row(row: list[str] | str, columns: list[str]) -> Row | str:
    if isinstance(row, str):
        return f"not a CSV row: {row}"
    if any(HALF_PAIR.search(cell) for cell in row):
        return "not UTF-8"
    return {name: cell for name, cell in reversed(list(zip(columns, row, strict=False)))}
