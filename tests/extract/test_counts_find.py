"""Numbers of people killed, injured, arrested, displaced."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.events.amounts import number
from tasks.extract.events.counts import find_counts
from tasks.extract.language import load_model, parse
from tasks.extract.tokens import read_tokens
from tasks.settings import ExtractSettings


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


@pytest.mark.parametrize(
    ("text", "field", "low", "high"),
    [
        ("The bomb killed 9 soldiers.", "killed", 9, 9),
        ("At least ten people were killed.", "killed", 10, None),
        ("More than 1,500 people were injured.", "injured", 1500, None),
        ("The fighting killed up to 90 people.", "killed", None, 90),
        ("Some 7,000 people fled the town.", "displaced", 7000, 7000),
        ("Police arrested dozens of protesters.", "arrested", 24, None),
        ("Hundreds of people were wounded.", "injured", 200, None),
        ("The blast wounded several people.", "injured", 3, None),
        ("Two soldiers and three civilians were killed.", "killed", 5, 5),
        ("A teacher was killed.", "killed", 1, 1),
        ("The attack left four people dead.", "killed", 4, 4),
        ("The murder of 21 villagers shocked the country.", "killed", 21, 21),
        ("Thirty-one others were wounded in the blast.", "injured", 31, 31),
        ("Police detained at least twenty-four people.", "arrested", 24, None),
        ("No one was injured.", "injured", 0, 0),
        ("Police made no arrests.", "arrested", 0, 0),
    ],
)
def test_find_counts_reads_a_range(nlp: Any, text: str, field: str, low: int | None, high: int | None) -> None:
    found = [c for c in find_counts(list(read_tokens(parse(nlp, text)))) if c.field == field]
    assert [(c.min, c.max) for c in found] == [(low, high)]
    assert 0 <= found[0].start < found[0].end <= len(text)


@pytest.mark.parametrize(
    "text", ["American soldiers were wounded.", "The report covers 40 pages.", "Police killed time."]
)
def test_find_counts_finds_none_when_no_number_is_told(nlp: Any, text: str) -> None:
    assert find_counts(list(read_tokens(parse(nlp, text)))) == []


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("12", 12),
        ("1,500", 1500),
        ("twelve", 12),
        ("twenty-three", 23),
        ("1,2,3", None),
        ("99999999999", None),
        ("", None),
    ],
)
def test_number_is_null_when_it_is_none(word: str, value: int | None) -> None:
    assert number(word) == value
