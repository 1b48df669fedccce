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
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
class Speech:
    """A quote's words, how much each tells, and which quotation it stands in (TOLD: in none)."""

    words: tuple[str, ...]
    weights: tuple[float, ...]
    pieces: tuple[int, ...]

    @classmethod
    def of(cls, words: Sequence[str], weights: Sequence[float], pieces: Sequence[int]) -> Speech:
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
    speech: Speech | None = None
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
    said = key.speech or speech_of(key.text, key.kind)
    return Utterance(key=key, words=said.words, weights=said.weights, pieces=said.pieces, name=_name(key.source or ""))


def speech_of(text: str, kind: str) -> Speech:
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
    return Speech.of(words[skip:], weights[skip:], pieces[skip:])


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
    ours, theirs = _facts(a), _facts(b)
    in_a, in_b = _covered(a, theirs.grams), _covered(b, ours.grams)
    shared = min(_told_by(a, in_a), _told_by(b, in_b))
    short = min(ours.weight, theirs.weight)
    share = min(shared / short, 1.0) if short else 0.0
    same = same_speaker(a, b)
    days = days_between(a.key, b.key)
    gap = 0.4 if days is None else math.log1p(min(days, 60)) / math.log(61)
    both_marked = min(ours.marked, theirs.marked) > 0
    own_a, own_b = (
        (_covered(a, theirs.own_grams, own=True), _covered(b, ours.own_grams, own=True)) if both_marked else ([], [])
    )
    some = True in own_a and True in own_b
    alike = (
        min(_told_by(a, own_a), _told_by(b, own_b)) / max(min(ours.marked_weight, theirs.marked_weight), 1e-9)
        if some
        else 0.0
    )
    log = math.log1p(shared)
    return (
        log,
        share,
        math.log1p(max(_whole_piece(ours.whole, in_a), _whole_piece(theirs.whole, in_b))),
        _replaced(a, own_a, b, own_b) / 4 if some else 0.0,
        _edges(a, own_a, b, own_b) / 6 if some else 0.0,
        _topic(ours.bag, theirs.bag),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a text is asked for with each text it is compared with."""

    weight: float
    marked: int
    marked_weight: float
    bag: Mapping[str, float]  # telling words
    grams: Grams
    own_grams: Grams
    whole: tuple[tuple[range, float], ...]  # quotations of two words and more, and what each tells


@functools.lru_cache(maxsize=8192)
def _facts(u: Utterance) -> _Facts:
    w, x, p = u.words, u.weights, u.pieces
    threes, twos = list(zip(w, w[1:], w[2:], strict=False)), list(itertools.pairwise(w))
    return _Facts(
        weight=sum(x),
        marked=marked(u),
        marked_weight=marked_weight(u),
        bag={word: weight for word, weight in zip(w, x, strict=True) if weight >= TELLING},
        grams=(frozenset(threes), frozenset(t for i, t in enumerate(twos) if min(x[i], x[i + 1]) >= TELLING)),
        # inside one quotation; of two words one telling is enough there
        own_grams=(
            frozenset(t for t, a, b in zip(threes, p, p[2:], strict=False) if a == b != TOLD),
            frozenset(t for i, t in enumerate(twos) if p[i] == p[i + 1] != TOLD and x[i] + x[i + 1] >= 0.5),
        ),
        whole=tuple(
            (places, sum(x[i] for i in places))
            for places in _pieces(p) if p[places[0]] != TOLD and len(places) > 1
        ),
    )  # fmt: skip


def marked(u: Utterance) -> int:
    """Words in quotation marks."""
    return len(u.pieces) - u.pieces.count(TOLD)


def marked_weight(u: Utterance) -> float:
    return sum(x for x, p in zip(u.weights, u.pieces, strict=True) if p != TOLD)


def _pieces(pieces: Sequence[int]) -> Iterator[range]:
    at = 0
    for _, group in itertools.groupby(pieces):
        end = at + len(list(group))
        yield range(at, end)
        at = end


def _covered(u: Utterance, grams: Grams, *, own: bool = False) -> list[bool]:
    """Which words stand in a run that the other text has. `own`: inside one quotation alone."""
    w, p = u.words, u.pieces
    out = [False] * len(w)
    threes, twos = grams
    for i in [i for i, run in enumerate(zip(w, w[1:], w[2:], strict=False)) if run in threes]:
        if not own or p[i] == p[i + 2] != TOLD:
            out[i : i + 3] = (True, True, True)
    for i in [i for i, run in enumerate(itertools.pairwise(w)) if run in twos]:
        if not own or p[i] == p[i + 1] != TOLD:
            out[i : i + 2] = (True, True)
    return out


def _told_by(u: Utterance, covered: Sequence[bool]) -> float:
    return sum(itertools.compress(u.weights, covered))


def _whole_piece(whole: Iterable[tuple[range, float]], covered: Sequence[bool]) -> float:
    """What the words of the most telling quotation say that stands in the other text as a whole."""
    return max((told for places, told in whole if all(covered[places.start : places.stop])), default=0.0)


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


def _topic(ours: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """Share of the telling words, in any order, that both have: of the text that has less to tell."""
    both = sum(min(x, theirs[w]) for w, x in ours.items() if w in theirs)
    return both / max(min(sum(ours.values()), sum(theirs.values())), 1e-9)
