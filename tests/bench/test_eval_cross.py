"""What the bench reads of the tables: broken quotes by their parts, and verdicts a person corrected."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from bench import eval_cross
from tasks import tables

DATA = Path("../shared/data")
TEXT = '"The wall will stand," Odum said. "It will stand for fifty years."'


def _rows() -> eval_cross.Rows:
    parts = [tables.Span(start=0, end=22), tables.Span(start=34, end=len(TEXT))]
    blank = dict.fromkeys(tables.schema("quotes").names)
    quote = tables.Quote(**blank | {"quote_id": "q-1", "article_id": "a-1", "kind": "direct", "text": TEXT, "start": 0,
                                    "end": len(TEXT), "parts": parts, "paragraph": 0, "confidence": 1.0})  # type: ignore[arg-type]  # fmt: skip
    return [("a-1", dt.datetime(2026, 3, 2, tzinfo=dt.UTC), TEXT, [quote], [])]


@pytest.mark.parametrize(
    ("place", "found"),
    [(("a-1", 0, 22), "q-1"), (("a-1", 36, 64), "q-1"), (("a-1", 22, 34), None), (("a-2", 0, 22), None)],
)
def test_finder_finds_a_broken_quote_by_its_parts(place: eval_cross.Place, found: str | None) -> None:
    assert eval_cross.finder(_rows())(place) == found


def test_places_of_are_start_and_end_alone_when_asked_for_the_whole() -> None:
    quote = _rows()[0][3][0]
    assert eval_cross.places_of(quote, whole=True) == [(0, len(TEXT))]
    assert eval_cross.places_of(quote, whole=False) == [(0, 22), (34, len(TEXT))]


def test_corrected_refuses_a_verdict_on_a_pair_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="not in the data"):
        eval_cross.corrected([])


def test_corrected_changes_the_verdicts_that_were_found_wrong() -> None:
    place = DATA / "cross" / "identity_pairs.dev.jsonl"
    if not place.is_file():
        assert "CI" not in os.environ, "the labelled data is missing"
        pytest.skip("../shared is not here")
    given = eval_cross.read_lines(place)
    changed = [(g, c) for g, c in zip(given, eval_cross.corrected(given), strict=True) if g["same"] != c["same"]]
    assert [g["a"]["text"] for g, _ in changed] == ["Absent Trump"]
