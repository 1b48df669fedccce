"""Date expressions against the day of publication."""

from __future__ import annotations

import datetime as dt

import pytest

from tasks.extract.events.dates import find_dates

WEDNESDAY = dt.date(2026, 3, 4)


@pytest.mark.parametrize(
    ("text", "first", "last", "precision"),
    [
        ("It burned on Monday.", "2026-03-02", "2026-03-02", "day"),
        ("It burned on Wednesday morning.", "2026-03-04", "2026-03-04", "day"),
        ("It burned last Wednesday.", "2026-02-25", "2026-02-25", "day"),
        ("It burned overnight.", "2026-03-03", "2026-03-04", "range"),
        ("It burned yesterday.", "2026-03-03", "2026-03-03", "day"),
        ("It burned today.", "2026-03-04", "2026-03-04", "day"),
        ("It burned last week.", "2026-02-23", "2026-03-01", "week"),
        ("It burned last month.", "2026-02-01", "2026-02-28", "month"),
        ("It burned three months ago.", "2025-12-01", "2025-12-31", "month"),
        ("It burned four years ago.", "2022-01-01", "2022-12-31", "year"),
        ("It burned two days ago.", "2026-03-02", "2026-03-02", "day"),
        ("It burned in 2014.", "2014-01-01", "2014-12-31", "year"),
        ("It burned on January 30.", "2026-01-30", "2026-01-30", "day"),
        ("It burned on 17 August 2019.", "2019-08-17", "2019-08-17", "day"),
        ("It burned on December 24.", "2025-12-24", "2025-12-24", "day"),
        ("It burned between May 3 and 5, 2024.", "2024-05-03", "2024-05-05", "range"),
        ("It burned in April.", "2025-04-01", "2025-04-30", "month"),
        ("It burned during the past two days.", "2026-03-02", "2026-03-04", "range"),
        ("Fighting has raged since early February.", "2026-02-01", "2026-03-04", "range"),
    ],
)
def test_find_dates_resolves_an_expression(text: str, first: str, last: str, precision: str) -> None:
    (when,) = find_dates(text, 0, WEDNESDAY)
    assert (str(when.first), str(when.last), when.precision) == (first, last, precision)
    assert text[when.start : when.end] == when.text


def test_find_dates_looks_ahead_when_it_is_a_plan() -> None:
    (when,) = find_dates("They will march on Friday.", 0, WEDNESDAY, ahead=True)
    assert when.first == dt.date(2026, 3, 6)


@pytest.mark.parametrize("text", ["It burned on Monday.", "It burned last week.", "It burned on March 4."])
def test_find_dates_stay_unresolved_when_the_article_is_undated(text: str) -> None:
    (when,) = find_dates(text, 10, None)
    assert when.first is None
    assert when.last is None
    assert text[when.start - 10 : when.end - 10] == when.text


def test_find_dates_needs_no_publication_day_when_the_year_is_said() -> None:
    (when,) = find_dates("It burned on 17 August 2019.", 0, None)
    assert when.first == dt.date(2019, 8, 17)


@pytest.mark.parametrize(
    "text",
    [
        "On February 31, 2020 and on 99 May.",
        "In the year 9999-12-31 and since December 9999, within the past 999 years.",
        "monday " * 500,
        "999 years ago and 999 months ago and 1,2,3 weeks ago",
    ],
)
def test_find_dates_survives_dates_that_cannot_be(text: str) -> None:
    for when in find_dates(text, 0, dt.date(1, 1, 5)) + find_dates(text, 0, dt.date(9999, 12, 30)):
        assert when.first is None or when.last is None or when.first <= when.last


@pytest.mark.parametrize("text", ["You may 2 times try.", "The march 100 people joined.", "Nothing here."])
def test_find_dates_finds_none_when_a_month_is_a_word(text: str) -> None:
    assert find_dates(text, 0, WEDNESDAY) == []
