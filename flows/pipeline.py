"""The order of the steps, from shards to the report: the same for a night of the live web and for an ingest."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from flows import elsewhere, engine
from flows.places import as_given
from flows.versions import versions
from tasks import tables
from tasks.clean.settle import Memory, settle
from tasks.clean.task import clean_shard
from tasks.extract.link import link
from tasks.extract.task import extract_shard
from tasks.publish.apart import kept_apart
from tasks.publish.night import OutletFacts, RunFacts, Visit, discard_work, publish_night
from tasks.publish.store import Store
from tasks.publish.write import read_table
from tasks.report.nightly import write_report
from tasks.report.summary import Summary, summarise
from tasks.scrape.shards import Shard
from tasks.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run: what goes in, and where it goes."""

    run_id: str
    flow: str
    night: dt.date
    root: Path
    started_at: dt.datetime
    settings: Settings
    shards: list[Shard]
    early: list[tables.Failure] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    outlets: list[OutletFacts] = field(default_factory=list)
    reports: list[tables.ShardReport] = field(default_factory=list)
    given: str | None = None
    finished_at: dt.datetime | None = None
    """When it was published, where that is long ago."""
    backfilled_at: dt.datetime | None = None


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def run_id(store: Store, flow: str, night: dt.date, ingredients: list[str], settings: Settings) -> str:
    """The run's name: night, flow, hash of what goes in and by which code and settings, and how often that was done.

    The same command after a kill has the same name and finds its finished shards. A try that was published but killed
    before its work folder was removed keeps its name too: `published` tells.
    """
    digest = hashlib.blake2b(digest_size=4)
    models = [f"{v.name} {v.version} {v.sha256}" for v in versions()]
    for part in (flow, *ingredients, *models, shaping(settings.model_dump(mode="json"))):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\n")
    stem = f"{night.isoformat()}-{flow}-{digest.hexdigest()}"
    done = published(store, night, stem)
    last = f"{stem}-{len(done)}"
    return last if done and store.work(last).is_dir() else f"{stem}-{len(done) + 1}"


ELSEWHERE = frozenset({"engine", "schedule", "notify", "retention", "raw", "processed", "state", "s3"})
"""Settings that shape no row."""


def shaping(settings: Mapping[str, Any]) -> str:
    """The settings that shape rows, of all that were dumped; the engine's do not."""
    return json.dumps({k: v for k, v in settings.items() if k not in ELSEWHERE}, sort_keys=True)


def published(store: Store, night: dt.date, stem: str) -> list[str]:
    """Published runs of that night whose name begins so."""
    path = store.path("runs", night)
    if not path.is_file():
        return []
    return [r for r in read_table(path, ["run_id"])["run_id"].to_pylist() if r.startswith(stem)]


def process(job: Job, steps: engine.Steps) -> Summary:
    """clean -> settle -> extract -> link -> publish -> report. Answers what a person wants to know of the run."""
    store = Store.open(job.root, write=True)
    if not published(store, job.night, job.run_id):
        make_tables(job, store, steps)
    report = steps.call("report", write_report, job.root, job.night)
    discard_work(job.root, job.run_id)
    return summarise(job.root, job.run_id, job.night, report)


def clean(job: Job, store: Store, steps: engine.Steps) -> list[tables.ShardReport]:
    """The job's shards, each cleaned into the run's work folder in `store`."""
    work = store.work(job.run_id)
    work.mkdir(parents=True, exist_ok=True)
    there = _there(work, job, steps)
    counts = [s.count for s in job.shards]
    if there is None:
        return steps.map("clean", clean_shard, [(s, work, job.settings.clean, job.run_id) for s in job.shards], counts)
    shards = [elsewhere.by_address(s) for s in job.shards]
    items = [(s, there, job.settings.clean, job.run_id) for s in shards]
    reports = steps.map("clean", elsewhere.clean_there, items, counts)
    elsewhere.collect(there, work, "clean", [s.shard_id for s in shards])
    return reports


