"""Role and affiliation of a source, from the words around its mentions."""

from __future__ import annotations

import re

import numpy as np

from tasks.extract.quotes.frame import NAME_TYPES, Frame, hash_of
from tasks.extract.sources.beside import Beside, after_name, before_name
from tasks.extract.sources.given import word_list
from tasks.extract.sources.mentions import Mention, noun_kinds, singular, titles
from tasks.extract.sources.names import POSSESSED, Cast, Entity, name_words

_GROUPS = frozenset(hash_of(t) for t in ("ORG", "GPE", "NORP", "LOC", "FAC"))
_NOUN_TAGS = frozenset(hash_of(t) for t in ("NN", "NNS", "NNP", "NNPS"))
_KIN, _FAMILY = word_list("kin"), word_list("family")
_HONORIFIC = frozenset("mr mr. mrs mrs. ms ms. miss mx sir dame dr dr. sister brother father".split())
_DROP = frozenset("the a an his her their its our my former ex- then late one another 's ’s".split())
_OWN = frozenset("his her their its our my your".split())
_SCIENCES = ("ologist", "iatrist", "icist", "emist", "omist", "ician", "ographer", "ophysicist")
_OF = frozenset(("of", "at", "for", "with", "from", "in"))
_CALLINGS = word_list("callings")
_STATE_OFFICES = (word_list("offices") | word_list("state_offices")) - _CALLINGS
"""What somebody of a country is for that country: its general, but not its judge, coach or bishop."""
_PARTIES = word_list("parties")
_OFFICE = word_list("office")
"""Words of an office that are nobody's name: the "Emergency" of an Emergency manager is no employer."""


def role_of(f: Frame, mentions: list[Mention], entity: Entity, cast: Cast) -> tuple[str | None, str | None]:
    """(role, affiliation), each None where the text does not say."""
    role: str | None = None
    affiliation: str | None = None
    at = cast.at
    for m in entity.mentions[:15]:
        x = mentions[m]
        if x.form == "pronoun":
            continue
        found = [_in_phrase(f, x, entity, cast, at)]
        if entity.named:
            found += [_from_beside(f, b, cast, at) for b in (after_name(f, x), before_name(f, x)) if b is not None]
        found.append(_apposition(f, x, cast))
        for r, a in found:
            if r and (not role or (_bare_title(role) and not _bare_title(r) and entity.kind == "person")):
                role = r
            if a and not affiliation:
                affiliation = a
    if role is not None and affiliation is not None and role.split()[-1].lower() in _KIN:
        words = set(name_words(affiliation))
        if role.split()[-1].lower() in _FAMILY or any(
            words <= set(e.words) for e in cast.entities if e.kind == "person"
        ):
            affiliation = None  # the mother of somebody speaks for nobody
    if entity.kind == "organisation" and affiliation in {e.name for e in cast.entities if e.kind == "person"}:
        affiliation = None  # the laboratory of somebody
    if affiliation is not None and (affiliation.lower() in _DROP or affiliation == entity.name):
        affiliation = None  # "the" of "the National Weather Service"
    if affiliation is not None and (
        affiliation.split()[0].lower() in _OWN
        or (entity.kind in ("organisation", "document") and _people(f, affiliation))
    ):
        affiliation = None  # the toddler of "your tech family"; an American film
    return role, affiliation


def _people(f: Frame, name: str) -> bool:
    """Whether the text uses a name as that of a people."""
    start = f.text.find(name)
    k = int(np.searchsorted(f.start, start))
    return start >= 0 and k < len(f) and int(f.start[k]) == start and int(f.ent[k]) == hash_of("NORP")


def _bare_title(role: str) -> bool:
    """Colonel, Ms, Dr: less than what somebody does."""
    return (role.lower() in titles() and noun_kinds().get(role.lower()) is None) or role.lower() in _RANKS


_RANKS = frozenset("captain colonel general major lieutenant sergeant chief sheikh".split())


def _in_phrase(
    f: Frame, x: Mention, entity: Entity, cast: Cast, at: dict[int, Entity]
) -> tuple[str | None, str | None]:
    """From the phrase itself: "Hashed spokesperson Ahmed al-Assadi", "Captain X of Anbar police"."""
    inner = x.form == "name" and x.name is not None and entity.named
    stop = x.name[0] if inner and x.name is not None else x.head
    place = _group_in(f, x.lo, stop, cast)
    role = None
    if entity.kind == "person":
        role = _role_words(f, x.lo, stop if inner else x.head + 1, place)
    owner_ = next((at[k] for k in range(x.lo, stop) if k in at and _owns(f, k) and at[k] is not entity), None)
    if owner_ is not None and role:
        return role, owner_.name if owner_.kind in ("organisation", "group") else None
    if place is not None and role and _only_people(f, place, role):
        return role, None
    if place is None:
        place = _after(f, x.name[1] - 1 if inner and x.name is not None else x.head, x.hi, cast)
    owner = re.match(r"((?:[A-Z][\w.&’'-]*\s+)+)(?=[a-z])", role or "")
    if role and owner and place is None and not _all_office(owner.group(1)):  # "Hashed spokesperson": whose, then what
        return role[owner.end() :], _full_text(owner.group(1).strip(), cast)
    return role, place[2] if place else None


