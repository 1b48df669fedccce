"""The raw archive of a night: WARC 1.1 files, request and response of every page, safe to be killed at any moment.

A file is written as NAME.warc.gz.part and renamed when it is closed. Each record is a gzip member of its own and is
flushed before the next fetch is counted, so what a killed scrape had is there but for the record it was writing.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import string
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote, urlsplit

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tasks.discover.records import Fetched
from tasks.scrape.frames import pieces
from tasks.scrape.warcs import ADDRESS_HEADER, OUTLET_HEADER

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_PART = ".part"


class RawArchive:
    """The files of one run of one night in `folder`. Use as a context manager: leaving it closes the open file, but
    leaving it by an exception (a full disk) keeps its name of an unfinished one, for the next scrape to salvage.

    `archived` maps the addresses that are in it to their outlets, those of an earlier, killed scrape of the same name
    among them. Raises ValueError for a run name that is no file name, OSError where the disk does not take it.
    """

    def __init__(self, folder: Path, run_name: str, *, records_per_warc: int, agent: str) -> None:
        if not _NAME.fullmatch(run_name):
            raise ValueError(f"run name {run_name!r}: use letters, digits, dots, dashes and underscores")
        self._folder = folder
        self._run = run_name
        self._per_file = records_per_warc
        self._agent = agent
        self._file: BinaryIO | None = None
        self._writer: WARCWriter | None = None
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._salvage()
        self.archived: dict[str, str | None] = {}
        for path in self.files():
            for address, outlet in archived_addresses(path):
                self.archived.setdefault(address, outlet)
        self._next = 1 + max((int(p.name[-13:-8]) for p in self.files()), default=-1)

    def files(self) -> list[Path]:
        """The finished files, in the order they were written."""
        name = re.compile(re.escape(self._run) + r"-\d{5}\.warc\.gz")
        return sorted(p for p in self._folder.iterdir() if name.fullmatch(p.name))

    def _salvage(self) -> None:
        """Keep the whole records of a file that a killed scrape left open, up to the first that is not whole."""
        name = re.compile(re.escape(self._run) + r"-\d{5}\.warc\.gz" + re.escape(_PART))
        for part in sorted(p for p in self._folder.iterdir() if name.fullmatch(p.name)):
            end = 0
            for piece in pieces(part):
                if not piece.whole:
                    break
                end = piece.end
            if not any(True for _ in archived_addresses(part, end=end)):
                part.unlink()
                continue
            with part.open("r+b") as file:
                file.truncate(end)
                os.fsync(file.fileno())
            part.rename(part.with_name(part.name.removesuffix(_PART)))

    def add(self, got: Fetched, *, outlet: str) -> None:
        """Write one response with its request."""
        if self._writer is None:
            self._open()
        assert self._writer is not None
        assert self._file is not None
        self._writer.write_request_response_pair(_request(self._writer, got), _response(self._writer, got, outlet))
        self._file.flush()
        self.archived[got.address] = outlet
        self._count += 1
        if self._count >= self._per_file:
            self.close()

    def _open(self) -> None:
        path = self._folder / f"{self._run}-{self._next:05d}.warc.gz{_PART}"
        self._file = path.open("xb")
        self._writer = WARCWriter(self._file, gzip=True, warc_version="WARC/1.1")
        self._next += 1
        self._count = 0
        info = {"software": "nightdesk", "format": "WARC File Format 1.1", "http-header-user-agent": self._agent}
        self._writer.write_record(self._writer.create_warcinfo_record(path.name.removesuffix(_PART), info))

    def close(self) -> None:
        """Finish the open file: synced, then renamed."""
        if self._file is None:
            return
        part = Path(self._file.name)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = self._writer = None
        part.rename(part.with_name(part.name.removesuffix(_PART)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif self._file is not None:
            with contextlib.suppress(OSError):  # the disk is full: what is in the buffer is lost, what is written stays
                self._file.close()


def archived_addresses(path: Path, *, end: int | None = None) -> Iterator[tuple[str, str | None]]:
    """(address as discovered, outlet) of every response in one of our files, up to byte `end`."""
    for piece in pieces(path, end=end):
        if piece.whole and re.search(rb"^WARC-Type:[ \t]*response", piece.head, re.I | re.M):
            address = _header(piece.head, ADDRESS_HEADER) or _header(piece.head, "WARC-Target-URI")
            if address:
                yield address, _header(piece.head, OUTLET_HEADER)


def _header(head: bytes, name: str) -> str | None:
    found = re.search(rb"^" + name.encode() + rb":[ \t]*([^\r\n]*)", head.partition(b"\r\n\r\n")[0], re.I | re.M)
    return found[1].decode("utf-8", "replace").strip() if found else None


def _date(got: Fetched) -> str:
    return got.fetched_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _clean(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """Headers in ASCII, other bytes as %XX: warcio takes no others, and one odd server must not end the night."""
    return [(re.sub(r"[^!-9;-~]", "", k), re.sub(r"[^\t\x20-\x7e]", _percent, v)) for k, v in headers]


def _percent(character: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in character[0].encode("latin-1", "replace"))


def _response(writer: WARCWriter, got: Fetched, outlet: str) -> object:
    """The response record. The body is kept as sent but for its chunks, whose header is renamed as archives do."""
    headers = [(f"X-Archive-Orig-{k}" if k.lower() == "transfer-encoding" else k, v) for k, v in _clean(got.headers)]
    extra = {"WARC-Date": _date(got), OUTLET_HEADER: outlet, "WARC-Protocol": got.protocol}
    if got.address != got.url:
        extra[ADDRESS_HEADER] = got.address
    if got.ip:
        extra["WARC-IP-Address"] = got.ip
    phrase = re.sub(r"[^\x20-\x7e]", "", got.phrase)
    return writer.create_warc_record(
        got.url,
        "response",
        payload=io.BytesIO(got.raw),
        length=len(got.raw),
        http_headers=StatusAndHeaders(f"{got.status} {phrase}".strip(), headers, protocol="HTTP/1.1"),
        warc_headers_dict=extra,
    )


def _request(writer: WARCWriter, got: Fetched) -> object:
    parts = urlsplit(got.url)
    target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=string.punctuation)
    return writer.create_warc_record(
        got.url,
        "request",
        http_headers=StatusAndHeaders(f"GET {target} HTTP/1.1", _clean(got.request_headers), is_http_request=True),
        warc_headers_dict={"WARC-Date": _date(got)},
    )
