"""A merge of sources that was wrong, taken back out of the published nights, and kept out of those to come."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.extract.sources.merges import KEYS, undone
from tasks.publish import snapshots
from tasks.publish.night import no_visits, stage_counts
from tasks.publish.store import Commit, Store, StoreError
from tasks.publish.write import read_table, write_batches

Entry = dict[str, Any]
"""A row of the log of merges, with its `night`."""
COUNTED = ("articles", "quotes", "sources", "events", "inputs")


def merges(store: Store) -> Iterator[Entry]:
    """Every merge that stands, night after night."""
    for file in store.state_files("source_merges", since=dt.date.min, before=dt.date.max):
        night = dt.date.fromisoformat(file.stem)
        for row in read_table(file).to_pylist():
            yield {**row, "night": night}


def kept_apart(store: Store) -> list[str]:
    """Ids of sources whose merge a person took back: `link` merges them into no other again."""
    place = _place(store)
    return list(json.loads(place.read_text(encoding="utf-8"))) if place.is_file() else []


def undo_merges(root: Path, apart: Collection[str]) -> list[Entry]:
    """Give the sources `apart` their own ids again, in every night, all at once; answers the merges taken back.

    Rewrites sources, quotes and events of the nights they are in, counts the corpus-wide tables anew and remembers the
    ids. Raises StoreError, and changes nothing, if one of them is in no logged merge.
    """
    store = Store.open(root, write=True)
    with store.lock():
        log: dict[dt.date, list[Entry]] = {}
        for entry in merges(store):
            log.setdefault(entry["night"], []).append(entry)
        taken = [e for entries in log.values() for e in entries if e["source_id"] in apart]
        unknown = set(apart) - {e["source_id"] for e in taken} - set(kept_apart(store))
        if unknown:
            raise StoreError(f"no merge of {', '.join(sorted(unknown))} is logged: `nightdesk merges show` lists them")
        if any(e["cells"] is None for e in taken):
            raise StoreError("an older nightdesk logged this merge, without what is needed to take it back")
        commit = store.begin()
        for night in dict.fromkeys(e["night"] for e in taken):
            _stage_night(store, commit, night, log[night], apart)
        remembered = sorted({*kept_apart(store), *apart})
        commit.stage(_place(store)).write_text(json.dumps(remembered, indent=1) + "\n", encoding="utf-8")
        with snapshots.corpus({t: commit.files(t) for t in COUNTED}, root / ".commit" / "tmp") as db:
            snapshots.add_view(db, "coverage_all", "coverage", store.files("coverage"))
            snapshots.add_view(db, "outlets_earlier", "outlets", store.files("outlets"))
            no_visits(db)
            stage_counts(store, commit, db, max(store.nights("runs")))
        commit.publish()
    return taken


def _place(store: Store) -> Path:
    return store.root / ".state" / "kept_apart.json"


def _stage_night(store: Store, commit: Commit, night: dt.date, log: list[Entry], apart: Collection[str]) -> None:
    for table in ("sources", *KEYS):
        place = store.path(table, night)
        if place.is_file():
            write_batches(commit.stage(place), table, [undone(table, read_table(place), log, apart)])
    state = store.state_path("source_merges", night)
    data = read_table(state)
    stays = pa.array([s not in apart for s in data["source_id"].to_pylist()], pa.bool_())
    pq.write_table(data.filter(stays), commit.stage(state), compression="zstd")
