"""Where the records of a WARC file lie. Damage to one record does not reach the next."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tasks.scrape.shards import MAX_RECORD_BYTES

_BLOCK = 1 << 18
_HEAD_BYTES = 1 << 14
_GZIP = b"\x1f\x8b\x08"
_TYPE = re.compile(rb"^WARC-Type:[ \t]*([A-Za-z]+)", re.I | re.M)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,18})[ \t]*\r?$", re.I | re.M)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NO_INPUT = (b"request", b"metadata", b"warcinfo", b"continuation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One record of a file, or a stretch that is none: bytes `offset` to `end` of the stored file.

    `head` is its beginning, decompressed; `whole` is False for a record that is cut off or damaged; `many` says that
    one gzip member holds more than one record, so that its records cannot be reached one by one. `data`, where it was
    asked for, is the whole record decompressed, but None if it is over MAX_RECORD_BYTES.
    """

    offset: int
    end: int
    head: bytes
    whole: bool
    many: bool = False
    data: bytes | None = None

    @property
    def is_input(self) -> bool:
        """Requests, metadata and the like are no inputs. Damage always is one, whatever its head says: how much of a
        head zlib gives before it finds the damage depends on how the bytes were fed, and every count must agree."""
        found = _TYPE.search(self.head)
        return not self.whole or found is None or found[1].lower() not in _NO_INPUT


def is_gzip(path: Path) -> bool:
    """By how the file begins, or by its name where its first member is damaged."""
    with path.open("rb") as file:
        begin = file.read(5)
    return begin.startswith(_GZIP) or (path.suffix == ".gz" and begin != b"WARC/")


def pieces(path: Path, *, start: int = 0, end: int | None = None, data: bool = False) -> Iterator[Piece]:
    """The records of a WARC file in order, from byte `start` (a record's begin) up to byte `end`."""
    last = path.stat().st_size if end is None else end
    keep = MAX_RECORD_BYTES + 1 if data else 0
    with path.open("rb") as file:
        yield from (_gzip_pieces if is_gzip(path) else _plain_pieces)(file, start, last, keep)


# --------------------------------------------------------------------------- gzip


@dataclass(frozen=True, slots=True)
class _Member:
    """A gzip member: the byte after it, its first bytes and its size, both decompressed, and whether it is whole."""

    end: int
    head: bytes
    size: int
    whole: bool


def _gzip_pieces(file: BinaryIO, at: int, last: int, keep: int) -> Iterator[Piece]:
    first = at
    while at < last:
        member = _inflate_member(file, at, last, max(keep, _HEAD_BYTES))
        if member.whole and member.head.startswith(b"WARC/"):
            data = member.head if member.size < keep else None
            head = member.head[:_HEAD_BYTES]
            many = _holds_more(file, at, member)
            yield Piece(offset=at, end=member.end, head=head, whole=True, many=many, data=data)
            at = member.end
            continue
        if member.whole and member.size == 0:  # an empty member: padding
            at = member.end
            continue
        resume = _next_member(file, at + 1, last)
        head = member.head[:_HEAD_BYTES] if member.head.startswith(b"WARC/") else b""
        yield Piece(offset=at, end=resume, head=head, whole=False, many=at == first and _holds_more(file, at, member))
        at = resume


def _inflate_member(file: BinaryIO, at: int, last: int, keep: int) -> _Member:
    file.seek(at)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    kept: list[bytes] = []
    size = read = 0
    whole = True
    while whole and not inflate.eof:
        block = file.read(min(_BLOCK, last - at - read))
        whole = bool(block)
        read += len(block)
        while block and not inflate.eof:
            try:
                out = inflate.decompress(block, _BLOCK * 4)
            except zlib.error:
                whole = False
                break
            if size < keep:
                kept.append(out[: keep - size])
            size += len(out)
            block = inflate.unconsumed_tail
    end = at + read - len(inflate.unused_data) if whole else last
    return _Member(end, b"".join(kept), size, whole)


def _holds_more(file: BinaryIO, at: int, member: _Member) -> bool:
    """Whether a second record follows the first one within the member."""
    extent = _extent(member.head)
    if extent is None or member.size <= sum(extent) + 8:
        return False
    file.seek(at)
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    done, behind = 0, b""
    while done < sum(extent) + 16 and (block := inflate.unconsumed_tail or file.read(_BLOCK)):
        try:
            out = inflate.decompress(block, _BLOCK)
        except zlib.error:
            return False
        behind += out[max(0, sum(extent) - done) :][:16]
        done += len(out)
        if inflate.eof:
            break
    return behind.lstrip(b"\r\n").startswith(b"WARC/")


def _next_member(file: BinaryIO, at: int, last: int) -> int:
    """Where, from byte `at` on, a gzip member begins that holds a record; `last` if none does."""
    while at < last:
        file.seek(at)
        block = file.read(min(_BLOCK, last - at))
        found = block.find(_GZIP)
        while found >= 0:
            file.seek(at + found)
            try:
                if zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(file.read(4096), 16).startswith(b"WARC/"):
                    return at + found
            except zlib.error:
                pass  # the three bytes stood there by chance
            found = block.find(_GZIP, found + 1)
        if len(block) < _BLOCK:
            return last
        at += len(block) - 2
    return last


def _extent(head: bytes) -> tuple[int, int] | None:
    """(bytes of the record's header block, bytes of its content); None where the head is no record's."""
    stop = _HEAD_END.search(head)
    if not head.startswith(b"WARC/") or stop is None:
        return None
    length = _LENGTH.search(head, 0, stop.end())
    return (stop.end(), int(length[1])) if length else None


# --------------------------------------------------------------------------- plain


def _plain_pieces(file: BinaryIO, at: int, last: int, keep: int) -> Iterator[Piece]:
    while at < last:
        file.seek(at)
        head = file.read(min(_HEAD_BYTES, last - at))
        blank = len(head) - len(head.lstrip(b"\r\n"))
        if blank:
            at += blank
            continue
        extent = _extent(head)
        if extent is not None and at + sum(extent) <= last:
            file.seek(at)
            data = file.read(sum(extent)) if sum(extent) < keep else None
            yield Piece(offset=at, end=at + sum(extent), head=head, whole=True, data=data)
            at += sum(extent)
            if not _at_boundary(file, at, last):
                resume = _next_plain(file, at, last)
                yield Piece(offset=at, end=resume, head=b"", whole=False)
                at = resume
            continue
        resume = _next_plain(file, at + 1, last)
        yield Piece(offset=at, end=resume, head=head if extent else b"", whole=False)
        at = resume


def _at_boundary(file: BinaryIO, at: int, last: int) -> bool:
    file.seek(at)
    rest = file.read(min(64, last - at)).lstrip(b"\r\n")
    return rest == b"" or rest.startswith(b"WARC/")


def _next_plain(file: BinaryIO, at: int, last: int) -> int:
    while at < last:
        file.seek(at)
        block = file.read(min(_BLOCK, last - at))
        found = block.find(b"\nWARC/1.")
        if found >= 0:
            return at + found + 1
        if len(block) < _BLOCK:
            return last
        at += len(block) - 8
    return last
