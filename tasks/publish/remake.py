"""A published night made again: what its runs may know of other nights, and how the new rows take the old ones' place.

A night is made again in a folder of its own (a Store below `.work`), run by run in the order they were published, so
that clean, settle, extract, link and publish are those of any night. What they find there of other nights is what was
published before the run, as it was then: later revisions and copies were judged by this night, and it cannot be judged
by them. Only an article that this night never had, and a later one does, stays that later one's.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.copies import signature
from tasks.clean.settle import SIGNATURES, WORDINGS
from tasks.extract.checks import InvariantError
from tasks.publish import snapshots
from tasks.publish.night import no_visits, stage_counts
from tasks.publish.store import Commit, Store
from tasks.publish.write import read_batches, read_table, write_batches

ROWS = ("articles", "sources", "quotes", "events")
NIGHTLY = (*ROWS, "coverage", "inputs", "runs")
LONG_AGO = dt.date(1990, 1, 1)


class RemakeError(Exception):
    """A night cannot be made again; the message says why. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run that is in the tables."""

    run_id: str
    flow: str
    night: dt.date
    finished_at: dt.datetime
    row: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """The night as it is published: what is compared with, and what belongs to it."""

    night: dt.date
    inputs: list[dict[str, Any]]
    articles: dict[str, tuple[str, int]]
    """article_id -> article_key, revision."""

    @property
    def keys(self) -> set[str]:
        return {key for key, _ in self.articles.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remade:
    """One night before and after. `kept`: ids of the table that are in both."""

    night: dt.date
    before: dict[str, int]
    after: dict[str, int]
    kept: dict[str, int]


def published_in(store: Store) -> list[Published]:
    """Every run, in the order of publication."""
    found = []
    for night in store.nights("runs"):
        for row in read_table(store.path("runs", night)).to_pylist():
            found.append(
                Published(
                    run_id=row["run_id"], flow=row["flow"], night=night, finished_at=row["finished_at"], row=row
                )
            )  # fmt: skip
    return sorted(found, key=lambda r: (r.finished_at, r.run_id))


def old_night(store: Store, night: dt.date) -> Old:
    columns = ["run_id", "ref", "url", "outlet", "fate", "step", "reason", "detail", "attempts", "article_id"]
    place = store.path("articles", night)
    rows = read_table(place, ["article_id", "article_key", "revision"]).to_pylist() if place.is_file() else []
    return Old(
        night=night,
        inputs=read_table(store.path("inputs", night), columns).to_pylist(),
        articles={r["article_id"]: (r["article_key"], r["revision"]) for r in rows},
    )


# --------------------------------------------------------------------------- what the night may know


def forget_tables(folder: Path) -> None:
    """Empty the night's own folder but for its finished shards, as a try that was killed left it."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name != ".work":
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def show_corpus(store: Store, to: Store, old: Old, *, crawled: bool) -> None:
    """Let the night see what does not depend on its runs: the index of sources, outlets, merges taken back, and what
    the crawl met (found, fetched, blocked, dead feeds), which cannot be asked again."""
    for table in ("source_index", "outlets"):
        for file in store.files(table):
            _point(to.root / file.relative_to(store.root), file)
    for night in store.nights("coverage"):
        if night != old.night:
            _point(to.path("coverage", night), store.path("coverage", night))
    own = store.path("coverage", old.night)
    if crawled and own.is_file():
        _point(to.path("coverage", old.night), own)
    apart = store.root / ".state" / "kept_apart.json"
    if apart.is_file():
        _point(to.root / ".state" / apart.name, apart)


def show_earlier(
    store: Store, to: Store, old: Old, run: Published, runs: list[Published], keys: set[str], *, days: int
) -> None:
    """Let `run` see the nights published before it: their rows, what tells wordings and repeats, and `days` back also
    what tells copies. `keys`: article_keys of its inputs. Its own night is left as it is."""
    earlier = {r.run_id for r in runs if (r.finished_at, r.run_id) < (run.finished_at, run.run_id)}
    of_night: dict[dt.date, set[str]] = defaultdict(set)
    for r in runs:
        of_night[r.night].add(r.run_id)
    first = old.night - dt.timedelta(days=days)
    for night in store.nights("articles"):
        if night == old.night:
            continue
        whole = of_night[night] <= earlier
        ids = None if whole else _seen_ids(store, night, earlier, keys - old.keys)
        for table in ROWS:
            _show(store.path(table, night), to.path(table, night), ids)
        if first <= night < old.night:
            _show_signatures(store, to, night, ids)
        if not whole:
            continue
        repeats = store.state_path("repeats", night)
        if repeats.is_file() and night < old.night:
            _point(to.state_path("repeats", night), repeats)
    _show_forgotten_repeats(store, to, old.night)
    _show_wordings(store, to, old, keys)


