"""Labels of tokens -> what was said, cues and speakers as token spans, mended with what is known of quotation marks."""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import numpy as np

from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.frame import I64, Frame

MIN_LONE_WORDS = 6
"""A quoted stretch of a whole sentence that the tagger left out is taken from this length on."""

MAX_PIECE = 1_000
"""Tokens. The longest annotated piece has 400: a longer one is a text whose marks do not pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One contiguous stretch of what was said, tokens lo to hi (end excluded), and the tagger's chance for it."""

    lo: int
    hi: int
    chance: float


def find_pieces(f: Frame, labels: I64, marginals: F64) -> list[Piece]:
    """Pieces in order, none overlapping another."""
    said = marginals[:, 1] + marginals[:, 2]
    raw = []
    for lo, hi in runs_of(labels, f.para):
        lo, hi = _snap(f, labels, *_after_colon(f, lo, hi))
        if lo < hi:
            raw.append((lo, hi))
    raw = _whole_quotations(f, raw, labels, said)
    out: list[Piece] = []
    for lo, hi in sorted(raw):
        if out and lo < out[-1].hi:
            lo = out[-1].hi
        while lo < hi and not f.is_word[lo]:
            lo += 1
        if lo < hi <= lo + MAX_PIECE:
            out.append(
                Piece(
                    lo=lo,
                    hi=hi,
                    chance=float(said[lo:hi].mean() * 0.5 + min(said[lo], said[hi - 1]) * 0.5),
                )
            )
    return out


def runs_of(labels: I64, para: I64) -> list[tuple[int, int]]:
    """Runs B I I … within one paragraph."""
    out = []
    begins = np.flatnonzero(labels == 1)
    ends = np.flatnonzero((labels != 2) | np.concatenate([[True], np.diff(para) > 0]))
    for b in begins.tolist():
        k = int(np.searchsorted(ends, b + 1))
        out.append((b, int(ends[k]) if k < len(ends) else len(labels)))
    return out


def _after_colon(f: Frame, lo: int, hi: int) -> tuple[int, int]:
    """Without "him:" or "WALLACE:" before a quotation or a turn of a transcript."""
    for k in range(lo, min(lo + 4, hi - 2)):
        if f.text[f.start[k] : f.end[k]] == ":":
            opens = f.quote[k + 1] >= 0 and f.quote[k + 1] != f.quote[lo]
            turn = k > lo and f.text[f.start[lo] : f.end[k - 1]].isupper()
            return (k + 1, hi) if opens or turn else (lo, hi)
    return lo, hi


def _words_of_quote(f: Frame) -> dict[int, tuple[int, int]]:
    """For each quoted stretch its first word token and one past its last."""
    out: dict[int, tuple[int, int]] = {}
    words = np.flatnonzero((f.quote >= 0) & f.is_word)
    for i in words.tolist():
        q = int(f.quote[i])
        lo, _ = out.get(q, (i, i))
        out[q] = (lo, i + 1)
    return out


def _snap(f: Frame, labels: I64, lo: int, hi: int) -> tuple[int, int]:
    """A border that lies within two words of the border of a quoted stretch moves there: no quotation is half said."""
    q = int(f.quote[lo])
    if q >= 0:
        first = lo
        while (
            first > 0
            and f.quote[first - 1] == q
            and f.para[first - 1] == f.para[lo]
            and lo - first < 4
            and labels[first - 1] < 3
        ):
            first -= 1
        if first == 0 or f.quote[first - 1] != q:
            lo = first
    q = int(f.quote[hi - 1])
    if q >= 0:
        last = hi
        while last < len(f) and f.quote[last] == q and last - hi < 4 and labels[last] < 3:
            last += 1
        if last == len(f) or f.quote[last] != q:
            hi = last
    while lo < hi and not f.is_word[lo]:
        lo += 1
    while hi > lo and not f.is_word[hi - 1]:
        hi -= 1
    return lo, hi


def _whole_quotations(f: Frame, pieces: list[tuple[int, int]], labels: I64, said: F64) -> list[tuple[int, int]]:
    """Direct quotations as wholes: pieces inside one stretch are joined, a stretch that reads as speech is added."""
    starts = [a for a, _ in pieces]
    gone: set[tuple[int, int]] = set()
    new: list[tuple[int, int]] = []
    for lo, hi in _words_of_quote(f).values():
        near = pieces[max(bisect.bisect_right(starts, lo) - 1, 0) : bisect.bisect_left(starts, hi)]
        inside = [(a, b) for a, b in near if lo <= a and b <= hi]
        crossing = any(a < hi and lo < b and not (lo <= a and b <= hi) for a, b in near)
        if crossing or (labels[lo:hi] >= 3).any():
            continue  # a transcript's "SMITH: …" stands in its marks together with its speaker
        covered = sum(b - a for a, b in inside)
        if inside and covered < hi - lo and (covered >= 0.5 * (hi - lo) or _speech(f, lo, hi)):
            gone.update(inside)
            new.append((lo, hi))
        elif len(inside) > 1:
            gone.update(inside)
            new.append((lo, hi))
        elif not inside and hi - lo >= MIN_LONE_WORDS and _speech(f, lo, hi) and said[lo:hi].mean() > 0.2:
            new.append((lo, hi))
    return [p for p in pieces if p not in gone] + new


def _speech(f: Frame, lo: int, hi: int) -> bool:
    """Whether a quoted stretch ends as speech does: a comma, stop, question or exclamation mark before it closes."""
    after = f.text[f.end[hi - 1] : f.end[hi - 1] + 2]
    return bool(after) and after[0] in ",.?!…—" and hi - lo >= 3


def char_span(f: Frame, piece: Piece) -> tuple[int, int]:
    """Code points of a piece, widened to the quotation marks and the closing punctuation that belong to it."""
    start, end = int(f.start[piece.lo]), int(f.end[piece.hi - 1])
    q = int(f.quote[piece.lo])
    if q >= 0:
        stretch = f.quoted[q]
        if not any(c.isalnum() for c in f.text[stretch.start : start]):
            start = stretch.start
    q = int(f.quote[piece.hi - 1])
    if q >= 0:
        stretch = f.quoted[q]
        if not any(c.isalnum() for c in f.text[end : stretch.end]):
            end = stretch.end
    while end > start and f.text[end - 1].isspace():
        end -= 1
    return start, end
