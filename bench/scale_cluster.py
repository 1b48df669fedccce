"""usage: python -m bench.scale_cluster INPUT OUT NIGHT REPORT

One ingest on the cluster that the settings name, with a clock at every shard and every step of the flow; the times go
to REPORT as JSON. A process of its own, so that its CPU time is the flow's.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from flows import elsewhere, engine, pipeline
from flows.ingest import Request, ingest
from flows.places import at_hand, inputs_at_hand
from flows.progress import progress
from tasks.remote.bucket import written
from tasks.scrape.inputs import InputOptions
from tasks.settings import Settings

Clocked = tuple[Any, float, float]
TIMES: list[dict[str, Any]] = []


def clocked(function: Callable[..., Any], *item: Any) -> Clocked:
    """What a worker answers, and the wall and CPU seconds it took. The worker does one shard at a time."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = function(*item)
    return answer, time.perf_counter() - wall, time.process_time() - cpu


def note(step: str, kind: str, wall: float, cpu: float, **more: Any) -> None:
    TIMES.append({"step": step, "kind": kind, "wall_s": wall, "cpu_s": cpu, **more})


class Watched:
    """The steps of any flow, each timed: a `call` and a `map` as the flow has them, a `shard` as its worker has it."""

    def map(self, name: str, function: Callable[..., Any], items: Sequence[tuple[Any, ...]]) -> list[Any]:
        wall, cpu = time.perf_counter(), time.process_time()
        answers: list[Clocked] = super().map(name, clocked, [(function, *item) for item in items])
        note(name, "map", time.perf_counter() - wall, time.process_time() - cpu)
        for report, shard_wall, shard_cpu in answers:
            note(name, "shard", shard_wall, shard_cpu, seen=report.seen, used=report.used, rows=report.rows)
        return [report for report, _, _ in answers]

    def call(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        answer, wall, cpu = clocked(super().call, name, function, *args)
        note(name, "call", wall, cpu)
        return answer


class WatchedCluster(Watched, engine.Orchestrated):
    pass


class WatchedInline(Watched, engine.Inline):
    pass


def watched(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function with a clock."""

    def run(*args: Any, **named: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = function(*args, **named)
        note(step, "flow", time.perf_counter() - wall, time.process_time() - cpu)
        return answer

    return run


def main(source: str, out: str, night: str, report: str) -> None:
    engine.Orchestrated, engine.Inline = WatchedCluster, WatchedInline  # type: ignore[misc]
    pipeline.elsewhere.collect = watched("collect", elsewhere.collect)
    pipeline.elsewhere.deliver = watched("deliver", elsewhere.deliver)
    import flows.ingest as module

    module.plan_shards = watched("plan", module.plan_shards)
    rules = at_hand(Settings.load(processed=written(out)))
    begun = time.perf_counter()
    summary = ingest(
        Request(
            paths=watched("fetch", inputs_at_hand)([Path(source)], rules.s3),
            options=InputOptions(),
            night=dt.date.fromisoformat(night),
            root=Path(rules.processed),
            settings=rules,
        ),
        progress(quiet=True),
    )
    whole = {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time()}
    Path(report).write_text(json.dumps({"times": TIMES, "rows": summary.rows, **whole}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
