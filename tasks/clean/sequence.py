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
    """For every element the chance of each label. `model`: "units" or "blocks"."""
    return marginals(_tagger(model), sequence)


def marginals(tagger: Any, sequence: list[list[str]]) -> list[dict[str, float]]:
    if not sequence:
        return []
    known = set(tagger.labels())
    tagger.set(pycrfsuite.ItemSequence(sequence))
    return [
        {label: tagger.marginal(label, i) if label in known else 0.0 for label in LABELS} for i in range(len(sequence))
    ]
