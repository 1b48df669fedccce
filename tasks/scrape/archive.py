"""The raw archive of a night: WARC 1.1 files, request and response of every page, safe to be killed at any moment.

A file is written as NAME.warc.gz.part and renamed when it is closed. Each record is a gzip member of its own and is
flushed before the next fetch is counted, so what a killed scrape had is there but for the record it was writing.
Where the folder mirrors a bucket, each finished file goes there, beside the fetching.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tasks.discover.records import Fetched
from tasks.remote.mirror import Mirror
from tasks.scrape.frames import pieces
from tasks.scrape.warc_records import exchange, info
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
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._mirror = Mirror.around(folder)
        self._sender = ThreadPoolExecutor(1)
        self._sent: list[Future[None]] = []
        self._salvage()
        self._even()
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

    def _even(self) -> None:
        """Finished files of this run are here and in the bucket, whichever of both had them."""
        if self._mirror is None:
            return
        there = self._mirror.bucket.found(f"{self._mirror.named(self._folder)}/{self._run}-")
        here = {self._mirror.named(p) for p in self.files()}
        self._mirror.bring(there.keys() - here, there)
        self._mirror.send(here - there.keys())

    def add(self, got: Fetched, *, outlet: str) -> None:
        """Write one response with its request."""
        self._write(got, outlet, exchange(got, outlet))

    def add_repeated(self, got: Fetched, *, outlet: str, same_as: tuple[str, str, str]) -> None:
        """Write one response that repeats an earlier one, (address, WARC date, digest), as a revisit record."""
        self._write(got, outlet, exchange(got, outlet, same_as=same_as))

    def _write(self, got: Fetched, outlet: str, records: bytes) -> None:
        file = self._file or self._open(got)
        file.write(records)
        file.flush()
        self.archived[got.address] = outlet
        self._count += 1
        if self._count >= self._per_file:
            self.close()

    def _open(self, got: Fetched) -> BinaryIO:
        path = self._folder / f"{self._run}-{self._next:05d}.warc.gz{_PART}"
        self._file = path.open("xb")
        self._next += 1
        self._count = 0
        facts = [("software", "nightdesk"), ("format", "WARC File Format 1.1"), ("http-header-user-agent", self._agent)]
        date = got.fetched_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._file.write(info(path.name.removesuffix(_PART), date, facts))
        return self._file

    def close(self) -> None:
        """Finish the open file: synced, then renamed."""
        if self._file is None:
            return
        part = Path(self._file.name)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        whole = part.rename(part.with_name(part.name.removesuffix(_PART)))
        if self._mirror is not None:
            self._sent.append(self._sender.submit(self._mirror.send, [self._mirror.named(whole)]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            self._sender.shutdown()
            for sent in self._sent:
                sent.result()
        elif self._file is not None:
            with contextlib.suppress(OSError):  # the disk is full: what is in the buffer is lost, what is written stays
                self._file.close()


def archived_addresses(path: Path, *, end: int | None = None) -> Iterator[tuple[str, str | None]]:
    """(address as discovered, outlet) of every response in one of our files, up to byte `end`."""
    for piece in pieces(path, end=end):
        if piece.whole and re.search(rb"^WARC-Type:[ \t]*(?:response|revisit)", piece.head, re.I | re.M):
            address = _header(piece.head, ADDRESS_HEADER) or _header(piece.head, "WARC-Target-URI")
            if address:
                yield address, _header(piece.head, OUTLET_HEADER)


def _header(head: bytes, name: str) -> str | None:
    found = re.search(rb"^" + name.encode() + rb":[ \t]*([^\r\n]*)", head.partition(b"\r\n\r\n")[0], re.I | re.M)
    return found[1].decode("utf-8", "replace").strip() if found else None
