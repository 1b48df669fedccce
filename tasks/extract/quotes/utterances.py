"""How likely two quotes are one utterance: the same words said on one occasion, cut, quoted in part or told indirectly.

A logistic model over a dozen measures of the pair: how telling the words are that both share in order, what share of
the shorter text that is, whether the words in quotation marks contradict each other, speakers, days between. Words of a
quotation are the speaker's own, so where both go on differently inside their marks the speaker spoke twice.
Weights: utterances.json, by bench/train_groups.py. Measured in bench/eval_cross.py.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

from tasks.extract.quotes.lexicon import read_table
from tasks.extract.quotes.marks import find_quoted

MAX_WORDS = 400
"""Words of a quote that are compared."""
TOLD = -1
"""Piece of a word that stands in no quotation marks."""
TELLING = 0.4
"""Weight from which a word is about something."""
NAME_SHARE = 0.6
"""A name inside a sentence tells what is spoken of, less than another word whether it is the same utterance."""
FAR_DAYS = 10
MIN_OTHER = 3.0
"""What shared words must tell for two named speakers to be one by another's mistake: else each said them himself."""
MEASURES = (
    "shared", "share", "piece", "replaced", "edges", "topic", "same_speaker", "same_speaker_shared",
    "other_speaker", "other_speaker_shared", "gap_unlike", "far", "equal", "told", "short",
)  # fmt: skip

_OTHER = MEASURES.index("other_speaker")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SUFFIXES = frozenset(("jr", "sr", "ii", "iii", "iv"))
_BEGINS = frozenset(".!?:\n…—")
Grams = tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]
"""Runs of three words, and of two where both are telling."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A quote's words, how much each tells, and which quotation it stands in (TOLD: in none)."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, words: Sequence[str], weights: Sequence[float], pieces: Sequence[int]) -> Wording:
        return cls(tuple(map(sys.intern, words)), tuple(weights), tuple(pieces))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteKey:
    """What grouping needs of a quote. `seen_at`: when its article was published, or fetched; None if unknown."""

    quote_id: str
    article_id: str
    text: str
    kind: str
    source_id: str | None
    source: str | None  # the source's name
    seen_at: dt.datetime | None
    wording: Wording | None = None
    """What is compared of the text, where that was worked out before."""

    def renamed(self, source_id: str, source: str) -> QuoteKey:
        """The key with the source that its own is merged into."""
        return replace(self, source_id=source_id, source=source)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Utterance:
    """A quote's words, how much each tells, and which quotation it stands in (TOLD: in none)."""

    key: QuoteKey
    words: tuple[str, ...]
    weights: tuple[float, ...]
    pieces: tuple[int, ...]
    name: tuple[str, ...]  # telling words of the speaker's name

    @property
    def marked(self) -> int:
        """Words in quotation marks."""
        return sum(p != TOLD for p in self.pieces)

    @property
    def marked_weight(self) -> float:
        return sum(x for x, p in zip(self.weights, self.pieces, strict=True) if p != TOLD)


@functools.cache
def _weights() -> dict[str, float]:
    return {w: int(tenths) / 10 for tenths, words in read_table("word_weights.tsv") for w in words.split()}


@functools.cache
def _model() -> tuple[float, tuple[float, ...]]:
    """Intercept, and the weight of each of MEASURES."""
    data = json.loads((files("tasks.extract.quotes") / "utterances.json").read_text(encoding="utf-8"))
    return data["intercept"], tuple(data["weights"][m] for m in MEASURES)


def plain(word: str) -> str:
    return word.lower().replace("’", "").replace("'", "")


def utterance_of(key: QuoteKey) -> Utterance:
    said = key.wording or wording_of(key.text, key.kind)
    return Utterance(key=key, words=said.words, weights=said.weights, pieces=said.pieces, name=_name(key.source or ""))


