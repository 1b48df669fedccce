"""The backfill flow: published nights made again from the raw archive with today's code and settings."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow.parquet as pq

from flows import engine, pipeline
from flows.engine import Progress
from flows.nightly import FLOW as NIGHTLY
from flows.places import inputs_at_hand, shown
from flows.versions import versions
from tasks import tables
from tasks.extract.checks import InvariantError
from tasks.publish import remake
from tasks.publish.night import discard
from tasks.publish.remake import Old, Published, Remade, RemakeError
from tasks.publish.store import Store, StoreError
from tasks.remote.mirror import at_hand
from tasks.report.nightly import write_report
from tasks.scrape.inputs import InputOptions, plan_shards
from tasks.scrape.shards import InputError, Shard
from tasks.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which nights, both ends included."""

    first: dt.date
    last: dt.date
    root: Path
    raw: Path
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one night: remade, or why not. `current`: it was made by this code and these settings already."""

    night: dt.date
    remade: Remade | None = None
    current: bool = False
    left: str | None = None


def backfill(request: Request, progress: Progress, tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Make every night of the range again, each by one commit; `tell` hears of each as it is done.

    Nights are made in the order they were published in. One that is made by today's code and settings already is
    passed over: so a backfill that was killed goes on where it was. Raises StoreError if the range has no night.
    """
    store = Store.open(request.root, write=True)
    out = []
    with store.lock():
        nights = dict.fromkeys(
            r.night for r in remake.published_in(store) if request.first <= r.night <= request.last
        )  # fmt: skip
        if not nights:
            known = ", ".join(str(n) for n in store.nights("runs")[-5:]) or "none"
            raise StoreError(
                f"there is no night from {request.first} to {request.last} in {request.root}; the newest there: {known}"
            )
        for night in nights:
            outcome = _one(store, request, night, progress)
            out.append(outcome)
            tell(outcome)
    return out


def _one(store: Store, request: Request, night: dt.date, progress: Progress) -> Outcome:
    runs = [r for r in remake.published_in(store) if r.night == night]
    old = remake.old_night(store, night)
    if all(_is_current(r, request.settings) for r in runs):
        folder = _folder(store, request, old, runs)
        if folder.is_dir():  # killed after the commit: only the report is left to make
            write_report(store.root, night)
            discard(folder)
        return Outcome(night=night, current=True)
    try:
        shards = {r.run_id: _shards(r, old, request) for r in runs}
        remade = _carry_out(store, request, old, runs, shards, progress)
    except (RemakeError, InvariantError) as err:
        discard(_folder(store, request, old, runs))
        return Outcome(night=night, left=str(err))
    return Outcome(night=night, remade=remade)


def _is_current(run: Published, settings: Settings) -> bool:
    made_by = [{k: v[k] for k in ("name", "version", "sha256")} for v in run.row["versions"]]
    then = pipeline.shaping(json.loads(run.row["settings"]))
    return made_by == [asdict(v) for v in versions()] and then == pipeline.shaping(settings.model_dump(mode="json"))


# --------------------------------------------------------------------------- what the night was made of


def _shards(run: Published, old: Old, request: Request) -> list[Shard]:
    """The run's raw files as shards. Raises RemakeError if one is gone, or nobody noted how they were read."""
    rules = request.settings.engine
    files = dict.fromkeys(
        i["ref"].rpartition("#")[0] for i in old.inputs if i["run_id"] == run.run_id and not remake.is_early(i)
    )
    if not files:
        return []
    if run.flow == NIGHTLY:
        options = InputOptions(root=str(request.raw))
        paths = [request.raw / f for f in files]
    elif run.row.get("given") is None:
        raise RemakeError("an older nightdesk ingested it, which did not note how: ingest its files again")
    else:
        options = InputOptions(**json.loads(run.row["given"]))
        paths = [Path(f) for f in files]
    try:
        paths = inputs_at_hand(paths, request.settings.s3)
    except InputError as err:
        raise RemakeError(str(err)) from err
    gone = [shown(p) for p in paths if not at_hand(p)]
    if gone:
        raise RemakeError(f"{len(gone)} of its {len(paths)} raw files are gone, such as {gone[0]}")
    try:
        found = plan_shards(paths, options, records=rules.shard_records, max_bytes=rules.shard_bytes)
    except InputError as err:
        raise RemakeError(str(err)) from err
    return list({s.shard_id: s for s in found}.values())


