"""Training of the speaker ranker: softmax over the mentions around a piece and "nobody". Used by train.py."""

from __future__ import annotations

from collections import Counter

import numpy as np
import scipy.optimize  # type: ignore[import-untyped]
import scipy.sparse  # type: ignore[import-untyped]

from tasks.extract.quotes.corpus import Sample, tokens_of
from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.find import set_scene
from tasks.extract.quotes.models import Models
from tasks.extract.quotes.spans import Piece
from tasks.extract.quotes.speakers import (
    Ranker,
    Scene,
    candidates,
    cue_of,
    describe,
    describe_nobody,
)


def gold_piece(sample: Sample, piece: Piece) -> int | None:
    """The attribution that a piece matches: Jaccard of tokens at least 0.5."""
    best, found = 0.5, None
    for k, a in enumerate(sample.attributions):
        for s, e in a["content"]:
            lo, hi = tokens_of(sample.frame, s, e)
            shared = min(hi, piece.hi) - max(lo, piece.lo)
            if shared > 0:
                jaccard = shared / (hi - lo + piece.hi - piece.lo - shared)
                if jaccard >= best:
                    best, found = jaccard, k
    return found


def right_mentions(scene: Scene, source: list[list[int]], options: list[int]) -> set[int]:
    """The mentions whose head lies in the annotated speaker; of several those that hang highest."""
    f = scene.frame
    out: set[int] = set()
    for s, e in source:
        inside = [m for m in options if s <= f.start[scene.heads[m]] < e]
        top = [
            m
            for m in inside
            if not s <= f.start[f.head[scene.heads[m]]] < e or f.head[scene.heads[m]] == scene.heads[m]
        ]
        out.update(top or inside)
    return out


def train_ranker(samples: list[Sample], models: Models, *, penalty: float = 0.5, min_count: int = 5) -> Ranker:
    """From texts that the tagger was not trained on."""
    cases: list[tuple[list[list[str]], list[bool]]] = []
    for sample in samples:
        scene, pieces = set_scene(sample.frame, models)
        last: int | None = None
        for piece in pieces:
            k = gold_piece(sample, piece)
            if k is None:
                last = None
                continue
            source = sample.attributions[k]["source"]
            cue = cue_of(scene, piece, pieces)
            options = candidates(scene, piece, pieces)
            right = right_mentions(scene, source, options)
            if right or not source:
                rows = [describe_nobody(scene, piece, cue)] + [
                    describe(scene, piece, cue, m, pieces, last) for m in options
                ]
                cases.append((rows, [not source] + [m in right for m in options]))
            last = min(right, default=None)
    return _fit(cases, penalty, min_count)


def _fit(cases: list[tuple[list[list[str]], list[bool]]], penalty: float, min_count: int) -> Ranker:
    counts = Counter(f for rows, _ in cases for r in rows for f in r)
    names = sorted(n for n, c in counts.items() if c >= min_count)
    number = {n: i for i, n in enumerate(names)}
    indptr: list[int] = [0]
    indices: list[int] = []
    case: list[int] = []
    right: list[bool] = []
    for k, (rows, good) in enumerate(cases):
        for row, g in zip(rows, good, strict=True):
            indices.extend(number[f] for f in row if f in number)
            indptr.append(len(indices))
            case.append(k)
            right.append(g)
    x = scipy.sparse.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(case), len(names)))
    which, good_rows = np.array(case), np.array(right)
    starts = np.flatnonzero(np.diff(which, prepend=-1))

    def loss(w: F64) -> tuple[float, F64]:
        s = x @ w
        s -= np.maximum.reduceat(s, starts)[which]
        e = np.exp(s)
        total = np.add.reduceat(e, starts)
        hit = np.add.reduceat(e * good_rows, starts)
        value = float((np.log(total) - np.log(hit + 1e-300)).sum() + penalty * (w @ w))
        slope = x.T @ (e / total[which] - e * good_rows / (hit[which] + 1e-300)) + 2 * penalty * w
        return value, slope

    result = scipy.optimize.minimize(
        loss,
        np.zeros(len(names)),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200},
    )
    return Ranker(weights={n: float(w) for n, w in zip(names, result.x, strict=True) if abs(w) > 1e-3})
