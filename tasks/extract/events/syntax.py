"""Reading a dependency parse: who is subject, who is object, where a noun phrase begins and ends.

Tokens are spaCy tokens; every walk is bounded, for a broken parse of a hostile text can be very deep.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from tasks.extract.events.gazetteer import gazetteer
from tasks.extract.events.lexicon import noun_classes, word_lists
from tasks.extract.sources.mentions import noun_kinds

Token = Any
MAX_WALK = 60
MAX_PHRASE = 25
SUBJECTS = frozenset({"nsubj", "nsubjpass", "csubj"})
OBJECTS = frozenset({"dobj", "obj"})
RELATIVE = frozenset({"who", "which", "that", "whom"})
PRONOUNS = word_lists("words.txt")["pronouns"]
_HUMAN = frozenset({"civilian", "government", "police", "military", "rebel", "protester"})
_SPLIT = re.compile(r"[-‑]")
_INTRANSITIVE = frozenset("resort clash march rally protest withdraw flee".split())
_CASUALTIES = frozenset({"admit"}).union(
    *(word_lists("words.txt")[f"verbs_{f}"] for f in ("killed", "injured", "arrested"))
)
"""Verbs whose participle with a subject is a headline's passive: "12 killed in market blast"."""
SUFFERED = frozenset({"die", "perish", "succumb", "sustain", "suffer", "receive", "drown"})
"""Verbs whose subject is who it happens to."""


def sentence(t: Token) -> Any:
    """The sentence of a token."""
    return t.doc.sentence(t.i)


def lower(t: Token) -> str:
    return str(t.lower_)


def lemma(t: Token) -> str:
    word: str | None = t.lemma
    if word is None:
        word = t.lemma_.lower()
        if word[-1:] == "s" and t.tag_ == "NNPS" and word[:-1] in noun_classes():
            word = word[:-1]  # "Rockets hit …": at a sentence's beginning the tagger takes it for a name
        t.lemma = word
    return word


def hyphened(t: Token) -> tuple[str, ...]:
    """ "stone-pelting", "lathi-charge(d)" for the last word of what the tokeniser splits at hyphens; else nothing."""
    i = t.i
    if i < 2 or t.doc[i - 1].text not in ("-", "‑") or t.doc[i - 1].whitespace_ or t.doc[i - 2].whitespace_:
        return ()
    first = t.doc[i - 2].lower_
    return (f"{first}-{t.lower_}", f"{first}-{lemma(t)}")


_MEASURES = frozenset({"MONEY", "PERCENT", "QUANTITY", "DATE", "TIME", "ORDINAL"})
_CIVILIAN = frozenset({"civilian"})
_THINGS_TOO = word_lists("words.txt")["things_too"]


@functools.cache
def callings() -> frozenset[str]:
    """Nouns of persons that sources are known by; without those that name things as well ("model", "lock")."""
    return frozenset(noun for noun, kind in noun_kinds().items() if kind == "person") - _THINGS_TOO


def classes(t: Token) -> frozenset[str]:
    """Classes of a noun token: by lemma, last part of a compound, entity label, or being a people's name."""
    found: frozenset[str] | None = t.classes
    if found is None:
        found = t.classes = _classes(t)
    return found


def _classes(t: Token) -> frozenset[str]:
    known = noun_classes()
    word = lemma(t)
    found = known.get(word) or known.get(lower(t))
    if found is None:
        found = next((known[k] for k in (*hyphened(t), *_SPLIT.split(word)[-1:]) if k in known), frozenset())
    if not found and t.pos_ == "NOUN" and word in callings():
        found = _CIVILIAN
    ent = t.ent_type_
    extra: set[str] = set()
    if ent in ("GPE", "NORP") or (t.pos_ in ("PROPN", "ADJ", "NOUN") and gazetteer().demonym(word)):
        extra |= {"entity", "person"} if ent == "NORP" or ent != "GPE" else {"entity", "territory"}
    elif ent in ("ORG", "PERSON", "FAC", "LOC"):
        extra |= {"ORG": {"entity", "organisation"}, "PERSON": {"person"}, "FAC": {"building"}, "LOC": {"territory"}}[
            ent
        ]
    elif t.pos_ == "PROPN" and ent not in ("DATE", "TIME", "EVENT", "LAW", "MONEY"):
        extra |= {"entity"}
    if "civilian" in found or "rebel" in found or "police" in found:
        extra |= {"person"}
    if t.pos_ == "NUM" and ent not in _MEASURES:
        extra |= {"person", "civilian"}
    if t.pos_ == "PROPN" and ent in ("PERSON", "ORG", ""):
        for c in t.lefts:  # "Foreign Minister Oskar Fischer"
            if c.dep_ in ("compound", "nmod", "amod"):
                extra |= known.get(lower(c), frozenset()) & {"government", "military", "rebel", "police"}
    return found | extra if extra else found


