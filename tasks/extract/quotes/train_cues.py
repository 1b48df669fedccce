"""Training of the first pass (cues.py). Used by train.py."""

from __future__ import annotations

import numpy as np

from tasks.extract.quotes.corpus import Sample
from tasks.extract.quotes.cues import CueModel, cue_candidates, cue_features
from tasks.extract.quotes.features import CuePrior
from tasks.extract.quotes.fit import ones
from tasks.extract.quotes.frame import I64, U64


def cue_heads(sample: Sample) -> list[int]:
    """The head token of each cue: its word that hangs highest in the tree, or the first that can attribute."""
    f = sample.frame
    middle = (f.start + f.end) / 2
    out = []
    for a in sample.attributions:
        for s, e in a["cue"][:1]:
            lo, hi = int(np.searchsorted(middle, s)), int(np.searchsorted(middle, e))
            inside = range(lo, hi)
            heads = [i for i in inside if not lo <= f.head[i] < hi or f.head[i] == i]
            verbs = [i for i in inside if f.cue[i]]
            if heads or verbs:
                out.append(next((h for h in heads if f.cue[h]), verbs[0] if verbs else heads[0]))
    return out


def fit_cues(samples: list[Sample], priors: list[CuePrior], *, min_count: int = 4) -> CueModel:
    """A logistic model over all candidates of the texts."""
    from sklearn.linear_model import LogisticRegression

    columns: list[list[U64]] = []
    right: list[I64] = []
    for sample, prior in zip(samples, priors, strict=True):
        at = cue_candidates(sample.frame, prior)
        if len(at):
            columns.append(cue_features(sample.frame, prior, at))
            right.append(np.isin(at, cue_heads(sample)).astype(np.int64))
    table = np.concatenate([np.stack(c, 1) for c in columns])
    keys, counts = np.unique(table, return_counts=True)
    keys = keys[counts >= min_count]
    x = ones(keys, table)
    fit = LogisticRegression(C=0.15, solver="lbfgs", max_iter=60, fit_intercept=False).fit(x, np.concatenate(right))
    weights = fit.coef_[0].astype(np.float32)
    kept = np.abs(weights) > 0.01
    return CueModel(keys=keys[kept], weights=np.append(weights[kept], np.float32(0)))
