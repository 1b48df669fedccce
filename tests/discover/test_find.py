"""Discovery over canned answers: no server, no clock."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from tasks.discover import find as find_module
from tasks.discover.find import discover
from tasks.discover.parse import Entry, parse_source
from tasks.discover.records import Discovery, Fetched, OutletConfig
from tasks.settings import DiscoverSettings
from tasks.tables import Failure, Fate, Reason

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
BASE = "https://post.example"


class Canned:
    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def get(self, url: str, *, pages_only: bool = False) -> Fetched | Failure:
        self.asked.append(url)
        if url not in self.answers:
            return Failure(ref=url, url=url, step="scrape", reason=Reason.HTTP_GONE, detail="HTTP status 404")
        body = self.answers[url]
        return Fetched(
            address=url, url=url, status=200, phrase="OK", headers=(), raw=body, body=body, request_headers=(),
            protocol="http/1.1", ip=None, fetched_at=NOW,
        )  # fmt: skip


def find(answers: dict[str, bytes], outlet: OutletConfig, **changes: int) -> tuple[Discovery, Canned]:
    fetcher = Canned(answers)
    return asyncio.run(discover(outlet, fetcher=fetcher, rules=DiscoverSettings(**changes), now=NOW)), fetcher


def outlet(**sources: tuple[str, ...]) -> OutletConfig:
    return OutletConfig(name="Post", domain="post.example", **sources)


def rss(*items: tuple[str, int]) -> bytes:
    """Items of (path, days old)."""
    rows = "".join(
        f"<item><title>t</title><link>{BASE}{path}</link>"
        f"<pubDate>{(NOW - dt.timedelta(days=age)).strftime('%a, %d %b %Y %H:%M:%S +0000')}</pubDate></item>"
        for path, age in items
    )
    return f"<rss version='2.0'><channel>{rows}</channel></rss>".encode()


def sitemap(*paths: str) -> bytes:
    return ("<urlset>" + "".join(f"<url><loc>{BASE}{p}</loc></url>" for p in paths) + "</urlset>").encode()


def urls(found: Discovery) -> list[str]:
    return [a.url.removeprefix(BASE) for a in found.addresses]


def test_discover_merges_sources_in_order_each_address_once() -> None:
    links = ("/news/ferry-back-after-storm", "/c?utm_source=front&id=33", "/tag/x")
    page = "".join(f"<a href='{link}'>words</a>" for link in links).encode()
    answers = {
        f"{BASE}/rss": rss(("/a?utm_source=rss", 0), ("/b", 1)), f"{BASE}/map": sitemap("/b/", "/c?id=33"),
        f"{BASE}/front": page,
    }  # fmt: skip
    found, _ = find(answers, outlet(feeds=(f"{BASE}/rss",), sitemaps=(f"{BASE}/map",), pages=(f"{BASE}/front",)))
    assert urls(found) == ["/a", "/b", "/c?id=33", "/news/ferry-back-after-storm"]
    assert found.counts == {f"{BASE}/rss": 2, f"{BASE}/map": 2, f"{BASE}/front": 2}
    assert [a.found_in.removeprefix(BASE) for a in found.addresses] == ["/rss", "/rss", "/map", "/front"]
    assert found.addresses[0].published_hint == NOW
    assert found.failures == []


def test_discover_goes_on_when_a_source_fails() -> None:
    answers = {f"{BASE}/rss": rss(("/a", 0)), f"{BASE}/odd": b"<html>moved</html>"}
    found, _ = find(answers, outlet(feeds=(f"{BASE}/gone", f"{BASE}/odd", f"{BASE}/rss")))
    assert urls(found) == ["/a"]
    assert [(f.ref.removeprefix(BASE), f.reason, f.step, f.fate, f.outlet) for f in found.failures] == [
        ("/gone", Reason.HTTP_GONE, "discover", Fate.FAILED, "post.example"),
        ("/odd", Reason.FEED_UNREADABLE, "discover", Fate.FAILED, "post.example"),
    ]


def test_discover_goes_on_when_a_parser_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(body: bytes, *args: object, **more: object) -> list[Entry]:
        if b"/bad" in body:
            raise KeyError("xmlns")
        return parse_source(body, "", BASE, limit=10)

    monkeypatch.setattr(find_module, "parse_source", broken)
    answers = {f"{BASE}/1": rss(("/bad", 0)), f"{BASE}/2": rss(("/a", 0))}
    found, _ = find(answers, outlet(feeds=(f"{BASE}/1", f"{BASE}/2")))
    assert urls(found) == ["/a"]
    assert [f.reason for f in found.failures] == [Reason.INTERNAL_ERROR]


def _archive(entries: int) -> dict[str, bytes]:
    """A sitemap: one address of today, the others of long ago."""
    rows = [f"<url><loc>{BASE}/{i}</loc><lastmod>2001-01-01</lastmod></url>" for i in range(1, entries)]
    today = f"<url><loc>{BASE}/new</loc><lastmod>{NOW.date()}</lastmod></url>"
    return {f"{BASE}/map": ("<urlset>" + today + "".join(rows) + "</urlset>").encode()}


def test_discover_leaves_out_and_counts_what_is_too_old_in_archives() -> None:
    maps = (f"{BASE}/map",)
    found, _ = find(_archive(300), outlet(sitemaps=maps), max_age_days=7)
    assert (urls(found), found.too_old) == (["/new"], 299)
    found, _ = find(_archive(300), outlet(sitemaps=maps), max_age_days=0)
    assert len(urls(found)) == 300
    found, _ = find(_archive(20), outlet(sitemaps=maps), max_age_days=7)
    assert len(urls(found)) == 20
    found, _ = find({f"{BASE}/rss": rss(("/a", 0), ("/b", 800))}, outlet(feeds=(f"{BASE}/rss",)), max_age_days=7)
    assert urls(found) == ["/a", "/b"]


def test_discover_takes_the_newest_when_over_the_limit() -> None:
    answers = {f"{BASE}/rss": rss(("/old", 3), ("/new", 0), ("/middle", 1)), f"{BASE}/map": sitemap("/undated")}
    found, _ = find(answers, outlet(feeds=(f"{BASE}/rss",), sitemaps=(f"{BASE}/map",)), max_addresses=2)
    assert (urls(found), found.over_limit) == (["/new", "/middle"], 2)


def test_discover_reads_an_index_newest_first_and_skips_old_ones() -> None:
    rows = "".join(
        f"<sitemap><loc>{BASE}/{name}</loc><lastmod>{date}</lastmod></sitemap>"
        for name, date in [("old", "2020-01-01"), ("week", "2026-11-20"), ("today", "2026-11-23")]
    )
    answers = {
        f"{BASE}/index": f"<sitemapindex>{rows}</sitemapindex>".encode(), f"{BASE}/old": sitemap("/o"),
        f"{BASE}/week": sitemap("/w"), f"{BASE}/today": sitemap("/t"),
    }  # fmt: skip
    found, fetcher = find(answers, outlet(sitemaps=(f"{BASE}/index",)))
    assert urls(found) == ["/t", "/w"]
    assert f"{BASE}/old" not in fetcher.asked


def test_discover_ends_when_an_index_holds_itself() -> None:
    answers = {f"{BASE}/index": f"<sitemapindex><sitemap><loc>{BASE}/index</loc></sitemap></sitemapindex>".encode()}
    found, fetcher = find(answers, outlet(sitemaps=(f"{BASE}/index",)))
    assert urls(found) == []
    assert len(fetcher.asked) <= 3


def test_discover_needs_a_time_zone() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        asyncio.run(discover(outlet(), fetcher=Canned({}), rules=DiscoverSettings(), now=naive))
