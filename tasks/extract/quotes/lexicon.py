"""Word lists of this step, read once a process from the data files beside it."""

from __future__ import annotations

import functools
from importlib.resources import files


def read_table(name: str, package: str = "tasks.extract.quotes") -> list[list[str]]:
    """Rows of a tab-separated file of a package, without comments and empty lines."""
    text = (files(package) / name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line.strip() and not line.startswith("#")]


@functools.cache
def cue_classes() -> dict[str, str]:
    """Lemma of an attributing word -> its class (stance). The first class that names a lemma has it."""
    out: dict[str, str] = {}
    for stance, lemmas in read_table("cues.tsv"):
        for lemma in lemmas.split():
            out.setdefault(lemma, stance)
    return out


@functools.cache
def stance_contexts() -> dict[str, list[tuple[frozenset[str], str, str]]]:
    """Lemma -> (words that may follow, class if one does, class if none does), for cues of more than one class."""
    out: dict[str, list[tuple[frozenset[str], str, str]]] = {}
    for lemma, words, with_one, without in read_table("stance_contexts.tsv"):
        out.setdefault(lemma, []).append((frozenset(words.split()), with_one, without))
    return out
