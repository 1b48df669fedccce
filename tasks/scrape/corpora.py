"""Reading text corpora: JSON Lines, CSV, TSV and Parquet tables with a text column."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import difflib
import io
import json
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.scrape.decode import GzipStream
from tasks.scrape.records import RawText
from tasks.scrape.shards import MAX_RECORD_BYTES, InputError, InputOptions, Kind, Shard, shard_digest, shard_name
from tasks.tables import Failure, Fate, Reason

_HALF_PAIR = re.compile("[\ud800-\udfff]")
_PROBE = 100
"""Records looked at to learn which columns a JSON Lines file has."""

Row = dict[str, Any]


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
"""Of each thread, the file that its last shard came from, still open where that shard ended: a gzip stream and a row
group can only be read from their begin, so opening them anew for every shard would cost the square of their length."""


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
        return [_HALF_PAIR.sub("\ufffd", c).strip() for c in row], delimiter, lines.offset
    return [], delimiter, skip


# --------------------------------------------------------------------------- columns


def check_columns(path: str, columns: Sequence[str], options: InputOptions) -> None:
    """Raises InputError, which names the columns that are there, if the text or the id column is not."""
    shown = ", ".join(map(repr, columns[:40])) + (" …" if len(columns) > 40 else "")
    if _column(columns, options.text_column or "text") is None:
        wanted = options.text_column or "text"
        near = difflib.get_close_matches(wanted, columns, n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"{path} has no column {wanted!r}; it has {shown or 'none'}.{hint} "
            "Name the one that holds the text with --text-column."
        )
    if options.id_column is not None and _column(columns, options.id_column) is None:
        raise InputError(
            f"{path} has no column {options.id_column!r}; it has {shown}. "
            "Name the one that holds the id with --id-column."
        )


def _column(columns: Sequence[str], wanted: str) -> str | None:
    """The column of that name; case counts only where two differ by nothing else."""
    if wanted in columns:
        return wanted
    return next((c for c in columns if c.strip().lower() == wanted.lower()), None)


def _value(row: Row, *names: str | None) -> Any:
    for name in names:
        column = _column(list(row), name) if name else None
        if column is not None and row[column] is not None and row[column] != "":
            return row[column]
    return None


def _string(value: Any) -> str | None:
    """A cell as text, or None where it holds nothing. Dates in ISO form; half a surrogate pair becomes U+FFFD."""
    if value is None or value != value or isinstance(value, (list, dict)):
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)
    return _HALF_PAIR.sub("\ufffd", text).strip() or None


def _authors(value: Any) -> tuple[str, ...]:
    """A list of names (or of objects with a name), or one string that separates them by ";", else by ","."""
    if isinstance(value, dict):
        value = [value]
    if isinstance(value, (list, tuple)):
        names = [_string(v.get("name") if isinstance(v, dict) else v) for v in value]
    else:
        text = _string(value) or ""
        names = [_string(n) for n in text.split(";" if ";" in text else ",")]
    return tuple(n for n in names if n)


def _record(row: Row, ref: str, name: str, number: int, options: InputOptions) -> RawText | Failure:
    given = _value(row, options.text_column or "text")
    if isinstance(given, bytes):
        try:
            given = given.decode("utf-8")
        except UnicodeDecodeError as err:
            return _failure(ref, Reason.RECORD_UNREADABLE, f"the text is not UTF-8: {err}")
    url = _string(_value(row, "url"))
    if not isinstance(given, str) or not given.strip():
        why = "the text column is empty" if given is None or isinstance(given, str) else "the text column holds no text"
        return _failure(ref, Reason.NO_TEXT_COLUMN_VALUE, why, url=url, fate=Fate.SKIPPED)
    title = _string(_value(row, "title"))
    return RawText(
        ref=ref,
        file=name,
        offset=number,
        text=_HALF_PAIR.sub("\ufffd", given),
        external_id=_string(_value(row, options.id_column or "id")),
        title=title,
        url=url,
        outlet=_string(_value(row, "outlet")) or options.outlet,
        authors=_authors(_value(row, "authors")),
        published_given=_string(_value(row, "published_at", "date")) or options.published,
        language=_string(_value(row, "language")),
        title_in_text=title is None and not options.already_clean,
    )


def _failure(ref: str, reason: Reason, detail: str, *, url: str | None = None, fate: Fate = Fate.FAILED) -> Failure:
    return Failure(ref=ref, url=url, step="read", reason=reason, detail=detail[:500], fate=fate)


# --------------------------------------------------------------------------- planning


def plan_table(path: Path, kind: Kind, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
    """Shards of one table, cut between rows; none for a table without rows.

    Raises InputError if the file is not of its kind, or has no column for the text (or the id, where one is named).
    """
    if kind == "parquet":
        return _plan_parquet(path, options, records=records, max_bytes=max_bytes)
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


def _plan_parquet(path: Path, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
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


# --------------------------------------------------------------------------- reading


def read_table(shard: Shard) -> Iterator[RawText | Failure]:
    """The rows of a table shard, in order; each is numbered from 0 in its file, and so is its ref."""
    if shard.kind == "parquet":
        yield from _read_parquet(shard)
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
                yield _failure(ref, Reason.TOO_LARGE, f"a line over {MAX_RECORD_BYTES} bytes")
            elif isinstance(row, str):
                yield _failure(ref, Reason.RECORD_UNREADABLE, row)
            else:
                yield _record(row, ref, name, number, shard.options)
            number += 1
        if lines.fault:
            yield _failure(f"{name}#{number}", Reason.FILE_DAMAGED, f"the file ends early: {lines.fault}")


def _csv_row(row: list[str] | str, columns: list[str]) -> Row | str:
    if isinstance(row, str):
        return f"not a CSV row: {row}"
    if any(_HALF_PAIR.search(cell) for cell in row):
        return "not UTF-8"
    return {name: cell for name, cell in reversed(list(zip(columns, row, strict=False)))}


def _read_parquet(shard: Shard) -> Iterator[RawText | Failure]:
    name = shard.paths[0]
    number = shard.start
    why = "fewer rows than it says"
    try:
        for row in _parquet_rows(name, shard.start, shard.end, shard.options):
            ref = f"{name}#{number}"
            if isinstance(row, str):
                yield _failure(ref, Reason.RECORD_UNREADABLE, row)
            else:
                yield _record(row, ref, name, number, shard.options)
            number += 1
    except (pa.ArrowException, OSError) as err:
        why = str(err)
    for lost in range(number, shard.end):
        yield _failure(f"{name}#{lost}", Reason.FILE_DAMAGED, f"the Parquet file is damaged here: {why}")


def _parquet_rows(name: str, start: int, end: int, options: InputOptions) -> Iterator[Row | str]:
    """Rows start to end, only the columns that are understood, only the row groups that hold them."""
    wanted = ("id", "title", "url", "outlet", "authors", "published_at", "date", "language",
              options.text_column or "text", options.id_column or "id")  # fmt: skip
    stamp = (_stamp(name), wanted)
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
        columns = sorted({c for w in wanted if (c := _column(file.schema_arrow.names, w)) is not None})
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        first = self.at = 0
        while first < len(sizes) and self.at + sizes[first] <= start:
            self.at += sizes[first]
            first += 1
        groups = list(range(first, len(sizes)))
        self._batches = file.iter_batches(batch_size=256, row_groups=groups, columns=columns)
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
