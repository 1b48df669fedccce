"""A parse as plain Python objects, pulled once out of the columns of a spaCy Doc and shared by quotes, sources, events.

A spaCy token looks its strings up and makes its neighbours anew at every question, which costs 0.1 to 2 microseconds;
rules that walk the tree ask some hundred questions a token. These answer from slots, in a tenth of that, with the names
and the meaning of spaCy's attributes, as far as rules here need them.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator
from typing import Any, overload

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
TOKENS = "tokens"
"""Key of `doc.user_data` for the tokens that were pulled out of it."""
MAX_STRINGS = 500_000
"""Strings that are remembered by their hash: more, and all are forgotten."""
COLUMNS = (
    "ORTH", "LOWER", "LEMMA", "TAG", "POS", "DEP", "ENT_TYPE", "ENT_IOB", "SENT_START", "HEAD", "IDX", "LENGTH",
    "SPACY", "IS_SPACE", "IS_PUNCT", "IS_ALPHA", "IS_TITLE", "IS_UPPER", "LIKE_NUM", "IS_STOP",
)  # fmt: skip
_IOB = ("", "I", "O", "B")


class Token:
    """One token. `children` are those left of it, then those right of it; a root is its own head."""

    __slots__ = (
        "children", "classes", "dep_", "doc", "ent_iob_", "ent_type_", "head", "i", "idx", "is_alpha", "is_punct",
        "is_sent_start", "is_space", "is_stop", "is_title", "is_upper", "lemma", "lemma_", "like_num", "lower_", "pos_",
        "tag_", "text", "whitespace_",
    )  # fmt: skip

    def __init__(
        self, doc: Tokens, i: int, idx: int, text: str, lower_: str, lemma_: str, tag_: str, pos_: str, dep_: str,
        ent_type_: str, ent_iob_: str, whitespace_: str, is_sent_start: bool, is_space: bool, is_punct: bool,
        is_alpha: bool, is_title: bool, is_upper: bool, like_num: bool, is_stop: bool,
    ) -> None:  # fmt: skip
        self.doc = doc
        self.i = i
        self.idx = idx
        self.text = text
        self.lower_ = lower_
        self.lemma_ = lemma_
        self.tag_ = tag_
        self.pos_ = pos_
        self.dep_ = dep_
        self.ent_type_ = ent_type_
        self.ent_iob_ = ent_iob_
        self.whitespace_ = whitespace_
        self.is_sent_start = is_sent_start
        self.is_space = is_space
        self.is_punct = is_punct
        self.is_alpha = is_alpha
        self.is_title = is_title
        self.is_upper = is_upper
        self.like_num = like_num
        self.is_stop = is_stop
        self.head = self
        self.children: list[Token] = []
        # what rules on events find out of a token, once (events/syntax.py)
        self.lemma: str | None = None
        self.classes: frozenset[str] | None = None

    def __len__(self) -> int:
        return len(self.text)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return self.text

    @property
    def text_with_ws(self) -> str:
        return self.text + self.whitespace_

    @property
    def lefts(self) -> list[Token]:
        return [c for c in self.children if c.i < self.i]

    @property
    def rights(self) -> list[Token]:
        return [c for c in self.children if c.i > self.i]

    @property
    def left_edge(self) -> Token:
        return self.doc[self.doc.edges[0][self.i]]

    @property
    def right_edge(self) -> Token:
        return self.doc[self.doc.edges[1][self.i]]

    @property
    def subtree(self) -> Iterator[Token]:
        """The token and all below it, in the order of their places in the tree."""
        for c in self.lefts:
            yield from c.subtree
        yield self
        for c in self.rights:
            yield from c.subtree

    def nbor(self, by: int = 1) -> Token:
        """Raises IndexError over either end of the text."""
        at = self.i + by
        if at < 0:
            raise IndexError(at)
        return self.doc.tokens[at]


class Span:
    """Tokens start to end, end excluded."""

    __slots__ = ("doc", "end", "start")

    def __init__(self, doc: Tokens, start: int, end: int) -> None:
        self.doc = doc
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return self.end - self.start

    def __iter__(self) -> Iterator[Token]:
        return iter(self.doc.tokens[self.start : self.end])

    def __getitem__(self, i: int) -> Token:
        return self.doc.tokens[self.start : self.end][i]

    @property
    def text(self) -> str:
        if self.start >= self.end:
            return ""
        first, last = self.doc.tokens[self.start], self.doc.tokens[self.end - 1]
        return self.doc.text[first.idx : last.idx + len(last.text)]

    @property
    def root(self) -> Token:
        """The first root in it, else the token nearest to its root of those that hang on a token outside."""
        tokens = self.doc.tokens[self.start : self.end]
        for t in tokens:
            if t.head is t:
                return t
        out = [t for t in tokens if not self.start <= t.head.i < self.end]
        return min(out, key=_steps_up) if out else tokens[0]


def _steps_up(t: Token) -> int:
    if (t.is_space or t.is_punct) and not t.children:
        return len(t.doc) - 1  # never before a word
    n = 0
    while t.head is not t and n <= len(t.doc):
        t, n = t.head, n + 1
    return n


class Tokens:
    """All tokens of a text. `columns` (n, len(COLUMNS)) as in spaCy's Doc.to_array; `vectors` and `encoder` as
    language.py leaves them in the Doc (an empty array and None where it does not); `strings` tells what a hash is of.
    """

    __slots__ = ("_ends", "_starts", "columns", "edges_", "encoder", "strings", "text", "tokens", "vectors")

    def __init__(self, doc: Any, encoder: str | None) -> None:
        self.text: str = doc.text
        self.columns: U64 = doc.to_array(_ids()).reshape(len(doc), len(COLUMNS))
        self.vectors: npt.NDArray[np.float16] = doc.tensor
        self.encoder = encoder
        self.strings = _strings(doc.vocab)
        self.tokens = _tokens(self)
        self._starts: list[int] | None = None
        self._ends: list[int] | None = None
        self.edges_: tuple[list[int], list[int]] | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def __iter__(self) -> Iterator[Token]:
        return iter(self.tokens)

    @overload
    def __getitem__(self, at: int) -> Token: ...
    @overload
    def __getitem__(self, at: slice) -> Span: ...
    def __getitem__(self, at: int | slice) -> Token | Span:
        if isinstance(at, slice):
            start, end, _ = at.indices(len(self.tokens))
            return Span(self, start, max(start, end))
        return self.tokens[at]

    @property
    def sents(self) -> Iterator[Span]:
        at = 0
        while at < len(self.tokens):
            yield (s := self.sentence(at))
            at = s.end

    def sentence(self, i: int) -> Span:
        """The sentence of the i-th token."""
        if self._starts is None or self._ends is None:
            begins = self.columns[:, COLUMNS.index("SENT_START")] == 1
            begins[:1] = True
            first = np.flatnonzero(begins)
            which = np.cumsum(begins) - 1
            self._starts = first[which].tolist()
            self._ends = np.append(first[1:], len(begins))[which].tolist()
        return Span(self, self._starts[i], self._ends[i])

    @property
    def edges(self) -> tuple[list[int], list[int]]:
        """For each token the first and the last of the tokens below it and itself."""
        if self.edges_ is None:
            self.edges_ = _edges([t.head.i for t in self.tokens])
        return self.edges_

    def char_span(self, start: int, end: int) -> Span | None:
        """The tokens that code points start to end touch; None where they reach out of the text."""
        first, last = self._at(start), self._at(end - 1)
        if first is None or last is None:
            return None
        t = self.tokens[first]
        return Span(self, first + (start == t.idx + len(t.text)), last + 1)

    def _at(self, char: int) -> int | None:
        """The token at a code point; a space is of the token before it."""
        if not 0 <= char < len(self.text):
            return None
        return bisect.bisect_right(self.tokens, char, key=_idx) - 1


def _idx(t: Token) -> int:
    return t.idx


def read_tokens(doc: Any) -> Tokens:
    """The tokens of a spaCy Doc, pulled out of it once; Tokens are their own."""
    from tasks.extract.language import ENCODER

    if isinstance(doc, Tokens):
        return doc
    if TOKENS not in doc.user_data:
        doc.user_data[TOKENS] = Tokens(doc, doc.user_data.get(ENCODER))
    out: Tokens = doc.user_data[TOKENS]
    return out


def _tokens(of: Tokens) -> list[Token]:
    columns = dict(zip(COLUMNS, of.columns.T, strict=True))
    known = of.strings
    if len(known) > MAX_STRINGS:
        known.clear()
    words = [map(known.__getitem__, columns[c].tolist()) for c in ("ORTH", "LOWER", "LEMMA", "TAG")]
    kinds = [map(known.__getitem__, columns[c].tolist()) for c in ("DEP", "ENT_TYPE")]
    pos = map(_pos_names().__getitem__, columns["POS"].tolist())
    iob = map(_IOB.__getitem__, columns["ENT_IOB"].tolist())
    space = [" " if s else "" for s in columns["SPACY"].tolist()]
    begins = (columns["SENT_START"] == 1).tolist()
    flags = [(columns[c] > 0).tolist() for c in COLUMNS[COLUMNS.index("IS_SPACE") :]]
    n, idx = len(of.columns), columns["IDX"].tolist()
    rows = zip(range(n), idx, *words, pos, *kinds, iob, space, begins, *flags, strict=True)
    out = [Token(of, *row) for row in rows]
    heads = (np.arange(n) + columns["HEAD"].view(np.int64)).tolist()
    for t, h in zip(out, heads, strict=True):
        if h != t.i:
            t.head = out[h]
            t.head.children.append(t)
    return out


def _edges(head: list[int]) -> tuple[list[int], list[int]]:
    """As spaCy bounds them: two passes, which for crossing arcs need not reach every token below."""
    n = len(head)
    left, right = list(range(n)), list(range(n))
    for order in (range(n), range(n - 1, -1, -1)):
        for i in order:
            h = head[i]
            if left[i] < left[h]:
                left[h] = left[i]
            if right[i] > right[h]:
                right[h] = right[i]
    return left, right


class _Strings(dict[int, str]):
    """The string of each hash, asked of spaCy's store at the first time."""

    def __init__(self, store: Any) -> None:
        super().__init__()
        self._store = store

    def __missing__(self, key: int) -> str:
        found = self[key] = str(self._store[key])
        return found


@functools.cache
def _strings(vocab: Any) -> _Strings:
    return _Strings(vocab.strings)


@functools.cache
def _ids() -> list[int]:
    from spacy.attrs import IDS

    return [IDS[c] for c in COLUMNS]


@functools.cache
def _pos_names() -> dict[int, str]:
    from spacy.parts_of_speech import NAMES

    return dict(NAMES)
