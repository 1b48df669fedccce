"""Conditions of what is said: demands, accusations, agreements, offers, visits and talks."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.conditions_sides import (
    POLITICAL,
    POLITY,
    STRONG,
    acting,
    agent_of,
    has_under,
    named_side,
    political_noun,
)
from tasks.extract.events.context import Context
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    children,
    classes,
    doer,
    grammatical_subject,
    is_human,
    is_passive,
    lemma,
    lower,
    noun_owner,
    prepositions,
    sentence,
    undergoer,
)

Token = Any


def by_public_side(t: Token, ctx: Context) -> bool:
    """Said or done by a side of public life: a state, an office, a force, an organisation, a named person."""
    who = acting(t)
    if who is None:
        return is_passive(t)
    if ctx.sport():
        return False
    if classes(who) & STRONG or "protester" in classes(who) or who.ent_type_ == "PERSON":
        return True
    return lower(who) in ("he", "she", "they", "it", "who") and any(classes(w) & STRONG for w in sentence(t))


def asks_whether(t: Token, ctx: Context) -> bool:
    """ "asked whether", "was asked how"."""
    words = {lower(w) for x in children(t, "ccomp") for w in x.children}
    return bool(words & {"whether", "if", "how", "why", "what", "when", "who"})


def must(t: Token, ctx: Context) -> bool:
    """To insist on something, or that somebody do it: not that something is so."""
    if any(p == "on" for p, _ in prepositions(t)):
        return True
    return any(x.tag_ == "VB" or any(lower(a) in ("must", "should") for a in x.children) for x in children(t, "ccomp"))


def poll(t: Token, ctx: Context) -> bool:
    """Answers of voters: "52 percent agreed"."""
    who = acting(t)
    return who is not None and (
        lemma(who) in ("percent", "voter", "majority", "percentage") or who.ent_type_ == "PERCENT"
    )


def opinion(t: Token) -> bool:
    """To agree *that* something is so: an opinion, unless states or armed sides agree that something shall be."""
    if not children(t, "ccomp") or children(t, "xcomp", "dobj"):
        return False
    who = acting(t)
    return who is None or not (who.ent_type_ in POLITY or classes(who) & {"military", "rebel", "government"})


def offering(t: Token, ctx: Context) -> bool:
    """An offer between sides: of aid, talks, troops, concessions, or to do something."""
    if children(t, "xcomp"):
        return True
    given = undergoer(t)
    if given is None:
        return False
    return bool(classes(given) & {"aid", "talks", "military", "weapon", "agreement", "demand"}) or lemma(given) in (
        "concession",
        "refuge",
        "amnesty",
        "mediation",
        "truce",
        "ceasefire",
        "reward",
        "help",
        "support",
        "cooperation",
    )


def warnverb(t: Token, ctx: Context) -> bool:
    """A warning that threatens a consequence of the speaker's own side."""
    who = acting(t)
    if who is None or not classes(who) & {"government", "rebel", "military", "police", "entity"}:
        return False
    words = {lemma(w) for c in children(t, "ccomp") for w in [c, *c.children]}
    return bool(words & {"will", "would", "wo", "shall", "tolerate", "retaliate", "face", "consequence"}) or has_under(
        t,
        frozenset(
            {"consequence", "consequences", "retaliation", "war", "sanctions", "action", "reprisal", "reprisals"}
        ),
    )


_OFFERED = word_lists("words.txt")["offered"]


def ready(t: Token, ctx: Context) -> bool:
    """ "is ready to talk" of a public side; not "she holds a maize, ready to sell it"."""
    if not children(t, "xcomp") or t.head.pos_ not in ("AUX", "VERB"):
        return False
    if t.dep_ in ("advcl", "amod", "acl") or (t.head.pos_ == "VERB" and children(t.head, "dobj")):
        return False
    return any(classes(s) & POLITICAL or lower(s) in ("he", "she", "it", "they") for s in children(t.head, "nsubj"))


