"""Names of places in an article, resolved by what else it names.

A name that is a person here is no place; a name that only wrong pins fit keeps its words without a pin.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tasks.extract.events.gazetteer import Place, fold, gazetteer
from tasks.extract.events.lexicon import lines, noun_classes, word_lists
from tasks.extract.events.ontology import load_ontology
from tasks.extract.events.syntax import lemma, lower

Token = Any
_BEFORE = word_lists("words.txt")["before_place"]
_REACHED = word_lists("words.txt")["reached"]
_FAR = 500_000
_TITLES = word_lists("words.txt")["titles"]
_KINDS = word_lists("words.txt")["place_kinds"]
_BEARINGS = word_lists("words.txt")["directions"]
_WIDER = word_lists("words.txt")["wider"]
_NOT_PLACES = word_lists("words.txt")["not_places"]
_SHORT = frozenset({"US", "UK", "UP", "U.S.", "U.K."})
_PRESS = word_lists("words.txt")["press"]
MAX_MENTIONS = 400


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
    return sorted(out + _described(doc, votes), key=lambda m: m.first), _only(votes)


def is_dateline(doc: Any, m: Mention) -> bool:
    """Whether a name stands at a paragraph's head as the place the report was sent from."""
    return _dateline(doc, m.first, m.last)


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
        if not _may_begin(t, caseless) or "rebel" in noun_classes().get(lower(t), ()):
            i += 1  # Isis, Farc: there are towns of these names
            continue
        step = 1
        for size in range(_longest(tokens, i, min(g.max_words, n - i)), 0, -1):
            if size > 1 and not _may_end(tokens[i + size - 1], caseless):
                continue
            key = fold(t.text if size == 1 else doc[i : i + size].text)
            if not key or (size == 1 and (key in _NOT_PLACES or (len(key) < 3 and t.text not in _SHORT))):
                continue
            if size == 1 and not caseless and _tail(doc, i):
                continue
            if size == 1 and t.pos_ == "ADJ" and g.demonym(t.text):
                continue  # "the northern Malian city of Gao": a people's name, though there is a town Malian in China
            options = _own_name_first(g.lookup(key), key)
            if options and _allowed(doc, i, i + size - 1, options, caseless, persons):
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


def _may_end(t: Token, caseless: bool) -> bool:
    """Whether a word can be the last of a name of several words."""
    if t.is_punct:
        return False
    return bool(
        caseless
        or t.is_title
        or t.is_upper
        or t.like_num
        or lower(t) in ("state", "region", "strip", "bank", "province")
    )


def _tail(doc: Any, i: int) -> bool:
    """The "Area" of "San Francisco Bay Area": the last word of a longer name is no other place of that name."""
    t = doc[i]
    if i == 0 or t.is_sent_start or t.ent_iob_ != "I":
        return False
    before = doc[i - 1]
    if not before.is_title or before.dep_ not in ("compound", "nmod", "amod") or before.head.i < i:
        return False
    g = gazetteer()
    return lemma(t) in _KINDS or not (
        lower(before) in _BEARINGS or g.demonym(before.text) or g.lookup(fold(before.text)) or lemma(before) in _KINDS
    )


def _region_of(doc: Any, last: int) -> bool:
    """ "San Francisco Bay Area", "Boston Metropolitan Area": the words to the name's end only widen it."""
    j, widened = last + 1, False
    while j < len(doc) and doc[j].ent_iob_ == "I" and j - last < 4:
        if lower(doc[j]) not in _WIDER:
            return False
        j, widened = j + 1, True
    return widened


