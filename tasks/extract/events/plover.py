"""Facts of the PLOVER ontology: quad classes and Goldstein scores."""

from __future__ import annotations

import functools
from typing import Literal

from tasks.extract.events.lexicon import lines

Quad = Literal["verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict"]
QUADS: dict[str, Quad] = {
    **dict.fromkeys(("AGREE", "CONSULT", "SUPPORT", "CONCEDE"), "verbal_cooperation"),
    **dict.fromkeys(("COOPERATE", "AID", "RETREAT"), "material_cooperation"),
    **dict.fromkeys(("REQUEST", "ACCUSE", "REJECT", "THREATEN", "SANCTION"), "verbal_conflict"),
    **dict.fromkeys(("PROTEST", "MOBILIZE", "COERCE", "ASSAULT"), "material_conflict"),
}
COOPERATIVE = frozenset({"AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT"})


@functools.cache
def _scores() -> dict[tuple[str, str], float]:
    return {(t, m): float(s) for t, m, s in (line.split("\t") for line in lines("goldstein.tsv"))}


def goldstein(type_: str, mode: str | None) -> float | None:
    """Goldstein score of type and mode, of the type where the mode has none of its own."""
    return _scores().get((type_, mode or "-"), _scores().get((type_, "-")))
