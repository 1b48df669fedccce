"""When: date expressions of a sentence as intervals of days, against the day the article was published.

"on Friday" is the last such day up to publication, "overnight" the night before it, "last week" Monday to Sunday
before, "in 2014" the year. Relative words of an undated article stay unresolved: text kept, days null.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta

_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
CALENDAR = frozenset([*_DAYS, *_MONTHS])
_M = {m: i for i, m in enumerate(_MONTHS, 1)} | {m[:3]: i for i, m in enumerate(_MONTHS, 1)} | {"sept": 9}
_N = {w: i for i, w in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())} | {
    "a": 1,
    "an": 1,
    "several": 3,
    "few": 3,
}
_month = rf"(?:{'|'.join(sorted(_M, key=len, reverse=True))})\b\.?"
_day = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_part = r"(?:early |late )?(?:in the )?(?:early |late )?(?:morning|afternoon|evening|night|noon|midnight|dawn)"
_num = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|few)"
_on = r"(?:on |since |until )?"
_year = r"(?:,? (?P<y>\d{4})\b)?"
_about = r"(?:about |around |some |nearly |almost |over |more than )?"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("iso", r"\b(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})\b"),
    (
        "range",
        rf"\b(?:between|from) (?P<m>{_month}) (?P<d>\d{{1,2}}) (?:and|to|until|through)"
        rf" (?P<m2>{_month})? ?(?P<d2>\d{{1,2}}){_year}",
    ),
    ("mdy", rf"\b{_on}(?:{_day},? )?(?P<m>{_month}) (?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:){_year}"),
    ("dmy", rf"\b{_on}(?:{_day},? )?(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<m>{_month}){_year}"),
    ("my", rf"\b(?:in |since |during )?(?:early |late |mid-)?(?P<m>{_month}),? (?:of )?(?P<y>\d{{4}})\b"),
    ("agoword", rf"\b{_about}(?P<n>{_num}) (?P<u>day|week|month|year)s? (?:ago|earlier|before)\b"),
    ("past", rf"\b(?:in|during|over|for|within) the (?:last|past) (?P<n>{_num} )?(?P<u>hour|day|week|month|year)s?\b"),
    ("pasthours", r"\b(?:in|during|over|within) the (?:last|past) (?P<n>\d{1,3}) hours\b"),
    ("lastday", rf"\b(?:on )?(?:last|this past) (?P<w>{_day})(?: {_part})?\b"),
    ("nextday", rf"\b(?:on )?(?:next|this coming) (?P<w>{_day})(?: {_part})?\b"),
    ("weekday", rf"\b(?:(?:on|since|by|until|early|late) )*(?P<w>{_day})(?:'s|’s)?(?: {_part})?\b"),
    (
        "lastunit",
        r"\b(?:(?:early|late|earlier|later|since) )?(?P<r>last|this|next|previous) (?P<u>week|month|year|weekend)\b",
    ),
    ("lastmonth", rf"\b(?:since )?(?P<r>last|this|next) (?P<m>{_month})"),
    ("night", r"\b(?:overnight|last night)\b"),
    ("yesterday", rf"\byesterday(?: {_part})?\b"),
    ("today", r"\b(?:later |earlier |early |late )?(?:today|tonight)\b|\bthis (?:morning|afternoon|evening)\b"),
    ("tomorrow", r"\btomorrow(?: (?:morning|afternoon|evening|night))?\b"),
    ("inmonth", rf"\b(?:in|since|during|by) (?:early |late |mid-|early-|late-)?(?P<m>{_month})(?! \d)"),
    ("inyear", r"\b(?:in|since|during|of) (?:early |late |mid-)?(?P<y>(?:1[89]|20)\d\d)\b"),
    ("bareyear", r"\b(?P<y>(?:19|20)\d\d)(?= [a-z])"),
)  # fmt: skip
_COMPILED = tuple((n, re.compile(p, re.I)) for n, p in _PATTERNS)
_YEAR = re.compile(r"\d{4}")
_HINT = re.compile(
    rf"\d{{4}}|{_day}|{_month}|\b(?:week|month|year|day|weekend|overnight|night|today|tonight|yesterday|tomorrow|hours|morning|afternoon|evening)s?\b",
    re.I,
)
_MONTH_HINTS = tuple(m[:3] for m in _MONTHS)
_GATES: dict[str, tuple[str, ...]] = {
    "iso": ("-",), "range": ("between", "from"), "mdy": _MONTH_HINTS, "dmy": _MONTH_HINTS, "my": _MONTH_HINTS,
    "agoword": ("ago", "earlier", "before"), "past": ("last", "past"), "pasthours": ("hours",),
    "lastday": ("last", "past"), "nextday": ("next", "coming"), "weekday": ("day",),
    "lastunit": ("last", "this", "next", "previous"), "lastmonth": _MONTH_HINTS, "night": ("night",),
    "yesterday": ("yesterday",), "today": ("today", "tonight", "this "), "tomorrow": ("tomorrow",),
    "inmonth": _MONTH_HINTS, "inyear": ("18", "19", "20"), "bareyear": ("19", "20"),
}  # fmt: skip
"""What a text must hold, in small letters, for a pattern to match at all: cheaper to look for than the pattern."""
_HINTS = (
    *_MONTH_HINTS, "day", "week", "month", "year", "night", "tomorrow", "hour", "morning", "afternoon", "evening",
)  # fmt: skip
MAX_SENTENCE = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A date expression: code points in the article, first and last day (null if unresolved), precision."""

    text: str
    start: int
    end: int
    first: dt.date | None
    last: dt.date | None
    precision: str  # day, week, month, year, range
    kind: str


