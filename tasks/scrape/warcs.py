"""Reading WARC files: shards of their records, and the pages in them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

from tasks.scrape.decode import DecodeError, OverLimit, decode_body, unchunk
from tasks.scrape.frames import Piece, pieces
from tasks.scrape.records import RawPage
from tasks.scrape.shards import MAX_RECORD_BYTES, InputError, InputOptions, Shard, shard_digest, shard_name
from tasks.tables import Failure, Fate, Reason

OUTLET_HEADER = "WARC-Nightdesk-Outlet"
ADDRESS_HEADER = "WARC-Nightdesk-Address"
"""The address as discovered, where redirects led to another one."""
MOVED_HEADER = "WARC-Nightdesk-Moved"
"""Set where those redirects were permanent ones."""
ATTEMPTS_HEADER = "WARC-Nightdesk-Attempts"
"""How many tries the fetch took, where it was more than one."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LOOKS_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.I)
_VAGUE = ("", "application/octet-stream", "text/plain", "application/xml", "text/xml", "unknown/unknown")
_NO_INPUT_TYPES = (
    WarcRecordType.request | WarcRecordType.metadata | WarcRecordType.warcinfo | WarcRecordType.continuation
)


# --------------------------------------------------------------------------- planning


def plan_warc(path: Path, options: InputOptions, *, records: int, max_bytes: int) -> list[Shard]:
    """Shards of one WARC file, cut between records. Raises InputError where the file holds no WARC record at all.

    A gzip file whose members hold many records, and a zstd file, cannot be entered in the middle: one shard.
    """
    name = str(path)
    if name.endswith(".zst"):
        return [_whole_file(path, options)]
    shards: list[Shard] = []
    begin = first = seen = count = 0
    end = 0
    good = False
    for piece in pieces(path):
        if piece.many:
            return [_whole_file(path, options)]
        good = good or piece.whole or bool(piece.head)
        if count and (count >= records or piece.end - begin > max_bytes):
            shards.append(_range(path, options, begin, end, first, count))
            begin, first, count = piece.offset, seen, 0
        end = piece.end
        count += piece.is_input
        seen += piece.is_input
    if not good:
        raise InputError(f"{path} is not a WARC file: no WARC record can be read in it. Give a .warc or .warc.gz file.")
    if count:
        shards.append(_range(path, options, begin, end, first, count))
    return shards


def _range(path: Path, options: InputOptions, start: int, end: int, first: int, count: int) -> Shard:
    digest = shard_digest("warc", [str(path)], start, options)
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left and (block := file.read(min(1 << 20, left))):
            digest.update(block)
            left -= len(block)
    return Shard(
        shard_id=shard_name(digest), kind="warc", paths=(str(path),), start=start, end=end, first=first, count=count,
        bytes=end - start, options=options,
    )  # fmt: skip


def _whole_file(path: Path, options: InputOptions) -> Shard:
    digest = shard_digest("warc_stream", [str(path)], 0, options)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    count = 0
    try:
        with path.open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                count += not (record.record_type & _NO_INPUT_TYPES)
    except OSError as err:
        if not count:
            raise InputError(f"{path} is not a WARC file: {err}. Give a .warc or .warc.gz file.") from err
        count += 1  # the damage itself, a failure when it is read
    size = path.stat().st_size
    return Shard(
        shard_id=shard_name(digest), kind="warc_stream", paths=(str(path),), start=0, end=size, first=0, count=count,
        bytes=size, options=options,
    )  # fmt: skip


# --------------------------------------------------------------------------- reading


def read_warc(shard: Shard) -> Iterator[RawPage | Failure]:
    """The inputs of a WARC shard, in the file's order."""
    name = shard.paths[0]
    if shard.kind == "warc_stream":
        yield from _read_stream(name, shard.options)
        return
    path = Path(name)
    size = path.stat().st_size
    for piece in pieces(path, start=shard.start, end=shard.end, data=True):
        if not piece.is_input:
            continue
        if not piece.whole:
            yield _unreadable(name, piece, file_end=piece.end >= size)
        elif piece.data is None:
            yield _failure(name, piece.offset, None, Reason.TOO_LARGE, f"record over {MAX_RECORD_BYTES} bytes")
        else:
            yield _parse(name, piece.offset, piece.data, shard.options)