def wording_of(text: str, kind: str) -> Wording:
    """What is compared of a quote of that kind: its first MAX_WORDS words, a "that" at its head left out."""
    inner = [q.inner for q in find_quoted(text)]
    known = _weights()
    words, weights, pieces = [], [], []
    at = 0
    for m in itertools.islice(_WORD.finditer(text), MAX_WORDS):
        while at < len(inner) and inner[at][1] <= m.start():
            at += 1
        word = plain(m.group())
        weight = 0.7 if word.isdigit() else 0.0 if len(word) < 2 else known.get(word, 1.0)
        before = text[max(m.start() - 3, 0) : m.start()].rstrip(" “\"'‘(’")
        if m.group()[0].isupper() and before and before[-1] not in _BEGINS:
            weight *= NAME_SHARE
        words.append(word)
        weights.append(weight)
        pieces.append(at if at < len(inner) and inner[at][0] <= m.start() else TOLD)
    if kind == "direct" and not inner:
        pieces = [0] * len(words)
    skip = int(words[:1] == ["that"])
    return Wording.of(words[skip:], weights[skip:], pieces[skip:])


def _name(source: str) -> tuple[str, ...]:
    """What is a name in a source's name: "Clinton" of "the Clinton campaign", or its telling words if nothing is."""
    known = _weights()
    words = [w for w in map(plain, _WORD.findall(source)) if len(w) > 1 and w not in _SUFFIXES]
    return tuple(w for w in words if w not in known) or tuple(w for w in words if known.get(w, 1.0) >= TELLING)


def likeness(a: Utterance, b: Utterance) -> float:
    """Chance that two quotes are one utterance, 0 to 1. The same whichever comes first."""
    intercept, weights = _model()
    values = measures(a, b)
    if said_by_others(values):
        return 0.0
    total = intercept + sum(w * x for w, x in zip(weights, values, strict=True))
    return 1 / (1 + math.exp(-total))


def said_by_others(values: tuple[float, ...]) -> bool:
    """Few words of two named speakers: a catchword, whatever else agrees."""
    return values[_OTHER] > 0 and math.expm1(values[0]) < MIN_OTHER


def measures(a: Utterance, b: Utterance) -> tuple[float, ...]:
    """The values of MEASURES for a pair. All are symmetric, and 0 where there is nothing to measure."""
    in_a, in_b = _covered(a, _grams(b)), _covered(b, _grams(a))
    shared = min(_told_by(a, in_a), _told_by(b, in_b))
    short = min(sum(a.weights), sum(b.weights))
    share = min(shared / short, 1.0) if short else 0.0
    same = same_speaker(a, b)
    days = days_between(a.key, b.key)
    gap = 0.4 if days is None else math.log1p(min(days, 60)) / math.log(61)
    both_marked = min(a.marked, b.marked) > 0
    own_a, own_b = (
        (_covered(a, _own_grams(b), own=True), _covered(b, _own_grams(a), own=True)) if both_marked else ([], [])
    )
    some = any(own_a) and any(own_b)
    alike = (
        min(_told_by(a, own_a), _told_by(b, own_b)) / max(min(a.marked_weight, b.marked_weight), 1e-9) if some else 0.0
    )
    log = math.log1p(shared)
    return (
        log,
        share,
        math.log1p(max(_whole_piece(a, in_a), _whole_piece(b, in_b))),
        _replaced(a, own_a, b, own_b) / 4 if some else 0.0,
        _edges(a, own_a, b, own_b) / 6 if some else 0.0,
        _topic(a, b),
        float(same is True),
        log * (same is True),
        float(same is False),
        log * (same is False),
        gap * (1 - min(alike, 1.0)),
        float(days is not None and days > FAR_DAYS),
        float(a.words == b.words),
        float(not both_marked),
        math.log1p(short),
    )


def same_speaker(a: Utterance, b: Utterance) -> bool | None:
    """None if either has no name. A bare surname agrees with every bearer of it."""
    if not a.name or not b.name:
        return None
    if a.key.source_id is not None and a.key.source_id == b.key.source_id:
        return True
    ours, theirs = frozenset(a.name), frozenset(b.name)
    return ours <= theirs or theirs <= ours or (a.name[-1] == b.name[-1] and a.name[0] == b.name[0])


