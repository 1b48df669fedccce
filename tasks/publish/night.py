"""One run's shards -> the tables of its night, all at once."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.strip import articles_file
from tasks.clean.task import failed_input
from tasks.extract.checks import InvariantError
from tasks.extract.sources.merges import ids_of, merged
from tasks.publish import snapshots
from tasks.publish.catalogue import data_package
from tasks.publish.changes import Revision, marks_of
from tasks.publish.pairs import Pairs
from tasks.publish.store import Commit, Store
from tasks.publish.write import read_batches, read_table, write_batches
from tasks.remote.mirror import Mirror

KEEP_STATE_DAYS = 60
"""Days before the newest night for which signatures of copies and counts of repeats stay; wordings stay for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What scrape met at one outlet in this night.

    `known`: addresses listed, but visited before and not due; `listed`: entries taken from its sources.
    """

    outlet: str
    found: int
    fetched: int
    known: int
    listed: int
    robots: str | None
    feed_dead: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletFacts:
    """What outlets.toml says of one outlet."""

    outlet: str
    name: str | None
    country: str | None
    language: str | None
    feeds: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Everything publish must know of a run besides its shards' files."""

    run_id: str
    flow: str
    night: dt.date
    started_at: dt.datetime
    finished_at: dt.datetime
    shards: list[str]
    early: list[tables.Failure]
    visits: list[Visit]
    outlets: list[OutletFacts]
    reports: list[tables.ShardReport]
    versions: list[tables.Version]
    settings: str
    given: str | None = None
    backfilled_at: dt.datetime | None = None


def publish_night(root: Path, run: RunFacts, counts: bool = True) -> tables.Run:
    """Merge the shards of `run` into its night, count the corpus-wide tables anew, and make all of it appear at once.

    Without `counts` the corpus-wide tables stay as they are.

    Answers the row of `runs`. Raises InvariantError if fates do not add up or a reference does not resolve; then
    nothing was published and the shards are kept.
    """
    store = Store.open(root, write=True)
    work = store.work(run.run_id)
    commit = store.begin()
    fates: Counter[str] = Counter()
    _append(store, commit, "inputs", run.night, _final_inputs(work, run, fates))
    row = _run_row(run, fates)
    _stage_rows(store, commit, work, run)
    _append(store, commit, "runs", run.night, [tables.to_arrow("runs", [row])])
    files = {t: commit.files(t) for t in ("articles", "quotes", "sources", "events", "inputs")}
    with snapshots.corpus(files, work / "tmp") as db:
        _check(db, run, row)
        _stage_coverage(store, commit, db, run)
        if counts:
            stage_counts(store, commit, db, run.night)
    commit.publish()
    _forget(store, KEEP_STATE_DAYS + int(json.loads(run.settings)["clean"]["copy_days"]))
    return row


def stage_counts(store: Store, commit: Commit, db: Any, night: dt.date) -> None:
    """Stage the corpus-wide tables, counted anew from the views of `db`, and what describes all tables."""
    for table, sql in (
        ("quote_groups", snapshots.QUOTE_GROUPS),
        ("source_index", snapshots.SOURCE_INDEX),
        ("stories", snapshots.STORIES),
        ("outlets", snapshots.OUTLETS),
    ):
        _stage_snapshot(store, commit, table, night, snapshots.batches(db, sql))
    places = {t: [str(p) for p in _places(store, commit, t)] for t in tables.TABLES}
    commit.stage(store.root / "datapackage.json").write_text(data_package(places), encoding="utf-8")


def discard_work(root: Path, run_id: str) -> None:
    """Remove the shards of a run, once it is published and reported."""
    discard(Store(root).work(run_id))


def discard(work: Path) -> None:
    """Remove a folder of shards; in a mirror also what workers elsewhere left of them in the bucket."""
    shutil.rmtree(work, ignore_errors=True)
    mirror = Mirror.around(work)
    if mirror is not None:
        mirror.bucket.delete_under(f"{mirror.named(work)}/")


# --------------------------------------------------------------------------- rows of this run


def _failed(work: Path, shard: str) -> dict[str, str]:
    rows = pq.read_table(work / "extract" / shard / "failed.parquet").to_pylist()
    return {r["article_id"]: r["detail"] for r in rows}