def _only_people(f: Frame, place: tuple[int, int, str], role: str) -> bool:
    """Whether it is where somebody comes from: the "Syrian" of a refugee, not that of a president."""
    norp = hash_of("NORP")
    if any(int(f.ent[k]) != norp or f.words[k] in _PARTIES for k in range(place[0], place[1])):
        return False
    words = {w.rstrip(".") for w in role.lower().split()}
    return not words & _STATE_OFFICES and not words & (titles() - _HONORIFIC - _CALLINGS)


def _is_land(f: Frame, place: tuple[int, int, str]) -> bool:
    lands = {hash_of(t) for t in ("GPE", "NORP", "LOC")}
    return all(int(e) in lands for e in f.ent[place[0] : place[1]])


def _all_office(text: str) -> bool:
    return all(w.lower().rstrip(".") in _OFFICE or w.lower() in titles() for w in text.split())


def _from_beside(f: Frame, b: Beside, cast: Cast, at: dict[int, Entity]) -> tuple[str | None, str | None]:
    """From a phrase between commas: "the group's head of mission in Sudan", "a farmer", "its spokeswoman"."""
    if b.kind not in ("person", "organisation") or (b.kind == "organisation" and not _role_noun(f, b.noun)):
        return None, None
    owner = next((at[k] for k in range(b.lo, b.noun) if k in at and _owns(f, k)), None)
    lo = b.lo
    for k in range(b.lo, b.noun):
        if _owns(f, k):
            lo = k + 2 if k + 1 < len(f) and f.tag[k + 1] == hash_of("POS") else k + 1
    place = _group_in(f, lo, b.noun, cast)
    role = _role_words(f, lo, b.hi, place if place and place[1] <= b.noun else None)
    if owner is not None and owner.kind in ("organisation", "group"):
        return _with_task(f, role, b), owner.name
    if owner is None and lo > b.lo and (named := _group_in(f, b.lo, lo, cast)) is not None:
        return _with_task(f, role, b), named[2]
    tail = _tail_group(f, b, cast, at)
    if tail and place is not None and b.hi < len(f) and f.words[b.hi] in ("with", "at") and _is_land(f, place):
        place = None  # a China scholar with the institute works for the institute
    return _with_task(f, role, b), (place[2] if place else tail)


def _with_task(f: Frame, role: str | None, b: Beside) -> str | None:
    """ "head of mission": the small words that belong to a role."""
    i = b.hi
    if role and i + 1 < b.tail and f.words[i] == "of" and f.tag[i + 1] == hash_of("NN"):
        if noun_kinds().get(singular(f, i + 1)) in ("organisation", "group") and f.words[i + 1] != "mission":
            return role
        return f"{role} of {f.doc[int(f.token[i + 1])].text}"
    return role


def _owns(f: Frame, k: int) -> bool:
    return f.tag[k] == hash_of("PRP$") or (k + 1 < len(f) and f.tag[k + 1] == hash_of("POS"))


def _tail_group(f: Frame, b: Beside, cast: Cast, at: dict[int, Entity]) -> str | None:
    """The body after "of", "for" or "at": a name, or an entity of the text ("for the army")."""
    if b.hi >= b.tail or f.words[b.hi] not in ("of", "for", "at", "with"):
        return None
    named = _group_in(f, b.hi + 1, _before_town(f, b.hi + 1, b.tail), cast)
    if named is not None and not _all_office(named[2]):
        return named[2]
    for k in range(b.hi + 1, b.tail):
        kind = noun_kinds().get(singular(f, k))
        after = singular(f, k + 1) if k + 1 < b.tail else ""
        if (
            kind in ("organisation", "group")
            and not (k + 1 < b.tail and f.tag[k + 1] in _NOUN_TAGS)
            and after != "public"
        ):
            lo = b.hi + 1
            while lo < k and (f.words[lo] in _DROP or not f.is_word[lo]):
                lo += 1
            return at[k].name if k in at else f.text[f.start[lo] : f.end[k]]
    return None


def _before_town(f: Frame, lo: int, hi: int) -> int:
    """Where a body's name ends before its town: "the Institute for Astrophysics in Munich"."""
    org = hash_of("ORG")
    return next((k for k in range(lo + 1, hi) if f.words[k] == "in" and int(f.ent[k - 1]) == org != int(f.ent[k])), hi)


def _role_words(f: Frame, lo: int, hi: int, place: tuple[int, int, str] | None) -> str | None:
    if place is not None and place[0] >= lo:
        lo = place[1] if any(_role_noun(f, k) for k in range(place[1], hi)) else lo
    words: list[int] = []
    for k in range(lo, hi):
        word = f.doc[int(f.token[k])].text
        if not words and (word.lower() in _DROP or not f.is_word[k] or word.lower() in _HONORIFIC or word[0].isdigit()):
            continue
        if f.tag[k] == hash_of("POS") and any(_role_noun(f, j) for j in range(k + 1, hi)):
            words = []  # "the victim's sister": what comes after the owner
            continue
        words.append(k)
    while len(words) > 1 and f.words[words[-1]] in _HONORIFIC:
        words.pop()  # "researcher Dr": the title belongs to the name
    if not words or not any(_role_noun(f, k) for k in words):
        return None
    text = f.text[f.start[words[0]] : f.end[words[-1]]]
    return re.sub(r"[\s,;:“”\"]+$", "", text) or None


