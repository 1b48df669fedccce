"""One identity for each source of an article: names, short names, descriptions and pronouns put together.

Names come first (full ones, then the short forms that fit one of them); then, in the order of the text, each
description and pronoun that speaks is given to the entity it most likely stands for, or becomes one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tasks.extract.quotes.frame import Frame, hash_of
from tasks.extract.sources.beside import before_name
from tasks.extract.sources.given import short_roles, word_list
from tasks.extract.sources.kinds import kind_of_noun, number_of
from tasks.extract.sources.mentions import Mention, noun_kinds, singular
from tasks.extract.sources.names import Cast, Entity, find_names, name_text, name_words, note_gender

__all__ = ["Cast", "Entity", "cast_of"]

_FEMALE = word_list("female")
_MALE = word_list("male")
_HE, _SHE = (
    frozenset(("he", "him", "his", "himself")),
    frozenset(("she", "her", "hers", "herself")),
)
_THEY, _IT = (
    frozenset(("they", "them", "their", "themselves")),
    frozenset(("it", "its", "itself")),
)
_SELF = frozenset(("i", "we", "us", "you", "me", "my", "our"))
_COORDINATORS = frozenset(("and", "or", "&", "nor", "well", "plus"))
_POINTERS = frozenset(("the", "this", "that", "these", "those", "a", "an"))
_ANYBODY = frozenset(("man", "woman", "mother", "father", "boy", "girl", "mum", "dad"))
PERSON_WORDS = word_list("person")
_BODIES = word_list("organisation")
_READ = word_list("document_nouns")
_PLACES, _COMPANIES, _KIN = word_list("place"), word_list("company"), word_list("kin")
_NAMING = re.compile(
    r"who (?:only )?(?:gave|gives|give) (?:only )?(?:his|her|their) (?:first |full )?names?(?: only)? as |"
    r"(?:who )?(?:only )?identified (?:him|her|them)sel(?:f|ves)(?: only)? as |"
    r"(?:who (?:asked|wanted) to be )?(?:identified|named|called|known)(?: only)? "
    r"(?:as |by (?:his|her|their) [\w ]{3,20}, )"
)
"""How an article names somebody whom it calls a resident first."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Reading:
    """What is known while an article is read from its start: the cast so far and the last speaker."""

    f: Frame
    mentions: list[Mention]
    cast: Cast
    speaks: set[int]
    inside: list[bool]  # whether each mention stands within what somebody said
    last: Entity | None = None

    def word(self, m: int) -> str:
        return str(self.f.words[self.mentions[m].head])

    def give(self, m: int, entity: Entity, how: str) -> None:
        self.cast.of[m] = entity
        self.cast.resolved_by[m] = how
        entity.mentions.append(m)


def cast_of(
    f: Frame,
    mentions: list[Mention],
    speaking: list[int],
    quoted: list[tuple[int, int]],
) -> Cast:
    """Who is who. `speaking`: mentions that speak, in the order of what they say; `quoted`: token spans they said."""
    cast = Cast(entities=[], of={}, resolved_by={})
    find_names(f, mentions, cast)
    r = _Reading(
        f=f,
        mentions=mentions,
        cast=cast,
        speaks=set(speaking),
        inside=_inside(mentions, quoted),
    )
    for m, x in enumerate(mentions):
        if m in r.speaks and (joint := _joint(r, m)) is not None:
            r.give(m, joint, "name" if joint.named else "description")
        elif m not in cast.of and (m in r.speaks or (x.form == "description" and not r.inside[m])):
            entity, how = _resolve(r, m)
            if entity is None:
                continue
            r.give(m, entity, how)
        elif int(f.tag[x.head]) == hash_of("PRP$") and not r.inside[m]:
            _own_whose(r, m)
        if m in r.speaks:
            r.last = cast.of.get(m, r.last)
    _name_later(r)
    for e in cast.entities:
        e.mentions.sort()
    cast.at = {int(mentions[m].head): e for m, e in cast.of.items()} | cast.owners
    return cast


