"""Whether an event is told as having happened."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.candidates import Candidate
from tasks.extract.events.syntax import (
    PRONOUNS,
    above,
    children,
    classes,
    doer,
    grammatical_subject,
    lemma,
    lower,
)
from tasks.extract.events.told_by import Attribution, verbs

Token = Any
_TENTATIVE = frozenset({"may", "might", "could", "can"})
_PRESUPPOSED = frozenset("after following since because amid despite during when while as in before until over".split())


def _clause_head(t: Token) -> Token:
    """The verb a word stands under, or the word itself where it is one."""
    if t.pos_ in ("VERB", "AUX"):
        return t
    return next((h for h in above(t) if h.pos_ in ("VERB", "AUX")), t)


def _negated(v: Token) -> bool:
    return any(c.dep_ == "neg" or lower(c) in ("never", "not", "n't") for c in v.children)


def _no_determiner(t: Token) -> bool:
    return any((c.dep_ == "det" and lower(c) == "no") or lower(c) == "neither" for c in t.children)


def _auxiliaries(v: Token) -> set[str]:
    out = {lower(c) for c in v.children if c.dep_ in ("aux", "auxpass")}
    if v.dep_ == "conj" and not out:
        out |= {lower(c) for c in v.head.children if c.dep_ == "aux" and c.i < v.i}
    return out


def judge(c: Candidate, attribution: Attribution | None) -> str:
    """The modality of a candidate."""
    t = c.token
    unreal = None if c.said or c.fixed else _unreal(c)
    if unreal:
        return unreal
    if c.alleged or (attribution is not None and attribution.alleged and not c.has("spoken")) or _allegedly(t):
        return "alleged"
    if attribution is not None:
        return "reported"
    return "asserted"


def _allegedly(t: Token) -> bool:
    v = _clause_head(t)
    words = {lower(x) for w in (t, v) for x in w.children}
    return bool(words & {"allegedly", "alleged", "purported", "supposedly"})


def _own_doubt(t: Token) -> str | None:
    """What stands on the word itself: negation, modals, adjectives."""
    aux = _auxiliaries(t) if t.pos_ in ("VERB", "AUX") else set()
    if t.pos_ in ("VERB", "AUX"):
        if _negated(t) or any(
            _no_determiner(s) for s in children(t, "nsubj", "nsubjpass", "dobj") if lemma(s) not in ("doubt",)
        ):
            return "negated"
        if any(c.dep_ == "advmod" and lower(c) in ("nearly", "almost", "barely") for c in t.children):
            return "negated"
        if aux & _TENTATIVE:
            return "hypothetical"
        if aux & {"will", "'ll", "wo", "shall", "would", "'d"}:
            return "expected"
        if aux & {"should", "must", "ought"}:
            return "hypothetical"
        return None
    words = {lower(x) for x in t.children}
    if _no_determiner(t) or lower(t.head) == "without":
        return "negated"
    if words & {
        "possible",
        "potential",
        "hypothetical",
        "any",
        "would-be",
        "imminent",
        "further",
        "future",
        "feared",
        "likely",
    }:
        return "hypothetical"
    if words & {"planned", "proposed", "scheduled", "intended"}:
        return "planned"
    if words & {"expected", "anticipated", "forthcoming", "upcoming"}:
        return "expected"
    return None


def _unreal(c: Candidate) -> str | None:
    t = c.token
    own = _own_doubt(t)
    if own:
        return _whose_plan(t, own)
    below = t
    steps = 0
    for h in above(t):
        steps += 1
        if steps > 9:
            break
        if below.dep_ in ("relcl", "appos") or (below.dep_ in ("acl", "amod") and below.tag_ == "VBN"):
            break  # "if they enter the city, seized in 2014": what only describes a noun is told as known
        if (below.dep_ in ("prep", "advcl") and lower(below) in _PRESUPPOSED) or any(
            x.dep_ == "mark" and lower(x) in _PRESUPPOSED for x in below.children
        ):
            break
        got = _from_above(below, h, t)
        if got == "stop":
            break
        if got:
            return got
        below = h
    return None


_STOP = "stop"
_LEADS = frozenset({"lead", "result", "cause", "trigger", "spark", "provoke", "prompt", "kill", "injure", "wound"})


def _condition(v: Token) -> bool:
    return any(x.dep_ == "mark" and lower(x) in ("if", "unless", "whether") for x in v.children)


def _from_above(below: Token, h: Token, t: Token) -> str | None:
    """What a word over the event makes of it; "stop" where its power ends."""
    if below.pos_ in ("VERB", "AUX") and below.dep_ in ("advcl", "ccomp") and _condition(below):
        return "hypothetical"
    infinitive = below.pos_ in ("VERB", "AUX") and any(lower(x) == "to" and x.dep_ == "aux" for x in below.children)
    word = lemma(h)
    if below.dep_ == "advcl":
        if below.tag_ == "VBG" and lemma(below) in _LEADS and h.pos_ in ("VERB", "AUX"):
            return _own_doubt(h)  # "protests will erupt, leading to clashes"
        return "planned" if infinitive else _STOP
    if infinitive and below.dep_ in ("acl", "relcl"):
        return "planned"
    if below.dep_ == "acomp" and h.pos_ in ("VERB", "AUX") and _auxiliaries(h) & _TENTATIVE:
        return "hypothetical"  # "they may be willing to pay"
    if below.dep_ == "nsubj" and below.pos_ == "NOUN" and any(x.tag_ == "VBD" for x in children(below, "relcl")):
        return _STOP  # "a stabbing that killed a passenger may have followed a quarrel"
    if below.dep_ == "nsubj" and h.pos_ in ("VERB", "AUX"):
        if any(
            lower(a) in ("likely", "possible", "imminent", "expected", "feared", "inevitable")
            for a in h.children
            if a.dep_ in ("acomp", "attr", "oprd", "advmod")
        ):
            return "expected"
        return (
            _own_doubt(h)
            if h.pos_ in ("VERB", "AUX")
            and word
            in ("be", "occur", "happen", "continue", "take", "break", "spread", "erupt", "begin", "follow", "kill")
            else None
        )
    if below.dep_ == "nsubjpass":
        if word in verbs("expect"):
            return "expected"
        if word in ("avert", "prevent", "foil", "thwart", "avoid"):
            return "negated" if below.pos_ == "NOUN" else None
        if word in ("plan", "schedule", "propose"):
            return "planned"
        return _own_doubt(h)
    if below.dep_ in ("xcomp", "ccomp", "dobj", "pobj", "pcomp", "prep", "acl", "oprd", "conj", "attr"):
        return _governed(below, h, word, infinitive)
    return None


def _told_as_past(v: Token) -> bool:
    """ "announced that it had shelled the town": what is announced has been."""
    aux = _auxiliaries(v)
    if aux & {"will", "'ll", "wo", "shall", "would", "'d", "should", "must", "may", "might", "could", "can", "to"}:
        return False
    return v.tag_ == "VBD" or (v.tag_ == "VBN" and bool(aux & {"had", "has", "have", "was", "were", "been", "'ve"}))


_BRINGS = frozenset({"put", "place", "keep", "bring", "take", "lead", "result", "resort", "come"})
_ALLOWS = frozenset({"allow", "permit", "enable", "empower", "entitle"})
_ORDERS = frozenset({"instruction", "order", "directive", "decision", "plan", "directions"})


def _governed(below: Token, h: Token, word: str, infinitive: bool) -> str | None:
    if h.pos_ == "ADJ" and below.dep_ in ("xcomp", "ccomp") and word in ("unable", "able", "reluctant", "unwilling"):
        denied = word != "able" or any(x.dep_ == "neg" for x in [*h.children, *h.head.children])
        return "negated" if denied else None
    if infinitive and below.dep_ in ("xcomp", "ccomp"):
        if word in _ALLOWS:
            return "hypothetical"
        if any(lemma(s) in _ORDERS for s in children(h, "nsubjpass", "nsubj")):
            return "planned"  # "instructions have been passed to detain them"
    content = below.dep_ in ("xcomp", "ccomp", "dobj", "pcomp", "acl") or below.dep_ == "prep"
    if content and below.dep_ != "prep":
        if word in ("fail", "refuse", "decline", "deny", "avoid", "prevent", "avert", "foil", "thwart"):
            return "negated" if word != "deny" else "alleged"
        if below.dep_ != "dobj" or word in (
            "plan",
            "threaten",
            "fear",
            "expect",
            "consider",
            "anticipate",
            "prepare",
            "want",
            "seek",
            "urge",
            "predict",
            "near",
            "approach",
            "demand",
            "propose",
        ):
            if word in ("fear", "worry", "consider", "risk") and not (word == "consider" and _told_as_past(below)):
                return "hypothetical"
            if word in verbs("expect"):
                return "expected"
            if (
                word in verbs("plan")
                and (infinitive or below.dep_ in ("dobj", "ccomp"))
                and (word not in ("tell", "ask") or (word == "ask" and infinitive and below.dep_ == "xcomp"))
                and not (below.dep_ == "ccomp" and _told_as_past(below))
            ):
                return "planned" if word not in ("want", "urge", "demand", "ask", "call", "warn") else "hypothetical"
            if word in ("accuse", "allege", "suspect", "charge") and below.dep_ in ("pcomp", "xcomp", "ccomp"):
                return "alleged"
    if below.dep_ == "prep" or below.dep_ in ("pobj", "acl"):
        if word in (
            "possibility",
            "threat",
            "prospect",
            "risk",
            "chance",
            "fear",
            "danger",
            "potential",
            "warning",
            "concern",
        ):
            return "hypothetical"
        if word in ("plan", "plot", "intention", "preparation", "proposal", "decision"):
            return "planned"
        if word in ("anticipation", "expectation"):
            return "expected"
        if word in ("accuse", "charge", "suspect", "accusation", "allegation"):
            return "alleged"
    if h.pos_ in ("VERB", "AUX") and below.dep_ in ("dobj", "xcomp", "attr", "pobj", "prep"):
        spills = lower(below) in ("in", "into") and not any(
            lower(c) in ("the", "this", "these") for o in children(below, "pobj") for c in o.children
        )  # "anger could spill over in protests", not "he could die in the war"
        if below.dep_ in ("dobj", "xcomp") or word in ("be", *_BRINGS) or spills:
            own = _own_doubt(h)
            if own and (below.dep_ != "prep" or word in _BRINGS or spills):
                return _whose_plan(h, own)
    if below.dep_ == "conj" and h.pos_ in ("VERB", "AUX") and below.pos_ in ("VERB", "AUX"):
        aux = _auxiliaries(h)
        if not _auxiliaries(below) and below.tag_ == "VB" and aux:
            return _own_doubt(h)
    return None


def _whose_plan(t: Token, own: str) -> str:
    """A "will" of the speaker's own is a plan; said by others it is expected."""
    if own != "expected":
        return own
    who = grammatical_subject(t)
    say = next((h for h in above(t) if lemma(h) in verbs("say") and h.pos_ == "VERB"), None)
    if who is None:
        return own
    if say is not None:
        speaker = doer(say)
        if lower(who) in PRONOUNS or (speaker is not None and lemma(speaker) == lemma(who)):
            return "planned"
        return own
    return (
        "planned"
        if classes(who) & {"government", "entity", "military", "rebel", "organisation", "protester", "person"}
        else own
    )
