"""Trains the three sequence models of this step.

usage: python -m tasks.clean.train ../shared/data [--cv] [--only units|blocks|blocks_alone]

Writes units.crf, blocks.crf and blocks_alone.crf (for pages that no other finder reads) beside this file.
With --cv nothing is written: five folds grouped by outlet are trained and scored with the project's scorer instead.
The same data give the same models, byte for byte.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pycrfsuite

from tasks.clean.training import (
    Example,
    augmented,
    block_examples,
    dump_examples,
    load_pages,
    load_texts,
    score_blocks,
    score_units,
    unit_examples,
)

PARAMETERS: dict[str, dict[str, Any]] = {
    # c1 and c2 by cross-validation over outlets, 2026-11-24; minfreq keeps words of one page out
    "units": {"c1": 0.3, "c2": 0.3, "max_iterations": 120, "feature.minfreq": 3, "feature.possible_transitions": True},
    "blocks": {"c1": 0.3, "c2": 0.3, "max_iterations": 120, "feature.minfreq": 4, "feature.possible_transitions": True},
}
FOLDS = 5
VARIANTS = 1
"""Variants made of every training page: 2 gave no more (mean F1 0.972 against 0.974), at 1.4 times the time."""


def fit(kind: str, examples: list[Example], path: Path) -> None:
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(PARAMETERS[kind.split("_")[0]])
    for example in examples:
        trainer.append(pycrfsuite.ItemSequence(example.rows), example.labels)
    trainer.train(str(path))


def cross_validate(kind: str, examples: list[Example], extra: list[Example], data: Path, scratch: Path) -> None:
    """Scores examples whose outlet the model has not seen."""
    groups = sorted({e.group for e in examples})
    fold_of = {g: i % FOLDS for i, g in enumerate(groups)}
    chances: dict[str, list[dict[str, float]]] = {}
    for fold in range(FOLDS):
        path = scratch / f"{kind}-{fold}.crf"
        seen = [e for e in [*examples, *extra] if fold_of.get(e.group) != fold]
        fit(kind, seen, path)
        tagger = pycrfsuite.Tagger()
        tagger.open(str(path))
        for e in examples:
            if fold_of[e.group] == fold:
                chances[e.id] = e.tag(tagger)
    (score_units if kind == "units" else score_blocks)(examples, chances, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cv", action="store_true")
    parser.add_argument("--only", choices=["units", "blocks", "blocks_alone"])
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"no data folder at {args.data}")
    pages, texts = load_pages(args.data), load_texts(args.data)
    for kind in ("units", "blocks", "blocks_alone"):
        if args.only and kind != args.only:
            continue
        if kind == "units":
            examples, extra = unit_examples(texts), [*augmented(texts), *dump_examples(pages)]
        else:
            # two models, with the other finder's opinion and without: one model trained on both trusts it too little
            # (cross-validated aeb 0.950 instead of 0.974)
            read = kind == "blocks"
            examples = block_examples(pages, with_reference=read)
            extra = block_examples(pages, with_reference=read, variants=VARIANTS)
        if args.cv:
            cross_validate(kind, examples, extra, args.data, args.scratch)
        else:
            fit(kind, [*examples, *extra], Path(__file__).with_name(f"{kind}.crf"))


if __name__ == "__main__":
    main()
