from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import json
import random
import time

import pytest

from tasks.discover.address import normalise
from tasks.discover.parse import Entry, Unreadable, parse_date, parse_links, parse_source

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Post</title>
<item><title>Ferry &amp; storm</title><link>https://post.example/a?id=1&amp;utm_source=rss</link>
<pubDate>Mon, 23 Nov 2026 21:30:00 +0100</pubDate></item>
<item><title>No link</title></item>
<item><guid isPermaLink="true">https://post.example/b</guid></item>
</channel></rss>"""
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Post</title>
<entry><title>Ferry</title><link rel="alternate" href="/a"/><updated>2026-11-23T20:30:00Z</updated></entry></feed>"""
JSON_FEED = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [
            {"id": "1", "url": "https://post.example/a", "title": "Ferry", "date_published": "2026-11-23T20:30:00Z"},
            {"id": "no address"},
            "not an item",
        ],
    }
).encode()
NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
 xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><image:image><image:loc>https://post.example/a.jpg</image:loc></image:image><loc>https://post.example/a</loc>
<news:news><news:publication_date>2026-11-23T20:30:00Z</news:publication_date><news:title>Ferry</news:title></news:news>
</url><url><loc>https://post.example/b</loc><lastmod>2026-11-22</lastmod></url></urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<sitemap><loc>https://post.example/news.xml</loc><lastmod>2026-11-23</lastmod></sitemap></sitemapindex>"""
WHEN = dt.datetime(2026, 11, 23, 20, 30, tzinfo=dt.UTC)


def parse(body: bytes, content_type: str = "", limit: int = 100) -> list[Entry]:
    return parse_source(body, content_type, "https://post.example/feed", limit=limit)


def test_parse_source_reads_rss() -> None:
    first, second = parse(RSS, "application/rss+xml")
    assert first == Entry(link="https://post.example/a?id=1&utm_source=rss", title="Ferry & storm", published=WHEN)
    assert second.link == "https://post.example/b"


def test_parse_source_reads_atom_json_and_sitemaps() -> None:
    assert parse(ATOM)[0].title == "Ferry"
    assert parse(ATOM)[0].published == WHEN
    assert parse(JSON_FEED) == [Entry(link="https://post.example/a", title="Ferry", published=WHEN)]
    assert parse(NEWS) == [
        Entry(link="https://post.example/a", title="Ferry", published=WHEN),
        Entry(link="https://post.example/b", published=dt.datetime(2026, 11, 22, tzinfo=dt.UTC)),
    ]
    assert parse(INDEX)[0].kind == "sitemap"
    assert [e.link for e in parse(b"https://post.example/a\nhttps://post.example/b\nnonsense\n")] == [
        "https://post.example/a",
        "https://post.example/b",
    ]


def test_parse_source_reads_a_gzip_sitemap_even_cut_off() -> None:
    many = b"<urlset>" + b"".join(b"<url><loc>https://post.example/%d</loc></url>" % (i * i) for i in range(5000))
    packed = gzip.compress(many + b"</urlset>")
    assert len(parse(packed, limit=9999)) == 5000
    assert 500 < len(parse(packed[: len(packed) // 2], limit=9999)) < 5000
    with pytest.raises(Unreadable, match="gzip"):
        parse(b"\x1f\x8bnone")


@pytest.mark.parametrize("cut", [len(RSS) - 40, len(RSS) - 25])
def test_parse_source_keeps_whole_items_when_feed_is_cut(cut: int) -> None:
    assert parse(RSS[:cut])[0].title == "Ferry & storm"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"<!doctype html><html><body>Not found</body></html>", "an HTML page"),
        (b"\x89PNG\r\n\x00\x00", "neither RSS"),
        (b"plain words", "neither RSS"),
        (b'{"items": 5}', "no JSON Feed"),
        (b'{"items": [', "is not"),
        (b"[" * 100_000, "neither"),
        (b'{"a":' * 100_000, "is not"),
        (b"<urlset", "not XML"),
    ],
)
def test_parse_source_says_what_it_is_when_no_feed(body: bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        parse(body)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    + b"]>"
)


def test_parse_source_is_unharmed_by_entity_bombs() -> None:
    started = time.monotonic()
    with pytest.raises(Unreadable, match="entities"):
        parse(
            BOMB
            + b"<rss version='2.0'><channel><item><title>&j;</title><link>https://a.example/</link></item></channel></rss>"
        )
    try:
        entries = parse(BOMB + b"<urlset><url><loc>https://post.example/&j;</loc></url></urlset>")
    except Unreadable:
        entries = []
    assert all(len(e.link) < 1000 for e in entries)
    assert time.monotonic() - started < 5


def test_parse_source_reads_no_file_for_an_outside_entity(tmp_path: object) -> None:
    body = b'<!DOCTYPE u [<!ENTITY f SYSTEM "file:///etc/hostname">]><urlset><url><loc>https://a.example/&f;</loc></url></urlset>'
    assert all(e.link == "https://a.example/" for e in parse(body))


def test_parse_source_stays_quick_when_feed_has_endless_items() -> None:
    item = b"<item><title>x</title><link>https://post.example/a</link></item>"
    body = b"<rss version='2.0'><channel>" + item * 100_000
    started = time.monotonic()
    assert len(parse(body, limit=50)) == 50
    assert time.monotonic() - started < 8


PIECES = [
    b"<![", b"<!DOCTYPE x [", b"]]>", b"<![CDATA[", b"&#xD800;", b"&#x110000;", b"&#9999999999;", b"<!--", b"\x00",
    b"\xff\xfe", b"\xed\xa0\x80", b"xml:base='http://[bad'", b"<?xml version='1.0' encoding='utf-7'?>", b"http://[",
    b"<a:b:c>",    b"9999-99-99T99:99:99+99:99", b"<div" * 50, b"<script>",
]  # fmt: skip
TYPES = ["", "text/xml", "application/rss+xml; charset=utf-16", "text/html; charset=bogus", "application/json"]