def chargeverb(t: Token, ctx: Context) -> bool:
    """To charge somebody with a wrong, not a phone with a cable."""
    whom = undergoer(t)
    if whom is None or not is_human(whom):
        return False
    things = [whom, *(x for p, x in prepositions(t) if p in ("with", "via", "from"))]
    return not any(x.ent_type_ == "PRODUCT" or lemma(x) in _CHARGED or lower(x) in _CHARGED for x in things)


def receives(t: Token, ctx: Context) -> bool:
    """A side of public life receives somebody: not a letter, a call, a share of a revenue."""
    met = children(t, "nsubjpass") if is_passive(t) else children(t, "dobj")
    if not met or met[0].pos_ == "NUM" or met[0].ent_type_ in _MEASURES:
        return False
    if not classes(met[0]) & {"government", "person", "rebel", "military", "protester"} and met[0].ent_type_ != "GPE":
        return lower(met[0]) in ("him", "her", "them") and named_side(grammatical_subject(t))
    host = agent_of(t) if is_passive(t) else grammatical_subject(t)
    return host is None or named_side(host)


def authority(t: Token, ctx: Context) -> bool:
    """Allowed by a side that could have forbidden it: a method, a telescope or an app only makes it possible."""
    if any(lemma(x) in _ENABLED for x in children(t, "xcomp", "ccomp")):
        return False
    who = doer(t)
    if who is None:
        return True
    if any(c.isdigit() for c in who.text) or who.ent_type_ in ("PRODUCT", "WORK_OF_ART", "LAW"):
        return False
    return bool(who.ent_type_) or bool(classes(who) - {"entity"})


_CHARGED = word_lists("words.txt")["charged"]
_MEASURES = frozenset({"PERCENT", "MONEY", "QUANTITY", "CARDINAL", "DATE", "TIME"})
_ENABLED = word_lists("words.txt")["enabled"]


def threatverb(t: Token, ctx: Context) -> bool:
    who = acting(t)
    return who is not None and is_human(who)


def requestnoun(t: Token, ctx: Context) -> bool:
    return t.dep_ in ("dobj", "nsubj", "nsubjpass", "ROOT") and (noun_owner(t) is not None or t.dep_ == "nsubjpass")


def agreenoun(t: Token, ctx: Context) -> bool:
    if not political_noun(t, ctx):
        return False
    return (
        t.dep_ == "ROOT" or t.dep_ == "nsubj" or lemma(t.head) in {"reach", "near", "strike", "announce", "part"}
    ) and (any(p in ("to", "on", "between", "with") for p, _ in prepositions(t)) or bool(children(t, "acl", "relcl")))


def suspectverb(t: Token, ctx: Context) -> bool:
    return any(p == "of" for p, _ in prepositions(t)) and t.dep_ in ("ROOT", "ccomp", "conj")


def claimverb(t: Token, ctx: Context) -> bool:
    return bool(ctx.here.get("conflict", 0) or ctx.here.get("casualty", 0)) and has_under(
        t, frozenset({"responsibility", "credit"})
    )


def talknoun(t: Token, ctx: Context) -> bool:
    if not political_noun(t, ctx):
        return False
    return (
        any(p in ("between", "with") for p, _ in prepositions(t)) and t.dep_ in ("nsubj", "ROOT", "dobj", "nsubjpass")
    ) or lemma(t.head) in {"hold", "begin", "resume", "have"}


def visitverb(t: Token, ctx: Context) -> bool:
    who = acting(t)
    return (
        who is not None
        and bool(classes(who) & {"government", "entity"})
        and not (classes(who) & {"protester"} and not classes(who) & {"government"})
    )


def crit(t: Token, ctx: Context) -> bool:
    who, to = doer(t), undergoer(t)
    if ctx.sport():
        return False
    if lemma(t) in {"slam", "blast", "rap", "assail"}:
        people = {"government", "entity", "organisation", "person"}
        return (
            who is not None
            and bool(classes(who) & people)
            and to is not None
            and bool(classes(to) & (people | {"abstract"}))
            and not ctx.here.get("casualty", 0)
        )
    return who is None or is_human(who)
