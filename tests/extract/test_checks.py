"""Rows that break a promise of the tables are caught before they are written."""

from __future__ import annotations

import dataclasses

import pytest

from tasks.extract.checks import InvariantError, check_article
from tests import rows

ARTICLE = rows.article("Police arrested 12 people in Lagos, an officer said.")
QUOTE = rows.quote(ARTICLE, "Police arrested 12 people in Lagos", source_id="s-1")
SOURCE = rows.source(ARTICLE, "an officer", source_id="s-1")
EVENT = rows.event(ARTICLE, "Police arrested 12 people in Lagos", "arrested", attributed_quote_id=QUOTE.quote_id)


def test_check_article_accepts_good_rows() -> None:
    check_article([QUOTE], [SOURCE], [EVENT], ARTICLE.text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": QUOTE.end - 1}, "is not text"),
        ({"cue": "said", "cue_start": 0, "cue_end": 4}, "cue"),
        ({"speaker_text": "an officer"}, "speaker_text"),
        ({"source_id": "s-9"}, "no row"),
        ({"parent_quote_id": "q-9"}, "no row"),
    ],
)
def test_check_article_refuses_a_broken_quote(change: dict[str, object], said: str) -> None:
    broken = dataclasses.replace(QUOTE, **change)  # type: ignore[arg-type]
    with pytest.raises(InvariantError, match=said):
        check_article([broken], [SOURCE], [], ARTICLE.text)


def test_check_article_refuses_a_key_that_occurs_twice() -> None:
    with pytest.raises(InvariantError, match="twice"):
        check_article([QUOTE, QUOTE], [SOURCE], [], ARTICLE.text)


def test_check_article_refuses_an_event_told_in_a_quote_that_is_not_there() -> None:
    with pytest.raises(InvariantError, match="no row"):
        check_article([], [SOURCE], [EVENT], ARTICLE.text)
