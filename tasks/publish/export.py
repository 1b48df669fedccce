"""The tables in the formats that others expect: one folder, which appears whole or not at all.

    <to>/README.md                   a card: nights, rows, outlets, fates, models, how good it is, limits
    <to>/datapackage.json            the files and columns (csv, jsonl), as frictionless validates them
    <to>/croissant.json              the same as Croissant (croissant), beside <table>.parquet
    <to>/<table>.csv | .jsonl | .parquet, or gdelt-events.tsv

Rows go through a batch at a time: memory does not grow with the tables.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import tables
from tasks.publish import catalogue, gdelt
from tasks.publish.card import Facts, card, count_facts
from tasks.publish.cells import as_json, csv_lines
from tasks.publish.croissant import croissant
from tasks.publish.figures import Figure
from tasks.publish.store import ORDER, Store

Format = Literal["csv", "jsonl", "gdelt", "croissant"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "gdelt", "croissant")
NAME = "nightdesk-export"
BATCH_ROWS = 1_000
"""Rows held at once: 4 MB of text at 4 KB an article, some ten times that as Python values."""
NIGHT_COLUMN = pa.field("dt", pa.date32(), nullable=False, metadata={"meaning": "the night"})


class ExportError(Exception):
    """The export cannot be made as asked; the message says why and what to do. Nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to export and where to: no `chosen` means all tables, no `night` all nights."""

    root: Path
    to: Path
    format: Format
    chosen: tuple[str, ...] = ()
    night: dt.date | None = None
    without_text: bool = False
    force: bool = False
    figures: tuple[Figure, ...] = ()
    made_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of an export."""

    name: str
    table: str
    rows: int
    bytes: int
    sha256: str


def export(request: Request) -> list[File]:
    """Write the export and answer its files. Raises ExportError, or StoreError if the tables cannot be read."""
    request = replace(request, to=request.to.absolute())  # "." has no name and no parent
    store = Store.open(request.root)
    wanted = _tables(request)
    nights = _nights(store, request.night)
    _check_place(request)
    request.to.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{request.to.name}.part-", dir=request.to.parent))
    try:
        files = _write_files(request, store, wanted, nights, draft)
        _describe(request, count_facts(store, nights), files, draft)
        draft.chmod(0o755)  # mkdtemp's is for us alone
        _put_in_place(draft, request.to)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return files


# --------------------------------------------------------------------------- what is asked for


def _tables(request: Request) -> tuple[str, ...]:
    unknown = [t for t in request.chosen if t not in tables.TABLES]
    if unknown:
        raise ExportError(f"there is no table {unknown[0]}; there are {', '.join(tables.TABLES)}")
    if request.format == "gdelt":
        if set(request.chosen) - {"events"}:
            raise ExportError("the format gdelt has one file, of events: leave --tables out")
        return ("events",)
    return tuple(t for t in tables.TABLES if not request.chosen or t in request.chosen)


def _nights(store: Store, night: dt.date | None) -> list[dt.date]:
    known = store.nights("runs")
    if not known:
        raise ExportError(f"there are no tables at {store.root}: run `nightdesk ingest` or `nightdesk run` first")
    if night is not None and night not in known:
        raise ExportError(f"there is no night {night} in {store.root}; the newest: {', '.join(map(str, known[-5:]))}")
    return known if night is None else [night]


def _check_place(request: Request) -> None:
    to, root = request.to.resolve(), request.root.resolve()
    if to == root or root.is_relative_to(to) or to.is_relative_to(root):
        raise ExportError(f"{request.to} lies in or above the tables: give another folder with --to")
    if not to.exists():
        return
    if not to.is_dir():
        raise ExportError(f"{request.to} is a file: give a folder with --to")
    if any(to.iterdir()):
        if not request.force:
            raise ExportError(
                f"{request.to} is not empty: give another folder, or --force to replace an earlier export"
            )
        if not _is_export(to):
            raise ExportError(f"{request.to} holds something else than an export; --force replaces only exports")