def _joint(r: _Reading, m: int) -> Entity | None:
    """Several that speak together, "Iran, Russia and Syria" or "Paganini and his team": one source of its own."""
    f, x = r.f, r.mentions[m]
    conj = np.flatnonzero((f.head[x.head : x.head + 14] == x.head) & (f.dep[x.head : x.head + 14] == hash_of("conj")))
    if not len(conj) or x.form == "pronoun":
        return None
    others = [k for k in range(m + 1, min(m + 8, len(r.mentions))) if r.mentions[k].head == x.head + int(conj[-1])]
    if not others or f.sent[r.mentions[others[0]].head] != f.sent[x.head]:
        return None
    y = r.mentions[others[0]]
    between = set(f.words[x.head + 1 : y.head])
    if not between & _COORDINATORS or int(f.tag[y.hi - 1]) == hash_of("POS"):
        return None  # "Mayer, Disney's chairman of …": no second speaker, the parser took a comma for "and"
    first, second = r.cast.of.get(m), r.cast.of.get(others[0])
    lo = x.name[0] if x.name is not None else x.lo
    text = " ".join(f.text[f.start[lo] : f.end[y.hi - 1]].split())
    if first is not None and x.name is not None:
        text = text.replace(name_text(f, x), first.name, 1)
    kinds = {e.kind for e in (first, second) if e is not None}
    kind = "organisation" if kinds == {"organisation"} and second is not None else "group"
    named = bool(first is not None and first.named) or bool(second is not None and second.named)
    same = [e for e in r.cast.entities if e.name == text]
    entity = (
        same[0]
        if same
        else Entity(
            words=name_words(text) if named else (),
            name=text,
            named=named,
            kind=kind,
            plural=True,
        )
    )
    if not same:
        r.cast.entities.append(entity)
    if m in r.cast.of:
        r.cast.of[m].mentions = [k for k in r.cast.of[m].mentions if k != m]
    return entity


def _name_later(r: _Reading) -> None:
    """A speaker first told of without a name and named soon after: "A transit chief" … "Police Chief Ed Alvarez"."""
    cast, f = r.cast, r.f
    for e in [e for e in cast.entities if not e.named and e.kind == "person" and e.mentions and not e.plural]:
        first = min(e.mentions)
        x = r.mentions[first]
        if first not in r.speaks or int(f.para[x.head]) > 8 or r.word(first) in _SELF:
            continue
        if f.words[x.lo] not in ("a", "an"):
            continue
        others = 0
        for m in range(first + 1, min(first + 120, len(r.mentions))):
            y, named = r.mentions[m], cast.of.get(m)
            if named is None or not named.named or named.kind != "person" or m not in r.speaks:
                continue
            if min(named.mentions) > first and f.para[y.head] - f.para[x.head] <= 8:
                generic = e.head in PERSON_WORDS and named.female in (None, e.female)
                if generic or _has_role(f, r.mentions, named, e.head):
                    for k in e.mentions:
                        cast.of[k] = named
                    named.mentions = sorted({*named.mentions, *e.mentions})
                    e.mentions = []
                    break
                others += 1
                if others == 3 or e.head in PERSON_WORDS:
                    break
    cast.entities = [e for e in cast.entities if e.mentions]


def _inside(mentions: list[Mention], quoted: list[tuple[int, int]]) -> list[bool]:
    out = []
    k = 0
    spans = sorted(quoted)
    for x in mentions:
        while k < len(spans) and spans[k][1] <= x.head:
            k += 1
        out.append(k < len(spans) and spans[k][0] <= x.head)
    return out


def _resolve(r: _Reading, m: int) -> tuple[Entity | None, str]:
    x, word = r.mentions[m], r.word(m)
    if x.form == "pronoun":
        if word in _SELF:
            return _own(r, m, kind="person"), "pronoun"
        if word in ("who", "which", "that"):
            return _antecedent(r, m) or r.last, "pronoun"
        entity = _pronoun(r, m, word)
        if entity is not None and entity.kind == "person" and entity.female is None and word in _HE | _SHE:
            entity.female = word in _SHE
        return entity, "pronoun"
    named = _apposed_name(r, m)
    if named is not None and not (named.kind == "person" and r.f.tag[r.mentions[m].head] == hash_of("NNS")):
        return named, "name"
    return _description(r, m), "description"


