"""Whether words name a place, where they stand: guards against names of people, organisations and everyday words."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.gazetteer import Place, fold, gazetteer
from tasks.extract.events.lexicon import noun_classes, word_lists
from tasks.extract.events.ontology import load_ontology
from tasks.extract.events.syntax import lemma, lower

Token = Any
_BEFORE = word_lists("words.txt")["before_place"]
_REACHED = word_lists("words.txt")["reached"]
FAR = 500_000
_TITLES = word_lists("words.txt")["titles"]
KINDS = word_lists("words.txt")["place_kinds"]
_BEARINGS = word_lists("words.txt")["directions"]
_WIDER = word_lists("words.txt")["wider"]
SHORT = frozenset({"US", "UK", "UP", "U.S.", "U.K."})
PRESS = word_lists("words.txt")["press"]


def may_end(t: Token, caseless: bool) -> bool:
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


def tail(doc: Any, i: int) -> bool:
    """The "Area" of "San Francisco Bay Area": the last word of a longer name is no other place of that name."""
    t = doc[i]
    if i == 0 or t.is_sent_start or t.ent_iob_ != "I":
        return False
    before = doc[i - 1]
    if not before.is_title or before.dep_ not in ("compound", "nmod", "amod") or before.head.i < i:
        return False
    g = gazetteer()
    return lemma(t) in KINDS or not (
        lower(before) in _BEARINGS or g.demonym(before.text) or g.lookup(fold(before.text)) or lemma(before) in KINDS
    )


def _region_of(doc: Any, last: int) -> bool:
    """ "San Francisco Bay Area", "Boston Metropolitan Area": the words to the name's end only widen it."""
    j, widened = last + 1, False
    while j < len(doc) and doc[j].ent_iob_ == "I" and j - last < 4:
        if lower(doc[j]) not in _WIDER:
            return False
        j, widened = j + 1, True
    return widened


def may_begin(t: Token, caseless: bool) -> bool:
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
        if w in _BEFORE or lemma(doc[j]) in KINDS:
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


def allowed(
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
            (placed_lower(doc, first) or dateline(doc, first, last))
            and options[0].population >= 1000
            and len(t.text) > 3
            and not _everyday(t)
        )
    if in_place_position(doc, first) and _stated_after(doc, last):
        return True  # "in Gao, Mali": whatever the entity tagger makes of it
    if countrylike and options[0].kind == "country":
        person = t.ent_type_ == "PERSON" and not placed
        if t.ent_type_ == "ORG" and after is not None and after.ent_iob_ == "I" and after.is_title and not placed:
            return False  # "China Geo left": a firm
        owns = after is not None and after.tag_ == "POS" and not (before is not None and before.is_title)
        return owns or not person  # "Mali's president", whatever the entity tagger makes of it
    if after is not None and lemma(after) in KINDS and t.head.i == after.i and placed:
        return True  # "Izmir province"
    if first == last and lower(t) in persons and not (placed and t.ent_type_ == "GPE"):
        return False
    if first == last and t.ent_type_ != "GPE" and after is not None and lower(after) == "of" and _titled(doc, last + 2):
        return False  # "the Line of Control", "the Freedom of Information Act"
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
    if after is not None and after.is_title and after.pos_ == "PROPN" and lemma(after) not in KINDS and not placed:
        return False
    if placed or dateline(doc, first, last):
        return True
    return options[0].population >= 200_000 and t.pos_ == "PROPN" and not t.is_sent_start


def _titled(doc: Any, i: int) -> bool:
    return i < len(doc) and bool(doc[i].is_title)


def placed_lower(doc: Any, first: int) -> bool:
    """Stricter for text without capitals: "in X", "at X", "from X", "town of X"."""
    if not first:
        return False
    w = lower(doc[first - 1])
    return w in ("in", "at", "near", "from", "around", "outside") or (
        w == "of" and first > 1 and (lemma(doc[first - 2]) in KINDS or lower(doc[first - 2]) in ("parts", "outskirts"))
    )


def common(t: Token) -> bool:
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
        common(t)
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


def dateline(doc: Any, first: int, last: int) -> bool:
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
