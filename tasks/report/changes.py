"""Two wordings of one article, side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MAX_WORDS = 4000
"""Paragraph pairs longer than this together are shown as replaced whole: comparing costs the product of the lengths."""


@dataclass(frozen=True, slots=True)
class Side:
    """One paragraph of one wording: stretches of text, each with whether the other wording lacks it."""

    stretches: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ChangedParagraph:
    """A place where two wordings differ; None where one of them has no such paragraph."""

    old: Side | None
    new: Side | None


def changes(old: str, new: str) -> Iterator[ChangedParagraph]:
    """Paragraphs that differ between two texts, in reading order; equal ones are left out."""
    left, right = old.split("\n"), new.split("\n")
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        pairs = min(b - a, d - c)
        for i in range(pairs):
            yield _words(left[a + i], right[c + i])
        for text in left[a + pairs : b]:
            yield ChangedParagraph(Side(((text, True),)), None)
        for text in right[c + pairs : d]:
            yield ChangedParagraph(None, Side(((text, True),)))


def _words(old: str, new: str) -> ChangedParagraph:
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    if len(left) + len(right) > MAX_WORDS:
        return ChangedParagraph(Side(((old, True),)), Side(((new, True),)))
    ours: list[tuple[str, bool]] = []
    theirs: list[tuple[str, bool]] = []
    for kind, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if a < b:
            ours.append(("".join(left[a:b]), kind != "equal"))
        if c < d:
            theirs.append(("".join(right[c:d]), kind != "equal"))
    return ChangedParagraph(Side(tuple(ours)), Side(tuple(theirs)))
