"""Which of an article's events are of the happening it is about.

An article on one bombing recalls last year's, and a trial names the killing it is about: such events are true, but
their dead are not this story's. The happening is that of the latest dated event near the top; what is dated or placed
elsewhere is not of it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable

from tasks import tables

TOP = 5
"""Events, in the order they are told, among which the main one is looked for."""
DAYS_APART = 3
KM_APART = 150.0
_EARTH_KM = 6371.0


def of_main_happening(events: Iterable[tables.Event]) -> list[tables.Event]:
    """The events of one article that may be of its main happening, in the order they are told; may be empty."""
    real = sorted((e for e in events if e.modality in tables.REAL), key=lambda e: (e.start, e.event_id))
    if not real:
        return []
    top = real[:TOP]
    dated = [e for e in top if e.date_start is not None]
    latest = max((e.date_start or dt.date.min for e in dated), default=None)
    main = next((e for e in top if latest is not None and _days_apart(e, latest) == 0), top[0])
    place = main if main.place_country else next((e for e in top if e.place_country and _same_days(e, main)), main)
    return [e for e in real if _same_days(e, main) and _same_place(e, place)]


def _days_apart(e: tables.Event, day: dt.date) -> int:
    """Days from an event to a day, 0 if it may have been on it or is undated."""
    if e.date_start is None:
        return 0 if e.date_end is None else max(0, (day - e.date_end).days)
    end = e.date_end or e.date_start
    return max(0, (e.date_start - day).days, (day - end).days)


def _same_days(e: tables.Event, main: tables.Event) -> bool:
    if main.date_start is None:
        return True
    return min(_days_apart(e, main.date_start), _days_apart(e, main.date_end or main.date_start)) <= DAYS_APART


def _same_place(e: tables.Event, main: tables.Event) -> bool:
    if e.place_country and main.place_country and e.place_country != main.place_country:
        return False
    if e.place_precision == main.place_precision == "city" and None not in (e.lat, e.lon, main.lat, main.lon):
        return _km(e, main) <= KM_APART
    return True


def _km(a: tables.Event, b: tables.Event) -> float:
    """Distance on a sphere (haversine)."""
    lat, other = math.radians(a.lat or 0.0), math.radians(b.lat or 0.0)
    north, east = (other - lat) / 2, math.radians((b.lon or 0.0) - (a.lon or 0.0)) / 2
    h = math.sin(north) ** 2 + math.cos(lat) * math.cos(other) * math.sin(east) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(h)))
