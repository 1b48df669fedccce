"""One identity for each source of an article: names, short names, descriptions and pronouns put together.

Names come first (full ones, then the short forms that fit one of them); then, in the order of the text, each
description and pronoun that speaks is given to the entity it most likely stands for, or becomes one of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from tasks.extract.quotes.frame import Frame, hash_of
from tasks.extract.sources.kinds import kind_of_name, kind_of_noun, number_of, singular
from tasks.extract.sources.mentions import Mention, noun_kinds, titles

_WORD = re.compile(r"[^\W_]+(?:[-.&'’][^\W_]+)*")
_FEMALE = frozenset(
    "mrs mrs. ms ms. miss madam lady dame spokeswoman chairwoman congresswoman woman girl mother wife daughter sister queen princess actress widow aunt niece grandmother businesswoman policewoman councilwoman baroness duchess mum mom girlfriend granddaughter housewife waitress".split()
)
_MALE = frozenset(
    "mr mr. sir lord spokesman chairman congressman man boy father husband son brother king prince actor uncle nephew grandfather businessman policeman councilman baron duke dad boyfriend grandson pope priest imam fisherman widower fireman gunman".split()
)
_HE, _SHE = frozenset(("he", "him", "his", "himself")), frozenset(("she", "her", "hers", "herself"))
_THEY, _IT = frozenset(("they", "them", "their", "themselves")), frozenset(("it", "its", "itself"))
_SELF = frozenset(("i", "we", "us", "you", "me"))
PERSON_WORDS = frozenset(
    "man woman boy girl teenager victim mother father person hunter suspect year-old defendant player star author mum dad widow survivor politician leader tycoon".split()
)


@dataclass(slots=True, kw_only=True, eq=False)
class Entity:
    """Somebody or something that may speak. `mentions` are indices into the article's mentions, ascending."""

    words: tuple[str, ...]  # of its fullest name, lower case, without titles; empty for an unnamed one
    name: str
    named: bool
    kind: str | None
    ents: Counter[str] = field(default_factory=Counter)
    mentions: list[int] = field(default_factory=list)
    female: bool | None = None
    plural: bool = False
    head: str = ""  # singular head noun of an unnamed one
    modifiers: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True, eq=False)
class Cast:
    """The entities of an article, and which one each mention stands for."""

    entities: list[Entity]
    of: dict[int, Entity]
    resolved_by: dict[int, str]


def name_words(text: str) -> tuple[str, ...]:
    """Words of a name in lower case, without possessive endings."""
    clean = re.sub(r"['’]s?(?=\W|$)", "", text.replace("''", "'"))
    return tuple(w.lower() for w in _WORD.findall(clean))


def name_text(f: Frame, m: Mention) -> str:
    """The proper name inside a mention as the text has it, without a possessive ending."""
    assert m.name is not None
    lo, hi = m.name
    text = f.text[f.start[lo] : f.end[hi - 1]]
    return re.sub(r"['’]s?$", "", text)


def cast_of(f: Frame, mentions: list[Mention], speaking: list[int], quoted: list[tuple[int, int]]) -> Cast:
    """Who is who. `speaking`: mentions that speak, in the order of what they say; `quoted`: token spans said by them."""
    cast = Cast(entities=[], of={}, resolved_by={})
    _names(f, mentions, cast)
    last_speaker: Entity | None = None
    wanted = set(speaking)
    inside = _inside(mentions, quoted)
    for m in range(len(mentions)):
        x = mentions[m]
        if m not in cast.of and (m in wanted or (x.form == "description" and not inside[m])):
            entity, how = _resolve(f, mentions, m, cast, last_speaker, inside)
            if entity is None:
                continue
            cast.of[m] = entity
            cast.resolved_by[m] = how
            entity.mentions.append(m)
        if m in wanted:
            last_speaker = cast.of.get(m, last_speaker)
    for e in cast.entities:
        e.mentions.sort()
    return cast


