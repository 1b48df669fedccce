"""When an address is visited again."""

from __future__ import annotations

import datetime as dt

import pytest

from tasks.discover.records import Address
from tasks.scrape.visits import Met, Visited, after, not_visited, wants_visit
from tasks.tables import Fate, Reason

AT = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
HOURS = (6.0, 24.0, 168.0)
URL = "https://post.example/a"


def met(hours: float, fate: Fate = Fate.UNCHANGED, reason: Reason | None = None, **more: object) -> Met:
    at = AT + dt.timedelta(hours=hours)
    return Met(url=URL, outlet="post.example", at=at, fate=fate, reason=reason, **more)  # type: ignore[arg-type]


def history(*visits: Met) -> Visited:
    page: Visited | None = None
    for visit in visits:
        page = after(page, visit, HOURS)
    assert page is not None
    return page


def hours_until_next(page: Visited) -> float | None:
    return None if page.next_at is None else round((page.next_at - AT).total_seconds() / 3600, 1)


FIRST = met(0, Fate.ARTICLE, body=True)


@pytest.mark.parametrize(
    ("visits", "due"),
    [
        ([FIRST], 5.4),
        ([FIRST, met(6, body=True)], 21.6),
        ([FIRST, met(24, reason=Reason.NOT_MODIFIED)], 151.2),  # a night serves every date that has passed
        ([FIRST, met(24, body=True), met(168, body=True)], None),
        ([FIRST, met(24, Fate.REVISION, body=True)], 24 + 5.4),  # a change begins the schedule anew
        ([met(0, Fate.SKIPPED, Reason.NOT_ARTICLE, body=True)], 5.4),
        ([met(0, Fate.FAILED, Reason.TIMEOUT)], 0.0),
        ([met(0, Fate.FAILED, Reason.TIMEOUT)] * 2, 21.6),
        ([met(0, Fate.FAILED, Reason.TIMEOUT)] * 3, 43.2),
        ([met(0, Fate.FAILED, Reason.TIMEOUT)] * 6, None),
        ([met(0, Fate.FAILED, Reason.HTTP_GONE)], 21.6),
        ([met(0, Fate.FAILED, Reason.HTTP_GONE)] * 3, None),
        ([met(0, Fate.FAILED, Reason.TIMEOUT, attempts=0)] * 9, 0.0),  # its host was not to be asked
    ],
)
def test_after_gives_the_next_visit(visits: list[Met], due: float | None) -> None:
    assert hours_until_next(history(*visits)) == due


def test_after_keeps_the_body_that_a_repeated_answer_refers_to() -> None:
    page = history(
        met(
            0, Fate.ARTICLE, body=True, etag='"1"', digest="sha1:A", page_date="2026", final_url=URL + "/b", moved=True
        ),
        met(24, reason=Reason.NOT_MODIFIED, etag='"2"'),
    )
    assert page.body == (URL + "/b", "2026", "sha1:A")
    assert page.validators is not None
    assert page.validators.etag == '"1"'
    assert page.address == URL + "/b"
    assert after(page, met(25, Fate.FAILED, Reason.HTTP_GONE), HOURS).address == URL


@pytest.mark.parametrize(
    ("said", "now", "wanted"),
    [(None, 1, False), (None, 6, True), (0.5, 1, True), (-1, 1, False), (30, 1, False)],
)
def test_wants_visit_when_due_or_said_to_have_changed(said: float | None, now: float, wanted: bool) -> None:
    hint = None if said is None else AT + dt.timedelta(hours=said)
    address = Address(url=URL, outlet="post.example", found_in="", updated_hint=hint)
    assert wants_visit(history(FIRST), address, AT + dt.timedelta(hours=now)) is wanted
    assert wants_visit(None, address, AT)


def test_not_visited_names_the_failure_of_a_page_that_was_never_had() -> None:
    address = Address(url=URL, outlet="post.example", found_in="")
    known = not_visited(history(FIRST), address)
    gone = not_visited(history(met(0, Fate.FAILED, Reason.HTTP_GONE)), address)
    assert (known.fate, known.reason, known.attempts) == (Fate.UNCHANGED, Reason.NOT_DUE, 0)
    assert (gone.fate, gone.reason, gone.attempts) == (Fate.FAILED, Reason.HTTP_GONE, 0)