def _unreadable(name: str, piece: Piece, *, file_end: bool) -> Failure:
    size = piece.end - piece.offset
    state = "cut off" if file_end and piece.head else "damaged"
    detail = f"{state}: {size} bytes from byte {piece.offset} are no whole record"
    uri = re.search(rb"^WARC-Target-URI:[ \t]*<?([^\s>]{1,2000})", piece.head, re.I | re.M)
    url = uri[1].decode("utf-8", "replace") if uri else None
    # what cannot be read up to the end of the file may have been any number of records
    reason = Reason.FILE_DAMAGED if file_end else Reason.RECORD_UNREADABLE
    return _failure(name, piece.offset, url, reason, detail)


def _failure(
    name: str,
    offset: int,
    url: str | None,
    reason: Reason,
    detail: str,
    *,
    fate: Fate = Fate.FAILED,
    outlet: str | None = None,
) -> Failure:
    return Failure(
        ref=f"{name}#{offset}", url=url, step="read", reason=reason, detail=detail[:500], fate=fate, outlet=outlet
    )


def _parse(name: str, offset: int, data: bytes, options: InputOptions) -> RawPage | Failure:
    try:
        for record in ArchiveIterator(io.BytesIO(data), parse_http=False):
            return _outcome(name, offset, record, options)
    except (OSError, ValueError) as err:
        return _failure(name, offset, None, Reason.RECORD_UNREADABLE, str(err))
    return _failure(name, offset, None, Reason.RECORD_UNREADABLE, "no WARC record in it")


def _read_stream(name: str, options: InputOptions) -> Iterator[RawPage | Failure]:
    """Every record of a file that can only be read from its begin; numbered, for byte offsets lead nowhere in it."""
    number = -1
    try:
        with Path(name).open("rb") as file:
            for record in ArchiveIterator(file, parse_http=False):
                if record.record_type & _NO_INPUT_TYPES:
                    continue
                number += 1
                yield _outcome(name, number, record, options)
    except OSError as err:
        yield _failure(name, number + 1, None, Reason.FILE_DAMAGED, f"the file cannot be read from here on: {err}")


def _outcome(name: str, offset: int, record: Any, options: InputOptions) -> RawPage | Failure:
    url = record.headers.get("WARC-Target-URI")
    url = url.strip("<> ") if url else None
    outlet = options.outlet or record.headers.get(OUTLET_HEADER)
    kind = record.record_type

    attempts = _attempts(record)

    def skip(reason: Reason, detail: str, fate: Fate = Fate.SKIPPED) -> Failure:
        failure = _failure(name, offset, url, reason, detail, fate=fate, outlet=outlet)
        return dataclasses.replace(failure, attempts=attempts)

    if kind == WarcRecordType.revisit:
        # in an archive of ours the page it refers to is one of an earlier night; of another's we may not have it
        ours = record.headers.get(OUTLET_HEADER) is not None
        fate = Fate.UNCHANGED if ours else Fate.SKIPPED
        return skip(Reason.NOT_MODIFIED, "a revisit record: the page was as before", fate)
    if record.content_length > MAX_RECORD_BYTES:
        return skip(Reason.TOO_LARGE, f"record over {MAX_RECORD_BYTES} bytes", Fate.FAILED)
    headers: dict[str, str] = {}
    if kind == WarcRecordType.response and (record.is_http or (url or "").startswith(("http:", "https:"))):
        block = record.reader.read()
        if len(block) < record.content_length:
            return skip(Reason.RECORD_UNREADABLE, "cut off: the record is shorter than it says", Fate.FAILED)
        http = _http(block)
        if http is None:
            return skip(Reason.RECORD_UNREADABLE, "no HTTP response in the record", Fate.FAILED)
        status, headers, body = http
        if status != 200:
            return skip(_status_reason(status), f"HTTP status {status}")
        content_type = headers.get("content-type", "")
    elif kind in (WarcRecordType.resource, WarcRecordType.conversion):
        body = record.reader.read()
        if len(body) < record.content_length:
            return skip(Reason.RECORD_UNREADABLE, "cut off: the record is shorter than it says", Fate.FAILED)
        content_type = record.headers.get("Content-Type") or ""
    else:
        return skip(
            Reason.NOT_HTML, f"a {record.headers.get('WARC-Type')} record of {record.headers.get('Content-Type')}"
        )
    try:
        body = _decoded(body, headers)
    except OverLimit as err:
        return skip(Reason.TOO_LARGE, str(err), Fate.FAILED)
    except DecodeError as err:
        return skip(Reason.RECORD_UNREADABLE, str(err), Fate.FAILED)
    if not is_html(content_type, body):
        return skip(Reason.NOT_HTML, f"content type {content_type[:100] or 'not given'}")
    return RawPage(
        ref=f"{name}#{offset}", file=name, offset=offset, url=url, body=body, content_type=content_type or None,
        headers=headers, fetched_at=_date(record), outlet=outlet, published_given=options.published,
        attempts=attempts,
    )  # fmt: skip


