"""The plain tokens answer as spaCy's own do."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.language import load_model, parse
from tasks.extract.tokens import Tokens, read_tokens
from tasks.settings import ExtractSettings

TEXT = (
    "MILAN — “We won’t pay 4,000 euros,” the mayor’s office said, and left.  Nobody asked.\n\n"
    "What the Red Cross-led team found, officials say, was Ann Lee's U.S. map (of 2019).\n \nYes"
)
SAME = (
    "text text_with_ws lower_ lemma_ tag_ pos_ dep_ ent_type_ ent_iob_ whitespace_ is_space is_punct is_alpha is_title "
    "is_upper like_num is_stop i idx"
).split()


@pytest.fixture(scope="module")
def doc() -> Any:
    return parse(load_model(ExtractSettings().model), TEXT)


@pytest.fixture(scope="module")
def tokens(doc: Any) -> Tokens:
    return read_tokens(doc)


def test_read_tokens_keeps_what_spacy_says_of_each_token(doc: Any, tokens: Tokens) -> None:
    for theirs, ours in zip(doc, tokens, strict=True):
        assert [getattr(ours, name) for name in SAME] == [getattr(theirs, name) for name in SAME]
        assert ours.is_sent_start == bool(theirs.is_sent_start)


def test_read_tokens_keeps_the_tree(doc: Any, tokens: Tokens) -> None:
    def numbers(found: Any) -> list[int]:
        return [t.i for t in found]

    for theirs, ours in zip(doc, tokens, strict=True):
        assert ours.head.i == theirs.head.i
        for name in ("children", "lefts", "rights", "subtree"):
            assert numbers(getattr(ours, name)) == numbers(getattr(theirs, name))
        assert (ours.left_edge.i, ours.right_edge.i) == (theirs.left_edge.i, theirs.right_edge.i)
    assert [(s.start, s.end) for s in tokens.sents] == [(s.start, s.end) for s in doc.sents]


def test_a_span_of_tokens_is_spacys_span(doc: Any, tokens: Tokens) -> None:
    for start in range(len(doc)):
        for end in range(start + 1, min(start + 8, len(doc) + 1)):
            assert tokens[start:end].text == doc[start:end].text
            assert tokens[start:end].root.i == doc[start:end].root.i


def test_char_span_takes_the_tokens_it_touches(doc: Any, tokens: Tokens) -> None:
    for start in range(0, len(TEXT), 3):
        for end in range(start + 1, start + 12):
            theirs, ours = doc.char_span(start, end, alignment_mode="expand"), tokens.char_span(start, end)
            assert (ours is None) == (theirs is None)
            assert ours is None or (ours.start, ours.end) == (theirs.start, theirs.end)


def test_nbor_ends_with_the_text(tokens: Tokens) -> None:
    assert tokens[0].nbor(1) is tokens[1]
    for at, by in ((0, -1), (-1, 1)):
        with pytest.raises(IndexError):
            tokens[at].nbor(by)


def test_read_tokens_reads_a_doc_once(doc: Any, tokens: Tokens) -> None:
    assert read_tokens(doc) is tokens
    assert read_tokens(tokens) is tokens
    assert list(read_tokens(parse(load_model(ExtractSettings().model), ""))) == []
