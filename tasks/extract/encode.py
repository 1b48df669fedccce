"""The language model's own weights, run over many pieces of text at once: vectors of tokens in their context.

spaCy runs its networks a few sentences at a time, and most of its time goes into many small products. The same numbers
come out here from few large ones (tests/extract/test_language.py compares the parses), at several times the speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

PIECES = 3
"""Maxout pieces of every layer of the encoder."""

BLOCK = 1000
"""Tokens that go through the layers together."""


class UnknownModel(Exception):
    """The language model is not built as this module expects; spaCy's own code can still run it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Maxout, then layer normalisation. weight (inputs + 1, 3 * width), whose last row is the bias and waits for a one
    at the end of each input; gain and shift (width,)."""

    weight: F32
    gain: F32
    shift: F32

    def __call__(self, x: F32) -> F32:
        return self.choose(x @ self.weight)

    def choose(self, y: F32) -> F32:
        """The largest of each three in y (n, 3 * width), normalised."""
        width = len(self.gain)
        out: F32 = np.maximum(y[:, :width], y[:, width : 2 * width])
        np.maximum(out, y[:, 2 * width :], out=out)
        out -= out.mean(axis=1, keepdims=True)
        out *= 1.0 / np.sqrt(np.einsum("ij,ij->i", out, out) / width + 1e-8)[:, None].astype(np.float32)
        out *= self.gain
        out += self.shift
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A hashed embedding: four rows of `rows` are added up for each value of one attribute."""

    attribute: str
    rows: F32
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """Embeddings of a token's own form, mixed, then layers that each look one token to the left and right."""

    tables: tuple[Table, ...]
    mix: Layer
    layers: tuple[Layer, ...]

    @property
    def width(self) -> int:
        return len(self.mix.gain)

    @property
    def attributes(self) -> list[str]:
        return [t.attribute for t in self.tables]

    def encode(self, values: U64, starts: I64, lengths: I64) -> F32:
        """(n, width) vectors. values: (n, attributes) of all tokens; pieces begin at `starts`, one after the other."""
        distinct, which = _distinct(values)
        forms = np.concatenate([self.mix(self._embed(distinct)), np.zeros((1, self.width), dtype=np.float32)])
        pad = len(self.layers)
        # as spaCy lays them out: rows of zeros before, between and after the pieces, as many as there are layers
        place = np.arange(int(lengths.sum())) + np.repeat(pad * (1 + np.arange(len(lengths))), lengths)
        form = np.full(len(place) + pad * (len(lengths) + 1), len(distinct))
        form[place] = which
        # what a form adds to the first layer on the token to its right, on itself and to its left: once for each form
        beside = [forms @ part for part in self.layers[0].weight[:-1].reshape(3, self.width, -1)]
        beside[1] += self.layers[0].weight[-1]
        out = np.empty((len(place), self.width), dtype=np.float32)
        done = first = 0
        for stop in _blocks(lengths):  # a block stays in the processor's cache through all layers
            size = int(lengths[first:stop].sum())
            lo, hi = done + pad * first, done + size + pad * (stop + 1)
            own = form[lo:hi]
            y = beside[1].take(own, axis=0)
            y[1:] += beside[0].take(own[:-1], axis=0)
            y[:-1] += beside[2].take(own[1:], axis=0)
            block = forms.take(own, axis=0)
            block += self.layers[0].choose(y)
            for layer in self.layers[1:]:
                block += layer(_window(block))
            out[done : done + size] = block[place[done : done + size] - lo]
            done, first = done + size, stop
        return out

    def _embed(self, values: U64) -> F32:
        from thinc.api import NumpyOps

        ops = NumpyOps()
        parts = []
        for i, t in enumerate(self.tables):
            ids = np.ascontiguousarray(values[:, i])
            parts.append(t.rows[ops.hash(ids, t.seed) % len(t.rows)].sum(axis=1))
        return np.concatenate([*parts, np.ones((len(values), 1), dtype=np.float32)], axis=1)


def _blocks(lengths: I64) -> Iterator[int]:
    """Where to part the pieces so that each part has about BLOCK tokens."""
    ends = np.cumsum(lengths)
    at = 0
    while at < len(lengths):
        done = int(ends[at - 1]) if at else 0
        at = max(int(np.searchsorted(ends, done + BLOCK)), at + 1)
        yield at


def _distinct(values: U64) -> tuple[U64, I64]:
    """The distinct rows, and which of them each row is. Rows are told apart by a 64-bit mix of their values."""
    key = np.zeros(len(values), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in values.T:
            key = (key ^ column) * np.uint64(0xBF58476D1CE4E5B9)
            key ^= key >> np.uint64(31)
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    return values[first], which


def _window(x: F32) -> F32:
    """Each row with its neighbours and a one: (n, 3 * width + 1)."""
    width = x.shape[1]
    out = np.empty((len(x), 3 * width + 1), dtype=np.float32)
    out[1:, :width] = x[:-1]
    out[:, width : 2 * width] = x
    out[:-1, 2 * width : -1] = x[1:]
    out[0, :width] = out[-1, 2 * width : -1] = 0
    out[:, -1] = 1
    return out


def read_encoder(model: Any) -> Encoder:
    """The encoder inside a thinc model. Raises UnknownModel if it is of another build."""
    nodes = list(model.walk())
    columns = [n.attrs["columns"] for n in nodes if n.name == "extract_features"]
    tables = [n for n in nodes if n.name == "hashembed"]
    maxouts = [n for n in nodes if n.name == "maxout"]
    norms = [n for n in nodes if n.name == "layernorm"]
    windows = [n for n in nodes if n.name == "expand_window"]
    if len(columns) != 1 or len(columns[0]) != len(tables) or len(maxouts) < 2 or len(maxouts) != len(norms):
        raise UnknownModel("its encoder has other parts")
    if len(windows) != len(maxouts) - 1 or any(w.attrs["window_size"] != 1 for w in windows):
        raise UnknownModel("its encoder looks further than one token")
    layers = [_layer(m, n) for m, n in zip(maxouts, norms, strict=True)]
    tables.sort(key=lambda n: n.attrs["column"])
    return Encoder(
        tables=tuple(
            Table(attribute=a, rows=n.get_param("E"), seed=n.attrs["seed"])
            for a, n in zip(columns[0], tables, strict=True)
        ),
        mix=layers[0],
        layers=tuple(layers[1:]),
    )


def _layer(maxout: Any, norm: Any) -> Layer:
    weight, bias = maxout.get_param("W"), maxout.get_param("b")
    if weight.shape[1] != PIECES:
        raise UnknownModel("its layers have another number of pieces")
    flat = weight.transpose(1, 0, 2).reshape(-1, weight.shape[2])
    return Layer(
        weight=np.concatenate([flat.T, bias.T.reshape(1, -1)]),
        gain=norm.get_param("G"),
        shift=norm.get_param("b"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """weight (inputs, outputs), bias (outputs,)."""

    weight: F32
    bias: F32

    def __call__(self, x: F32) -> F32:
        return x @ self.weight + self.bias


def read_linear(node: Any) -> Linear:
    return Linear(weight=np.ascontiguousarray(node.get_param("W").T), bias=node.get_param("b"))


def find_nodes(model: Any, name: str) -> Iterator[Any]:
    return (n for n in model.walk() if n.name == name)
