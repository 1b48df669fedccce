"""robots.txt by RFC 9309: which line wins, whose group it is, and what no answer means."""

from __future__ import annotations

import pytest

from tasks.scrape.robots import read_robots
from tasks.tables import Failure, Reason

SITE = "https://post.example"


def allows(text: str, path: str, agent: str = "nightdesk") -> bool:
    return read_robots(text.encode()).allows(SITE + path, agent)


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: *\nDisallow: /a", "/abc", False),
        ("User-agent: *\nDisallow: /a/", "/a", True),
        ("User-agent: *\nDisallow: /A", "/a", True),
        # 2.2.2: the longest match wins, whatever its place; allow wins a draw
        ("User-agent: *\nDisallow: /news\nAllow: /news/uk", "/news/uk/1", True),
        ("User-agent: *\nAllow: /news\nDisallow: /news/uk", "/news/uk/1", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        # 2.2.3: * and $
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?v=1", True),
        ("User-agent: *\nDisallow: /*/print", "/a/print/2", False),
        # 2.2.1: the most special group counts, case aside; groups of one name are joined
        ("User-agent: NightDesk\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: nightdesk\nDisallow: /a\n\nUser-agent: nightdesk\nDisallow: /b", "/b", False),
        ("User-agent: other\nUser-agent: nightdesk\nDisallow: /a", "/a", False),
        ("User-agent: other\nDisallow: /\n", "/a", True),
        # comments, strange lines, percent signs
        ("# all\nUser-agent: * # us too\nNoindex: /x\nDisallow: /a # why", "/a", False),
        ("User-agent: *\nDisallow: /caf%C3%A9", "/caf%C3%A9", False),
        ("User-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("\ufeffUser-agent: *\nDisallow: /a", "/a", False),
        # 2.2.2: robots.txt itself is allowed without saying so
        ("User-agent: *\nDisallow: /\n", "/robots.txt", True),
    ],
)
def test_allows_follows_the_rfc(lines: str, path: str, expected: bool) -> None:
    assert allows(lines, path) is expected


def failure(reason: Reason) -> Failure:
    return Failure(ref="r", url=None, step="scrape", reason=reason, detail="why")


@pytest.mark.parametrize(
    ("reason", "state", "allowed", "named"),
    [
        (Reason.HTTP_GONE, "missing", True, None),
        (Reason.HTTP_REFUSED, "missing", True, None),
        (Reason.TOO_MANY_REDIRECTS, "missing", True, None),
        (Reason.HTTP_SERVER_ERROR, "unreachable", False, Reason.ROBOTS_UNREACHABLE),
        (Reason.TIMEOUT, "unreachable", False, Reason.ROBOTS_UNREACHABLE),
        (Reason.PROTOCOL_ERROR, "unreachable", False, Reason.ROBOTS_UNREACHABLE),
        (Reason.DNS_FAILED, "unreachable", False, Reason.DNS_FAILED),
        (Reason.CONNECT_FAILED, "unreachable", False, Reason.CONNECT_FAILED),
        (Reason.ADDRESS_REFUSED, "unreachable", False, Reason.ADDRESS_REFUSED),
    ],
)
def test_read_robots_knows_what_no_answer_means(
    reason: Reason, state: str, allowed: bool, named: Reason | None
) -> None:
    robots = read_robots(failure(reason))
    assert (robots.state, robots.allows(f"{SITE}/a", "nightdesk")) == (state, allowed)
    if named is not None:
        assert robots.refusal(f"{SITE}/a").reason == named


def test_delay_is_that_of_our_group() -> None:
    robots = read_robots(b"User-agent: *\nCrawl-delay: 9\n\nUser-agent: nightdesk\nCrawl-delay: 2.5\n")
    assert (robots.delay_s("nightdesk"), robots.delay_s("other")) == (2.5, 9.0)
    assert read_robots(b"User-agent: *\nCrawl-delay: -3").delay_s("nightdesk") == 0.0
    assert read_robots(b"User-agent: *\nCrawl-delay: soon").delay_s("nightdesk") == 0.0


def test_allows_stays_quick_when_rules_are_hostile() -> None:
    import time

    robots = read_robots(
        b"User-agent: *\n" + b"Disallow: /" + b"*a" * 500 + b"b\n" + b"Disallow: /*a*a*a*a*a*b\n" * 2000
    )
    started = time.monotonic()
    assert robots.allows(SITE + "/" + "a" * 3000, "nightdesk")
    assert time.monotonic() - started < 5
