"""Stored inputs, at shard grain: which there are under the paths given, and the pages and texts in each shard."""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tasks.scrape.corpora import plan_table, read_table
from tasks.scrape.decode import DecodeError, Inflater, OverLimit
from tasks.scrape.records import RawPage, RawText
from tasks.scrape.shards import MAX_RECORD_BYTES, InputError, InputOptions, Kind, Shard, shard_digest, shard_name, told
from tasks.scrape.warcs import looks_html, plan_warc, read_warc
from tasks.tables import Failure, Fate, Reason

__all__ = ["InputError", "InputOptions", "Shard", "plan_shards", "read_shard"]

_KINDS: tuple[tuple[str, Kind], ...] = (
    (".warc", "warc"), (".warc.gz", "warc"), (".warc.zst", "warc"),
    (".html", "html"), (".htm", "html"), (".xhtml", "html"), (".html.gz", "html"), (".htm.gz", "html"),
    (".txt", "text"), (".txt.gz", "text"),
    (".jsonl", "jsonl"), (".ndjson", "jsonl"), (".jsonl.gz", "jsonl"), (".ndjson.gz", "jsonl"),
    (".csv", "csv"), (".csv.gz", "csv"), (".tsv", "tsv"), (".tsv.gz", "tsv"),
    (".parquet", "parquet"), (".pq", "parquet"),
)  # fmt: skip
log = logging.getLogger(__name__)
_READABLE = ".warc, .warc.gz, .html, .txt, .jsonl, .csv, .tsv, .parquet, or a folder of them"
_SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d{1,6}\)(https?://[^\s>]{1,2000})", re.I)


def plan_shards(paths: Sequence[Path], options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
    """The inputs under `paths` as shards of at most `records` inputs and about `max_bytes` raw bytes.

    Files in the order given, folders walked in the order of their names, so the same input gives the same shards.
    Raises InputError for wrong use: a path that is missing, unreadable or of no known kind, a folder without any
    input, a corpus without any record, a table without the text (or named id) column, one text file not in UTF-8.
    """
    if not paths:
        raise InputError("no input given: name at least one file or folder")
    shards: list[Shard] = []
    loose: list[tuple[Kind, Path]] = []  # pages and texts wait here to be put together into shards
    for kind, path in _found(paths):
        if kind in ("html", "text"):
            loose.append((kind, path))
            continue
        shards += _loose_shards(loose, options, records=records, max_bytes=max_bytes)
        loose = []
        plan = plan_warc if kind == "warc" else _table_planner(kind)
        try:
            shards += plan(path, options, records=records, max_bytes=max_bytes)
        except OSError as err:
            raise InputError(f"{path} cannot be read: {err.strerror or err}") from err
    if len(paths) == 1 and len(loose) == 1 and not shards and loose[0] == ("text", paths[0]):
        _check_text(paths[0])
    shards += _loose_shards(loose, options, records=records, max_bytes=max_bytes)
    if not shards:
        raise InputError(f"there is no record in {', '.join(map(str, paths))}: the corpus is empty")
    return shards


def read_shard(shard: Shard, files: Mapping[str, str] | None = None) -> Iterator[RawPage | RawText | Failure]:
    """Every input of the shard in order, one outcome each: a page, a text, or why it is neither.

    `files`: the local files that hold those of its paths which are addresses.
    """
    files = files or {}
    names = {files.get(path, path): told(path, shard.options) for path in shard.paths}
    if all(path == name for path, name in names.items()):
        yield from _read(shard)
        return
    for record in _read(dataclasses.replace(shard, paths=tuple(files.get(p, p) for p in shard.paths))):
        path, _, number = record.ref.rpartition("#")
        name = names.get(path, path)
        if isinstance(record, Failure):
            yield dataclasses.replace(record, ref=f"{name}#{number}")
        else:
            yield dataclasses.replace(record, ref=f"{name}#{number}", file=name)


def _read(shard: Shard) -> Iterator[RawPage | RawText | Failure]:
    if shard.kind in ("warc", "warc_stream"):
        yield from read_warc(shard)
    elif shard.kind == "html":
        yield from (_read_page(path, shard.options) for path in shard.paths)
    elif shard.kind == "text":
        yield from (_read_text(path, shard.options) for path in shard.paths)
    else:
        yield from read_table(shard)


# --------------------------------------------------------------------------- what is there


def _found(paths: Sequence[Path]) -> Iterator[tuple[Kind, Path]]:
    """Every file once, also where it was named twice, or with its folder."""
    seen: set[Path] = set()
    for kind, path in _listed(paths):
        real = path.resolve()
        if real not in seen:
            seen.add(real)
            yield kind, path


def _listed(paths: Sequence[Path]) -> Iterator[tuple[Kind, Path]]:
    for path in paths:
        if not path.exists():
            raise InputError(f"there is no {path}: check the path")
        if path.is_dir():
            yield from _in_folder(path)
            continue
        if not path.is_file():
            raise InputError(f"{path} is neither a file nor a folder")
        if not os.access(path, os.R_OK):
            raise InputError(f"{path} may not be read: check its permissions")
        kind = _kind(path) or _sniffed(path, named=True)
        if kind is None:
            raise InputError(f"{path} is of no kind that is understood: give {_READABLE}")
        yield kind, path


def _kind(path: Path) -> Kind | None:
    name = path.name.lower()
    return next((kind for ending, kind in _KINDS if name.endswith(ending)), None)


def _sniffed(path: Path, *, named: bool = False) -> Kind | None:
    """The kind of a file whose name does not tell: pages are also saved as index.php or without an ending.

    A .json file is looked at only where it was named itself: in a folder it is as likely somebody's settings.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8192)
    except OSError:
        return None
    if head.startswith(b"WARC/1."):
        return "warc"
    if named and path.name.lower().endswith(".json"):
        return _json_kind(path, head)
    return "html" if looks_html(head) else None


def _json_kind(path: Path, head: bytes) -> Kind:
    """Many corpora in JSON Lines are called .json; one that is an array cannot be read record by record."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        raise InputError(
            f"{path} is one JSON array: write one object a line, e.g. jq -c '.[]' {path} > {path.stem}.jsonl"
        )
    return "jsonl"


def _in_folder(folder: Path) -> Iterator[tuple[Kind, Path]]:
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InputError(f"the folder {folder} may not be read: check its permissions")
    count = others = 0
    seen: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True, onerror=_unreadable):
        if _is_tables(Path(root)) or (real := os.path.realpath(root)) in seen:  # our own tables; a link back
            folders[:] = []
            continue
        seen.add(real)
        # browsers put a page's scripts and frames beside it, in NAME_files
        pages = {Path(f).stem for f in files if _kind(Path(f)) == "html"}
        folders[:] = sorted(
            f
            for f in folders
            if not f.startswith(".") and not (f.endswith("_files") and f.removesuffix("_files") in pages)
        )
        for file in sorted(files):
            path = Path(root) / file
            kind = None if file.startswith(".") or not path.is_file() else _kind(path) or _sniffed(path)
            if kind is None:
                others += 1
                continue
            count += 1
            yield kind, path
    if not count:
        why = f"none of its {others} files is one" if others else "it is empty"
        raise InputError(f"the folder {folder} holds no page, text, table or WARC file ({why}): give {_READABLE}")
    if others:
        log.warning("%s: %d files of other kinds are left out", folder, others)


