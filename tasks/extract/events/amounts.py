"""How many a noun phrase speaks of, as a range.

"at least n" gives (n, null), "up to n" (null, n), "about n" and "as many as n" (n, n), "dozens" (24, null), "no one"
(0, 0).
A number that cannot be one ("1,2,3", more than 10 million people) is no count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    children,
    classes,
    conjuncts,
    hyphened,
    lemma,
    lower,
    sentence,
)

Token = Any
MOST = 10_000_000
_PLAIN = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,8}")
_PERSON_ENT = "PERSON"


def words_for(name: str) -> dict[str, int]:
    return {k: int(v) for k, _, v in (w.partition("=") for w in word_lists("numbers.txt")[name])}


def number(text: str) -> int | None:
    """The value of one number word or figure; null for what is none ("1,2,3")."""
    text = text.lower()
    if _PLAIN.fullmatch(text):
        value = int(text.replace(",", ""))
        return value if value <= MOST else None
    exact = words_for("exact")
    if text in exact:
        return exact[text]
    a, _, b = text.partition("-")
    if b in exact and a in exact and exact[a] >= 20:
        return exact[a] + exact[b]
    return None


@dataclass(frozen=True, slots=True)
class _Amount:
    low: int | None
    high: int | None
    start: int
    end: int


def amount(n: Token) -> _Amount | None:
    """How many a noun phrase speaks of, its coordinated nouns summed; null where it gives no number."""
    parts = []
    for x in conjuncts(n):
        one = amount_of_one(x)
        if one is not None:
            parts.append(one)
    if not parts:
        return None
    low = None if any(p.low is None for p in parts) else sum(p.low for p in parts if p.low is not None)
    high = None if any(p.high is None for p in parts) else sum(p.high for p in parts if p.high is not None)
    return _Amount(low, high, parts[0].start, parts[-1].end)


def amount_of_one(n: Token) -> _Amount | None:
    vague = words_for("vague")
    many = _many_times(n)
    if many is not None:
        return many
    if lower(n) in vague or (lower(n) in ("score", "dozen") and children(n, "prep")):
        return qualified(n, n, vague.get(lower(n), 12))
    if n.like_num or (number(lower(n)) is not None and n.pos_ == "NUM"):
        return from_numeral(n)
    for c in n.children:
        if c.dep_ == "nummod" or (
            c.dep_ in ("amod", "det", "compound", "quantmod") and (c.like_num or lower(c) in vague)
        ):
            if c.ent_type_ in ("DATE", "TIME", "ORDINAL", "MONEY", "PERCENT", "AGE"):
                continue
            if lower(c) in vague:
                if lower(c) in ("few",) and not any(lower(x) == "a" for x in n.children):
                    continue
                return qualified(c, c, vague[lower(c)])
            got = from_numeral(c)
            if got is not None:
                return got
    return _share(n) or _single(n)


def _share(n: Token) -> _Amount | None:
    """ "more people", "57 per cent of those": how many is not said, but it was more than one."""
    if n.tag_ not in ("NNS", "DT") or not (lower(n) == "those" or classes(n) & _PEOPLE):
        return None
    words = word_lists("numbers.txt")["share"]
    above = [n.head.head] if n.dep_ == "pobj" and lower(n.head) == "of" else []
    part = next((w for w in [*children(n, "amod", "det", "advmod"), *above] if lower(w) in words), None)
    if part is None:
        return None
    first, last = (part, n) if part.i < n.i else (n, n)
    return _Amount(2, None, first.idx, last.idx + len(last.text))


_ROUND = frozenset({"hundred", "thousand", "million", "lakh", "crore"})
_TIMES = frozenset({"several", "many", "few", "couple", "tens", "dozens", "scores", "hundreds", "thousands", "dozen"})


def _many_times(n: Token) -> _Amount | None:
    """ "hundreds of thousands", "a couple of hundred", "several thousand": a vague number times a round one."""
    for c in (n, *(c for c in n.children if c.i < n.i)):
        unit = lower(c).removesuffix("s")
        if unit not in _ROUND or c.i == 0:
            continue
        first = c.nbor(-1)
        if lower(first) == "of" and first.i:
            first = first.nbor(-1)
        if lower(first) not in _TIMES or first.i < sentence(c).start:
            continue
        factor = words_for("vague").get(lower(first), 12)
        return qualified(first, c, factor * words_for("scale")[unit], vague=lower(first) != "couple")
    return None


_PEOPLE = frozenset({"civilian", "police", "military", "rebel", "government", "person"})


def _single(n: Token) -> _Amount | None:
    """ "a soldier", "the pastor", a named person: one."""
    if n.ent_type_ == _PERSON_ENT and n.tag_ == "NNP":
        return _Amount(1, 1, n.idx, n.idx + len(n.text))
    people = classes(n) & _PEOPLE
    if (
        n.tag_ == "NN"
        and people
        and (children(n, "poss") or any(lower(c) in ("a", "an", "another", "the") for c in children(n, "det")))
    ):
        collective = {
            "people",
            "family",
            "group",
            "crowd",
            "mob",
            "party",
            "police",
            "army",
            "team",
            "couple",
            "unit",
            "convoy",
            "patrol",
            "force",
            "village",
            "community",
            "gang",
        }
        if lemma(n) not in collective:
            det = n.left_edge
            return _Amount(1, 1, det.idx, n.idx + len(n.text))
    return None


def from_numeral(c: Token) -> _Amount | None:
    value = number(c.text)
    scale = words_for("scale")
    first = c
    if lower(c) in scale:
        value = scale[lower(c)]
        for x in children(c, "compound", "nummod", "quantmod", "det"):
            v = 1 if lower(x) in ("a", "an") else number(x.text)
            if v:
                value = v * scale[lower(c)]
                first = x if x.i < first.i else first
    elif value is not None:
        for x in children(c, "compound", "nummod"):
            v = number(x.text)
            if v and x.i < c.i and lower(c) in scale:
                value = v * scale[lower(c)]
                first = x
    scaled = _two_scales(c) if lower(c) in scale else None
    if scaled is not None:
        value, first = scaled
    if value is None or value > MOST:
        return None
    tens = _tens_before(first)
    if tens is not None and value < 10:
        return qualified(tens, c, number(tens.text + "-" + c.text) or value)
    return qualified(first, c, value)


def _two_scales(c: Token) -> tuple[int, Token] | None:
    """ "two hundred thousand": a number, a round one, and a greater round one."""
    if c.i - 2 < sentence(c).start or lower(c.nbor(-1)) not in _ROUND or lower(c) not in _ROUND:
        return None
    times = 1 if lower(c.nbor(-2)) in ("a", "an") else number(c.nbor(-2).text)
    if times is None:
        return None
    scale = words_for("scale")
    return times * scale[lower(c.nbor(-1))] * scale[lower(c)], c.nbor(-2)


def _tens_before(t: Token) -> Token | None:
    """The "thirty" of "thirty-one", which the tokeniser splits."""
    if not hyphened(t):
        return None
    tens = t.doc[t.i - 2]
    return tens if (number(tens.text) or 0) in range(20, 100, 10) else None


def qualified(first: Token, last: Token, value: int, vague: bool | None = None) -> _Amount:
    """The range that the words before a number make of it."""
    doc = last.doc
    left = "-".join(lower(doc[i]) for i in range(max(0, first.i - 4), first.i))
    start = first.idx
    lists = word_lists("numbers.txt")
    low: int | None = value
    if vague is None:
        vague = lower(last) in words_for("vague") and lower(last) != "couple"
    high: int | None = None if vague else value
    for phrases, keep_low in ((lists["least"], True), (lists["most"], False)):
        hit = max((p for p in phrases if left == p or left.endswith("-" + p)), key=len, default=None)
        if hit:
            start = doc[max(0, first.i - len(hit.split("-")))].idx
            low, high = (value, None) if keep_low else (None, value)
            if low == 12 and "dozen" in lower(last) and lower(first) in ("two", "three", "four"):
                low = value
            break
    if lower(last) == "or" or (
        last.i + 2 < len(doc) and lower(doc[last.i + 1]) == "or" and lower(doc[last.i + 2]) == "more"
    ):
        high = None
    return _Amount(low, high, start, last.idx + len(last.text))