def _failures(run: Published, old: Old) -> list[tables.Failure]:
    """Inputs of which nothing raw was kept: they stay as they are."""
    return [
        tables.Failure(
            ref=i["ref"], url=i["url"], outlet=i["outlet"], fate=tables.Fate(i["fate"]), step=i["step"],
            reason=tables.Reason(i["reason"]), detail=i["detail"] or "", attempts=i["attempts"],
        )
        for i in old.inputs
        if i["run_id"] == run.run_id and remake.is_early(i)
    ]  # fmt: skip


def _job(run: Published, old: Old, shards: list[Shard], request: Request) -> pipeline.Job:
    scraped = [
        tables.ShardReport(shard_id="all", **{k: s[k] for k in ("step", "seen", "used", "rejected", "rows", "seconds")})
        for s in run.row["steps"]
        if s["step"] == "scrape"
    ]
    return pipeline.Job(
        run_id=run.run_id,
        flow=run.flow,
        night=run.night,
        root=request.root,
        started_at=run.row["started_at"],
        settings=request.settings,
        shards=shards,
        early=_failures(run, old),
        reports=scraped,
        given=run.row.get("given"),
        finished_at=run.finished_at,
        backfilled_at=pipeline.now(),
    )


# --------------------------------------------------------------------------- making it


def _folder(store: Store, request: Request, old: Old, runs: list[Published]) -> Path:
    """Where the night is made: named by what goes in and by which code and settings, so that a later try of the same
    finds its finished shards, and one of other code does not."""
    digest = hashlib.blake2b(digest_size=4)
    shaping = pipeline.shaping(request.settings.model_dump(mode="json"))
    for part in (*(r.run_id for r in runs), *map(str, versions()), shaping):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\n")
    return store.work(f"backfill-{old.night}-{digest.hexdigest()}")


def _carry_out(
    store: Store,
    request: Request,
    old: Old,
    runs: list[Published],
    shards: dict[str, list[Shard]],
    progress: Progress,
) -> Remade:
    rules = request.settings.engine
    count = sum(map(len, shards.values()))
    if rules.runner == "inline" or (rules.runner == "auto" and count <= 1):
        return _remake(store, request, old, runs, shards, engine.Inline(progress))
    with engine.started(rules, progress):
        return engine.run_as_flow(
            "backfill",
            str(old.night),
            engine.task_runner(rules, count),
            lambda: _remake(store, request, old, runs, shards, engine.Orchestrated(progress, rules)),
        )


def _remake(
    store: Store,
    request: Request,
    old: Old,
    runs: list[Published],
    shards: dict[str, list[Shard]],
    steps: engine.Steps,
) -> Remade:
    folder = _folder(store, request, old, runs)
    remake.forget_tables(folder)
    made = Store.open(folder, write=True)
    remake.show_corpus(store, made, old, crawled=any(r.flow == NIGHTLY for r in runs))
    rules, everything = request.settings, remake.published_in(store)
    for run in runs:
        job = _job(run, old, shards[run.run_id], request)
        cleaned = pipeline.clean(job, made, steps)
        work = made.work(run.run_id)
        names = [s.shard_id for s in job.shards]
        remake.check_inputs(store, old, run, _refs(work, names))
        days = max(rules.extract.story_days, rules.clean.copy_days)
        remake.show_earlier(store, made, old, run, everything, _keys(work, names), days=days)
        pipeline.make_tables(job, made, steps, cleaned=cleaned, counts=False)
    remade = steps.call("replace", remake.replace_night, store, made, old)
    steps.call("report", write_report, store.root, old.night)
    discard(folder)
    return remade


def _refs(work: Path, names: list[str]) -> list[tuple[str, int | None]]:
    """Every input's ref, and the digest of what came in where an article was made of it."""
    out: list[tuple[str, int | None]] = []
    for name in names:
        folder = work / "clean" / name
        raws = iter(pq.read_table(folder / "light.parquet", columns=["raw"])["raw"].to_pylist())
        for row in pq.read_table(folder / "inputs.parquet", columns=["ref", "article_id"]).to_pylist():
            out.append((row["ref"], next(raws) if row["article_id"] else None))
    return out


def _keys(work: Path, names: list[str]) -> set[str]:
    files = [work / "clean" / n / "light.parquet" for n in names]
    return {k for f in files for k in pq.read_table(f, columns=["article_key"])["article_key"].to_pylist()}
