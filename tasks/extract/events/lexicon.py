"""The lexicon: which words can name an event, under which conditions, and which class a noun is of."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of lexicon.tsv for one lemma. `conditions` are (name, values, negated)."""

    kind: str  # v, n, a
    lemma: str
    type: str
    mode: str | None
    conditions: tuple[tuple[str, frozenset[str], bool], ...]
    absorb: str | None  # absorb, absorballeged or null


def lines(file: str) -> Iterator[str]:
    """Lines of a data file without comments and blank lines."""
    with (DATA / file).open(encoding="utf-8") as fh:
        for line in fh:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n")


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


def _conditions(text: str) -> tuple[tuple[tuple[str, frozenset[str], bool], ...], str | None]:
    out, absorb = [], None
    for item in text.split():
        if item.startswith("absorb"):
            absorb = item
            continue
        name, _, values = item.removeprefix("!").partition(":")
        out.append((name, frozenset(filter(None, values.split(","))), item.startswith("!")))
    return tuple(out), absorb


@functools.cache
def rules() -> dict[tuple[str, str], tuple[Rule, ...]]:
    """(kind, lemma) -> rules in file order. Rules marked `never` only document a word we leave out on purpose."""
    out: dict[tuple[str, str], list[Rule]] = {}
    for line in lines("lexicon.tsv"):
        kind, lemmas, label, *rest = line.split("\t")
        conditions, absorb = _conditions(rest[0] if rest else "")
        if any(c[0] == "never" for c in conditions):
            continue
        type_, _, mode = label.partition("/")
        for lemma in lemmas.split(","):
            rule = Rule(kind=kind, lemma=lemma, type=type_, mode=mode or None, conditions=conditions, absorb=absorb)
            out.setdefault((kind, lemma), []).append(rule)
    return {k: tuple(v) for k, v in out.items()}


@functools.cache
def lemmas() -> frozenset[str]:
    """Every lemma that can name an event: a sentence without one is not looked at."""
    return frozenset(lemma for _, lemma in rules())
