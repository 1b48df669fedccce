"""Who says it, told in an aside: "The river, farmers say, has not been so low", "…, analysts warn, as the group …".

Read from tags and commas: the parser hangs an aside on either half of the clause that it breaks, or that on the aside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.extract.quotes.frame import Frame, hashes

REACH = 14
"""Tokens of an aside on either side of its verb: a longer one is a clause of its own."""

_PHRASE = frozenset(
    hashes("DT", "PDT", "JJ", "JJR", "JJS", "NN", "NNS", "NNP", "NNPS", "PRP", "PRP$", "POS", "CD", "HYPH").tolist()
)
_NOUNS = frozenset(hashes("NN", "NNS", "NNP", "NNPS", "PRP").tolist())
_VERBS = frozenset(hashes("VBD", "VBZ", "VBP", "VBN").tolist())
_FINITE = frozenset(hashes("VBD", "VBZ", "VBP", "MD").tolist())
_SMALL = frozenset(hashes("IN", "RB").tolist())
_TIMES = frozenset(hashes("DATE", "TIME").tolist())
_WHERE = frozenset(
    "statement interview report email letter tweet post conference court testimony briefing speech release".split()
)
_HELP = frozenset(("have", "has", "had", "also", "later", "now", "once"))
_OF = frozenset(("of", "for", "in", "at", "from", "and"))
_MARKS = frozenset((",", "—", "–", "―", "--"))
_ENDS = frozenset((".", "!", "?"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """Tokens lo to hi (end excluded) between its marks, `cue` its verb; `first` to `last` the sentence around it."""

    lo: int
    hi: int
    cue: int
    first: int
    last: int


def aside_at(f: Frame, cue: int) -> Aside | None:
    """The aside that a word attributes in: a mark, a phrase and this verb, or the verb and a phrase, and a mark."""
    first = int(np.searchsorted(f.sent, f.sent[cue]))
    last = int(np.searchsorted(f.sent, f.sent[cue], side="right"))
    if f.words[cue] in ("according", "to"):
        lo = cue - (f.words[cue] == "to")
        hi = _run(f, cue + 1, last, _PHRASE | _SMALL)
        named = f.words[lo] == "according"
    elif int(f.tag[cue]) in _VERBS:
        lo = cue
        while lo > max(first, cue - REACH) and (_in_phrase(f, lo - 1) or f.words[lo - 1] in _HELP):
            lo -= 1
        turned = lo == cue  # "says Ann Lee, a nurse": the name comes after
        hi = _run(f, cue + 1, last, _PHRASE | _SMALL) if turned else _when(f, cue + 1, last)
        named = any(int(f.tag[k]) in _NOUNS for k in (range(cue + 1, hi) if turned else range(lo, cue)))
    else:
        return None
    opened = lo - 1 > first and _text(f, lo - 1) in _MARKS
    closed = hi >= last or _text(f, hi) in _MARKS or _text(f, hi) in _ENDS
    return Aside(lo=lo, hi=hi, cue=cue, first=first, last=last) if named and opened and closed else None


def breaks_clause(f: Frame, a: Aside) -> bool:
    """Whether a clause goes on behind the aside with its verb, and has none before it: "The river, …, has not been"."""
    if a.hi >= a.last or _text(f, a.hi) not in _MARKS:
        return False
    after = a.hi + 1
    while after < a.last and f.words[after] in _ADVERBS:
        after += 1
    before = f.tag[a.first : a.lo - 1].tolist()
    return after < a.last and int(f.tag[after]) in _FINITE and any(t in _NOUNS for t in before)


_ADVERBS = frozenset("also still now already then never often only not".split())


def _in_phrase(f: Frame, k: int) -> bool:
    return int(f.tag[k]) in _PHRASE or f.words[k] in _OF


def _run(f: Frame, lo: int, last: int, tags: frozenset[int]) -> int:
    hi = lo
    while hi < min(last, lo + REACH) and int(f.tag[hi]) in tags and f.words[hi] not in ("that", "if", "as", "because"):
        hi += 1
    return hi


def _when(f: Frame, lo: int, last: int) -> int:
    """One past the day or the occasion after a verb, "on Monday", "in a statement": an object is no aside's."""
    hi = lo
    while hi < min(last, lo + REACH) and (int(f.ent[hi]) in _TIMES or int(f.tag[hi]) in _PHRASE | _SMALL):
        hi += 1
    told = hi > lo and (int(f.ent[hi - 1]) in _TIMES or f.words[hi - 1] in _WHERE)
    return hi if told and (int(f.ent[lo]) in _TIMES or f.words[lo] in ("on", "in", "at", "during")) else lo


def has_verb(f: Frame, lo: int, hi: int) -> bool:
    """Whether tokens lo to hi hold a finite verb after a noun."""
    tags = f.tag[lo:hi].tolist()
    return any(t in _FINITE and any(x in _NOUNS for x in tags[:k]) for k, t in enumerate(tags))


def _text(f: Frame, k: int) -> str:
    return str(f.words[k])
