"""A text -> the smallest pieces that are body or furniture as a whole: sentences, also where they are glued."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Join = Literal["line", "space", "glued", "camel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """text[start:end] of the text it was cut from. `join`: how it hangs on the unit before it."""

    start: int
    end: int
    line: int
    join: Join


_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st sr jr rev gen col lt sgt capt cpl maj sen rep gov hon pres dept inc ltd co corp llc plc"
    " vs etc"
    " no nos vol fig eq ca cf al jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun"
    " u.s u.k u.n e.g i.e a.m p.m d.c ph.d bzw usw z.b d.h u.a nr str hr fr dr.h.c mio mrd ex approx est".split()
)
_CLOSE = "\"”’»)\\]'"
# “ closes in German and opens in English: it closes where no word follows at once
_END = re.compile(rf"[.!?…。！？][{_CLOSE}]*(?:“(?=\s|$))?(?P<gap>\s+|(?=[^\s.,;:!?…{_CLOSE}\d/@_\-]))")
_CAMEL = re.compile(
    r"(?<=[a-zà-öø-ÿ]{3})(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{2})|(?<=[)\]])(?=[A-Z][a-z]{2})|(?<=[a-zà-öø-ÿ]{3}\d)(?=[A-Z][a-z]{3})"
)
_LAST_WORD = re.compile(r"[\w.]+$")
_NOT_CAMEL = re.compile(
    r"\b(?:You|Linked|Whats|Tech|Pay|Buzz|Snap|Tik|Face|Black|Master|Door|Space|Air|Word|Java|Type|Git|Power|Mac|Fitz|Van|"
    r"Blue|Net|Life|Home|Health|Green|Data|Open|Deep|Chat|Star|Play|Time|World|Sky|Bio|Euro|Smart|Fire|Micro|Daily|News|"
    r"Sun|Rail|Trip|Street|Trust|Sales|Price|Fed|Jet|Mega|Auto|Cyber|Live|Cross|Tele|Photo|Insta|Quick|Glaxo|Astra|Volks|Roku|Team)$"
)
_TLD = re.compile(r"(?:com|org|net|co|de|uk|info|io|tv|eu|at|ch|fr|js|py)\b|(?:Com|Org|Net|COM|ORG|NET)\b")


def _is_end(text: str, at: int, nxt: int) -> bool:
    """Whether the stop at text[at] ends a sentence, the next one beginning at nxt."""
    if nxt >= len(text):
        return False
    first = text[nxt]
    glued = nxt == at + 1 or not text[nxt - 1].isspace()
    if first.islower() or (not first.isalnum() and first not in "“\"‘'«„([¿¡…—–-"):
        return False
    if text[at] != ".":
        return not glued or first.isupper() or first in "“«„"
    word = _LAST_WORD.search(text, max(0, at - 24), at)
    before = word.group(0).lower() if word else ""
    closed = text[at + 1] in '"”’»“'  # what a quotation mark closes is no abbreviation
    if not closed and (before in _ABBREVIATIONS or (len(before) == 1 and before.isalpha())):
        return False
    if not glued:
        return not (before.isdigit() and len(before) <= 2 and first.isupper() and not text[nxt : nxt + 3].isupper())
    # no space after the stop: only a plain word ending before and a plain capitalised word after it
    following = text[nxt : nxt + 12]
    if first in "“«„":
        return len(before) >= 2
    return (
        first.isupper() and len(before) >= 2 and "." not in before and len(following) > 1
        and (following[1].islower() or following[1] == " ") and not _TLD.match(following)
    )  # fmt: skip


def _line_units(text: str, start: int, end: int, line: int, split_camel: bool) -> list[Unit]:
    cuts: list[tuple[int, int, Join]] = []  # end of one, start of the next, how they hang together
    for m in _END.finditer(text, start, end):
        if m.end() < end and _is_end(text, m.start(), m.end()):
            cuts.append((m.start("gap"), m.end(), "space" if m.group("gap") else "glued"))
    if split_camel:
        for m in _CAMEL.finditer(text, start, end):
            at = m.start()
            word = re.search(r"\w+$", text[max(start, at - 20) : at])
            if start < at < end and not (word and _NOT_CAMEL.search(word.group(0))):
                cuts.append((at, at, "camel"))
        cuts.sort()
    units: list[Unit] = []
    at = start
    join: Join = "line"
    for stop, nxt, how in cuts:
        if stop > at:
            units.append(Unit(start=at, end=stop, line=line, join=join))
            at, join = nxt, how
    if end > at:
        units.append(Unit(start=at, end=end, line=line, join=join))
    return units


def split_units(text: str, *, split_camel: bool = True) -> list[Unit]:
    """Units in reading order; together they are the text without white space at their edges."""
    units: list[Unit] = []
    for line, m in enumerate(re.finditer(r"[^\n]+", text)):
        start, end = m.span()
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            units.extend(_line_units(text, start, end, line, split_camel))
    return units
