"""The ingest flow: stored inputs (WARC files, saved pages, text corpora) into the tables."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from flows import pipeline
from flows.engine import Progress
from tasks.publish.store import Store
from tasks.report.summary import Summary
from tasks.scrape.inputs import InputOptions, plan_shards
from tasks.settings import Settings

FLOW = "ingest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ingest, and into which night."""

    paths: list[Path]
    options: InputOptions
    night: dt.date
    root: Path
    settings: Settings


def ingest(request: Request, progress: Progress) -> Summary:
    """Ingest everything under the paths. Raises InputError for wrong use, StoreError if the tables cannot be written.

    One shard is done in this process; more of them are a Prefect flow on Dask workers, unless engine.runner says else.
    """
    rules = request.settings.engine
    started = pipeline.now()
    with progress.step("plan", len(request.paths)) as advance:
        planned = plan_shards(request.paths, request.options, records=rules.shard_records, max_bytes=rules.shard_bytes)
        advance(len(request.paths))
    shards = list({s.shard_id: s for s in planned}.values())  # a file that was given twice is taken once
    store = Store.open(request.root, write=True)
    with store.lock():
        name = pipeline.run_id(store, FLOW, request.night, [s.shard_id for s in shards], request.settings)
        job = pipeline.Job(
            run_id=name,
            flow=FLOW,
            night=request.night,
            root=request.root,
            started_at=started,
            settings=request.settings,
            shards=shards,
            given=json.dumps(asdict(request.options), sort_keys=True),
        )
        return pipeline.carry_out(job, progress, small=len(shards) <= 1)