@pytest.mark.parametrize("whole", [RSS, ATOM, JSON_FEED, NEWS, INDEX], ids=["rss", "atom", "json", "news", "index"])
def test_parse_source_gives_entries_or_unreadable_when_bytes_are_wrong(whole: bytes) -> None:
    outcomes = set()
    for seed in range(150):
        rng = random.Random(seed)
        body = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(body))
            if rng.random() < 0.5:
                body[at:at] = rng.choice(PIECES)
            else:
                del body[at : at + rng.randint(1, 40)]
        try:
            for entry in parse(bytes(body), rng.choice(TYPES)):
                address = normalise(entry.link, base="https://post.example/")
                assert address is None or address.isascii()
            outcomes.add("entries")
        except Unreadable:
            outcomes.add("unreadable")
    assert outcomes == {"entries", "unreadable"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T20:30:00Z", WHEN),
        ("2026-11-23T21:30:00+01:00", WHEN),
        ("Mon, 23 Nov 2026 20:30:00 GMT", WHEN),
        ("2026-11-23", dt.datetime(2026, 11, 23, tzinfo=dt.UTC)),
        ("yesterday", None),
        ("", None),
        ("9999-99-99", None),
        (None, None),
    ],
)
def test_parse_date_gives_utc(text: str | None, expected: dt.datetime | None) -> None:
    assert parse_date(text) == expected


def test_parse_links_gives_links_with_words() -> None:
    page = b"""<html><head><base href="https://post.example/x/"></head><body><a href="a"> Ferry <b>back</b> </a>
    <a name="n">none</a><a href="#top">up</a><a href="javascript:x()">x</a><a href="https://[bad/">bad</a></body></html>"""
    links = parse_links(page, "https://post.example/", limit=10)
    assert links[0] == Entry(link="https://post.example/x/a", title="Ferry back")
    with pytest.raises(Unreadable):
        parse_links(b"", "https://post.example/", limit=10)


@pytest.mark.parametrize(
    ("item", "link", "title"),
    [
        ("<link>https://a.example/?a=1&b=2</link><title>T</title>", "https://a.example/?a=1&amp;b=2", "T"),
        ("<link><![CDATA[https://a.example/?a=1&b=2]]></link>", "https://a.example/?a=1&amp;b=2", None),
        ("<link>https://a.example/1</link><title>Caf&eacute; &nbsp;x & y</title>", "https://a.example/1", "Café x & y"),
        (
            "<link>https://a.example/1</link><title>&lt;b&gt;A&lt;/b&gt; &amp;amp; B</title>",
            "https://a.example/1",
            "A & B",
        ),
        ("<guid>https://a.example/1</guid><title><![CDATA[<i>A</i>]]></title>", "https://a.example/1", "A"),
        ("<guid isPermaLink='false'>https://a.example/x</guid><link>/1</link>", "/1", None),
        ("<atom:link rel='self' href='/f'/><link>/1</link>", "/1", None),
        ("<link xml:base='https://a.example/b/'>1</link>", "1", None),
    ],
)
def test_parse_source_reads_items_as_they_are_written(item: str, link: str, title: str | None) -> None:
    body = f"<rss xmlns:atom='http://www.w3.org/2005/Atom'><channel><item>{item}</item></channel></rss>".encode()
    (entry,) = parse(body)
    assert normalise(entry.link, base="https://a.example/") == normalise(link, base="https://a.example/")
    assert entry.title == title


def test_parse_source_resolves_xml_base() -> None:
    body = b"<feed xmlns='http://www.w3.org/2005/Atom' xml:base='https://b.example/x/'><entry><link href='1'/></entry></feed>"
    assert [e.link for e in parse(body)] == ["https://b.example/x/1"]


@pytest.mark.parametrize(
    "body",
    [
        b"<rss><channel>" + b"<a>" * 300_000,
        b"<rss><channel>" + b"<a/>" * 300_000,
        b"<rss><channel><item>" + b"<a/>" * 300_000,
        b"<rss><channel>" + b"<!-- x -->" * 300_000,
        b"<urlset>" + b"<a/>" * 300_000,
        b"<urlset><url>" + b"<a>" * 300_000,
        b"<html><body>" + b"<p>x<b>" * 300_000,
        b"<rss><channel><item><title>" + b"&" * 1_000_000,
        b"<rss " + b"a='b' " * 300_000,
        bytes(3_000_000),
    ],
    ids=[
        "deep",
        "wide",
        "wide item",
        "comments",
        "wide sitemap",
        "deep url",
        "page",
        "ampersands",
        "attributes",
        "NULs",
    ],
)
def test_parse_source_stays_quick_when_a_feed_is_hostile(body: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(Unreadable):
        assert parse(body) == []
    assert time.process_time() - started < 12  # 3 on a core of one's own; time that grows with the square is minutes


def test_parse_source_reads_the_sitemaps_of_a_robots_txt() -> None:
    body = (
        b"User-agent: *\nSitemap: https://a.example/all.xml\n SITEMAP:https://a.example/news.xml # new\nSitemap: /x\n"
    )
    found = parse_source(body, "text/plain", "https://a.example/robots.txt", limit=10)
    assert [(e.link, e.kind) for e in found] == [
        ("https://a.example/news.xml", "sitemap"), ("https://a.example/all.xml", "sitemap"),
    ]  # fmt: skip
