"""Does confidence mean what it says? Of the quotes given p, the share that is right, in bands of p."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.golden_quotes import OVERLAP, Span, alike, words_of

BANDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Quotes whose confidence lies from `low` to `high`: how many, their mean confidence, the share that is right."""

    low: float
    high: float
    n: int
    said: float
    right: float


def judged(record: dict[str, Any], quotes: Sequence[dict[str, Any]]) -> list[tuple[float, bool]]:
    """(confidence, right) of each piece found. Right: its words and those of an annotated piece overlap by half.

    Pieces that meet an optional annotation only are left out.
    """
    text = record["text"]
    firm, optional = [], []
    for a in record["attributions"]:
        (optional if a.get("optional") or a.get("nested") else firm).extend((s, e) for s, e in a["content"])
    out = []
    for q in quotes:
        for s, e in q.get("spans") or [[q["start"], q["end"]]]:
            right = _meets(text, (s, e), firm)
            if right or not _meets(text, (s, e), optional):
                out.append((float(q["confidence"]), right))
    return out


def _meets(text: str, span: Span, gold: list[Span]) -> bool:
    words = words_of(text, span)
    return any(a < span[1] and span[0] < b and alike(words, words_of(text, (a, b))) >= OVERLAP for a, b in gold)


def bands(answers: Sequence[tuple[float, bool]], edges: Sequence[float] = BANDS) -> list[Band]:
    """The reliability table; bands without a quote are left out."""
    out = []
    for low, high in itertools.pairwise(edges):
        own = [(p, r) for p, r in answers if low <= p < high or (p == high == edges[-1])]
        if own:
            said, right = sum(p for p, _ in own) / len(own), sum(r for _, r in own) / len(own)
            out.append(Band(low=low, high=high, n=len(own), said=said, right=right))
    return out


def error(table: Sequence[Band]) -> float:
    """Expected calibration error: the gap between said and right, weighted by the quotes of each band."""
    return sum(b.n * abs(b.said - b.right) for b in table) / max(sum(b.n for b in table), 1)
