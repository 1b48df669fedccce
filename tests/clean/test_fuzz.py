"""Hostile, broken and random pages: an answer in bounded time, never an exception."""

from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clean.page import clean_page
from tasks.scrape.records import RawPage
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Reason
from tests.clean.test_page import BODY, LD, html

RULES = CleanSettings()
PIECES = [
    "<div>", "</div>", "<p>", "</p>", "<b a=1>", "</i>", "<table>", "<tr><td>", "</table>", "<svg><style>", "<script>",
    "</script>", "<template>", "<select><option>", "<!--", "-->", "<a href=x>", "<h1>", "<li>", "<br>", "<img src=x>",
    "<noscript>", "<iframe>", "<textarea>", "<xmp>", "<plaintext>", "<frameset><frame>", "<math><mi>", "&nbsp;", "&#0;",
    "&#xd800;", "]]>", "<?xml version='1.0'?>", "<![CDATA[", "\x00", "\ufeff", "<p style='display:none'>", "«", "<", ">",
    "<meta charset=utf-16>", "<base href='//'>", "<time datetime='0000-00-00'>", "<link rel=canonical href='http://['>",
    BODY[0], BODY[1],
]  # fmt: skip


def read(body: bytes, content_type: str = "text/html") -> Article | Failure:
    page = RawPage(
        ref="r", file="f", offset=0, url="https://lindmouthpost.example/a", body=body, content_type=content_type,
        fetched_at=dt.datetime(2024, 3, 6, tzinfo=dt.UTC),
    )  # fmt: skip
    return clean_page(page, rules=RULES)


def check(found: Article | Failure) -> None:
    assert isinstance(found, Article | Failure)
    if isinstance(found, Article):
        assert found.text
        assert all(0 <= r.after <= len(found.text) for r in found.removed)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=60))
def test_clean_page_answers_when_markup_is_put_together_at_random(pieces: list[str]) -> None:
    check(read("".join(pieces).encode("utf-8", "replace")))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=600), st.sampled_from(["text/html", "text/html; charset=utf-16", "text/html; charset=x"]))
def test_clean_page_answers_when_the_bytes_are_random(data: bytes, content_type: str) -> None:
    check(read(data, content_type))
    check(read(b"<html><p>" + data, content_type))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_clean_page_answers_when_pieces_are_cut_swapped_and_doubled(data: st.DataObject) -> None:
    raw = html(f"<script type='application/ld+json'>{json.dumps(LD)}</script>")
    for _ in range(data.draw(st.integers(1, 6))):
        a, b = sorted(data.draw(st.integers(0, len(raw))) for _ in range(2))
        kind = data.draw(st.sampled_from(["cut", "double", "insert", "move"]))
        piece = raw[a:b]
        if kind == "cut":
            raw = raw[:a] + raw[b:]
        elif kind == "double":
            raw = raw[:b] + piece + raw[b:]
        elif kind == "insert":
            raw = raw[:a] + data.draw(st.sampled_from(PIECES)) + raw[a:]
        else:
            raw = raw[:a] + raw[b:] + piece
    check(read(raw.encode("utf-8", "replace")))


HOSTILE = {
    "20 MB of paragraphs": ("<p>" + "word " * 200 + "</p>") * 19_000,
    "unclosed formatting": "".join(f"<p><b a={i}>x</p>" for i in range(40_000)),
    "end tags of nothing": "<div></x>" * 60_000,
    "swapped end tags": "<div><span></div></span>" * 40_000,
    "formatting in tables": "<table><b a=1>" * 30_000,
    "scripts in scripts": "<svg><style><script>" * 20_000 + BODY[0],
    "one style of megabytes": f"<p style='background:url(data:{'A' * 4_000_000})'>{BODY[0]}</p>",
    "attributes in lines": "<p " + "\n".join(f"a{i}=1" for i in range(300_000)) + f">{BODY[0]}",
    "headings": "<h1>" + BODY[0] + "</h1>" + "<h1>x</h1>" * 50_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_clean_page_is_bounded_when_a_page_is_built_to_be_slow(name: str) -> None:
    begun = time.process_time()
    found = read(HOSTILE[name].encode())
    spent = time.process_time() - begun
    check(found)
    assert spent < 10
    assert spent < 7 or (isinstance(found, Failure) and found.reason is Reason.TIME_LIMIT)


@pytest.mark.parametrize(
    "page",
    [
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x'>" + html(),
        html().replace("<html lang='en'>", "<html ⚡ lang='en'>"),
        html().replace("<article>", "<frameset></frameset><article>"),
        html().replace(" ", "\x00 ", 40),
        "\ufeff" + html(),
    ],
    ids=["xhtml", "amp", "frames", "nul", "mark"],
)
def test_clean_page_finds_the_body_when_the_page_is_of_another_make(page: str) -> None:
    found = read(page.encode())
    assert isinstance(found, Article)
    assert found.text.split("\n")[0] == BODY[0]


def test_clean_page_finds_the_body_when_it_runs_from_right_to_left() -> None:
    line = "صوت مجلس الميناء يوم الثلاثاء على إغلاق سوق السمك القديم بعد أن وجد فحص أن سقفه قد يسقط في العاصفة القادمة."
    found = read(
        html(body=[f"{line} {k}." for k in ("أول", "ثان", "ثالث", "رابع")]).replace("'en'", "'ar' dir='rtl'").encode()
    )
    assert isinstance(found, Article)
    assert found.text.startswith(line[:30])
    assert found.language == "ar"


@pytest.mark.parametrize("stated", ["iso-8859-1", "utf-16", "no-such-charset"])
def test_clean_page_reads_utf8_when_another_charset_is_stated(stated: str) -> None:
    found = read(html().encode(), f"text/html; charset={stated}")
    assert isinstance(found, Article)
    assert "“We have looked" in found.text
