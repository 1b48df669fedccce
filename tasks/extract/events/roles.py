"""Who did it to whom: actor and recipient of an event from the parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks.extract.events.candidates import Candidate
from tasks.extract.events.gazetteer import gazetteer
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.ontology import Ontology
from tasks.extract.events.syntax import (
    PRONOUNS,
    RELATIVE,
    above,
    antecedent,
    chars,
    children,
    classes,
    doer,
    grammatical_subject,
    is_fire_noun,
    is_human,
    is_passive,
    lemma,
    lower,
    noun_owner,
    phrase,
    prepositions,
    sentence,
    undergoer,
    words_at,
)

Token = Any
_ENTITY = frozenset(
    {"government", "military", "rebel", "police", "entity", "organisation", "person", "civilian", "protester"}
)
_SECTORS = (
    ("police", "COP"),
    ("rebel", "REB"),
    ("military", "MIL"),
    ("government", "GOV"),
    ("organisation", "NGO"),
    ("civilian", "CVL"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A side of an event: code points, words, and what kind of actor it is."""

    text: str
    start: int
    end: int
    kind: str | None
    country: str | None
    sector: str | None


def find_roles(c: Candidate, ontology: Ontology) -> tuple[Token | None, Token | None]:
    """Head words of actor and recipient."""
    if c.fixed:
        return c.actor, c.recipient
    actor, recipient = _noun_roles(c) if _told_as_noun(c.token) else _verb_roles(c)
    for other in c.also:
        if actor is not None and recipient is not None:
            break
        one = Candidate(token=other, of=c.of, mode=c.mode, rule=c.rule)
        a, r = _noun_roles(one) if _told_as_noun(other) else _verb_roles(one)
        if a is not None and a.i in {c.token.i, *(x.i for x in c.also)} and all(x.pos_ != "PROPN" for x in a.children):
            a = None  # "fighting … killed ten": who did it is not said
        if actor is None and a is not None and (recipient is None or a.i != recipient.i):
            actor = a
        if recipient is None and r is not None and (actor is None or r.i != actor.i):
            recipient = r
    if actor is None and ontology.mode_is(c.of, c.mode, "by_forces"):
        actor = _forces_here(c.token, recipient)
    actor = _speaker_of(actor)
    if actor is not None and c.has("violent") and not is_human(actor) and classes(actor) & _NO_ACTOR:
        actor = None  # "a bomb killed ten": nobody is named who did it
    return _reciprocal(c, actor, recipient)


_NO_ACTOR = frozenset({"weapon", "attackword", "protestword", "casualty"})


def _told_as_noun(t: Token) -> bool:
    return t.pos_ != "VERB" or is_fire_noun(t)


def _forces_here(t: Token, recipient: Token | None) -> Token | None:
    """The police or troops that a sentence tells of, where nobody is named who fired or used tear gas."""
    for w in sentence(t):
        if not classes(w) & {"police", "military"} or w.pos_ not in ("NOUN", "PROPN"):
            continue
        if recipient is not None and (w.i == recipient.i or w.i in {x.i for x in recipient.subtree}):
            continue
        acts = w.dep_ == "nsubj" and lemma(w.head) not in word_lists("verbs.txt")["say"]
        if acts or (w.dep_ == "compound" and lemma(w.head) in ("action", "firing", "force", "bullet")):
            return w
    return None


def _reciprocal(c: Candidate, actor: Token | None, recipient: Token | None) -> tuple[Token | None, Token | None]:
    """ "Jordan and Britain agreed": either is a side."""
    together = c.has("joint") or (c.has("refusal") and lemma(c.token) == "fail")
    if actor is not None and together and (recipient is None or not recipient.ent_type_):
        other = next((x for x in children(actor, "conj") if classes(x) & _ENTITY), None)
        if other is not None:
            return actor, other
    if recipient is not None and actor is not None and recipient.i == actor.i:
        recipient = None
    return actor, recipient


def _speaker_of(actor: Token | None) -> Token | None:
    """ "The US said it would …": the US."""
    if actor is None or lower(actor) not in PRONOUNS:
        return actor
    if lower(actor) in RELATIVE:
        return antecedent(actor)
    v = actor.head
    for h in above(v):
        if h.pos_ == "VERB":
            who = grammatical_subject(h)
            if who is None or who.i == actor.i or lower(who) in PRONOUNS or not classes(who) & _ENTITY:
                continue
            if who.i < actor.i or v.dep_ != "advcl":  # not "… when they attacked a base, state radio said"
                return who
    return actor


