"""Given names, and the word lists of this folder."""

from __future__ import annotations

import functools

from tasks.extract.quotes.lexicon import read_table

_NAME_FILES = ("given_names.tsv", "given_names_world.tsv")


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """One list of words.tsv. Raises KeyError for a name that is not there."""
    return frozenset(dict(read_table("words.tsv", "tasks.extract.sources"))[name].split())


@functools.cache
def _given_names() -> dict[str, bool]:
    """Given name -> whether it is a woman's. Our own short list wins over the long one of many countries."""
    out: dict[str, bool] = {}
    for file in reversed(_NAME_FILES):
        rows = [(gender, name) for gender, names in read_table(file, "tasks.extract.sources") for name in names.split()]
        unsure = {name for gender, name in rows if gender == "?"}
        out |= {name: gender == "f" for gender, name in rows if name not in unsure}
        out = {name: female for name, female in out.items() if name not in unsure}
    return out


def gender_of(given_name: str) -> bool | None:
    """True for a woman's name, False for a man's, None where it does not tell."""
    return _given_names().get(given_name)


def is_given(name: str) -> bool:
    """Whether a lower-case word is a given name somewhere, of either gender."""
    return name in _given_names() or name in _either()


@functools.cache
def _either() -> frozenset[str]:
    """Given names of both genders."""
    rows = [r for file in _NAME_FILES for r in read_table(file, "tasks.extract.sources")]
    return frozenset(n for gender, names in rows if gender == "?" for n in names.split())


@functools.cache
def short_roles() -> dict[str, str]:
    """Abbreviation of a role, or a form for one gender -> the role in full, lower case."""
    return {short: full for short, full in read_table("short_roles.tsv", "tasks.extract.sources")}
