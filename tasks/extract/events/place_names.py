"""Names of places in an article, resolved by what else it names.

A name that is a person here is no place; a name that only wrong pins fit keeps its words without a pin.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from tasks.extract.events.gazetteer import Place, fold, gazetteer
from tasks.extract.events.lexicon import lines, noun_classes, word_lists
from tasks.extract.events.place_guards import (
    FAR,
    KINDS,
    PRESS,
    SHORT,
    allowed,
    common,
    dateline,
    in_place_position,
    may_begin,
    may_end,
    placed_lower,
    tail,
)
from tasks.extract.events.syntax import lemma, lower

Token = Any
_NOT_PLACES = word_lists("words.txt")["not_places"]
MAX_MENTIONS = 400
_BESIDE = frozenset({"border", "neighbour", "neighbor", "adjoin"})
"""What stands behind these only says where another place lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A place name in the article: tokens, code points, and what it was resolved to (null: by name only)."""

    first: int
    last: int
    start: int
    end: int
    text: str
    name: str
    place: Place | None
    country: str | None


@dataclass(slots=True)
class _Raw:
    first: int
    last: int
    options: tuple[Place, ...]
    hint: str | None = None  # a country stated with it
    admin1: str | None = None  # a region stated after it


def survey(doc: Any, caseless: bool) -> tuple[list[Mention], str | None]:
    """Place mentions in text order, and the one country that the article is about, if there is one.

    Countries that the article names decide between namesakes.
    """
    persons = frozenset(lower(t) for t in doc if t.ent_type_ == "PERSON")
    raws = _scan(doc, caseless, persons)[:MAX_MENTIONS]
    votes = _countries(doc, raws, caseless)
    out = []
    for r in raws:
        text_span = (doc[r.first].idx, doc[r.last].idx + len(doc[r.last].text))
        text = doc[r.first : r.last + 1].text
        got = _resolve(r, votes, caseless)
        if got is None and not in_place_position(doc, r.first):
            continue
        out.append(
            Mention(
                first=r.first,
                last=r.last,
                start=text_span[0],
                end=text_span[1],
                text=text,
                name=_shown(got, text) if got else text,
                place=got,
                country=got.country if got else r.hint or _only(votes),
            )
        )
    return sorted(out + _described(doc, votes) + _again(doc, out), key=lambda m: m.first), _only(votes)


def is_dateline(doc: Any, m: Mention) -> bool:
    """Whether a name stands at a paragraph's head as the place the report was sent from."""
    return dateline(doc, m.first, m.last)


def _shown(place: Place, text: str) -> str:
    written = fold(place.name) == fold(text) and place.kind == "city" and not (text.isupper() and len(text) > 3)
    return text if written else place.name


def _only(votes: Counter[str]) -> str | None:
    """The one country an article is about, if there is one."""
    top = votes.most_common(2)
    if not top or (len(top) > 1 and top[1][1] * 2 > top[0][1]):
        return None
    return top[0][0]


def _scan(doc: Any, caseless: bool, persons: frozenset[str]) -> list[_Raw]:
    g = gazetteer()
    out: list[_Raw] = []
    tokens = list(doc)  # a Doc makes a new object at each reading
    i, n = 0, len(tokens)
    while i < n:
        t = tokens[i]
        if not may_begin(t, caseless) or "rebel" in noun_classes().get(lower(t), ()):
            i += 1  # Isis, Farc: there are towns of these names
            continue
        step = 1
        for size in range(_longest(tokens, i, min(g.max_words, n - i)), 0, -1):
            if size > 1 and not may_end(tokens[i + size - 1], caseless):
                continue
            key = fold(t.text if size == 1 else doc[i : i + size].text)
            if not key or (size == 1 and (key in _NOT_PLACES or (len(key) < 3 and t.text not in SHORT))):
                continue
            if size == 1 and not caseless and tail(doc, i):
                continue
            if size == 1 and t.pos_ == "ADJ" and g.demonym(t.text):
                continue  # "the northern Malian city of Gao": a people's name, though there is a town Malian in China
            options = _own_name_first(g.lookup(key), key)
            if options and allowed(doc, i, i + size - 1, options, caseless, persons):
                region = _region_after(doc, i + size)
                hint = region.country if region else _hint(doc, i, i + size - 1)
                out.append(_Raw(i, i + size - 1, options, hint, region.admin1 if region else None))
                step = size
                break
        else:
            if _named_by_kind(doc, i, caseless):
                out.append(_Raw(i, i, (), _hint(doc, i, i)))
            elif t.ent_type_ in ("GPE", "LOC") and t.ent_iob_ == "B" and t.pos_ == "PROPN" and not g.demonym(t.text):
                j = i
                while j + 1 < n and doc[j + 1].ent_iob_ == "I" and not doc[j + 1].is_space and j - i < 6:
                    j += 1
                if fold(doc[i : j + 1].text) not in _NOT_PLACES:
                    out.append(_Raw(i, j, (), _hint(doc, i, j)))
                step = j - i + 1
        i += step
    return out