def _usable(t: Token | None) -> bool:
    return t is not None and (is_human(t) or t.pos_ in ("PROPN",))


def _verb_roles(c: Candidate) -> tuple[Token | None, Token | None]:
    v = c.token
    who, whom = doer(v), undergoer(v)
    if lemma(v) == "oppose" and is_passive(v) and who is None:
        who, whom = grammatical_subject(v), None
    if who is not None and not is_human(who):
        who = _beginner(v, who) if v.dep_ in ("acl", "relcl", "xcomp") and v.tag_ == "VB" else _owner_or_self(who)
    if who is None and not is_passive(v):
        who = None
    if who is None and is_passive(v) and c.has("by_state"):
        who = next((o for p, o in prepositions(v) if p == "in" and o.ent_type_ == "GPE" and _is_state(o)), None)
    if who is None and c.has("violent"):
        who = _in_whose_fire(v)
    recipient = _recipient(c, v, whom)
    return who, recipient


_REACTS = word_lists("words.txt")["reacts"]
"""Verbs whose subject did not do what their object tells: "condemned the attack", "crushed the protests"."""
_FIRE = word_lists("words.txt")["fire"]


def _in_whose_fire(v: Token) -> Token | None:
    """ "killed in police firing", "died in shelling by the army": whose fire it was, however the parse hangs it."""
    subject = next(iter(children(v, "nsubj")), None)
    if subject is not None and lower(subject) in RELATIVE and subject.i and lower(subject.nbor(-1)) in _FIRE:
        return noun_owner(subject.nbor(-1))  # "the police firing that left two dead"
    for p, o in prepositions(v):
        if p not in ("in", "by", "during", "from", "to", "of"):
            continue
        after = o.nbor(1) if o.i + 1 < len(o.doc) else o
        if classes(o) & {"police", "military", "rebel"} and lower(after) in _FIRE and lower(o) not in _FIRE:
            return o
        if lemma(o) in ("round", "burst", "barrage", "hail"):
            o = next((x for q, x in prepositions(o) if q == "of"), o)
        if lemma(o) in _FIRE or lower(o) in _FIRE:
            by = next((x for q, x in prepositions(o) if q in ("by", "from") and is_human(x)), None)
            owner = by or noun_owner(o)
            if owner is not None and is_human(owner) and "weapon" not in classes(owner):
                return owner
    return None


def _beginner(v: Token, thing: Token) -> Token | None:
    """ "X have begun a new stage in the offensive to recapture Y": X, whose doing the stage or the offensive is."""
    owner = noun_owner(thing)
    if owner is not None and is_human(owner):
        return owner
    for h in [*above(v)][:6]:
        if h.pos_ == "VERB":
            who = doer(h)
            if who is not None and is_human(who):
                return who
    return thing


def _is_state(t: Token) -> bool:
    return any(gazetteer().country(name) is not None for name in (t.text, words_at(t.doc, *phrase(t))))


def _owner_or_self(t: Token) -> Token:
    """ "The army's helicopters shelled": the army; a thing without an owner stays."""
    owner = noun_owner(t)
    return owner if owner is not None else t


def _recipient(c: Candidate, v: Token, whom: Token | None) -> Token | None:
    if whom is not None and lower(whom) in RELATIVE:
        whom = antecedent(whom)
    if (
        whom is not None
        and c.has("giving")
        and (children(whom, "poss") or classes(whom) & {"military", "weapon", "aid"})
    ):
        given = next(
            (o for p, o in prepositions(v) if p in ("to", "for", "with") and is_human(o)), None
        )  # "offered its troops to X"
        if given is not None:
            return given
    if whom is not None and (is_human(whom) or (c.has("force") and classes(whom) & {"building", "territory"})):
        return whom
    if c.has("back_to") and whom is None:
        return next((o for p, o in prepositions(v) if p == "to" and is_human(o)), None)
    found = _object_side(c, whom) if whom is not None else None
    if found is None and whom is not None and c.has("given"):
        dative = [x for x in children(v, "dative") if is_human(x)]
        found = dative[0] if dative else None
    if found is None:
        found = next((x for x in children(v, "dative") if is_human(x)), None)
    if found is None:
        found = _by_preposition(c, v)
    if found is None:
        found = _in_clause(c, v)
    if found is None and c.has("blaming"):
        found = _blamed(v)
    if found is None and whom is not None and c.has("force"):
        return (
            whom
            if whom.pos_ in ("NOUN", "PROPN")
            and c.has("violent")
            and not classes(whom) & {"weapon", "attackword"}
            and lemma(whom) not in ("fire", "responsibility", "control")
            else None
        )
    return found


