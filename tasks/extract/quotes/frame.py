"""One parsed text as columns of numbers: the form that the taggers and rankers read.

Strings are spaCy's 64-bit string hashes, which are the same in every process, so models can be keyed by them.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.extract.quotes.lexicon import cue_classes
from tasks.extract.quotes.marks import Quoted, find_quoted
from tasks.extract.tokens import COLUMNS, Tokens, read_tokens

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

NAME_TYPES = (
    "PERSON",
    "ORG",
    "GPE",
    "NORP",
    "LOC",
    "FAC",
    "PRODUCT",
    "EVENT",
    "WORK_OF_ART",
    "LAW",
)
CLAUSE_DEPS = (
    "ROOT",
    "ccomp",
    "parataxis",
    "advcl",
    "acl",
    "relcl",
    "xcomp",
    "csubj",
    "pcomp",
    "csubjpass",
)

_LONG_WORD = re.compile(r"\b[^\W\d_]{4,}")
TITLE_SHARE = 0.7
"""Of the words of four letters and more of a headline in title case, at least so many begin with a capital."""
MAX_HEADLINE = 30
"""Tokens of a headline, its marks included: longer first lines are leads."""


@functools.cache
def hash_of(string: str) -> int:
    """spaCy's hash of a string; 0 for the empty one."""
    from spacy.strings import get_string_id

    return int(get_string_id(string))


@functools.cache
def hashes(*strings: str) -> U64:
    out = np.array([hash_of(s) for s in strings], dtype=np.uint64)
    out.flags.writeable = False  # it is shared
    return out


def is_in(values: U64, few: U64) -> Bool:
    """np.isin for a handful of values, in a third of its time."""
    out: Bool = values == few[0]
    for one in few[1:]:
        out |= values == one
    return out


@functools.cache
def _cue_keys() -> tuple[U64, I64]:
    """Hashes of the lexicon's lemmas, sorted, and the number of each one's class (from 1)."""
    classes = cue_classes()
    numbers = {c: i + 1 for i, c in enumerate(sorted(set(classes.values())))}
    pairs = sorted((hash_of(lemma), numbers[c]) for lemma, c in classes.items())
    return np.array([k for k, _ in pairs], dtype=np.uint64), np.array([v for _, v in pairs], dtype=np.int64)