def _longest(tokens: list[Token], i: int, limit: int) -> int:
    """Tokens from the i-th on, at most `limit`, that can be one name: not over a line, a sentence or a comma."""
    if "," in tokens[i].text:
        return 1
    for size in range(1, limit):
        w = tokens[i + size]
        if w.is_space or w.is_sent_start or "," in w.text:
            return size
    return limit


def _named_by_kind(doc: Any, i: int, caseless: bool) -> bool:
    """ "Azza Community", "the village of Kaloma": a name we do not know, told to be a place by its kind."""
    t = doc[i]
    if gazetteer().demonym(t.text) or fold(t.text) in _NOT_PLACES or common(t) or lemma(t) in KINDS:
        return False
    if not (t.pos_ == "PROPN" and (t.is_title or t.is_upper)) and not (caseless and t.pos_ in ("NOUN", "PROPN")):
        return False
    if caseless and not placed_lower(doc, i):
        return False
    nxt = doc[i + 1] if i + 1 < len(doc) else None
    if (
        nxt is not None
        and lemma(nxt) in KINDS - {"camp", "department", "state", "port"}
        and nxt.head.i != t.i
        and t.head.i == nxt.i
    ):
        return in_place_position(doc, i) or nxt.dep_ in ("dobj", "pobj")
    return i > 1 and lower(doc[i - 1]) == "of" and lemma(doc[i - 2]) in KINDS and not (nxt is not None and nxt.is_title)


def _described(doc: Any, votes: Counter[str]) -> list[Mention]:
    """Places told without a name: "the Indian capital", "a Yemeni province", "across the country"."""
    g = gazetteer()
    out = []
    for t in doc:
        word = lemma(t)
        if t.pos_ != "NOUN" or (word not in KINDS and word != "country") or any(lower(c) == "of" for c in t.children):
            continue
        iso = next(
            (d for c in t.lefts if (d := g.demonym(c.text) or (g.country(c.text) if c.dep_ == "poss" else None))), None
        )
        if (
            iso is None
            and word in ("capital", "country")
            and any(lower(c) == "the" for c in t.children)
            and in_place_position(doc, t.left_edge.i)
        ):
            iso = _only(votes)
        named = any(c.pos_ == "PROPN" and c.dep_ == "compound" and not g.demonym(c.text) for c in t.lefts)
        if iso is None or named or any(c.ent_type_ == "GPE" and c.dep_ == "appos" for c in t.children):
            continue
        place = g.capital(iso) if word == "capital" else g.nation(iso)
        if place is None:
            continue
        first = t.left_edge.i if t.i - t.left_edge.i < 6 else t.i
        start, end = doc[first].idx, t.idx + len(t.text)
        out.append(
            Mention(
                first=first,
                last=t.i,
                start=start,
                end=end,
                text=doc[first : t.i + 1].text,
                name=place.name,
                place=place,
                country=iso,
            )
        )
    return out


def _again(doc: Any, named: list[Mention]) -> list[Mention]:
    """ "Several schools in the city": the town that the text named last."""
    out: list[Mention] = []
    for t in doc:
        if lower(t) not in _TOWN or t.i == 0 or lower(doc[t.i - 1]) != "the" or t.dep_ != "pobj":
            continue
        if any(lower(c) == "of" for c in t.children) or not in_place_position(doc, t.i - 1):
            continue
        towns = [m for m in named if t.i - TOWN_REACH < m.first < t.i and _is_town(m)]
        if towns:
            start = doc[t.i - 1].idx
            end = t.idx + len(t.text)
            words = f"{doc[t.i - 1].text_with_ws}{t.text}"
            out.append(replace(towns[-1], first=t.i - 1, last=t.i, start=start, end=end, text=words))
    return out


_TOWN = frozenset({"city", "town", "village"})
TOWN_REACH = 150
"""Tokens back over which "the city" is the one named last."""


def _is_town(m: Mention) -> bool:
    return m.place.kind == "city" if m.place else True


def _own_name_first(options: tuple[Place, ...], key: str) -> tuple[Place, ...]:
    """Places that are called so, without those that only bear it as another name; unless one of these is far larger."""
    own = [p for p in options if fold(p.name) == key]
    if not own:
        return options
    largest = max(p.population for p in own)
    return tuple(p for p in options if p in own or p.population > 20 * max(largest, 1000))


def _region_after(doc: Any, i: int) -> Place | None:
    """The region of "Paris, Texas"."""
    if i + 1 >= len(doc) or doc[i].text != "," or not doc[i + 1].text[0].isupper():
        return None
    for size in (2, 1):
        if i + 1 + size <= len(doc):
            found = gazetteer().lookup(fold(doc[i + 1 : i + 1 + size].text))
            if found and found[0].kind == "admin1":
                return found[0]
    return None


