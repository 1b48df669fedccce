"""The fact lists of this step, read once from facts.json."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def facts() -> dict[str, Any]:
    """agencies, by-line words, and the phrases of consent walls, paywalls and error pages; all lower case."""
    text = resources.files("tasks.clean").joinpath("facts.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def says_any(text: str, key: str) -> bool:
    """Whether a text holds one of the phrases listed under `key`."""
    low = text.lower().replace("’", "'")
    return any(phrase in low for phrase in facts()[key])
