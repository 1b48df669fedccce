"""What the tagger sees of each token: one 64-bit key per template, made with numpy over a whole text at once.

A key is a mix of the template's number with the hashes it conjoins, so training and use cannot disagree about names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.frame import (
    CLAUSE_DEPS,
    I64,
    U64,
    Bool,
    Frame,
    climb,
    hashes,
    is_in,
    look_up,
)

_MUL = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_FOLD = np.uint64(29)
_SIZES = np.searchsorted([1, 2, 3, 4, 6, 10, 20], np.arange(21), side="right")


def mix(template: int, *columns: U64 | I64 | Bool) -> U64:
    """One key per row, from the template's number and the values of its columns. Wraps around at 64 bits."""
    key = np.bitwise_xor(_unsigned(columns[0]), np.uint64((template + 1) * _MUL % 2**64))
    for c in columns[1:]:
        key *= _MIX
        key ^= key >> _FOLD
        key ^= _unsigned(c)
    key *= _MIX
    key ^= key >> _FOLD
    return key


def _unsigned(column: U64 | I64 | Bool) -> U64:
    """The same 64 bits, without a copy where there are so many."""
    return column.view(np.uint64) if column.dtype.itemsize == 8 else column.astype(np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class CuePrior:
    """How often a lemma was the head of a cue in the training texts: lemma hashes, sorted, and a bin from 1 to 7."""

    keys: U64
    bins: I64

    def of(self, lemma: U64) -> I64:
        out: I64 = look_up(self.keys, self.bins, lemma)
        return out


def bucket(values: I64) -> I64:
    """Distances as 0, 1, 2, 3, 4 (to 5), 5 (to 9), 6 (to 19), 7 (more); the sign is kept as an offset of 8."""
    size: I64 = _SIZES[np.minimum(np.abs(values), 20)]
    size[values < 0] += 8
    return size


def shift(values: U64 | I64, by: int, group: I64) -> U64:
    """values[i + by] where it lies in the same group, else 0; by may be negative."""
    more = _unsigned(values) + np.uint64(1)
    if not by:
        return more
    out = np.zeros(len(values), dtype=np.uint64)
    here, there = (slice(None, -by), slice(by, None)) if by > 0 else (slice(-by, None), slice(None, by))
    np.multiply(more[there], group[there] == group[here], out=out[here])
    return out


def nearest(flag: Bool, group: I64, *, left: bool) -> I64:
    """Index of the nearest flagged token before (left) or after each, itself left out; -1 for none in its group."""
    n = len(flag)
    if left:
        at = np.maximum.accumulate(np.where(flag, np.arange(n), -1))
        at = np.concatenate([[-1], at[:-1]]) if n else at
    else:
        back = np.minimum.accumulate(np.where(flag, np.arange(n), n)[::-1])[::-1]
        at = np.concatenate([back[1:], [n]]) if n else back
        at = np.where(at >= n, -1, at)
    ok = (at >= 0) & (group[np.maximum(at, 0)] == group)
    return np.where(ok, at, -1)


def take(values: U64 | I64, at: I64) -> U64:
    """values[at] + 1, and 0 where at is -1."""
    out = _unsigned(values)[at]  # -1 reads the last one, in vain
    out += np.uint64(1)
    out *= at >= 0
    return out


def token_features(f: Frame, prior: CuePrior, chances: F64) -> list[U64]:
    """Keys of every template: a list of columns of length len(f). `chances` of the first pass, see cues.py."""
    if not len(f):
        return []
    return [
        *_local(f, prior), *_syntax(f, prior), *_quotes(f), *_sentence(f, prior), *_heads(f, prior, chances),
        *_between_heads(f, chances),
    ]  # fmt: skip


def _local(f: Frame, prior: CuePrior) -> list[U64]:
    g = f.para
    w = {k: shift(f.word, k, g) for k in (-2, -1, 0, 1, 2)}
    t = {k: shift(f.tag, k, g) for k in (-2, -1, 0, 1, 2)}
    lex = {k: shift(f.cue * 10 + prior.of(f.lemma), k, g) for k in (-1, 0, 1)}
    low = shift(f.lower, 0, g)
    out = [mix(1 + i, v) for i, v in enumerate(w.values())] + [mix(7 + i, v) for i, v in enumerate(t.values())]
    out += [
        mix(12, w[-1], w[0]),
        mix(13, w[0], w[1]),
        mix(14, t[-1], t[0]),
        mix(15, t[0], t[1]),
    ]
    out += [
        mix(16, t[-1], t[0], t[1]),
        mix(17, w[-2], w[-1]),
        mix(18, w[1], w[2]),
        mix(19, w[0], f.tag),
    ]
    out += [mix(20 + i, v) for i, v in enumerate(lex.values())]
    out += [
        mix(23, w[0], f.ent),
        mix(24, f.is_title, f.pos),
        mix(25, shift(f.tag, -2, g), t[-1], t[0]),
    ]
    out += [
        mix(26, lex[0], t[0], t[1]),
        mix(27, w[-1], lex[0]),
        mix(28, np.where(f.is_word, low * 0, low), t[1]),
    ]
    return out


def _syntax(f: Frame, prior: CuePrior) -> list[U64]:
    strength = prior.of(f.lemma)
    cue = f.cue * 10 + strength
    clause = climb(f.head, is_in(f.dep, hashes(*CLAUSE_DEPS)))
    gov = f.head[clause]
    self_gov = gov == clause
    side = np.sign(np.arange(len(f)) - f.head)
    out = [
        mix(40, f.dep),
        mix(41, f.dep, f.word[f.head]),
        mix(42, f.dep, f.tag[f.head], side),
        mix(43, f.dep, cue[f.head], side),
    ]
    out += [mix(44, f.dep[f.head], f.dep), mix(45, f.word[f.head], f.word)]
    cside = np.sign(np.arange(len(f)) - gov)
    cdep = f.dep[clause]
    out += [
        mix(46, cdep, cside),
        mix(47, cdep, f.word[gov], cside),
        mix(48, cdep, cue[gov], cside),
        mix(49, self_gov, cue[clause]),
    ]
    clause2 = clause[gov]
    out += [mix(50, cdep, f.dep[clause2], cue[f.head[clause2]], cue[gov])]
    out += [
        mix(51, cdep, cue[gov], f.dep),
        mix(52, clause == np.arange(len(f)), cdep, cue[gov], f.tag),
    ]
    # the nearest ancestor that can attribute, and how this token hangs below it
    for t, able in ((53, (f.cue > 0) | (strength > 1)), (60, strength > 3)):
        up = climb(f.head, able[f.head] & (f.head != np.arange(len(f))))  # the child below that ancestor
        anc = f.head[up]
        has = able[anc] & (anc != up)
        key = np.where(has, cue[anc], -1)
        where = np.sign(np.arange(len(f)) - anc) * has
        out += [
            mix(t, key, f.dep[up], where),
            mix(t + 1, np.where(has, f.word[anc], 0), f.dep[up], where),
        ]
        out += [
            mix(t + 2, key, where, bucket(np.arange(len(f)) - anc)),
            mix(t + 3, key, f.dep[up], f.tag[anc], where, f.tag),
        ]
        first = leftmost(f, up)
        out += [
            mix(t + 4, key, f.dep[up], np.arange(len(f)) == first, f.word),
            mix(t + 5, key, f.dep[up], np.arange(len(f)) - first == 1),
        ]
    return out


def leftmost(f: Frame, up: I64) -> I64:
    """For each token the first token that shares its value of `up`."""
    order = np.full(len(f), len(f), dtype=np.int64)
    np.minimum.at(order, up, np.arange(len(f)))
    return order[up]


def _quotes(f: Frame) -> list[U64]:
    n = len(f)
    at = np.arange(n)
    inside = f.quote >= 0
    q = np.maximum(f.quote, 0)
    m = len(f.quoted) + 1
    begin, stop = np.full(m, n, dtype=np.int64), np.zeros(m, dtype=np.int64)
    words = inside & f.is_word
    np.minimum.at(begin, q[words], at[words])
    np.maximum.at(stop, q[words], at[words])
    length = bucket(np.maximum(stop - begin + 1, 0))[q] * inside
    from_start = bucket(at - begin[q]) * inside
    to_end = bucket(stop[q] - at) * inside
    kinds = np.array([1 + x.single + 2 * (not x.closed) for x in f.quoted] + [0])[np.where(inside, f.quote, m - 1)]
    prev_in, next_in = shift(f.quote + 1, -1, f.para), shift(f.quote + 1, 1, f.para)
    state = inside * 4 + (prev_in > 1) * 2 + (next_in > 1) * 1
    opens_para = np.concatenate([[True], np.diff(f.para) > 0])
    para_first = np.maximum.accumulate(np.where(opens_para, at, 0))
    para_quoted = inside[para_first]
    last_q = nearest(inside, f.para, left=True)
    next_q = nearest(inside, f.para, left=False)
    d_last = bucket(np.where(last_q >= 0, at - last_q, 30))
    d_next = bucket(np.where(next_q >= 0, next_q - at, 30))
    tail = np.where(
        inside,
        take(f.lower, np.where(stop[q] + 1 < n, np.minimum(stop[q] + 1, n - 1), -1)),
        0,
    )
    head_tag = np.where(inside, f.tag[np.minimum(begin[q], n - 1)], 0)
    out = [
        mix(70, state, kinds),
        mix(71, length, inside),
        mix(72, state, length),
        mix(73, from_start, length),
        mix(74, to_end, length),
    ]
    out += [
        mix(75, state, para_quoted),
        mix(76, inside, tail),
        mix(77, inside, head_tag, length),
        mix(78, state, f.word),
    ]
    out += [
        mix(79, d_last, inside, f.word),
        mix(80, d_next, inside, f.word),
        mix(81, d_last, d_next, inside),
        mix(82, d_last, f.cue > 0, f.tag),
    ]
    out += [
        mix(83, inside, f.tag, shift(f.tag, -1, f.para)),
        mix(
            84,
            from_start,
            length,
            take(f.word, np.where(inside, begin[q] - 2, -1) * (begin[q] > 2)),
        ),
        mix(85, para_quoted, d_last, d_next),
    ]
    return out


def _sentence(f: Frame, prior: CuePrior) -> list[U64]:
    at = np.arange(len(f))
    strength = prior.of(f.lemma)
    cue = f.cue * 10 + strength
    strong = strength > 3
    left, right = (
        nearest(strong, f.sent, left=True),
        nearest(strong, f.sent, left=False),
    )
    weak = (f.cue > 0) | (strength > 1)
    wl, wr = nearest(weak, f.sent, left=True), nearest(weak, f.sent, left=False)
    dl = bucket(np.where(left >= 0, at - left, 40))
    dr = bucket(np.where(right >= 0, right - at, 40))
    inside = f.quote >= 0
    first = np.concatenate([[True], np.diff(f.sent) > 0])
    sent_start = np.maximum.accumulate(np.where(first, at, 0))
    comma = is_in(f.lower, hashes(",", ";", "—", "–"))
    commas = np.cumsum(comma)
    cl = np.minimum(np.where(left >= 0, commas[at] - commas[np.maximum(left, 0)], 3), 3)
    cr = np.minimum(np.where(right >= 0, commas[np.maximum(right, 0)] - commas[at], 3), 3)
    last = np.concatenate([np.diff(f.sent) > 0, [True]])
    end_of = np.minimum.accumulate(np.where(last, at, len(f))[::-1])[::-1]
    out = [
        mix(90, take(cue, left), dl),
        mix(91, take(cue, right), dr),
        mix(92, take(f.word, left), cl),
        mix(93, take(f.word, right), cr),
    ]
    out += [
        mix(94, take(cue, wl), take(cue, wr), inside),
        mix(95, take(f.word, wl), bucket(at - wl) * (wl >= 0)),
        mix(96, take(f.word, wr), bucket(wr - at) * (wr >= 0)),
    ]
    out += [
        mix(97, bucket(at - sent_start), f.tag),
        mix(98, bucket(end_of - at), f.word),
        mix(99, f.word[sent_start], bucket(at - sent_start)),
    ]
    out += [
        mix(100, cl, cr, take(cue, left), take(cue, right)),
        mix(
            101,
            take(cue, left),
            f.lower[np.minimum(left + 1, len(f) - 1)] * (left >= 0),
        ),
    ]
    out += [
        mix(102, at == sent_start, f.headline, inside),
        mix(103, f.headline, f.word),
        mix(104, f.headline, dl, dr),
    ]
    return out


def level(chances: F64) -> I64:
    """Chances as 0 to 5."""
    return np.searchsorted([0.02, 0.1, 0.3, 0.6, 0.9], chances, side="right")


def _heads(f: Frame, prior: CuePrior, chances: F64) -> list[U64]:
    """How a token hangs below the nearest word that the first pass takes for a cue, and where that part of it ends."""
    g, at, able = f.para, np.arange(len(f)), chances > 0.25
    sure = level(chances)
    before = shift(sure, -1, g)
    out = [
        mix(110, sure, f.tag),
        mix(111, before, sure, shift(sure, 1, g)),
        mix(112, before, f.tag, shift(f.lower, 0, g) * ~f.is_word),
        mix(113, shift(sure, -2, g), shift(f.tag, -1, g), f.tag),
    ]
    up = climb(f.head, able[f.head] & (f.head != at))
    anc = f.head[up]
    has = able[anc] & (anc != up)
    key = np.where(has, sure[anc] * 100 + f.cue[anc], -1)
    where = np.sign(at - anc) * has
    left, right = leftmost(f, up), rightmost(f, up)
    dep, ends = f.dep[up], at == right
    out += [
        mix(120, key, dep, where),
        mix(121, np.where(has, f.word[anc], 0), dep, where),
        mix(122, key, where, bucket(at - anc)),
        mix(123, key, dep, f.tag[anc], where, f.tag),
        mix(124, key, dep, at == left, f.word),
        mix(125, key, dep, at - left == 1, f.tag),
        mix(126, key, dep, ends, f.tag),
        mix(127, key, dep, right - at < 2, f.word),
        mix(128, key, dep, at == left, ends),
        mix(129, shift(np.where(ends, dep, 0), -1, g), shift(key + 2, -1, g), key, dep),
        mix(130, key, dep, bucket(right - left + 1), at == left),
    ]
    return out


def rightmost(f: Frame, up: I64) -> I64:
    """For each token the last token that shares its value of `up`."""
    order = np.full(len(f), -1, dtype=np.int64)
    np.maximum.at(order, up, np.arange(len(f)))
    return order[up]


def _between_heads(f: Frame, chances: F64) -> list[U64]:
    """The likely cues before and after a token in its sentence, and the surest of the sentence and the one before."""
    at, inside, likely = np.arange(len(f)), f.quote >= 0, chances > 0.5
    left, right = nearest(likely, f.sent, left=True), nearest(likely, f.sent, left=False)
    commas = np.cumsum(is_in(f.lower, hashes(",", ";", "—", "–", ":")))
    cl = np.where(left >= 0, np.minimum(commas - commas[np.maximum(left, 0)], 3), 4)
    cr = np.where(right >= 0, np.minimum(commas[np.maximum(right, 0)] - commas, 3), 4)
    dl, dr = bucket(np.where(left >= 0, at - left, 40)), bucket(np.where(right >= 0, right - at, 40))
    sentence = f.sent - f.sent[0]
    top = np.zeros(int(sentence.max()) + 1)
    np.maximum.at(top, sentence, chances)
    surest = level(top)
    here = surest[sentence]
    before = np.where(sentence > 0, surest[np.maximum(sentence - 1, 0)], 7)
    return [
        mix(140, take(f.cue, left), cl, inside),
        mix(141, take(f.cue, right), cr, inside),
        mix(142, cl, cr, take(f.tag, left), take(f.tag, right)),
        mix(143, dl, dr, inside),
        mix(144, take(f.word, left), take(f.word, right)),
        mix(145, take(f.dep, left), take(f.dep, right), cl, cr),
        mix(150, here, inside),
        mix(151, here, before, inside),
        mix(152, here, f.tag),
        mix(153, here, inside, shift(f.quote + 1, -1, f.para) > 1, shift(f.quote + 1, 1, f.para) > 1),
    ]
