"""What a page reserves, and that a setting obeys it."""

from __future__ import annotations

import pytest

from tasks.scrape.rights import reserved_in_body, reserved_in_headers
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
