"""What an outlet repeats: sentences and lines that stand in many of its articles, and belong to none of them.

A recurring piece is furniture of its outlet when it stands in enough of its articles (no copies or revisions of one
another), in a large share of them, at the edges of the body (a place in the middle counts half), and is foreign to
them: its words do not occur in the rest of the article. "He was 84." recurs too, but has only short words, and what is
so short is never cut; "Reuters could not verify the report." stands in a small share; the sentence of background that
closes every article on one war speaks of what these articles speak of.

What is known of an outlet is one row a piece: a hash and three sums. They fade with time, the faintest are forgotten
first, and an outlet never has more than MAX_PIECES of them. No outlet's articles count for another.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace

from tasks.clean.agree import words
from tasks.clean.features import IN_PROSE, addresses_reader, kinds_of, speaks_for_itself
from tasks.clean.units import split_units
from tasks.settings import CleanSettings
from tasks.tables import Removed

_LINE = re.compile(r"[^\n]*\S[^\n]*")
HEAD, TAIL = 4, 8
"""Pieces from the beginning and from the end of a body that are its edges: furniture is longer at the end."""
MAX_MARKS = 60
"""Pieces looked at in one article: its edges, and the whole lines between them."""
MIN_WORDS = 4
MIN_CONTENT = 2
CONTENT_LETTERS = 5
"""A piece with fewer than MIN_CONTENT words of so many letters is of common words only: never cut."""
NEAR = 3
"""Pieces around a piece that are no proof that its words belong to the article: an appeal has many sentences."""
FOREIGN, OWN = 0.25, 0.6
"""Up to this share of its content words in the rest of the article a piece is foreign; beyond the other it belongs."""
ASKING = 0.3
"""Part of the share that is enough for what asks the reader for something. On 924 articles of seven US outlets
(PolNeAR), what their sections and authors put under an article stood in 2 to 12 % of them, and was foreign to 80 % or
more; sentences of background that recurred were foreign to 15 % at most."""
MOST = 0.4
"""A share of the articles at which a piece need not be foreign, only not their own subject."""
MAX_PIECES = 2000
HALF_LIFE_DAYS = 14.0
FORGET = 0.5
"""Articles, after fading, below which a piece is forgotten."""
MAX_CUT = 0.5
"""Share of an article's words that may go. More would say that the rule is wrong here, not the article."""
WHY = "repeated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A piece text[start:end] that may recur. theme: percentage of its content words that the rest of the text has."""

    start: int
    end: int
    piece: int  # hash, signed 64 bits
    edge: bool
    theme: int
    asks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is known of one piece at one outlet: sums over its articles, which fade."""

    articles: float
    edges: float
    theme: float
    asks: float


def piece_hash(found: list[str]) -> int:
    """64 bits of the words; numbers are all alike, so that "5 min read" and "7 min read" are one piece."""
    text = " ".join("0" if w.isdigit() else w for w in found).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)


def marks_of(text: str) -> list[Mark]:
    """Pieces of a clean text that could recur, in reading order, each piece once.

    Sentences at the edges, whole lines between; pieces of common words are left out.
    """
    spans, edges = _pieces(text)
    tokens = [words(text[a:b]) for a, b in spans]
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for i, found in enumerate(tokens):
        for word in found:
            first.setdefault(word, i)
            last[word] = i
    marks: dict[int, Mark] = {}
    for i, ((start, end), found) in enumerate(zip(spans, tokens, strict=True)):
        content = {w for w in found if len(w) >= CONTENT_LETTERS}
        edge = i < HEAD or i >= len(spans) - TAIL
        if len(found) < MIN_WORDS or len(content) < MIN_CONTENT or not (edge or edges[i]):
            continue
        met = sum(first[w] < i - NEAR or last[w] > i + NEAR for w in content)
        theme = met / len(content)
        asks = theme <= FOREIGN and _asks(text[start:end])  # what is not foreign is not asked for it
        mark = Mark(start=start, end=end, piece=piece_hash(found), edge=edge, theme=int(100 * theme), asks=asks)
        marks.setdefault(mark.piece, mark)
    found_marks = list(marks.values())
    return (
        found_marks if len(found_marks) <= MAX_MARKS else found_marks[: MAX_MARKS // 2] + found_marks[-MAX_MARKS // 2 :]
    )


def _pieces(text: str) -> tuple[list[tuple[int, int]], list[bool]]:
    """Spans that cover a text: the sentences of its first and last lines, the lines between as they are. And whether a
    span can recur without standing at an edge, as only a whole line can."""
    lines = [(m.start(), m.end()) for m in _LINE.finditer(text)]
    spans: list[tuple[int, int]] = []
    whole: list[bool] = []
    for k, (start, end) in enumerate(lines):
        if HEAD <= k < len(lines) - TAIL:
            spans.append((start, end))
            whole.append(True)
            continue
        units = split_units(text[start:end], split_camel=False)
        spans += [(start + u.start, start + u.end) for u in units]
        whole += [len(units) == 1] * len(units)
    return spans, whole


def _asks(text: str) -> bool:
    """Whether it is worded as furniture is: in the outlet's own voice, to the reader, or with furniture's phrases."""
    return bool(speaks_for_itself(text) or addresses_reader(text) or set(kinds_of(text)) - IN_PROSE)


def is_furniture(p: Piece, articles: float, rules: CleanSettings) -> bool:
    """Whether a piece is furniture of an outlet with so many articles."""
    if p.articles < rules.repeat_articles or articles <= 0:
        return False
    share = (p.edges + 0.5 * (p.articles - p.edges)) / articles
    theme = p.theme / p.articles / 100
    if share < rules.repeat_share * (ASKING if p.asks > 0.5 * p.articles else 1):
        return False
    return theme <= FOREIGN or (share >= MOST and theme <= OWN)


def cut(text: str, removed: list[Removed], spans: list[tuple[int, int]]) -> tuple[str, list[Removed]]:
    """The text without the spans, and what was removed with places in the new text; both as given if it is too much.

    A line that loses all its pieces goes with its break; of a line that loses some, the white space at the cut goes.
    """
    gone = sum(len(words(text[a:b])) for a, b in spans)
    if not spans or gone > MAX_CUT * len(words(text)):
        return text, removed
    kept: list[str] = []
    lost: list[tuple[int, int, int]] = []  # where a stretch began and ended, and where it would stand in the new text
    at = size = 0
    for start, end in _stretches(text, spans):
        begin, stop, between = _with_space(text, start, end)
        kept += [text[at:begin], between]
        size += begin - at + len(between)
        lost.append((begin, stop, size))
        at = stop
    new = "".join([*kept, text[at:]]).rstrip()

    def place(old: int) -> int:
        _, stop, now = next((x for x in reversed(lost) if x[0] <= old), (0, 0, 0))
        return min(len(new), now + max(0, old - stop))

    moved = [replace(r, after=place(r.after)) for r in removed]
    moved += [Removed(text=text[a:b][:500], why=WHY, after=place(a)) for a, b in sorted(spans)]
    return new, sorted(moved, key=lambda r: r.after)


def restored(text: str, removed: list[Removed]) -> str:
    """The text with the pieces that `cut` took out, on lines of their own: the words of before, not its spaces."""
    for r in sorted((r for r in removed if r.why == WHY), key=lambda r: r.after, reverse=True):
        text = f"{text[: r.after]}\n{r.text}\n{text[r.after :]}"
    return text


def _stretches(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those with only white space between them as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and not text[merged[-1][1] : start].strip():
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _with_space(text: str, start: int, end: int) -> tuple[int, int, str]:
    """A stretch with the white space that goes with it, and what is left in its place."""
    begin, stop = start, end
    while begin > 0 and text[begin - 1] in " \t":
        begin -= 1
    while stop < len(text) and text[stop] in " \t":
        stop += 1
    opens = begin == 0 or text[begin - 1] == "\n"
    closes = stop == len(text) or text[stop] == "\n"
    if opens and closes:
        while stop < len(text) and text[stop] == "\n":
            stop += 1
    elif not opens and not closes:
        return begin, stop, "\n" if "\n" in text[start:end] else " "
    return begin, stop, ""
