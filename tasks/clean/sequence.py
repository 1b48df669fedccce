"""The sequence models of this step (page blocks, text units): labels with chances, safe to call from threads."""

from __future__ import annotations

import threading
from importlib import resources
from typing import Any

import pycrfsuite

LABELS = ("B", "F", "S", "T")
"""body, furniture, standfirst, title"""

_local = threading.local()


def _tagger(model: str) -> Any:
    """One tagger a thread: a tagger holds the sequence it was last given."""
    taggers = _local.__dict__.setdefault("taggers", {})
    if model not in taggers:
        data = resources.files("tasks.clean").joinpath(f"{model}.crf").read_bytes()
        tagger = pycrfsuite.Tagger()
        tagger.open_inmemory(data)
        taggers[model] = (tagger, data)  # the tagger reads from these bytes and does not hold them: without, a crash
    return taggers[model][0]


def label_chances(model: str, sequence: list[list[str]]) -> list[dict[str, float]]:
    """For every element the chance of each label. `model`: the name of a .crf file beside this one."""
    return marginals(_tagger(model), sequence)


def mean_chances(models: tuple[str, ...], sequence: list[list[str]]) -> list[dict[str, float]]:
    """The mean of what several models say of one sequence."""
    if not sequence:
        return []
    items = pycrfsuite.ItemSequence(sequence)  # made once: it takes longer than the reading
    readings = [_given(_tagger(model), items, len(sequence)) for model in models]
    return [
        {label: sum(c[label] for c in of_one) / len(models) for label in LABELS}
        for of_one in zip(*readings, strict=True)
    ]


def body_chances(model: str, sequence: list[list[str]]) -> list[float]:
    """The chance of being body alone."""
    if not sequence:
        return []
    tagger = _tagger(model)
    tagger.set(pycrfsuite.ItemSequence(sequence))
    return [tagger.marginal("B", i) for i in range(len(sequence))]


def marginals(tagger: Any, sequence: list[list[str]]) -> list[dict[str, float]]:
    return _given(tagger, pycrfsuite.ItemSequence(sequence), len(sequence)) if sequence else []


def _given(tagger: Any, items: Any, n: int) -> list[dict[str, float]]:
    known = set(tagger.labels())
    tagger.set(items)
    return [{label: tagger.marginal(label, i) if label in known else 0.0 for label in LABELS} for i in range(n)]
