"""Conditions of what is done: attacks, arrests, protests, captives."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.conditions_sides import POLITY, acted_on, acting, has_under
from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    above,
    children,
    classes,
    doer,
    is_human,
    is_passive,
    lemma,
    lower,
    noun_owner,
    prepositions,
    under,
    undergoer,
)

Token = Any


def phys(t: Token, ctx: Context) -> bool:
    """A bodily attack, not one in words, on a pitch or on a market."""
    if ctx.sport() or any(lemma(c) in _FIGURATIVE for c in t.children):
        return False
    if t.pos_ == "NOUN" and any(lower(c) in ("9/11", "sept.", "sept", "september") for c in under(t, 8)):
        return False  # the attacks of 2001, told as an age and not as news
    if ctx.here.get("casualty", 0):
        return True
    obj, subj = acted_on(t), acting(t)
    if t.pos_ == "VERB" and subj is not None and subj.ent_type_ == "PERSON" and not ctx.here.get("casualty", 0):
        if obj is None or not classes(obj) & {"building", "territory", "protester", "police", "military"}:
            return False  # one named person attacks another in words
    if t.pos_ == "NOUN" and any(x is not None and x.ent_type_ == "PERSON" for x in (obj, subj)):
        if ctx.around.get("verbal", 0) and ctx.here.get("conflict", 0) <= ctx.here.get("figurative", 0):
            return False  # "the candidate's attacks on his rival"
    if t.pos_ == "VERB" and obj is None and subj is not None and not is_passive(t) and subj.pos_ == "PROPN":
        if subj.ent_type_ not in POLITY and not classes(subj) & {"military", "rebel", "police", "protester"}:
            return False  # "United attacked and shot past the keeper"
    if ctx.here.get("conflict", 0) - (ctx.here.get("figurative", 0) if ctx.verbal() else 0) > 1:
        return True
    kinds = (classes(obj) if obj is not None else frozenset()) | (classes(subj) if subj is not None else frozenset())
    if kinds & {"military", "rebel", "police", "building", "territory", "protester"}:
        return not ctx.verbal()
    named = obj is not None and bool(classes(obj) & {"entity", "person", "organisation"})
    return (is_passive(t) or not named) and not ctx.verbal() and not ctx.here.get("business", 0)


def killnoun(t: Token, ctx: Context) -> bool:
    if ctx.disaster() or ctx.here.get("historic", 0):
        return False
    return (
        bool(list(prepositions(t)))
        or noun_owner(t) is not None
        or ctx.here.get("conflict", 0) > 1
        or t.dep_ in ("nsubj", "dobj", "nsubjpass")
    )


def violentagent(t: Token, ctx: Context) -> bool:
    who = doer(t)
    if who is not None and classes(who) & {
        "police",
        "military",
        "rebel",
        "protester",
        "government",
        "entity",
        "civilian",
    }:
        return not ctx.disaster()
    return ctx.violent() and ctx.here.get("disaster", 0) == 0


def armedfight(t: Token, ctx: Context) -> bool:
    if ctx.sport() or ctx.verbal():
        return False
    sides = [
        x
        for x in (acting(t), undergoer(t), *(o for p, o in prepositions(t) if p in ("with", "against")))
        if x is not None
    ]
    return any(classes(x) & {"military", "rebel", "police"} for x in sides) and ctx.here.get("conflict", 0) > 0


def saidprotest(t: Token, ctx: Context) -> bool:
    """To protest in words: with a clause, or a spokesman's protest."""
    if any(c.dep_ == "ccomp" for c in t.children):
        return True
    who = acting(t)
    return who is not None and not classes(who) & {"protester", "civilian"} and bool(children(t, "dobj"))


_FIGURATIVE = word_lists("words.txt")["figurative"]
_ABSTRACT = word_lists("words.txt")["unarrestable"]


