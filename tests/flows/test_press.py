"""The invented press: that it serves what it says it does, so a night against it can be compared with the truth."""

from __future__ import annotations

import html
import json
import re
import tomllib
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest

from flows.press.content import pieces
from flows.press.server import Expected, Press

READABLE = {"article", "copy", "paywalled", "undated", "disallowed"}


@pytest.fixture(scope="module")
def press() -> Iterator[Press]:
    with Press(visit=1) as served:
        yield served


@pytest.fixture(scope="module")
def later() -> Iterator[Press]:
    with Press(visit=2) as served:
        yield served


def get(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        return err.code, ""


def visible(page: str) -> str:
    """The words of a page without its tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", "", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(bare))


def listings(press: Press, path: Path) -> dict[str, dict[str, list[str]]]:
    rows = tomllib.loads(press.outlets_toml(path).read_text())["outlet"]
    return {row["domain"]: row for row in rows}


def of_kind(press: Press, kind: str) -> list[Expected]:
    return [e for e in press.expected() if e.kind == kind]


def test_press_is_as_large_and_varied_as_a_demo_needs(press: Press) -> None:
    articles = [e for e in press.expected() if e.kind in READABLE]
    assert len(articles) >= 55
    assert len({e.outlet for e in articles}) >= 3
    assert {p.outlet.template for p in pieces(1)} == {"post.html", "ledger.html", "meridian.html", "estuario.html"}
    assert {e.language for e in articles} == {"en", "es", "de"}
    words = [sum(len(p.split()) for p in e.paragraphs) for e in articles if e.kind in {"article", "copy", "undated"}]
    assert min(words) >= 150
    assert max(words) <= 450


@pytest.mark.parametrize("visit", [1, 2])
def test_every_page_holds_its_true_text(visit: int) -> None:
    with Press(visit=visit) as press:
        for e in press.expected():
            status, page = get(e.url)
            assert status == (404 if e.kind == "missing" else 200), e.url
            seen = visible(page)
            assert all(" ".join(p.split()) in seen for p in e.paragraphs), e.url


def test_no_paragraph_is_furniture_when_blocks_are_marked(press: Press) -> None:
    for e in press.expected():
        assert not [p for p in e.paragraphs if p.startswith("[") or "Sign up" in p or "Read more" in p], e.url


def test_addresses_are_unique(later: Press) -> None:
    assert Counter(e.url for e in later.expected()).most_common(1)[0][1] == 1


def test_feeds_list_every_article_when_parsed(press: Press, tmp_path: Path) -> None:
    rows = listings(press, tmp_path / "outlets.toml")
    for domain, form in (("harbourpost.example", "rss20"), ("meridianreport.example", "atom10")):
        feed = feedparser.parse(get(rows[domain]["feeds"][0])[1])
        assert feed.version == form
        assert not feed.bozo
        listed = {e.link for e in feed.entries}
        wanted = {e.url for e in press.expected() if e.outlet == domain and e.kind in READABLE}
        behind_redirects = {url for url in wanted - listed if "felixstowe-dockers" in url}
        assert wanted - listed == behind_redirects


def test_sitemap_lists_articles_with_their_dates(press: Press, tmp_path: Path) -> None:
    url = listings(press, tmp_path / "outlets.toml")["tririversledger.example"]["sitemaps"][0]
    tree = ElementTree.fromstring(get(url)[1])
    entries = tree.findall("{*}url")
    dated = [e for e in entries if e.find(".//{*}publication_date") is not None]
    assert len(dated) >= 12
    assert len(entries) > len(dated)  # the undated article and the gallery
    assert url in get(url.replace("/news-sitemap.xml", "/robots.txt"))[1]


def test_front_page_links_to_its_articles(press: Press, tmp_path: Path) -> None:
    url = listings(press, tmp_path / "outlets.toml")["diariodelestuario.example"]["pages"][0]
    page = get(url)[1]
    wanted = [
        e for e in press.expected() if e.outlet == "diariodelestuario.example" and e.kind in {"article", "missing"}
    ]
    assert len(wanted) >= 6
    assert all(f'href="{urlsplit(e.url).path}"' in page for e in wanted)


def test_special_cases_are_all_there(press: Press) -> None:
    (paid,) = of_kind(press, "paywalled")
    page = get(paid.url)[1]
    stated = json.loads(re.findall(r"""ld\+json">(.*?)</script>""", page, re.DOTALL)[0])
    assert stated["isAccessibleForFree"] is False
    (undated,) = of_kind(press, "undated")
    assert undated.published is None
    assert not re.search(r"published|datetime=|20(25|26)-", visible(get(undated.url)[1]).lower())
    (closed,) = of_kind(press, "disallowed")
    base = press.base(closed.outlet)
    assert "Disallow: /story/legal-notices/" in get(base + "/robots.txt")[1]
    assert urlsplit(closed.url).path.startswith("/story/legal-notices/")
    assert len(of_kind(press, "missing")) == 2
    assert len(of_kind(press, "not_article")) >= 10


