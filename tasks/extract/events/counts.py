"""How many were killed, injured, arrested, displaced: ranges read from the words around a casualty word.

"at least n" gives (n, null), "up to n" (null, n), "about n" and "as many as n" (n, n), "dozens" (24, null), "no one"
(0, 0).
A number that cannot be one ("1,2,3", more than 10 million people) is no count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    RELATIVE,
    children,
    classes,
    conjuncts,
    grammatical_subject,
    hyphened,
    is_passive,
    lemma,
    lower,
    sentence,
    undergoer,
)

Token = Any
MOST = 10_000_000
_PLAIN = re.compile(r"\d{1,3}(?:,\d{3})+|\d{1,8}")
_PERSONS = ("killed", "injured", "arrested", "displaced")
_VERBS = {f: word_lists("words.txt")[f"verbs_{f}"] for f in _PERSONS}
_KILL_NOUNS = frozenset("murder killing massacre assassination execution slaughter beheading slaying lynching".split())
_HARM = frozenset("assault attack shoot stab beat hack club thrash poison strangle run".split())
_NOUNS = {
    "death": "killed",
    "fatality": "killed",
    "injury": "injured",
    "arrest": "arrested",
    "detention": "arrested",
    "casualty": "both",
    "wound": "injured",
}
_ADJECTIVES = {
    "dead": "killed",
    "wounded": "injured",
    "injured": "injured",
    "homeless": "displaced",
    "hurt": "injured",
    "alive": "killed",
}
_PERSON_ENT = "PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One number of people with the word it belongs to; start and end are code points of the number's words."""

    field: str
    min: int | None
    max: int | None
    start: int
    end: int
    token: Token


def _words(name: str) -> dict[str, int]:
    return {k: int(v) for k, _, v in (w.partition("=") for w in word_lists("numbers.txt")[name])}


def number(text: str) -> int | None:
    """The value of one number word or figure; null for what is none ("1,2,3")."""
    text = text.lower()
    if _PLAIN.fullmatch(text):
        value = int(text.replace(",", ""))
        return value if value <= MOST else None
    exact = _words("exact")
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
        one = _amount_of_one(x)
        if one is not None:
            parts.append(one)
    if not parts:
        return None
    low = None if any(p.low is None for p in parts) else sum(p.low for p in parts if p.low is not None)
    high = None if any(p.high is None for p in parts) else sum(p.high for p in parts if p.high is not None)
    return _Amount(low, high, parts[0].start, parts[-1].end)


def _amount_of_one(n: Token) -> _Amount | None:
    vague = _words("vague")
    many = _many_times(n)
    if many is not None:
        return many
    if lower(n) in vague or (lower(n) in ("score", "dozen") and children(n, "prep")):
        return _qualified(n, n, vague.get(lower(n), 12))
    if n.like_num or (number(lower(n)) is not None and n.pos_ == "NUM"):
        return _from_numeral(n)
    for c in n.children:
        if c.dep_ == "nummod" or (
            c.dep_ in ("amod", "det", "compound", "quantmod") and (c.like_num or lower(c) in vague)
        ):
            if c.ent_type_ in ("DATE", "TIME", "ORDINAL", "MONEY", "PERCENT", "AGE"):
                continue
            if lower(c) in vague:
                if lower(c) in ("few",) and not any(lower(x) == "a" for x in n.children):
                    continue
                return _qualified(c, c, vague[lower(c)])
            got = _from_numeral(c)
            if got is not None:
                return got
    return _single(n)


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
        factor = _words("vague").get(lower(first), 12)
        return _qualified(first, c, factor * _words("scale")[unit], vague=lower(first) != "couple")
    return None


def _single(n: Token) -> _Amount | None:
    """ "a soldier", "the pastor", a named person: one."""
    if n.ent_type_ == _PERSON_ENT and n.tag_ == "NNP":
        return _Amount(1, 1, n.idx, n.idx + len(n.text))
    people = classes(n) & {"civilian", "police", "military", "rebel", "government", "person"} - {"entity"}
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


def _from_numeral(c: Token) -> _Amount | None:
    value = number(c.text)
    scale = _words("scale")
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
        return _qualified(tens, c, number(tens.text + "-" + c.text) or value)
    return _qualified(first, c, value)


def _two_scales(c: Token) -> tuple[int, Token] | None:
    """ "two hundred thousand": a number, a round one, and a greater round one."""
    if c.i - 2 < sentence(c).start or lower(c.nbor(-1)) not in _ROUND or lower(c) not in _ROUND:
        return None
    times = 1 if lower(c.nbor(-2)) in ("a", "an") else number(c.nbor(-2).text)
    if times is None:
        return None
    scale = _words("scale")
    return times * scale[lower(c.nbor(-1))] * scale[lower(c)], c.nbor(-2)


