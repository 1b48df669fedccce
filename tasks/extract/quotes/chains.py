"""Who said that somebody said: statements told inside a statement, "Lacerda said that Epstein told her to wait"."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks import tables
from tasks.extract.quotes.frame import Frame, hash_of, hashes, is_in
from tasks.extract.quotes.spans import Piece
from tasks.extract.quotes.speakers import Cue, Scene

MIN_WORDS = 4
"""An inner statement has so many words: less is mostly a thing, not a statement."""
SURE = 0.25
"""Chance that the first pass must give a verb to head a cue."""

_SAYING = frozenset(
    "say tell claim announce deny warn promise admit allege argue add insist accuse confirm explain write declare vow "
    "pledge state report".split()
)
_SUBJECT = hashes("nsubj")
_VERBS = hashes("VBD", "VBZ", "VBP", "VBN", "VB")


def inner_statements(scene: Scene, piece: Piece) -> list[tuple[Piece, Cue, int]]:
    """Statements inside a piece: the clause that a verb of saying governs there, the verb, the mention that says it.

    Only clauses with a subject of their own whose speaker stands in the piece too: nothing is guessed.
    """
    f = scene.frame
    out: list[tuple[Piece, Cue, int]] = []
    for i in range(piece.lo, piece.hi):
        if not f.cue[i] or int(f.tag[i]) not in _VERBS or f.doc[int(f.token[i])].lemma_.lower() not in _SAYING:
            continue
        if scene.chances[i] < SURE or f.quote[i] >= 0:
            continue
        around = np.arange(piece.lo, piece.hi)
        kids = around[(f.head[piece.lo : piece.hi] == i) & (around != i)]
        clause = next((int(k) for k in kids if f.dep[k] == hash_of("ccomp")), None)
        subject = next((int(k) for k in kids if int(f.dep[k]) in _SUBJECT and k < i), None)
        if clause is None or subject is None:
            continue
        speaker = next((m for m, h in enumerate(scene.heads) if h == subject), None)
        span = _clause(f, clause, i, piece)
        if speaker is not None and span is not None:
            lo, hi = span
            out.append((Piece(lo=lo, hi=hi, chance=piece.chance), Cue(lo=i, hi=i + 1, main=i), speaker))
    return out


def _clause(f: Frame, top: int, verb: int, piece: Piece) -> tuple[int, int] | None:
    """Tokens of a clause after its verb of saying, "that" left out; None if it has too few words or no subject."""
    inside = []
    for k in range(verb + 1, piece.hi):
        up = k
        for _ in range(20):
            if up in (top, verb) or f.head[up] == up:
                break
            up = int(f.head[up])
        if up == top:
            inside.append(k)
    if not inside:
        return None
    lo, hi = inside[0], inside[-1] + 1
    while lo < hi and (not f.is_word[lo] or f.words[lo] == "that"):
        lo += 1
    while hi > lo and not f.is_word[hi - 1]:
        hi -= 1
    own = is_in(f.dep[lo:hi], hashes("nsubj", "nsubjpass", "expl")).any()
    return (lo, hi) if own and int(f.is_word[lo:hi].sum()) >= MIN_WORDS else None


def linked(rows: list[tables.Quote]) -> list[tables.Quote]:
    """Each quote that stands in another one with its parent and, as via, the parent's source. `rows` by start."""
    out = []
    for i, q in enumerate(rows):
        parent = None
        for p in rows[max(i - 6, 0) : i + 6]:
            if p is not q and p.start <= q.start and q.end <= p.end and (p.end - p.start) > (q.end - q.start):
                holds = not p.parts or any(s.start <= q.start and q.end <= s.end for s in p.parts)
                if holds and (parent is None or p.end - p.start < parent.end - parent.start):
                    parent = p
        if parent is not None:
            via = parent.source_id if parent.source_id != q.source_id else None
            q = replace(q, parent_quote_id=parent.quote_id, via_source_id=via)
        out.append(q)
    return out