def _role_noun(f: Frame, k: int) -> bool:
    word = f.words[k]
    return (
        noun_kinds().get(singular(f, k)) == "person"
        or (word in titles() and word not in _HONORIFIC)
        or word in ("cto", "mp", "vp", "regulator")
        or word.endswith(_SCIENCES)
    )


def _group_in(f: Frame, lo: int, hi: int, cast: Cast) -> tuple[int, int, str] | None:
    """The last run of an organisation's, place's or people's name in tokens lo..hi, with the name made full."""
    k = hi - 1
    while k >= lo:
        if _names_group(f, k, hi):
            end = k + 1
            while k > lo and (_names_group(f, k - 1, hi) or _bridges(f, k - 1, lo)):
                k -= 1
            while end < hi and f.tag[end] == hash_of("NN") and noun_kinds().get(singular(f, end)) == "organisation":
                end += 1
            if not _all_office(f.text[f.start[k] : f.end[end - 1]]):
                last = end
                while (
                    last - 1 > k
                    and f.ent[last - 1] == hash_of("NORP") != f.ent[k]
                    and f.words[last - 1] not in _PARTIES
                ):
                    last -= 1  # the "VOA" of a VOA Syrian source
                return k, end, _full(f, k, last, cast)
        k -= 1
    return None


def _bridges(f: Frame, k: int, lo: int) -> bool:
    """The "of" of "Bank of Arland"."""
    return k > lo and f.words[k] in ("of", "and", "&") and int(f.ent[k]) in _GROUPS


def _names_group(f: Frame, k: int, hi: int) -> bool:
    """Whether a word belongs to a group's name: as an entity, or as a name before a role in small letters."""
    if _role_noun(f, k) or f.words[k] in ("'s", "’s", "the"):
        return False
    if int(f.ent[k]) in _GROUPS:
        return True
    small = any(_role_noun(f, j) and not f.is_title[j] for j in range(k + 1, hi + 1) if j < len(f))
    return small and f.tag[k] in (hash_of("NNP"), hash_of("NNPS")) and int(f.ent[k]) not in _names()


def _names() -> frozenset[int]:
    return frozenset(hash_of(t) for t in NAME_TYPES) - _GROUPS


def _after(f: Frame, head: int, hi: int, cast: Cast) -> tuple[int, int, str] | None:
    """After "of", "at", "for", "with": "Captain X of Anbar province police force"."""
    i = head + 1
    if i < len(f) and f.text[f.start[i] : f.end[i]] == ",":
        i += 1  # "Det Con Amy Rudge, of West Yorkshire Police,"
        hi = max(hi, min(i + 8, len(f)))
    if i < hi and f.words[i] in _OF:
        lo = i + 1
        while lo < hi and f.words[lo] in _DROP:
            lo += 1
        end = lo
        while end < hi and f.is_word[end] and f.sent[end] == f.sent[head]:
            end += 1
        if i > head + 1:
            while end > lo and not (f.is_title[end - 1] or f.ent[end - 1]):
                end -= 1
        if lo < end and f.tag[lo] != hash_of("CD") and (f.ent[lo:end].any() or f.is_title[lo]):
            return lo, end, _full(f, lo, end, cast)
    return None


def _full(f: Frame, lo: int, hi: int, cast: Cast) -> str:
    text = re.sub(r"['’]s?$", "", f.text[f.start[lo] : f.end[hi - 1]])
    return text if int(f.ent[lo]) == hash_of("NORP") else _full_text(text, cast)  # Indian is no Indian Air Force


def _full_text(text: str, cast: Cast) -> str:
    """A short name of an organisation made full where the article has it full."""
    word = text.lower()
    owner = next(
        (
            e
            for e in cast.entities
            if e.named
            and e.kind == "organisation"
            and not POSSESSED.search(e.name)
            and (e.words[:1] == (word,) or word in e.short)
        ),
        None,
    )
    return owner.name if owner else text


def _apposition(f: Frame, x: Mention, cast: Cast) -> tuple[str | None, str | None]:
    """ ", chief executive of Full Fact," after a name, or the description that a name stands beside, by the parse."""
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
    place = _group_in(f, lo, i, cast)
    for child in noun.rights:
        if child.dep_ == "prep" and child.i + shift < len(f) and child.lower_ in _OF:
            hi = min(child.right_edge.i + 1 + shift, len(f), child.i + shift + 15)
            first = child.i + shift + 1
            place = place or _group_in(f, first, _before_town(f, first, hi), cast)
    role = _role_words(f, lo, i + 1, place if place and place[1] <= i else None)
    if place is None or (role and _only_people(f, place, role)):
        return role, None
    return role, place[2]
