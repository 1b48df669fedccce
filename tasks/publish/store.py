"""The folder of tables: where a night's file lies, and how a whole night appears at once.

    <root>/<table>/dt=<night>/part-0.parquet    the tables, one file a table and night
    <root>/datapackage.json                     what they are
    <root>/.state/…                             what later nights need (signatures for copies); can be rebuilt
    <root>/.work/<run>/…                        shards of a run that is not published yet
    <root>/.commit/…                            a night on its way in

A commit writes every new file into `.commit/new`, syncs them, then renames the list of moves to `.commit/moves.json`:
from that instant the night counts as published. The moves are renames within one file system and take milliseconds. A
process killed among them leaves the list, and whoever opens the store next finishes it first.

A folder can be the mirror of a bucket (tasks/remote/mirror.py): then the lock is one in the bucket as well, and a
commit appears there first.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks import tables
from tasks.files import sync
from tasks.remote.bucket import RemoteError
from tasks.remote.mirror import Mirror

PART = "part-0.parquet"
# A reader that sees a new row must find what it points to: articles come first, the run that made them last.
ORDER = ("articles", "sources", "quotes", "events", "quote_groups", "source_index", "stories", "outlets", "coverage",
         "inputs", "runs")  # fmt: skip


class StoreError(Exception):
    """The tables cannot be read or written; the message says why and what to do. Nothing in them was changed."""


@dataclass(frozen=True, slots=True)
class Store:
    """The tables below one folder. Opening it finishes an interrupted commit and checks the schema version."""

    root: Path

    @classmethod
    def open(cls, root: Path, *, write: bool = False) -> Store:
        """Raises StoreError if the folder cannot be made or written, or holds tables of a newer nightdesk."""
        store = cls(root)
        if write:
            _make_writable(root)
        elif not root.is_dir():
            raise StoreError(f"no tables at {root}: run `nightdesk ingest` or `nightdesk run` first, or give --out")
        if os.access(root, os.W_OK):
            store._finish_commit()
        store._check_version()
        return store

    # ------------------------------------------------------------------ reading

    def path(self, table: str, night: dt.date) -> Path:
        return self.root / table / f"dt={night.isoformat()}" / PART

    def nights(self, table: str) -> list[dt.date]:
        """Nights the table has, oldest first."""
        found = []
        for folder in (self.root / table).glob("dt=????-??-??"):
            if (folder / PART).is_file():
                found.append(dt.date.fromisoformat(folder.name.removeprefix("dt=")))
        return sorted(found)

    def files(self, table: str, *, since: dt.date | None = None, before: dt.date | None = None) -> list[Path]:
        """Files of nights in [since, before], both included, oldest first."""
        return [
            self.path(table, n)
            for n in self.nights(table)
            if (since is None or n >= since) and (before is None or n <= before)
        ]

    def state_path(self, name: str, night: dt.date) -> Path:
        return self.root / ".state" / name / f"{night.isoformat()}.parquet"

    def state_files(self, name: str, *, since: dt.date, before: dt.date) -> list[Path]:
        folder = self.root / ".state" / name
        found = sorted(p for p in folder.glob("*.parquet"))
        return [p for p in found if since <= dt.date.fromisoformat(p.stem) <= before]

    def work(self, run_id: str) -> Path:
        return self.root / ".work" / run_id

    # ------------------------------------------------------------------ writing

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One writer at a time; the lock dies with its process. Raises StoreError if another one holds it."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as err:
                raise StoreError(
                    f"another nightdesk is writing to {self.root}: wait for it, or give another folder with --out"
                ) from err
            mirror = Mirror.at(self.root)
            if mirror is None:
                self._finish_pending()
                yield
                return
            with _as_store_error(), mirror.writing():
                yield

    def begin(self) -> Commit:
        """A new commit; call it under the lock. What an earlier process staged but did not publish is forgotten."""
        if (self.root / ".commit" / "moves.json").is_file():
            raise StoreError(f"{self.root} has a commit that is not finished: give the same command again")
        shutil.rmtree(self.root / ".commit", ignore_errors=True)
        (self.root / ".commit" / "new").mkdir(parents=True)
        return Commit(self)

    def _finish_commit(self) -> None:
        if (self.root / ".commit" / "moves.json").is_file():
            try:
                with self.lock():
                    pass  # taking the lock finishes it
            except StoreError:
                return  # its writer is alive and at it

    def _finish_pending(self) -> None:
        moves = self.root / ".commit" / "moves.json"
        if moves.is_file():
            self._apply(json.loads(moves.read_text(encoding="utf-8")))

    def _apply(self, moves: list[list[str]]) -> None:
        """Carry out a published list of moves; done ones are skipped, so it can be repeated."""
        for kind, source, place in moves:
            target = self.root / place
            origin = self.root / source
            if origin.exists() and not (kind == "folder" and target.exists()):
                target.parent.mkdir(parents=True, exist_ok=True)
                os.replace(origin, target)
        shutil.rmtree(self.root / ".commit", ignore_errors=True)

    def _check_version(self) -> None:
        package = self.root / "datapackage.json"
        if not package.is_file():
            return
        try:
            version = int(json.loads(package.read_text(encoding="utf-8"))["schema_version"])
        except (ValueError, TypeError, KeyError) as err:
            raise StoreError(f"{package} is damaged: move it away and run again, it is made anew") from err
        if version > tables.SCHEMA_VERSION:
            raise StoreError(
                f"the tables at {self.root} were written by a newer nightdesk (table format {version}; this one knows "
                f"{tables.SCHEMA_VERSION}): upgrade nightdesk, or give another folder with --out"
            )


class Commit:
    """New files of one publication. `stage` gives a path to write to; `publish` makes all of them appear."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._new = store.root / ".commit" / "new"
        self._files: list[Path] = []  # relative to the root
        self._folders: list[tuple[str, str]] = []

    def stage(self, place: Path) -> Path:
        """Where to write the file that shall stand at `place` (a path below the store's root)."""
        relative = place.relative_to(self._store.root)
        self._files.append(relative)
        staged = self._new / relative
        staged.parent.mkdir(parents=True, exist_ok=True)
        return staged

    def files(self, table: str) -> list[Path]:
        """The table as it will be: published files, oldest night first, with staged ones in their place."""
        published = {f.relative_to(self._store.root): f for f in self._store.files(table)}
        staged = {f: self._new / f for f in self._files if f.parts[0] == table}
        return [path for _, path in sorted((published | staged).items())]

    def rename_folder(self, old: Path, new: Path) -> None:
        """Rename a folder when the commit is published, before its files are replaced.

        A table over the whole corpus has one partition, whose name moves to the newest night: renamed, not deleted and
        made anew, so that no reader ever finds it empty or twice.
        """
        root = self._store.root
        self._folders.append((str(old.relative_to(root)), str(new.relative_to(root))))

    def publish(self) -> None:
        root = self._store.root
        for place in self._files:
            sync(self._new / place)
        rank = {table: i for i, table in enumerate(ORDER)}
        files = sorted(self._files, key=lambda f: rank.get(f.parts[0], len(ORDER)))
        moves = [["folder", *m] for m in self._folders]
        moves += [["file", str(Path(".commit", "new", f)), str(f)] for f in files]
        mirror = Mirror.at(root)
        if mirror is not None:
            # in the bucket first: what dies from here on is brought back into the folder by whoever opens it next
            names = [f.as_posix() for f in files]
            with _as_store_error():
                mirror.publish({n: self._new / n for n in names}, self._folders)
                self._store._apply(moves)
                mirror.keep_up(names, self._folders)
            return
        draft = root / ".commit" / "moves.draft"
        draft.write_text(json.dumps(moves), encoding="utf-8")
        sync(draft)
        os.replace(draft, root / ".commit" / "moves.json")
        sync(root / ".commit")
        self._store._apply(moves)


@contextmanager
def _as_store_error() -> Iterator[None]:
    try:
        yield
    except RemoteError as err:
        raise StoreError(str(err)) from err


def _make_writable(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe = root / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except (OSError, NotADirectoryError) as err:
        reason = "it is a file" if root.is_file() else getattr(err, "strerror", None) or str(err)
        raise StoreError(f"cannot write to {root} ({reason}): give a folder you may write to with --out") from err
