"""Role and affiliation of a source, from the words around its mentions."""

from __future__ import annotations

import re

from tasks.extract.quotes.frame import NAME_TYPES, Frame, hash_of
from tasks.extract.sources.mentions import Mention, noun_kinds, singular, titles
from tasks.extract.sources.names import Cast, Entity

_GROUPS = frozenset(hash_of(t) for t in ("ORG", "GPE", "NORP", "LOC", "FAC"))
_HONORIFIC = frozenset("mr mr. mrs mrs. ms ms. miss mx sir dame dr dr.".split())
_DROP = frozenset("the a an his her their its our my former ex- then late 's ’s".split())
_OF = frozenset(("of", "at", "for", "with", "from", "in"))


def role_of(f: Frame, mentions: list[Mention], entity: Entity, cast: Cast) -> tuple[str | None, str | None]:
    """(role, affiliation), each None where the text does not say."""
    role: str | None = None
    affiliation: str | None = None
    for m in entity.mentions[:15]:
        x = mentions[m]
        if x.form == "pronoun":
            continue
        found = _beside(f, x, entity, cast)
        for r, a in (found, _apposition(f, x, cast)):
            if r and not role:
                role = r
            if a and not affiliation:
                affiliation = a
    if affiliation is not None and affiliation.lower() in _DROP:
        affiliation = None  # "the" of "the National Weather Service"
    return role, affiliation


def _beside(f: Frame, x: Mention, entity: Entity, cast: Cast) -> tuple[str | None, str | None]:
    """From the phrase itself: "Hashed spokesperson Ahmed al-Assadi", "Captain X of Anbar police"."""
    stop = x.name[0] if x.name is not None and entity.named else x.head
    place = _group_in(f, x.lo, stop, cast)
    role = None
    if entity.kind == "person":
        last = stop if entity.named else x.head + 1
        role = _role_words(f, x.lo, last, place)
    if place is None:
        place = _after(f, x.head, x.hi, cast)
    owner = re.match(r"((?:[A-Z][\w.&’'-]*\s+)+)(?=[a-z])", role or "")
    if role and owner and place is None:  # "Hashed spokesperson": whose, then what
        return role[owner.end() :], _full_text(owner.group(1).strip(), cast)
    return role, place[2] if place else None


def _role_words(f: Frame, lo: int, hi: int, place: tuple[int, int, str] | None) -> str | None:
    if place is not None and place[0] >= lo:
        lo = place[1] if any(_role_noun(f, k) for k in range(place[1], hi)) else lo
    words: list[int] = []
    for k in range(lo, hi):
        word = f.doc[int(f.token[k])].text
        if not words and (word.lower() in _DROP or not f.is_word[k] or word.lower() in _HONORIFIC or word[0].isdigit()):
            continue
        words.append(k)
    if not words or not any(_role_noun(f, k) for k in words):
        return None
    text = f.text[f.start[words[0]] : f.end[words[-1]]]
    return re.sub(r"[\s,;:“”\"]+$", "", text) or None


def _role_noun(f: Frame, k: int) -> bool:
    word = f.doc[int(f.token[k])].lower_
    return (
        noun_kinds().get(singular(f, k)) == "person"
        or (word in titles() and word not in _HONORIFIC)
        or word in ("cto", "mp", "vp")
    )


def _group_in(f: Frame, lo: int, hi: int, cast: Cast) -> tuple[int, int, str] | None:
    """The last run of an organisation's, place's or people's name in tokens lo..hi, with the name made full."""
    k = hi - 1
    while k >= lo:
        if _names_group(f, k, hi):
            end = k + 1
            while k > lo and _names_group(f, k - 1, hi):
                k -= 1
            while end < hi and f.tag[end] == hash_of("NN") and noun_kinds().get(singular(f, end)) == "organisation":
                end += 1
            return k, end, _full(f, k, end, cast)
        k -= 1
    return None


def _names_group(f: Frame, k: int, hi: int) -> bool:
    """Whether a word belongs to a group's name: as an entity, or as a name before a role in small letters."""
    if _role_noun(f, k):
        return False
    if int(f.ent[k]) in _GROUPS:
        return True
    small = any(_role_noun(f, j) and not f.is_title[j] for j in range(k + 1, hi + 1) if j < len(f))
    return small and f.tag[k] in (hash_of("NNP"), hash_of("NNPS")) and int(f.ent[k]) not in _names()


def _names() -> frozenset[int]:
    return frozenset(hash_of(t) for t in NAME_TYPES) - _GROUPS


def _after(f: Frame, head: int, hi: int, cast: Cast) -> tuple[int, int, str] | None:
    """After "of", "at", "for", "with": "Captain X of Anbar province police force"."""
    if head + 1 < hi and f.doc[int(f.token[head + 1])].lower_ in _OF:
        lo = head + 2
        while lo < hi and f.doc[int(f.token[lo])].lower_ in _DROP:
            lo += 1
        if lo < hi and (f.ent[lo:hi].any() or f.is_title[lo]):
            return lo, hi, _full(f, lo, hi, cast)
    return None


def _full(f: Frame, lo: int, hi: int, cast: Cast) -> str:
    return _full_text(re.sub(r"['’]s?$", "", f.text[f.start[lo] : f.end[hi - 1]]), cast)


def _full_text(text: str, cast: Cast) -> str:
    """A short name of an organisation made full where the article has it full."""
    word = text.lower()
    owner = next(
        (e for e in cast.entities if e.named and e.kind == "organisation" and e.words[:1] == (word,)),
        None,
    )
    return owner.name if owner else text


def _apposition(f: Frame, x: Mention, cast: Cast) -> tuple[str | None, str | None]:
    """ ", chief executive of Full Fact," after a name, or the description that a name stands beside."""
    token = f.doc[int(f.token[x.head])]
    shift = x.head - token.i
    noun = next(
        (
            c
            for c in token.children
            if c.dep_ == "appos" and not c.ent_type_ == "PERSON" and c.pos_ in ("NOUN", "PROPN")
        ),
        None,
    )
    if noun is None and token.dep_ == "appos" and token.head.pos_ == "NOUN":
        noun = token.head
    if noun is None:
        return None, None
    i = noun.i + shift
    if not 0 <= i < len(f) or not _role_noun(f, i):
        return None, None
    lo = max(noun.left_edge.i + shift, 0)
    end = i + 1
    place = _group_in(f, lo, i, cast)
    for child in noun.rights:
        if child.dep_ == "prep" and child.i + shift < len(f):
            hi = min(child.right_edge.i + 1 + shift, len(f))
            if child.lower_ in _OF:
                place = place or _last_group(f, child.i + shift + 1, hi, cast)
    return _role_words(f, lo, end, place if place and place[1] <= i else None), place[2] if place else None


def _last_group(f: Frame, lo: int, hi: int, cast: Cast) -> tuple[int, int, str] | None:
    hi = min(hi, lo + 14)
    return _group_in(f, lo, hi, cast)
