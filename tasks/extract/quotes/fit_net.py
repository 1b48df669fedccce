"""Training of the network (net.py): the log loss of the CRF over its scores, by Adam over batches of texts. numpy only.

Parts of its inputs and layers are dropped at random while it learns, or it would know the texts by heart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse  # type: ignore[import-untyped]

from tasks.extract.language import F16
from tasks.extract.quotes.crf import F32, F64
from tasks.extract.quotes.fit import Step, forbidden, loss_slope, ones
from tasks.extract.quotes.frame import I64, U64
from tasks.extract.quotes.net import Net
from tasks.extract.quotes.ties import NEAR

WORD = 2
"""The feature column of the masked lemma: it is embedded though it has many values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetPlan:
    """How the network is trained."""

    narrow: int = 64  # numbers that a vector is brought down to
    width: int = 96
    passes: int = 9
    rate: float = 2e-3
    drop: float = 0.25  # share of inputs and of either layer left out at each step
    texts: int = 8  # in a batch
    min_count: int = 20
    max_values: int = 700  # a feature column with more values, counted at every seventh token, is not embedded
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Text:
    """One training text: features (n, C), vectors (n, D), ties (n, K1), gold labels (n,), group (n,) as of fit."""

    features: U64
    vectors: F16
    tied: I64
    gold: I64
    group: I64


