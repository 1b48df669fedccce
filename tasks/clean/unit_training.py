"""Training material and training of the models of text units: two readings, and texts made from many outlets' pages.

The 93 labelled texts and the pages they come from are of few outlets. The pages with stated strings (`more`) are of 550
others: what our page extractor takes for their body is believed where it holds the stated strings and not the forbidden
ones, and badly scraped texts are made from those pages in the same way. The second reading learns from chances that a
first reading gave to texts of outlets it had not seen.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tasks.clean.agree import words
from tasks.clean.identity import outlet_of
from tasks.clean.sequence import label_chances, marginals
from tasks.clean.training import (
    FOLDS,
    Example,
    LabelledPage,
    augmented,
    block_examples,
    dump_examples,
    fit,
    folds,
    load_pages,
    load_texts,
    score_units,
    unit_examples,
)
from tasks.clean.unit_chances import SECOND
from tasks.clean.unit_model import look, second_features

MIN_CHARS = 600
PARAMETERS: dict[str, Any] = {
    # c1 and c2 by cross-validation over outlets, 2026-11-24; minfreq keeps words of one page out
    "c1": 0.3, "c2": 0.3, "max_iterations": 120, "feature.minfreq": 3, "feature.possible_transitions": True,
}  # fmt: skip

Chances = list[dict[str, float]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Labelled texts, and made ones: `sure` of the second come from pages on which nothing stated is missed."""

    texts: list[Example]
    made: list[Example]
    doubtful: list[Example]

    def all(self) -> list[Example]:
        return [*self.texts, *self.made, *self.doubtful]


def load_material(data: Path) -> Material:
    pages, rows = load_pages(data), load_texts(data)
    outlets = {p.id: outlet_of(p.url) or p.id for p in pages}
    sure, doubtful = [], []
    for page in load_pages(data, "more"):
        body = _believed_body(page)
        if body is not None:
            faults = _faults(page, body)
            silver = dataclasses.replace(page, id=page.url, gold={"id": page.url, "url": page.url, "body": body})
            if faults == (0, 0):
                sure.append(silver)
            elif sum(faults) == 1 or (faults[1] == 0 and 2 * faults[0] <= len(page.gold["must_hold"])):
                doubtful.append(silver)
    made = [*augmented(rows), *dump_examples(pages), *dump_examples(sure, variants=1, seed=9)]
    return Material(
        texts=_grouped(unit_examples(rows), outlets),
        made=_grouped(made, outlets),
        doubtful=_grouped(dump_examples(doubtful, variants=1, seed=13), outlets),
    )


def _grouped(examples: list[Example], outlets: dict[str, str]) -> list[Example]:
    """Each with its outlet as its group, also where the id names a publisher."""
    return [dataclasses.replace(e, group=outlets.get(e.id.split("#")[0], e.group)) for e in examples]


def _believed_body(page: LabelledPage) -> str | None:
    """What the model of page blocks takes for the body, where that is enough. Not clean_page, which asks the very
    models that are trained here."""
    [example] = block_examples([dataclasses.replace(page, gold={**page.gold, "id": page.url, "body": ""})])
    chances = label_chances("blocks", example.rows)
    body = "\n".join(t for t, c in zip(example.texts, chances, strict=True) if c["B"] >= 0.5)
    return body if len(body) >= MIN_CHARS else None


def _faults(page: LabelledPage, body: str) -> tuple[int, int]:
    """How many stated strings a body lacks, and how many forbidden ones it has."""
    held = " ".join(words(body))
    missing = sum(" ".join(words(s)) not in held for s in page.gold["must_hold"])
    return missing, sum(" ".join(words(s)) in held for s in page.gold["must_not_hold"])


def _unseen(examples: list[Example], wanted: list[Example], scratch: Path) -> list[Chances]:
    """Chances of the wanted ones, from models that have not seen their outlets."""
    fold_of = folds([*examples, *wanted])
    found: list[Chances] = [[]] * len(wanted)
    for fold in range(FOLDS):
        seen = [e for e in examples if fold_of[e.group] != fold]
        tagger = fit(seen, scratch / f"units-{fold}.crf", PARAMETERS)
        for i, e in enumerate(wanted):
            if fold_of[e.group] == fold:
                found[i] = marginals(tagger, e.rows)
    return found


def _second(examples: list[Example], chances: list[Chances]) -> list[Example]:
    """The examples as the second reading sees them."""
    out = []
    for example, given in zip(examples, chances, strict=True):
        row, units = example.source
        more = second_features(look(row["text"], units), [c["B"] for c in given])
        out.append(dataclasses.replace(example, rows=[[*a, *b] for a, b in zip(example.rows, more, strict=True)]))
    return out


def _second_material(material: Material, scratch: Path) -> Material:
    """The material of the second reading; the first one learns from what is sure."""
    sure = [*material.texts, *material.made]
    rows = _second(material.all(), _unseen(sure, material.all(), scratch))
    n, m = len(material.texts), len(sure)
    return Material(texts=rows[:n], made=rows[n:m], doubtful=rows[m:])


def _shares(again: Material) -> dict[str, list[Example]]:
    """What each model of the second reading learns from."""
    sure = [*again.texts, *again.made]
    return dict(zip(SECOND, (sure, [*sure, *again.doubtful]), strict=True))


def fit_units(data: Path, folder: Path, scratch: Path) -> None:
    """Write units.crf and the models of the second reading."""
    material = load_material(data)
    fit([*material.texts, *material.made], folder / "units.crf", PARAMETERS)
    for name, examples in _shares(_second_material(material, scratch)).items():
        fit(examples, folder / f"{name}.crf", PARAMETERS)


def cross_validate_units(data: Path, scratch: Path) -> None:
    """Score the texts, read by models that have not seen their outlets."""
    again = _second_material(load_material(data), scratch)
    readings = [_unseen(examples, again.texts, scratch) for examples in _shares(again).values()]
    found = {
        e.id: [
            {"B": sum(c["B"] for c in of_unit) / len(readings)}
            for of_unit in zip(*(r[i] for r in readings), strict=True)
        ]
        for i, e in enumerate(again.texts)
    }
    score_units(again.texts, found, data)
