"""The simulated cluster keeps the sums that any cluster must keep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.simulate import Costs, Plan, simulate

COSTS = Costs(
    clean_page_s=[0.02, 0.03, 0.04],
    extract_article_s=[0.05, 0.07],
    start_s=3.0,
    articles_a_page=0.5,
    plan_page_s=0.001,
    task_s=0.02,
    shard_io_s=0.01,
    night_article_s={"settle": 0.001, "link": 0.002, "publish": 0.001},
    night_fixed_s=5.0,
    corpus_article_s=1e-5,
)
PLAN = Plan(workers=8, corpus_articles=10_000, pages=20_000, shard_pages=100)


@pytest.mark.parametrize("workers", [1, 8, 64, 512])
def test_a_night_takes_at_least_what_its_work_and_the_flow_take(workers: int) -> None:
    night = simulate(COSTS, replace(PLAN, workers=workers), seed=1)
    assert night.wall_s >= night.alone_s + night.work_s / workers * 0.99
    assert night.wall_s == pytest.approx(sum(night.steps.values()))
    assert 0 < night.busy <= 1


def test_more_workers_are_never_slower_and_stop_helping() -> None:
    walls = [simulate(COSTS, replace(PLAN, workers=n), seed=1).wall_s for n in (1, 8, 64, 512)]
    assert walls == sorted(walls, reverse=True)
    assert walls[0] / walls[1] > 5
    assert walls[2] / walls[3] < 2


def test_one_worker_does_the_mean_cost_of_every_page() -> None:
    night = simulate(COSTS, replace(PLAN, workers=1), seed=1)
    assert night.work_s == pytest.approx(20_000 * 0.03 + 10_000 * 0.06, rel=0.02)


@pytest.mark.parametrize(
    ("change", "less"),
    [
        ({"planned_by_workers": True}, "plan"),
        ({"parts": 4}, "link"),
        ({"parts": 4}, "count"),
        ({"shard_pages": 1000}, "clean"),
    ],
)
def test_what_is_changed_shortens_its_step(change: dict[str, object], less: str) -> None:
    plan = replace(PLAN, workers=512, pages=1_000_000)
    before, after = simulate(COSTS, plan, seed=1), simulate(COSTS, replace(plan, **change), seed=1)
    assert after.steps[less] < before.steps[less]


def test_the_same_seed_gives_the_same_night() -> None:
    assert simulate(COSTS, PLAN, seed=3) == simulate(COSTS, PLAN, seed=3)
    assert simulate(COSTS, PLAN, seed=3) != simulate(COSTS, PLAN, seed=4)