def _blamed(v: Token) -> Token | None:
    """Whom a protest is about: a government, state or person in what it demands or is held over."""
    for w in v.subtree:
        if (
            w.i > v.i
            and (w.ent_type_ in ("PERSON", "GPE") or classes(w) & {"government"})
            and w.dep_ in ("pobj", "poss", "dobj", "nsubj")
        ):
            if lower(w.head) in ("in", "at", "near") or (
                w.ent_type_ == "GPE" and w.dep_ == "pobj" and lower(w.head) in ("of", "across")
            ):
                continue
            return w
    return None


def _object_side(c: Candidate, n: Token) -> Token | None:
    """Behind an abstract object: "rejected X's proposal", "the proposal of X", "a call for X to …"."""
    owner = noun_owner(n)
    if owner is not None and is_human(owner):
        return owner
    for p, o in prepositions(n):
        if p in c.of.to_whom or p in ("of", "against", "by", "for", "to", "with", "from", "in"):
            if is_human(o) or classes(o) & {"territory"}:
                return o
    for _, o in prepositions(n):
        inner = noun_owner(o)
        if inner is not None and is_human(inner):
            return inner
        for _, oo in prepositions(o):
            if is_human(oo):
                return oo
        for clause in children(o, "acl", "relcl"):  # "an investigation into crimes committed by X"
            side = doer(clause)
            if side is not None and is_human(side) and side.i != o.i:
                return side
    for rel in children(n, "acl", "relcl"):
        told = next((s for s in children(rel, "nsubj") if lower(s) not in PRONOUNS and is_human(s)), None)
        if told is not None:  # "its demand that X …"
            return told
        got = undergoer(rel) or next((o for _, o in prepositions(rel) if is_human(o)), None)
        if got is not None and is_human(got) and got.i != n.i:
            return got
    return None


def _by_preposition(c: Candidate, v: Token) -> Token | None:
    found = [(p, o) for p, o in prepositions(v) if p != "by" or not is_passive(v)]
    for want in c.of.to_whom:
        for p, o in found:
            if p != want or o.ent_type_ in ("DATE", "TIME") or (p == "in" and c.has("in_side") and not _is_state(o)):
                continue
            if p in ("outside", "at") and c.has("blaming") and _mourning(c):
                continue
            if is_human(o) or (c.has("toward_place") and classes(o) & {"territory", "building"}):
                return o
            side = noun_owner(o)
            if side is not None and is_human(side):
                return side
            deeper = next((oo for _, oo in prepositions(o) if is_human(oo)), None)
            if deeper is not None:
                return deeper
    return None


def _mourning(c: Candidate) -> bool:
    """A vigil is held for somebody, not against the police whose station it is held outside."""
    return any(lemma(w) in _MOURNING for w in (c.token, *children(c.token, "dobj", "pobj")))


_MOURNING = word_lists("words.txt")["mourning"]


def _in_clause(c: Candidate, v: Token) -> Token | None:
    """In the content of asking, promising, refusing: its subject if it is another, else its object."""
    for x in children(v, "ccomp", "xcomp", "advcl", "acl"):
        if x.dep_ in ("advcl", "acl") and not any(lower(a) == "to" for a in x.children):
            inner = next((s for y in children(x, "ccomp") for s in children(y, "nsubj") if is_human(s)), None)
            if inner is not None and lower(inner) not in PRONOUNS and c.has("asks"):
                return inner
            continue
        subject = next((s for s in children(x, "nsubj", "nsubjpass")), None)
        if subject is not None and lower(subject) not in PRONOUNS and is_human(subject) and c.has("names_subject"):
            return subject
        got = undergoer(x) if not is_passive(x) else None
        if got is not None and is_human(got) and lower(got) not in PRONOUNS:
            return got
        if got is not None:
            side = _object_side(c, got)
            if side is not None:
                return side
        byprep = _by_preposition(c, x)
        if byprep is not None:
            return byprep
        for y in children(x, "xcomp", "ccomp"):
            got = undergoer(y)
            if got is not None and is_human(got):
                return got
        if subject is not None and lower(subject) not in PRONOUNS and is_human(subject):
            return subject
    return None


