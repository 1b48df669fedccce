from __future__ import annotations

import datetime as dt
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.clean.guard import MAX_DEPTH, make_safe
from tasks.clean.page import clean_page
from tasks.scrape.records import RawPage
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Fate, Reason

RULES = CleanSettings()
FETCHED = dt.datetime(2024, 3, 6, 4, 0, tzinfo=dt.UTC)
BODY = [
    "The harbour council of Lindmouth voted on Tuesday to close the old fish market, after an inspection found that its "
    "roof could fall in during the next winter storm.",
    "“We have looked for another way for two years and there is none,” said Ada Merrow, who chairs the council, after a "
    "meeting that lasted until midnight.",
    "About 140 people work in the hall, most of them in small family businesses. Traders said they had been given six "
    "weeks to leave, and that no other place had been offered to them.",
    "The regional government promised in March to pay for half of the repairs. Its offer was withdrawn in June, when "
    "engineers doubled their estimate of the costs to 18 million crowns.",
    "Market days will be held on the northern quay until the end of the year, the council said in a statement.",
]
TITLE = "Lindmouth to close its fish market before winter"
LD = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": TITLE,
    "datePublished": "2024-03-05T22:10:00+01:00",
    "dateModified": "2024-03-05T23:00:00+01:00",
    "author": [{"@type": "Person", "name": "Nora Feld"}, {"@type": "Person", "name": "Jan Okoro"}],
    "articleSection": "Region",
    "keywords": ["harbour", "markets"],
    "isAccessibleForFree": False,
}


def html(head: str = "", body: list[str] = BODY, around: str = "") -> str:
    paragraphs = "".join(f"<p>{p}</p>" for p in body)
    return (
        f"<!doctype html><html lang='en'><head><title>{TITLE} | The Lindmouth Post</title>{head}</head><body>"
        "<nav><ul><li><a href='/'>Home</a></li><li><a href='/sport'>Sport</a></li></ul></nav>"
        f"<article><h1>{TITLE}</h1>{paragraphs}{around}</article>"
        "<aside><h3>Most read</h3><ul><li><a href='/1'>Fire at the paper mill</a></li></ul></aside>"
        "<footer><p>Copyright The Lindmouth Post. All rights reserved.</p></footer></body></html>"
    )


def page(text: str | bytes, **given: object) -> RawPage:
    body = text.encode() if isinstance(text, str) else text
    base: dict[str, object] = {"url": "https://www.lindmouthpost.example/a/1", "content_type": "text/html"}
    return RawPage(ref="r", file="f", offset=9, body=body, fetched_at=FETCHED, **{**base, **given})  # type: ignore[arg-type]


def article(text: str | bytes, **given: object) -> Article:
    found = clean_page(page(text, **given), rules=RULES)
    assert isinstance(found, Article), found
    return found


def test_clean_page_gives_body_and_facts_when_the_page_states_them() -> None:
    head = (
        f"<script type='application/ld+json'>{json.dumps(LD)}</script><meta name='robots' content='noarchive'>"
        "<link rel='canonical' href='/a/one'><meta property='og:site_name' content='The Lindmouth Post'>"
    )
    found = article(html(head))
    assert found.text == "\n".join(BODY)
    assert found.title == TITLE
    assert found.authors == ["Nora Feld", "Jan Okoro"]
    assert found.published_at == dt.datetime(2024, 3, 5, 21, 10, tzinfo=dt.UTC)
    assert (found.published_from, found.published_precision) == ("json-ld", "second")
    assert found.modified_at == found.valid_from == dt.datetime(2024, 3, 5, 22, 0, tzinfo=dt.UTC)
    assert (found.section, found.tags, found.access) == ("Region", ["harbour", "markets"], "paywalled")
    assert found.canonical_url == "https://www.lindmouthpost.example/a/one"
    assert (found.outlet, found.language, found.rights) == ("lindmouthpost.example", "en", ["robots: noarchive"])


def test_clean_page_leaves_the_date_null_when_it_is_missing_or_lies_in_the_future() -> None:
    assert article(html()).published_at is None
    later = "<meta property='article:published_time' content='2031-01-01T00:00:00Z'>"
    found = article(html(later))
    assert (found.published_at, found.published_from, found.published_precision) == (None, None, None)


@pytest.mark.parametrize(
    ("head", "wanted", "source"),
    [
        (
            "<meta property='article:published_time' content='2024-03-05T10:00:00Z'>",
            "2024-03-05T10:00:00+00:00",
            "meta",
        ),
        ("<script type='application/ld+json'>{broken</script>", None, None),
    ],
)
def test_clean_page_says_where_the_date_comes_from(head: str, wanted: str | None, source: str | None) -> None:
    found = article(html(head))
    assert (found.published_at.isoformat() if found.published_at else None, found.published_from) == (wanted, source)


def test_clean_page_takes_the_date_from_the_address_when_nothing_else_states_it() -> None:
    found = article(html(), url="https://lindmouthpost.example/2024/03/05/market")
    assert (str(found.published_at), found.published_from, found.published_precision) == (
        "2024-03-05 00:00:00+00:00",
        "url",
        "day",
    )


def test_clean_page_names_what_it_cut_when_furniture_stands_inside() -> None:
    furniture = "<aside class='newsletter'><p>Sign up to our newsletter and get the news in your inbox.</p></aside>"
    body = [*BODY[:2], *BODY[2:]]
    text = html(body=body).replace(f"<p>{BODY[2]}</p>", furniture + f"<p>{BODY[2]}</p>")
    found = article(text)
    assert found.text == "\n".join(BODY)
    cut = [r for r in found.removed if "Sign up" in r.text]
    assert [r.why for r in cut] == ["newsletter"]
    assert found.text[cut[0].after :].lstrip("\n").startswith(BODY[2][:20])


