"""The schedule: a Prefect server with its scheduler, and the process that carries out what is due."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import socket
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from flows.engine import EngineError, quiet_environment
from tasks.settings import EngineSettings, Settings

NAME = "nightdesk"


@contextmanager
def scheduling_server(rules: EngineSettings) -> Iterator[str]:
    """Address of the API of a Prefect server that schedules: PREFECT_API_URL's, else one started here on loopback.

    The embedded server of a single run has no scheduler, hence `prefect server start`.
    """
    quiet_environment(rules)
    from prefect.settings import PREFECT_API_URL, temporary_settings

    if PREFECT_API_URL.value():
        yield str(PREFECT_API_URL.value())
        return
    port = _free_port(4200)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    env = os.environ | {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    url = f"http://127.0.0.1:{port}/api"
    try:
        _await_health(process, url, rules.start_timeout_s)
        os.environ["PREFECT_API_URL"] = url
        with temporary_settings({PREFECT_API_URL: url}):
            yield url
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port(first: int) -> int:
    for port in range(first, first + 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EngineError(f"no free port from {first} to {first + 199} for Prefect's server")


def _await_health(process: subprocess.Popen[bytes], url: str, timeout_s: int) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EngineError(
                f"Prefect's server ended with {process.returncode}: run `prefect server start` to see why"
            )
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise EngineError(f"Prefect's server did not answer within {timeout_s} s: raise engine.start_timeout_s")


def next_nights(rules: Settings, count: int) -> list[dt.datetime]:
    """The next times the schedule names, as Prefect counts them (daylight saving heeded), in its zone.

    Raises ValueError on a wrong line or zone.
    """
    try:
        zone = zoneinfo.ZoneInfo(rules.schedule.timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as err:
        raise ValueError(
            f"schedule.timezone {rules.schedule.timezone!r} is no time zone: write one such as Europe/Berlin or UTC"
        ) from err
    from prefect.server.schemas.schedules import CronSchedule

    try:
        schedule = CronSchedule(cron=rules.schedule.cron, timezone=rules.schedule.timezone)
    except ValueError as err:
        raise ValueError(
            f"schedule.cron {rules.schedule.cron!r} is no cron line: for two o'clock every night write 0 2 * * *"
        ) from err
    return [d.astimezone(zone) for d in asyncio.run(schedule.get_dates(n=count))]


def serve(rules: Settings, settings_file: Path | None, say: Callable[[str], None]) -> None:
    """Carry out nights as scheduled until interrupted."""
    with scheduling_server(rules.engine) as url:
        say(f"Prefect's page: {url.removesuffix('/api')}")
        from prefect.schedules import Cron

        from flows.deployed import nightly

        parameters: dict[str, Any] = {"settings": str(settings_file.resolve())} if settings_file else {}
        nightly.serve(
            name=NAME,
            schedules=[Cron(rules.schedule.cron, timezone=rules.schedule.timezone)],
            parameters=parameters,
            limit=1,  # one night at a time
            print_starting_message=False,
        )


def scheduled_runs(rules: Settings, wait_s: float = 60.0) -> int:
    """How many runs Prefect's scheduler creates for a deployment with our cron line, within wait_s; then it is removed.

    0 is what SQLAlchemy 2.1 gave: no run, and no error either.
    """
    with scheduling_server(rules.engine):
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
        from prefect.client.schemas.schedules import CronSchedule
        from prefect.client.schemas.sorting import FlowRunSort

        schedule = CronSchedule(cron=rules.schedule.cron, timezone=rules.schedule.timezone)
        with get_client(sync_client=True) as client:
            flow_id = client.create_flow_from_name("nightdesk-doctor")
            deployment = client.create_deployment(
                flow_id=flow_id,
                name=f"doctor-{os.getpid()}",
                schedules=[_deployment_schedule(schedule)],
                paused=False,
            )
            try:
                deadline = time.monotonic() + wait_s
                while time.monotonic() < deadline:
                    found = client.read_flow_runs(
                        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
                        sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                        limit=100,
                    )
                    if found:
                        return len(found)
                    time.sleep(1)
                return 0
            finally:
                client.delete_deployment(deployment)


def _deployment_schedule(schedule: Any) -> Any:
    from prefect.client.schemas.actions import DeploymentScheduleCreate

    return DeploymentScheduleCreate(schedule=schedule, active=True)