def _own_whose(r: _Reading, m: int) -> None:
    """Whose spokeswoman "its spokeswoman" is: only for nouns of people."""
    f, i = r.f, r.mentions[m].head
    noun = singular(f, int(f.head[i]))
    if noun_kinds().get(noun) == "person" and (owner := _pronoun(r, m, r.word(m))) is not None:
        r.cast.owners[i] = owner


def _antecedent(r: _Reading, m: int) -> Entity | None:
    """What "who" stands for: the noun that its clause hangs on."""
    f = r.f
    i, steps = r.mentions[m].head, 0
    rel = {hash_of("relcl"), hash_of("acl")}
    while int(f.dep[i]) not in rel and f.head[i] != i and steps < 8:
        i, steps = int(f.head[i]), steps + 1
    noun = int(f.head[i])
    near = [k for k in range(max(m - 12, 0), m) if r.mentions[k].head == noun]
    if not near:
        return None
    found = r.cast.of.get(near[0])
    if found is None:
        found = _own(r, near[0], kind=kind_of_noun(f, noun))
        r.give(near[0], found, "description")
    return found


def _apposed_name(r: _Reading, m: int) -> Entity | None:
    """The person named beside a description: "the mayor, Ann Lee," or "her advocate Dali Mpofu"."""
    f, head, appos = r.f, r.mentions[m].head, hash_of("appos")
    for k in range(m + 1, min(m + 8, len(r.mentions))):
        if (
            f.head[r.mentions[k].head] == head
            and int(f.dep[r.mentions[k].head]) == appos
            and r.mentions[k].form == "name"
        ):
            return r.cast.of.get(k)
    for k in range(m + 1, min(m + 4, len(r.mentions))):
        y = r.mentions[k]
        if y.form != "name" or f.sent[y.head] != f.sent[head]:
            continue
        beside = before_name(f, y)
        if beside is not None and beside.noun == head:
            return r.cast.of.get(k)
        assert y.name is not None
        if _set_behind(f, r.mentions[m], y):
            return r.cast.of.get(k)
        if _NAMING.fullmatch(f.text[f.end[r.mentions[m].hi - 1] : f.start[y.name[0]]].lstrip(" ,")):
            return r.cast.of.get(k)
    return None


def _set_behind(f: Frame, x: Mention, y: Mention) -> bool:
    """ "The company that runs the prize, Clark Hill, denies …": a name between a relative clause and the verb."""
    assert y.name is not None
    lo, hi = y.name
    if x.hi >= lo or f.words[x.hi] not in ("that", "which", "who") or f.words[lo - 1] != "," or hi >= len(f):
        return False
    after = hi + (f.words[hi] == ",")
    return after < len(f) and f.cue[after] > 0 and f.sent[after] == f.sent[x.head]


def _pronoun(r: _Reading, m: int, word: str) -> Entity | None:
    recent = _recent(r, m)
    if word in _HE | _SHE:
        fits = [
            (s + 0.8 * (e.female is not None), e)
            for s, e in recent
            if e.kind == "person" and not e.plural and e.female in (None, word in _SHE)
        ]
    elif word in _IT:
        fits = [(s, e) for s, e in recent if e.kind in ("organisation", "document")]
    else:
        fits = [(s, e) for s, e in recent if e.kind in ("group", "organisation") or e.plural]
        fits = [(s + 2 * (e.kind == "group" or e.plural) - 1.5 * _is_of_things(e), e) for s, e in fits]
    fits = [(s + (2.0 if e is r.last else 0), e) for s, e in fits]
    return max(fits, key=lambda t: t[0])[1] if fits else None