def test_clean_page_is_the_same_when_run_twice() -> None:
    assert clean_page(page(html()), rules=RULES) == clean_page(page(html()), rules=RULES)


@pytest.mark.parametrize(
    ("text", "reason", "fate"),
    [
        ("", Reason.NOT_ARTICLE, Fate.SKIPPED),
        ("just words, no markup", Reason.NOT_ARTICLE, Fate.SKIPPED),
        ("<html><body></body></html>", Reason.NO_TEXT, Fate.FAILED),
        (
            "<html><head><title>404 Not Found</title></head><body><p>Page not found</p></body></html>",
            Reason.NOT_ARTICLE,
            Fate.SKIPPED,
        ),
        ("<html><body><h1>News</h1><p>Ferry resumes.</p></body></html>", Reason.TOO_SHORT, Fate.SKIPPED),
        (
            "<html><body><h1>Before you continue</h1><p>We and our partners use cookies to store and access data.</p>"
            "<button>Accept all</button></body></html>",
            Reason.CONSENT_WALL,
            Fate.SKIPPED,
        ),
        (bytes(range(256)) * 40, Reason.UNDECODABLE, Fate.FAILED),
    ],
)
def test_clean_page_says_why_when_there_is_no_article(text: str | bytes, reason: Reason, fate: Fate) -> None:
    found = clean_page(page(text), rules=RULES)
    assert isinstance(found, Failure)
    assert (found.reason, found.fate, found.step) == (reason, fate, "clean")
    assert (found.ref, found.url, found.outlet) == (
        "r",
        "https://www.lindmouthpost.example/a/1",
        "lindmouthpost.example",
    )


def test_clean_page_refuses_a_page_over_the_limit() -> None:
    found = clean_page(page(html()), rules=CleanSettings(max_bytes=100))
    assert isinstance(found, Failure)
    assert found.reason is Reason.TOO_LARGE


HOSTILE = {
    "deep": "<div>" * 100_000 + BODY[0],
    "deep inline": "<b><i>" * 50_000 + BODY[0],
    "attributes": "<p " + " ".join(f"a{i}=1" for i in range(1_000_000)) + ">x",
    "long attribute": "<p class='" + "x" * 3_000_000 + "'>" + BODY[0],
    "open tags": "<" * 2_000_000,
    "unclosed comment": "<!--" * 300_000,
    "unclosed script": html() + "<script>" + "a" * 1_000_000,
    "one word": "<p>" + "a" * 2_000_000,
    "many paragraphs": "<p>" + "<p>word word".join([""] * 100_000),
    "json bomb": "<script type='application/ld+json'>" + "[" * 100_000 + "</script>" + html(),
    "nul": html().replace(" ", "\x00 "),
    "links": "<a href=x>" * 100_000 + BODY[0],
    "tables": "<table><tr><td>" * 30_000 + BODY[0],
    "entities": "<p>" + "&amp;" * 300_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_clean_page_answers_in_seconds_when_the_page_is_hostile(name: str) -> None:
    began = time.process_time()
    assert isinstance(clean_page(page(HOSTILE[name]), rules=RULES), Article | Failure)
    assert time.process_time() - began < 15


def test_make_safe_leaves_an_ordinary_page_alone_and_bounds_a_deep_one() -> None:
    assert make_safe(html()) == html()
    flat = make_safe("<div>" * 5000 + "text" + "</div>" * 5000)
    assert flat is not None
    assert flat.count("<div>") == MAX_DEPTH
    assert "text" in flat


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_clean_page_never_raises_when_a_page_is_mutated(data: st.DataObject) -> None:
    raw = bytearray(html(f"<script type='application/ld+json'>{json.dumps(LD)}</script>").encode())
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        piece = data.draw(
            st.one_of(st.binary(max_size=6), st.sampled_from([b"<", b">", b"'", b"<script>", b"\x00", b"</p>"]))
        )
        raw[at : at + data.draw(st.integers(0, 40))] = piece
        raw = raw or bytearray(b"<")
    assert isinstance(clean_page(page(bytes(raw)), rules=RULES), Article | Failure)


@pytest.mark.parametrize(
    ("served", "kept"),
    [("Wed, 06 Mar 2024 04:00:10 GMT", False), ("Tue, 24 Nov 2026 08:00:00 GMT", True), (None, True)],
)
def test_clean_page_drops_later_dates_when_the_server_confirms_the_fetch(served: str | None, kept: bool) -> None:
    """Two statements after the fetch are believed only where the fetch time may be an archive's invention."""
    late = {**LD, "datePublished": "2024-04-01T10:00:00Z", "dateModified": "2024-04-01T11:00:00Z"}
    text = html(f"<script type='application/ld+json'>{json.dumps(late)}</script>")
    found = clean_page(page(text, headers={"date": served} if served else {}), rules=RULES)
    assert isinstance(found, Article)
    assert (found.published_at is not None) is kept


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("Por Nora Feld. 5 de marzo de 2024", ["Nora Feld"]),
        ("Von Nora Feld und Jan Okoro, Lindmouth", ["Nora Feld", "Jan Okoro"]),
        ("By Nora Feld 5 March 2024", ["Nora Feld"]),
    ],
)
def test_clean_page_reads_bylines_that_go_on(line: str, authors: list[str]) -> None:
    text = html().replace("</h1>", f"</h1><small>{line}</small>")
    found = clean_page(page(text), rules=RULES)
    assert isinstance(found, Article)
    assert found.authors == authors
