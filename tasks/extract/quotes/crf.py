"""A linear-chain CRF in numpy: labels and their marginal chances for whole texts at once.

The weights are learnt in fit.py; here they are one sorted table of 64-bit feature keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.extract.quotes.frame import I64, U64

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


MAX_BITS = 21
"""First bits of a key by which a table is entered; two more than would number its keys, if that is less."""

BLOCK = 1_000
"""Rows whose features are looked up at once: about 10 MB of working memory, and the quickest of the sizes tried."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyTable:
    """Sorted 64-bit keys, evenly spread as `mix` makes them, with where those of each first bits begin."""

    keys: U64
    bits: int = field(init=False)
    padded: U64 = field(init=False)  # with one more that no feature has
    first: npt.NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        bits = min(MAX_BITS, len(self.keys).bit_length() + 2)
        edges = np.arange(1 << bits, dtype=np.uint64) << np.uint64(64 - bits)
        first = np.append(np.searchsorted(self.keys, edges), len(self.keys)).astype(np.int32)
        object.__setattr__(self, "bits", bits)
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "padded", np.append(self.keys, np.uint64(0)))

    def find(self, wanted: U64) -> I64:
        """For each wanted key its index in `keys`, len(keys) if it is none. One call with many is quickest."""
        bits = (wanted >> np.uint64(64 - self.bits)).view(np.int64)
        found = self.first.take(bits).astype(np.int64)
        at = np.flatnonzero(self.padded.take(found) != wanted)  # most keys stand first of those that begin like them
        if len(at):
            lo, hi, wanted = found[at], self.first.take(bits[at] + 1), wanted[at]
            found[at] = len(self.keys)
            while len(more := np.flatnonzero((lo := lo + 1) < hi)):
                at, lo, hi, wanted = at[more], lo[more], hi[more], wanted[more]
                same = self.padded.take(lo) == wanted
                found[at[same]] = lo[same]
                hi = np.where(same, 0, hi)
        return found

    def add_up(self, weights: F32, columns: list[U64]) -> F64:
        """For each row of the columns the sum of the weights of its keys; `weights` has a last row of zeros. Rows are
        taken in blocks, so that memory stays small however long the text is."""
        n = len(columns[0])
        out = np.zeros((n, *weights.shape[1:]))
        for lo in range(0, n, BLOCK):
            part = out[lo : lo + BLOCK]
            taken = np.empty(part.shape, dtype=np.float32)
            found = self.find(np.concatenate([c[lo : lo + BLOCK] for c in columns])).reshape(len(columns), -1)
            for index in found:  # one feature after the other: what is added up stays in the processor's cache
                part += weights.take(index, axis=0, out=taken, mode="clip")
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Crf:
    """Weights: keys (K,) sorted, weights (K+1, L) with a last row of zeros, transitions (L, L) from row to column."""

    labels: list[str]
    keys: U64
    weights: F32
    transitions: F64
    table: KeyTable = field(init=False, compare=False, repr=False)
    wide: F32 = field(init=False, compare=False, repr=False)  # the weights in rows of a power of two: quicker to copy

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", KeyTable(self.keys))
        width = self.weights.shape[1]
        more = (1 << (width - 1).bit_length()) - width
        object.__setattr__(self, "wide", np.pad(self.weights, ((0, 0), (0, more))))

    def scores(self, columns: list[U64]) -> F64:
        """(n, L) sums of the weights of each token's features."""
        if not columns or not len(columns[0]):
            return np.zeros((0, len(self.labels)), dtype=np.float64)
        return self.table.add_up(self.wide, columns)[:, : len(self.labels)]


def best_labels(scores: F64, transitions: F64, group: I64) -> tuple[I64, F64]:
    """Best label of each token, and (n, L) marginals. `group` numbers the sequences, ascending."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    lengths = np.diff(np.append(starts, len(group)))
    labels = np.zeros(len(group), dtype=np.int64)
    marginals = np.zeros_like(scores)
    order = np.argsort(-lengths, kind="stable")
    for lo in range(0, len(order), 64):  # sequences of like length together, so little of a block is padding
        block = order[lo : lo + 64]
        _block(scores, transitions, starts[block], lengths[block], labels, marginals)
    return labels, marginals


def _block(scores: F64, trans: F64, starts: I64, lengths: I64, labels: I64, marginals: F64) -> None:
    """One step in all sequences at a time; what does not hang on the step before is made for all steps at once."""
    width, size = int(lengths[0]), scores.shape[1]
    active = np.searchsorted(-lengths, -np.arange(width)).tolist()  # lengths fall: these still go on at t
    steps = np.arange(width)[:, None]
    there = steps < lengths
    emit = scores[np.where(there, starts + steps, 0)]  # (width, sequences, size), with padding that nothing reads
    likely = np.exp(emit - emit.max(2, keepdims=True))
    step = np.exp(trans - trans.max())
    best = emit[0]  # Viterbi's scores
    paths = np.empty((len(starts), size, size))
    into = np.ascontiguousarray(trans.T)  # to label by from label, so that the best way into each lies in one row
    back = np.zeros((width, len(starts), size), dtype=np.int64)
    last = best.copy()  # at each sequence's end
    alpha = np.ones_like(emit)  # chances, scaled at each token so that they sum to 1
    np.divide(likely[0], likely[0].sum(1, keepdims=True), out=alpha[0])
    for t in range(1, width):
        k = active[t]
        np.add(best[:k, None, :], into, out=paths[:k])
        paths[:k].argmax(2, out=back[t, :k])
        best = paths[:k].max(2)
        best += emit[t, :k]
        last[:k] = best
        now = np.matmul(alpha[t - 1, :k], step, out=alpha[t, :k])
        now *= likely[t, :k]
        now /= now.sum(1, keepdims=True)
    beta = np.ones_like(emit)
    from_here = np.ascontiguousarray(step.T)
    found = np.empty((width, len(starts)), dtype=np.int64)
    label = last.argmax(1)
    rows = np.arange(len(starts))
    for t in range(width - 1, -1, -1):
        k = active[t]
        if t < width - 1:
            m = active[t + 1]
            ahead = np.matmul(likely[t + 1, :m] * beta[t + 1, :m], from_here, out=beta[t, :m])
            ahead /= ahead.sum(1, keepdims=True)
            label[:m] = back[t + 1, rows[:m], label[:m]]
        found[t, :k] = label[:k]
    alpha *= beta
    alpha /= alpha.sum(2, keepdims=True)
    at = (starts + steps)[there]
    marginals[at], labels[at] = alpha[there], found[there]


def save_crf(path: Path, crf: Crf) -> None:
    np.savez_compressed(path, labels=np.array(crf.labels), keys=crf.keys, weights=crf.weights.astype(np.float16),
                        transitions=crf.transitions)  # fmt: skip


def load_crf(path: Path) -> Crf:
    with np.load(path) as data:
        weights = data["weights"].astype(np.float32)
        return Crf(labels=[str(x) for x in data["labels"]], keys=data["keys"], weights=weights,
                   transitions=data["transitions"])  # fmt: skip