def is_human(t: Token) -> bool:
    c = classes(t)
    return bool(c & _HUMAN) or "person" in c or "entity" in c or "organisation" in c or lower(t) in PRONOUNS


def children(t: Token, *deps: str) -> list[Token]:
    return [c for c in t.children if c.dep_ in deps]


def particle(t: Token, word: str) -> bool:
    return any(lower(c) == word and c.dep_ in ("prt", "advmod", "prep", "acomp") for c in t.children)


def prepositions(t: Token) -> Iterator[tuple[str, Token]]:
    """(preposition, its object) under a word, chains like "from the south of" once."""
    for c in t.children:
        if c.dep_ in ("prep", "agent", "dative") and c.pos_ in ("ADP", "SCONJ", "VERB"):
            for o in c.children:
                if o.dep_ in ("pobj", "pcomp"):
                    yield lower(c), o
                elif o.dep_ == "prep":
                    for oo in o.children:
                        if oo.dep_ == "pobj":
                            yield lower(o), oo


def conjuncts(t: Token) -> list[Token]:
    """The word and those joined to it by "and"."""
    out = [t]
    for _ in range(8):
        nxt = children(out[-1], "conj")
        if not nxt:
            break
        out.extend(nxt[:1])
    return out


def is_passive(v: Token) -> bool:
    if any(c.dep_ in ("nsubjpass", "auxpass") for c in v.children):
        return True
    if v.tag_ == "VBN" and v.dep_ in ("acl", "relcl", "advcl") and not children(v, "dobj", "nsubj"):
        return not any(c.dep_ in ("aux",) and lemma(c) == "have" for c in v.children)
    if (
        v.dep_ == "conj"
        and v.tag_ == "VBN"
        and v.head.tag_ == "VBN"
        and not any(c.dep_ in SUBJECTS for c in v.children)
    ):
        return is_passive(v.head) and not children(v, "dobj")
    if v.tag_ != "VBN" or children(v, "aux", "dobj") or lemma(v) in _INTRANSITIVE:
        return False
    return v.dep_ == "ROOT" or (lemma(v) in _CASUALTIES and bool(children(v, "nsubj")))


def antecedent(t: Token) -> Token:
    """A relative pronoun's noun; any other word is its own."""
    if lower(t) in RELATIVE:
        v = t.head
        for _ in range(4):
            if v.dep_ in ("relcl", "acl"):
                return v.head
            if v.dep_ not in ("conj", "xcomp", "ccomp", "pcomp", "prep"):
                break
            v = v.head
    return t


