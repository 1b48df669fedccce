"""From a bare domain to the feeds an outlet is found by, against a press on loopback."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.discover.autodiscover import Candidate, FoundOutlet, bare_domain, choose, find_outlet
from tasks.discover.outlets import OutletsError, load_outlets
from tasks.discover.records import OutletConfig
from tasks.discover.write_outlets import add_outlet, outlet_block
from tasks.scrape.fetch import WebFetcher
from tasks.settings import ScrapeSettings
from tests.scrape.press import Answer, Press, serving

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


def feed(*links: str, day: int = 23) -> Answer:
    date = f"{day} Nov 2026 10:00:00 GMT"
    rows = "".join(f"<item><title>t</title><link>{link}</link><pubDate>{date}</pubDate></item>" for link in links)
    return (
        200,
        {"Content-Type": "application/rss+xml"},
        f"<rss version='2.0'><channel>{rows}</channel></rss>".encode(),
    )


def sitemap(*links: str) -> Answer:
    rows = "".join(f"<url><loc>{link}</loc></url>" for link in links)
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return (200, {"Content-Type": "application/xml"}, f"<urlset xmlns='{space}'>{rows}</urlset>".encode())


def front(head: str = "", body: str = "") -> bytes:
    title = "<title>Ferry timetable | The Post</title>"
    return f"<html lang='de-CH'><head>{title}{head}</head><body>{body}<p>News</p></body></html>".encode()


def found(answers: dict[str, Answer], press: Press) -> FoundOutlet:
    press.answers |= answers

    async def one() -> FoundOutlet:
        rules = ScrapeSettings(delay_s=0, retry_wait_s=0.01, timeout_s=2, allow_addresses=["127.0.0.0/8"])
        async with WebFetcher(rules, now_fn=lambda: NOW) as fetcher:
            return await find_outlet(bare_domain(press.base), fetcher=fetcher, now=NOW)

    return asyncio.run(one())


def paths(got: FoundOutlet, press: Press, *kinds: str) -> list[str]:
    return [u.removeprefix(press.base) for u in got.taken(*kinds)]  # type: ignore[arg-type]


def test_find_outlet_takes_the_feeds_that_the_page_names() -> None:
    head = (
        "<link rel='alternate' type='application/rss+xml' href='/all.rss'>"
        "<link rel='alternate' type='application/rss+xml' href='/sport.rss'>"
        "<link rel='alternate' type='application/rss+xml' href='/comments/feed'>"
        "<link rel='alternate' type='application/atom+xml' href='/old.atom'>"
        "<link rel='alternate' hreflang='fr' href='/fr/'>"
    )
    with serving({}) as press:
        got = found(
            {
                "/": front(head, "<a href='/local/rss.xml'>RSS</a>"),
                "/all.rss": feed("/1", "/2", "/3"),
                "/sport.rss": feed("/2"),
                "/comments/feed": feed("/c1", "/c2", "/c3", "/c4"),
                "/old.atom": feed("/9", day=1),
                "/local/rss.xml": feed("/7"),
            },
            press,
        )
        assert paths(got, press, "feed") == ["/all.rss", "/local/rss.xml", "/old.atom"]
    why = {c.url.removeprefix(press.base): c.why for c in got.candidates}
    assert why["/sport.rss"] == "all of it is in another one"
    assert why["/comments/feed"] == "comments or podcasts, not articles"
    assert (got.name, got.language, got.country) == ("The Post", "de", None)


def test_find_outlet_reads_the_sitemaps_of_robots() -> None:
    space = "xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'"
    news = f"<urlset {space}><url><loc>/n1</loc><n:news><n:publication_date>2026-11-23</n:publication_date></n:news></url></urlset>"
    with serving({}) as press:
        robots = f"User-agent: *\nAllow: /\n\nSitemap: {press.base}/archive.xml\nsitemap:{press.base}/news.xml\n"
        got = found(
            {"/": front(), "/robots.txt": robots.encode(), "/news.xml": news.encode(), "/archive.xml": sitemap("/a")},
            press,
        )
        assert paths(got, press, "news sitemap", "sitemap") == ["/news.xml"]


def test_find_outlet_looks_in_the_usual_places_when_nothing_is_named() -> None:
    with serving({}) as press:
        got = found({"/": front(), "/feed": feed("/1"), "/sitemap.xml": sitemap("/1", "/2")}, press)
        assert paths(got, press, "feed", "sitemap") == ["/feed"]


def test_find_outlet_falls_back_on_the_front_page() -> None:
    links = "".join(f"<a href='/a/{i}-ferry-is-back-again'>The ferry is back again</a>" for i in range(6))
    with serving({}) as press:
        got = found({"/": front(body=links)}, press)
        assert paths(got, press, "page") == ["/"]


def test_find_outlet_says_why_when_the_front_page_is_not_to_be_had() -> None:
    with serving({"/": (403, {}, b"")}) as press:
        got = found({}, press)
    assert got.failure is not None
    assert got.candidates == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.org", "example.org"),
        ("https://www.Example.org/news?x=1", "example.org"),
        ("http://user:pw@example.org:8080/", "example.org:8080"),
        (" example.org. ", "example.org"),
    ],
)
def test_bare_domain_gives_the_key_of_the_tables(text: str, expected: str) -> None:
    assert bare_domain(text) == expected


def test_choose_leaves_out_what_has_been_given_up() -> None:
    old = Candidate(
        url="u", kind="feed", named_in="x", entries=3, newest=NOW - dt.timedelta(days=99), links=frozenset("abc")
    )
    assert choose([old], NOW)[0].why == "nothing new since 2026-08-17"


OUTLET = OutletConfig(
    name='The "Example"', domain="example.org", feeds=("https://example.org/a", "https://example.org/b")
)


def test_add_outlet_keeps_every_byte_that_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "outlets.toml"
    text = (
        "# my outlets\n[[outlet]]   # first\ndomain='post.example'\nfeeds=['https://post.example/rss'] # all\n\n# end"
    )
    path.write_text(text, encoding="utf-8")
    add_outlet(path, OUTLET)
    assert path.read_text(encoding="utf-8").startswith(text)
    assert load_outlets(path)[1] == OUTLET
    with pytest.raises(OutletsError, match="listed already"):
        add_outlet(path, OUTLET)
    assert [p.name for p in tmp_path.iterdir()] == ["outlets.toml"]


def test_add_outlet_makes_the_file_when_there_is_none(tmp_path: Path) -> None:
    add_outlet(tmp_path / "new" / "outlets.toml", OUTLET)
    assert load_outlets(tmp_path / "new" / "outlets.toml") == [OUTLET]


def test_add_outlet_leaves_a_damaged_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "outlets.toml"
    path.write_text("[[outlet]\n", encoding="utf-8")
    with pytest.raises(OutletsError, match="not valid TOML"):
        add_outlet(path, OUTLET)
    assert path.read_text(encoding="utf-8") == "[[outlet]\n"


@given(st.text(max_size=80).filter(lambda t: t.strip() and t == t.strip()))
def test_outlet_block_can_be_read_again_whatever_the_name(name: str) -> None:
    import tomllib

    block = outlet_block(OutletConfig(name=name, domain="example.org", feeds=("https://example.org/a",)))
    assert tomllib.loads(block)["outlet"][0]["name"] == name
