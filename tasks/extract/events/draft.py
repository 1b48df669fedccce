"""An event in the making: a candidate with its sides, its counts and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasks.extract.events import counts, told_by
from tasks.extract.events.candidates import Candidate

Token = Any


@dataclass(slots=True)
class Draft:
    """An event in the making."""

    c: Candidate
    sentence: int
    actor: Token | None
    recipient: Token | None
    said: told_by.Attribution | None
    mood: str
    counts: list[counts.Count] = field(default_factory=list)
