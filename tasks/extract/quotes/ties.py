"""The tokens that each token of a text is tied to: neighbours, those it hangs on, cues near it, ends of its part."""

from __future__ import annotations

import numpy as np

from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.cues import children
from tasks.extract.quotes.features import leftmost, nearest, rightmost
from tasks.extract.quotes.frame import CLAUSE_DEPS, I64, Bool, Frame, climb, hashes, is_in

ABLE, LIKELY = 0.25, 0.5
"""Chances of the first pass from which a token may be, and is likely, the head of a cue."""
NEAR = 16
"""The first ties of the list, which both layers of the network follow; the others only the first."""


def ties(f: Frame, chances: F64) -> I64:
    """(n, 25) indices of tokens, -1 where there is none. `chances` of the first pass, see cues.py."""
    at, para = np.arange(len(f)), f.para
    root = f.head == at
    up = climb(f.head, (chances > ABLE)[f.head] & ~root)
    cue = f.head[up]
    below = (chances > ABLE)[cue] & (cue != up)  # hangs below a token that may be a cue, by the child `up`
    clause = climb(f.head, is_in(f.dep, hashes(*CLAUSE_DEPS)))
    governor = f.head[clause]
    likely = chances > LIKELY
    first = np.maximum.accumulate(np.where(np.diff(f.sent, prepend=f.sent[:1] - 1) > 0, at, 0))
    before_quote, after_quote = _beside_quote(f)
    subject = np.where(children(f, "nsubj") >= 0, children(f, "nsubj"), children(f, "nsubjpass"))
    columns = [
        at, *(_beside(at + k, para) for k in (-1, 1, -2, 2)),
        _where(f.head, ~root), _where(governor, governor != clause), _where(cue, below), _where(up, below),
        nearest(likely, f.sent, left=True), nearest(likely, f.sent, left=False), clause,
        _where(leftmost(f, up), below), _where(_beside(rightmost(f, up) + 1, para), below), before_quote, after_quote,
        _beside(at - 3, para), _beside(at + 3, para), _where(f.head[f.head], ~root), _where(subject[cue], below),
        subject[clause], first, _last_cue(likely, first), _beside(at + 4, para), _beside(at - 4, para),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


def _where(indices: I64, flag: Bool) -> I64:
    return np.where(flag, indices, -1)


def _beside(wanted: I64, para: I64) -> I64:
    """The wanted tokens, where they lie in the paragraph of the one that wants them."""
    inside = np.clip(wanted, 0, len(para) - 1)
    return np.where((inside == wanted) & (para[inside] == para), wanted, -1)


def _beside_quote(f: Frame) -> tuple[I64, I64]:
    """The tokens before and after the quoted stretch that each token stands in."""
    at, inside = np.arange(len(f)), f.quote >= 0
    begin, stop = np.full(len(f.quoted) + 1, len(f)), np.full(len(f.quoted) + 1, -1)
    np.minimum.at(begin, f.quote[inside], at[inside])
    np.maximum.at(stop, f.quote[inside], at[inside])
    return (
        _where(_beside(begin[f.quote] - 1, f.para), inside),
        _where(_beside(stop[f.quote] + 1, f.para), inside),
    )


def _last_cue(likely: Bool, first: I64) -> I64:
    """The last likely cue before each token's sentence."""
    last = np.maximum.accumulate(np.where(likely, np.arange(len(likely)), -1))
    return np.where(first > 0, last[np.maximum(first - 1, 0)], -1)