def days_between(a: QuoteKey, b: QuoteKey) -> float | None:
    if a.seen_at is None or b.seen_at is None:
        return None
    return abs((a.seen_at - b.seen_at).total_seconds()) / 86400


# --------------------------------------------------------------------------- words that both have


@functools.lru_cache(maxsize=4096)
def _grams(u: Utterance) -> Grams:
    w, x = u.words, u.weights
    threes = frozenset(w[i : i + 3] for i in range(len(w) - 2))
    return threes, frozenset(w[i : i + 2] for i in range(len(w) - 1) if min(x[i], x[i + 1]) >= TELLING)


@functools.lru_cache(maxsize=4096)
def _own_grams(u: Utterance) -> Grams:
    """The same inside one quotation; of two words one telling is enough there."""
    w, x, p = u.words, u.weights, u.pieces
    threes = frozenset(w[i : i + 3] for i in range(len(w) - 2) if p[i] != TOLD and p[i] == p[i + 2])
    twos = (i for i in range(len(w) - 1) if p[i] != TOLD and p[i] == p[i + 1] and x[i] + x[i + 1] >= 0.5)
    return threes, frozenset(w[i : i + 2] for i in twos)


def _covered(u: Utterance, grams: Grams, *, own: bool = False) -> list[bool]:
    """Which words stand in a run that the other text has. `own`: in its quotations alone."""
    threes, twos = grams
    w, p = u.words, u.pieces
    out = [False] * len(w)
    for i in range(len(w) - 1):
        if own and p[i] == TOLD:
            continue
        if i + 2 < len(w) and w[i : i + 3] in threes and (not own or p[i] == p[i + 2]):
            out[i] = out[i + 1] = out[i + 2] = True
        elif w[i : i + 2] in twos and (not own or p[i] == p[i + 1]):
            out[i] = out[i + 1] = True
    return out


def _told_by(u: Utterance, covered: Sequence[bool]) -> float:
    return sum(x for x, c in zip(u.weights, covered, strict=True) if c)


def _whole_piece(u: Utterance, covered: Sequence[bool]) -> float:
    """What the words of the most telling quotation say that stands in the other text as a whole."""
    best = 0.0
    for piece, group in itertools.groupby(range(len(u.words)), key=u.pieces.__getitem__):
        places = list(group)
        if piece != TOLD and len(places) > 1 and all(covered[i] for i in places):
            best = max(best, sum(u.weights[i] for i in places))
    return best


def _replaced(a: Utterance, in_a: list[bool], b: Utterance, in_b: list[bool]) -> int:
    """Quoted words between shared ones that the other has otherwise, at most 4: a cut alone is none."""
    return min(*(_holes(u, c) for u, c in ((a, in_a), (b, in_b))), 4)


def _holes(u: Utterance, covered: list[bool]) -> int:
    first, last = covered.index(True), len(covered) - covered[::-1].index(True)
    return sum(not covered[i] and u.pieces[i] != TOLD for i in range(first, last))


def _edges(a: Utterance, in_a: list[bool], b: Utterance, in_b: list[bool]) -> int:
    """Words, at most 3 a side, by which both quotations go on beyond what they share, so differently."""
    before = (_left(u.pieces, c) for u, c in ((a, in_a), (b, in_b)))
    after = (_left(u.pieces[::-1], c[::-1]) for u, c in ((a, in_a), (b, in_b)))
    return min(*before, 3) + min(*after, 3)


def _left(pieces: Sequence[int], covered: list[bool]) -> int:
    first = covered.index(True)
    n = 0
    while n < min(first, 3) and pieces[first - 1 - n] == pieces[first]:
        n += 1
    return n


def _topic(a: Utterance, b: Utterance) -> float:
    """Share of the telling words, in any order, that both have: of the text that has less to tell."""
    bags = [{w: x for w, x in zip(u.words, u.weights, strict=True) if x >= TELLING} for u in (a, b)]
    both = sum(min(x, bags[1][w]) for w, x in bags[0].items() if w in bags[1])
    return both / max(min(sum(bag.values()) for bag in bags), 1e-9)