def _named_by_kind(doc: Any, i: int, caseless: bool) -> bool:
    """ "Azza Community", "the village of Kaloma": a name we do not know, told to be a place by its kind."""
    t = doc[i]
    if gazetteer().demonym(t.text) or fold(t.text) in _NOT_PLACES or _common(t) or lemma(t) in _KINDS:
        return False
    if not (t.pos_ == "PROPN" and (t.is_title or t.is_upper)) and not (caseless and t.pos_ in ("NOUN", "PROPN")):
        return False
    if caseless and not _placed_lower(doc, i):
        return False
    nxt = doc[i + 1] if i + 1 < len(doc) else None
    if (
        nxt is not None
        and lemma(nxt) in _KINDS - {"camp", "department", "state", "port"}
        and nxt.head.i != t.i
        and t.head.i == nxt.i
    ):
        return in_place_position(doc, i) or nxt.dep_ in ("dobj", "pobj")
    return (
        i > 1 and lower(doc[i - 1]) == "of" and lemma(doc[i - 2]) in _KINDS and not (nxt is not None and nxt.is_title)
    )


def _described(doc: Any, votes: Counter[str]) -> list[Mention]:
    """Places told without a name: "the Indian capital", "a Yemeni province", "across the country"."""
    g = gazetteer()
    out = []
    for t in doc:
        word = lemma(t)
        if t.pos_ != "NOUN" or (word not in _KINDS and word != "country") or any(lower(c) == "of" for c in t.children):
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


def _own_name_first(options: tuple[Place, ...], key: str) -> tuple[Place, ...]:
    """Places that are called so, without those that only bear it as another name; unless one of these is far larger."""
    own = [p for p in options if fold(p.name) == key]
    if not own:
        return options
    largest = max(p.population for p in own)
    return tuple(p for p in options if p in own or p.population > 20 * max(largest, 1000))


def _may_begin(t: Token, caseless: bool) -> bool:
    if not t.text[0].isalpha() or len(t.text) < 2:
        return False
    if caseless:
        return t.pos_ in ("NOUN", "PROPN", "ADJ", "X", "VERB") and not t.is_stop
    return (
        t.is_title
        or t.is_upper
        or t.text[0].isupper()
        or (t.text[:3].lower() in ("al-", "el-", "ad-", "as-", "ar-") and t.text[3:4].isupper())
    )


def in_place_position(doc: Any, first: int) -> bool:
    """ "in X", "near the northern X", "the town of X", or what is entered, left or hit: "fled X", "rocked X"."""
    t = doc[first]
    for _ in range(3):  # up to the head of a name of several words, or the town that the name stands before
        if t.dep_ not in ("compound", "nmod") or t.head.i - first > 3:
            break
        t = t.head
    if t.dep_ == "dobj" and lemma(t.head) in _REACHED:
        return True
    for j in range(first - 1, max(-1, first - 5), -1):
        w = lower(doc[j])
        if w in _BEFORE or lemma(doc[j]) in _KINDS:
            return True
        if doc[j].pos_ in ("DET", "ADJ") or w in (
            "'s",
            "’s",
            "northern",
            "southern",
            "eastern",
            "western",
            "central",
            "nearby",
            "war",
        ):
            continue
        g = gazetteer()
        if not (doc[j].pos_ == "PROPN" and (g.demonym(doc[j].text) or g.country(doc[j].text))):
            return False
    return False


