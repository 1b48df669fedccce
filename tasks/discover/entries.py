"""What discover reads in feeds, sitemaps and pages, and the dates they write."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from dataclasses import dataclass
from typing import Literal

from dateutil import parser as dates

# RFC 822 knows the American ones, which email.utils reads; feeds of other countries write these (hours from UTC)
_ZONES = {
    "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "WET": 0, "WEST": 1, "IST": 5.5, "MSK": 3, "JST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13, "SAST": 2, "SGT": 8, "HKT": 8, "BRT": -3, "ART": -3,
}  # fmt: skip
_SECONDS = {name: int(hours * 3600) for name, hours in _ZONES.items()}
_NAMED_ZONE = re.compile(r"\s([A-Z]{3,4})$")


class Unreadable(ValueError):
    """The bytes are no feed, sitemap or page; the message says what they are instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it stands there: the link may still be relative, the date is what it says, in UTC."""

    link: str
    title: str | None = None
    published: dt.datetime | None = None
    updated: dt.datetime | None = None  # null where it is the same as published
    kind: Literal["article", "sitemap"] = "article"


def parse_date(text: object) -> dt.datetime | None:
    """An ISO or RFC 2822 date as UTC, one without a zone taken as UTC; None where it is no date."""
    if not isinstance(text, str) or not re.match(r"\s*\d{4}|\s*\w{2,4},?\s|\s*\d{1,2}\s\w{3}", text[:100]):
        return None
    text = text.strip()[:100]
    try:
        zone = _NAMED_ZONE.search(text)
        if text[:1].isdigit() and text[:4].isdigit():
            when = dates.parse(text, default=dt.datetime(2000, 1, 1, tzinfo=dt.UTC), tzinfos=_SECONDS)
        elif zone and zone[1] in _SECONDS:
            when = dates.parse(text, default=dt.datetime(2000, 1, 1), tzinfos=_SECONDS)  # noqa: DTZ001
        else:
            when = _mail_date(text)
        return when.astimezone(dt.UTC) if when.tzinfo else when.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def _mail_date(text: str) -> dt.datetime:
    try:
        return email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return dates.parse(text, default=dt.datetime(2000, 1, 1, tzinfo=dt.UTC), tzinfos=_SECONDS)
