"""Date strings of pages and corpora -> UTC instants with their precision. Never a guess: what is unclear is null."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from dateutil import parser as dateparser

Precision = Literal["second", "minute", "day", "month", "year"]
EARLIEST_YEAR = 1690
"""The first newspaper of America; an earlier year in a corpus is a slip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """`at` is aware and in UTC; with precision day, month or year it is the first instant of that time."""

    at: dt.datetime
    precision: Precision


_DAY8 = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
_DAY = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\.?$")
_MONTH = re.compile(r"^(\d{4})-(\d{1,2})$")
_YEAR = re.compile(r"^(\d{4})$")
_UNIX = re.compile(r"^\d{10}(\d{3})?$")
_ISO = re.compile(
    r"^(\d{4})-?(\d{2})-?(\d{2})[T ]\s*"
    r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{1,2}:?\d{0,2})?$",
    re.I,
)
_ZONE = re.compile(r"(?:\b(?:Z|UTC|GMT)\b|[+-]\d{2}:?\d{2})\s*(?:\([A-Z]+\))?$|\dZ$", re.I)
_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_NUMERIC = re.compile(r"^\D*(\d{1,2})[/.-](\d{1,2})[/.-]\d{2,4}\b")
_HAS_YEAR = re.compile(r"\b(1[6-9]|20)\d{2}\b")


def _build(*parts: int, zone: dt.tzinfo = dt.UTC) -> dt.datetime | None:
    try:
        at = dt.datetime(*parts, tzinfo=zone).astimezone(dt.UTC)  # type: ignore[misc,arg-type]
    except (ValueError, OverflowError):
        return None
    return at if at.year >= EARLIEST_YEAR else None


def _moment(at: dt.datetime | None, precision: Precision) -> Moment | None:
    return Moment(at=at, precision=precision) if at else None


def _zone(text: str | None) -> dt.tzinfo | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return dt.UTC
    digits = text[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 14 or minutes > 59:
        return None
    delta = dt.timedelta(hours=hours, minutes=minutes)
    return dt.timezone(-delta if text[0] == "-" else delta)


def _iso(text: str) -> Moment | None:
    m = _ISO.match(text)
    if not m:
        return None
    year, month, day, hour, minute = (int(g) for g in m.group(1, 2, 3, 4, 5))
    zone = _zone(m.group(7))
    if zone is None:  # a local time of an unknown place: only its day is known
        return _moment(_build(year, month, day), "day")
    second = int(m.group(6)) if m.group(6) else 0
    at = _build(year, month, day, hour, minute, min(second, 59), zone=zone)
    return _moment(at, "second" if m.group(6) else "minute")


def _simple(text: str) -> Moment | None:
    for pattern in (_DAY8, _DAY):
        if m := pattern.match(text):
            return _moment(_build(*(int(g) for g in m.groups())), "day")
    if m := _MONTH.match(text):
        return _moment(_build(int(m.group(1)), int(m.group(2)), 1), "month")
    if m := _YEAR.match(text):
        return _moment(_build(int(m.group(1)), 1, 1), "year")
    return None


def _free(text: str) -> Moment | None:
    """RFC 2822 and written dates ("19 November 2019"). Day and month in doubt (03/04/2019) is no date."""
    if not _HAS_YEAR.search(text) or not re.search(r"[A-Za-z]{3}", text):
        m = _NUMERIC.match(text)
        if not m or (int(m.group(1)) <= 12 and int(m.group(2)) <= 12 and m.group(1) != m.group(2)):
            return None
    time = _TIME.search(text)
    zoned = bool(time and _ZONE.search(text))
    # two defaults that differ in every field: what the string does not state comes out different
    first, second = dt.datetime(2000, 1, 1), dt.datetime(1996, 12, 28)  # noqa: DTZ001
    try:
        # names of zones (IST, CST) mean several places: without an offset only the day is known
        a = dateparser.parse(text, default=first, ignoretz=not zoned)
        b = dateparser.parse(text, default=second, ignoretz=not zoned)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None
    if a.year != b.year:
        return None
    if a.month != b.month:
        return _moment(_build(a.year, 1, 1), "year")
    if a.day != b.day:
        return _moment(_build(a.year, a.month, 1), "month")
    if time is None or not zoned or a.tzinfo is None:
        return _moment(_build(a.year, a.month, a.day), "day")
    try:
        at = a.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return _moment(at, "second" if time.group(1) else "minute")


def parse_moment(value: str | None) -> Moment | None:
    """The instant a date string names, None where it is no date or could be read in two ways.

    A time without a zone counts as its day alone, since the place of the clock is unknown.
    """
    text = " ".join((value or "").split())[:80].strip("\"' ")
    if not text:
        return None
    if _UNIX.match(text):
        seconds = int(text[:10])
        return _moment(dt.datetime.fromtimestamp(seconds, dt.UTC), "second")
    return _iso(text) or _simple(text) or (_free(text) if len(text) >= 8 else None)


def not_after(moment: Moment | None, limit: dt.datetime | None) -> Moment | None:
    """The moment unless it lies after `limit` (when the page was fetched): such a date is wrong."""
    if moment is None or limit is None or moment.at <= limit:
        return moment
    return None