def _is_of_things(e: Entity) -> bool:
    """Whether a plural without a name is hardly of people: galaxies, fires, images."""
    person = ("man", "woman", "ist", "er", "or", "ian", "ant", "eer", "old")
    return not e.named and bool(e.head) and e.head not in noun_kinds() and not e.head.endswith(person)


def _recent(r: _Reading, m: int) -> list[tuple[float, Entity]]:
    """Entities mentioned before a mention, with their salience: near, a subject, outside of quotations, named."""
    f, here = r.f, r.mentions[m]
    scores: dict[int, tuple[float, Entity]] = {}
    subject = (hash_of("nsubj"), hash_of("nsubjpass"))
    for k in range(m - 1, max(m - 80, -1), -1):
        e = r.cast.of.get(k)
        if e is None:
            continue
        x = r.mentions[k]
        away = int(f.sent[here.head] - f.sent[x.head])
        dep = int(f.dep[x.head])
        score = -float(min(away, 12)) * 0.7 - 0.01 * (m - k) + 0.4 * e.named
        score += 1.2 * (dep in subject) - 1.5 * r.inside[k] - 0.7 * (dep == hash_of("poss"))
        if away == 0 and int(f.head[x.head]) == int(f.head[here.head]):
            score -= 3.0  # two arguments of one verb are two people
        old = scores.get(id(e))
        if old is None or score > old[0]:
            scores[id(e)] = (score, e)
    return list(scores.values())


def _description(r: _Reading, m: int) -> Entity | None:
    f, x = r.f, r.mentions[m]
    first = f.words[x.lo]
    head, kind, plural = (
        singular(f, x.head),
        kind_of_noun(f, x.head),
        number_of(f, x.head),
    )
    definite = first in ("the", "this", "that", "these", "those")
    mods = _modifiers(f, x, head)
    if definite and not plural and len(mods) <= 2:
        found = _definite(r, m, head, kind)
        if found is not None:
            return found
    for e in reversed(r.cast.entities):
        if not e.named and e.head == head and e.plural == plural and (e.modifiers == mods or (definite and not mods)):
            return e
    if kind is None and m not in r.speaks:
        return None  # a thing: nothing that a speaker's pronoun stands for
    return _own(r, m, kind=kind)


def _modifiers(f: Frame, x: Mention, head: str) -> frozenset[str]:
    words = f.words[x.lo : x.hi]
    return frozenset(w for w in words if w.isalnum() and w not in _POINTERS and singular_word(w) != head)


def _definite(r: _Reading, m: int, head: str, kind: str | None) -> Entity | None:
    """Whom "the analyst" or "the company" stands for, if somebody of that role or kind came before."""
    recent = [(s + (1.0 if e is r.last else 0), e) for s, e in _recent(r, m)]
    fits: list[tuple[float, Entity]] = []
    if kind == "person" and head in _ANYBODY:
        return _nearest_person(r, m, head)
    if kind == "person":
        fits = [
            (s + 2.0 * where, e)
            for s, e in recent
            if e.kind == "person"
            and (where := _where_fits(r, m, e)) is not None
            and (e.head == head or _has_role(r.f, r.mentions, e, head))
        ]
        if not fits and (head in PERSON_WORDS or head.endswith("old")):
            fits = [(s + e.named, e) for s, e in recent if e.kind == "person" and not e.plural]
    elif kind == "document":
        same = _READ if head in _READ else frozenset((head,))
        fits = [(s + (e.head == head), e) for s, e in recent if e.kind == "document" and e.head in same]
    elif kind == "organisation":
        fits = [(s + bonus, e) for s, e in recent if (bonus := _organisation_fit(e, head)) is not None]
    return max(fits, key=lambda t: t[0])[1] if fits else None


def _organisation_fit(e: Entity, head: str) -> float | None:
    """How well "the county" or "the company" stands for an entity; None if it cannot."""
    if e.kind not in ("organisation", None):
        return None
    if e.head == head:
        return 1.0
    if e.words[-1:] == (head,) or head in e.nouns or (e.named and head in e.words):
        return 2.5
    if not e.named:
        return None
    governs = e.ents["GPE"] * 2 >= sum(e.ents.values())
    if head in _PLACES:
        return 0.5 if governs and head in ("country", "nation", "state", "city") else None
    if head not in _COMPANIES or governs:
        return None
    return -0.8 if e.words[-1] in _BODIES else 0.5  # "the agency" is hardly the Space Center


