"""The nightly flow: the live web of one night into the tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from flows import engine, pipeline
from flows.engine import Progress
from flows.notify import notify, notify_failure
from tasks import tables
from tasks.discover.outlets import load_outlets
from tasks.discover.records import OutletConfig
from tasks.publish.night import OutletFacts, Visit
from tasks.publish.retention import delete_raw
from tasks.publish.store import Store
from tasks.remote.mirror import forget_copies
from tasks.report.summary import Summary
from tasks.scrape.inputs import InputOptions, plan_shards
from tasks.scrape.learn import learn, published_runs
from tasks.scrape.night import ScrapeReport, scrape_night
from tasks.scrape.shards import Shard
from tasks.scrape.state import State
from tasks.settings import Settings

FLOW = "nightly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which outlets, which night, and where to."""

    outlets: Path
    night: dt.date
    root: Path
    raw: Path
    settings: Settings


def run_night(request: Request, progress: Progress) -> Summary:
    """One night over the outlets.

    Raises OutletsError for a wrong outlets file, StoreError for an unwritable folder, StateError for an unusable state.
    """
    started = pipeline.now()
    outlets = load_outlets(request.outlets)
    store = Store.open(request.root, write=True)
    rules = request.settings.engine
    with store.lock():
        name = pipeline.run_id(store, FLOW, request.night, [repr(sorted(o.domain for o in outlets))], request.settings)
        learn_of_tables(
            store, request.settings, request.raw
        )  # of a night that was killed between its publication and its end
        if rules.runner == "inline":
            job = _scrape(store, request, outlets, name, started, engine.Inline(progress), progress)
            summary = pipeline.process(job, engine.Inline(progress))
        else:
            with engine.started(rules, progress):
                summary = engine.run_as_flow(
                    FLOW,
                    name,
                    engine.task_runner(rules, 1),
                    lambda: pipeline.as_flow(
                        _scrape(store, request, outlets, name, started, engine.Orchestrated(progress, rules), progress),
                        progress,
                    ),
                )
        learn_of_tables(store, request.settings, request.raw)
        days, today = request.settings.retention.raw_days, pipeline.now().date()
        past = delete_raw(store, request.raw, days, today, dry_run=False)
        forget_copies(request.raw)
        return replace(summary, raw_deleted=past)


def run_and_tell(request: Request, progress: Progress) -> Summary:
    """`run_night`, and word of it to the webhook. Raises what run_night raises, once that is told too."""
    try:
        summary = run_night(request, progress)
    except Exception as err:  # whatever it was, the person who sleeps wants to hear of it; it goes on to the caller
        notify_failure(request.night, type(err).__name__, request.settings.notify)
        raise
    notify(summary, request.settings.notify)
    return summary


def state_place(root: Path, settings: Settings) -> str:
    """Where the state lies: as set, else beside the tables it is learnt from."""
    return settings.state or str(root / ".state" / "visits.sqlite")


def learn_of_tables(store: Store, settings: Settings, raw: Path, *, anew: bool = False) -> int:
    """Let the state learn of published nights that it does not know. Answers how many runs those were.

    `anew`: forget what is known of articles' addresses first. Raises StateError.
    """
    nights = [(store.path("runs", n), store.path("inputs", n)) for n in store.nights("runs")]
    with State.open(state_place(store.root, settings)) as state:
        if anew:
            state.forget_pages()
        runs = published_runs(nights, FLOW)
        return learn(state, runs, raw, settings.scrape.revisit_hours)


def _scrape(
    store: Store,
    request: Request,
    outlets: list[OutletConfig],
    name: str,
    started: dt.datetime,
    steps: engine.Steps,
    progress: Progress,
) -> pipeline.Job:
    """Discover and fetch; the job that the raw files make."""
    rules = request.settings
    if pipeline.published(store, request.night, name):  # killed after it was published: only the report is left to make
        return _job(request, outlets, name, started, [], None)
    # raw files are named by night and outlets, not by code and settings: after a mend the same pages are used again
    domains = "\n".join(sorted(o.domain for o in outlets))
    number = len(pipeline.published(store, request.night, f"{request.night}-{FLOW}-")) + 1
    run_name = f"{tables.make_id(FLOW, domains)}-{number}"
    report: ScrapeReport = steps.call("scrape", _scrape_night, request, outlets, run_name, progress)
    shards = (
        plan_shards(
            report.warcs,
            InputOptions(root=str(request.raw)),
            records=rules.engine.shard_records,
            max_bytes=rules.engine.shard_bytes,
        )
        if report.warcs
        else []
    )
    return _job(request, outlets, name, started, shards, report)


def _job(
    request: Request,
    outlets: list[OutletConfig],
    name: str,
    started: dt.datetime,
    shards: list[Shard],
    report: ScrapeReport | None,
) -> pipeline.Job:
    failures = _distinct(report.failures) if report else []
    seen = len(failures) + sum(s.count for s in shards)
    return pipeline.Job(
        run_id=name,
        flow=FLOW,
        night=request.night,
        root=request.root,
        started_at=started,
        settings=request.settings,
        shards=shards,
        early=failures,
        visits=[
            Visit(
                outlet=v.domain,
                found=v.found,
                fetched=v.fetched,
                known=v.known,
                listed=sum(v.counts.values()),
                robots=v.robots,
                feed_dead=v.feed_dead,
            )
            for v in (report.outlets if report else [])
        ],
        outlets=[
            OutletFacts(outlet=o.domain, name=o.name, country=o.country, language=o.language, feeds=list(o.sources))
            for o in outlets
        ],
        reports=[
            tables.ShardReport(
                step="scrape",
                shard_id="all",
                seen=seen,
                used=seen - len(failures),
                rejected=len(failures),
                seconds=report.seconds if report else 0.0,
            )
        ],
    )


def _distinct(failures: list[tables.Failure]) -> list[tables.Failure]:
    """Failures with refs of their own: one dead feed that two outlets name is two inputs."""
    seen: set[str] = set()
    out = []
    for f in failures:
        ref = f"{f.ref} ({f.outlet})" if f.ref in seen else f.ref
        seen.add(ref)
        out.append(replace(f, ref=ref))
    return out


def _scrape_night(request: Request, outlets: list[OutletConfig], run_name: str, progress: Progress) -> ScrapeReport:
    with progress.step("discover", len(outlets)) as found, progress.step("fetch", 0) as fetched:
        last = {"discover": 0, "scrape": 0}

        def tell(what: str, done: int, total: int) -> None:
            (found if what == "discover" else fetched)(done - last[what], total)
            last[what] = done

        with State.open(state_place(request.root, request.settings)) as state:
            return scrape_night(
                outlets,
                night=request.night,
                run_name=run_name,
                raw_dir=request.raw,
                rules_discover=request.settings.discover,
                rules_scrape=request.settings.scrape,
                now_fn=pipeline.now,
                progress=tell,
                state=state,
            )
