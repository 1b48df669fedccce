"""Training of the tagger's weights: a linear-chain CRF by AdaGrad over batches of texts, its last passes averaged.

CRFsuite fits the same model, but over strings: five times as slow. The penalty is far stronger than is usual: texts of
few annotators on one subject are learnt by heart otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]

from tasks.extract.quotes.crf import F32, F64, Crf
from tasks.extract.quotes.frame import I64, U64

FORBIDDEN = -100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the tagger is trained; the penalty is that of the squared weights against the summed log loss."""

    penalty: float = 32.0
    rate: float = 0.1
    passes: int = 14
    texts: int = 16  # in a batch
    min_count: int = 4
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Step:
    """What a batch should come to: gold labels (n,) of its texts, and its sequences by falling length."""

    gold: I64
    starts: I64
    lengths: I64

    @classmethod
    def of(cls, labels: list[I64], groups: list[I64]) -> Step:
        """From the labels and groups of each text; every value of a text's group is one sequence."""
        starts, lengths = [], []
        done = 0
        for group in groups:
            first = np.flatnonzero(np.diff(group, prepend=-1))
            starts.append(first + done)
            lengths.append(np.diff(np.append(first, len(group))))
            done += len(group)
        start, size = np.concatenate(starts), np.concatenate(lengths)
        order = np.argsort(-size, kind="stable")
        return cls(gold=np.concatenate(labels), starts=start[order], lengths=size[order])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Texts as one table: features (n, K) of ones."""

    features: Any
    step: Step


def fit(columns: list[list[U64]], labels: list[I64], groups: list[I64], names: list[str], plan: Plan) -> Crf:
    """A CRF over the texts' feature columns; every value of a text's `group` is one sequence. Deterministic."""
    every = np.concatenate([np.concatenate(c) for c in columns if c])
    keys, counts = np.unique(every, return_counts=True)
    keys = keys[counts >= plan.min_count]
    del every
    random = np.random.default_rng(plan.seed)
    texts = random.permutation([i for i, c in enumerate(columns) if c])
    batches = [
        _batch(keys, [(columns[i], labels[i], groups[i]) for i in texts[k : k + plan.texts]])
        for k in range(0, len(texts), plan.texts)
    ]
    weights, moves = _descend(batches, len(keys), len(names), plan, random)
    used = np.abs(weights).max(1) > 0.004
    table = np.zeros((int(used.sum()) + 1, len(names)), dtype=np.float32)
    table[:-1] = weights[used]
    return Crf(labels=names, keys=keys[used], weights=table, transitions=forbidden(moves, names))


def forbidden(moves: F64, names: list[str]) -> F64:
    """The moves, with those that no text has ruled out: a stretch begins with its beginning and goes on to its end."""
    out = moves.copy()
    for i, a in enumerate(names):
        for k, b in enumerate(names):
            if (b in "IE") != (a in "BI"):
                out[i, k] = FORBIDDEN
    return out


def _batch(keys: U64, texts: list[tuple[list[U64], I64, I64]]) -> Batch:
    return Batch(
        features=scipy.sparse.vstack([ones(keys, np.stack(columns, 1)) for columns, _, _ in texts]).tocsr(),
        step=Step.of([y for _, y, _ in texts], [g for _, _, g in texts]),
    )


def ones(keys: U64, table: U64) -> Any:
    """(n, K) sparse: a one for each value of a row of the table (n, C) that is among the sorted keys (K,)."""
    at = np.minimum(np.searchsorted(keys, table), len(keys) - 1).astype(np.int32)
    known = keys[at] == table
    rows = np.concatenate([[0], np.cumsum(known.sum(1))])
    return scipy.sparse.csr_matrix(
        (np.ones(int(known.sum()), dtype=np.float32), at[known], rows), shape=(len(table), len(keys))
    )


def _descend(
    batches: list[Batch], n_keys: int, n_labels: int, plan: Plan, random: np.random.Generator
) -> tuple[F32, F64]:
    """Weights of features and of moves between labels, averaged over the second half of the passes."""
    weights = np.zeros((n_keys, n_labels), dtype=np.float32)
    moves = np.zeros((n_labels, n_labels))
    seen_w, seen_m = np.full_like(weights, 0.01), np.full_like(moves, 0.01)
    sum_w, sum_m, summed = np.zeros_like(weights), np.zeros_like(moves), 0
    shrink = 2 * plan.penalty / len(batches)
    for turn in range(plan.passes):
        for b in random.permutation(len(batches)):
            batch = batches[b]
            slope, pair = loss_slope(batch.step, (batch.features @ weights).astype(np.float64), moves)
            step = batch.features.T @ slope.astype(np.float32) + np.float32(shrink) * weights
            seen_w += step * step
            weights -= np.float32(plan.rate) * step / np.sqrt(seen_w)
            pair += shrink * moves
            seen_m += pair * pair
            moves -= plan.rate * pair / np.sqrt(seen_m)
        if 2 * turn >= plan.passes:
            sum_w += weights
            sum_m += moves
            summed += 1
    return sum_w / np.float32(summed), sum_m / summed


def loss_slope(batch: Step, scores: F64, moves: F64) -> tuple[F64, F64]:
    """What the log loss of a batch changes by with the scores (n, L) and the moves (L, L): expected less gold."""
    slope, pair = expected(scores, moves, batch.starts, batch.lengths)
    gold = batch.gold
    slope[np.arange(len(gold)), gold] -= 1
    inner = np.ones(len(gold), dtype=bool)
    inner[batch.starts] = False
    at = np.flatnonzero(inner)
    np.subtract.at(pair, (gold[at - 1], gold[at]), 1)
    return slope, pair


def expected(scores: F64, moves: F64, starts: I64, lengths: I64) -> tuple[F64, F64]:
    """Chances (n, L) of the labels and expected counts (L, L) of moves. Sequences by falling length."""
    n_labels, width = scores.shape[1], int(lengths[0])
    emit, step = np.exp(scores - scores.max(1, keepdims=True)), np.exp(moves)
    live = np.searchsorted(-lengths, -np.arange(1, width + 1), side="right")  # sequences that still go on at t
    ahead = np.zeros((width, len(starts), n_labels))
    behind = np.zeros_like(ahead)
    scale = np.ones((width, len(starts)))
    for t in range(width):
        k = live[t]
        x = emit[starts[:k] + t]
        if t:
            x *= ahead[t - 1, :k] @ step
        scale[t, :k] = x.sum(1)
        ahead[t, :k] = x / scale[t, :k, None]
    for t in range(width - 1, -1, -1):
        behind[t, : live[t]] = 1
        if t < width - 1:
            k = live[t + 1]
            behind[t, :k] = ((emit[starts[:k] + t + 1] * behind[t + 1, :k]) @ step.T) / scale[t + 1, :k, None]
    when = np.repeat(np.arange(width), live)
    which = np.concatenate([np.arange(k) for k in live])
    place = starts[which] + when
    chance = np.empty_like(scores)
    joint = ahead[when, which] * behind[when, which]
    chance[place] = joint / joint.sum(1, keepdims=True)
    later = when > 0
    when, which, place = when[later], which[later], place[later]
    right = emit[place] * behind[when, which] / scale[when, which, None]
    return chance, (ahead[when - 1, which].T @ right) * step
