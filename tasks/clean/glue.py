"""Appeals that lost the space before the sentence after them: "…our appeal ends.Envoys of the government met…"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.clean.features import addresses_reader, kinds_of, speaks_for_itself
from tasks.clean.unit_chances import unit_chances
from tasks.clean.units import Unit, split_units

_GLUED = re.compile(r"[^\W\d_]{2}[.!?][\"”’»)]*(?:[A-ZÀ-ÖØ-Þ]|[“„«¿¡]\w)|[a-zà-öø-ÿ]{3}[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{2}")
_ASKING = frozenset(("appeal", "subscription", "newsletter", "share", "consent"))
MAX_WORDS = 80
"""A longer stretch is no appeal: it would take too much with it."""
UNLIKELY = 0.3
"""Chance of body below which the unit model agrees that a stretch is furniture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What is left of a paragraph, and the stretches cut from it with their kinds."""

    kept: str
    cuts: list[tuple[str, str]]


def _stretches(units: list[Unit]) -> list[list[int]]:
    """Numbers of the units of one line between the places where sentences are glued."""
    runs: list[list[int]] = []
    for i, unit in enumerate(units):
        if unit.join in ("space",) and runs:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _pleads(text: str) -> str | None:
    """The kind of furniture a stretch is by its words: it asks for something, and speaks of "us" or to "you"."""
    if len(text.split()) > MAX_WORDS:
        return None
    asking = [k for k in kinds_of(text) if k in _ASKING]
    personal = speaks_for_itself(text) or addresses_reader(text)
    return asking[0] if asking and personal else None


def _speaks(text: str) -> bool:
    return len(text.split()) <= MAX_WORDS and bool(speaks_for_itself(text) or addresses_reader(text))


def cut_glued(paragraphs: list[str]) -> list[Cut]:
    """Every paragraph without the appeals that are glued to its sentences; others come back as they are.

    A stretch goes if its words plead, or if it speaks to the reader and the model of text units does not take it for
    body. That model is asked only then: few pages have such a stretch.
    """
    whole = [Cut(kept=p, cuts=[]) for p in paragraphs]
    doubtful = [i for i, p in enumerate(paragraphs) if _GLUED.search(p) and _speaks_somewhere(p)]
    if not doubtful:
        return whole
    text = "\n".join(paragraphs)
    units = split_units(text)
    chances = unit_chances(text, units)
    for i in doubtful:
        mine = [k for k, u in enumerate(units) if u.line == i]
        whole[i] = _cut(text, [units[k] for k in mine], [chances[k]["B"] for k in mine], paragraphs[i])
    return whole


def _speaks_somewhere(paragraph: str) -> bool:
    units = split_units(paragraph)
    return any(_speaks(paragraph[units[run[0]].start : units[run[-1]].end]) for run in _stretches(units))


def _cut(text: str, units: list[Unit], chances: list[float], paragraph: str) -> Cut:
    runs = _stretches(units)
    kept: list[str] = []
    cuts: list[tuple[str, str]] = []
    for run in runs:
        piece = text[units[run[0]].start : units[run[-1]].end]
        why = _pleads(piece)
        if why is None and _speaks(piece) and sum(chances[k] for k in run) / len(run) < UNLIKELY:
            why = "appeal"
        if why:
            cuts.append((piece, why))
        elif kept and not cuts and units[run[0]].join == "camel":
            kept[-1] += piece
        else:
            kept.append(piece)
    return Cut(kept=" ".join(kept), cuts=cuts) if kept and cuts else Cut(kept=paragraph, cuts=[])
