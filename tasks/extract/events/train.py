"""Fit how sure an event is: data/plover/confidence.json, weights of a logistic regression over `find.marks`.

usage: python -m tasks.extract.events.train ../shared/data/events     (extra: train)
An event found by the rules counts as right where its type is one that the labels allow. The texts are all about
conflict and politics, so a share of wrong ones from campaign news would pull the figures down by about 0.1: see
docs/choices.md. Parses are made here; it takes two minutes.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tasks.extract.events import find
from tasks.extract.events.lexicon import DATA
from tasks.extract.events.ontology import PLOVER, load_ontology
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings


def records(folder: Path) -> list[tuple[str, set[str]]]:
    """(text, types that are right in it) of the PLOVER, CASE and details sets."""
    out: list[tuple[str, set[str]]] = []
    for name in ("plover_gsr", "case_types"):
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as fh:
            for r in map(json.loads, fh):
                if name == "case_types" and not r["scored"]:
                    continue
                right = {e["type"] for e in r["events"]} if "events" in r else {*r["plover"], *r["plover_ok"]}
                out.append((r["text"], right))
    with (folder / "detail_dev.jsonl").open(encoding="utf-8") as fh:
        for r in map(json.loads, fh):
            out.append((r["text"], {x for e in r["events"] for x in (e["type"], *e["also_ok"])}))
    return out


def examples(folder: Path) -> tuple[list[list[str]], list[int]]:
    nlp = load_model(ExtractSettings().model)
    marks, right = [], []
    for text, types in records(folder):
        for d in find.find_drafts(parse(nlp, text), [], load_ontology()):
            marks.append(find.marks(d))
            right.append(int(d.c.type in types))
    return marks, right


def reliability(chance: Any, right: Any) -> str:
    """Share right among rows of each tenth of confidence."""
    out = []
    for low in np.arange(0.0, 1.0, 0.1):
        inside = (chance >= low) & (chance < low + 0.1)
        if inside.sum() >= 5:
            out.append(f"{low:.1f}: {right[inside].mean():.2f} of {int(inside.sum())}")
    return ", ".join(out)


def main() -> None:
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    marks, right = examples(Path(sys.argv[1]))
    vectors = DictVectorizer()
    x = vectors.fit_transform([dict.fromkeys(m, 1.0) for m in marks])
    y = np.array(right)
    model = LogisticRegression(C=0.3, max_iter=1000)
    chance = cross_val_predict(model, x, y, cv=10, method="predict_proba")[:, 1]
    print(f"{len(y)} events, {y.mean():.3f} right; cross-validated Brier {np.mean((chance - y) ** 2):.3f}")
    print(reliability(chance, y))
    model.fit(x, y)
    fitted = {n: round(float(w), 3) for n, w in zip(vectors.get_feature_names_out(), model.coef_[0], strict=True)}
    fitted["bias"] = round(float(model.intercept_[0]) - 0.6, 3)  # campaign and city news: more is wrong there
    (DATA / PLOVER / "confidence.json").write_text(
        json.dumps(fitted, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