def grammatical_subject(v: Token, depth: int = 0) -> Token | None:
    """The subject of a verb, found through control, coordination and participles; passive or not."""
    own = children(v, "nsubj", "nsubjpass")
    if own:
        nearest = next((x for x in reversed(own) if x.i < v.i), own[0])  # "AHMEDABAD: one person was killed"
        if nearest.pos_ == "VERB" and children(nearest, "nsubj"):  # "the Red Cross operating in Iraq said"
            return children(nearest, "nsubj")[0]
        return antecedent(nearest)
    if depth > 6:
        return None
    if v.dep_ in ("acl", "relcl"):
        return v.head if v.head.pos_ in ("NOUN", "PROPN", "PRON", "NUM") else None
    if v.dep_ == "xcomp" and v.head.pos_ in ("VERB", "AUX", "ADJ"):
        controlled = children(v.head, "dobj")
        return (
            antecedent(controlled[0])
            if controlled and v.head.pos_ == "VERB"
            else grammatical_subject(v.head, depth + 1)
        )
    if (
        v.dep_ in ("conj", "advcl", "ccomp", "acomp", "attr", "dep")
        and v.head.pos_ in ("VERB", "AUX", "ADJ")
        and v.head.i != v.i
    ):
        return grammatical_subject(v.head, depth + 1)
    if v.dep_ == "pcomp" and v.head.head.pos_ in ("VERB", "AUX"):
        above = v.head.head
        accused = children(above, "dobj")
        if accused and lower(v.head) in ("of", "with", "for"):
            return antecedent(accused[0])
        return grammatical_subject(above, depth + 1)
    if v.dep_ == "pcomp" and v.head.head.pos_ in ("NOUN", "PROPN"):
        return noun_owner(v.head.head)
    return None


def is_fire_noun(t: Token) -> bool:
    """The "firing" of "in police firing", which the parser takes for a verb: a noun, though it is told as one."""
    if t.tag_ != "VBG" or t.i == 0 or children(t, "dobj") or t.dep_ not in ("acl", "pcomp", "amod"):
        return False
    before = t.nbor(-1)
    return before.dep_ == "pobj" and bool(classes(before) & {"police", "military"})


def toll_of(n: Token) -> Token | None:
    """The cause of a number that stands alone within a toll: the firing of "including 100 in police firing"."""
    told = n.head if n.dep_ == "nsubj" and lemma(n.head) == "be" else n  # "of which 100 were in police firing"
    if told is n and n.dep_ not in ("pobj", "conj", "appos", "npadvmod", "dobj"):
        return None
    for p, o in prepositions(told):
        if p in ("in", "by", "during") or (told is not n and p in ("to", "from")):
            after = o.nbor(1) if o.i + 1 < len(o.doc) else o
            return after if is_fire_noun(after) else o
    return None


def noun_owner(n: Token) -> Token | None:
    """X of "X's plan", "the X plan"."""
    if is_fire_noun(n):
        return n.nbor(-1)
    own = [c for c in children(n, "poss") if c.pos_ != "PRON" and c.ent_type_ not in ("DATE", "TIME")]
    if own:
        return own[0]
    for c in children(n, "compound", "amod", "nmod"):
        if c.pos_ == "ADJ" and not (c.ent_type_ in ("NORP", "GPE") or gazetteer().demonym(c.text)):
            continue  # "official protest", "general strike"
        if is_human(c):
            return c
    return None


def _suffers(v: Token) -> bool:
    """Whether a verb's subject is who it happens to: not the host who receives a guest."""
    word = lemma(v)
    if word == "receive" and any(c.pos_ != "NUM" and is_human(c) for c in children(v, "dobj", "nsubjpass")):
        return False
    return word in SUFFERED


def doer(v: Token) -> Token | None:
    """Who does what a verb says."""
    if _suffers(v):
        return None
    if v.tag_ == "VBG" and not children(v, "nsubj", "aux"):  # "police firing"
        owner = next(
            (c for c in children(v, "compound", "amod", "poss", "npadvmod", "nmod") if c.i < v.i and is_human(c)), None
        )
        if owner is not None:
            return owner
        if v.dep_ in ("pobj", "pcomp") and v.i and lower(v.nbor(-1)) in ("police", "army", "mob"):
            return v.nbor(-1)
    if is_passive(v):
        for c in v.children:
            if c.dep_ == "agent" or (c.dep_ == "prep" and lower(c) == "by"):
                got = [o for o in c.children if o.dep_ == "pobj"]
                if got:
                    return got[0]
        return None
    return grammatical_subject(v)