def _nearest_person(r: _Reading, m: int, head: str) -> Entity | None:
    """Whom "the woman" or "the mother of four" stands for: the person named last before it, if the gender fits."""
    for k in range(m - 1, max(m - 60, -1), -1):
        e = r.cast.of.get(k)
        if e is None or e.kind != "person" or e.plural or r.inside[k] or not (e.named or e.head == head):
            continue
        if e.female in (None, head in _FEMALE):
            return e
    return None


def _has_role(f: Frame, mentions: list[Mention], e: Entity, head: str) -> bool:
    words = {head, *(short for short, full in short_roles().items() if full == head)}
    return any(w in words for w in _around_mentions(f, mentions, e))


def _around_mentions(f: Frame, mentions: list[Mention], e: Entity) -> Iterator[str]:
    """The words beside an entity's mentions, in the singular and without the stops of abbreviations."""
    for k in e.mentions[:12]:
        x = mentions[k]
        for w in f.words[max(x.lo - 2, 0) : min(x.hi + 6, len(f))]:
            yield singular_word(w.rstrip("."))


def _where_fits(r: _Reading, m: int, e: Entity) -> bool | None:
    """Whether "the Vermont senator" can be him: True if the place stands beside his name, None if another's does."""
    f, x = r.f, r.mentions[m]
    places = {f.words[k] for k in range(x.lo, x.head) if int(f.ent[k]) in (hash_of("GPE"), hash_of("NORP"))}
    if not places:
        return False
    beside = set(_around_mentions(f, r.mentions, e))
    if places & beside:
        return True
    others = any(
        int(f.ent[k]) == hash_of("GPE")
        for j in e.mentions[:12]
        for k in range(max(r.mentions[j].lo, r.mentions[j].head - 6), r.mentions[j].head)
    )
    return None if others else False


def singular_word(word: str) -> str:
    return word[:-1] if word.endswith("s") and word[:-1] in noun_kinds() else word


def _own(r: _Reading, m: int, *, kind: str | None) -> Entity:
    """A new entity without a name of its own, called by its description."""
    f, x = r.f, r.mentions[m]
    lo = x.lo
    while lo < x.head and f.words[lo] in ("the", "a", "an", "both", "even", "only", "just", "not"):
        lo += 1
    head = singular(f, x.head)
    proper = any(int(t) in (hash_of("NNP"), hash_of("NNPS")) for t in f.tag[lo : x.head]) or bool(
        f.ent[lo : x.head].any()
    )
    named = (
        kind == "organisation" and proper
    )  # "Inner Mongolia health authority" is a name, "China's health chiefs" is none
    name = described(f, x, lo, r.cast)
    entity = Entity(words=name_words(name) if named else (), name=name, named=named, kind=kind, head=head,
                    plural=number_of(f, x.head), modifiers=_modifiers(f, x, head))  # fmt: skip
    note_gender(f, x, entity)
    if head in _FEMALE or head in _MALE:
        entity.female = head in _FEMALE
    r.cast.entities.append(entity)
    return entity


def described(f: Frame, x: Mention, lo: int, cast: Cast) -> str:
    """A description as a name: short names in it made full, possessive endings dropped."""
    text = f.text[f.start[lo] : f.end[x.hi - 1]]
    short = re.match(r"([^\W\d_][\w-]*)['’]s\s+", text)
    if short:
        word = short.group(1).lower()
        owner = next(
            (e for e in cast.entities if e.named and e.kind != "person" and word in e.words[:1]),
            None,
        )
        text = (owner.name if owner else short.group(1)) + " " + text[short.end() :]
    return re.sub(r"(?:['’]s|(?<=s)['’])$", "", " ".join(text.split()))
