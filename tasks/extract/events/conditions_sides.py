"""Who stands beside a word: what conditions of all kinds ask of its doer, what it is done to, and what is under it."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    children,
    classes,
    doer,
    grammatical_subject,
    hyphened,
    is_passive,
    lemma,
    lower,
    noun_owner,
    prepositions,
    sentence,
    under,
    undergoer,
)

Token = Any
POLITICAL = frozenset({"government", "military", "rebel", "police", "entity", "organisation", "person", "protester"})
STRONG = frozenset({"government", "military", "rebel", "police", "entity", "organisation"})
POLITY = frozenset({"GPE", "NORP"})


def has_under(t: Token, values: frozenset[str]) -> bool:
    """Whether one of these words stands under, just behind or just before a word."""
    if t.pos_ == "VERB" and t.dep_ == "xcomp" and is_passive(t):  # "curfew is likely to be imposed"
        raised = grammatical_subject(t)
        if raised is not None and lemma(raised) in values:
            return True
    for w in under(t, 25):
        if w.ent_type_ == "DATE":
            continue  # "is planned for March 15" plans no march
        if lemma(w) in values or lower(w) in values or any(h in values for h in hyphened(w)):
            return True
    return (
        any(c.dep_ in ("prt", "advmod", "acomp", "oprd") and lower(c) in values for c in t.children)
        or (t.i + 1 < len(t.doc) and lower(t.nbor(1)) in values)
        or (t.i > 0 and t.dep_ != "ROOT" and lower(t.nbor(-1)) in values)
    )


def is_of(t: Token | None, values: frozenset[str]) -> bool:
    """Whether a noun, or what it counts ("dozens of rebels"), is of these classes."""
    if t is None:
        return False
    if "any" in values:
        return True
    c = classes(t)
    if c & values or lemma(t) in values or ("person" in values and "civilian" in c):
        return True
    for p, o in prepositions(t):  # "dozens of rebels", "members of the army", "part of a stronghold"
        if p == "of" and (lemma(t) in _QUANTITIES or t.pos_ == "NUM") and (classes(o) & values or lemma(o) in values):
            return True
    return False


_QUANTITIES = word_lists("words.txt")["quantities"]


def acted_on(t: Token) -> Token | None:
    """What it is done to, of a verb or a noun."""
    if t.pos_ == "NOUN":
        return next((o for p, o in prepositions(t) if p in ("of", "on", "against", "at")), None)
    return undergoer(t)


def acting(t: Token) -> Token | None:
    """Who does it, of a verb or a noun."""
    return noun_owner(t) if t.pos_ == "NOUN" else doer(t)


def political(t: Token, ctx: Context) -> bool:
    """Between sides of public life, not on a pitch or a market."""
    if ctx.sport():
        return False
    sides = [x for x in (acting(t), acted_on(t)) if x is not None]
    if any(classes(x) & STRONG for x in sides):
        return True
    return any(x.ent_type_ == "PERSON" or "person" in classes(x) for x in sides) and not ctx.here.get("business", 0)


def agent_of(v: Token) -> Token | None:
    return next((o for c in children(v, "agent") for o in children(c, "pobj")), None)


def named_side(who: Token | None) -> bool:
    """A state, an office, a force, or a person by name or pronoun."""
    if who is None:
        return False
    return bool(classes(who) & STRONG) or who.ent_type_ == "PERSON" or lower(who) in ("he", "she", "they", "who", "we")


def political_noun(t: Token, ctx: Context) -> bool:
    """A noun beside a state, an office or an armed side."""
    if ctx.sport():
        return False
    near = [w for w in sentence(t) if w.ent_type_ in POLITY or classes(w) & {"government", "military", "rebel"}]
    return bool(near) and not ctx.here.get("business", 0)
