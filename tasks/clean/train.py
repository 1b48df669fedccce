"""Trains the sequence models of this step.

usage: python -m tasks.clean.train ../shared/data [--cv] [--only units|blocks]

Writes blocks.crf, then units.crf and the models of the second reading of texts (unit_training.py: they learn from what
the page model finds, too) beside this file. Twenty minutes of one core with --cv, ten without.
With --cv nothing is written: five folds grouped by outlet are trained and scored with the project's scorer instead.
The same data give the same models, byte for byte.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tasks.clean.training import (
    FOLDS,
    Example,
    LabelledPage,
    block_examples,
    decided_text,
    fit,
    folds,
    load_pages,
    score_blocks,
)
from tasks.clean.unit_training import cross_validate_units, fit_units
from tasks.clean.weak_pages import labelled_by, score_strings, unlabelled

PARAMETERS: dict[str, Any] = {
    # c1 and c2 by cross-validation over outlets, 2026-11-24; minfreq keeps words of one page out
    "c1": 0.3, "c2": 0.3, "max_iterations": 120, "feature.minfreq": 4, "feature.possible_transitions": True,
}  # fmt: skip
VARIANTS = 1
"""Variants made of every training page."""
ROUNDS = 2
"""Times that the weakly labelled pages are labelled anew."""


def cross_validate(examples: list[Example], extra: list[Example], scratch: Path) -> dict[str, list[dict[str, float]]]:
    """Chances for examples (those of `extra` that are no variants, too) whose outlet the model has not seen."""
    fold_of = folds([*examples, *extra])
    chances: dict[str, list[dict[str, float]]] = {}
    for fold in range(FOLDS):
        seen = [e for e in [*examples, *extra] if fold_of[e.group] != fold]
        tagger = fit(seen, scratch / f"blocks-{fold}.crf", PARAMETERS)
        chances |= {e.id: e.tag(tagger) for e in [*examples, *extra] if fold_of[e.group] == fold}
    return chances


def with_weak(strong: list[Example], pages: list[LabelledPage], scratch: Path) -> list[Example]:
    """Labels for the pages of which only strings are known, in two rounds."""
    weak = unlabelled(pages)
    for number in range(ROUNDS):
        seen = [*strong, *(weak if number else [])]
        tagger = fit(seen, scratch / f"blocks-round-{number}.crf", PARAMETERS)
        weak = labelled_by(tagger, weak)
    return weak


def train_blocks(data: Path, scratch: Path, *, cv: bool) -> None:
    pages = load_pages(data)
    examples, variants = block_examples(pages), block_examples(pages, variants=VARIANTS)
    weak_pages = load_pages(data, "more")
    weak = with_weak([*examples, *variants], weak_pages, scratch)
    if not cv:
        fit([*examples, *variants, *weak], Path(__file__).with_name("blocks.crf"), PARAMETERS)
        return
    chances = cross_validate(examples, [*variants, *weak], scratch)
    score_blocks(examples, chances, data)
    texts = {e.id: decided_text(e.source, chances[e.id]) for e in weak}
    print("  more pages, unseen outlets:", score_strings(texts, weak_pages))


def train_units(data: Path, scratch: Path, *, cv: bool) -> None:
    if cv:
        cross_validate_units(data, scratch)
    else:
        fit_units(data, Path(__file__).parent, scratch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cv", action="store_true")
    parser.add_argument("--only", choices=["units", "blocks"])
    parser.add_argument("--scratch", type=Path, default=Path("/tmp"))
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"no data folder at {args.data}")
    for kind, train in (("blocks", train_blocks), ("units", train_units)):
        if args.only in (None, kind):
            train(args.data, args.scratch, cv=args.cv)


if __name__ == "__main__":
    main()
