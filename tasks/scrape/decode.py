"""Content decoding within limits: gzip, deflate, brotli, chunks. A bomb is cut off, never unpacked."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any, BinaryIO

from fastwarc.stream_io import BrotliReader

_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]{0,200}\r?\n")


class DecodeError(ValueError):
    """The bytes are not what their header says; the message says how."""


class OverLimit(ValueError):
    """More bytes than allowed came out."""


class Inflater:
    """Feed it compressed bytes, get decompressed ones; raises OverLimit as soon as more than `limit` came out."""

    def __init__(self, encoding: str, *, limit: int) -> None:
        self._limit = limit
        self._out = 0
        self._first = True
        self._deflate = encoding == "deflate"
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS if self._deflate else zlib.MAX_WBITS | 16)

    def feed(self, data: bytes) -> bytes:
        if self._first and data and self._deflate and data[0] & 0x0F != 8:
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers send deflate without its zlib wrapper
        self._first = self._first and not data
        pieces: list[bytes] = []
        while data and not self._inflate.eof:
            try:
                piece = self._inflate.decompress(data, self._limit - self._out + 1)
            except zlib.error as err:
                raise DecodeError(f"the compressed content is damaged: {err}") from err
            self._out += len(piece)
            if self._out > self._limit:
                raise OverLimit(f"more than {self._limit} bytes after decompression")
            pieces.append(piece)
            data = self._inflate.unconsumed_tail
        return b"".join(pieces)

    @property
    def whole(self) -> bool:
        """Whether the compressed stream came to its end."""
        return self._inflate.eof or self._first


class GzipStream(io.RawIOBase):
    """The decompressed bytes of a gzip file, which may be seeked forward.

    Unlike gzip.GzipFile it gives the same bytes up to damage however it is read, so that two passes over a damaged
    file agree; at the damage it raises OSError, also where the file is cut off.
    """

    _BLOCK = 1 << 12  # what of the compressed file is lost before damage

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._rest = b""  # compressed, not yet looked at
        self._ready = memoryview(b"")
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._at
        if whence == io.SEEK_END or offset < self._at:
            raise io.UnsupportedOperation("a gzip stream is read forward")
        while self._at < offset and self._fill():
            step = min(offset - self._at, len(self._ready))
            self._ready = self._ready[step:]
            self._at += step
        return self._at

    def readinto(self, buffer: Any) -> int:
        if not self._fill():
            return 0
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        self._at += size
        return size

    def _fill(self) -> bool:
        """Whether bytes are ready; decompresses the next block, always of the same size, if there are none."""
        while not self._ready:
            if self._inflate.eof:
                self._rest = self._inflate.unused_data or self._file.read(self._BLOCK)
                if self._rest[:1] != b"\x1f":  # the end, or padding after it
                    return False
                self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
            block = self._rest or self._file.read(self._BLOCK)
            if not block:
                raise OSError("the gzip file is cut off")
            try:
                self._ready = memoryview(self._inflate.decompress(block, 1 << 18))
            except zlib.error as err:
                raise OSError(f"the gzip file is damaged: {err}") from err
            self._rest = self._inflate.unconsumed_tail
        return True


def unchunk(body: bytes) -> bytes | None:
    """The payload of a chunked body, or None where it is not one (archives often keep the header, not the chunks)."""
    pieces: list[bytes] = []
    at = 0
    while True:
        head = _CHUNK_HEAD.match(body, at)
        if not head:
            return None
        size = int(head[1], 16)
        if size == 0:
            return b"".join(pieces)
        end = head.end() + size
        if end > len(body):
            return None
        pieces.append(body[head.end() : end])
        at = end + 2 if body[end : end + 2] == b"\r\n" else end


def decode_body(body: bytes, encodings: str | None, *, limit: int) -> bytes:
    """A stored body after its Content-Encoding, e.g. "gzip" or "gzip, br".

    Archives also hold bodies that were decoded before they were stored under the old header: what does not begin as
    its encoding says is taken as it is. Raises OverLimit, and DecodeError for damaged content.
    """
    for encoding in reversed([e.strip().lower() for e in (encodings or "").split(",") if e.strip()]):
        if encoding in ("gzip", "x-gzip"):
            if body[:2] == b"\x1f\x8b":
                body = _inflated(body, "gzip", limit=limit)
        elif encoding == "deflate":
            try:
                body = _inflated(body, "deflate", limit=limit)
            except DecodeError:
                if b"<" not in body[:200]:
                    raise
        elif encoding == "br":
            body = _brotli(body, limit=limit)
        elif encoding not in ("identity", "none", "utf-8"):
            raise DecodeError(f"content encoding {encoding[:40]!r} is not known")
    if len(body) > limit:
        raise OverLimit(f"more than {limit} bytes")
    return body


def _inflated(body: bytes, encoding: str, *, limit: int) -> bytes:
    inflater = Inflater(encoding, limit=limit)
    out = inflater.feed(body)
    if not inflater.whole:
        raise DecodeError("the compressed content is cut off")
    return out


def _brotli(body: bytes, *, limit: int) -> bytes:
    reader = BrotliReader(io.BytesIO(body))
    try:
        out: bytes = reader.read(limit + 1)
    except OSError as err:
        if b"<" in body[:200]:
            return body
        raise DecodeError(f"the compressed content is damaged: {err}") from err
    if len(out) > limit:
        raise OverLimit(f"more than {limit} bytes after decompression")
    return out
