"""What is remembered of sites between nights: one SQLite file, or a PostgreSQL database by its address.

Losing it costs politeness, not tables: feeds are read whole once more, and what was known of the articles' addresses is
learnt again from the tables and the raw archive (`tasks/scrape/learn.py`).

Times are seconds since 1970, UTC. Rows are keyed by a hash of the address, which may be longer than an index takes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError

from tasks.discover.address import same_key
from tasks.discover.memory import SourceMemory
from tasks.discover.parse import Entry
from tasks.scrape.shards import StateError
from tasks.scrape.state_schema import MIGRATIONS, hosts, learnt, meta, pages, sources
from tasks.scrape.visits import Visited

__all__ = ["State", "StateError", "key_of"]

log = logging.getLogger(__name__)

BATCH = 400
"""Rows looked up or written at once; SQLite takes a limited number of values."""


def key_of(address: str) -> str:
    """Equal for addresses that differ by scheme, a leading www. or a last slash only."""
    return hashlib.blake2b(same_key(address).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class State:
    """The remembered state. Use as a context manager, or close it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    @classmethod
    def open(cls, where: str | Path) -> State:
        """The state in a file or at an SQLAlchemy address, brought to today's form. A damaged file is put aside and
        begun anew. Raises StateError where it cannot be had, or is of a newer nightdesk."""
        text = str(where)
        if "://" in text:
            return cls._opened(text)
        path = Path(text)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls._opened(f"sqlite:///{path}")
        except DatabaseError as err:
            if not path.is_file() or path.stat().st_size == 0:
                raise StateError(f"the state {path} cannot be opened: {err.__cause__ or err}") from err
            aside = path.with_name(path.name + ".damaged")
            path.replace(aside)
            for more in ("-wal", "-shm"):
                path.with_name(path.name + more).unlink(missing_ok=True)
            log.warning("the state %s is damaged: moved to %s, and made anew from the tables", path, aside)
            return cls._opened(f"sqlite:///{path}")
        except OSError as err:
            raise StateError(f"the state {path} cannot be made ({err.strerror or err}): see the setting state") from err

    @classmethod
    def _opened(cls, address: str) -> State:
        try:
            engine = sa.create_engine(address)
        except ModuleNotFoundError as err:
            raise StateError(f"the setting state needs {err.name}: install nightdesk[postgres] for PostgreSQL") from err
        except SQLAlchemyError as err:
            raise StateError(f"the setting state is no address that can be used: {err}") from err
        if engine.dialect.name not in ("sqlite", "postgresql") or engine.dialect.is_async:
            named = f"{engine.dialect.name}+{engine.driver}"
            raise StateError(f"the state can be kept in SQLite or PostgreSQL, not by {named}")
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _tune)
        state = cls(engine)
        try:
            state._migrate()
        except StateError:
            engine.dispose()
            raise
        except DBAPIError as err:
            engine.dispose()
            if engine.dialect.name == "sqlite":
                raise
            raise StateError(f"the state's database cannot be used: {err.__cause__ or err}") from err
        return state

    def _migrate(self) -> None:
        with self._engine.begin() as db:
            meta.create(db, checkfirst=True)
            version = db.execute(sa.select(meta.c.value).where(meta.c.name == "version")).scalar()
            number = int(version or 0)
            if number > len(MIGRATIONS):
                raise StateError(
                    f"the state was written by a newer nightdesk (form {number}, this one knows {len(MIGRATIONS)}): "
                    "upgrade, or name another with the setting state"
                )
            for step in MIGRATIONS[number:]:
                step(db)
            if number < len(MIGRATIONS):
                self._upsert(db, meta, [{"name": "version", "value": str(len(MIGRATIONS))}])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def _upsert(self, db: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows, or replace those of the same key."""
        (key,) = table.primary_key.columns
        for i in range(0, len(rows), BATCH):
            insert: Any = self._insert(table)
            changes = {c.name: insert.excluded[c.name] for c in table.columns if c.name != key.name}
            if changes:
                insert = insert.on_conflict_do_update(index_elements=[key], set_=changes)
            else:
                insert = insert.on_conflict_do_nothing(index_elements=[key])
            db.execute(insert, list(rows[i : i + BATCH]))

    # ------------------------------------------------------------------ sources

    def source(self, url: str) -> SourceMemory | None:
        with self._engine.connect() as db:
            row = db.execute(sa.select(sources).where(sources.c.key == _exact(url))).mappings().first()
        return _source(row) if row is not None else None

    def sources(self) -> list[SourceMemory]:
        with self._engine.connect() as db:
            rows = db.execute(sa.select(sources).order_by(sources.c.outlet, sources.c.url)).mappings().all()
        return [_source(row) for row in rows]

    def keep_source(self, source: SourceMemory) -> None:
        with self._engine.begin() as db:
            self._upsert(db, sources, [_source_row(source)])

    # ------------------------------------------------------------------ pages

    def pages(self, addresses: Iterable[str]) -> dict[str, Visited]:
        """What is known of addresses, by the address as given; also where it is what another one led to."""
        by_key = {key_of(a): a for a in addresses}
        keys = list(by_key)
        found: dict[str, Visited] = {}
        with self._engine.connect() as db:
            for i in range(0, len(keys), BATCH):
                part = keys[i : i + BATCH]
                for column in (pages.c.final_key, pages.c.key):  # its own row wins
                    for row in db.execute(sa.select(pages).where(column.in_(part))).mappings():
                        found[by_key[row[column.name]]] = _page(row)
        return found

    def due(self, outlet: str, now: dt.datetime, limit: int) -> list[Visited]:
        """Addresses of an outlet whose next visit is due, the longest due first."""
        wanted = sa.select(pages).where(pages.c.outlet == outlet, pages.c.next_at <= now.timestamp())
        with self._engine.connect() as db:
            rows = db.execute(wanted.order_by(pages.c.next_at, pages.c.key).limit(limit)).mappings().all()
        return [_page(row) for row in rows]

    def keep_pages(self, found: Iterable[Visited], runs: Iterable[str] = ()) -> None:
        """Write pages, and that these runs are learnt, at once."""
        with self._engine.begin() as db:
            self._upsert(db, pages, [_page_row(p) for p in found])
            self._upsert(db, learnt, [{"run_id": run} for run in runs])

    def learnt(self) -> set[str]:
        """Runs whose tables are known here."""
        with self._engine.connect() as db:
            return set(db.execute(sa.select(learnt.c.run_id)).scalars())

    def forget_pages(self) -> None:
        """Forget all addresses and runs, to learn them anew; sources and hosts stay."""
        with self._engine.begin() as db:
            db.execute(sa.delete(pages))
            db.execute(sa.delete(learnt))

    def counts(self) -> dict[str, int]:
        """Rows a table."""
        with self._engine.connect() as db:
            return {
                t.name: db.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()
                for t in (sources, pages, hosts, learnt)
            }

    # ------------------------------------------------------------------ hosts

    def quiet_hosts(self, now: dt.datetime) -> dict[str, dt.datetime]:
        """Hosts that asked to be left alone until a time that has not come."""
        with self._engine.connect() as db:
            rows = db.execute(sa.select(hosts).where(hosts.c.quiet_until > now.timestamp())).mappings().all()
        return {row["host"]: _time(row["quiet_until"]) for row in rows}

    def keep_quiet_hosts(self, quiet: Mapping[str, dt.datetime]) -> None:
        with self._engine.begin() as db:
            self._upsert(db, hosts, [{"host": h[:300], "quiet_until": t.timestamp()} for h, t in quiet.items()])


# ------------------------------------------------------------------ rows


def _tune(connection: Any, record: Any) -> None:
    """A killed writer leaves a readable file, and a reader need not wait for a writer."""
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = normal")
        cursor.execute("pragma busy_timeout = 10000")


def _exact(url: str) -> str:
    return hashlib.blake2b(url.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _time(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


_TIMES = frozenset(
    ("asked_at", "answered_at", "changed_at", "next_at", "first_at", "got_at"),
)


def _values(row: Mapping[Any, Any], names: Iterable[str]) -> dict[str, Any]:
    return {n: _time(row[n]) if n in _TIMES and row[n] is not None else row[n] for n in names}


def _row(record: Any) -> dict[str, Any]:
    values = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    return {n: v.timestamp() if isinstance(v, dt.datetime) else v for n, v in values.items()}


def _page(row: Mapping[Any, Any]) -> Visited:
    return Visited(**_values(row, (f.name for f in dataclasses.fields(Visited))))


def _page_row(page: Visited) -> dict[str, Any]:
    final = key_of(page.final_url) if page.final_url else None
    return _row(page) | {"key": key_of(page.url), "final_key": final}


def _source(row: Mapping[Any, Any]) -> SourceMemory:
    values = _values(row, (f.name for f in dataclasses.fields(SourceMemory) if f.name != "entries"))
    packed = json.loads(zlib.decompress(row["entries"])) if row["entries"] else []
    entries = tuple(
        Entry(link=link, title=title, published=_maybe(published), updated=_maybe(updated), kind=kind)
        for link, title, published, updated, kind in packed
    )
    return SourceMemory(**values, entries=entries)


def _maybe(seconds: float | None) -> dt.datetime | None:
    return None if seconds is None else _time(seconds)


def _source_row(source: SourceMemory) -> dict[str, Any]:
    rows = [
        (e.link, e.title, e.published and e.published.timestamp(), e.updated and e.updated.timestamp(), e.kind)
        for e in source.entries
    ]
    packed = zlib.compress(json.dumps(rows).encode("ascii"), 6) if rows else None
    return _row(dataclasses.replace(source, entries=())) | {"key": _exact(source.url), "entries": packed}