def _all_failed(work: Path, run: RunFacts) -> dict[str, str]:
    return {a: detail for shard in run.shards for a, detail in _failed(work, shard).items()}


def _final_inputs(work: Path, run: RunFacts, fates: Counter[str]) -> Iterator[pa.Table]:
    """Every input of the run with its fate, shard by shard; `fates` counts them."""
    early = [failed_input(f, run.run_id) for f in run.early]
    fates.update(i.fate for i in early)
    yield tables.to_arrow("inputs", early)
    failed = _all_failed(work, run)
    for shard in run.shards:
        verdicts = iter(pq.read_table(work / "settled" / f"{shard}.parquet").to_pylist())
        rows = pq.read_table(work / "clean" / shard / "inputs.parquet").to_pylist()
        for row in rows:
            row["run_id"] = run.run_id
            if row["article_id"] is not None:
                v = next(verdicts)
                row |= {"fate": v["fate"], "step": "settle", "reason": v["reason"], "detail": v["detail"]}
                row["article_id"] = v["article_id"]
                if v["article_id"] in failed:
                    row |= {"fate": tables.Fate.FAILED, "step": "extract", "reason": tables.Reason.INTERNAL_ERROR}
                    row |= {"detail": failed[v["article_id"]], "article_id": None}
        fates.update(row["fate"] for row in rows)
        yield pa.Table.from_pylist(rows, schema=tables.schema("inputs"))


def _article_rows(work: Path, shard: str, stories: Pairs) -> pa.Table:
    settled = pq.read_table(work / "settled" / f"{shard}.parquet")
    data = pq.read_table(articles_file(work, shard))
    for name in ("article_id", "revision", "change", "copy_group", "is_original"):
        data = data.set_column(data.schema.get_field_index(name), data.schema.field(name), settled[name])
    failed = pa.array(list(_failed(work, shard)), pa.string())
    keep = pc.and_(settled["kept"], pc.invert(pc.is_in(settled["article_id"], failed)))
    data = data.filter(keep)
    return _mapped(data, "story_id", data["article_id"], stories)


def _mapped(data: pa.Table, column: str, keys: Any, values: Mapping[str, str] | Pairs) -> pa.Table:
    """`data` with `column` replaced by the value of each key, null where there is none."""
    if isinstance(values, Pairs):
        filled = values.of(keys)
    else:
        filled = pa.array([values.get(k) if k is not None else None for k in keys.to_pylist()], pa.string())
    return data.set_column(data.schema.get_field_index(column), data.schema.field(column), filled)


def _stage_rows(store: Store, commit: Commit, work: Path, run: RunFacts) -> None:
    stories = Pairs.read(work / "stories.parquet", "article_id", "story_id")
    event_stories = Pairs.read(work / "event_stories.parquet", "event_id", "story_id")
    groups = Pairs.read(work / "quote_groups.parquet", "quote_id", "quote_group")
    merges = pq.read_table(work / "source_merges.parquet")
    ids = ids_of(merges)

    def rows(table: str) -> Iterator[pa.Table]:
        for shard in run.shards:
            if table == "articles":
                yield _article_rows(work, shard, stories)
                continue
            data = pq.read_table(work / "extract" / shard / f"{table}.parquet")
            if table == "quotes":
                data = _mapped(data, "quote_group", data["quote_id"], groups)
            elif table == "events":
                data = _mapped(data, "story_id", data["event_id"], event_stories)
            yield merged(table, data, ids)

    marks = marks_of(_revisions(work, run), store.files("articles"), rows)

    def marked(table: str) -> Iterator[pa.Table]:
        for data in rows(table):
            if table == "articles" and marks.gone:
                gone = pa.array([marks.gone.get(a) for a in data["article_id"].to_pylist()], pa.list_(pa.string()))
                data = data.set_column(data.schema.get_field_index("gone"), data.schema.field("gone"), gone)
            elif table in ("quotes", "events"):
                data = _mapped(data, "change", data[tables.KEYS[table][0]], marks.change)
            yield data

    for table in ("articles", "sources", "quotes", "events"):
        _append(store, commit, table, run.night, marked(table))
    log = store.state_path("source_merges", run.night)
    merges = pa.concat_tables([read_table(log), merges], promote_options="default") if log.is_file() else merges
    pq.write_table(merges, commit.stage(log), compression="zstd")
    _stage_state(store, commit, work, run)


