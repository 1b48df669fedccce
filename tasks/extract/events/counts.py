"""How many were killed, injured, arrested, displaced: numbers of people with the word they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks.extract.events.amounts import amount, amount_of_one, from_numeral, qualified, words_for
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    RELATIVE,
    above,
    children,
    classes,
    grammatical_subject,
    is_passive,
    lemma,
    lower,
    sentence,
    toll_of,
    undergoer,
)

Token = Any
_PERSONS = ("killed", "injured", "arrested", "displaced")
_VERBS = {f: word_lists("words.txt")[f"verbs_{f}"] for f in _PERSONS}
_KILL_NOUNS = frozenset("murder killing massacre assassination execution slaughter beheading slaying lynching".split())
_HARM = frozenset("assault attack shoot stab beat hack club thrash poison strangle run".split())
_NOUNS = {
    "death": "killed",
    "fatality": "killed",
    "injury": "injured",
    "arrest": "arrested",
    "detention": "arrested",
    "casualty": "both",
    "wound": "injured",
}


_ADJECTIVES = {
    "dead": "killed",
    "wounded": "injured",
    "injured": "injured",
    "homeless": "displaced",
    "hurt": "injured",
    "alive": "killed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One number of people with the word it belongs to; start and end are code points of the number's words."""

    field: str
    min: int | None
    max: int | None
    start: int
    end: int
    token: Token


def find_counts(sent: list[Token]) -> list[Count]:
    """Counts of a sentence in text order."""
    out: list[Count] = []
    for t in sent:
        out.extend(_at(t))
    seen: set[tuple[str, int]] = set()
    kept = []
    for c in sorted(out, key=lambda c: (c.token.i, c.start)):
        if c.field == "displaced" and c.max == 1:
            continue  # one who fled long ago; nobody calls that displacement
        if (c.field, c.start) not in seen:
            seen.add((c.field, c.start))
            kept.append(c)
    return kept


def _at(t: Token) -> Iterator[Count]:
    le, lo = lemma(t), lower(t)
    if t.pos_ in ("VERB", "ADJ"):
        for field, verbs in _VERBS.items():
            if le in verbs:
                yield from _of_verb(t, field)
                return
    if t.pos_ == "VERB" and (_of_bomber(t) or _to_hospital(t)):
        field = "killed" if le in _BLOWN else "injured"
        yield from _count(t, grammatical_subject(t), field)
        return
    if t.pos_ == "VERB" and le in _HARM and _to_death(t):
        yield from _count(t, undergoer(t), "killed")
        return
    if t.pos_ in ("NOUN", "VERB") and (le in _KILL_NOUNS or lo in _KILL_NOUNS):
        yield from _of_noun(t, "killed")
    elif t.pos_ in ("NOUN", "PROPN") and le in _NOUNS:
        yield from _of_noun(t, _NOUNS[le])
    elif lo in _ADJECTIVES:
        yield from _of_adjective(t, _ADJECTIVES[lo])
    elif le in ("toll",):
        yield from _of_toll(t)
    elif le in ("sustain", "suffer", "receive"):
        if any(lemma(o) in ("injury", "wound", "burn") for o in children(t, "dobj")):
            yield from _count(t, grammatical_subject(t), "injured")
    elif le == "life" and any(lemma(h) in ("claim", "lose") for h in (t.head,)):
        yield from _count(t, t, "killed")
    elif le in ("custody",) and lemma(t.head) == "into":
        verb = t.head.head
        yield from _count(t, undergoer(verb), "arrested")
    elif t.like_num and (cause := toll_of(t)) is not None:
        harm = next((f for h in [*above(t)][:8] if (f := _field_of(h))), None)
        got = from_numeral(t)
        if harm is not None and got is not None:
            yield Count(field=harm, min=got.low, max=got.high, start=got.start, end=got.end, token=cause)
    elif le in ("round", "pick") and any(lower(c) == "up" for c in t.children):
        yield from _count(t, undergoer(t), "arrested")


def _field_of(t: Token) -> str | None:
    if t.pos_ == "VERB":
        return next((f for f, verbs in _VERBS.items() if lemma(t) in verbs), None)
    found = _NOUNS.get(lemma(t)) or _ADJECTIVES.get(lower(t))
    return found if found in _PERSONS else None


_BLOWN = frozenset({"blow", "explode", "detonate"})
_ADMITTED = frozenset({"admit", "rush", "hospitalise", "hospitalize"})


def _of_bomber(t: Token) -> bool:
    """ "Three bombers blew themselves up": they are dead."""
    return lemma(t) in _BLOWN and any(lower(o) in ("himself", "herself", "themselves") for o in children(t, "dobj"))


def _to_hospital(t: Token) -> bool:
    """ "Scores were admitted to a hospital": they are hurt."""
    if lemma(t) not in _ADMITTED or not is_passive(t):
        return False
    return lemma(t).startswith("hosp") or any(lemma(o) == "hospital" for c in children(t, "prep") for o in c.children)


def _to_death(t: Token) -> bool:
    words = [lower(w) for w in t.children]
    if "fatally" in words or "dead" in words:
        return True
    return any(lower(c) == "to" and any(lower(o) == "death" for o in c.children) for c in t.children)


def _bare_left(t: Token) -> Token | None:
    """ "… and eight are injured": a number that stands alone just before the verb group."""
    i = t.i - 1
    while i > sentence(t).start and lower(t.doc[i]) in (
        "are",
        "were",
        "was",
        "is",
        "been",
        "have",
        "has",
        "had",
        "being",
        "be",
        "also",
        "others",
        "other",
    ):
        i -= 1
    w = t.doc[i]
    return (
        w
        if (w.like_num or lower(w) in words_for("vague")) and w.dep_ != "nummod" and w.ent_type_ not in ("DATE", "TIME")
        else None
    )


