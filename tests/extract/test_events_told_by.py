"""Who says that an event was: found behind verbs of saying, not where an act of words is told by who does it."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.extract.tokens import read_tokens
from tasks.settings import ExtractSettings
from tests import rows


def event(text: str, trigger: str) -> tables.Event:
    doc: Any = read_tokens(parse(load_model(ExtractSettings().model), text))
    article = rows.article(text)
    (one,) = [e for e in find_events(doc, article, *find_quotes(doc, article)) if trigger in e.trigger]
    return one


@pytest.mark.parametrize(
    ("text", "trigger", "who"),
    [
        (
            "Some 7,000 people fled from villages because of rebel attacks, the Organization for Relief (OFR) said today.",
            "attacks",
            "the Organization for Relief (OFR)",
        ),
        ("Witnesses reported heavy fighting in Kirkuk.", "fighting", "Witnesses"),
        ("Police reported no arrests late on Monday.", "arrests", "Police"),
        ("Gunmen killed nine traders in Kaduna on Monday.", "killed", None),
    ],
)
def test_attributed_to_is_who_says_so(text: str, trigger: str, who: str | None) -> None:
    assert event(text, trigger).attributed_to == who


def test_attributed_to_is_null_when_an_act_of_words_is_told_by_its_actor() -> None:
    found = event("President Marsh said he rejected the offer of the rebels.", "rejected")
    assert (found.attributed_to, found.modality) == (None, "asserted")


def test_attributed_to_is_a_name_when_the_sentence_has_a_pronoun() -> None:
    text = (
        "The army of Norland closed the bridge, General Ole Brandt said. "
        "He said that gunmen had attacked a convoy near the bridge and killed two soldiers."
    )
    assert event(text, "attacked").attributed_to in ("Ole Brandt", "General Ole Brandt")


def test_modality_negated_when_neither_of_two_was() -> None:
    assert event("Neither Marsh nor his aides have been charged with any crime.", "charged").modality == "negated"