def _attempts(record: Any) -> int:
    stated = record.headers.get(ATTEMPTS_HEADER) or ""
    return int(stated) if re.fullmatch(r"[0-9]{1,3}", stated) else 1


def _date(record: Any) -> dt.datetime | None:
    try:
        date: dt.datetime | None = record.record_date
    except ValueError:
        return None
    return date.replace(tzinfo=dt.UTC) if date is not None and date.tzinfo is None else date


def _http(block: bytes) -> tuple[int, dict[str, str], bytes] | None:
    """(status, headers with lower-case names, body) of a stored HTTP response; repeated headers joined by a comma."""
    stop = _HEAD_END.search(block, 0, 1 << 20)
    head, body = (block[: stop.start()], block[stop.end() :]) if stop else (block[: 1 << 20], b"")
    lines = head.splitlines()
    status = re.match(rb"HTTP/\d(?:\.\d)?\s+(\d{3})\b", lines[0]) if lines else None
    if status is None:
        return None
    headers: dict[str, str] = {}
    last = ""
    for line in lines[1:]:
        text = line.decode("utf-8", "replace")
        if text[:1] in (" ", "\t") and last:  # a folded line, RFC 9112 section 5.2
            headers[last] += " " + text.strip()
            continue
        key, colon, value = text.partition(":")
        if colon:
            last = key.strip().lower()
            headers[last] = f"{headers[last]}, {value.strip()}" if last in headers else value.strip()
    return int(status[1]), headers, body


def _decoded(body: bytes, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        plain = unchunk(body)
        body = body if plain is None else plain
    return decode_body(body, headers.get("content-encoding"), limit=MAX_RECORD_BYTES)


def is_html(content_type: str, body: bytes) -> bool:
    """By the stated type; where that says nothing, by how the body begins."""
    stated = _bare_type(content_type)
    if stated in ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"):
        return True
    return stated in _VAGUE and looks_html(body)


def is_vague(content_type: str) -> bool:
    """Whether a stated type leaves open what the body is."""
    return _bare_type(content_type) in _VAGUE


def _bare_type(content_type: str) -> str:
    return content_type.split(";")[0].split(",")[0].strip().lower()


def looks_html(body: bytes) -> bool:
    """Whether the bytes begin as an HTML page does, after a byte order mark, an XML declaration and comments."""
    head = body[:8192].removeprefix(b"\xef\xbb\xbf").lstrip()
    for opening, closing in ((b"<?xml", b"?>"), *[(b"<!--", b"-->")] * 20):
        if head.startswith(opening):
            head = head.partition(closing)[2].lstrip()
    return _LOOKS_HTML.match(head) is not None


def _status_reason(status: int) -> Reason:
    if status in (404, 410):
        return Reason.HTTP_GONE
    if 400 <= status < 500:
        return Reason.HTTP_REFUSED
    if 500 <= status < 600:
        return Reason.HTTP_SERVER_ERROR
    return Reason.HTTP_OTHER_STATUS