def find_dates(text: str, offset: int, published: dt.date | None, ahead: bool = False) -> list[When]:
    """Date expressions of a sentence, in order, none overlapping. `ahead`: weekdays lie in the future (a plan)."""
    text = text[:MAX_SENTENCE]
    low = text.lower()
    if not (any(h in low for h in _HINTS) or _YEAR.search(low)) or not _HINT.search(text):
        return []
    cased = text != low
    taken: list[tuple[int, int]] = []
    out = []
    for name, pattern in _COMPILED:
        if not any(h in low for h in _GATES[name]):
            continue
        for m in pattern.finditer(text):
            if any(m.start() < b and a < m.end() for a, b in taken):
                continue
            if name in ("mdy", "dmy", "inmonth", "my") and not _really_month(m, cased):
                continue
            first, last, precision = _resolve(name, m.groupdict(), m.group(0).lower(), published, ahead)
            taken.append(m.span())
            out.append(
                When(
                    text=m.group(0),
                    start=offset + m.start(),
                    end=offset + m.end(),
                    first=first,
                    last=last,
                    precision=precision,
                    kind=name,
                )
            )
    return sorted(out, key=lambda w: w.start)


def _really_month(m: re.Match[str], cased: bool) -> bool:
    """ "may 2" of a sentence with capitals is no date, "March" the walk is not a month."""
    word = m.group("m").rstrip(".")
    if word.lower() not in ("may", "march", "mar", "dec", "sun", "jan"):
        return True
    return word[0].isupper() if cased else m.groupdict().get("d") is not None


def _number(word: str | None) -> int:
    word = (word or "one").strip().lower()
    return int(word) if word.isdigit() else _N.get(word, 1)


def _date(y: int, m: int, d: int) -> dt.date | None:
    try:
        return dt.date(y, m, d)
    except ValueError:
        return None


def _month_days(y: int, m: int) -> tuple[dt.date | None, dt.date | None]:
    if not 1 <= y <= 9999:
        return None, None
    return dt.date(y, m, 1), dt.date(y, m, calendar.monthrange(y, m)[1])


def _nearest_year(month: int, day: int, pub: dt.date, ahead: bool) -> dt.date | None:
    """The date without its year: the last one up to publication, or a near one to come."""
    here = _date(pub.year, month, day)
    if here is None:
        return _date(pub.year - 1, month, day)
    gap = (here - pub).days
    if gap > 0 and not ahead and gap > 45:
        return _date(pub.year - 1, month, day)
    if gap < -300 and ahead:
        return _date(pub.year + 1, month, day)
    return here


_Span = tuple[dt.date | None, dt.date | None, str]


def _resolve(name: str, g: dict[str, str | None], text: str, pub: dt.date | None, ahead: bool) -> _Span:
    """Days and precision of one match. Never raises: a date that cannot be is unresolved."""
    try:
        absolute = _absolute(name, g, pub, ahead)
        if absolute is not None:
            return absolute
        if pub is None:
            return None, None, "day"
        return _relative(name, g, text, pub, ahead)
    except (OverflowError, ValueError):
        return None, None, "day"


def _absolute(name: str, g: dict[str, str | None], pub: dt.date | None, ahead: bool) -> _Span | None:
    if name == "iso":
        day = _date(int(g["y"] or 0), int(g["m"] or 0), int(g["d"] or 0))
        return day, day, "day"
    if name in ("inyear", "bareyear"):
        y = int(g["y"] or 0)
        return dt.date(y, 1, 1), dt.date(y, 12, 31), "year"
    month = _M.get((g.get("m") or "").lower().rstrip(".")[:9], 0)
    if name == "my":
        return (*_month_days(int(g["y"] or 0), month), "month")
    if name in ("mdy", "dmy", "range"):
        return _calendar(name, g, month, pub, ahead)
    return None