def _unreadable(err: OSError) -> None:
    raise InputError(f"the folder {err.filename} may not be read ({err.strerror}): check its permissions")


def _is_tables(folder: Path) -> bool:
    """Whether a folder holds tables that nightdesk wrote: its own output is no input."""
    package = folder / "datapackage.json"
    try:
        return package.is_file() and '"name": "nightdesk"' in package.read_text(encoding="utf-8")[:2000]
    except (OSError, UnicodeDecodeError):
        return False


def _table_planner(kind: Kind) -> Callable[..., list[Shard]]:
    def plan(path: Path, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
        return plan_table(path, kind, options, records=records, max_bytes=max_bytes)

    return plan


# --------------------------------------------------------------------------- pages and texts, one a file


def _loose_shards(
    found: list[tuple[Kind, Path]], options: InputOptions, *, records: int, max_bytes: int
) -> list[Shard]:
    shards = []
    group: list[str] = []
    size = 0
    for i, (kind, path) in enumerate(found):
        group.append(str(path))
        size += path.stat().st_size
        if len(group) >= records or size >= max_bytes or i + 1 == len(found) or found[i + 1][0] != kind:
            shards.append(_file_shard(kind, tuple(group), size, options))
            group, size = [], 0
    return shards


def _file_shard(kind: Kind, paths: tuple[str, ...], size: int, options: InputOptions) -> Shard:
    digest = shard_digest(kind, paths, 0, options)
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except OSError as err:
            digest.update(str(err.errno).encode())  # read_shard says what is wrong with it
        digest.update(b"\0")
    return Shard(
        shard_id=shard_name(digest), kind=kind, paths=paths, start=0, end=0, first=0, count=len(paths), bytes=size,
        options=options,
    )  # fmt: skip


def _check_text(path: Path) -> None:
    """Raises InputError if a text that was named alone is empty or not UTF-8."""
    data = _file_bytes(str(path))
    if isinstance(data, Failure):
        raise InputError(f"{path} cannot be read: {data.detail}")
    text = _utf8(data)
    if text is None:
        hint = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "WINDOWS-1252"
        raise InputError(
            f"{path} is not UTF-8 text. If it is {hint}, convert it: "
            f"iconv -f {hint} -t UTF-8 {path} > {path.stem}.utf8.txt"
        )
    if not text.strip():
        raise InputError(f"{path} is empty: there is no text in it")


def _utf8(data: bytes, *, keep_mark: bool = False) -> str | None:
    try:
        return data.decode("utf-8" if keep_mark else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _file_bytes(path: str) -> bytes | Failure:
    def fail(reason: Reason, detail: str) -> Failure:
        return Failure(ref=f"{path}#0", url=None, step="read", reason=reason, detail=detail)

    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_RECORD_BYTES + 1)
        if data[:2] == b"\x1f\x8b":
            inflate = Inflater("gzip", limit=MAX_RECORD_BYTES)
            data = inflate.feed(data)
            if not inflate.whole:
                return fail(Reason.FILE_DAMAGED, "the gzip file is cut off")
    except OSError as err:
        return fail(Reason.RECORD_UNREADABLE, err.strerror or str(err))
    except DecodeError as err:
        return fail(Reason.RECORD_UNREADABLE, str(err))
    except OverLimit as err:
        return fail(Reason.TOO_LARGE, str(err))
    if len(data) > MAX_RECORD_BYTES:
        return fail(Reason.TOO_LARGE, f"more than {MAX_RECORD_BYTES} bytes")
    return data


def _read_page(path: str, options: InputOptions) -> RawPage | Failure:
    body = _file_bytes(path)
    if isinstance(body, Failure):
        return body
    saved = _SAVED_FROM.search(body[:4096])
    return RawPage(
        ref=f"{path}#0", file=path, offset=0, url=saved[1].decode("utf-8", "replace") if saved else None, body=body,
        outlet=options.outlet, published_given=options.published,
    )  # fmt: skip


def _read_text(path: str, options: InputOptions) -> RawText | Failure:
    data = _file_bytes(path)
    if isinstance(data, Failure):
        return data
    text = _utf8(data, keep_mark=options.already_clean)
    if text is None:
        detail = "not UTF-8 text: convert it with iconv"
        return Failure(ref=f"{path}#0", url=None, step="read", reason=Reason.RECORD_UNREADABLE, detail=detail)
    if not text.strip():
        return Failure(
            ref=f"{path}#0", url=None, step="read", reason=Reason.NO_TEXT, detail="the file is empty", fate=Fate.SKIPPED
        )
    return RawText(
        ref=f"{path}#0", file=path, offset=0, text=text, outlet=options.outlet, published_given=options.published,
        title_in_text=not options.already_clean,
    )  # fmt: skip
