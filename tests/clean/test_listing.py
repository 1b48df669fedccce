"""Pages that are lists or galleries, and articles that look a little like them."""

from __future__ import annotations

import pytest

from tasks.clean.page import clean_page
from tasks.scrape.records import RawPage
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Fate, Reason

HEADS = [
    "Ferry to Holm stays in port until Thursday",
    "Council sells the old fish market after all",
    "Three held over fire at the paper mill",
    "Strike at the tram depot enters second week",
    "Schools told to open windows, not doors",
    "Museum finds a letter it never lost",
]
LINE = "What the council said, what it did not say, and what will happen to the traders who have been there for years"
PROSE = (
    "The council of Lindmouth voted on Tuesday to close the old market, and the traders have six weeks to leave it. "
)


def read(body: str, path: str = "/a/1", head: str = "") -> Article | Failure:
    html = f"<html><head><title>The Lindmouth Post</title>{head}</head><body><main>{body}</main></body></html>"
    url = f"https://lindmouthpost.example{path}"
    return clean_page(RawPage(ref="r", file="f", offset=0, url=url, body=html.encode()), rules=CleanSettings())


def cards(stop: str = "") -> str:
    return "".join(f"<div><h2><a href='/{i}'>{h}</a></h2><p>{LINE}{stop}</p></div>" for i, h in enumerate(HEADS))


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (cards(), "/"),
        (cards("."), "/region"),
        ("".join(f"<figure><img src='x'><figcaption>{h}. {LINE}</figcaption></figure>" for h in HEADS), "/p/2"),
        (
            "<ul>" + "".join(f"<li><a href='/{i}'>{h}</a></li>" for i, h in enumerate(HEADS)) + f"</ul><p>{LINE}</p>",
            "/",
        ),
    ],
)
def test_clean_page_refuses_lists_and_galleries(body: str, path: str) -> None:
    found = read(body, path)
    assert isinstance(found, Failure)
    assert found.fate is Fate.SKIPPED
    assert found.reason in (Reason.NOT_ARTICLE, Reason.TOO_SHORT, Reason.NO_TEXT)


def test_clean_page_keeps_an_article_above_a_list() -> None:
    body = "<h1>Old market closes</h1>" + f"<p>{PROSE}</p>" * 1
    body += "".join(f"<p>{PROSE.replace('Tuesday', day)}</p>" for day in ("Monday", "Friday", "Sunday"))
    found = read(body + cards(), "/region/old-market-closes")
    assert isinstance(found, Article)
    assert found.text.startswith("The council of Lindmouth")


def test_clean_page_believes_a_page_that_states_it_is_an_article() -> None:
    head = "<meta property='og:type' content='article'>"
    found = read(f"<h1>Old market closes</h1><p>{LINE}.</p><p>{PROSE}</p><p>{PROSE}</p>", "/", head)
    assert isinstance(found, Article)