def _calendar(name: str, g: dict[str, str | None], month: int, pub: dt.date | None, ahead: bool) -> _Span:
    day = int(g["d"] or 0)
    if g.get("y"):
        first = _date(int(g["y"] or 0), month, day)
    else:
        first = _nearest_year(month, day, pub, ahead) if pub else None
    if name != "range":
        return first, first, "day"
    month2 = _M.get((g.get("m2") or "").lower().rstrip("."), month)
    last = _date(first.year, month2, int(g["d2"] or 0)) if first else None
    return first, last, "range"


def _weekday(name: str, pub: dt.date, ahead: bool, strict: bool = False) -> dt.date:
    want = _DAYS.index(name.lower())
    back = (pub.weekday() - want) % 7
    if ahead:
        return pub + dt.timedelta(days=(want - pub.weekday()) % 7 or 7)
    return pub - dt.timedelta(days=back or (7 if strict else 0))


def _relative(name: str, g: dict[str, str | None], text: str, pub: dt.date, ahead: bool) -> _Span:
    one = dt.timedelta(days=1)
    if name == "weekday":
        day = _weekday(g["w"] or "", pub, ahead)
        return (day, pub, "range") if "since" in text else (day, day, "day")
    if name in ("lastday", "nextday"):
        day = _weekday(g["w"] or "", pub, name == "nextday", strict=True)
        return day, day, "day"
    if name == "night":
        return pub - one, pub, "range"
    if name in ("yesterday", "today", "tomorrow"):
        day = pub + one * {"yesterday": -1, "today": 0, "tomorrow": 1}[name]
        return day, day, "day"
    if name == "lastunit":
        return _unit(g["r"] or "", (g["u"] or "").lower(), pub)
    if name in ("lastmonth", "inmonth"):
        return _named_month(name, g, text, pub, ahead)
    if name == "agoword":
        return _ago(_number(g["n"]), (g["u"] or "").lower(), pub)
    if name in ("past", "pasthours"):
        n, u = _number(g.get("n")), (g.get("u") or "hour").lower()
        days = {"hour": max(1, round(n / 24)), "day": n, "week": 7 * n}.get(u)
        first = (
            pub - one * days if days else pub - (relativedelta(months=n) if u == "month" else relativedelta(years=n))
        )
        return first, pub, "range"
    return None, None, "day"


def _named_month(name: str, g: dict[str, str | None], text: str, pub: dt.date, ahead: bool) -> _Span:
    month = _M[(g["m"] or "").lower().rstrip(".")]
    relation = (g.get("r") or "").lower()
    y = pub.year + (1 if ahead and month < pub.month else -1 if not ahead and month > pub.month else 0)
    if relation == "last" and month == pub.month:
        y -= 1
    if relation == "next":
        y = pub.year + (month <= pub.month)
    first, last = _month_days(y, month)
    return (first, pub, "range") if text.startswith("since") else (first, last, "month")


def _unit(relation: str, unit: str, pub: dt.date) -> _Span:
    step = {"last": -1, "previous": -1, "this": 0, "next": 1}[relation.lower()]
    if unit in ("week", "weekend"):
        monday = pub - dt.timedelta(days=pub.weekday()) + dt.timedelta(weeks=step)
        if unit == "weekend":
            if relation.lower() == "last" and pub.weekday() >= 5:
                monday = pub - dt.timedelta(days=pub.weekday() + 7)
            return monday + dt.timedelta(days=5), monday + dt.timedelta(days=6), "range"
        return monday, monday + dt.timedelta(days=6), "week"
    if unit == "month":
        at = pub + relativedelta(months=step)
        return (*_month_days(at.year, at.month), "month")
    return dt.date(pub.year + step, 1, 1), dt.date(pub.year + step, 12, 31), "year"


def _ago(n: int, unit: str, pub: dt.date) -> _Span:
    if unit == "day":
        day = pub - dt.timedelta(days=n)
        return day, day, "day"
    if unit == "week":
        at = pub - dt.timedelta(weeks=n)
        monday = at - dt.timedelta(days=at.weekday())
        return monday, monday + dt.timedelta(days=6), "week"
    if unit == "month":
        at = pub - relativedelta(months=n)
        return (*_month_days(at.year, at.month), "month")
    return dt.date(pub.year - n, 1, 1), dt.date(pub.year - n, 12, 31), "year"
