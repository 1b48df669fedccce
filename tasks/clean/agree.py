"""How much two texts share: the one measure used wherever this step compares texts."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def shingles(text: str, n: int = 4) -> set[tuple[str, ...]]:
    """Runs of n words; one shorter run where the text has fewer words."""
    found = words(text)
    return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)} or ({tuple(found)} if found else set())


def similarity(a: str, b: str) -> float:
    """Jaccard similarity of the word sets, 0 to 1."""
    left, right = set(words(a)), set(words(b))
    return len(left & right) / len(left | right) if left and right else 0.0


def contained(part: str, whole: str) -> float:
    """Share of the words of `part` that `whole` holds too."""
    left = set(words(part))
    return len(left & set(words(whole))) / len(left) if left else 0.0