def captive(t: Token, ctx: Context) -> bool:
    """Somebody set free, not a product or a report put out."""
    whom = undergoer(t)
    if whom is None or classes(whom) & {"civilian", "military", "hostage", "government", "rebel", "police", "person"}:
        return whom is None or whom.ent_type_ not in ("PRODUCT", "WORK_OF_ART")
    return bool(ctx.words & _CAPTIVITY)


_CAPTIVITY = word_lists("words.txt")["captivity"]


def violencenoun(t: Token, ctx: Context) -> bool:
    if ctx.disaster() or has_under(t, frozenset({"domestic", "gun", "media", "film"})):
        return False
    return t.dep_ in ("nsubj", "nsubjpass", "ROOT") or any(
        lemma(c) in ("communal", "sectarian", "ethnic", "mob", "deadly", "political", "fresh") for c in t.children
    )


def curfew(t: Token, ctx: Context) -> bool:
    return (
        lemma(t.head)
        in {"impose", "clamp", "declare", "enforce", "continue", "remain", "reimpose", "order", "announce", "place"}
        or t.dep_ == "ROOT"
        or (t.dep_ == "pobj" and lower(t.head) == "under")
    )


def arrestnoun(t: Token, ctx: Context) -> bool:
    if t.dep_ == "compound" or any(lower(c) in ("house", "cardiac") for c in t.children):
        return any(lower(c) == "house" for c in t.children)
    return (
        bool([o for p, o in prepositions(t) if p in ("of", "by")])
        or noun_owner(t) is not None
        or t.tag_ == "NNS"
        or lemma(t.head) in {"make", "lead", "follow"}
    )


def arrestverb(t: Token, ctx: Context) -> bool:
    """To arrest somebody, not a decline or a situation."""
    whom = undergoer(t)
    if whom is None or is_human(whom) or whom.pos_ in ("PROPN", "PRON", "NUM"):
        return True
    return lemma(whom) not in _ABSTRACT and not classes(whom)


def strike_target(t: Token, ctx: Context) -> bool:
    if not ctx.here.get("conflict", 0) or has_under(
        t, frozenset({"hunger", "general", "worker", "union", "labor", "labour"})
    ):
        return False
    return any(
        p in ("on", "against", "in") and classes(o) & {"territory", "building", "rebel", "military", "entity"}
        for p, o in prepositions(t)
    )


def bomb(t: Token, ctx: Context) -> bool:
    if t.dep_ == "compound" or ctx.disaster() or any(lemma(h) in _UNUSED for h in [*above(t)][:3]):
        return False
    return t.dep_ in ("nsubj", "nsubjpass", "pobj", "ROOT") and any(
        c.dep_ in ("compound", "amod", "relcl", "acl") for c in t.children
    )


_UNUSED = word_lists("words.txt")["unused"]


def protestnoun(t: Token, ctx: Context) -> bool:
    if t.dep_ in ("compound", "amod") or (lower(t) == "march" and t.is_title and t.ent_type_ == "DATE"):
        return False
    if lemma(t) == "march" and any(c.like_num for c in t.children):
        return False
    if t.nbor(1).like_num if t.i + 1 < len(t.doc) and lemma(t) == "march" else False:
        return False
    who = noun_owner(t)
    return (
        t.dep_ in ("nsubj", "nsubjpass", "dobj", "ROOT", "conj", "attr")
        or who is not None
        or lower(t.head) in ("during", "in", "at", "of", "after", "amid")
    )


_GATHERINGS = frozenset(
    {"rally", "march", "jatha", "yatra", "vigil", "dharna", "bandh", "picket", "walkout", "procession"}
)


def protestobj(t: Token, ctx: Context) -> bool:
    """A protest that is held: not a candidate's rally."""
    if ctx.sport():
        return False
    held = [*children(t, "dobj", "nsubjpass", "attr"), *(o for _, o in prepositions(t))]
    found = [o for o in held if "protestword" in classes(o) or lemma(o) in _GATHERINGS]
    if not found:
        return False
    who = acting(t)
    campaign = ctx.around.get("verbal", 0) >= 2 or (who is not None and who.ent_type_ == "PERSON")
    return not (campaign and all(lemma(o) == "rally" for o in found))
