"""Word lists of the language that any ontology is read with: which class a noun is of, and lists by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

DATA = Path(__file__).parent / "data"


def lines_of(path: Path) -> Iterator[str]:
    """Lines of a file without comments and blank lines."""
    with path.open(encoding="utf-8") as fh:
        for line in fh:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n")


def lines(file: str) -> Iterator[str]:
    """The same of a data file."""
    return lines_of(DATA / file)


@functools.cache
def word_lists(file: str) -> dict[str, frozenset[str]]:
    """Name -> lemmas, of a file of lines "name: lemma lemma"."""
    out = {}
    for line in lines(file):
        name, _, rest = line.partition(":")
        out[name.strip()] = frozenset(rest.split())
    return out


@functools.cache
def noun_classes() -> dict[str, frozenset[str]]:
    """Lemma -> classes it is in."""
    out: dict[str, set[str]] = {}
    for name, lemmas in word_lists("classes.txt").items():
        for lemma in lemmas:
            out.setdefault(lemma, set()).add(name)
    return {k: frozenset(v) for k, v in out.items()}
