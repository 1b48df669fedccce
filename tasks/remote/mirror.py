"""A local folder that stands for what lies in a bucket; who reads and writes tables works in it as on any disk.

    <folder>/.mirror/remote.json   address, endpoint, this mirror's own name
    <folder>/.mirror/files.json    of every file: the ETag it was fetched or put with, and its size and time then
    <folder>/.mirror/head          ETag of the list of moves that the folder's tables stand on

In the bucket a publication is staged under `.commit/<id>/`; then `.commit/moves.json` is exchanged for the list of its
moves, by one conditional PUT: from that instant the night counts as published. Copies by the server bring the files to
their places, and the list is emptied. A process killed among them leaves the list: readers follow it, and whoever
writes next carries it out. The PUT asks for the list that the tables were made from, so of two writers that each
believe to be alone (one slept through its lease) only one publishes.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks import tables
from tasks.files import put_in_place
from tasks.remote.bucket import Bucket, Found, RemoteError, is_remote, written
from tasks.remote.lease import LOCK, Lease
from tasks.settings import S3Settings

HEAD = ".commit/moves.json"
OURS = ".mirror"
TRIES = 5
AT_ONCE = 8
"""Requests at a time: one is bound by the way to the server, not by its bandwidth."""
PRIVATE = (".commit/", ".work/", ".mirror/", LOCK, ".probe")
"""What of a folder of tables is no one else's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The list of moves: empty when the last publication is finished, ETag None where there never was one."""

    etag: str | None
    moves: list[list[str]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """The mirror in one folder. `name` is its own, made once."""

    folder: Path
    bucket: Bucket
    name: str
    lease_s: float

    # ------------------------------------------------------------------ which

    @classmethod
    def make(cls, address: str, rules: S3Settings, *, what: str) -> Mirror:
        """The mirror of an address, in the cache: the same one for the same address. Nothing is fetched yet."""
        bucket = Bucket(written(address).rstrip("/"), rules.endpoint)
        place = hashlib.blake2b(f"{bucket.address} {bucket.server()}".encode(), digest_size=5).hexdigest()
        folder = Path(rules.cache).absolute() / f"{what}-{bucket.name}-{place}"
        marker = folder / OURS / "remote.json"
        if not marker.is_file():
            marker.parent.mkdir(parents=True, exist_ok=True)
            said = {"address": bucket.address, "endpoint": rules.endpoint, "name": uuid.uuid4().hex}
            _write(marker, said)
        said = json.loads(marker.read_text(encoding="utf-8")) | {"lease_s": rules.lease_s}
        _write(marker, said)
        return cls(folder, bucket, said["name"], rules.lease_s)

    @classmethod
    def at(cls, folder: Path) -> Mirror | None:
        """The mirror whose folder this is; None for a folder that is none."""
        marker = folder / OURS / "remote.json"
        if not marker.is_file():
            return None
        said = json.loads(marker.read_text(encoding="utf-8"))
        return cls(folder, Bucket(said["address"], said["endpoint"]), said["name"], said["lease_s"])

    @classmethod
    def around(cls, path: Path) -> Mirror | None:
        """The mirror that a path lies in."""
        full = path.absolute()
        return next((m for p in (full, *full.parents) if (m := cls.at(p)) is not None), None)

    def named(self, path: Path) -> str:
        """A file's name in the bucket."""
        return path.absolute().relative_to(self.folder).as_posix()

    def address_of(self, path: Path) -> str:
        name = self.named(path)
        return self.bucket.address if name == "." else f"{self.bucket.address}/{name}"

    # ------------------------------------------------------------------ single files: raw archive, inputs

    def bring(self, names: Iterable[str], found: Mapping[str, Found] | None = None) -> None:
        """Fetch files that are not here, or are others by now."""
        there = {n: f for n in names if (f := found[n] if found else self.bucket.look(n)) is not None}
        with self._alone(wait=True):
            known = self.known()
            wanted = [n for n in there if not self._is_same(n, known, there[n].etag)]
            self._fetch({n: there[n] for n in wanted})

    def send(self, names: Iterable[str]) -> None:
        """Put files into the bucket, each whole or not at all."""
        wanted = list(names)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda n: self.bucket.put(n, self.folder / n), wanted))
        self._note(wanted)

    def drop(self, names: Iterable[str]) -> None:
        """Remove local copies; in the bucket the files stay."""
        gone = list(names)
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)
            _tidy(self.folder / name, self.folder)
        self._remember({}, gone=gone)

    def _is_same(self, name: str, known: Mapping[str, list[Any]], etag: str) -> bool:
        return name in known and known[name][0] == etag and (self.folder / name).is_file()

    def _fetch(self, wanted: Mapping[str, Found]) -> None:
        draft = self.folder / OURS / "new"
        for some in _pieces(list(wanted), 100):
            shutil.rmtree(draft, ignore_errors=True)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda n: self.bucket.fetch(wanted[n].key, draft / n), some))
            for name in some:
                if name.endswith(".sqlite"):  # what it was being written with belongs to the file that was here
                    for more in ("-wal", "-shm"):
                        (self.folder / f"{name}{more}").unlink(missing_ok=True)
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                put_in_place(draft / name, self.folder / name)
            self._remember({n: wanted[n].etag for n in some})
        shutil.rmtree(draft, ignore_errors=True)

    # ------------------------------------------------------------------ tables

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The one writer, here and in the bucket: what another left unfinished is finished, the folder brought up to
        date, and what was written beside the tables is put there at the end. Raises RemoteError if there is another."""
        with self._alone(wait=True), Lease(self.bucket, self.name, self.lease_s):
            self.finish()
            self._bring_all()
            yield
            self.push()

    def refresh(self) -> None:
        """Bring the folder up to date for reading: whole nights, also where a publication is under way. While a writer
        of this machine is at work it is left as it is, for that one keeps it up to date."""
        with self._alone(wait=False) as mine:
            if mine:
                self._bring_all()

    @contextmanager
    def _alone(self, *, wait: bool) -> Iterator[bool]:
        (self.folder / OURS).mkdir(parents=True, exist_ok=True)
        with (self.folder / OURS / "busy").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True

    def _bring_all(self) -> None:
        for _ in range(TRIES):
            head = self._head()
            there = self._listed(head)
            known = self.known()
            wanted = [n for n in there if not self._is_same(n, known, there[n].etag)]
            try:
                self._fetch({n: there[n] for n in sorted(wanted, key=_rank)})
            except RemoteError:
                if self._head().etag == head.etag:
                    raise
                continue  # what was staged has gone to its place
            if self._head().etag == head.etag:
                self.drop(known.keys() - there.keys())
                self._stand_on(head.etag)
                return
        raise RemoteError(f"{self.bucket.address} changes all the time: give the same command again")

    def _listed(self, head: Head) -> dict[str, Found]:
        """Every file of the tables as it is, or will be when the list of moves is carried out."""
        everything = self.bucket.found()
        out = {n: f for n, f in everything.items() if not n.startswith(PRIVATE)}
        for kind, source, place in head.moves:
            if kind == "gone":
                out.pop(place, None)
            elif source in everything:
                out[place] = everything[source]
        return out

    def _head(self) -> Head:
        found = self.bucket.look(HEAD)
        if found is None:
            return Head(etag=None, moves=[])
        data = self.bucket.read(HEAD)
        return Head(etag=found.etag, moves=json.loads(data or b"{}").get("moves", []))

    def finish(self) -> None:
        """Carry out a list of moves that its writer left. Call it as the one writer."""
        head = self._head()
        if head.etag is not None and head.moves:
            self._carry_out(head)

    def publish(self, files: Mapping[str, Path], folders: Iterable[tuple[str, str]]) -> None:
        """Let files appear at their names, and files of `folders` (old, new) at their new ones, all in one instant.

        Raises RemoteError, and changes nothing, if others published since the folder was brought up to date.
        """
        for stale in [n for n in self.bucket.found(".commit/") if n != HEAD]:
            self.bucket.delete([stale])
        stage = f".commit/{uuid.uuid4().hex}/"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda n: self.bucket.put(stage + n, files[n]), files))
        moves = [["file", stage + n, n] for n in files]
        for old, new in folders:
            for name in [n for n in self.known() if n.startswith(old + "/")]:
                target = new + name.removeprefix(old)
                if target not in files:
                    moves.append(["file", name, target])
                moves.append(["gone", "", name])
        data = json.dumps({"commit": stage, "moves": moves}).encode()
        base = self._stands_on()
        etag = self.bucket.replace(HEAD, data, base) if base else self.bucket.create(HEAD, data)
        if etag is None:
            raise RemoteError(
                f"another nightdesk published to {self.bucket.address} meanwhile, so nothing was published: give the "
                "same command again"
            )
        self._carry_out(Head(etag=etag, moves=moves))

    def _carry_out(self, head: Head) -> None:
        """Can be repeated: a staged object that is gone was copied, for all are deleted after the last copy."""
        staged = self.bucket.found(".commit/")
        for kind, source, place in head.moves:
            if kind == "gone":
                self.bucket.delete([place])
            elif source in staged:
                self.bucket.copy(staged[source].key, place)
            elif not source.startswith(".commit/") and (other := self.bucket.look(source)):
                self.bucket.copy(other.key, place)
        self.bucket.delete([n for n in staged if n != HEAD])
        done = json.dumps({"commit": uuid.uuid4().hex, "moves": []}).encode()
        etag = self.bucket.replace(HEAD, done, head.etag or "")
        if etag is None:
            raise RemoteError(f"another nightdesk writes to {self.bucket.address}: give the same command again")
        self._stand_on(etag)

    def keep_up(self, files: Iterable[str], folders: Iterable[tuple[str, str]]) -> None:
        """What was published stands in the folder by now, too."""
        gone = [n for old, _ in folders for n in self.known() if n.startswith(old + "/")]
        self._remember({}, gone=gone)
        self._note(list(files))

    def push(self) -> None:
        """Put what was written beside the tables (reports, checks, the state) into the bucket; what was removed of the
        state goes there, too. Tables go by `publish` only."""
        known = self.known()
        here = [n for n in self._here() if _is_loose(n)]
        self.send([n for n in here if n not in known or known[n][1:] != _stamp(self.folder / n)])
        gone = [n for n in known if n.startswith(".state/") and not (self.folder / n).is_file()]
        if gone:
            self.bucket.delete(gone)
            self._remember({}, gone=gone)

    def _here(self) -> Iterator[str]:
        for top in sorted(self.folder.iterdir()):
            if top.is_file():
                yield top.name
            elif not f"{top.name}/".startswith(PRIVATE):
                yield from (self.named(p) for p in sorted(top.rglob("*")) if p.is_file())

    # ------------------------------------------------------------------ what is known of the files

    def known(self) -> dict[str, list[Any]]:
        """name -> ETag, size, time."""
        file = self.folder / OURS / "files.json"
        try:
            found: dict[str, list[Any]] = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # lost: everything is fetched again
        return found

    def _remember(self, etags: Mapping[str, str], gone: Iterable[str] = ()) -> None:
        known = self.known()
        for name in gone:
            known.pop(name, None)
        for name, etag in etags.items():
            known[name] = [etag, *_stamp(self.folder / name)]
        _write(self.folder / OURS / "files.json", known)

    def _note(self, names: list[str]) -> None:
        """Remember the ETags that files have in the bucket by now."""
        if len(names) > 3:
            there = self.bucket.found()
            self._remember({n: there[n].etag for n in names if n in there})
        elif names:
            looked = {n: self.bucket.look(n) for n in names}
            self._remember({n: f.etag for n, f in looked.items() if f is not None})

    def _stands_on(self) -> str:
        file = self.folder / OURS / "head"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def _stand_on(self, etag: str | None) -> None:
        draft = self.folder / OURS / "head.part"
        draft.write_text(etag or "", encoding="utf-8")
        os.replace(draft, self.folder / OURS / "head")


def address_of(path: str | Path) -> str | None:
    """The address that a local file stands for; None where it stands for itself."""
    if is_remote(path):
        return written(path)
    mirror = Mirror.around(Path(path))
    return mirror.address_of(Path(path)) if mirror else None


def at_hand(path: Path) -> bool:
    """Whether a file is here, or could be fetched."""
    if path.is_file():
        return True
    mirror = Mirror.around(path)
    if mirror is not None:
        mirror.bring([mirror.named(path)])
    return path.is_file()


def forget_copies(folder: Path) -> None:
    """Remove local copies of what is safe in the bucket, where the folder is a mirror: they are fetched when needed."""
    mirror = Mirror.at(folder)
    if mirror is not None:
        mirror.drop(mirror.known())


def _is_loose(name: str) -> bool:
    if name.startswith(PRIVATE) or name == "datapackage.json" or name.split("/")[0] in tables.TABLES:
        return False
    return not (name.startswith(".state/") and name.endswith((".parquet", "-wal", "-shm")))


def _rank(name: str) -> tuple[int, str]:
    """Articles before what points to them."""
    order = list(tables.TABLES)
    top = name.split("/")[0]
    return (order.index(top) if top in order else len(order), name)


def _stamp(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _tidy(path: Path, top: Path) -> None:
    """Remove the folders that a removed file leaves empty."""
    for folder in path.parents:
        if folder == top or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def _pieces(names: list[str], size: int) -> Iterator[list[str]]:
    for i in range(0, len(names), size):
        yield names[i : i + size]


def _write(path: Path, data: Any) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    draft.write_text(json.dumps(data), encoding="utf-8")
    os.replace(draft, path)