def _hint(doc: Any, first: int, last: int) -> str | None:
    """A country stated with a name: "X, Iraq", "Iraq's X", "X in Iraq", "the Iraqi city of X"."""
    g = gazetteer()
    for j in range(last + 1, min(len(doc), last + 6)):
        w = doc[j]
        if w.is_sent_start and j > last + 1:
            break
        got = g.country(w.text) if w.text[0].isupper() else None
        if got is None and j + 1 < len(doc) and w.text[0].isupper():
            got = g.country(f"{w.text} {doc[j + 1].text}")
        if got:
            return got
        if not (
            w.text in (",", "in", "of", "'s", "’s")
            or lemma(w) in KINDS
            or w.pos_ in ("ADJ", "DET")
            or w.text[0].isupper()
        ):
            break
    for j in range(first - 1, max(-1, first - 8), -1):
        w = doc[j]
        got = g.demonym(w.text) or (g.country(w.text) if w.text[0].isupper() else None)
        if got:
            return got
        if w.pos_ == "ADP" and lower(w) not in ("of", "in"):
            break
        if (
            not (
                w.pos_ in ("ADJ", "DET", "ADP", "PART", "NOUN")
                or w.text in ("'s", "’s", ",")
                or lemma(w) in KINDS
                or w.text[0].isupper()
            )
            or w.is_sent_start
        ):
            break
    return None


def _countries(doc: Any, raws: list[_Raw], caseless: bool) -> Counter[str]:
    """How strongly an article points to each country: names, demonyms and unambiguous large towns."""
    g = gazetteer()
    votes: Counter[str] = Counter()
    for r in raws:
        if r.hint:
            votes[r.hint] += 2
        if not r.options or (r.first and lemma(doc[r.first - 1]) in _BESIDE):
            continue
        top = r.options[0]
        if top.kind == "country" and top.country:
            votes[top.country] += 2
        elif top.country and caseless and len({p.country for p in r.options}) == 1:
            votes[top.country] += 1
        elif (
            top.country
            and (top.kind == "admin1" or top.population > 100_000)
            and len({p.country for p in r.options if p.population * 20 > top.population}) == 1
        ):
            votes[top.country] += 2 if top.population > FAR else 1
    for t in doc:
        if t.ent_type_ == "NORP" or (
            t.pos_ in ("ADJ", "PROPN", "NOUN") and t.text[0].isupper() and t.text[-1] in "nishecsk"
        ):
            got = g.demonym(t.text)
            if got and not any(lemma(w) in PRESS for w in doc[t.i + 1 : t.i + 4]):
                votes[got] += 1
    if caseless:
        votes.update(iso for t in doc if (iso := _land_of_town(t)) is not None)
    text = doc[:4000].text.lower()
    for cue, iso in _cues():
        if cue in text and re.search(rf"\b{re.escape(cue)}\b", text):
            votes[iso] += 1
    return votes


def _land_of_town(t: Token) -> str | None:
    """The country of a large town named without a capital ("vadodara police"), where no other country has its like."""
    if t.pos_ not in ("NOUN", "PROPN") or len(t.text) < 5 or common(t) or t.text in _NOT_PLACES:
        return None
    found = [p for p in gazetteer().lookup(fold(t.text)) if p.kind == "city" and p.population > 10_000]
    lands = {p.country for p in found}
    return lands.pop() if len(lands) == 1 and max(p.population for p in found) > FAR else None


@functools.cache
def _cues() -> tuple[tuple[str, str], ...]:
    return tuple((a, b) for a, b in (line.split("\t") for line in lines("cues.tsv")))


def _resolve(r: _Raw, votes: Counter[str], caseless: bool) -> Place | None:
    if not r.options:
        return None
    top = r.options[0]
    if top.kind in ("country", "sea"):
        return top
    g = gazetteer()
    best, best_score = None, 0.0
    peak = max(votes.values(), default=0)
    for p in r.options[:40]:
        score = 0.0
        people = p.population if p.kind == "city" else max(p.population, 1_000_000)
        score += (
            1.0
            if people > 1_000_000
            else 0.8
            if people > 200_000
            else 0.5
            if people > 50_000
            else 0.3
            if people > 10_000
            else 0.15
        )
        if p.country:
            if r.hint == p.country:
                score += 3
                score += 2 if r.admin1 and r.admin1 == p.admin1 else 0
            elif r.hint and p.country in g.near(r.hint):
                score += 0.4
            if p.kind == "city" and g.capital(p.country) == p:
                score += 0.4
            if votes.get(p.country):
                score += 0.8 + votes[p.country] / peak
            elif any(p.country in g.near(c) for c, n in votes.items() if n == peak):
                score += 0.2
        if p.kind == "admin1":
            score += 0.3
        if score > best_score:
            best, best_score = p, score
    if best is None:
        return None
    if best_score >= 1.0:
        return best
    rivals = [p for p in r.options if p.country != best.country and p.population * 3 > best.population]
    alone = len({p.country for p in r.options}) == 1
    return best if not rivals and (best.population >= 100_000 or (alone and best.population >= 5_000)) else None
