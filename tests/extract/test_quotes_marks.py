"""Stretches in quotation marks, in every style of marks."""

from __future__ import annotations

import itertools
import time

import pytest

from tasks.extract.quotes.marks import find_quoted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He said: “We won.” Then he left.", ["“We won.”"]),
        ('"We won," he said. "Easily."', ['"We won,"', '"Easily."']),
        ("``We won,'' he said.", ["``We won,''"]),
        ("« Nous avons », he said.", ["« Nous avons »"]),
        ("Er sagte „genug“ und ging.", ["„genug“"]),
        ("‘We’re done,’ she said.", ["‘We’re done,’"]),
        ("'We're done,' she said.", ["'We're done,'"]),
        ("The boys' club isn't James's.", []),
        ("the president''s rule was “over”.", ["“over”"]),
        ("“He told me ‘go’ and left,” she said.", ["“He told me ‘go’ and left,”"]),
        ("A 6'2\" guard.", []),
        ("No marks at all.", []),
        ("", []),
    ],
)
def test_find_quoted_when_marks_are_of_one_style(text: str, expected: list[str]) -> None:
    assert [text[q.start : q.end] for q in find_quoted(text)] == expected


def test_find_quoted_stops_at_the_paragraph_when_a_mark_never_closes() -> None:
    text = "“It never ended.\nThe next paragraph is not his.\nNor is this."
    assert [text[q.start : q.end] for q in find_quoted(text)] == ["“It never ended."]


def test_find_quoted_takes_each_paragraph_when_a_quotation_runs_on() -> None:
    text = "“First.\n“Second.”"
    assert [text[q.start : q.end] for q in find_quoted(text)] == ["“First.", "“Second.”"]


def test_find_quoted_takes_each_paragraph_when_straight_single_marks_run_on() -> None:
    text = "'First it rained.\n\n'Then it snowed,' he said.\n\n'Twas cold."
    assert [text[q.start : q.end] for q in find_quoted(text)] == ["'First it rained.", "'Then it snowed,'"]


def test_find_quoted_closes_a_carried_quotation_when_the_paragraph_does_not_reopen() -> None:
    text = "“First.\nSecond,” he said."
    assert [text[q.start : q.end] for q in find_quoted(text)] == ["“First.", "Second,”"]


@pytest.mark.parametrize("mark", ['"', "“", "”", "'", "‘", "’", "``", "''"])
def test_find_quoted_is_linear_when_there_are_thousands_of_marks(mark: str) -> None:
    started = time.perf_counter()
    found = find_quoted((mark + "a ") * 20_000)
    assert time.perf_counter() - started < 5
    assert all(a.end <= b.start for a, b in itertools.pairwise(found))
