"""Train the models that this step ships: python -m tasks.extract.quotes.train ../shared/data/quotes [--cache DIR]

Deterministic, about 10 minutes on two cores. Writes the .npz files beside this module. Needs the `train` extra.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tasks.extract.quotes.calibrate import Calibration, save_calibration
from tasks.extract.quotes.corpus import FINE, Sample, fine_labels, labels_of, read_samples
from tasks.extract.quotes.crf import F64, load_crf, save_crf
from tasks.extract.quotes.cues import load_cues, save_cues
from tasks.extract.quotes.features import CuePrior, token_features
from tasks.extract.quotes.find import read_scene
from tasks.extract.quotes.fit import Plan, fit
from tasks.extract.quotes.fit_net import NetPlan, Text, fit_net
from tasks.extract.quotes.models import HERE, Models, load_prior, save_prior
from tasks.extract.quotes.net import load_net, save_net
from tasks.extract.quotes.speakers import Ranker, save_ranker
from tasks.extract.quotes.ties import ties
from tasks.extract.quotes.train_cues import cue_heads, fit_cues
from tasks.extract.quotes.train_speakers import gold_piece, train_ranker
from tasks.settings import ExtractSettings


class Counts:
    """How often each lemma occurs and heads a cue, over all texts and within each."""

    def __init__(self, samples: list[Sample]) -> None:
        self.per_text = []
        self.seen: Counter[int] = Counter()
        self.cues: Counter[int] = Counter()
        for s in samples:
            verbal = s.frame.lemma[(s.frame.tag != 0)]
            seen = Counter(verbal.tolist())
            cues = Counter(s.frame.lemma[cue_heads(s)].tolist()) if len(s.frame) else Counter()
            self.per_text.append((seen, cues))
            self.seen.update(seen)
            self.cues.update(cues)

    def prior(self, without: int | None = None) -> CuePrior:
        """Bins of the share of a lemma's occurrences that head a cue; `without` one text: none knows itself."""
        seen, cues = self.per_text[without] if without is not None else (Counter(), Counter())
        table = {}
        for lemma, n in self.cues.items():
            k, total = n - cues[lemma], self.seen[lemma] - seen[lemma]
            if k >= 2:
                share = k / (total + 5)
                table[lemma] = int(np.searchsorted([0.01, 0.03, 0.08, 0.2, 0.4, 0.6], share)) + 1
        keys = sorted(table)
        return CuePrior(
            keys=np.array(keys, dtype=np.uint64),
            bins=np.array([table[k] for k in keys], dtype=np.int64),
        )


def train_calibration(samples: list[Sample], models: Models) -> Calibration:
    """From texts that the tagger was not trained on."""
    from sklearn.linear_model import LogisticRegression

    rows, right = [], []
    for sample in samples:
        _, said = read_scene(sample.frame, models, all_of_it=True)
        for s in said:
            for piece in s.pieces:
                rows.append(s.evidence)
                right.append(gold_piece(sample, piece) is not None)
    names = sorted({k for r in rows for k in r})
    x = np.array([[r.get(k, 0.0) for k in names] for r in rows])
    fit = LogisticRegression(fit_intercept=False, C=1.0, max_iter=1000).fit(x, np.array(right))
    return Calibration(weights=dict(zip(names, fit.coef_[0].tolist(), strict=True)))


FOLDS = 3
"""The tagger learns from chances of the first pass for texts that the first pass has not seen."""
HELD = 100
"""The last hundred texts are kept from the tagger, so that ranker and calibration see it as it is on new text. A tagger
that learnt from them too was no better on dev, and its chances were not those that the calibration knows."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, help="folder that keeps the parses")
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args(arguments)
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {what}", flush=True)

    samples = read_samples(args.data / "polnear_train.jsonl.gz", ExtractSettings().model, args.cache)
    say(f"{len(samples)} texts read")
    held = samples[-HELD:]
    train_tagger(samples[:-HELD], args.out, say)
    nothing = Calibration(weights={})
    models = Models(
        crf=load_crf(args.out / "tagger.npz"), net=load_net(args.out / "tagger_net.npz"),
        prior=load_prior(args.out / "cue_prior.npz"),
        cues=load_cues(args.out / "cues.npz"), ranker=Ranker(weights={}), calibration=nothing,
    )  # fmt: skip
    models = replace(models, ranker=train_ranker(held, models))
    say(f"ranker: {len(models.ranker.weights)} features")
    save_ranker(args.out / "speakers.npz", models.ranker)
    save_calibration(args.out / "calibration.json", train_calibration(held, models))
    say("written")


def train_tagger(samples: list[Sample], out: Path, say: Callable[[str], None]) -> None:
    """Prior, first pass and tagger, written to `out`."""
    counts = Counts(samples)
    priors = [counts.prior(i) for i in range(len(samples))]
    save_prior(out / "cue_prior.npz", counts.prior())
    model = fit_cues(samples, priors)
    save_cues(out / "cues.npz", model)
    say(f"first pass: {len(model.keys)} features")
    unseen = _unseen_chances(samples, priors)
    say("chances of the first pass")
    columns = [token_features(s.frame, p, c) for s, p, c in zip(samples, priors, unseen, strict=True)]
    labels = [fine_labels(labels_of(s), s.frame.para) for s in samples]
    crf = fit(columns, labels, [s.frame.para for s in samples], FINE, Plan())
    save_crf(out / "tagger.npz", crf)
    say(f"tagger: {len(crf.keys)} features")
    encoder = samples[0].frame.doc.encoder
    assert encoder is not None  # the model that this project ships with
    texts = [
        Text(
            features=np.stack(c, 1), vectors=s.frame.doc.vectors[s.frame.token], tied=ties(s.frame, chance),
            gold=y, group=s.frame.para,
        )
        for s, chance, c, y in zip(samples, unseen, columns, labels, strict=True)
        if c
    ]  # fmt: skip
    del columns
    net = fit_net(texts, encoder, FINE, NetPlan())
    save_net(out / "tagger_net.npz", net)
    say(f"network: {len(net.keys)} features")


def _unseen_chances(samples: list[Sample], priors: list[CuePrior]) -> list[F64]:
    """For each text the chances by a first pass that was trained on others."""
    out: list[F64] = [np.zeros(0)] * len(samples)
    for k in range(FOLDS):
        others = [i for i in range(len(samples)) if i % FOLDS != k]
        model = fit_cues([samples[i] for i in others], [priors[i] for i in others])
        for i in range(k, len(samples), FOLDS):
            out[i] = model.chances(samples[i].frame, priors[i])
    return out


if __name__ == "__main__":
    main(sys.argv[1:])
