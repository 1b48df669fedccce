"""What the tables know of one article, and how its text is split for showing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.publish.store import Store
from tasks.report.changes import changes
from tasks.report.reader import render_reader
from tasks.report.reading import Piece, look_up, pieces, reason_words
from tasks.tables import Reason
from tests.flows.test_cli import _call
from tests.flows.test_ingest import _ingest

PAGE = """<html lang=en><head><title>River gauge fails | The Otter</title></head><body><article><h1>River gauge fails</h1>
<p>The gauge at Harl Bridge stopped sending figures on Tuesday, hours before the river rose by two metres, the county said.</p>
<p>“We were blind for six hours,” said Ines Calder, who heads the flood office in Harl. She asked for a second gauge.</p>
<p>Nobody was hurt. Two farms were cut off until Wednesday morning, and the road to the mill stayed shut for a day.</p>
<p>Sign up to our newsletter and get the day's top stories in your inbox every morning.</p>
</article></body></html>"""


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from("abc")), max_size=8),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_pieces_join_to_the_text_and_carry_every_mark(
    text: str, marks: list[tuple[int, int, str]], cuts: list[int]
) -> None:
    inside = [(min(s, len(text)), min(e, len(text)), m) for s, e, m in marks]
    gone = [{"text": "x", "why": "ad", "after": min(c, len(text))} for c in cuts]
    made = list(pieces(text, inside, gone))
    assert "".join(p.text for p in made if p.cut is None) == text
    assert sum(p.cut is not None for p in made) == len(gone)
    at = 0
    for piece in made:
        if piece.cut is None:
            for offset in range(len(piece.text)):
                assert set(piece.marks) == {m for s, e, m in inside if s <= at + offset < e}
            at += len(piece.text)


def test_a_cut_piece_stands_where_it_was() -> None:
    made = list(pieces("One. Two.", [(0, 4, "quote")], [{"text": "Ad!", "why": "appeal", "after": 5}]))
    assert made == [Piece("One.", ("quote",)), Piece(" "), Piece("Ad!", cut="appeal"), Piece("Two.")]


def test_every_reason_is_explained() -> None:
    assert set(reason_words()) == set(Reason)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("why")
    (folder / "pages").mkdir()
    (folder / "pages" / "gauge.html").write_text(PAGE, encoding="utf-8")
    (folder / "pages" / "empty.html").write_text("<html><body><p>Nothing.</p></body></html>", encoding="utf-8")
    rows = [
        {
            "id": "esc",
            "title": "\x1b[31mred\u202e",
            "text": "The mayor of Harl said on Monday that the mill would open.",
        }
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    _ingest(folder / "pages", "--out", folder / "out")
    _ingest(folder / "rows.jsonl", "--out", folder / "out")
    return folder / "out"


def test_why_shows_what_was_cut_and_why(out: Path) -> None:
    said = " ".join(_call("why", "gauge.html", "--out", out).stdout.split())
    assert "River gauge fails" in said
    assert "Sign up to our newsletter" in said
    assert "pieces cut" in said


def test_why_tells_of_an_input_that_gave_no_article(out: Path) -> None:
    said = " ".join(_call("why", "empty.html", "--out", out).stdout.split())
    assert "skipped (" in said


def test_why_says_where_to_look_when_nothing_is_known(out: Path) -> None:
    assert "know nothing of" in _call("why", "https://nowhere.example/", "--out", out, code=2).output


def test_why_shows_hostile_text_harmless(out: Path) -> None:
    said = _call("why", "esc", "--out", out).stdout
    assert "red" in said
    assert "\x1b[31mred" not in said
    assert "\u202e" not in said


def test_show_marks_quotes_and_lists_the_rows(out: Path) -> None:
    said = " ".join(_call("show", "gauge.html", "--out", out).stdout.split())
    assert "Ines Calder (said): “We were blind for six hours,”" in said
    assert "sources" in said
    assert "events" in said


def test_show_of_an_input_without_article_says_so(out: Path) -> None:
    assert "no article came of it" in _call("show", "empty.html", "--out", out, code=2).output


def test_the_page_of_an_article_holds_its_rows_and_nothing_that_runs(out: Path, tmp_path: Path) -> None:
    _call("show", "gauge.html", "--out", out, "--html", tmp_path / "gauge.html")
    page = (tmp_path / "gauge.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    assert "Sign up to our newsletter" in page
    assert 'class="quote" data-of="q0' in page
    assert "http-equiv" in page
    assert "https://" not in page.split("</style>")[1]
    assert "cannot write" in _call("show", "gauge.html", "--out", out, "--html", tmp_path / "no" / "x", code=2).output


def test_the_page_shows_hostile_content_harmless(out: Path) -> None:
    reading = look_up(Store.open(out), "esc").reading
    assert reading is not None
    reading.article["title"] = "<script>alert(1)</script>" + "x" * 1_000_000
    reading.article["text"] = "<img src=x onerror=alert(2)> \u202eabc"
    page = render_reader(reading)
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\u202e" not in page
    assert len(page) < 50_000


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("A b.\nC d.", "A b.\nC d.", []),
        ("A b.\nC d.", "A b.\nC e.", [([("C ", False), ("d", True), (".", False)], [("C ", False), ("e", True), (".", False)])]),
        ("A.", "A.\nB.", [(None, [("B.", True)])]),
        ("A.\nB.", "B.", [([("A.", True)], None)]),
    ],
)  # fmt: skip
def test_changes_are_shown_word_by_word(old: str, new: str, expected: list[object]) -> None:
    made = [(c.old and list(c.old.stretches), c.new and list(c.new.stretches)) for c in changes(old, new)]
    assert made == expected
