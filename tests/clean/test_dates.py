from __future__ import annotations

import datetime as dt

import pytest

from tasks.clean.dates import not_after, parse_moment


@pytest.mark.parametrize(
    ("text", "wanted", "precision"),
    [
        ("2016-10-29", "2016-10-29T00:00:00+00:00", "day"),
        ("20161029", "2016-10-29T00:00:00+00:00", "day"),
        ("2024-05-16T11:00:00-07:00", "2024-05-16T18:00:00+00:00", "second"),
        ("2024-05-16T11:00+0200", "2024-05-16T09:00:00+00:00", "minute"),
        ("2024-05-16 23:30:00.250Z", "2024-05-16T23:30:00+00:00", "second"),
        ("2024-05-16T11:00:00", "2024-05-16T00:00:00+00:00", "day"),  # no zone: the hour is not known
        ("Tue, 19 Nov 2019 09:01:02 +0530", "2019-11-19T03:31:02+00:00", "second"),
        ("19 November 2019", "2019-11-19T00:00:00+00:00", "day"),
        ("November 2019", "2019-11-01T00:00:00+00:00", "month"),
        ("2019", "2019-01-01T00:00:00+00:00", "year"),
        ("25/12/2019", "2019-12-25T00:00:00+00:00", "day"),
        ("1574154062", "2019-11-19T09:01:02+00:00", "second"),
    ],
)
def test_parse_moment_reads_what_the_string_states(text: str, wanted: str, precision: str) -> None:
    moment = parse_moment(text)
    assert moment is not None
    assert moment.at.isoformat() == wanted
    assert moment.precision == precision


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "yesterday",
        "03/04/2019",
        "PT50M55S",
        "00:00-YY-DD-MM",
        "2019-13-40",
        "0001-01-01",
        "12",
        "next May",
        "x" * 5000,
    ],
)
def test_parse_moment_gives_none_when_unclear(text: str | None) -> None:
    assert parse_moment(text) is None


def test_not_after_drops_a_date_when_it_lies_in_the_future() -> None:
    fetched = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert not_after(parse_moment("2024-01-02"), fetched) is None
    assert not_after(parse_moment("2023-12-31"), fetched) is not None