def _noun_roles(c: Candidate) -> tuple[Token | None, Token | None]:
    n = c.token
    sides = _joined_sides(n) if c.has("violent") else None
    if sides is not None:
        return sides
    actor = noun_owner(n)
    recipient = None
    if n.dep_ == "compound" and actor is None:
        actor = next((x for x in children(n.head, "compound", "poss") if x.i != n.i and is_human(x)), None)
    for p, o in prepositions(n):
        if p in ("by",) and is_human(o):
            actor = o
        elif p == "between" and is_human(o):
            other = next(iter(children(o, "conj")), None)
            actor, recipient = o, other
        elif (
            recipient is None
            and p in c.of.to_whom
            and p != "by"
            and (is_human(o) or classes(o) & {"territory", "building"})
        ):
            if p != "in" or c.has("in_side"):
                recipient = o
    for h in [*above(n)][:5]:
        if (
            h.pos_ == "VERB"
            and lemma(h) in ("claim", "take", "deny")
            and any(lemma(o) in ("responsibility", "credit") for o in children(h, "dobj"))
        ):
            return doer(h) or actor, recipient
    head = n.head
    if n.dep_ in ("dobj", "nsubjpass", "pobj", "xcomp", "attr") and not c.has("unowned"):
        verb = head if head.pos_ == "VERB" else head.head
        if verb.pos_ == "VERB" and n.dep_ != "pobj":
            who = doer(verb) if not (c.has("bodily") and lemma(verb) in _REACTS) else None
            if actor is None and who is not None and is_human(who) and n.dep_ == "dobj":
                actor = who
    if actor is None and n.dep_ == "pobj":
        actor = _who_began(n)
    if n.dep_ in ("nsubj",) and head.pos_ == "VERB" and recipient is None:
        whom = undergoer(head)
        if whom is not None and is_human(whom) and c.has("violent"):
            recipient = whom
    if n.pos_ == "ADJ":
        subject = next((s for s in n.head.children if s.dep_ in ("nsubj",)), None)
        actor = subject or actor
        recipient = _by_preposition(c, n) or _in_clause(c, n)
    return actor, recipient


def _joined_sides(n: Token) -> tuple[Token, Token] | None:
    """ "a police-protester clash": both sides stand before the word, joined by a hyphen."""
    if n.i < 3 or lemma(n) not in _MUTUAL:
        return None
    first, mark, second = n.doc[n.i - 3], n.nbor(-2), n.nbor(-1)
    joined = mark.text in ("-", "–", "‑") and not first.whitespace_ and not mark.whitespace_
    return (first, second) if joined and (is_human(first) or is_human(second)) else None


_MUTUAL = frozenset({"clash", "fighting", "battle", "skirmish", "firefight", "gunfight", "gunbattle", "war"})


def _who_began(n: Token) -> Token | None:
    """ "X have begun a new stage in the offensive": X."""
    for h in [*above(n)][:5]:
        if h.pos_ == "VERB":
            who = doer(h) if lemma(h) in _BEGUN else None
            return who if who is not None and is_human(who) else None
    return None


_BEGUN = frozenset({"begin", "launch", "start", "mount", "open", "resume", "lead", "join"})


def _country(doc: Any, a: int, b: int) -> str | None:
    g = gazetteer()
    for t in doc[a : b + 1]:
        if t.is_title or t.is_upper or t.ent_type_ in ("GPE", "NORP"):
            got = g.demonym(t.text) or (g.country(t.text) if t.ent_type_ in ("GPE", "NORP", "ORG") else None)
            if got:
                return got
    words = doc[a : b + 1].text
    return g.country(words) if words[:1].isupper() else None


def describe(t: Token, other: Token | None = None) -> Role:
    """A head word as a side: its phrase, kind, country and sector; without the other side, where a hyphen joins it."""
    doc = t.doc
    a, b = phrase(t)
    if other is not None and other.i == t.i - 2 and a <= other.i:
        a = t.i
    start, end = chars(doc, a, b)
    kinds = classes(t)
    sector = next((s for k, s in _SECTORS if k in kinds), None)
    kind: str | None
    if t.ent_type_ == "GPE":
        sector, kind = "GOV", "place"
    elif t.ent_type_ == "PERSON" or ("person" in kinds and "entity" not in kinds and t.tag_ in ("NN", "NNP")):
        kind = "person"
    elif t.tag_ in ("NNS", "NNPS") or "NORP" == t.ent_type_:
        kind = "group"
    else:
        kind = "organisation" if kinds & {"organisation", "government", "military", "police", "entity"} else None
        if kind is None and kinds & {"territory", "building"}:
            kind = "place"
    return Role(text=words_at(doc, a, b), start=start, end=end, kind=kind, country=_country(doc, a, b), sector=sector)