def _of_verb(t: Token, field: str) -> Iterator[Count]:
    if t.pos_ == "ADJ" and t.dep_ == "amod":
        return
    intransitive = lemma(t) in ("die", "perish", "succumb", "flee")
    if lemma(t) == "claim":
        lives = [o for o in children(t, "dobj") if lemma(o) == "life"]
        for o in lives:
            yield from _count(t, o, "killed")
        return
    who = grammatical_subject(t) if intransitive else undergoer(t)
    if who is None and t.dep_ == "amod":
        who = t.head
    if t.dep_ == "acl" and not intransitive and is_passive(t):
        who = t.head
    if who is not None and lower(who) in RELATIVE:
        who = t.head if t.dep_ == "relcl" else who
    if lemma(t) == "capture" and who is not None and not classes(who) & {"civilian", "rebel", "military", "person"}:
        return
    bare = None if intransitive or children(t, "dobj", "nsubjpass", "nsubj") else _bare_left(t)
    yield from _count(t, bare if bare is not None else who, field)


def _none(t: Token) -> bool:
    return (
        any(lower(c) in ("no", "zero") for c in t.children)
        or lower(t) in ("none", "nobody", "no-one")
        or (lower(t) == "one" and any(lower(c) == "no" for c in t.children))
    )


def _count(t: Token, who: Token | None, field: str) -> Iterator[Count]:
    if who is None:
        return
    kinds = classes(who)
    if kinds & {"building", "territory", "weapon", "attackword"} and not kinds & {
        "civilian",
        "military",
        "police",
        "rebel",
    }:
        return
    if _none(who):
        yield Count(field=field, min=0, max=0, start=who.left_edge.idx, end=who.idx + len(who.text), token=t)
        return
    if lemma(who) == "person" and lower(who) == "number":
        return
    got = amount(who)
    if got is None:
        for c in children(who, "prep"):
            if lower(c) == "of" and (who.like_num or lower(who) in ("group", "number", "total", "body")):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
    if got is not None and not (got.low is None and got.high is None):
        negated = any(x.dep_ == "neg" or lower(x) in ("nearly", "almost") for x in t.children)
        if not negated:
            yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)


def _of_noun(t: Token, field: str) -> Iterator[Count]:
    fields = ("killed", "injured") if field == "both" else (field,)
    negative = _none(t) or (t.head.dep_ == "prep" and lower(t.head) == "without") or lower(t.head) == "without"
    if field == "both" and not negative:
        return
    if negative:
        word = next((c for c in t.children if lower(c) in ("no", "any", "other")), t)
        others = any(lower(c) == "other" for c in t.children)  # "killed only the bombers, without other casualties"
        for f in fields:
            if others and f == "killed":
                continue
            yield Count(field=f, min=0, max=0, start=min(word.idx, t.idx), end=t.idx + len(t.text), token=t)
        return
    got = None
    for c in t.children:
        if c.dep_ in ("nummod", "amod") and c.like_num:
            got = amount_of_one(t)
    if got is None and t.dep_ == "pobj" and lower(t.head) == "of":  # "dozens of arrests"
        up = t.head.head
        if lower(up) in words_for("vague"):
            got = amount_of_one(up)
    if got is None and t.tag_ == "NN" and not children(t, "nummod"):
        for c in children(t, "prep"):
            if lower(c) in ("of", "to"):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
        for o in children(t, "poss"):
            got = got or amount(o)
    if got is None and t.tag_ == "NNS":
        for c in children(t, "prep"):
            if lower(c) in ("of", "to"):
                got = next((a for o in children(c, "pobj") if (a := amount(o))), None)
    if got is not None:
        yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)


def _of_adjective(t: Token, field: str) -> Iterator[Count]:
    if lower(t) == "alive":
        if lemma(t.head) == "burn":
            yield from _count(t.head, undergoer(t.head), field)
        return
    head = t.head
    if t.dep_ in ("acomp", "attr", "oprd") and head.pos_ in ("AUX", "VERB"):
        whom = children(head, "dobj")
        if lemma(head) in ("leave", "find", "shoot", "gun") and whom:
            yield from _count(t, whom[0], field)
        elif lemma(head) in ("be", "leave", "find", "shoot", "remain"):
            yield from _count(t, grammatical_subject(head), field)
    elif t.dep_ == "amod" and head.pos_ in ("NOUN",) and lemma(head) in ("body",):
        yield from _count(t, head, field)
    elif t.dep_ in ("dobj", "ccomp", "conj") or t.pos_ in ("NOUN", "ADJ"):
        before = t.nbor(-1) if t.i > sentence(t).start else None
        if before is not None and (before.like_num or lower(before) in words_for("vague")):
            vague = words_for("vague")
            got = from_numeral(before) if before.like_num else qualified(before, before, vague[lower(before)])
            if got is not None:
                yield Count(field=field, min=got.low, max=got.high, start=got.start, end=got.end, token=t)
        elif t.dep_ in ("ccomp", "dobj") and lemma(head) in ("leave",):
            for c in [*children(t, "nsubj"), *children(head, "dobj")]:
                yield from _count(t, c, field)
                break


def _of_toll(t: Token) -> Iterator[Count]:
    """ "the death toll rose to 66", "raised the death toll to 77"."""
    if not any(lower(c) == "death" for c in t.children):
        return
    for w in (t, t.head):
        for c in children(w, "prep"):
            if lower(c) in ("to", "at", "of"):
                for o in children(c, "pobj"):
                    got = amount(o)
                    if got is not None:
                        yield Count(field="killed", min=got.low, max=got.high, start=got.start, end=got.end, token=t)
                        return