def _revisions(work: Path, run: RunFacts) -> list[Revision]:
    """Articles of the run that are kept, one a revision."""
    columns = ["article_id", "article_key", "revision", "kept"]
    failed = _all_failed(work, run)
    return [
        Revision(article_id=r["article_id"], article_key=r["article_key"], revision=r["revision"])
        for shard in run.shards
        for r in pq.read_table(work / "settled" / f"{shard}.parquet", columns=columns).to_pylist()
        if r["kept"] and r["article_id"] not in failed
    ]


def _stage_state(store: Store, commit: Commit, work: Path, run: RunFacts) -> None:
    """Stage what later nights need: rows are added to those of the night; counts of repeats replace the night's, since
    they hold what was known before."""
    failed = pa.array(list(_all_failed(work, run)), pa.string())
    for name in ("signatures", "wordings"):
        state = store.state_path(name, run.night)
        new = pq.read_table(work / f"{name}.parquet")
        new = new.filter(pc.invert(pc.is_in(new["article_id"], failed)))
        both = pa.concat_tables([read_table(state), new]) if state.is_file() else new
        pq.write_table(both, commit.stage(state), compression="zstd")
    repeats = work / "repeats.parquet"
    if repeats.is_file():
        shutil.copyfile(repeats, commit.stage(store.state_path("repeats", run.night)))


def _forget(store: Store, days: int) -> None:
    """Remove state that no night will ask for: a night made anew finds that of the weeks before it."""
    newest = max(store.nights("runs"))
    for name in ("signatures", "repeats"):
        for file in store.state_files(name, since=dt.date.min, before=newest - dt.timedelta(days=days)):
            file.unlink(missing_ok=True)


def _append(store: Store, commit: Commit, table: str, night: dt.date, new: Iterable[Any]) -> None:
    """Stage the night's file of a table: what is published of that night, then the new rows."""
    place = store.path(table, night)

    def batches() -> Iterator[Any]:
        yield from read_batches([place] if place.is_file() else [])
        yield from new

    write_batches(commit.stage(place), table, batches())


def _stage_snapshot(store: Store, commit: Commit, table: str, night: dt.date, new: Iterable[Any]) -> None:
    """Stage a corpus-wide table; its one partition carries the newest night."""
    nights = store.nights(table)
    newest = max([night, *nights])
    for old in nights:
        if old != newest:
            commit.rename_folder(store.path(table, old).parent, store.path(table, newest).parent)
    write_batches(commit.stage(store.path(table, newest)), table, new)


def _stage_coverage(store: Store, commit: Commit, db: Any, run: RunFacts) -> None:
    place = store.path("coverage", run.night)
    earlier = [f for f in store.files("coverage") if f != place]
    before = [f for f in earlier if f < place]
    snapshots.add_view(db, "coverage_earlier", "coverage", before)
    snapshots.add_view(db, "coverage_before", "coverage", [place] if place.is_file() else [])
    snapshots.add_view(db, "outlets_earlier", "outlets", store.files("outlets"))
    _register(db, "visits", [asdict(v) for v in run.visits], _VISITS)
    _register(db, "configs", [asdict(o) for o in run.outlets], _CONFIGS)
    rows = [
        pa.RecordBatch.from_struct_array(b.to_struct_array())
        for b in snapshots.batches(db, snapshots.COVERAGE, night=run.night, run=run.run_id)
    ]
    new = pa.Table.from_batches(rows) if rows else tables.schema("coverage").empty_table()
    staged = commit.stage(place)
    write_batches(staged, "coverage", [new])
    snapshots.add_view(db, "coverage_all", "coverage", [*earlier, staged])


_VISITS = pa.schema(
    [("outlet", pa.string()), ("found", pa.int64()), ("fetched", pa.int64()), ("known", pa.int64()),
     ("listed", pa.int64()), ("robots", pa.string()), ("feed_dead", pa.bool_())]
)  # fmt: skip
_CONFIGS = pa.schema(
    [("outlet", pa.string()), ("name", pa.string()), ("country", pa.string()), ("language", pa.string()),
     ("feeds", pa.list_(pa.string()))]
)  # fmt: skip


