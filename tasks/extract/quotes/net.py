"""A small network beside the CRF: it reads the encoder's vectors of the tokens that a token is tied to, twice over.

The CRF knows which words, tags and arcs stand where; the vectors know which words are alike. Each errs where the other
does not, so the tagger adds up the scores of both. Without vectors (another language model) the CRF works alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.extract.language import F16
from tasks.extract.quotes.crf import F32, F64, KeyTable
from tasks.extract.quotes.frame import I64, U64, Frame
from tasks.extract.quotes.ties import ties

SHARE = 0.7
"""The network's part in the sum of both models' scores."""
BLOCK = 2_000
"""Tokens whose features are added up at once."""
DENSE = 0.7
"""Share of a text's tokens that are tied to by one kind of tie, from which all of them are taken at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Net:
    """Two layers of width H over K1 and K2 ties, and L labels; see fit_net.py for how it is trained.

    encoder: the language model whose vectors it reads; mean, scale (D,) of them; narrow (D, N) brings them down to
    fewer numbers. columns: which of the tagger's features it embeds; keys (K,) sorted, rows (K+1, H) with a last one of
    zeros. first (K1, N, H), second (K2, H, H), bias (2, H), out (2H, L), base (L,), transitions (L, L).
    """

    encoder: str
    mean: F32
    scale: F32
    columns: I64
    keys: U64
    rows: F32
    narrow: F32
    first: F32
    second: F32
    bias: F32
    out: F32
    base: F32
    transitions: F64
    table: KeyTable = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", KeyTable(self.keys))

    def scores(self, vectors: F16, features: list[U64], tied: I64) -> F64:
        """(n, L). vectors (n, D), features as of token_features, tied (n, K1) as of ties."""
        x = np.asarray((vectors.astype(np.float32) - self.mean) / self.scale @ self.narrow, dtype=np.float32)
        hidden = self._embedded([features[c] for c in self.columns])
        hidden += self.bias[0]
        _spread(x, self.first, tied, hidden)
        np.maximum(hidden, 0, out=hidden)
        second = np.tile(self.bias[1], (len(x), 1))
        _spread(hidden, self.second, tied, second)
        np.maximum(second, 0, out=second)
        return (np.concatenate([hidden, second], axis=1) @ self.out + self.base).astype(np.float64)

    def _embedded(self, columns: list[U64]) -> F32:
        """(n, H): of each token the sum of its features' rows."""
        n = len(columns[0])
        out = np.zeros((n, self.rows.shape[1]), dtype=np.float32)
        for lo in range(0, n, BLOCK):
            part = out[lo : lo + BLOCK]
            found = self.table.find(np.concatenate([c[lo : lo + BLOCK] for c in columns])).reshape(len(columns), -1)
            taken = np.empty(part.shape, dtype=np.float32)
            for index in found:
                part += self.rows.take(index, axis=0, out=taken, mode="clip")
        return out


def _spread(x: F32, weights: F32, tied: I64, out: F32) -> None:
    """Add to each row of `out` what its tied tokens' rows of `x` come to by the weights of each tie.

    Many tokens share the token that they are tied to (a clause, a cue, a sentence's beginning), and many have none: of
    such ties only the different tokens go through the weights.
    """
    n = len(x)
    x = np.concatenate([x, np.zeros((1, x.shape[1]), dtype=np.float32)])  # where there is no tie: -1
    dense = []
    for k, weight in enumerate(weights):
        wanted = np.zeros(n + 1, dtype=bool)
        wanted[tied[:, k]] = True
        different = np.flatnonzero(wanted)
        if len(different) > DENSE * n:
            dense.append(k)
            continue
        place = np.cumsum(wanted) - 1
        out += (x[different] @ weight).take(place[tied[:, k]], axis=0)
    if dense:
        together = weights[dense].reshape(-1, weights.shape[2])
        for lo in range(0, n, BLOCK):
            near = x.take(tied[lo : lo + BLOCK, dense], axis=0, mode="wrap")  # -1 is the last
            out[lo : lo + BLOCK] += near.reshape(len(near), -1) @ together


def vectors_of(frame: Frame, encoder: str) -> F16 | None:
    """(n, D) vectors of the frame's tokens; None if it was not read by the model of that name."""
    if frame.doc.encoder != encoder:
        return None
    out: F16 = frame.doc.vectors[frame.token]
    return out


def scores_of(net: Net, frame: Frame, features: list[U64], chances: F64) -> F64 | None:
    """(n, L) of a text; None without its vectors."""
    vectors = vectors_of(frame, net.encoder)
    return None if vectors is None else net.scores(vectors, features, ties(frame, chances))


_WEIGHTS = ("narrow", "rows", "first", "second", "bias", "out", "base")


def save_net(path: Path, net: Net) -> None:
    half = {k: getattr(net, k).astype(np.float16) for k in _WEIGHTS}
    np.savez_compressed(
        path, encoder=np.array(net.encoder), mean=net.mean, scale=net.scale, columns=net.columns, keys=net.keys,
        transitions=net.transitions, **half,
    )  # fmt: skip


def load_net(path: Path) -> Net:
    with np.load(path) as data:
        single = {k: data[k].astype(np.float32) for k in _WEIGHTS}
        return Net(
            encoder=str(data["encoder"]), mean=data["mean"], scale=data["scale"], columns=data["columns"],
            keys=data["keys"], transitions=data["transitions"], **single,
        )  # fmt: skip