def _is_export(folder: Path) -> bool:
    """Whether the folder is an earlier export and nothing more: --force must not delete what is not ours."""
    try:
        kept = json.loads((folder / "export.json").read_text(encoding="utf-8"))
        names = {str(n) for n in kept["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return kept.get("name") == NAME and all(p.is_file() and p.name in names for p in folder.iterdir())


def _put_in_place(draft: Path, to: Path) -> None:
    """The draft becomes the folder by a rename; an earlier export is moved aside first and then removed."""
    old = None
    if to.is_dir() and any(to.iterdir()):
        old = Path(tempfile.mkdtemp(prefix=f".{to.name}.old-", dir=to.parent))
        os.replace(to, old)
    os.replace(draft, to)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


# --------------------------------------------------------------------------- columns


@functools.cache
def _editions() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "text_free.toml").read_text(encoding="utf-8"))


def columns(table: str, *, without_text: bool) -> list[str]:
    """The columns of a table that an export has, in the table's order, without dt."""
    editions = _editions()
    never = editions["never"].get(table, [])
    kept = editions["kept"].get(table, [])
    return [n for n in tables.schema(table).names if n not in never and (not without_text or n in kept)]


def left_out(table: str, *, without_text: bool) -> list[str]:
    """The table's columns that an export does not have."""
    kept = columns(table, without_text=without_text)
    return [n for n in tables.schema(table).names if n not in kept]


def _schema(table: str, without_text: bool) -> Any:
    masked = _editions()["null_unless_named"].get(table, []) if without_text else []
    fields = [tables.schema(table).field(n) for n in columns(table, without_text=without_text)]
    fields = [f.with_nullable(True) if f.name in masked else f for f in fields]
    return pa.schema([*fields, NIGHT_COLUMN])


# --------------------------------------------------------------------------- rows


def _batches(store: Store, table: str, nights: list[dt.date], without_text: bool) -> Iterator[Any]:
    """Record batches of the export's columns; a table over the whole corpus is given whole."""
    schema = _schema(table, without_text)
    masked = _editions()["null_unless_named"].get(table, []) if without_text else []
    for night in store.nights(table):
        if table not in tables.SNAPSHOTS and night not in nights:
            continue
        with pq.ParquetFile(store.path(table, night)) as file:
            there = [n for n in schema.names if n in file.schema_arrow.names]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=there):
                yield _shaped(batch, schema, night, masked)


def _shaped(batch: Any, schema: Any, night: dt.date, masked: list[str]) -> Any:
    """The batch with the schema's columns: dt added, masked ones null where unnamed, ones of a later version null."""
    arrays = []
    for field in schema:
        if field.name == "dt":
            column = pa.array([night] * batch.num_rows, pa.date32())
        elif field.name not in batch.schema.names:
            column = pa.nulls(batch.num_rows, field.type)
        elif field.name in masked:
            column = pc.if_else(batch["named"], batch[field.name], None)
        else:
            column = batch[field.name].cast(field.type)
        arrays.append(column)
    return pa.record_batch(arrays, schema=pa.schema([f.with_nullable(True) for f in schema]))


def _write_files(
    request: Request, store: Store, wanted: tuple[str, ...], nights: list[dt.date], draft: Path
) -> list[File]:
    if request.format == "gdelt":
        lines = gdelt.lines(store, nights, without_text=request.without_text, batch_rows=BATCH_ROWS)
        rows = _write_text(draft / gdelt.FILE, ((line, 1) for line in lines)) - 1
        return [_file(draft / gdelt.FILE, "events", rows)]
    write = {"csv": _write_csv, "jsonl": _write_jsonl, "croissant": _write_parquet}[request.format]
    files = []
    for table in sorted(wanted, key=ORDER.index):
        schema = _schema(table, request.without_text)
        path = draft / f"{table}{SUFFIXES[request.format]}"
        rows = write(path, schema, _batches(store, table, nights, request.without_text))
        files.append(_file(path, table, rows))
    return files


SUFFIXES = {"csv": ".csv", "jsonl": ".jsonl", "croissant": ".parquet"}