def look_up(keys: U64, values: npt.NDArray[Any], wanted: U64) -> npt.NDArray[Any]:
    """values[keys == wanted] for sorted keys, 0 where there is none."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=values.dtype)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], np.zeros(1, dtype=values.dtype))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """Columns over the n tokens that are not white space. `head` is an index into the same n; a root is its own."""

    doc: Tokens
    text: str
    quoted: list[Quoted]
    token: I64  # index in the Doc
    start: I64
    end: I64
    lower: U64
    lemma: U64
    word: U64  # the lemma, masked for names and numbers
    tag: U64
    pos: U64
    dep: U64
    head: I64
    ent: U64
    ent_first: Bool
    sent: I64
    para: I64
    is_word: Bool  # has a letter or digit
    is_title: Bool
    cue: I64  # class number of the lemma in the lexicon, 0 for none
    quote: I64  # index of the quoted stretch it stands in, -1 for none
    is_mark: Bool  # quotation mark
    headline: Bool  # stands in a first line that reads as a headline
    words: list[str]  # in lower case

    def __len__(self) -> int:
        return len(self.start)


def build_frame(doc: Any) -> Frame:
    """Columns of a parsed Doc. An empty Doc gives a frame of length 0."""
    doc = read_tokens(doc)
    text = doc.text
    col = dict(zip(COLUMNS, np.ascontiguousarray(doc.columns.T), strict=True))
    n_all = len(doc)
    keep = np.flatnonzero(col["IS_SPACE"] == 0)
    place = np.full(n_all, -1, dtype=np.int64)
    place[keep] = np.arange(len(keep))
    heads_all = np.arange(n_all) + col["HEAD"].astype(np.int64)
    head = place[heads_all[keep]] if len(keep) else np.zeros(0, dtype=np.int64)
    head = np.where(head < 0, np.arange(len(keep)), head)
    sent_all = np.cumsum(col["SENT_START"].astype(np.int64) == 1)
    start = col["IDX"][keep].astype(np.int64)
    end = start + col["LENGTH"][keep].astype(np.int64)
    breaks = np.array([i for i, c in enumerate(text) if c == "\n"], dtype=np.int64)
    para = np.searchsorted(breaks, start)
    lemma, pos = col["LEMMA"][keep], col["POS"][keep]
    ent = col["ENT_TYPE"][keep]
    word = _masked(lemma, pos, ent, col["LIKE_NUM"][keep] > 0)
    quoted = find_quoted(text)
    q_start = np.array([q.start for q in quoted], dtype=np.int64)
    q_end = np.array([q.end for q in quoted], dtype=np.int64)
    quote = np.searchsorted(q_start, start, side="right") - 1
    if len(quoted):
        quote = np.where((quote >= 0) & (start < q_end[np.maximum(quote, 0)]), quote, -1)
    is_mark = is_in(
        col["LOWER"][keep],
        hashes('"', "“", "”", "``", "''", "‘", "’", "'", "«", "»", "„", "’’"),
    )
    keys, numbers = _cue_keys()
    verbal = is_in(pos, _pos("VERB", "NOUN", "ADP", "AUX", "SCONJ", "ADJ"))
    return Frame(
        doc=doc, text=text, quoted=quoted, token=keep, start=start, end=end, lower=col["LOWER"][keep], lemma=lemma,
        word=word, tag=col["TAG"][keep], pos=pos, dep=col["DEP"][keep], head=head, ent=ent,
        ent_first=col["ENT_IOB"][keep] == 3, sent=sent_all[keep], para=para,
        is_word=(col["IS_PUNCT"][keep] == 0) & ~is_mark, is_title=col["IS_TITLE"][keep] > 0,
        cue=np.where(verbal, look_up(keys, numbers, lemma), 0), quote=quote, is_mark=is_mark,
        headline=_headline(text, para, sent_all[keep]), words=strings_of(doc, col["LOWER"][keep]),
    )  # fmt: skip


def strings_of(doc: Tokens, values: U64) -> list[str]:
    """The string of each hash."""
    return list(map(doc.strings.__getitem__, values.tolist()))


def _headline(text: str, para: I64, sent: I64) -> Bool:
    """Tokens of a first line that is one short sentence, without a full stop or in the capitals of a title, with more
    text below it. A lead is no headline: other words count in it."""
    first: Bool = para == para[:1]
    none = np.zeros(len(para), dtype=bool)
    if not 0 < int(first.sum()) <= MAX_HEADLINE or first.all() or len(np.unique(sent[first])) > 1:
        return none
    line = text.strip().partition("\n")[0].rstrip()
    words = _LONG_WORD.findall(line)
    title = sum(w[0].isupper() for w in words) >= TITLE_SHARE * max(len(words), 1)
    return first if title or not line.endswith((".", "!", "?", "”", '"', "’", "'")) else none


@functools.cache
def _pos(*names: str) -> U64:
    from spacy import symbols

    return np.array([symbols.IDS[n] for n in names], dtype=np.uint64)


def _masked(lemma: U64, pos: U64, ent: U64, number: Bool) -> U64:
    """Lemmas with names and numbers replaced by their type, so that no model learns who is who."""
    named = is_in(ent, hashes(*NAME_TYPES))
    word = np.where(is_in(pos, _pos("PROPN")), np.uint64(hash_of("PROPN")), lemma)
    word = np.where(named, ent, word)
    return np.where(number | is_in(pos, _pos("NUM")), np.uint64(hash_of("NUM")), word)


def climb(head: I64, stop: Bool) -> I64:
    """For each token the nearest of itself and its ancestors where `stop` holds (its root if none does)."""
    up = np.where(stop, np.arange(len(head)), head)
    for _ in range(40):  # doubles its reach each time; the bound guards against a broken tree
        further = up[up]
        if np.array_equal(further, up):
            break
        up = further
    return up
