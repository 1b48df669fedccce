"""The schedule: over changes of daylight saving, after a night was missed, after a process was killed."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import schedule
from tasks.publish.store import Store
from tasks.publish.write import write_rows
from tasks.settings import Settings
from tests import small

ZONES = ("Europe/Berlin", "America/New_York")


def _rules(cron: str = "0 2 * * *", zone: str = "UTC", **more: Any) -> Settings:
    base = Settings.load(**more)
    return base.model_copy(update={"schedule": base.schedule.model_copy(update={"cron": cron, "timezone": zone})})


@pytest.mark.parametrize(
    ("zone", "after", "cron", "nights"),
    [
        # clocks go forward: 02:30 is left out on the 29th (8th)
        ("Europe/Berlin", "2026-03-28T12:00Z", "30 2 * * *", ["2026-03-29T00:30Z", "2026-03-30T00:30Z"]),
        ("America/New_York", "2026-03-07T12:00Z", "30 2 * * *", ["2026-03-08T06:30Z", "2026-03-09T06:30Z"]),
        ("Europe/Berlin", "2026-03-28T12:00Z", "0 4 * * *", ["2026-03-29T02:00Z", "2026-03-30T02:00Z"]),
        ("America/New_York", "2026-03-07T12:00Z", "0 4 * * *", ["2026-03-08T08:00Z", "2026-03-09T08:00Z"]),
        # clocks go back: 02:30 (01:30) comes twice on the 25th (1st), the night only once
        ("Europe/Berlin", "2026-10-24T12:00Z", "30 2 * * *", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("America/New_York", "2026-10-31T12:00Z", "30 1 * * *", ["2026-11-01T05:30Z", "2026-11-02T06:30Z"]),
        ("Europe/Berlin", "2026-10-24T12:00Z", "0 4 * * *", ["2026-10-25T03:00Z", "2026-10-26T03:00Z"]),
        ("America/New_York", "2026-10-31T12:00Z", "0 4 * * *", ["2026-11-01T09:00Z", "2026-11-02T09:00Z"]),
    ],
)
def test_next_nights_keep_the_clock_when_it_changes(zone: str, after: str, cron: str, nights: list[str]) -> None:
    got = schedule.next_nights(_rules(cron, zone), 2, dt.datetime.fromisoformat(after))
    assert [d.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ") for d in got] == nights


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    day=st.dates(dt.date(2025, 1, 1), dt.date(2032, 1, 1)),
    hour=st.integers(0, 23),
    minute=st.sampled_from([0, 30, 59]),
)
def test_there_is_one_night_for_every_date(zone: str, day: dt.date, hour: int, minute: int) -> None:
    # begins at noon before a change of clocks where the drawn day is near one, so that most draws meet one
    here = zoneinfo.ZoneInfo(zone)
    change = next(
        (
            d
            for n in range(200)
            if _offset(d := day + dt.timedelta(days=n), here) != _offset(d - dt.timedelta(days=1), here)
        ),
        day,
    )
    start = dt.datetime.combine(change - dt.timedelta(days=3), dt.time(0, 0), here)
    rules = _rules(f"{minute} {hour} * * *", zone)
    got = schedule.next_nights(rules, 6, start)
    assert [d.date() for d in got] == [start.date() + dt.timedelta(days=n) for n in range(6)]
    for d in got:
        wall = dt.datetime.combine(d.date(), dt.time(hour, minute), here)
        exists = wall.astimezone(dt.UTC).astimezone(here).replace(tzinfo=None) == wall.replace(tzinfo=None)
        assert (d.hour if exists else d.hour + 1, d.minute) == (
            hour,
            minute,
        )  # an hour early where the hour is left out
        assert schedule.night_of(rules, d.astimezone(dt.UTC)) == d.date()


def _offset(day: dt.date, zone: zoneinfo.ZoneInfo) -> Any:
    return dt.datetime.combine(day, dt.time(12), zone).utcoffset()


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("0 2 * * *", "2026-03-04T01:59Z", "2026-03-03T02:00Z"),
        ("0 2 * * *", "2026-03-04T02:00Z", "2026-03-04T02:00Z"),
        ("0 2 * * 1", "2026-03-06T12:00Z", "2026-03-02T02:00Z"),
        ("0 2 1 1 *", "2026-12-30T12:00Z", "2026-01-01T02:00Z"),
        ("*/5 * * * *", "2026-03-04T12:03Z", "2026-03-04T12:00Z"),
    ],
)
def test_last_night_is_the_one_due_last(cron: str, now: str, due: str) -> None:
    got = schedule.last_night(_rules(cron), dt.datetime.fromisoformat(now))
    assert got == dt.datetime.fromisoformat(due)


def test_a_schedule_that_never_comes_is_said_to_be_wrong() -> None:
    with pytest.raises(ValueError, match=r"schedule\.cron '0 2 30 2 \*'"):
        schedule.next_nights(_rules("0 2 30 2 *"), 1)


@pytest.mark.parametrize(
    ("flows", "missed"),
    [
        ({}, False),  # just begun
        ({"2026-03-01": "nightly"}, True),
        ({"2026-03-01": "nightly", "2026-03-03": "ingest"}, True),
        ({"2026-03-03": "nightly"}, False),
        ({"2026-03-04": "nightly"}, False),  # by hand, later
        ({"2026-03-01": "ingest"}, False),
    ],
)
def test_a_night_is_missed_when_it_was_due_and_has_no_run(flows: dict[str, str], missed: bool, tmp_path: Path) -> None:
    import dataclasses

    store = Store.open(tmp_path / "out", write=True)
    for night, flow in flows.items():
        date = dt.date.fromisoformat(night)
        write_rows(store.path("runs", date), "runs", [dataclasses.replace(small._run(date, []), flow=flow)])
    due = dt.datetime(2026, 3, 3, 2, tzinfo=dt.UTC)
    assert schedule.missed_night(store, due) == (due.date() if missed else None)
    assert schedule.missed_night(store, None) is None


@pytest.mark.slow
def test_what_a_killed_serve_left_is_cleared_and_a_night_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.setenv("PREFECT_API_DATABASE_CONNECTION_URL", f"sqlite+aiosqlite:///{tmp_path}/prefect.db")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ours, others = {"settings": "/a.toml"}, {"settings": "/b.toml"}
    with schedule.scheduling_server(_rules().engine):
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.sorting import FlowRunSort
        from prefect.states import Running

        from flows.deployed import nightly

        made: Any = nightly.to_deployment(name=schedule.NAME, parameters=ours)
        deployment = made.apply()
        with get_client(sync_client=True) as client:
            going = client.create_flow_run_from_deployment(deployment, parameters=ours, state=Running())
            foreign = client.create_flow_run_from_deployment(deployment, parameters=others, state=Running())
        schedule.request_night(deployment, dt.date(2026, 3, 3), ours)
        with get_client(sync_client=True) as client:
            (asked,) = [r for r in client.read_flow_runs(sort=FlowRunSort.ID_DESC, limit=50) if "catch-up" in r.tags]
            assert asked.parameters == ours | {"night": "2026-03-03"}
            later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)
            assert schedule.clear_left_over(ours, later) == 2
            assert schedule.clear_left_over(ours, later) == 0
            state = {r.id: r.state_name for r in client.read_flow_runs(sort=FlowRunSort.ID_DESC, limit=50)}
    assert (state[going.id], state[asked.id], state[foreign.id]) == ("Crashed", "Cancelled", "Running")