def _inside(mentions: list[Mention], quoted: list[tuple[int, int]]) -> list[bool]:
    out = []
    k = 0
    spans = sorted(quoted)
    for x in mentions:
        while k < len(spans) and spans[k][1] <= x.head:
            k += 1
        out.append(k < len(spans) and spans[k][0] <= x.head)
    return out


def _names(f: Frame, mentions: list[Mention], cast: Cast) -> None:
    """Entities of all proper names: full names first, then the short forms."""
    words = {m: name_words(name_text(f, x)) for m, x in enumerate(mentions) if x.form == "name"}
    by_words: dict[tuple[str, ...], Entity] = {}
    votes: dict[tuple[str, ...], Counter[str]] = {}
    for m, w in words.items():
        votes.setdefault(w, Counter())[mentions[m].ent] += 1
    order = sorted((m for m in words if words[m]), key=lambda m: (len(words[m]) == 1, m))
    for m in order:
        w, x = words[m], mentions[m]
        entity = by_words.get(w)
        if entity is None:
            entity = _fitting(cast.entities, w, votes[w], m)
        if entity is None:
            entity = Entity(words=w, name=name_text(f, x), named=True, kind=None)
            cast.entities.append(entity)
        by_words.setdefault(w, entity) if len(w) > 1 else None
        if len(w) > len(entity.words):
            entity.words, entity.name = w, name_text(f, x)
        entity.ents[x.ent] += 1
        entity.mentions.append(m)
        cast.of[m] = entity
        cast.resolved_by[m] = "name"
        _note_gender(f, x, entity)
    for e in cast.entities:
        e.mentions.sort()
        e.kind = kind_of_name(f, e.words, e.ents, [mentions[m] for m in e.mentions])
        e.plural = e.kind == "group"


def _fitting(entities: list[Entity], w: tuple[str, ...], votes: Counter[str], m: int) -> Entity | None:
    """The entity that a (shorter) name fits: the surname, first name or initials of it; the nearest before, else after."""
    fits = []
    for e in entities:
        if len(w) > len(e.words) or not e.words:
            continue
        person = e.ents["PERSON"] * 2 >= sum(e.ents.values())
        if person and len(w) >= 2:
            ok = w[0] == e.words[0] and w[-1] == e.words[-1]
        elif person:
            ok = w[0] == e.words[-1] or w[0] == e.words[0] or (len(e.words) > 2 and w[0] in e.words)
        else:
            ok = w == e.words[: len(w)] or (
                len(w) == 1
                and (w[0].replace(".", "") == "".join(x[0] for x in e.words) or w[0] == e.words[-1] and len(w[0]) > 4)
            )
        if ok:
            fits.append(
                (
                    not person and votes["PERSON"] > 0,
                    w[0] != e.words[-1],
                    min((abs(k - m) + 1000 * (k > m) for k in e.mentions), default=0),
                    e,
                )
            )
    return min(fits, key=lambda t: t[:3])[3] if fits else None


def _note_gender(f: Frame, x: Mention, entity: Entity) -> None:
    before = [f.doc[int(t)].lower_ for t in f.token[max(x.lo - 1, 0) : x.head]]
    if any(w in _FEMALE for w in before):
        entity.female = True
    elif any(w in _MALE for w in before):
        entity.female = False


def _resolve(
    f: Frame, mentions: list[Mention], m: int, cast: Cast, last: Entity | None, inside: list[bool]
) -> tuple[Entity | None, str]:
    x = mentions[m]
    word = f.doc[int(f.token[x.head])].lower_
    if x.form == "pronoun":
        if word in _SELF:
            return _own(f, x, cast, kind="person"), "pronoun"
        if word == "who":
            return _antecedent(f, mentions, m, cast) or last, "pronoun"
        entity = _pronoun(f, mentions, m, word, cast, last, inside)
        if entity is not None and entity.kind == "person" and entity.female is None and word in _HE | _SHE:
            entity.female = word in _SHE
        return entity, "pronoun"
    named = _apposed_name(f, mentions, m, cast)
    if named is not None:
        return named, "name"
    return _description(f, mentions, m, cast, last, inside), "description"


