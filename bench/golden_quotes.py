"""Invented passages in many styles with their quotes marked: tests/extract/data/quotes_golden.jsonl, read and scored.

The marks are made to be read and edited: `[1|what was said] <1|the cue> {1|the speaker}`. Equal numbers belong
together, a second `[1|…]` is a second piece of the same quote, and `[?1|…]` neither rewards nor punishes: readers may
differ. The text itself holds none of these brackets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "extract" / "data" / "quotes_golden.jsonl"
_OPEN = re.compile(r"([\[<{])(\??)(\d+)\|")
_CLOSE = {"[": "]", "<": ">", "{": "}"}
_WORD = re.compile(r"\w+(?:['’.\-]\w+)*")
OVERLAP = 0.5
"""Jaccard index of the words from which two stretches are the same, as in the scorers of the labelled sets."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage without its marks, and the spans that were marked."""

    id: str
    text: str
    said: list[Span]
    optional: list[Span]
    speakers: dict[Span, list[Span]]  # of each piece that was said: the mentions that speak it


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares from 0 to 1; `false` counts pieces found in passages in which nothing is said."""

    precision: float
    recall: float
    overlap: float
    exact: float
    false: int
    passages: int


def read_golden(path: Path = GOLDEN) -> list[Passage]:
    return [read_marked(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def read_marked(id: str, marked: str) -> Passage:
    """Raises ValueError where a mark is not closed."""
    text: list[str] = []
    size = at = 0
    found: dict[str, list[tuple[str, Span]]] = {"[": [], "<": [], "{": []}
    optional = []
    while m := _OPEN.search(marked, at):
        close = marked.index(_CLOSE[m.group(1)], m.end())
        text += [marked[at : m.start()], marked[m.end() : close]]
        start = size + m.start() - at
        span = (start, start + close - m.end())
        size, at = span[1], close + 1
        if m.group(2):
            optional.append(span)
        else:
            found[m.group(1)].append((m.group(3), span))
    text.append(marked[at:])
    speakers = {said: [s for k, s in found["{"] if k == number] for number, said in found["["]}
    return Passage(id=id, text="".join(text), said=list(speakers), optional=optional, speakers=speakers)


def score_golden(passages: list[Passage], find: Callable[[Passage], list[Span]]) -> Figures:
    """Pieces found by `find` against those marked: one to one, the closest first."""
    right = exact = found = gold = false = 0
    for p in passages:
        pieces = find(p)
        pairs = _pairs(p, p.said, pieces)
        rest = [s for s in pieces if s not in {b for _, b in pairs}]
        free = {b for _, b in _pairs(p, p.optional, rest)}
        right += len(pairs)
        exact += sum(words_of(p.text, a) == words_of(p.text, b) for a, b in pairs)
        found += len(pieces) - len(free)
        gold += len(p.said)
        if not p.said:
            false += len(rest) - len(free)
    precision, recall = right / max(found, 1), right / max(gold, 1)
    return Figures(
        precision=precision,
        recall=recall,
        overlap=2 * right / max(found + gold, 1),
        exact=2 * exact / max(found + gold, 1),
        false=false,
        passages=len(passages),
    )


def _pairs(p: Passage, gold: list[Span], found: list[Span]) -> list[tuple[Span, Span]]:
    close = [(alike(words_of(p.text, a), words_of(p.text, b)), a, b) for a in gold for b in found]
    out: list[tuple[Span, Span]] = []
    for likeness, a, b in sorted(close, key=lambda x: -x[0]):
        if likeness >= OVERLAP and all(a != x and b != y for x, y in out):
            out.append((a, b))
    return out


def words_of(text: str, span: Span) -> frozenset[int]:
    """Where its words begin; a leading "that" counts to the cue."""
    words = [(m.start() + span[0], m.group()) for m in _WORD.finditer(text[slice(*span)])]
    return frozenset(at for i, (at, word) in enumerate(words) if i or word.lower() != "that")


def alike(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / max(len(a | b), 1)