def _allowed(
    doc: Any, first: int, last: int, options: tuple[Place, ...], caseless: bool, persons: frozenset[str]
) -> bool:
    """Guards against names of people, organisations and everyday words."""
    t = doc[first]
    before = doc[first - 1] if first else None
    after = doc[last + 1] if last + 1 < len(doc) else None
    countrylike = options[0].kind in ("country", "sea") or (options[0].kind == "admin1" and last > first)
    placed = in_place_position(doc, first) or _stated_after(doc, last)
    if before is not None and (
        lower(before) in _TITLES or (before.ent_type_ == "PERSON" and before.is_title and not placed)
    ):
        return False
    if after is not None and (
        (after.ent_type_ == "PERSON" and after.ent_iob_ == "I") or (t.ent_type_ == "PERSON" and after.is_title)
    ):
        return False
    if caseless:
        if countrylike:
            return True
        return (
            (_placed_lower(doc, first) or _dateline(doc, first, last))
            and options[0].population >= 1000
            and len(t.text) > 3
            and not _everyday(t)
        )
    if in_place_position(doc, first) and _stated_after(doc, last):
        return True  # "in Gao, Mali": whatever the entity tagger makes of it
    if countrylike and options[0].kind == "country":
        person = t.ent_type_ == "PERSON" and not placed
        owns = after is not None and after.tag_ == "POS" and not (before is not None and before.is_title)
        return owns or not person  # "Mali's president", whatever the entity tagger makes of it
    if after is not None and lemma(after) in _KINDS and t.head.i == after.i and placed:
        return True  # "Izmir province"
    if first == last and lower(t) in persons and not (placed and t.ent_type_ == "GPE"):
        return False
    if t.ent_type_ in ("GPE", "LOC", "FAC"):
        return _region_of(doc, last) or not (
            after is not None
            and after.ent_iob_ == "I"
            and after.ent_type_ == t.ent_type_
            and after.is_title
            and not placed
        )
    if t.ent_type_ in ("PERSON", "NORP") and not placed:
        return False
    if t.ent_type_ == "ORG" and after is not None and after.ent_iob_ == "I" and after.is_title:
        return options[0].kind == "admin1"
    if after is not None and after.is_title and after.pos_ == "PROPN" and lemma(after) not in _KINDS and not placed:
        return False
    if placed or _dateline(doc, first, last):
        return True
    return options[0].population >= 200_000 and t.pos_ == "PROPN" and not t.is_sent_start


def _placed_lower(doc: Any, first: int) -> bool:
    """Stricter for text without capitals: "in X", "at X", "from X", "town of X"."""
    if not first:
        return False
    w = lower(doc[first - 1])
    return w in ("in", "at", "near", "from", "around", "outside") or (
        w == "of" and first > 1 and (lemma(doc[first - 2]) in _KINDS or lower(doc[first - 2]) in ("parts", "outskirts"))
    )


def _common(t: Token) -> bool:
    """A word of the language: in a lexicon, a class or a list of signals."""
    le, lo = lemma(t), lower(t)
    return (
        le in noun_classes()
        or lo in noun_classes()
        or le in load_ontology().lemmas
        or any(le in v or lo in v for v in word_lists("signals.txt").values())
    )


def _everyday(t: Token) -> bool:
    return (
        _common(t)
        or bool(t.pos_ in ("VERB", "ADJ"))
        or lower(t)
        in (
            "police",
            "custody",
            "violence",
            "firing",
            "city",
            "state",
            "centre",
            "area",
            "areas",
            "mob",
            "train",
            "station",
            "house",
            "temple",
            "parts",
            "view",
            "case",
            "order",
            "march",
            "addition",
            "fact",
            "power",
        )
    )


def _dateline(doc: Any, first: int, last: int) -> bool:
    """ "BAGHDAD (AP) - ", "ahmedabad: " at a paragraph's start."""
    if first > 3 and not doc[first - 1].is_space:
        return False
    nxt = doc[last + 1].text if last + 1 < len(doc) else ""
    return nxt in (":", ",", "(", "—", "–", "-") and (first == 0 or doc[first - 1].is_space or first <= 3)


def _stated_after(doc: Any, last: int) -> bool:
    """ "X in Iraq", "X, Iraq": a country right after a name."""
    if last + 2 >= len(doc) or doc[last + 1].text not in ("in", ","):
        return False
    word = doc[last + 2].text
    return word[0].isupper() and gazetteer().country(word) is not None


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
            or lemma(w) in _KINDS
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
                or lemma(w) in _KINDS
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
        if not r.options:
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
            votes[top.country] += 2 if top.population > _FAR else 1
    for t in doc:
        if t.ent_type_ == "NORP" or (
            t.pos_ in ("ADJ", "PROPN", "NOUN") and t.text[0].isupper() and t.text[-1] in "nishecsk"
        ):
            got = g.demonym(t.text)
            if got and not any(lemma(w) in _PRESS for w in doc[t.i + 1 : t.i + 4]):
                votes[got] += 1
    text = doc[:4000].text.lower()
    for cue, iso in _cues():
        if cue in text and re.search(rf"\b{re.escape(cue)}\b", text):
            votes[iso] += 1
    return votes


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