def _write_csv(path: Path, schema: Any, batches: Iterable[Any]) -> int:
    head = csv_lines([schema.names])
    pieces = ((csv_lines(_tuples(b)), b.num_rows) for b in batches)
    return _write_text(path, pieces, head)


def _write_jsonl(path: Path, schema: Any, batches: Iterable[Any]) -> int:
    pieces = (("".join(as_json(row) + "\n" for row in b.to_pylist()), b.num_rows) for b in batches)
    return _write_text(path, pieces)


def _write_parquet(path: Path, schema: Any, batches: Iterable[Any]) -> int:
    rows = 0
    # a column that nights of an older version lack is null there, whatever the schema promises of newer ones
    schema = pa.schema([f.with_nullable(True) for f in schema])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_table(pa.Table.from_batches([batch]).cast(schema))
            rows += batch.num_rows
    return rows


def _tuples(batch: Any) -> Iterator[tuple[Any, ...]]:
    return zip(*(batch.column(i).to_pylist() for i in range(batch.num_columns)), strict=True)


def _write_text(path: Path, pieces: Iterable[tuple[str, int]], head: str = "") -> int:
    rows = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(head)
        for text, n in pieces:
            out.write(text)
            rows += n
    return rows


def _file(path: Path, table: str, rows: int) -> File:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return File(name=path.name, table=table, rows=rows, bytes=path.stat().st_size, sha256=digest)


# --------------------------------------------------------------------------- what it is


def _describe(request: Request, facts: Facts, files: list[File], draft: Path) -> None:
    """README.md, export.json, and the description of the format."""
    made_at = request.made_at or dt.datetime.now(dt.UTC)
    gone = {t: left_out(t, without_text=request.without_text) for t in dict.fromkeys(f.table for f in files)}
    texts: dict[str, str] = {
        "README.md": card(
            facts,
            files={f.name: f.rows for f in files},
            format=request.format,
            left_out={} if request.format == "gdelt" else {t: c for t, c in gone.items() if c},
            without_text=request.without_text,
            figures=request.figures,
            made_at=made_at,
        )
    }
    if request.format in ("csv", "jsonl"):
        texts["datapackage.json"] = _data_package(files, request)
    if request.format == "croissant":
        schemas = {f.name: _schema(f.table, request.without_text) for f in files}
        texts["croissant.json"] = croissant(files, schemas, made_at, without_text=request.without_text)
    kept = {"name": NAME, "made_at": made_at.isoformat(), "files": [*(f.name for f in files), *texts, "export.json"]}
    texts["export.json"] = json.dumps(kept, indent=1) + "\n"
    for name, text in texts.items():
        (draft / name).write_text(text, encoding="utf-8")


def _data_package(files: list[File], request: Request) -> str:
    resources = []
    for f in files:
        schema = _schema(f.table, request.without_text)
        resources.append(
            {
                "name": f.table.replace("_", "-"),
                "title": f.table,
                "path": f.name,
                "format": request.format,
                "encoding": "utf-8",
                "bytes": f.bytes,
                "hash": f"sha256:{f.sha256}",
                "schema": {
                    "fields": [_field(f.table, x) for x in schema],
                    "primaryKey": list(tables.KEYS[f.table]),
                    "missingValues": [""],
                },
            }
        )
    package = {
        "profile": "data-package",
        "name": NAME,
        "title": "nightdesk: quotes, sources and events from the news",
        "schema_version": tables.SCHEMA_VERSION,
        "resources": resources,
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"


def _field(table: str, arrow: Any) -> dict[str, Any]:
    """A column as it stands in text: numbers are whole where the table's are, lists are JSON."""
    col = tables.columns(table).get(arrow.name) or tables.Col("the night")
    out = catalogue.field(arrow, col)
    if pa.types.is_integer(arrow.type):
        out["type"] = "integer"
    elif pa.types.is_list(arrow.type):
        out["type"] = "array"
    elif pa.types.is_struct(arrow.type):
        out["type"] = "object"
    return out