def undergoer(v: Token) -> Token | None:
    """To what it is done: the object, or the subject of a passive."""
    if is_passive(v) or _suffers(v):
        return grammatical_subject(v)
    own = children(v, "dobj")
    if own:
        return antecedent(own[0])
    if (
        v.dep_ == "relcl"
        and any(lower(s) not in RELATIVE for s in children(v, "nsubj"))
        and not children(v, "xcomp", "ccomp")
    ):
        return v.head  # "an atoll Beijing grabbed"
    for c in children(v, "conj"):  # "chased and lynched four men": theirs both
        if (
            c.pos_ == "VERB"
            and c.i - v.i <= 4
            and c.tag_ in (v.tag_, "VBD", "VBG")
            and not children(v, "prep", "xcomp")
        ):
            return next(iter(children(c, "dobj")), None)
    if v.dep_ == "conj" and v.head.pos_ == "VERB" and not children(v, "prep", "xcomp", "ccomp"):
        shared = children(v.head, "dobj")
        if shared and shared[0].i > v.i:
            return shared[0]
    return None


def under(t: Token, limit: int = MAX_WALK) -> Iterator[Token]:
    """Words below a word, nearest first, without what other clauses say, at most `limit` of them."""
    queue, n = [t], 0
    while queue and n < limit:
        w = queue.pop(0)
        for c in w.children:
            if c.dep_ in ("relcl", "advcl", "ccomp", "parataxis") or (c.dep_ == "conj" and c.pos_ == "VERB"):
                continue
            yield c
            n += 1
            queue.append(c)


def above(t: Token) -> Iterator[Token]:
    """Words over a word, nearest first."""
    for _ in range(MAX_WALK):
        if t.head.i == t.i:
            return
        t = t.head
        yield t


def phrase(t: Token) -> tuple[int, int]:
    """Token span of the noun phrase of a noun: what stands left of it, and "of …" right of it. No relative clauses."""
    start = end = t.i
    for c in t.lefts:
        if c.dep_ in (
            "det",
            "amod",
            "compound",
            "nummod",
            "poss",
            "nmod",
            "quantmod",
            "advmod",
            "predet",
            "punct",
            "npadvmod",
            "appos",
            "dep",
        ):
            if c.dep_ == "punct" and c.text not in ("-", "‘", "'", '"', "“"):
                continue
            if c.dep_ in ("advmod", "dep") and c.pos_ in ("VERB", "AUX"):
                continue
            start = min(start, c.left_edge.i)
    for c in t.rights:
        if c.dep_ in ("prep",) and lower(c) == "of" and c.right_edge.i - t.i <= 8:
            stop = c.i
            for o in c.children:
                if o.dep_ == "pobj":
                    stop = phrase(o)[1] if o.i - c.i < 8 else o.i
            end = max(end, stop)
        elif c.dep_ in ("compound", "nummod", "flat", "case") and c.i <= end + 2:
            end = max(end, c.right_edge.i)
        elif (
            c.dep_ == "conj"
            and c.pos_ in ("NOUN", "PROPN")
            and c.i - end <= 6
            and not any(x.pos_ == "VERB" for x in t.doc[end + 1 : c.i])
        ):
            end = max(end, phrase(c)[1])
    if end - start > MAX_PHRASE:
        start, end = max(start, t.i - 6), t.i
    while start < t.i and _no_beginning(t.doc[start], t.doc[start + 1]):
        start += 1
    return start, end


def _no_beginning(w: Token, after: Token) -> bool:
    """Marks, "only" and "just", and an article written twice ("A A New York man") begin no phrase."""
    if w.is_punct or w.is_space or w.lower_ in ("only", "just", "even", "also"):
        return True
    return w.lower_ in ("a", "an", "the") and after.lower_ in ("a", "an", "the")


def words_at(doc: Any, start: int, end: int) -> str:
    """The text of tokens start..end as `chars` bounds it. (`doc.text` is made anew at every call.)"""
    if end > start and doc[end].tag_ == "POS":
        end -= 1
    return str(doc[start : end + 1].text)


def chars(doc: Any, start: int, end: int) -> tuple[int, int]:
    """Code points of tokens start..end (both included), without a possessive ending."""
    if end > start and doc[end].tag_ == "POS":
        end -= 1
    return doc[start].idx, doc[end].idx + len(doc[end].text)