def no_visits(db: Any) -> None:
    """Let the outlets be counted outside a night: what is known of each stays."""
    _register(db, "visits", [], _VISITS)
    _register(db, "configs", [], _CONFIGS)


def _register(db: Any, name: str, rows: list[dict[str, Any]], schema: Any) -> None:
    db.register(f"{name}_rows", pa.Table.from_pylist(rows, schema=schema))
    db.execute(f"create or replace view {name} as select * from {name}_rows")


def _places(store: Store, commit: Commit, table: str) -> list[Path]:
    """Paths of a table's files after the commit, relative to the root."""
    staged = store.root / ".commit" / "new"
    found = {f.relative_to(staged if f.is_relative_to(staged) else store.root) for f in commit.files(table)}
    if table in tables.SNAPSHOTS:
        found = {max(found)} if found else set()
    return sorted(found)


# --------------------------------------------------------------------------- sums


def _run_row(run: RunFacts, fates: Counter[str]) -> tables.Run:
    steps = []
    for step in dict.fromkeys(r.step for r in run.reports):
        done = [r for r in run.reports if r.step == step]
        steps.append(
            tables.StepCount(
                step=step,
                seen=sum(r.seen for r in done),
                used=sum(r.used for r in done),
                rejected=sum(r.rejected for r in done),
                rows=sum(r.rows for r in done),
                seconds=round(sum(r.seconds for r in done), 3),
            )
        )
    return tables.Run(
        run_id=run.run_id,
        flow=run.flow,
        night=run.night,
        started_at=run.started_at,
        finished_at=run.finished_at,
        n_inputs=fates.total(),
        n_article=fates[tables.Fate.ARTICLE],
        n_revision=fates[tables.Fate.REVISION],
        n_unchanged=fates[tables.Fate.UNCHANGED],
        n_copy=fates[tables.Fate.COPY],
        n_skipped=fates[tables.Fate.SKIPPED],
        n_failed=fates[tables.Fate.FAILED],
        steps=steps,
        versions=run.versions,
        settings=run.settings,
        peak_memory_bytes=max((r.peak_memory_bytes for r in run.reports), default=None),
        given=run.given,
        backfilled_at=run.backfilled_at,
    )


def _check(db: Any, run: RunFacts, row: tables.Run) -> None:
    """Sums and references of the night that is about to appear. Raises InvariantError."""
    fates = row.n_article + row.n_revision + row.n_unchanged + row.n_copy + row.n_skipped + row.n_failed
    if fates != row.n_inputs:
        raise InvariantError(f"the fates of run {run.run_id} add up to {fates}, its inputs to {row.n_inputs}")
    for step in row.steps:
        if step.seen != step.used + step.rejected:
            raise InvariantError(f"step {step.step} of run {run.run_id} lost inputs: {json.dumps(asdict(step))}")
    night = {"night": run.night}
    for table in ("articles", "quotes", "sources", "events", "inputs"):
        key = ", ".join(tables.KEYS[table])
        twice = db.execute(
            f"select {key} from {table} where dt = $night group by all having count(*) > 1 limit 1", night
        ).fetchone()
        if twice:
            raise InvariantError(f"{table}: the key {twice} occurs twice in night {run.night}")
        lost = db.execute(
            f"select article_id from {table} t anti join articles a using (article_id) "
            "where t.dt = $night and t.article_id is not null limit 1",
            night,
        ).fetchone()
        if lost:
            raise InvariantError(f"{table}: {lost[0]} has no row in articles")
    for table, text in (("quotes", "text"), ("events", "evidence")):
        wrong = db.execute(
            f"select t.article_id, t.start from {table} t join articles a using (article_id) where t.dt = $night "
            f'and substring(a.text, t.start + 1, t."end" - t.start) <> t.{text} limit 1',
            night,
        ).fetchone()
        if wrong:
            raise InvariantError(f"{table}: the span at {wrong[1]} of article {wrong[0]} is not its {text}")