def _antecedent(f: Frame, mentions: list[Mention], m: int, cast: Cast) -> Entity | None:
    """What "who" stands for: the noun that its clause hangs on."""
    i, steps = mentions[m].head, 0
    rel = {hash_of("relcl"), hash_of("acl")}
    while int(f.dep[i]) not in rel and f.head[i] != i and steps < 8:
        i, steps = int(f.head[i]), steps + 1
    noun = int(f.head[i])
    near = [k for k in range(max(m - 12, 0), m) if mentions[k].head == noun]
    return cast.of.get(near[0]) if near else None


def _apposed_name(f: Frame, mentions: list[Mention], m: int, cast: Cast) -> Entity | None:
    """The person named beside a description: "the mayor, Ann Lee," or "her advocate Dali Mpofu"."""
    head, appos = mentions[m].head, hash_of("appos")
    for k in range(m + 1, min(m + 8, len(mentions))):
        if f.head[mentions[k].head] == head and int(f.dep[mentions[k].head]) == appos and mentions[k].form == "name":
            return cast.of.get(k)
    return None


def _pronoun(
    f: Frame, mentions: list[Mention], m: int, word: str, cast: Cast, last: Entity | None, inside: list[bool]
) -> Entity | None:
    if word in _HE | _SHE:
        fits = [
            e
            for e in _recent(f, mentions, m, cast, inside)
            if e[1].kind in ("person", None) and not e[1].plural and e[1].female in (None, word in _SHE)
        ]
    elif word in _IT:
        fits = [e for e in _recent(f, mentions, m, cast, inside) if e[1].kind in ("organisation", "document")]
    else:
        fits = [
            e for e in _recent(f, mentions, m, cast, inside) if e[1].kind in ("group", "organisation") or e[1].plural
        ]
        fits = [(s + 2 * (e.kind == "group" or e.plural), e) for s, e in fits]
    if last is not None:
        fits = [(s + (2.0 if e is last else 0), e) for s, e in fits]
    return max(fits, key=lambda t: t[0])[1] if fits else None


def _recent(f: Frame, mentions: list[Mention], m: int, cast: Cast, inside: list[bool]) -> list[tuple[float, Entity]]:
    """Entities mentioned before a mention (or a little after it in its sentence), with their salience."""
    here = mentions[m]
    scores: dict[int, tuple[float, Entity]] = {}
    subject = {hash_of("nsubj"), hash_of("nsubjpass")}
    for k in range(m - 1, max(m - 80, -1), -1):
        e = cast.of.get(k)
        if e is None:
            continue
        x = mentions[k]
        away = int(f.sent[here.head] - f.sent[x.head])
        score = -float(min(away, 12)) * 0.7 - 0.01 * (m - k)
        score += 1.0 * (int(f.dep[x.head]) in subject) - 1.5 * inside[k] - 0.7 * (int(f.dep[x.head]) == hash_of("poss"))
        score += 0.4 * (e.named) + 0.3 * min(len(e.mentions), 4) / 4
        if away == 0 and int(f.head[x.head]) == int(f.head[here.head]):
            score -= 3.0  # two arguments of one verb are two people
        old = scores.get(id(e))
        if old is None or score > old[0]:
            scores[id(e)] = (score, e)
    return list(scores.values())


def _description(
    f: Frame, mentions: list[Mention], m: int, cast: Cast, last: Entity | None, inside: list[bool]
) -> Entity | None:
    x = mentions[m]
    words = [f.doc[int(t)].lower_ for t in f.token[x.lo : x.hi]]
    head = singular(f, x.head)
    kind = kind_of_noun(f, x.head)
    plural = number_of(f, x.head)
    definite = bool(words) and words[0] in ("the", "this", "that", "these", "those")
    mods = frozenset(
        w for w in words if w.isalnum() and w not in ("the", "this", "that", "a", "an") and singular_word(w) != head
    )
    same = [
        e
        for e in cast.entities
        if not e.named and e.head == head and e.plural == plural and (e.modifiers == mods or (definite and not mods))
    ]
    if definite and not plural and len(mods) <= 2:
        found = _definite(f, mentions, m, head, kind, cast, last, inside)
        if found is not None:
            return found
    if same:
        return same[-1]
    return _own(f, x, cast, kind=kind)


