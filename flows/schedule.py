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
from tasks.publish.store import Store, StoreError
from tasks.publish.write import read_table
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


def next_nights(rules: Settings, count: int, after: dt.datetime | None = None) -> list[dt.datetime]:
    """The next times the schedule names, as Prefect counts them (daylight saving heeded), in its zone.

    After `after`, by default now. Raises ValueError on a wrong line or zone.
    """
    zone, schedule = _schedule(rules)
    return [d.astimezone(zone) for d in _dates(rules, schedule, n=count, start=after)]


def last_night(rules: Settings, now: dt.datetime) -> dt.datetime | None:
    """The last time up to `now` that the schedule names; None if it names none within a year. Raises as next_nights."""
    zone, schedule = _schedule(rules)
    for days in (0.1, 2, 9, 32, 370):  # from short to long, for the answer is the last of a list of at most 1000
        start = now - dt.timedelta(days=days)
        due = _dates(rules, schedule, n=1000, start=start, end=now)
        if due:
            return max(due).astimezone(zone)
    return None


def night_of(rules: Settings, due: dt.datetime) -> dt.date:
    """The night that a run due then writes: its date in the schedule's zone, so that every date has one.

    By UTC, a night due at 01:30 in Berlin would have two runs in one date in March, and leave one date out in October.
    """
    return due.astimezone(zoneinfo.ZoneInfo(rules.schedule.timezone)).date()


def missed_night(store: Store, due: dt.datetime | None) -> dt.date | None:
    """The night of the time `due` (as last_night answers it), if neither it nor a later one has a nightly run.

    None too where there never was one: who has just begun has missed nothing.
    """
    if due is None:
        return None
    night = due.date()
    ran = [
        n for n in store.nights("runs") if "nightly" in read_table(store.path("runs", n), ["flow"])["flow"].to_pylist()
    ]
    return night if ran and max(ran) < night else None


def _dates(rules: Settings, schedule: Any, **bounds: Any) -> list[dt.datetime]:
    try:
        found: list[dt.datetime] = asyncio.run(schedule.get_dates(**bounds))
    except ValueError as err:  # of croniter: the 30th of February
        raise ValueError(f"schedule.cron {rules.schedule.cron!r} names no time that ever comes") from err
    return found


def _schedule(rules: Settings) -> tuple[zoneinfo.ZoneInfo, Any]:
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
    return zone, schedule


def serve(rules: Settings, settings_file: Path | None, say: Callable[[str], None]) -> None:
    """Carry out nights as scheduled until interrupted; what an earlier serve left behind is cleared first.

    Raises StoreError for an unwritable folder of tables, ValueError on a wrong schedule.
    """
    now = dt.datetime.now(dt.UTC)
    store = Store.open(Path(rules.processed), write=True)
    missed = missed_night(store, last_night(rules, now)) if rules.schedule.catch_up else None
    ours = not os.environ.get("PREFECT_API_URL")
    with scheduling_server(rules.engine) as url:
        say(f"Prefect's page: {url.removesuffix('/api')}")
        from prefect.schedules import Cron

        from flows.deployed import nightly

        parameters: dict[str, Any] = {"settings": str(settings_file.resolve())} if settings_file else {}
        schedules = [Cron(rules.schedule.cron, timezone=rules.schedule.timezone)]
        if ours:
            cleared = _clear_unless_busy(store, parameters, now)
            if cleared:
                say(f"Cleared {cleared} runs that an earlier serve left behind")
        if missed is not None:
            say(f"Catching up the night {missed}, which was missed")
            deployed: Any = nightly.to_deployment(name=NAME, schedules=schedules, parameters=parameters)
            request_night(deployed.apply(), missed, parameters)
        nightly.serve(
            name=NAME,
            schedules=schedules,
            parameters=parameters,
            limit=1,  # one night at a time
            print_starting_message=False,
        )


def request_night(deployment: Any, night: dt.date, parameters: dict[str, Any]) -> None:
    """Ask for a run of the deployment, now, that writes that night; it waits its turn like those on schedule."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(
            deployment, parameters=parameters | {"night": night.isoformat()}, tags=["catch-up"]
        )


def _clear_unless_busy(store: Store, parameters: dict[str, Any], now: dt.datetime) -> int:
    """`clear_left_over`, if no night is being written: who holds the lock is alive."""
    try:
        with store.lock():
            return clear_left_over(parameters, now)
    except StoreError:
        return 0


def clear_left_over(parameters: dict[str, Any], now: dt.datetime) -> int:
    """Mark what a serve with these parameters left behind in Prefect's server; answers how many runs those were.

    Runs that were going on died with their process: crashed. Runs that were due and never began: cancelled, for Prefect
    would carry out all of them now, one after the other, and each would write the same night.
    """
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import (
        DeploymentFilter,
        DeploymentFilterName,
        FlowRunFilter,
        FlowRunFilterExpectedStartTime,
        FlowRunFilterState,
        FlowRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.states import Cancelled, Crashed

    alive = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
    wanted = FlowRunFilter(
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[*alive, StateType.SCHEDULED])),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=now),
    )
    cleared = 0
    with get_client(sync_client=True) as client:
        while True:
            runs = client.read_flow_runs(
                flow_run_filter=wanted,
                deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[NAME])),
                sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                limit=200,
            )
            mine = [r for r in runs if r.parameters.get("settings") == parameters.get("settings")]
            for run in mine:
                state: Any = (
                    Crashed(message="its process ended before it did")
                    if run.state_type in alive
                    else Cancelled(message="due while nothing served")
                )
                client.set_flow_run_state(run.id, state, force=True)
            cleared += len(mine)
            if not mine or len(runs) < 200:
                return cleared


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
