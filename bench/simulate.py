"""A night on a cluster, event by event, from measured costs: which part waits for which, and for how long.

The flow hands out shards one after the other and takes them back one after the other (both cost it CPU); workers take
the next shard when they are free; what the flow does alone comes before, between and after. A shard costs what is drawn
from the measured costs of pages in a shard; the times of its requests are drawn too.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

REQUEST_S = (0.02, 0.6)
"""Median and log-normal spread of one request to an object store. Assumed (1 in 100 takes over 80 ms): a server on
loopback says nothing of it."""
BYTES_A_S = 60e6
"""Of one connection to an object store."""
PAGE_BYTES = 40_000
"""Of a page in a WARC file, compressed."""
MEASURED_SHARD = 12
"""Pages of the shards that costs were measured on (`SHARD` of scale.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """CPU seconds. `start_s`: a worker's imports and models; `task_s`: the flow's for handing out a shard and taking
    it back; `shard_io_s`: for moving a shard's files; `night_article_s`: of settle, link and publish;
    `corpus_article_s`: of counting the corpus-wide tables."""

    clean_page_s: list[float]
    extract_article_s: list[float]
    start_s: float
    articles_a_page: float
    plan_page_s: float
    task_s: float
    shard_io_s: float
    night_article_s: dict[str, float]
    night_fixed_s: float
    corpus_article_s: float

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A cluster and its night. `planned_by_workers`: files are cut into shards on the workers, not by the flow.
    `parts`: how many machines share what the flow does alone over articles, each its share of the keys."""

    workers: int
    corpus_articles: int
    pages: int = 1_000_000
    shard_pages: int = 100
    planned_by_workers: bool = False
    parts: int = 1


ADVICE: dict[str, dict[str, Any]] = {
    "as it is": {},
    "shards of 1,000": {"shard_pages": 1000},
    "and planned by workers": {"shard_pages": 1000, "planned_by_workers": True},
    "and counted in 16 parts": {"shard_pages": 1000, "planned_by_workers": True, "parts": 16},
}


@dataclass(slots=True)
class Night:
    """What came of it. `work_s`: CPU of all shards; `alone_s`: wall in which only the flow worked; `busy`: the share of
    the workers' time that was work."""

    wall_s: float = 0.0
    alone_s: float = 0.0
    work_s: float = 0.0
    requests: int = 0
    busy: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)

    def alone(self, step: str, seconds: float) -> None:
        self.wall_s += seconds
        self.alone_s += seconds
        self.steps[step] = seconds


def simulate(costs: Costs, plan: Plan, *, seed: int) -> Night:
    """One night. The same seed gives the same night."""
    rng = np.random.default_rng(seed)
    night = Night()
    shards = max(1, plan.pages // plan.shard_pages)
    articles = plan.pages * costs.articles_a_page
    planning = costs.plan_page_s * plan.pages
    night.alone("plan", planning / plan.workers if plan.planned_by_workers else planning)
    clean = _shards(rng, costs.clean_page_s, plan.shard_pages, shards)
    _mapped(rng, night, "clean", clean, costs, plan, requests=4, moved=plan.shard_pages * PAGE_BYTES)
    per = costs.night_article_s
    night.alone("settle", per["settle"] * articles / plan.parts)
    extract = _shards(rng, costs.extract_article_s, round(plan.shard_pages * costs.articles_a_page), shards)
    order = np.sort(extract)[::-1]  # the flow hands the largest out first
    _mapped(rng, night, "extract", order, costs, plan, requests=5, moved=plan.shard_pages * 8_000)
    night.alone("link", per["link"] * articles / plan.parts)
    night.alone("publish", per["publish"] * articles / plan.parts)
    night.alone("count", costs.corpus_article_s * (plan.corpus_articles + articles) / plan.parts)
    night.alone("rest", costs.night_fixed_s)
    night.busy = night.work_s / (plan.workers * night.wall_s)
    return night


def _shards(rng: Any, per_record: list[float], records: int, shards: int) -> Any:
    """Costs of shards. The measured costs a record are means over shards, so their spread is that of this size by the
    law of sums."""
    base = np.asarray(per_record)
    mean, spread = float(base.mean()), float(base.std())
    scaled = spread * (MEASURED_SHARD / max(records, 1)) ** 0.5
    return np.maximum(0.2 * mean, rng.normal(mean, scaled, shards)) * records


def _mapped(
    rng: Any, night: Night, step: str, shards: Any, costs: Costs, plan: Plan, *, requests: int, moved: float
) -> None:
    """All shards of one step over the workers; the flow hands each out, and takes each back, alone."""
    waits = rng.lognormal(np.log(REQUEST_S[0]), REQUEST_S[1], (len(shards), requests)).sum(axis=1) + moved / BYTES_A_S
    start = costs.start_s if step == "clean" else 0.0
    free = [start] * min(plan.workers, len(shards))
    heapq.heapify(free)
    handed, ends = 0.0, []
    for cost, wait in zip(shards, waits, strict=True):
        handed += costs.task_s / 2
        begin = max(handed, heapq.heappop(free))
        ends.append(begin + float(cost + wait))
        heapq.heappush(free, ends[-1])
    taken = 0.0
    for end in sorted(ends):
        taken = max(taken, end) + costs.task_s / 2
    collecting = costs.shard_io_s * len(shards) * (2 if step == "extract" else 1)
    night.wall_s += taken + collecting
    night.alone_s += taken - max(ends) + collecting
    night.steps[step] = taken + collecting
    night.work_s += float(shards.sum())
    night.requests += len(shards) * (requests + 2)
