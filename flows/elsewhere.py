"""Shards on workers that share no disk with the flow: what goes to and fro lies in the bucket of the tables.

    <bucket>/.work/<run>/clean/<shard>.tar      what clean made of a shard, put by its worker
    <bucket>/.work/<run>/settled/<shard>.tar    what settle says of it, put by the flow
    <bucket>/.work/<run>/extract/<shard>.tar    what extract made of it, put by its worker

One object a shard and step, so it is there whole or not at all: a shard that is there was finished by an earlier try.
The steps are those of any run (clean_shard, extract_shard), in a folder of the worker's own that goes with the shard.
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tasks import tables
from tasks.clean.task import clean_shard
from tasks.extract.task import extract_shard
from tasks.files import put_in_place
from tasks.remote.bucket import SCHEME, Bucket
from tasks.remote.mirror import AT_ONCE, Mirror, address_of
from tasks.scrape.shards import Shard
from tasks.settings import CleanSettings, ExtractSettings, S3Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """Where the shards of a run go: a bucket, and the run's name below it. Small and picklable; no credentials."""

    bucket: Bucket
    under: str
    rules: S3Settings

    @classmethod
    def of(cls, work: Path, rules: S3Settings) -> There | None:
        """For a run's work folder; None where it lies in no mirror."""
        mirror = Mirror.around(work)
        return cls(bucket=mirror.bucket, under=mirror.named(work), rules=rules) if mirror else None

    def name(self, step: str, shard_id: str) -> str:
        return f"{self.under}/{step}/{shard_id}.tar"


def by_address(shard: Shard) -> Shard:
    """The shard with the addresses of its files, for who has not this machine's disk."""
    root = shard.options.root
    options = replace(shard.options, root=(address_of(root) or root) if root else None)
    return replace(shard, paths=tuple(address_of(p) or p for p in shard.paths), options=options)


# --------------------------------------------------------------------------- on a worker


def clean_there(shard: Shard, there: There, rules: CleanSettings, run_id: str) -> tables.ShardReport:
    """`clean_shard` on a worker: reads the shard's files where they lie, leaves one object."""
    name = there.name("clean", shard.shard_id)
    with tempfile.TemporaryDirectory(prefix="nightdesk-") as scratch:
        work = Path(scratch)
        done = _unpack(there.bucket, name, work)
        files = {} if done else _files(shard, there.rules, work / "files")
        report = clean_shard(shard, work, rules, run_id, files)
        if not done:
            _pack(there.bucket, name, work, [work / "clean" / shard.shard_id])
        return report


def extract_there(shard_id: str, there: There, rules: ExtractSettings) -> tables.ShardReport:
    """`extract_shard` on a worker: reads what clean and settle made of the shard, leaves one object."""
    name = there.name("extract", shard_id)
    with tempfile.TemporaryDirectory(prefix="nightdesk-") as scratch:
        work = Path(scratch)
        _unpack(there.bucket, there.name("settled", shard_id), work)
        if not (work / "stripped" / f"{shard_id}.parquet").is_file():
            _unpack(there.bucket, there.name("clean", shard_id), work)
        _unpack(there.bucket, name, work)
        before = _moment(work / "extract" / shard_id)
        report = extract_shard(shard_id, work, rules)
        if _moment(work / "extract" / shard_id) != before:
            _pack(there.bucket, name, work, [work / "extract" / shard_id])
        return report


def _moment(folder: Path) -> int | None:
    return folder.stat().st_ino if folder.is_dir() else None


def _files(shard: Shard, rules: S3Settings, scratch: Path) -> dict[str, str]:
    """Local copies of the shard's files: of a WARC file only the shard's own bytes, with a hole before and after."""
    out = {}
    for number, path in enumerate(shard.paths):
        if not path.startswith(SCHEME):
            continue  # a disk that the workers share
        bucket, _, name = path.removeprefix(SCHEME).partition("/")
        source = Bucket(f"{SCHEME}{bucket}", rules.endpoint)
        if shard.kind == "warc":
            found = source.look(name)
            local = scratch / str(number) / Path(name).name
            if found is not None:
                source.fetch_range(found.key, shard.start, shard.end, found.bytes, local)
        else:
            mirror = Mirror.make(source.address, rules, what="inputs")
            mirror.bring([name])
            local = mirror.folder / name
        out[path] = str(local)
    return out


# --------------------------------------------------------------------------- in the flow


def collect(there: There, work: Path, step: str, shard_ids: Sequence[str]) -> None:
    """Bring what workers made of shards into the run's own folder; what is there is left."""
    wanted = [s for s in shard_ids if not (work / step / s).is_dir()]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda s: _unpack(there.bucket, there.name(step, s), work), wanted))


def deliver(there: There, work: Path, shard_ids: Sequence[str]) -> None:
    """Put what settle says of each shard where its worker finds it."""

    def one(shard_id: str) -> None:
        settled, stripped = (work / step / f"{shard_id}.parquet" for step in ("settled", "stripped"))
        parts = [settled, *([stripped] if stripped.is_file() else [])]
        _pack(there.bucket, there.name("settled", shard_id), work, parts)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, shard_ids))


# --------------------------------------------------------------------------- one object for a few files


def _pack(bucket: Bucket, name: str, work: Path, parts: Sequence[Path]) -> None:
    with _draft(work) as draft:
        with tarfile.open(draft, "w") as tar:
            for part in parts:
                tar.add(part, part.relative_to(work).as_posix())
        bucket.put(name, draft)


def _unpack(bucket: Bucket, name: str, work: Path) -> bool:
    """Whether there is such an object; then its files stand in `work`, its folder by one rename."""
    found = bucket.look(name)
    if found is None:
        return False
    with _draft(work) as draft:
        bucket.fetch(found.key, draft)
        folder = draft.with_suffix(".d")
        with tarfile.open(draft) as tar:
            tar.extractall(folder, filter="data")
        for step in folder.iterdir():
            (work / step.name).mkdir(parents=True, exist_ok=True)
            for part in step.iterdir():
                target = work / step.name / part.name
                if not target.is_dir():
                    put_in_place(part, target)
    return True


@contextmanager
def _draft(work: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".moving-", dir=work) as folder:
        yield Path(folder) / "shard.tar"
