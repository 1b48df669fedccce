"""A says that B said; and what kind of saying it is."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings
from tests.rows import article


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def test_find_quotes_gives_the_inner_statement_its_parent_when_one_tells_of_another(nlp: Any) -> None:
    text = "Mayor Lena Odum said on Friday that police had warned that the bridge was closed to lorries."
    quotes, sources = find_quotes(parse(nlp, text), article(text))
    names = {s.source_id: s.name for s in sources}
    outer, inner = quotes
    assert (names[outer.source_id or ""], outer.parent_quote_id) == ("Lena Odum", None)
    assert (names[inner.source_id or ""], inner.parent_quote_id) == ("police", outer.quote_id)
    assert inner.via_source_id == outer.source_id
    assert inner.text == "the bridge was closed to lorries"


def test_find_quotes_has_no_parents_when_statements_stand_side_by_side(nlp: Any) -> None:
    text = "Lena Odum said the bridge was closed. Police said that lorries had used it all night."
    quotes, _ = find_quotes(parse(nlp, text), article(text))
    assert [(q.parent_quote_id, q.via_source_id) for q in quotes] == [(None, None)] * len(quotes)
    assert len(quotes) == 2


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("Lena Odum called the plan “a disgrace to the whole town”.", "neutral"),
        ("Lena Odum warned that the bridge would fall within a year.", "warns"),
        ("Lena Odum denied that the bridge had ever been checked.", "denies"),
        ("Lena Odum called for “an end to the silence of the council”.", "demands"),
    ],
)
def test_find_quotes_stance_is_the_cues_class_in_its_context(nlp: Any, text: str, stance: str) -> None:
    quotes, _ = find_quotes(parse(nlp, text), article(text))
    assert [q.stance for q in quotes] == [stance]
