"""What a shard of stored inputs is, and the words of the errors that planning one can give."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tasks.remote.mirror import address_of

READER_VERSION = 1
"""Part of every shard id: rises when the same bytes are read differently, so that finished shards are done again."""

MAX_RECORD_BYTES = 64_000_000
"""A record (line, row, file, WARC record) larger than this is a failure: it bounds the memory of a reader."""

Kind = Literal["warc", "warc_stream", "html", "text", "jsonl", "csv", "tsv", "parquet"]


class InputError(ValueError):
    """Wrong use: what was given to ingest cannot be read at all. The message says which path, why, and what to do."""


class StateError(Exception):
    """What is remembered of sites cannot be opened; the message says what to do. No table is touched by that.

    (Here and not in state.py, so that the command line need not import a database for its name.)
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class InputOptions:
    """What the user says about stored inputs. `None` means not said."""

    text_column: str | None = None
    id_column: str | None = None
    published: str | None = None
    outlet: str | None = None
    already_clean: bool = False
    root: str | None = None  # folder that refs are told relative to, where a file lies in it: the raw archive's


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A batch of stored inputs: small and picklable, it says where they lie, not what they are.

    `start` and `end` are byte offsets of the (decompressed) file for jsonl, csv and tsv, of the stored file for warc,
    row numbers for parquet, and unused (0) for html and text, whose `paths` are the files, one input each. `first` is
    the number of the first record in its file, from 0. `count` is the number of inputs in it as counted by planning.
    """

    shard_id: str
    kind: Kind
    paths: tuple[str, ...]
    start: int
    end: int
    first: int
    count: int
    bytes: int
    options: InputOptions


def told(path: str, options: InputOptions) -> str:
    """A file's name as refs and rows tell it: relative to the raw archive's folder where it lies in it, so that it does
    not depend on where a command was given; by its address where it was fetched from one; else as it was given."""
    if options.root is not None:
        full, root = os.path.abspath(path), os.path.abspath(options.root)
        if full.startswith(root.rstrip("/") + "/"):
            return os.path.relpath(full, root)
    folder, name = os.path.split(path)
    address = _address(folder)
    return f"{address}/{name}" if address else path


@functools.lru_cache(maxsize=10_000)
def _address(folder: str) -> str | None:
    return address_of(folder or ".")


def shard_digest(kind: Kind, paths: Iterable[str], start: int, options: InputOptions) -> hashlib.blake2b:
    """A hash that already holds everything but the raw bytes; the caller adds those and calls `shard_name`.

    Paths and start are in it because the rows name them: two equal files are two shards.
    """
    digest = hashlib.blake2b(digest_size=12)
    for part in (
        READER_VERSION, kind, *(told(p, options) for p in paths), start,
        options.text_column, options.id_column, options.published, options.outlet, options.already_clean,
    ):  # fmt: skip
        data = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest


def shard_name(digest: hashlib.blake2b) -> str:
    """The id made of a finished digest, safe as a file name."""
    return digest.hexdigest()
