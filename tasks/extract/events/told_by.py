"""Who says that an event was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tasks import tables
from tasks.extract.events.candidates import Candidate
from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import (
    PRONOUNS,
    above,
    chars,
    children,
    doer,
    is_human,
    is_passive,
    lemma,
    lower,
    phrase,
    sentence,
    words_at,
)

Token = Any
_STANCE_ALLEGED = frozenset({"claims", "accuses", "alleges"})
_SKIP_SOURCES = frozenset({"it", "they", "we", "i", "you", "there", "which", "that", "who", "this"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who says so: words and code points in the article, whether the saying is a claim, and the quote it comes from."""

    text: str
    start: int
    end: int
    verb: Token | None
    alleged: bool
    source_id: str | None = None
    quote_id: str | None = None


_TELLS = frozenset({"report", "confirm", "describe", "allege", "deny"})
"""Verbs of saying whose object can be what was: "police reported no arrests"."""


def verbs(name: str) -> frozenset[str]:
    return word_lists("verbs.txt")[name]


def _source_of(say: Token) -> Token | None:
    who = doer(say)
    if who is None or lower(who) in _SKIP_SOURCES:
        return None
    if who.pos_ not in ("NOUN", "PROPN", "PRON", "NUM", "ADJ"):
        return None
    return who


def attribute(c: Candidate, quotes: list[tables.Quote]) -> Attribution | None:
    """Who says that an event was: the quote it stands in, else the verb of saying or "according to" over it."""
    t = c.token
    doc = t.doc
    for q in quotes:
        spans = q.parts or [tables.Span(start=q.start, end=q.end)]
        if (
            q.speaker_text
            and q.speaker_start is not None
            and q.speaker_end is not None
            and any(s.start <= t.idx < s.end for s in spans)
        ):
            if c.has("spoken") and q.cue_start is not None and q.cue_start == t.idx:
                continue
            return Attribution(
                text=q.speaker_text, start=q.speaker_start, end=q.speaker_end, verb=None,
                alleged=q.stance in _STANCE_ALLEGED, source_id=q.source_id, quote_id=q.quote_id,
            )  # fmt: skip
    below = t
    for h in above(t):
        if (
            h.pos_ == "VERB"
            and lemma(h) in verbs("say")
            and (
                below.dep_ in ("ccomp", "parataxis", "acl", "oprd", "xcomp", "dep", "advcl", "conj")
                or (below.dep_ == "dobj" and lemma(h) in _TELLS)
            )
        ):
            if below.dep_ in ("advcl", "conj") or (below.dep_ == "xcomp" and not is_passive(h)):
                below = h
                continue
            who = _source_of(h)
            if who is not None:
                return _attribution(doc, who, h, lemma(h) in verbs("alleged"))
        below = h
    return _according(t) or _shared(t) or _trailing(t)


def _attribution(doc: Any, who: Token, verb: Token | None, alleged: bool) -> Attribution:
    a, b = phrase(who)
    b = next((i - 1 for i in range(who.i + 1, b + 1) if _dates(doc[i])), b)  # "the party on Friday said"
    start, end = chars(doc, a, b)
    return Attribution(text=words_at(doc, a, b), start=start, end=end, verb=verb, alleged=alleged)


def _dates(t: Token) -> bool:
    return bool(t.dep_ == "prep" and any(o.ent_type_ in ("DATE", "TIME") for o in t.children))


def _according(t: Token) -> Attribution | None:
    """ "according to X" in the clause of the word."""
    for w in sentence(t):
        if lower(w) == "according" and w.i + 2 < len(t.doc) and lower(w.nbor(1)) == "to":
            for p in w.children:
                for o in p.children:
                    if o.dep_ == "pobj":
                        return _attribution(t.doc, o, None, False)
    return None


def _shared(t: Token) -> Attribution | None:
    """ "…, X said" and "X said …" at the sentence's top, over clauses joined to the one it governs."""
    root = sentence(t).root
    if root.pos_ != "VERB" or lemma(root) not in verbs("say") or root.i == t.i:
        return None
    inside = children(root, "ccomp", "parataxis")
    if not inside:
        return None
    top = _top_under(t, root)
    if top is None or top.dep_ not in ("ccomp", "parataxis", "conj", "dep"):
        return None
    if top.dep_ == "conj" and top.i > root.i:
        return None
    who = _source_of(root)
    return _attribution(t.doc, who, root, lemma(root) in verbs("alleged")) if who is not None else None


def _trailing(t: Token) -> Attribution | None:
    """ "…, X said on Monday." at a sentence's end, however the parse hangs it."""
    sent = sentence(t)
    for w in t.doc[max(t.i + 1, sent.end - 14) : sent.end]:
        if w.pos_ != "VERB" or lemma(w) not in verbs("say") or is_passive(w):
            continue
        subject = next(iter(children(w, "nsubj")), None)
        if subject is None and (told := _before_saying(t, w)) is not None:
            return told
        if (
            subject is None
            or w.i in {h.i for h in above(t)}
            or subject.i > w.i
            or subject.i <= t.i
            or _source_of(w) is None
        ):
            continue
        first = phrase(subject)[0]
        if first > t.i and t.doc[first - 1].text in (",", "”", '"', "''") and not children(w, "ccomp", "dobj"):
            return _attribution(t.doc, subject, w, lemma(w) in verbs("alleged"))
    return None


def _before_saying(t: Token, say: Token) -> Attribution | None:
    """ "…, the agency (IOM) said today" where the parse gives the verb no subject: the words behind the last comma."""
    doc, first = t.doc, say.i
    while first - 1 > t.i and doc[first - 1].text != "," and say.i - first < 14:
        first -= 1
    words = doc[first : say.i]
    if doc[first - 1].text != "," or not len(words) or words[0].pos_ not in ("DET", "NOUN", "PROPN", "ADJ", "NUM"):
        return None
    if any(w.pos_ in ("VERB", "AUX", "PRON", "SCONJ") for w in words) or not any(is_human(w) for w in words):
        return None
    start, end = chars(doc, first, say.i - 1)
    return Attribution(
        text=words_at(doc, first, say.i - 1), start=start, end=end, verb=None, alleged=lemma(say) in verbs("alleged")
    )


def by_itself(c: Candidate, actor: Token | None, said: Attribution | None) -> bool:
    """Whether an act of words is told by who does it: "Trump says he is making a demand" is the demand."""
    if said is None or actor is None or not c.has("spoken"):
        return False
    if said.start <= actor.idx < said.end:
        return True
    return lower(actor) in PRONOUNS and lower(actor) == said.text.lower()


def _top_under(t: Token, root: Token) -> Token | None:
    w = t
    for _ in range(60):
        if w.head.i == root.i:
            return w
        if w.head.i == w.i:
            return None
        w = w.head
    return None
