"""Quotes of the invented passages in bench/golden_quotes.py, and the reading and scoring of them."""

from __future__ import annotations

from typing import Any

import pytest

from bench.golden_quotes import Passage, Span, read_golden, read_marked, score_golden
from bench.reliability import bands, error, judged
from tasks.extract.language import load_model, parse_all
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings
from tests.rows import article

FLOORS = {"overlap": 0.82, "exact": 0.73}
MOST_FALSE = 5
"""Pieces found in the 23 passages in which nothing is said. The passages were written before they were first tried."""


def test_read_marked_takes_the_marks_out() -> None:
    p = read_marked("x", "[1|“We won,”] <1|said> {1|Ann Lee}, [1|“at last.”] So [?2|they] left.")
    assert p.text == "“We won,” said Ann Lee, “at last.” So they left."
    assert [p.text[a:b] for a, b in p.said] == ["“We won,”", "“at last.”"]
    assert [p.text[a:b] for a, b in p.optional] == ["they"]
    assert {p.text[a:b] for spans in p.speakers.values() for a, b in spans} == {"Ann Lee"}


@pytest.mark.parametrize(
    ("found", "right", "false"),
    [([(0, 11)], 1, 0), ([(0, 11), (12, 20)], 1, 0), ([(12, 16)], 0, 0), ([], 0, 0)],
)
def test_score_golden_counts_pairs_by_their_words(found: list[Span], right: int, false: int) -> None:
    passage = read_marked("x", "[1|One two all] [?1|that too] or not")
    figures = score_golden([passage], lambda _: found)
    assert (figures.recall, figures.false) == (right, false)


def test_score_golden_counts_false_quotes_where_nothing_is_said() -> None:
    assert score_golden([read_marked("x", "Rain fell.")], lambda _: [(0, 4)]).false == 1


def test_golden_passages_are_many_and_well_marked() -> None:
    passages = read_golden()
    assert len(passages) >= 60
    assert len({p.id for p in passages}) == len(passages)
    assert sum(not p.said for p in passages) >= 15
    assert all(not set("|[]{}") & set(p.text) for p in passages)
    assert all(p.text[a:b].strip() == p.text[a:b] for p in passages for a, b in p.said)


def test_find_quotes_reads_the_golden_passages() -> None:
    passages = read_golden()
    nlp: Any = load_model(ExtractSettings().model)
    docs = {p.id: d for p, d in zip(passages, parse_all(nlp, [p.text for p in passages]), strict=True)}

    def find(p: Passage) -> list[Span]:
        quotes, _ = find_quotes(docs[p.id], article(p.text))
        return [s for q in quotes for s in ([(x.start, x.end) for x in q.parts] or [(q.start, q.end)])]

    figures = score_golden(passages, find)
    assert figures.overlap >= FLOORS["overlap"]
    assert figures.exact >= FLOORS["exact"]
    assert figures.false <= MOST_FALSE


def test_reliability_puts_what_is_said_beside_what_is_right() -> None:
    table = bands([(0.6, True), (0.6, False), (0.99, True), (1.0, True)])
    assert [(b.low, b.n, b.right) for b in table] == [(0.5, 2, 0.5), (0.95, 2, 1.0)]
    assert error(table) == pytest.approx((2 * 0.1 + 2 * 0.005) / 4)


def test_judged_leaves_out_what_is_optional() -> None:
    record = {
        "text": "One two. Three four. Five.",
        "attributions": [{"content": [[0, 7]]}, {"content": [[9, 19]], "optional": True}],
    }
    quotes = [{"start": s, "end": e, "confidence": 0.5} for s, e in ((0, 7), (9, 19), (21, 25))]
    assert judged(record, quotes) == [(0.5, True), (0.5, False)]