def _tens_before(t: Token) -> Token | None:
    """The "thirty" of "thirty-one", which the tokeniser splits."""
    if not hyphened(t):
        return None
    tens = t.doc[t.i - 2]
    return tens if (number(tens.text) or 0) in range(20, 100, 10) else None


def _qualified(first: Token, last: Token, value: int, vague: bool | None = None) -> _Amount:
    """The range that the words before a number make of it."""
    doc = last.doc
    left = "-".join(lower(doc[i]) for i in range(max(0, first.i - 4), first.i))
    start = first.idx
    lists = word_lists("numbers.txt")
    low: int | None = value
    if vague is None:
        vague = lower(last) in _words("vague") and lower(last) != "couple"
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


def find_counts(sent: list[Token]) -> list[Count]:
    """Counts of a sentence in text order."""
    out: list[Count] = []
    for t in sent:
        out.extend(_at(t))
    seen: set[tuple[str, int]] = set()
    kept = []
    for c in sorted(out, key=lambda c: (c.token.i, c.start)):
        if c.field == "displaced" and c.max == 1:
            continue  # one who fled long ago; nobody calls that displacement
        if (c.field, c.start) not in seen:
            seen.add((c.field, c.start))
            kept.append(c)
    return kept


def _at(t: Token) -> Iterator[Count]:
    le, lo = lemma(t), lower(t)
    if t.pos_ in ("VERB", "ADJ"):
        for field, verbs in _VERBS.items():
            if le in verbs:
                yield from _of_verb(t, field)
                return
    if t.pos_ == "VERB" and (_of_bomber(t) or _to_hospital(t)):
        field = "killed" if le in _BLOWN else "injured"
        yield from _count(t, grammatical_subject(t), field)
        return
    if t.pos_ == "VERB" and le in _HARM and _to_death(t):
        yield from _count(t, undergoer(t), "killed")
        return
    if t.pos_ in ("NOUN", "VERB") and (le in _KILL_NOUNS or lo in _KILL_NOUNS):
        yield from _of_noun(t, "killed")
    elif t.pos_ in ("NOUN", "PROPN") and le in _NOUNS:
        yield from _of_noun(t, _NOUNS[le])
    elif lo in _ADJECTIVES:
        yield from _of_adjective(t, _ADJECTIVES[lo])
    elif le in ("toll",):
        yield from _of_toll(t)
    elif le in ("sustain", "suffer", "receive"):
        if any(lemma(o) in ("injury", "wound", "burn") for o in children(t, "dobj")):
            yield from _count(t, grammatical_subject(t), "injured")
    elif le == "life" and any(lemma(h) in ("claim", "lose") for h in (t.head,)):
        yield from _count(t, t, "killed")
    elif le in ("custody",) and lemma(t.head) == "into":
        verb = t.head.head
        yield from _count(t, undergoer(verb), "arrested")
    elif le in ("round", "pick") and any(lower(c) == "up" for c in t.children):
        yield from _count(t, undergoer(t), "arrested")


_BLOWN = frozenset({"blow", "explode", "detonate"})
_ADMITTED = frozenset({"admit", "rush", "hospitalise", "hospitalize"})


def _of_bomber(t: Token) -> bool:
    """ "Three bombers blew themselves up": they are dead."""
    return lemma(t) in _BLOWN and any(lower(o) in ("himself", "herself", "themselves") for o in children(t, "dobj"))


def _to_hospital(t: Token) -> bool:
    """ "Scores were admitted to a hospital": they are hurt."""
    if lemma(t) not in _ADMITTED or not is_passive(t):
        return False
    return lemma(t).startswith("hosp") or any(lemma(o) == "hospital" for c in children(t, "prep") for o in c.children)


def _to_death(t: Token) -> bool:
    words = [lower(w) for w in t.children]
    if "fatally" in words or "dead" in words:
        return True
    return any(lower(c) == "to" and any(lower(o) == "death" for o in c.children) for c in t.children)


def _bare_left(t: Token) -> Token | None:
    """ "… and eight are injured": a number that stands alone just before the verb group."""
    i = t.i - 1
    while i > sentence(t).start and lower(t.doc[i]) in (
        "are",
        "were",
        "was",
        "is",
        "been",
        "have",
        "has",
        "had",
        "being",
        "be",
        "also",
        "others",
        "other",
    ):
        i -= 1
    w = t.doc[i]
    return (
        w
        if (w.like_num or lower(w) in _words("vague")) and w.dep_ != "nummod" and w.ent_type_ not in ("DATE", "TIME")
        else None
    )


