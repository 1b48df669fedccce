"""Fetching from a loopback press, well-behaved and hostile: each address ends in its reason, within its limits."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import itertools
import time
import zlib
from http.server import BaseHTTPRequestHandler

import pytest

from tasks.discover.records import Fetched, Validators
from tasks.scrape.fetch import WebFetcher
from tasks.settings import ScrapeSettings
from tasks.tables import Failure, Fate, Reason
from tests.scrape.press import PAGE, Answer, Press, reply, serving

NOW = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)


def rules(**changes: object) -> ScrapeSettings:
    quick = {
        "delay_s": 0.0, "timeout_s": 1.0, "total_timeout_s": 2.0, "retry_wait_s": 0.01, "max_bytes": 200_000,
        "allow_addresses": ["127.0.0.0/8"],
    }  # fmt: skip
    return ScrapeSettings(**(quick | changes))


def get(*urls: str, pages_only: bool = True, **changes: object) -> list[Fetched | Failure]:
    async def all_of_them() -> list[Fetched | Failure]:
        async with WebFetcher(rules(**changes), now_fn=lambda: NOW) as fetcher:
            return list(await asyncio.gather(*(fetcher.get(u, pages_only=pages_only) for u in urls)))

    return asyncio.run(all_of_them())


def fetched(got: Fetched | Failure) -> Fetched:
    assert isinstance(got, Fetched), got
    return got


def failed(got: Fetched | Failure) -> Failure:
    assert isinstance(got, Failure), got
    return got


def to(location: str) -> Answer:
    return (302, {"Location": location}, b"")


def test_get_gives_the_page_when_all_is_well() -> None:
    with serving({"/a": PAGE}) as press:
        got = fetched(get(f"{press.base}/a")[0])
    assert (got.body, got.status, got.ip, got.fetched_at) == (PAGE, 200, "127.0.0.1", NOW)
    assert press.paths() == ["/robots.txt", "/a"]
    assert press.log[1][2]["user-agent"].startswith("nightdesk")
    assert "cookie" not in press.log[1][2]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(PAGE)), ("deflate", zlib.compress(PAGE)), ("deflate", zlib.compress(PAGE)[2:-4])],
    ids=["gzip", "zlib", "deflate"],
)
def test_get_decodes_and_keeps_the_raw_form_when_packed(coding: str, packed: bytes) -> None:
    with serving({"/a": (200, {"Content-Encoding": coding}, packed)}) as press:
        got = fetched(get(f"{press.base}/a")[0])
    assert (got.body, got.raw) == (PAGE, packed)


def test_get_follows_redirects_and_keeps_both_addresses() -> None:
    with serving({"/a": to("/b"), "/b": to("/c"), "/c": PAGE}) as press:
        got = fetched(get(f"{press.base}/a")[0])
    assert (got.address, got.url) == (f"{press.base}/a", f"{press.base}/c")


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    while True:
        handler.wfile.write(b"<p>more</p>" * 1000)


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b"x")
        time.sleep(0.1)


def silent(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


def short(handler: BaseHTTPRequestHandler) -> None:
    reply(handler, 200, {"Content-Type": "text/html", "Content-Length": "5000"}, PAGE)
    handler.close_connection = True


def header_flood(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for i in range(100_000):
        handler.wfile.write(b"X-%d: %s\r\n" % (i, b"y" * 90))


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\x01garbage\r\n\r\n")
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


BOMB = gzip.compress(b"0" * 50_000_000)

HOSTILE: list[tuple[str, Answer, Reason]] = [
    ("endless body", endless, Reason.TOO_LARGE),
    ("stated size", (200, {"Content-Length": "999999999999"}, b""), Reason.TOO_LARGE),
    ("gzip bomb", (200, {"Content-Encoding": "gzip"}, BOMB), Reason.TOO_LARGE),
    ("drip", drip, Reason.TIMEOUT),
    ("silence", silent, Reason.TIMEOUT),
    ("body too short", short, Reason.PROTOCOL_ERROR),
    ("header flood", header_flood, Reason.PROTOCOL_ERROR),
    ("no HTTP", no_http, Reason.PROTOCOL_ERROR),
    ("hang up", hang_up, Reason.PROTOCOL_ERROR),
    ("gzip that is none", (200, {"Content-Encoding": "gzip"}, PAGE), Reason.PROTOCOL_ERROR),
    ("gzip cut off", (200, {"Content-Encoding": "gzip"}, gzip.compress(PAGE)[:-12]), Reason.PROTOCOL_ERROR),
    ("unknown coding", (200, {"Content-Encoding": "zstd"}, b"("), Reason.PROTOCOL_ERROR),
    ("circle", to("/x"), Reason.TOO_MANY_REDIRECTS),
    ("to cloud metadata", to("http://169.254.169.254/latest/meta-data/"), Reason.ADDRESS_REFUSED),
    ("to a private network", to("http://10.0.0.1/"), Reason.ADDRESS_REFUSED),
    ("to IPv6 loopback", to("http://[::1]:9/"), Reason.ADDRESS_REFUSED),
    ("to mapped IPv6", to("http://[::ffff:169.254.169.254]/"), Reason.ADDRESS_REFUSED),
    ("to a number", to("http://2852039166/"), Reason.ADDRESS_REFUSED),
    ("to a file", to("file:///etc/passwd"), Reason.ADDRESS_REFUSED),
    ("to a mailbox", to("mailto:desk@example.org"), Reason.ADDRESS_REFUSED),
    ("to a bad port", to("http://127.0.0.1:99999/"), Reason.ADDRESS_REFUSED),
    ("gone", (410, {}, b""), Reason.HTTP_GONE),
    ("forbidden", (403, {}, b""), Reason.HTTP_REFUSED),
    ("broken", (500, {}, b""), Reason.HTTP_SERVER_ERROR),
    ("come back next week", (503, {"Retry-After": "604800"}, b""), Reason.HTTP_SERVER_ERROR),
    ("no content", (204, {}, b""), Reason.HTTP_OTHER_STATUS),
    ("picture", (200, {"Content-Type": "image/png"}, b"\x89PNG"), Reason.NOT_HTML),
    ("vague and no page", (200, {"Content-Type": "text/plain"}, b"plain words"), Reason.NOT_HTML),
]


@pytest.mark.parametrize(("answer", "reason"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_get_ends_in_its_reason_when_hostile(answer: Answer, reason: Reason) -> None:
    with serving({"/x": answer, "/good": PAGE}) as press:
        started = time.monotonic()
        bad, good = get(f"{press.base}/x", f"{press.base}/good", attempts=2)
        seconds = time.monotonic() - started
    assert failed(bad).reason == reason, bad
    assert failed(bad).detail
    assert fetched(good).body == PAGE
    assert seconds < 7


def test_get_cuts_a_feed_at_the_limit_but_no_page() -> None:
    body = b"<rss>" + b"<item>x</item>" * 20_000
    with serving({"/rss": (200, {"Content-Type": "text/xml"}, body), "/page": body, "/endless": endless}) as press:
        rss, more = (
            fetched(g) for g in get(f"{press.base}/rss", f"{press.base}/endless", pages_only=False, max_bytes=10_000)
        )
        page = failed(get(f"{press.base}/page", max_bytes=10_000)[0])
    assert (rss.body, len(more.body)) == (body[:10_000], 10_000)
    assert page.reason == Reason.TOO_LARGE


def test_get_gives_up_when_redirects_never_end() -> None:
    answers: dict[str, Answer] = {f"/{i}": to(f"/{i + 1}") for i in range(50)}
    with serving(answers) as press:
        got = failed(get(f"{press.base}/0", max_redirects=4)[0])
    assert got.reason == Reason.TOO_MANY_REDIRECTS
    assert press.paths() == ["/robots.txt", "/0", "/1", "/2", "/3", "/4"]


def test_get_refuses_loopback_when_no_setting_opens_it() -> None:
    with serving({"/a": PAGE}) as press:
        got = failed(get(f"{press.base}/a", allow_addresses=[])[0])
        other = failed(get(f"{press.base}/a", allow_addresses=["10.0.0.0/8"])[0])
    assert (got.reason, got.fate) == (Reason.ADDRESS_REFUSED, Fate.FAILED)
    assert other.reason == Reason.ADDRESS_REFUSED
    assert press.log == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/a", Reason.ADDRESS_REFUSED),
        ("http://no-such-host.invalid/a", Reason.DNS_FAILED),
        ("http://" + "a" * 70 + ".example/", Reason.DNS_FAILED),
        ("http://127.0.0.1:1/a", Reason.CONNECT_FAILED),
        ("http://127.0.0.1/" + "a" * 5000, Reason.ADDRESS_REFUSED),
        ("http://exa mple/", Reason.DNS_FAILED),
        ("http://[::1", Reason.ADDRESS_REFUSED),
    ],
)
def test_get_fails_when_address_leads_nowhere(url: str, reason: Reason) -> None:
    assert failed(get(url)[0]).reason == reason


def test_get_names_tls_when_server_speaks_none() -> None:
    with serving({"/a": PAGE}) as press:
        got = failed(get(press.base.replace("http:", "https:") + "/a")[0])
    assert got.reason == Reason.TLS_FAILED


def test_get_tries_again_when_fault_passes() -> None:
    calls: list[int] = []

    def flaky(handler: BaseHTTPRequestHandler) -> None:
        calls.append(1)
        if len(calls) == 1:
            reply(handler, 503, {"Retry-After": "1"}, b"")
        else:
            reply(handler, 200, {"Content-Type": "text/html"}, PAGE)

    with serving({"/a": flaky}) as press:
        got = fetched(get(f"{press.base}/a")[0])
    times = [t for path, t, _ in press.log if path == "/a"]
    assert got.attempts == 2
    assert times[1] - times[0] >= 0.95


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (403, 1), (429, 3), (500, 3), (502, 3)])
def test_get_tries_only_passing_faults_again(status: int, tries: int) -> None:
    with serving({"/a": (status, {}, b"")}) as press:
        got = failed(get(f"{press.base}/a", attempts=3)[0])
    assert press.paths().count("/a") == got.attempts == tries


def test_get_waits_between_two_requests_of_one_host() -> None:
    with serving({f"/{i}": PAGE for i in range(5)}) as press:
        get(*(f"{press.base}/{i}" for i in range(5)), delay_s=0.15)
    times = [t for _, t, _ in press.log]
    assert len(times) == 6
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.149


def test_get_obeys_crawl_delay_when_longer() -> None:
    robots = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 0.3\n")
    with serving({"/robots.txt": robots, "/0": PAGE, "/1": PAGE}) as press:
        get(f"{press.base}/0", f"{press.base}/1", delay_s=0.01)
    times = [t for _, t, _ in press.log]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 0.29


def test_get_asks_two_hosts_at_once() -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.8)
        reply(handler, 200, {"Content-Type": "text/html"}, PAGE)

    with serving({"/a": slow}) as one, serving({"/a": slow}) as two:
        started = time.monotonic()
        get(f"{one.base}/a", f"{two.base}/a")
        assert time.monotonic() - started < 1.5


def test_get_leaves_the_rest_when_hosts_time_is_up() -> None:
    robots = (200, {"Content-Type": "text/plain"}, b"User-agent: *\nCrawl-delay: 86400\n")
    with serving({"/robots.txt": robots, "/a": PAGE}) as press:
        got = failed(get(f"{press.base}/a")[0])
    assert got.reason == Reason.TIMEOUT
    assert "86400" in got.detail


def test_get_stops_asking_when_host_is_dead() -> None:
    with serving({f"/{i}": hang_up for i in range(6)}) as press:
        got = get(*(f"{press.base}/{i}" for i in range(6)), attempts=1, host_faults=2)
    assert len(press.log) == 3
    assert [failed(g).reason for g in got[2:]] == [Reason.CONNECT_FAILED] * 4


@pytest.mark.parametrize(
    ("robots", "reason", "fate"),
    [
        (b"User-agent: *\nDisallow: /\n", Reason.ROBOTS_DISALLOW, Fate.SKIPPED),
        (b"User-agent: nightdesk\nDisallow: /a\n\nUser-agent: *\nAllow: /\n", Reason.ROBOTS_DISALLOW, Fate.SKIPPED),
        (b"User-agent: *\nDisallow: /*.html$\nDisallow: /a\nAllow: /b\n", Reason.ROBOTS_DISALLOW, Fate.SKIPPED),
        ((500, {}, b""), Reason.ROBOTS_UNREACHABLE, Fate.FAILED),
        ((503, {}, b""), Reason.ROBOTS_UNREACHABLE, Fate.FAILED),
        (silent, Reason.ROBOTS_UNREACHABLE, Fate.FAILED),
    ],
)
def test_get_obeys_robots_when_it_says_no(robots: Answer, reason: Reason, fate: Fate) -> None:
    with serving({"/robots.txt": robots, "/a": PAGE}) as press:
        got = failed(get(f"{press.base}/a", attempts=1)[0])
    assert (got.reason, got.fate) == (reason, fate)
    assert "/a" not in press.paths()


@pytest.mark.parametrize(
    "robots",
    [
        (404, {}, b""), (401, {}, b""), (403, {}, b""), to("/robots.txt"), b"", b"<html>no robots here</html>",
        b"User-agent: otherbot\nDisallow: /\n", b"\xff\xfe\x00garbage", b"User-agent: *\nDisallow: /a\nAllow: /a\n",
    ],
)  # fmt: skip
def test_get_fetches_when_robots_says_nothing_against_it(robots: Answer) -> None:
    with serving({"/robots.txt": robots, "/a": PAGE}) as press:
        assert fetched(get(f"{press.base}/a", attempts=1)[0]).body == PAGE


def test_get_reads_half_a_megabyte_of_robots_when_longer() -> None:
    body = b"User-agent: *\nDisallow: /a\n" + b"# filler filler filler\n" * 2_000_000
    with serving({"/robots.txt": (200, {"Content-Type": "text/plain"}, body), "/a": PAGE, "/b": PAGE}) as press:
        started = time.monotonic()
        no, yes = get(f"{press.base}/a", f"{press.base}/b")
    assert failed(no).reason == Reason.ROBOTS_DISALLOW
    assert fetched(yes).body == PAGE
    assert time.monotonic() - started < 3


def test_get_asks_robots_of_the_host_redirected_to() -> None:
    with serving({"/robots.txt": b"User-agent: *\nDisallow: /private\n", "/private": PAGE}) as inner:
        with serving({"/a": to(f"{inner.base}/private")}) as outer:
            got = failed(get(f"{outer.base}/a")[0])
    assert got.reason == Reason.ROBOTS_DISALLOW
    assert got.ref == f"{outer.base}/a"
    assert inner.paths() == ["/robots.txt"]


def test_get_shows_no_credentials_and_sends_them_only_home() -> None:
    with serving({"/b": PAGE}) as other, serving({"/a": to(f"{other.base}/b"), "/c": PAGE}) as press:
        here = press.base.replace("http://", "http://me:secret@")
        got, plain, lost = (
            fetched(g) if isinstance(g, Fetched) else g for g in get(f"{here}/a", f"{here}/c", f"{here}/d")
        )
    assert "secret" not in repr((got, plain, lost))
    assert "authorization" in next(h for path, _, h in press.log if path == "/a")
    assert all("authorization" not in h for _, _, h in other.log)
    assert all(
        "authorization" not in {k.lower() for k, _ in g.request_headers} for g in (got, plain) if isinstance(g, Fetched)
    )


def test_get_keeps_cookies_through_the_redirects_of_one_address() -> None:
    def wall(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("Cookie") == "seen=1; a=b":
            reply(handler, 200, {"Content-Type": "text/html"}, PAGE)
            return
        handler.send_response(302)
        handler.send_header("Set-Cookie", "seen=1; Path=/; HttpOnly")
        handler.send_header("Set-Cookie", "a=b")
        handler.send_header("Location", "/a")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with serving({"/a": wall, "/b": PAGE}) as press:
        got, _ = (fetched(g) for g in get(f"{press.base}/a", f"{press.base}/b"))
    assert got.body == PAGE
    assert "cookie" not in {k.lower() for k, _ in got.request_headers}
    assert [("cookie" in headers) for path, _, headers in press.log if path in ("/a", "/b")].count(True) == 1


def test_get_forgets_cookies() -> None:
    with serving({"/a": (200, {"Set-Cookie": "id=1; Path=/"}, PAGE), "/b": PAGE}) as press:
        get(f"{press.base}/a", f"{press.base}/b")
    assert all("cookie" not in headers for _, _, headers in press.log)


@pytest.mark.parametrize(("hops", "reason"), [(4, Reason.ROBOTS_DISALLOW), (5, Reason.ROBOTS_DISALLOW), (6, None)])
def test_get_follows_five_redirects_of_a_robots_txt_whatever_the_setting(hops: int, reason: Reason | None) -> None:
    """RFC 9309 section 2.3.1.2: at least five, also to another authority; beyond that it counts as not there."""
    with serving({"/last": b"User-agent: *\nDisallow: /\n"}) as other:
        chain: dict[str, Answer] = {f"/r{i}": to(f"/r{i + 1}") for i in range(1, hops - 1)}
        chain |= {"/robots.txt": to("/r1"), f"/r{hops - 1}": to(f"{other.base}/last"), "/a": PAGE}
        with serving(chain) as press:
            got = get(f"{press.base}/a", max_redirects=0)[0]
    assert (got.reason if isinstance(got, Failure) else None) == reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 429, 451])
def test_get_takes_every_4xx_of_a_robots_txt_for_none(status: int) -> None:
    with serving({"/robots.txt": (status, {}, b"User-agent: *\nDisallow: /\n"), "/a": PAGE}) as press:
        fetched(get(f"{press.base}/a", attempts=1)[0])


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_get_takes_every_5xx_of_a_robots_txt_for_a_no(status: int) -> None:
    with serving({"/robots.txt": (status, {}, b""), "/a": PAGE}) as press:
        assert failed(get(f"{press.base}/a", attempts=1)[0]).reason == Reason.ROBOTS_UNREACHABLE
    assert "/a" not in press.paths()


def test_get_reads_rules_up_to_500_kibibytes() -> None:
    filler = b"# " + b"x" * 97 + b"\n"
    body = b"User-agent: *\n" + filler * (500 * 1024 // 100 - 2) + b"Disallow: /a\n"
    with serving({"/robots.txt": (200, {"Content-Type": "text/plain"}, body), "/a": PAGE}) as press:
        assert 511_000 < len(body) < 512_000
        assert failed(get(f"{press.base}/a")[0]).reason == Reason.ROBOTS_DISALLOW


def test_get_asks_with_what_an_earlier_answer_said_and_takes_304() -> None:
    known = Validators(etag='"7"', last_modified="Mon, 23 Nov 2026 10:00:00 GMT")

    async def ask(url: str) -> Fetched | Failure:
        async with WebFetcher(rules(), now_fn=lambda: NOW) as fetcher:
            return await fetcher.get(url, pages_only=True, known=known)

    with serving({"/a": (304, {"ETag": '"7"'}, b"")}) as press:
        got = fetched(asyncio.run(ask(f"{press.base}/a")))
        assert failed(get(f"{press.base}/a")[0]).reason == Reason.HTTP_OTHER_STATUS
    assert (got.unchanged, got.raw) == (True, b"")
    asked = press.log[1][2]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"7"', "Mon, 23 Nov 2026 10:00:00 GMT")
    assert "if-none-match" not in press.log[0][2]  # robots.txt is another thing


def test_get_says_that_an_address_moved_when_every_redirect_is_permanent() -> None:
    answers: dict[str, Answer] = {
        "/a": (301, {"Location": "/b"}, b""), "/b": (308, {"Location": "/c"}, b""), "/c": PAGE,
        "/d": (301, {"Location": "/e"}, b""), "/e": (302, {"Location": "/c"}, b""),
    }  # fmt: skip
    with serving(answers) as press:
        moved, passing, still = (fetched(g).moved for g in get(*(f"{press.base}/{p}" for p in "adc")))
    assert (moved, passing, still) == (True, False, False)


def test_get_leaves_a_host_alone_that_asks_for_it_twice() -> None:
    busy: Answer = (429, {"Retry-After": "3600"}, b"")

    async def ask(press: Press) -> tuple[list[Fetched | Failure], dict[str, dt.datetime]]:
        async with WebFetcher(rules(), now_fn=lambda: NOW) as fetcher:
            got = [await fetcher.get(f"{press.base}/{i}") for i in range(4)]
            return got, fetcher.quiet_hosts()

    with serving({f"/{i}": busy for i in range(4)}) as press:
        got, quiet = asyncio.run(ask(press))
        assert [failed(g).attempts for g in got] == [1, 1, 0, 0]
        assert press.paths() == ["/robots.txt", "/0", "/1"]
        assert list(quiet.values()) == [NOW + dt.timedelta(hours=1)]

        async def next_night(at: dt.datetime) -> Fetched | Failure:
            async with WebFetcher(rules(), now_fn=lambda: at, quiet=quiet) as fetcher:
                return await fetcher.get(f"{press.base}/robots.txt")

        press.answers["/robots.txt"] = b""
        assert failed(asyncio.run(next_night(NOW + dt.timedelta(minutes=59)))).attempts == 0
        fetched(asyncio.run(next_night(NOW + dt.timedelta(minutes=61))))
