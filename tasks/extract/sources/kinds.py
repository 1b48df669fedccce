"""What a source is: person, organisation, group or document. From its head noun, or from what its names look like."""

from __future__ import annotations

import functools
from collections import Counter
from importlib.resources import files

from tasks.extract.quotes.frame import Frame
from tasks.extract.quotes.lexicon import read_table
from tasks.extract.sources.mentions import Mention, noun_kinds, titles


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """One list of words.tsv. Raises KeyError for a name that is not there."""
    return frozenset(dict(read_table("words.tsv", "tasks.extract.sources"))[name].split())


_ORG, _DOC, _PLURAL = word_list("organisation"), word_list("document"), word_list("plural")


@functools.cache
def _given_names() -> dict[str, bool]:
    """Given name -> whether it is a woman's."""
    rows = read_table("given_names.tsv", "tasks.extract.sources")
    return {name: gender == "f" for gender, names in rows for name in names.split()}


def gender_of(given_name: str) -> bool | None:
    """True for a woman's name, False for a man's, None where it does not tell."""
    return _given_names().get(given_name)


@functools.cache
def _organisations() -> frozenset[str]:
    text = (files("tasks.extract.sources") / "organisations.txt").read_text(encoding="utf-8")
    return frozenset(w for line in text.splitlines() if not line.startswith("#") for w in line.split())


def singular(f: Frame, i: int) -> str:
    """Lower-case singular of a head noun; hyphened compounds count by their last part if the whole is unknown."""
    token = f.doc[int(f.token[i])]
    word = token.lower_
    known = noun_kinds()
    for form in (
        word,
        token.lemma_.lower(),
        word[:-1] if word.endswith("s") else word,
        word[:-3] + "y" if word.endswith("ies") else word,
    ):
        if form in known:
            return str(form)
    return str(token.lemma_.lower())


def number_of(f: Frame, i: int) -> bool:
    """Whether a noun is plural."""
    token = f.doc[int(f.token[i])]
    if token.lower_.endswith("old"):
        return False  # the 37-year-old
    return token.tag_ in ("NNS", "NNPS", "CD", "DT", "JJ") or token.lower_ in _PLURAL


def kind_of_noun(f: Frame, i: int) -> str | None:
    """Kind of a description by its head noun: a plural of people or organisations is a group."""
    word = f.doc[int(f.token[i])].lower_
    noun = singular(f, i)
    kind = noun_kinds().get(noun)
    if noun == "paper" and i > 0 and f.doc[int(f.token[i - 1])].lower_ != "the":
        return "document"  # a paper is read, the paper is a newspaper
    if kind is None and "-" in noun:
        kind = noun_kinds().get(noun.rsplit("-", 1)[1])
    if noun in ("old", "year-old") or word.endswith("year-old"):
        return "person"
    if kind is None:
        kind = "person" if noun.endswith(("man", "woman", "ist", "er", "or", "ian", "ant", "eer")) else None
    if kind in ("person", "organisation", "group") and number_of(f, i):
        return "organisation" if kind == "organisation" and word in ("ministries", "governments") else "group"
    return kind or ("group" if number_of(f, i) else None)


def kind_of_name(f: Frame, words: tuple[str, ...], ents: Counter[str], mentions: list[Mention]) -> str:
    """Kind of a named entity, by the votes of its mentions, the words in its name, and a title before it."""
    titled = 0
    for x in mentions[:10]:
        assert x.name is not None
        before = f.doc[int(f.token[x.name[0] - 1])].lower_ if x.name[0] > x.lo else ""
        titled += before in titles() or noun_kinds().get(before) == "person"
    if (
        words[-1] in _ORG
        or (len(words) == 1 and words[0] in _organisations())
        or (len(words) > 1 and words[0] in ("university", "ministry", "department", "bank", "house"))
    ):
        return "organisation"
    if words[-1] in _DOC or ents["LAW"] + ents["WORK_OF_ART"] > sum(ents.values()) / 2:
        return "document"
    first = mentions[0]
    if (
        f.text[f.end[first.head] : f.end[first.head] + 1] == ":"
        and f.text[f.start[first.head] : f.end[first.head]].isupper()
    ):
        return "person"  # SMITH: a turn of a transcript
    short = {f.doc[int(f.token[x.head])].lower_ for x in mentions if x.name is not None and x.name[1] - x.name[0] == 1}
    if len(words) in (2, 3) and words[-1] in short and words[0] not in short and not ents["GPE"]:
        return "person"  # an organisation is shortened to its first word or its initials, a person to the surname
    given = len(words) in (2, 3) and words[0] in _given_names()
    if given or titled or ents["PERSON"] * 2 >= sum(ents.values()) > 0:
        return "person"
    tag = f.doc[int(f.token[mentions[0].head])].tag_
    if ents["NORP"] * 2 > sum(ents.values()) or (tag == "NNPS" and not ents["ORG"] and not ents["GPE"]):
        return "group"
    if ents["ORG"] + ents["GPE"] + ents["LOC"] + ents["FAC"] + ents["PRODUCT"] > 0:
        return "organisation"
    return "person" if len(words) in (2, 3) and all(w.isalpha() or "-" in w for w in words) else "organisation"
