"""How likely each unit of a text is body: read twice, the second time knowing what the first made of the whole text."""

from __future__ import annotations

from tasks.clean.sequence import body_chances, mean_chances
from tasks.clean.unit_model import first_features, look, second_features
from tasks.clean.units import Unit

SECOND = ("units_second_a", "units_second_b")
"""Two models of the second reading, learnt from different made texts: their mean errs less than either."""


def unit_chances(text: str, units: list[Unit]) -> list[dict[str, float]]:
    """For every unit the chance of each label."""
    seen = look(text, units)
    rows = first_features(seen)
    more = second_features(seen, body_chances("units", rows))
    return mean_chances(SECOND, [[*a, *b] for a, b in zip(rows, more, strict=True)])