def _show_forgotten_repeats(store: Store, to: Store, night: dt.date) -> None:
    """Counts of repeats are kept for some weeks. An older night that had some takes the oldest there are."""
    if to.state_files("repeats", since=dt.date.min, before=night) or not to.nights("articles"):
        return
    later = store.state_files("repeats", since=night + dt.timedelta(days=1), before=dt.date.max)
    if later and min(to.nights("articles")) < night:
        _point(to.state_path("repeats", night - dt.timedelta(days=1)), later[0])


def _seen_ids(store: Store, night: dt.date, earlier: set[str], keys: set[str]) -> Any:
    """article_ids of a night that were published by the runs `earlier`, or that bear one of `keys`."""
    inputs = read_table(store.path("inputs", night), ["run_id", "fate", "article_id"])
    made = pc.is_in(inputs["fate"], _strings(("article", "revision", "copy")))
    mine = inputs.filter(pc.and_(made, pc.is_in(inputs["run_id"], _strings(earlier))))["article_id"].to_pylist()
    rows = read_table(store.path("articles", night), ["article_id", "article_key"])
    theirs = rows.filter(pc.is_in(rows["article_key"], _strings(keys)))["article_id"].to_pylist()
    return _strings({*mine, *theirs})


def _strings(values: Iterable[str]) -> Any:
    return pa.array(sorted(values), pa.string())


def _show(file: Path, to: Path, ids: Any) -> None:
    """All of a file, or its rows of some articles."""
    if ids is None:
        _point(to, file)
    elif len(ids):
        to.parent.mkdir(parents=True, exist_ok=True)
        data = read_table(file)
        pq.write_table(data.filter(pc.is_in(data["article_id"], ids)), to)


def _show_signatures(store: Store, to: Store, night: dt.date, ids: Any) -> None:
    """Signatures of a night, made again from its articles where they are forgotten."""
    file, place = store.state_path("signatures", night), to.state_path("signatures", night)
    if file.is_file():
        _show(file, place, ids)
        return
    articles = to.path("articles", night)
    if not articles.is_file():
        return
    columns = [n for n in SIGNATURES.names if n != "signature"]
    rows = [
        {c: row[c] for c in columns} | {"signature": signature(row["text"]).tobytes()}
        for row in read_table(articles, [*columns, "text"]).to_pylist()
    ]
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=SIGNATURES), place)


def _show_wordings(store: Store, to: Store, old: Old, keys: set[str]) -> None:
    """What the wordings of other nights were made of, whichever night noted it."""
    wanted, own = _strings(keys), _strings(old.articles)
    found = [WORDINGS.empty_table()]
    for file in store.state_files("wordings", since=dt.date.min, before=dt.date.max):
        data = read_table(file)
        keep = pc.and_(pc.is_in(data["article_key"], wanted), pc.invert(pc.is_in(data["article_id"], own)))
        found.append(data.filter(keep))
    place = to.state_path("wordings", LONG_AGO)
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.concat_tables(found), place)


