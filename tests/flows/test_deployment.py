"""prefect.yaml: its entry point is our flow, and its schedule one that we could serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # Prefect brings it, its stubs it does not

from flows import schedule
from tasks.settings import Settings

ROOT = Path(__file__).parents[2]


def _deployment() -> dict[str, Any]:
    (found,) = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    return dict(found)


def test_entry_point_is_the_deployed_flow() -> None:
    from prefect.flows import load_flow_from_entrypoint

    from flows.deployed import nightly

    path, _, name = _deployment()["entrypoint"].partition(":")
    flow: Any = load_flow_from_entrypoint(f"{ROOT / path}:{name}")
    assert (flow.name, flow.parameters.properties) == (nightly.name, nightly.parameters.properties)
    flow.validate_parameters(_deployment()["parameters"])


def test_schedule_is_the_default_of_the_settings_and_one_night_runs_at_a_time() -> None:
    made = _deployment()
    (when,) = made["schedules"]
    rules = Settings.model_construct().schedule
    assert (when["cron"], when["timezone"]) == (rules.cron, rules.timezone)
    assert made["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
    assert schedule.NAME == made["name"]


def test_prefect_understands_the_file() -> None:
    from prefect.cli.deploy._models import PrefectYamlModel

    read = PrefectYamlModel.model_validate(yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8")))
    assert [d.name for d in read.deployments] == ["nightdesk"]