def extract(work: Path, job: Job, steps: engine.Steps) -> list[tables.ShardReport]:
    """The job's settled shards, each extracted into the run's work folder. Shards with the most articles first, so that
    no worker is left alone with a big one at the end."""
    size = {s.shard_id: pq.read_metadata(work / "clean" / s.shard_id / "articles.parquet").num_rows for s in job.shards}
    names = sorted(size, key=lambda n: (-size[n], n))
    counts = [size[n] for n in names]
    there = _there(work, job, steps)
    if there is None:
        return steps.map("extract", extract_shard, [(n, work, job.settings.extract) for n in names], counts)
    elsewhere.deliver(there, work, names)
    reports = steps.map("extract", elsewhere.extract_there, [(n, there, job.settings.extract) for n in names], counts)
    elsewhere.collect(there, work, "extract", names)
    return reports


def _there(work: Path, job: Job, steps: engine.Steps) -> elsewhere.There | None:
    """Where shards go if their workers may have another disk; None where they have this one."""
    return elsewhere.There.of(work, job.settings.s3) if steps.far else None


def make_tables(
    job: Job,
    store: Store,
    steps: engine.Steps,
    *,
    cleaned: list[tables.ShardReport] | None = None,
    counts: bool = True,
) -> None:
    """clean (unless it is `cleaned`) -> settle -> extract -> link -> publish into `store`; without the corpus-wide
    tables unless `counts`."""
    rules = job.settings
    work = store.work(job.run_id)
    names = [s.shard_id for s in job.shards]
    reports = list(job.reports)
    reports += clean(job, store, steps) if cleaned is None else cleaned
    reports.append(steps.call("settle", settle, work, names, _memory(store, job), rules.clean))
    reports += extract(work, job, steps)
    window = {
        t: store.files(t, since=job.night - dt.timedelta(days=rules.extract.story_days), before=job.night)
        for t in ("articles", "quotes", "events", "sources")
    }
    window["source_index"] = store.files("source_index")
    apart = [*rules.extract.keep_apart, *kept_apart(store)]
    reports.append(
        steps.call("link", link, work, names, window, rules.extract.model_copy(update={"keep_apart": apart}))
    )
    facts = RunFacts(
        run_id=job.run_id,
        flow=job.flow,
        night=job.night,
        started_at=job.started_at,
        finished_at=job.finished_at or now(),
        shards=names,
        early=job.early,
        visits=job.visits,
        outlets=job.outlets,
        reports=reports,
        versions=versions(),
        settings=as_given(rules).model_dump_json(),
        given=job.given,
        backfilled_at=job.backfilled_at,
    )
    steps.call("publish", publish_night, store.root, facts, counts)


def _memory(store: Store, job: Job) -> Memory:
    since = job.night - dt.timedelta(days=job.settings.clean.copy_days)
    repeats = store.state_files("repeats", since=dt.date.min, before=job.night)
    return Memory(
        night=job.night,
        articles=store.files("articles"),
        signatures=store.state_files("signatures", since=since, before=job.night),
        wordings=store.state_files("wordings", since=dt.date.min, before=dt.date.max),
        repeats=repeats[-1] if repeats else None,
    )


def carry_out(job: Job, progress: engine.Progress, *, small: bool) -> Summary:
    """Run `process`: inline for a small job or by setting, else as a Prefect flow on Dask."""
    rules = job.settings.engine
    if rules.runner == "inline" or (rules.runner == "auto" and small):
        return process(job, engine.Inline(progress))
    with engine.started(rules, progress):
        return as_flow(job, progress)


def as_flow(job: Job, progress: engine.Progress) -> Summary:
    """`process` as a Prefect flow, within a server's context."""

    def body() -> Summary:
        summary = process(job, engine.Orchestrated(progress, job.settings.engine))
        _leave_artifact(summary)
        return summary

    runner = engine.task_runner(job.settings.engine, len(job.shards))
    return engine.run_as_flow("process", job.run_id, runner, body)


def _leave_artifact(summary: Summary) -> None:
    from prefect.artifacts import create_markdown_artifact

    create_markdown_artifact(markdown=summary.markdown(), key=f"night-{summary.night}", description="nightdesk")
