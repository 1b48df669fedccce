"""A linear-chain CRF in numpy: labels and their marginal chances for whole texts at once.

The weights are learnt by CRFsuite (see train.py); here they are one sorted table of 64-bit feature keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.extract.quotes.frame import I64, U64

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crf:
    """Weights: keys (K,) sorted, weights (K+1, L) with a last row of zeros, transitions (L, L) from row to column."""

    labels: list[str]
    keys: U64
    weights: F32
    transitions: F64

    def scores(self, columns: list[U64]) -> F64:
        """(n, L) sums of the weights of each token's features."""
        n = len(columns[0]) if columns else 0
        out = np.zeros((n, len(self.labels)), dtype=np.float64)
        for column in columns:
            at = np.minimum(np.searchsorted(self.keys, column), len(self.keys) - 1)
            out += self.weights[np.where(self.keys[at] == column, at, len(self.keys))]
        return out

    def tag(self, scores: F64, group: I64) -> tuple[I64, F64]:
        """Best label of each token, and (n, L) marginals. `group` numbers the sequences, ascending."""
        starts = np.flatnonzero(np.diff(group, prepend=-1))
        lengths = np.diff(np.append(starts, len(group)))
        labels = np.zeros(len(group), dtype=np.int64)
        marginals = np.zeros_like(scores)
        order = np.argsort(-lengths, kind="stable")
        for lo in range(0, len(order), 64):  # sequences of like length together, so little of a block is padding
            block = order[lo : lo + 64]
            self._block(scores, starts[block], lengths[block], labels, marginals)
        return labels, marginals

    def _block(self, scores: F64, starts: I64, lengths: I64, labels: I64, marginals: F64) -> None:
        width, size = int(lengths[0]), len(self.labels)
        active = [int(np.searchsorted(-lengths, -t)) for t in range(width)]  # lengths fall: these still go on at t
        trans = self.transitions
        best = np.zeros((width, len(starts), size))
        back = np.zeros((width, len(starts), size), dtype=np.int8)
        alpha = np.zeros_like(best)
        for t in range(width):
            k = active[t]
            emit = scores[starts[:k] + t]
            if t == 0:
                best[0, :k] = alpha[0, :k] = emit
                continue
            paths = best[t - 1, :k, :, None] + trans
            back[t, :k] = paths.argmax(1)
            best[t, :k] = paths.max(1) + emit
            alpha[t, :k] = _logsum(alpha[t - 1, :k, :, None] + trans, 1) + emit
        beta = np.zeros((len(starts), size))
        label = np.zeros(len(starts), dtype=np.int64)
        for t in range(width - 1, -1, -1):
            k = active[t]
            if t < width - 1:
                m = active[t + 1]
                ahead = scores[starts[:m] + t + 1] + beta[:m]
                beta[:m] = _logsum(trans + ahead[:, None, :], 2)
                label[:m] = np.take_along_axis(back[t + 1, :m], label[:m, None], 1)[:, 0]
            ends = lengths[:k] == t + 1
            label[:k] = np.where(ends, best[t, :k].argmax(1), label[:k])
            joint = alpha[t, :k] + beta[:k]
            joint -= joint.max(1, keepdims=True)
            chance = np.exp(joint)
            marginals[starts[:k] + t] = chance / chance.sum(1, keepdims=True)
            labels[starts[:k] + t] = label[:k]


def _logsum(values: F64, axis: int) -> F64:
    top = values.max(axis, keepdims=True)
    out: F64 = np.log(np.exp(values - top).sum(axis)) + top.squeeze(axis)
    return out


def save_crf(path: Path, crf: Crf) -> None:
    np.savez_compressed(path, labels=np.array(crf.labels), keys=crf.keys, weights=crf.weights.astype(np.float16),
                        transitions=crf.transitions)  # fmt: skip


def load_crf(path: Path) -> Crf:
    with np.load(path) as data:
        weights = data["weights"].astype(np.float32)
        return Crf(labels=[str(x) for x in data["labels"]], keys=data["keys"], weights=weights,
                   transitions=data["transitions"])  # fmt: skip
