"""What a page reserves, and that a setting obeys it."""

from __future__ import annotations

import pytest

from tasks.scrape.rights import fits, reserved_in_body, reserved_in_headers, reserved_in_tdmrep
from tasks.tables import Fate, Reason
from tests.scrape.press import PAGE, serving
from tests.scrape.test_fetch import failed, fetched, get


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("X-Robots-Tag", "noarchive")], {"noarchive"}),
        ([("x-robots-tag", "nofollow, NOINDEX, noai")], {"noindex", "noai"}),
        ([("X-Robots-Tag", "none")], {"noindex"}),
        ([("X-Robots-Tag", "googlebot: noindex")], set()),
        ([("X-Robots-Tag", "googlebot: nofollow, noindex")], set()),
        ([("X-Robots-Tag", "googlebot: nofollow"), ("X-Robots-Tag", "noarchive")], {"noarchive"}),
        ([("X-Robots-Tag", "NightDesk: noindex")], {"noindex"}),
        ([("X-Robots-Tag", "max-snippet: 20, noarchive")], {"noarchive"}),
        ([("X-Robots-Tag", "unavailable_after: 25 Jun 2026 15:00:00 PST")], set()),
        ([("TDM-Reservation", " 1 ")], {"tdm"}),
        ([("TDM-Reservation", "0")], set()),
    ],
)
def test_reserved_in_headers_reads_what_speaks_to_us(headers: list[tuple[str, str]], expected: set[str]) -> None:
    assert reserved_in_headers(headers, "nightdesk") == expected


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (b"<meta name='robots' content='noindex,nofollow'>", {"noindex"}),
        (b'<META content="noarchive" name="ROBOTS" />', {"noarchive"}),
        (b"<meta name=tdm-reservation content=1>", {"tdm"}),
        (b'<meta name="googlebot" content="noindex">', set()),
        (b'<meta property="og:title" content="robots noindex">', set()),
    ],
)
def test_reserved_in_body_reads_meta_elements(markup: bytes, expected: set[str]) -> None:
    assert reserved_in_body(b"<html><head>" + markup + b"</head>", "nightdesk") == expected


@pytest.mark.parametrize(
    ("headers", "body"),
    [({"TDM-Reservation": "1"}, PAGE), ({}, b"<html><meta name='tdm-reservation' content='1'><p>x</p></html>")],
)
def test_get_obeys_a_reservation_by_setting_alone(headers: dict[str, str], body: bytes) -> None:
    with serving({"/a": (200, headers, body)}) as press:
        url = f"{press.base}/a"
        assert fetched(get(url)[0]).body == body
        assert fetched(get(url, obey_rights=["noarchive"])[0]).body == body
        skipped = failed(get(url, obey_rights=["tdm"])[0])
    assert (skipped.reason, skipped.fate) == (Reason.RIGHTS_RESERVED, Fate.SKIPPED)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/", "/a", True),
        ("/news/*", "/news/1", True),
        ("/news/*", "/sport/1", False),
        ("*.pdf$", "/a.pdf", True),
        ("*.pdf$", "/a.pdf?x", False),
        ("/a*b*c", "/axxbyyczz", True),
        ("/a*b*c", "/acb", False),
        ("/a$", "/a", True),
        ("/a$", "/ab", False),
        ("/ab*ab$", "/ab", False),
        ("*a" * 500 + "b", "/" + "a" * 3000, False),
    ],
)
def test_fits_knows_stars_and_ends(pattern: str, path: str, expected: bool) -> None:
    assert fits(pattern, path) is expected


def test_longest_rule_of_a_tdmrep_decides() -> None:
    body = (
        b'[{"location": "/", "tdm-reservation": 1}, {"location": "/open/*", "tdm-reservation": 0}, 7, {"location": 3}]'
    )
    assert [reserved_in_tdmrep(body, p) for p in ("/a", "/open/a", "/")] == [True, False, True]
    assert not reserved_in_tdmrep(b"[" * 100_000, "/a")
    assert not reserved_in_tdmrep(b'{"location": "/"}', "/a")


def test_get_obeys_the_tdmrep_of_a_site_by_setting_alone() -> None:
    rules = b'[{"location": "/a", "tdm-reservation": 1}]'
    with serving({"/a": PAGE, "/b": PAGE, "/.well-known/tdmrep.json": (200, {}, rules)}) as press:
        no, yes = get(f"{press.base}/a", f"{press.base}/b", obey_rights=["tdm"])
        assert failed(no).reason == Reason.RIGHTS_RESERVED
        assert fetched(yes).body == PAGE
        assert press.paths().count("/.well-known/tdmrep.json") == 1
        press.log.clear()
        fetched(get(f"{press.base}/a")[0])
        assert "/.well-known/tdmrep.json" not in press.paths()
