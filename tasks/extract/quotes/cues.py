"""First pass: the chance of each verb, noun or preposition to head a cue (said, according to, the claim that).

A logistic model over sparse features, quick enough to run over every word; what it finds is the frame in which the
tagger then looks for what was said and by whom.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.extract.quotes.crf import F32, F64, KeyTable
from tasks.extract.quotes.features import CuePrior, bucket, mix, nearest, shift, take
from tasks.extract.quotes.frame import I64, U64, Bool, Frame, hashes, is_in


@dataclass(frozen=True, slots=True, kw_only=True)
class CueModel:
    """keys (K,) sorted, weights (K+1,) with a last zero."""

    keys: U64
    weights: F32
    table: KeyTable = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", KeyTable(self.keys))

    def chances(self, f: Frame, prior: CuePrior) -> F64:
        """The chance of each token to head a cue; 0 for those that are no candidates."""
        out = np.zeros(len(f))
        at = cue_candidates(f, prior)
        if len(at):
            total = self.table.add_up(self.weights, cue_features(f, prior, at))
            out[at] = 1 / (1 + np.exp(-np.clip(total, -30, 30)))
        return out


def cue_candidates(f: Frame, prior: CuePrior) -> I64:
    """Tokens that can head a cue: verbs, and other words that are in the lexicon or headed one in training."""
    verb = is_in(f.tag, hashes("VB", "VBD", "VBG", "VBN", "VBP", "VBZ"))
    other = is_in(f.tag, hashes("NN", "NNS", "IN", "JJ", "RP", "RB", ":", "MD", "NNP", "TO"))
    known = (f.cue > 0) | (prior.of(f.lemma) > 1)
    return np.flatnonzero(verb | (other & known))


def children(f: Frame, dep: str, *, last: bool = False) -> I64:
    """For each token its first (or last) child with this label; -1 for none."""
    at = np.flatnonzero((f.dep == hashes(dep)[0]) & (f.head != np.arange(len(f))))
    out = np.full(len(f), -1, dtype=np.int64)
    order = at if last else at[::-1]
    out[f.head[order]] = order
    return out


def cue_features(f: Frame, prior: CuePrior, at: I64) -> list[U64]:
    """Keys of the cue features, for the tokens `at` only."""
    g, n = f.sent, np.arange(len(f))
    w = {k: shift(f.word, k, g)[at] for k in (-2, -1, 0, 1, 2)}
    t = {k: shift(f.tag, k, g)[at] for k in (-2, -1, 0, 1, 2)}
    lemma, tag, dep = f.word[at], f.tag[at], f.dep[at]
    bins = prior.of(f.lemma)[at]
    out = [
        mix(200, lemma),
        mix(201, lemma, tag),
        mix(202, bins, f.cue[at]),
        mix(203, bins, tag),
        mix(204, dep, tag),
        mix(205, lemma, dep),
    ]
    out += [mix(206 + i, v, bins) for i, v in enumerate(w.values()) if i != 2]
    out += [mix(211 + i, v, tag) for i, v in enumerate(t.values()) if i != 2]
    out += [mix(216, w[1], lemma), mix(217, w[-1], lemma), mix(218, t[1], t[2], bins)]
    kids = {
        d: children(f, d)
        for d in (
            "nsubj",
            "nsubjpass",
            "dobj",
            "ccomp",
            "xcomp",
            "prep",
            "agent",
            "mark",
            "aux",
            "auxpass",
            "acl",
            "advcl",
            "neg",
            "poss",
            "dative",
            "parataxis",
            "prt",
            "acomp",
            "attr",
            "pobj",
            "oprd",
        )
    }
    shape = np.zeros(len(at), dtype=np.int64)
    for bit, d in enumerate(("nsubj", "dobj", "ccomp", "xcomp", "auxpass", "agent", "acl", "parataxis")):
        shape |= (kids[d][at] >= 0).astype(np.int64) << bit
    out += [mix(220, shape, bins), mix(221, shape, lemma), mix(222, shape, tag, dep)]
    for i, d in enumerate(kids):
        k = kids[d][at]
        out.append(mix(230 + i, k >= 0, lemma))
        if d in (
            "nsubj",
            "dobj",
            "ccomp",
            "xcomp",
            "prep",
            "pobj",
            "poss",
            "acl",
            "aux",
        ):
            out.append(mix(260 + i, take(f.word, k), bins))
            out.append(mix(290 + i, take(f.word, k), lemma))
            out.append(mix(320 + i, take(f.ent, k), take(f.tag, k), bins))
    comp = np.where(kids["ccomp"][at] >= 0, kids["ccomp"][at], kids["xcomp"][at])
    comp_mark = np.where(comp >= 0, kids["mark"][np.maximum(comp, 0)], -1)
    out += [
        mix(350, take(f.word, comp_mark), bins, np.sign(comp - at) * (comp >= 0)),
        mix(351, take(f.tag, comp), bins),
        mix(352, take(f.quote + 1, comp) > 1, bins, comp >= 0),
    ]
    out += [
        mix(353, f.word[f.head[at]], dep),
        mix(354, f.cue[f.head[at]], dep, bins),
        mix(355, prior.of(f.lemma)[f.head[at]], dep, bins),
    ]
    inside = f.quote >= 0
    q_left, q_right = (
        nearest(inside, f.para, left=True)[at],
        nearest(inside, f.para, left=False)[at],
    )
    dl = bucket(np.where(q_left >= 0, at - q_left, 30))
    dr = bucket(np.where(q_right >= 0, q_right - at, 30))
    here = inside[at]
    out += [
        mix(360, dl, here, bins),
        mix(361, dr, here, bins),
        mix(362, np.minimum(dl, 5), np.minimum(dr, 5), here),
        mix(363, here, lemma),
        mix(364, here, tag, dep),
    ]
    strong: Bool = prior.of(f.lemma) > 4
    left, right = nearest(strong, g, left=True)[at], nearest(strong, g, left=False)[at]
    out += [
        mix(370, take(f.word, left), bins, left >= 0),
        mix(371, take(f.word, right), bins, right >= 0),
        mix(372, left >= 0, right >= 0, bins, here),
    ]
    first = np.maximum.accumulate(np.where(np.concatenate([[True], np.diff(g) > 0]), n, 0))
    out += [
        mix(373, bucket(at - first[at]), bins),
        mix(374, f.headline[at], bins),
        mix(375, np.full(len(at), 1)),
    ]
    subj = np.where(kids["nsubj"][at] >= 0, kids["nsubj"][at], kids["poss"][at])
    out += [
        mix(376, take(f.tag, subj), take(f.ent, subj), lemma),
        mix(377, np.sign(subj - at) * (subj >= 0), lemma, comp >= 0),
    ]
    conj_up = np.where(dep == hashes("conj")[0], f.head[at], -1)
    out += [
        mix(378, take(prior.of(f.lemma), conj_up), bins),
        mix(379, take(f.word, conj_up), lemma),
    ]
    return out


def save_cues(path: Path, model: CueModel) -> None:
    np.savez_compressed(path, keys=model.keys, weights=model.weights.astype(np.float16))


def load_cues(path: Path) -> CueModel:
    with np.load(path) as data:
        return CueModel(keys=data["keys"], weights=data["weights"].astype(np.float32))