def _of_verb(t: Token, field: str) -> Iterator[Count]:
    if t.pos_ == "ADJ" and t.dep_ == "amod":
        return
    intransitive = lemma(t) in ("die", "perish", "succumb", "flee")
    if lemma(t) == "claim":
        lives = [o for o in children(t, "dobj") if lemma(o) == "life"]
        for o in lives:
            yield from _count(t, o, "killed")
        return
    who = grammatical_subject(t) if intransitive else undergoer(t)
    if who is None and t.dep_ == "amod":
        who = t.head
    if t.dep_ == "acl" and not intransitive and is_passive(t):
        who = t.head
    if who is not None and lower(who) in RELATIVE:
        who = t.head if t.dep_ == "relcl" else who
    if lemma(t) == "capture" and who is not None and not classes(who) & {"civilian", "rebel", "military", "person"}:
        return
    bare = None if intransitive or children(t, "dobj", "nsubjpass", "nsubj") else _bare_left(t)
    yield from _count(t, bare if bare is not None else who, field)


def _none(t: Token) -> bool:
    return (
        any(lower(c) in ("no", "zero") for c in t.children)
        or lower(t) in ("none", "nobody", "no-one")
        or (lower(t) == "one" and any(lower(c) == "no" for c in t.children))
    )


def _count(t: Token, who: Token | None, field: str) -> Iterator[Count]:
    if who is None:
        return
    kinds = classes(who)
    if kinds & {"building", "territory", "weapon", "attackword"} and not kinds & {
        "civilian",
        "military",
        "police",
        "rebel",
    }:
        return
    if _none(who):
        yield Count(field=field, min=0, max=0, start=who.left_edge.idx, end=who.idx + len(who.text), token=t)
        return
    if lemma(who) == "person" and lower(who) == "number":
        return
    got = amount(who)
    if got is None:
        for c in children(who, "prep"):
            if lower(c) == "of" and (who.like_num or lower(who) in ("group", "number", "total", "body")):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
    if got is not None and not (got.low is None and got.high is None):
        negated = any(x.dep_ == "neg" or lower(x) in ("nearly", "almost") for x in t.children)
        if not negated:
            yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)


def _of_noun(t: Token, field: str) -> Iterator[Count]:
    fields = ("killed", "injured") if field == "both" else (field,)
    negative = _none(t) or (t.head.dep_ == "prep" and lower(t.head) == "without") or lower(t.head) == "without"
    if field == "both" and not negative:
        return
    if negative:
        word = next((c for c in t.children if lower(c) in ("no", "any", "other")), t)
        for f in fields:
            yield Count(field=f, min=0, max=0, start=min(word.idx, t.idx), end=t.idx + len(t.text), token=t)
        return
    got = None
    for c in t.children:
        if c.dep_ in ("nummod", "amod") and c.like_num:
            got = _amount_of_one(t)
    if got is None and t.dep_ == "pobj" and lower(t.head) == "of":  # "dozens of arrests"
        up = t.head.head
        if lower(up) in _words("vague"):
            got = _amount_of_one(up)
    if got is None and t.tag_ == "NN" and not children(t, "nummod"):
        for c in children(t, "prep"):
            if lower(c) in ("of", "to"):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
        for o in children(t, "poss"):
            got = got or amount(o)
    if got is None and t.tag_ == "NNS":
        for c in children(t, "prep"):
            if lower(c) in ("of", "to"):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
    if got is not None:
        yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)


def _of_adjective(t: Token, field: str) -> Iterator[Count]:
    if lower(t) == "alive":
        if lemma(t.head) == "burn":
            yield from _count(t.head, undergoer(t.head), field)
        return
    head = t.head
    if t.dep_ in ("acomp", "attr", "oprd") and head.pos_ in ("AUX", "VERB"):
        whom = children(head, "dobj")
        if lemma(head) in ("leave", "find", "shoot", "gun") and whom:
            yield from _count(t, whom[0], field)
        elif lemma(head) in ("be", "leave", "find", "shoot", "remain"):
            yield from _count(t, grammatical_subject(head), field)
    elif t.dep_ == "amod" and head.pos_ in ("NOUN",) and lemma(head) in ("body",):
        yield from _count(t, head, field)
    elif t.dep_ in ("dobj", "ccomp", "conj") or t.pos_ in ("NOUN", "ADJ"):
        before = t.nbor(-1) if t.i > sentence(t).start else None
        if before is not None and (before.like_num or lower(before) in _words("vague")):
            got = (
                _from_numeral(before) if before.like_num else _qualified(before, before, _words("vague")[lower(before)])
            )
            if got is not None:
                yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)
        elif t.dep_ in ("ccomp", "dobj") and lemma(head) in ("leave",):
            for c in [*children(t, "nsubj"), *children(head, "dobj")]:
                yield from _count(t, c, field)
                break


def _of_toll(t: Token) -> Iterator[Count]:
    """ "the death toll rose to 66", "raised the death toll to 77"."""
    if not any(lower(c) == "death" for c in t.children):
        return
    for w in (t, t.head):
        for c in children(w, "prep"):
            if lower(c) in ("to", "at", "of"):
                for o in children(c, "pobj"):
                    got = amount(o)
                    if got is not None:
                        yield Count(field="killed", min=got.low, max=got.high, start=got.start, end=got.end, token=t)
                        return