def _point(place: Path, file: Path) -> None:
    """A link: files of a store are replaced, never written to."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(file.absolute())


# --------------------------------------------------------------------------- are the inputs the same


def check_inputs(store: Store, old: Old, run: Published, refs: list[tuple[str, int | None]]) -> None:
    """Raises RemakeError if the raw files no longer hold what the run read.

    `refs`: of every input now, its ref and the digest of what came in (None where no article was made of it). A file
    that was written over since may have the same name and as many records.
    """
    then = Counter(i["ref"] for i in old.inputs if i["run_id"] == run.run_id and not is_early(i))
    now = Counter(ref for ref, _ in refs)
    if then != now:
        raise RemakeError(
            f"its raw files no longer hold what they held: {sum((then - now).values())} inputs less, "
            f"{sum((now - then).values())} more"
        )
    made = {i["ref"]: i["article_id"] for i in old.inputs if i["run_id"] == run.run_id and i["article_id"]}
    known: dict[str, set[int]] = defaultdict(set)
    wanted = _strings(set(made.values()))
    for file in store.state_files("wordings", since=dt.date.min, before=dt.date.max):
        data = read_table(file, ["article_id", "raw"])
        for row in data.filter(pc.is_in(data["article_id"], wanted)).to_pylist():
            known[row["article_id"]].add(row["raw"])
    other = [r for r, raw in refs if raw is not None and r in made and known[made[r]] and raw not in known[made[r]]]
    if other:
        raise RemakeError(f"its raw files were written over: {len(other)} inputs are others, such as {other[0]}")


def is_early(row: Mapping[str, Any]) -> bool:
    """Whether an input ended before there was anything raw of it."""
    return row["step"] in ("discover", "scrape")


# --------------------------------------------------------------------------- the new rows for the old ones


def replace_night(store: Store, made: Store, old: Old) -> Remade:
    """Put the night of `made` in the place of the published one, all at once, and count the corpus-wide tables anew.

    Other nights' inputs that name an article whose id changed name the new one. Raises InvariantError, and changes
    nothing, if an article would be in two nights.
    """
    commit = store.begin()
    for table in NIGHTLY:
        file = made.path(table, old.night)
        place = store.path(table, old.night)
        if file.is_file():
            shutil.copyfile(file, commit.stage(place))
        elif place.is_file():
            write_batches(commit.stage(place), table, [])
    for name in ("signatures", "repeats", "source_merges"):
        file = made.state_path(name, old.night)
        if file.is_file():
            shutil.copyfile(file, commit.stage(store.state_path(name, old.night)))
    ids = _new_ids(made, old)
    _check_alone(store, made, old.night)
    _stage_references(store, commit, old.night, ids)
    _stage_wordings(store, commit, made, old, ids)
    remade = _compared(store, made, old.night)
    counted = ("articles", "quotes", "sources", "events", "inputs")
    with snapshots.corpus({t: commit.files(t) for t in counted}, store.root / ".commit" / "tmp") as db:
        snapshots.add_view(db, "coverage_all", "coverage", commit.files("coverage"))
        snapshots.add_view(db, "outlets_earlier", "outlets", store.files("outlets"))
        no_visits(db)
        stage_counts(store, commit, db, max(store.nights("runs")))
    commit.publish()
    return remade


def _new_ids(made: Store, old: Old) -> dict[str, str | None]:
    """Of each article_id that is no more: the id of the same revision now, or of the same input; None if neither is."""
    new = old_night(made, old.night)
    by_revision = {at: article_id for article_id, at in new.articles.items()}
    by_input = {(i["run_id"], i["ref"]): i["article_id"] for i in new.inputs}
    out: dict[str, str | None] = {a: by_revision.get(at) for a, at in old.articles.items() if a not in new.articles}
    for i in old.inputs:
        if i["article_id"] in out and out[i["article_id"]] is None:
            out[i["article_id"]] = by_input.get((i["run_id"], i["ref"]))
    return out


def _check_alone(store: Store, made: Store, night: dt.date) -> None:
    ids = read_table(made.path("articles", night), ["article_id"])["article_id"].combine_chunks()
    for other in store.nights("articles"):
        if other == night:
            continue
        data = read_table(store.path("articles", other), ["article_id"])["article_id"]
        twice = data.filter(pc.is_in(data, ids))
        if len(twice):
            raise InvariantError(f"article {twice[0]} would be in the nights {night} and {other}")


def _stage_references(store: Store, commit: Commit, night: dt.date, ids: Mapping[str, str | None]) -> None:
    """Stage the inputs of other nights that name one of `ids`."""
    gone = _strings(ids)
    for other in store.nights("inputs"):
        place = store.path("inputs", other)
        named = read_table(place, ["article_id"])["article_id"]
        if other != night and pc.any(pc.is_in(named, gone)).as_py():
            write_batches(commit.stage(place), "inputs", (_renamed(b, ids) for b in read_batches([place])))


def _renamed(data: Any, ids: Mapping[str, str | None]) -> Any:
    table = pa.Table.from_batches([data]) if isinstance(data, pa.RecordBatch) else data
    named = pa.array([ids.get(a, a) for a in table["article_id"].to_pylist()], pa.string())
    return table.set_column(table.schema.get_field_index("article_id"), table.schema.field("article_id"), named)


def _stage_wordings(store: Store, commit: Commit, made: Store, old: Old, ids: Mapping[str, str | None]) -> None:
    """Stage what the wordings were made of: the night's new rows, its old ones of other nights' articles, and other
    nights' rows under the new ids."""
    place = store.state_path("wordings", old.night)
    new = [WORDINGS.empty_table()]
    file = made.state_path("wordings", old.night)
    if file.is_file():
        new.append(read_table(file))
    if place.is_file():
        data = read_table(place)
        new.append(data.filter(pc.invert(pc.is_in(data["article_id"], _strings(old.articles)))))
    pq.write_table(pa.concat_tables(new), commit.stage(place), compression="zstd")
    gone = _strings(ids)
    for path in store.state_files("wordings", since=dt.date.min, before=dt.date.max):
        data = read_table(path)
        if path != place and pc.any(pc.is_in(data["article_id"], gone)).as_py():
            renamed = _renamed(data, ids)
            renamed = renamed.filter(pc.is_valid(renamed["article_id"]))
            pq.write_table(renamed, commit.stage(path), compression="zstd")


def _compared(store: Store, made: Store, night: dt.date) -> Remade:
    before, after, kept = {}, {}, {}
    for table in (*ROWS, "inputs"):
        keys = list(tables.KEYS[table])
        then, now = ([*map(tuple, _keys(s.path(table, night), keys))] for s in (store, made))
        before[table], after[table] = len(then), len(now)
        kept[table] = len(set(then) & set(now))
    return Remade(night=night, before=before, after=after, kept=kept)


def _keys(path: Path, columns: list[str]) -> Iterable[tuple[Any, ...]]:
    if not path.is_file():
        return []
    data = read_table(path, columns)
    return zip(*(data[c].to_pylist() for c in columns), strict=True)
