"""Noun phrases that can name a source: pronouns, names and descriptions, with their head and span in tokens."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Literal

import numpy as np

from tasks.extract.quotes.frame import NAME_TYPES, Frame, hash_of, hashes, is_in
from tasks.extract.quotes.lexicon import read_table
from tasks.extract.sources.given import is_given

_ARTICLES = ("the", "a", "an")
_AFTER = frozenset("on in at of for to from with and or , who".split())
PRONOUNS = frozenset(
    "he she they it i we him her them us me my who which that you his their its our "
    "himself herself itself themselves".split()
)
MAX_TAIL = 14
"""Tokens that a phrase may go on after its head: long ones are clauses that the parser hung wrongly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Tokens lo to hi (end excluded) of a Frame with head `head`; `name` are the tokens of its proper name, if any."""

    lo: int
    hi: int
    head: int
    form: Literal["pronoun", "name", "description"]
    name: tuple[int, int] | None
    ent: str  # entity type of the head, "" for none


@functools.cache
def titles() -> frozenset[str]:
    text = (files("tasks.extract.sources") / "titles.txt").read_text(encoding="utf-8")
    return frozenset(w for line in text.splitlines() if not line.startswith("#") for w in line.split())


@functools.cache
def noun_kinds() -> dict[str, str]:
    """Singular head noun -> kind of source. A noun in several kinds has its first."""
    out: dict[str, str] = {}
    for kind, nouns in read_table("nouns.tsv", "tasks.extract.sources"):
        for noun in nouns.split():
            out.setdefault(noun, kind)
    return out


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


def find_mentions(f: Frame) -> list[Mention]:
    """All of them, in the order of their heads."""
    if not len(f):
        return []
    nominal = is_in(
        f.tag,
        hashes("NN", "NNS", "NNP", "NNPS", "PRP", "PRP$", "WP", "WDT", "CD", "DT", "JJ"),
    )
    inner = is_in(
        f.dep,
        hashes(
            "compound",
            "amod",
            "nummod",
            "quantmod",
            "nmod",
            "det",
            "predet",
            "advmod",
            "acomp",
            "npadvmod",
        ),
    )
    odd = is_in(f.tag, hashes("CD", "DT", "JJ")) & ~is_in(f.dep, hashes("nsubj", "nsubjpass", "pobj", "conj", "agent"))
    odd |= is_in(f.ent, hashes("DATE", "TIME")) & is_in(f.tag, hashes("NNP", "NNPS"))  # "Friday" says nothing
    relative = is_in(f.tag, hashes("WP", "WDT")) & ~is_in(f.dep, hashes("nsubj", "nsubjpass"))
    out: list[Mention] = []
    for i in np.flatnonzero(nominal & ~inner & ~odd & ~relative & f.is_word).tolist():
        if _hyphened(f, i):
            continue  # the "co" of a co-author
        if out and out[-1].name is not None and out[-1].head < i < out[-1].name[1]:
            continue  # the "Arland" of the Bank of Arland
        found = _mention(f, i)
        if out and found.lo <= out[-1].head < found.head and f.words[out[-1].head] in titles():
            out.pop()  # "Captain" of "Captain Ahmed al-Dulaimi", where the parser made two of it
        out.append(found)
    return out if any(c.isupper() for c in f.text[:400]) else _lower_names(f, out)


def _hyphened(f: Frame, i: int) -> bool:
    """Whether a word goes on after a hyphen that the parser took for a word of its own."""
    return (
        i + 2 < len(f) and f.words[i + 1] == "-" and f.end[i] == f.start[i + 1] and f.end[i + 1] == f.start[i + 2]
    )  # fmt: skip


def _lower_names(f: Frame, mentions: list[Mention]) -> list[Mention]:
    """In a text without capitals: the words after a role ("party chief mulayam singh yadav") or from a given name on
    are a name, and so is its last word wherever that stands alone."""
    out, known = [], set()
    for x in mentions:
        found = _lower_name(f, x) if x.form != "pronoun" else None
        if found is not None:
            known.add(f.words[found[1] - 1])
            x = replace(x, lo=min(x.lo, found[0]), hi=found[1], head=found[1] - 1, form="name", name=found)
        elif x.form != "pronoun" and f.words[x.head] in known and x.head == x.lo:
            x = replace(x, hi=x.head + 1, form="name", name=(x.head, x.head + 1))
        out.append(x)
    return sorted(out, key=lambda x: x.head)


def _lower_name(f: Frame, x: Mention) -> tuple[int, int] | None:
    words = f.words[x.lo : x.hi]
    ends = (k for k, w in enumerate(words) if k and (w in _AFTER or not (w.replace(".", "").isalpha() or w == ":")))
    stop = next(ends, len(words))
    roles = (k + 1 for k in range(stop - 2, -1, -1) if noun_kinds().get(words[k]) == "person" or words[k] in titles())
    start = next(roles, None)
    if start is None:
        start = next((k for k in range(stop - 1) if is_given(words[k])), None)
    if start is None or not 1 <= stop - start <= 4 or not (stop - start > 1 or is_given(words[start])):
        return None
    if any(w in noun_kinds() or w in ("of", "the", ":") for w in words[start:stop]):
        return None
    return x.lo + start, x.lo + stop


def _mention(f: Frame, i: int) -> Mention:
    doc, token = f.doc, f.doc[int(f.token[i])]
    lower = token.lower_
    if lower in PRONOUNS and token.tag_ in ("PRP", "PRP$", "WP", "WDT"):
        return Mention(lo=i, hi=i + 1, head=i, form="pronoun", name=None, ent="")
    shift = i - token.i
    lo = _left(doc, token) + shift
    hi = min(_right(token) + shift, len(f))
    lo = max(lo, 0)
    while lo > 0 and f.ent[lo] == hash_of("PERSON") == f.ent[lo - 1] and not f.ent_first[lo]:
        lo -= 1  # the whole name, even where the parser hung its first words elsewhere, with the title before it
    if lo > 0 and lo < i and f.ent[lo] == hash_of("PERSON") and f.words[lo - 1] in titles():
        lo -= 1
    while lo < i and (f.sent[lo] != f.sent[i] or not f.is_word[lo]):
        lo += 1
    if lo == i and i > 1 and _hyphened(f, i - 2):
        lo = _left(doc, f.doc[int(f.token[i - 2])]) + shift
    name = _name(f, lo, i)
    if name is not None and name[1] == i + 1:
        name = (name[0], _whole_of(f, i))
        hi = max(hi, name[1])
    form: Literal["name", "description"] = "name" if name is not None and name[0] <= i < name[1] else "description"
    return Mention(lo=lo, hi=max(hi, i + 1), head=i, form=form, name=name, ent=token.ent_type_)


def _left(doc: Any, token: Any) -> int:
    """First token of the phrase left of its head: its left children and theirs, stopping at clauses and commas."""
    lo = token.i
    for child in sorted(token.lefts, key=lambda t: -t.i):
        if child.dep_ in (
            "relcl",
            "acl",
            "punct",
            "cc",
            "conj",
            "nsubj",
            "aux",
            "prep",
            "mark",
            "advcl",
            "ccomp",
            "cop",
            "parataxis",
        ):
            if child.dep_ == "punct" and child.text in ('"', "“", "”", "-", "’", "'"):
                continue
            break
        lo = child.left_edge.i
    return int(lo)


def _right(token: Any) -> int:
    hi = token.i + 1
    for child in token.rights:
        if child.dep_ not in (
            "prep",
            "case",
            "nmod",
            "compound",
            "appos",
            "nummod",
            "flat",
        ):
            break
        if child.left_edge.i > hi:
            break
        end = child.right_edge.i + 1
        stop = min(end, token.i + MAX_TAIL)
        k = child.i
        while k < stop and not (
            token.doc[k].text in (",", ";", "(", ")", "—", "–", ":")
            or token.doc[k].tag_ in ("WDT", "WP", "WRB")
            or token.doc[k].is_space
        ):
            k += 1
        hi = k
        if k < end:
            break
    return int(hi)


def _name(f: Frame, lo: int, i: int) -> tuple[int, int] | None:
    """Tokens of the proper name in lo..i: the entity around the head, else the run of proper nouns that ends in it."""
    proper = (hash_of("NNP"), hash_of("NNPS"))
    shouted = f.end[i] - f.start[i] > 2 and f.text[f.start[i] : f.end[i]].isupper()
    if int(f.tag[i]) not in proper and not shouted and not (f.ent[i] and f.is_title[i]):
        return None
    start = i
    if int(f.ent[i]) in _named_types():
        while start > lo and f.ent[start] == f.ent[i] and not f.ent_first[start]:
            start -= 1
    else:
        while start > lo and int(f.tag[start - 1]) in proper:
            start -= 1
    start = _whole_word(f, start, lo, proper)
    if not any(map(str.isupper, f.text[f.start[start] : f.end[i]])) and any(map(str.isupper, f.text[:400])):
        return None  # the "prime minister" of "Pakistan's prime minister", taken for an entity
    known = titles()
    words = f.words[start : i + 1]
    whole = f.ent[start] == f.ent[i] == hash_of("ORG")  # "Republican National Committee"
    while len(words) > 1 and (
        words[0] in known or words[0] in _ARTICLES or (_is_role(words[0]) and (not whole or is_given(words[1])))
    ):
        words.pop(0)
        start += 1
    if start == i and i > lo and f.words[i - 1] == "the" and words[-1] in known and _is_role(words[-1]):
        return None  # "the Minister" is a description
    return start, i + 1


def _whole_of(f: Frame, i: int) -> int:
    """One past the end of a body's name that goes on behind its head: the Bank of Arland, Department of Health and
    Social Care. By the entity that both stand in, or after a noun of bodies by the capitals."""
    proper = {hash_of("NNP"), hash_of("NNPS")}
    hi = end = i + 1
    body = int(f.ent[i]) in _bodies()
    if not body and (noun_kinds().get(f.words[i]) != "organisation" or int(f.tag[i]) not in proper):
        return end
    while hi < min(i + MAX_TAIL, len(f)) and f.sent[hi] == f.sent[i]:
        same = f.ent[hi] == f.ent[i] and not f.ent_first[hi] if body else f.words[hi] in _LINKS or f.is_title[hi]
        if not same or (hi == i + 1 and f.words[hi] not in ("of", "for")):
            break
        hi += 1
        if int(f.tag[hi - 1]) in proper:
            end = hi
    return end


_LINKS = frozenset(("of", "for", "and", "&", "the"))


@functools.cache
def _bodies() -> frozenset[int]:
    return frozenset(hash_of(t) for t in ("ORG", "FAC", "GPE", "LOC"))


def _whole_word(f: Frame, start: int, lo: int, proper: tuple[int, int]) -> int:
    """Where a name begins whose first word was cut at a hyphen ("Ahmed al-|Dulaimi"): with it, and the names before."""
    if start <= lo or f.end[start - 1] != f.start[start]:
        return start
    while start > lo and f.end[start - 1] == f.start[start]:
        start -= 1
    while start > lo and int(f.tag[start - 1]) in proper:
        start -= 1
    return start


def _is_role(word: str) -> bool:
    return noun_kinds().get(word) == "person"


@functools.cache
def _named_types() -> frozenset[int]:
    return frozenset(hash_of(t) for t in NAME_TYPES)
