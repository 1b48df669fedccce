"""The dead of last year's attack are not this story's."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tasks import tables
from tasks.extract.events.happening import of_main_happening

BLANK: dict[str, Any] = {f.name: [] if str(f.type).startswith("list") else None for f in tables.schema("events")}


def event(name: str, at: int, day: str | None = None, **more: Any) -> tables.Event:
    date = dt.date.fromisoformat(day) if day else None
    fixed = {
        "event_id": name, "article_id": "a", "type": "ASSAULT", "evidence": "", "start": at, "end": at, "trigger": "",
        "trigger_start": at, "trigger_end": at, "modality": "asserted", "date_start": date, "date_end": date,
        "quad": "material_conflict", "confidence": 0.9,
    }  # fmt: skip
    return tables.Event(**BLANK | fixed | more)


GAO = {"place_country": "MLI", "place_precision": "city", "lat": 16.27, "lon": -0.04}
BAMAKO = {"place_country": "MLI", "place_precision": "city", "lat": 12.65, "lon": -8.0}


@pytest.mark.parametrize(
    ("others", "kept"),
    [
        ([event("claim", 50, "2026-03-02", **GAO)], {"bomb", "claim"}),  # the day after is of it
        ([event("undated", 50, place_country="MLI")], {"bomb", "undated"}),
        ([event("last-year", 50, "2025-04-01", **GAO)], {"bomb"}),
        ([event("other-land", 50, "2026-03-01", place_country="NER")], {"bomb"}),
        ([event("other-town", 50, "2026-03-01", **BAMAKO)], {"bomb"}),
        ([event("feared", 50, "2026-03-01", modality="hypothetical", **GAO)], {"bomb"}),
    ],
)
def test_of_main_happening_keeps_what_is_of_its_day_and_place(others: list[tables.Event], kept: set[str]) -> None:
    found = of_main_happening([*others, event("bomb", 0, "2026-03-01", **GAO)])
    assert {e.event_id for e in found} == kept


def test_of_main_happening_is_the_latest_when_an_older_one_is_told_first() -> None:
    told = [event("killing", 0, "2016-05-01"), event("sentence", 20, "2026-02-27")]
    assert [e.event_id for e in of_main_happening(told)] == ["sentence"]


def test_of_main_happening_is_empty_when_nothing_happened() -> None:
    assert of_main_happening([]) == []
    assert of_main_happening([event("plan", 0, modality="planned")]) == []


def test_of_main_happening_keeps_all_when_nothing_is_dated() -> None:
    assert len(of_main_happening([event("a", 0), event("b", 9)])) == 2
