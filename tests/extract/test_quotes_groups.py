"""One utterance over many articles."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from tasks.extract.quotes.groups import QuoteKey, group_quotes

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def key(number: int, text: str, *, source: str | None = "Ann Lee", days: float | None = 0) -> QuoteKey:
    return QuoteKey(
        quote_id=f"q-{number:04d}",
        article_id=f"a-{number}",
        text=text,
        kind="direct",
        source_id=None,
        source=source,
        seen_at=None if days is None else DAY + dt.timedelta(days=days),
    )


LONG = "“The harbour wall will be finished before the first storms of winter arrive,”"


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (key(1, LONG), key(2, LONG), True),
        (key(1, LONG), key(2, LONG, days=200), True),
        (key(1, LONG), key(2, "“The harbour wall will be finished before the first storms”", days=1), True),
        (key(1, LONG), key(2, "“The harbour wall will be finished before the first storms”", days=90), False),
        (key(1, LONG), key(2, "that the wall would stand “before the first storms of winter arrive”"), True),
        (key(1, LONG), key(2, "“The harbour bridge will be closed before the last days of summer,”"), False),
        (key(1, "“a shameful farce”"), key(2, "the vote “a shameful farce” from start to end", days=2), True),
        (key(1, "“a shameful farce”"), key(2, "it “a shameful farce”", source="Bo Ek", days=2), False),
        (key(1, "an “outright secrecy run wild”"), key(2, "it “outright secrecy run wild”", source=None), True),
        (key(1, "“a shameful farce”"), key(2, "the vote “a shameful farce” from start to end", days=6), False),
        (key(1, "a “calm, steady, patient hand”"), key(2, "“we need a steady, patient hand now”", days=1), True),
        (key(1, "“We have come a long way,”"), key(2, "“We have a long way to go,”"), False),
    ],
)
def test_group_quotes_joins_when_words_speaker_and_time_agree(one: QuoteKey, other: QuoteKey, joined: bool) -> None:
    groups = group_quotes([one, other])
    assert (groups[one.quote_id] == groups[other.quote_id]) is joined


def test_group_quotes_leaves_out_what_is_too_short_to_be_known_again() -> None:
    assert group_quotes([key(1, "“Yes.”"), key(2, "no comment")]) == {}


def test_group_quotes_is_the_same_when_rows_come_in_another_order() -> None:
    rows = [key(i, f"{LONG} {'again ' * (i % 3)} number {i % 5} of the wall", days=i % 4) for i in range(40)]
    first = group_quotes(rows)
    random.Random(1).shuffle(rows)
    assert group_quotes(rows) == first


def test_group_quotes_keeps_the_id_when_a_group_is_known() -> None:
    assert group_quotes([key(1, LONG), key(2, LONG)], {"q-0002": "u-old"}) == {"q-0001": "u-old", "q-0002": "u-old"}