def test_furniture_of_every_kind_stands_in_the_pages(press: Press) -> None:
    pages = [get(e.url)[1] for e in press.expected() if e.kind in READABLE]
    for piece in ("cookies", "Read more:", "Lea también:", "newsletter", "leave a comment", "figcaption", "Share on"):
        assert any(piece in page for page in pages), piece
    assert any(re.search(r"<p>Your support makes all the difference\.[^<]*can\.At least 14", page) for page in pages)


def test_wire_copy_is_nearly_the_same_text(press: Press) -> None:
    rows = press.expected()
    copies = of_kind(press, "copy")
    assert len(copies) == 2
    for copy in copies:
        domain, slug = (copy.copy_of or "").split("/")
        (first,) = [e for e in rows if e.outlet == domain and e.url.endswith(slug)]
        mine, theirs = (set(re.findall(r"\w+", " ".join(e.paragraphs))) for e in (copy, first))
        assert len(mine & theirs) / len(mine | theirs) > 0.8
        assert copy.agency == first.agency is not None


def test_stories_are_told_by_several_outlets(press: Press) -> None:
    told = {(e.story, e.outlet) for e in press.expected() if e.story}
    shared = Counter(story for story, _ in told)
    assert shared["gao-market"] == 4
    assert len([s for s, n in shared.items() if n >= 2]) >= 6


def test_second_visit_changes_what_it_should(press: Press, later: Press) -> None:
    assert (later.night - press.night).days == 1
    change = {e.url.rsplit("/", 1)[1]: e.change for e in later.expected() if e.change != "same"}
    assert change.pop("gao-market-attack") == "body"
    assert change.pop("wheal-constance-reopening") == "cosmetic"
    assert len(change) >= 5
    assert set(change.values()) == {"new"}
    raised = next(e for e in later.expected() if e.url.endswith("gao-market-attack"))
    assert "at least 19 people" in raised.paragraphs[0]
    assert "at least 12 people" in get(press.base(raised.outlet) + urlsplit(raised.url).path)[1]


def test_unchanged_page_answers_304_when_asked_with_its_etag(press: Press) -> None:
    url = next(e.url for e in press.expected() if e.url.endswith("praia-runoff"))
    with urllib.request.urlopen(url, timeout=10) as answer:
        etag = answer.headers["ETag"]
    assert get(url, If_None_Match=etag)[0] == 304
    assert press.log[-1].status == 304


def test_old_address_redirects_to_the_article(press: Press) -> None:
    with urllib.request.urlopen(press.base("harbourpost.example") + "/r/88213", timeout=10) as answer:
        assert answer.url.endswith("/news/business/felixstowe-dockers-walk-out")


def test_expected_rows_differ_by_quotation_marks(press: Press) -> None:
    text: dict[str, str] = {}
    for e in press.expected():
        if e.language == "en":
            text[e.outlet] = text.get(e.outlet, "") + " ".join(e.paragraphs)
    assert text["harbourpost.example"].count("‘") > 40
    assert "“" in text["meridianreport.example"]
    assert '"' in text["tririversledger.example"]
    assert '"' not in text["harbourpost.example"]


def test_press_refuses_a_visit_before_the_first() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        Press(visit=0)