def _definite(
    f: Frame,
    mentions: list[Mention],
    m: int,
    head: str,
    kind: str | None,
    cast: Cast,
    last: Entity | None,
    inside: list[bool],
) -> Entity | None:
    """Whom "the analyst" or "the company" stands for, if somebody of that role or kind came before."""
    recent = _recent(f, mentions, m, cast, inside)
    if last is not None:
        recent = [(s + (1.0 if e is last else 0), e) for s, e in recent]
    if kind == "person" or head == "year-old" or head.endswith("-year-old"):
        by_role = [
            (s, e) for s, e in recent if e.kind == "person" and (e.head == head or _has_role(f, mentions, e, head))
        ]
        if by_role:
            return max(by_role, key=lambda t: t[0])[1]
        if head in PERSON_WORDS or head.endswith("year-old"):
            people = [(s, e) for s, e in recent if e.kind == "person" and not e.plural]
            return max(people, key=lambda t: t[0])[1] if people else None
        return None
    if kind == "organisation":
        orgs = [
            (s + 0.5 * e.named, e)
            for s, e in recent
            if e.kind == "organisation" and (e.named and e.ents["GPE"] * 2 < sum(e.ents.values()) or e.head == head)
        ]
        if head in ("country", "nation", "state", "city"):
            orgs = [(s, e) for s, e in recent if e.named and e.ents["GPE"] > 0]
        return max(orgs, key=lambda t: t[0])[1] if orgs else None
    return None


def _has_role(f: Frame, mentions: list[Mention], e: Entity, head: str) -> bool:
    for k in e.mentions[:12]:
        x = mentions[k]
        if any(singular_word(f.doc[int(t)].lower_) == head for t in f.token[max(x.lo - 2, 0) : min(x.hi + 6, len(f))]):
            return True
    return False


def singular_word(word: str) -> str:
    return word[:-1] if word.endswith("s") and word[:-1] in noun_kinds() else word


def _own(f: Frame, x: Mention, cast: Cast, *, kind: str | None) -> Entity:
    """A new unnamed entity, named by its own description."""
    lo = x.lo
    while lo < x.head and f.doc[int(f.token[lo])].lower_ in ("the", "a", "an"):
        lo += 1
    words = [f.doc[int(t)].lower_ for t in f.token[x.lo : x.hi]]
    head = singular(f, x.head)
    entity = Entity(words=(), name=described(f, x, lo, cast), named=False, kind=kind, head=head, plural=number_of(f, x.head),
                    modifiers=frozenset(w for w in words if w.isalnum() and w not in ("the", "this", "that", "a", "an") and singular_word(w) != head))  # fmt: skip
    _note_gender(f, x, entity)
    if head in _FEMALE:
        entity.female = True
    elif head in _MALE:
        entity.female = False
    cast.entities.append(entity)
    return entity


def described(f: Frame, x: Mention, lo: int, cast: Cast) -> str:
    """A description as a name: short names in it made full, possessive endings dropped."""
    text = f.text[f.start[lo] : f.end[x.hi - 1]]
    short = re.match(r"([^\W\d_][\w-]*)['’]s\s+", text)
    if short:
        word = short.group(1).lower()
        owner = next((e for e in cast.entities if e.named and e.kind != "person" and word in e.words[:1]), None)
        text = (owner.name if owner else short.group(1)) + " " + text[short.end() :]
    return " ".join(text.split())


def known_title(word: str) -> bool:
    return word in titles()
