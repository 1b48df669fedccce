"""The noun phrase that stands beside a name and says what its bearer is: "Xinhua, the state news agency,".

Read from tags and commas, not from the parse: parsers hang appositions wrongly more often than taggers err on nouns.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.extract.quotes.frame import Frame, hash_of, hashes
from tasks.extract.sources.mentions import Mention, noun_kinds, singular

REACH = 12
"""Tokens of a phrase that are looked at: a longer one is a clause."""

_NOUNS = frozenset(hashes("NN", "NNS", "NNP", "NNPS").tolist())
_INSIDE = _NOUNS | frozenset(hashes("DT", "PRP$", "JJ", "JJR", "JJS", "POS", "HYPH", "CD", "VBN", "VBG").tolist())
_STARTS = frozenset(hashes("DT", "PRP$", "JJ", "JJS", "NN", "NNP", "NNS").tolist())
_VERBS = frozenset(hashes("VBD", "VBZ", "VBP", "MD").tolist())
_PREPOSITION = hash_of("IN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Tokens lo to hi (end excluded) of the phrase; `noun` is its head; `tail` one past what hangs on it by "of"."""

    lo: int
    noun: int
    hi: int
    tail: int
    kind: str


def word(f: Frame, i: int) -> str:
    return str(f.words[i])


def after_name(f: Frame, x: Mention) -> Beside | None:
    """The phrase between commas after a name: ", 42, a farmer whose land lies below the dam,"."""
    if x.name is None:
        return None
    i = _past_brackets(f, x.name[1])
    if not _is(f, i, ",", "—", "–"):
        return None
    i += 1
    if age_at(f, i) and _is(f, i + 1, ","):
        i += 2
    return _phrase(f, i)


def _phrase(f: Frame, lo: int) -> Beside | None:
    if lo >= len(f) or int(f.tag[lo]) not in _STARTS:
        return None
    hi = lo
    while hi < min(lo + REACH, len(f)) and f.sent[hi] == f.sent[lo] and (_within(f, hi) or _joins(f, hi)):
        hi += 1
    noun = _head(f, lo, hi)
    if noun is None or (hi < len(f) and int(f.tag[hi]) in _VERBS and f.sent[hi] == f.sent[lo]):
        return None  # ", the minister said": the subject of the next clause
    return _made(f, lo, noun, noun + 1)


def _within(f: Frame, i: int) -> bool:
    return int(f.tag[i]) in _INSIDE


def _joins(f: Frame, i: int) -> bool:
    """The "and" of "Research and Advocacy Director"."""
    more = i + 1 < len(f) and int(f.tag[i + 1]) in _NOUNS
    return more and word(f, i) in ("and", "&") and int(f.tag[i - 1]) in _NOUNS


def _made(f: Frame, lo: int, noun: int, hi: int) -> Beside | None:
    kind = noun_kinds().get(singular(f, noun))
    if kind is None:
        return None
    tail = hi
    while tail < min(hi + REACH, len(f)) and f.sent[tail] == f.sent[lo]:
        small = word(f, tail) in ("of", "for", "at", "in", "from", "with", "and", "&")
        if not (small or int(f.tag[tail]) in _INSIDE) or (tail == hi and not small):
            break
        tail += 1
    while tail > hi and int(f.tag[tail - 1]) not in _NOUNS:
        tail -= 1
    return Beside(lo=lo, noun=noun, hi=hi, tail=tail, kind=kind)


def before_name(f: Frame, x: Mention) -> Beside | None:
    """The phrase before a name set off by commas: "The weather bureau, Pagasa, said", "A spokesman for X, Ann Lee,"."""
    if x.name is None:
        return None
    first = x.name[0]
    while first > x.lo and first > 0 and not _is(f, first - 1, ","):
        first -= 1  # with the title of the name
    if first < 2 or not _is(f, first - 1, ",") or f.sent[first - 1] != f.sent[first]:
        return None
    after = _past_brackets(f, x.name[1])
    if not (_is(f, after, ",", ".") or (after < len(f) and int(f.tag[after]) in _VERBS)):
        return None
    end = first - 1
    lo = end
    while lo > max(end - REACH, 0) and f.sent[lo - 1] == f.sent[end] and _fits_before(f, lo - 1):
        lo -= 1
        if int(f.tag[lo]) in (hash_of("DT"), hash_of("PRP$")) and not (lo and int(f.tag[lo - 1]) == _PREPOSITION):
            break
    fresh = lo == 0 or f.sent[lo - 1] != f.sent[lo] or not f.is_word[lo - 1] or word(f, lo - 1) in ("and", "but")
    if lo == end or not fresh:
        return None  # "told the bureau, Smith said": an object, not an apposition
    stop = next((k for k in range(lo, end) if int(f.tag[k]) == _PREPOSITION), end)
    noun = _head(f, lo, stop)
    return None if noun is None else _made(f, lo, noun, noun + 1)


def _fits_before(f: Frame, i: int) -> bool:
    return int(f.tag[i]) in _INSIDE or int(f.tag[i]) == _PREPOSITION


def _head(f: Frame, lo: int, hi: int) -> int | None:
    """The last noun of a run that is no possessor."""
    for k in range(hi - 1, lo - 1, -1):
        if int(f.tag[k]) in _NOUNS:
            return k
    return None


def _past_brackets(f: Frame, i: int) -> int:
    if _is(f, i, "("):
        for k in range(i + 1, min(i + 7, len(f))):
            if _is(f, k, ")"):
                return k + 1
    return i


def age_at(f: Frame, i: int) -> bool:
    """Whether a token is a person's age."""
    if i >= len(f):
        return False
    text = f.text[f.start[i] : f.end[i]]
    return text.isascii() and text.isdigit() and len(text) <= 3 and 10 <= int(text) <= 110


def _is(f: Frame, i: int, *texts: str) -> bool:
    return i < len(f) and f.text[f.start[i] : f.end[i]] in texts