@dataclass(slots=True, kw_only=True, eq=False)
class _Layers:
    """The weights in the making; the ties of a layer lie side by side: first (N, K1 * H), second (H, K2 * H)."""

    narrow: F32  # (D, N)
    first: F32
    second: F32
    rows: F32
    bias1: F32
    bias2: F32
    out1: F32
    out2: F32
    base: F32

    def all(self) -> list[F32]:
        return [
            self.narrow, self.first, self.second, self.rows, self.bias1, self.bias2, self.out1, self.out2, self.base,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Batch:
    """Texts as one: vectors (n, D), embedded features (n, K) of ones, ties of both layers as matrices."""

    vectors: F32
    features: Any
    near: Any
    tied: Any
    step: Step


def fit_net(texts: list[Text], encoder: str, names: list[str], plan: NetPlan) -> Net:
    """A network for the texts, `names` its labels. `encoder`: the language model whose vectors they hold."""
    random = np.random.default_rng(plan.seed)
    every = np.concatenate([t.features[::7] for t in texts])
    columns = [j for j in range(every.shape[1]) if j == WORD or len(np.unique(every[:, j])) <= plan.max_values]
    keys, counts = np.unique(np.concatenate([t.features[:, columns].ravel() for t in texts]), return_counts=True)
    keys = keys[counts >= plan.min_count]
    sample = np.concatenate([t.vectors[::5] for t in texts]).astype(np.float32)
    mean, scale = sample.mean(0), sample.std(0)
    known = [ones(keys, t.features[:, columns]) for t in texts]
    vectors = [((t.vectors.astype(np.float32) - mean) / scale).astype(np.float16) for t in texts]
    width, n_labels = plan.width, len(names)
    layers = _begin(plan, len(mean), texts[0].tied.shape[1], len(keys), n_labels, random)
    moves = np.zeros((n_labels, n_labels))
    seen = np.full_like(moves, 0.01)
    optimiser = _Adam(layers.all())
    n_batches = -(-len(texts) // plan.texts)
    for turn in range(plan.passes):
        order = random.permutation(len(texts))
        for b in range(n_batches):
            chosen = order[b * plan.texts : (b + 1) * plan.texts]
            batch = _batch([texts[i] for i in chosen], [vectors[i] for i in chosen], [known[i] for i in chosen])
            slopes, pair = _learn(layers, batch, moves, plan.drop, random)
            done = (turn * n_batches + b) / (plan.passes * n_batches)
            warm = min(1.0, (turn * n_batches + b + 1) / 50)
            optimiser.step(slopes, plan.rate * warm * (1 - 0.97 * done))
            seen += pair * pair
            moves -= 0.1 * pair / np.sqrt(seen)
    return Net(
        encoder=encoder, mean=mean, scale=scale, columns=np.array(columns), keys=keys,
        rows=np.concatenate([layers.rows, np.zeros((1, width), dtype=np.float32)]),
        narrow=layers.narrow, first=_by_tie(layers.first, width), second=_by_tie(layers.second, width),
        bias=np.stack([layers.bias1, layers.bias2]), out=np.concatenate([layers.out1, layers.out2]), base=layers.base,
        transitions=forbidden(moves, names),
    )  # fmt: skip


def _begin(plan: NetPlan, n_in: int, n_ties: int, n_keys: int, n_labels: int, random: np.random.Generator) -> _Layers:
    width = plan.width

    def normal(rows: int, columns: int, size: float) -> F32:
        out: F32 = (random.standard_normal((rows, columns)) * size).astype(np.float32)
        return out

    def zeros(*shape: int) -> F32:
        return np.zeros(shape, dtype=np.float32)

    return _Layers(
        narrow=normal(n_in, plan.narrow, 1 / np.sqrt(n_in)),
        first=normal(plan.narrow, n_ties * width, 1.4 / np.sqrt(plan.narrow * n_ties)),
        second=normal(width, NEAR * width, 1.4 / np.sqrt(width * NEAR)),
        rows=normal(n_keys, width, 0.1), bias1=zeros(width), bias2=zeros(width),
        out1=zeros(width, n_labels), out2=zeros(width, n_labels), base=zeros(n_labels),
    )  # fmt: skip


def _by_tie(weights: F32, width: int) -> F32:
    return np.ascontiguousarray(weights.reshape(len(weights), -1, width).transpose(1, 0, 2))


def _batch(texts: list[Text], vectors: list[F16], known: list[Any]) -> _Batch:
    sizes = [len(t.gold) for t in texts]
    ends = np.cumsum(sizes)
    tied = np.concatenate(
        [np.where(t.tied >= 0, t.tied + e - n, -1) for t, n, e in zip(texts, sizes, ends, strict=True)]
    )
    return _Batch(
        vectors=np.concatenate(vectors).astype(np.float32), features=scipy.sparse.vstack(known).tocsr(),
        near=_matrix(tied[:, :NEAR]), tied=_matrix(tied),
        step=Step.of([t.gold for t in texts], [t.group for t in texts]),
    )  # fmt: skip


def _matrix(tied: I64) -> Any:
    """(n, n * K): multiplied with (n * K, H), the products of all tokens by all ties, it adds up each token's own."""
    n, k = tied.shape
    there = tied >= 0
    at = (tied * k + np.arange(k))[there].astype(np.int32)
    rows = np.concatenate([[0], np.cumsum(there.sum(1))])
    return scipy.sparse.csr_matrix((np.ones(len(at), dtype=np.float32), at, rows), shape=(n, n * k))


def _learn(
    layers: _Layers, batch: _Batch, moves: F64, drop: float, random: np.random.Generator
) -> tuple[list[F32], F64]:
    """One step: the slopes of the layers' weights, in their order, and of the moves between labels."""
    n, width = len(batch.vectors), len(layers.bias1)
    x = batch.vectors
    _dropped(x, drop, random)
    one = batch.features @ layers.rows
    one += layers.bias1
    low = x @ layers.narrow
    one += batch.tied @ (low @ layers.first).reshape(-1, width)
    np.maximum(one, 0, out=one)
    kept1 = _dropped(one, drop, random)
    two = batch.near @ (one @ layers.second).reshape(-1, width)
    two += layers.bias2
    np.maximum(two, 0, out=two)
    kept2 = _dropped(two, drop, random)
    scores = one @ layers.out1 + two @ layers.out2 + layers.base
    slope64, pair = loss_slope(batch.step, scores.astype(np.float64), moves)
    slope = (slope64 * (20 / n)).astype(np.float32)  # as of 20 tokens, whatever the batch's size
    back2 = slope @ layers.out2.T
    back2 *= (two > 0) * kept2
    spread2 = (batch.near.T @ back2).reshape(n, -1)
    back1 = spread2 @ layers.second.T
    back1 += slope @ layers.out1.T
    back1 *= (one > 0) * kept1
    spread1 = (batch.tied.T @ back1).reshape(n, -1)
    return [
        x.T @ (spread1 @ layers.first.T), low.T @ spread1, one.T @ spread2, np.asarray(batch.features.T @ back1),
        back1.sum(0), back2.sum(0), one.T @ slope, two.T @ slope, slope.sum(0),
    ], pair  # fmt: skip


def _dropped(x: F32, share: float, random: np.random.Generator) -> F32:
    """Sets a share of the values to zero, in place, and makes up for it with the rest; what each was multiplied by."""
    kept = (random.random(x.shape, dtype=np.float32) >= share).astype(np.float32)
    kept *= np.float32(1 / (1 - share))
    x *= kept
    return kept


class _Adam:
    """Adam over arrays that are changed in place."""

    def __init__(self, weights: list[F32]) -> None:
        self.weights = weights
        self.mean = [np.zeros_like(w) for w in weights]
        self.square = [np.zeros_like(w) for w in weights]
        self.steps = 0

    def step(self, slopes: list[F32], rate: float) -> None:
        self.steps += 1
        size = np.float32(rate / (1 - 0.9**self.steps))
        spread = np.float32(1 / (1 - 0.99**self.steps))
        for weight, mean, square, slope in zip(self.weights, self.mean, self.square, slopes, strict=True):
            mean *= np.float32(0.9)
            mean += np.float32(0.1) * slope
            square *= np.float32(0.99)
            square += np.float32(0.01) * slope * slope
            weight -= size * mean / (np.sqrt(square * spread) + np.float32(1e-8))
