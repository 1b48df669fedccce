"""Parser and name finder of the language model, taking their steps for many pieces of text at once.

Both are transition systems: in each state a small network scores the moves, and the best move that is allowed is taken
(spaCy's ArcEager and BiluoPushDown, whose rules these are). Here one step is taken in all pieces together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.extract.encode import F32, I64, Linear, UnknownModel, find_nodes, read_linear

Bool = npt.NDArray[np.bool_]

SHIFT, REDUCE, LEFT, RIGHT, BREAK = range(5)
_ARCS = {"S": SHIFT, "D": REDUCE, "L": LEFT, "R": RIGHT, "B": BREAK}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Scores of the moves: rows of a table for the tokens that a state looks at, added, maxout, a linear layer."""

    reduce: Linear  # encoder's width -> the table's
    table: F32  # (features, inputs, hidden * 2)
    absent: F32  # (features, hidden * 2): where a feature has no token
    bias: F32  # (hidden * 2,)
    upper: Linear
    features: int

    def rows(self, vectors: F32) -> F32:
        """(features, n + 1, hidden * 2): what each token adds in each place; the last row is for no token."""
        reduced = self.reduce(vectors)
        n, width = len(vectors), len(self.bias)
        out = np.empty((self.features, n + 1, width), dtype=np.float32)
        for f in range(self.features):
            np.matmul(reduced, self.table[f], out=out[f, :n])
        out[:, n] = self.absent
        return out

    def moves(self, rows: F32, ids: list[I64]) -> F32:
        """(k, moves) scores. ids: for each feature the tokens of the k states, n for none."""
        total = rows[0][ids[0]]
        for f in range(1, self.features):
            total += rows[f][ids[f]]
        total += self.bias
        half = len(self.bias) // 2
        return self.upper(np.maximum(total[:, :half], total[:, half:]))


def read_scorer(model: Any) -> Scorer:
    """Raises UnknownModel if the model is of another build."""
    lower, upper = model.get_ref("lower"), model.get_ref("upper")
    weight, bias, pad = (lower.get_param(p) for p in ("W", "b", "pad"))
    features, hidden, pieces, inputs = weight.shape
    linear = [n for n in find_nodes(model.get_ref("tok2vec"), "linear")]
    if pieces != 2 or len(linear) != 1:
        raise UnknownModel("its parser has other layers")
    table = weight.transpose(0, 3, 2, 1).reshape(features, inputs, pieces * hidden)
    return Scorer(
        reduce=read_linear(linear[0]),
        table=np.ascontiguousarray(table),
        absent=np.ascontiguousarray(pad[0].transpose(0, 2, 1).reshape(features, pieces * hidden)),
        bias=np.ascontiguousarray(bias.T.reshape(-1)),
        upper=read_linear(upper),
        features=features,
    )


def _moves(component: Any) -> list[tuple[str, str]]:
    """Kind and label of each move, in the order of the scores."""
    system = component.moves
    names = [system.get_class_name(i) for i in range(system.n_moves)]
    return [(m[0], m[2:]) for m in names]


# --------------------------------------------------------------------------- names


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The name finder. `kind` and `type` of each move: one of B I L U O, and the number of the name's type."""

    scorer: Scorer
    kind: list[str]
    type: I64
    types: list[str]
    allowed: F32  # (states, moves): 0 where a move is allowed, else -inf; see _allowed


def read_names(component: Any) -> Names:
    scorer = read_scorer(component.model)
    moves = _moves(component)
    types = sorted({t for _, t in moves if t})
    if scorer.features != 3 or any(k not in "BILUO" for k, _ in moves):
        raise UnknownModel("its name finder has other moves")
    kind, number = [k for k, _ in moves], np.array([types.index(t) if t else -1 for _, t in moves])
    return Names(scorer=scorer, kind=kind, type=number, types=types, allowed=_allowed(kind, number, len(types)))


def _allowed(kind: list[str], number: I64, n_types: int) -> F32:
    """States: 0 outside, 1 outside and the last of its sentence, 2 outside at a space; then two for each open type:
    inside, inside and the last of its sentence."""
    table = np.full((3 + 2 * n_types, len(kind)), -np.inf, dtype=np.float32)
    for m, (k, t) in enumerate(zip(kind, number.tolist(), strict=True)):
        if k == "O":
            table[:3, m] = 0
        elif t < 0:
            continue  # a unit without a type closes names that were set beforehand: there are none
        elif k == "B":
            table[0, m] = 0
        elif k == "U":
            table[:2, m] = 0
        else:
            table[3 + 2 * t, m] = 0
            if k == "L":
                table[4 + 2 * t, m] = 0
    return table


def find_names(names: Names, vectors: F32, starts: I64, lengths: I64, last: Bool, space: Bool) -> tuple[I64, I64]:
    """IOB code (3 begins, 1 inside, 2 outside, as in spaCy) and type number (-1 outside) of each token.

    last: the token is the last of its sentence or piece. space: it is white space.
    """
    n = len(vectors)
    iob, found = np.full(n, 2, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    rows = names.scorer.rows(vectors)
    order = np.argsort(-lengths, kind="stable")
    begin, size = starts[order], lengths[order]
    kind = np.array(["BILUO".index(k) for k in names.kind])
    opened = np.full(len(order), -1, dtype=np.int64)  # type of the open name
    first = np.zeros(len(order), dtype=np.int64)  # its first token
    for t in range(int(size[0]) if len(size) else 0):
        k = int(np.searchsorted(-size, -t))  # pieces that are longer than t
        at, o = begin[:k] + t, opened[:k]
        inside = o >= 0
        ids = [at, np.where(inside, first[:k], n), np.where(inside, at - 1, n)]
        state = np.where(inside, 3 + 2 * o + last[at], np.where(space[at], 2, last[at]))
        move = (names.scorer.moves(rows, ids) + names.allowed[state]).argmax(1)
        made, label = kind[move], names.type[move]
        iob[at] = np.where(made == 4, 2, np.where((made == 0) | (made == 3), 3, 1))
        found[at] = label
        first[:k] = np.where(made == 0, at, first[:k])
        opened[:k] = np.where(made == 0, label, np.where(made == 1, o, -1))
    return iob, found


# --------------------------------------------------------------------------- syntax


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """The dependency parser. `kind` and `label` of each move; `under` is the label of the true head of an arc that
    was lifted to a higher one ("prep||conj"), or empty."""

    scorer: Scorer
    kind: I64
    label: list[str]
    under: list[str]


def read_syntax(component: Any) -> Syntax:
    scorer = read_scorer(component.model)
    moves = _moves(component)
    if scorer.features != 8 or any(k not in _ARCS or t == "subtok" for k, t in moves):
        raise UnknownModel("its parser has other moves")
    parts = [t.partition("||") for _, t in moves]
    return Syntax(
        scorer=scorer,
        kind=np.array([_ARCS[k] for k, _ in moves]),
        label=[p[0] for p in parts],
        under=[p[2] for p in parts],
    )


class States:
    """The states of all pieces. Tokens are numbered over all pieces; -1 (n in `context`) stands for none."""

    def __init__(self, starts: I64, lengths: I64) -> None:
        self.n, k = int(lengths.sum()), len(lengths)
        self.end = starts + lengths
        self.next = starts.copy()  # first token of the buffer that was never shifted
        longest = int(lengths.max()) + 1
        self.stack = np.full((k, longest), -1, dtype=np.int64)
        self.depth = np.zeros(k, dtype=np.int64)
        self.back = np.full((k, longest), -1, dtype=np.int64)  # tokens put back on the buffer
        self.n_back = np.zeros(k, dtype=np.int64)
        self.head = np.full(self.n, -1, dtype=np.int64)
        self.move = np.full(self.n, -1, dtype=np.int64)  # that gave the token its head
        self.breaks = np.zeros(self.n + 1, dtype=bool)
        self.stuck = np.zeros(self.n + 1, dtype=bool)  # was put back once: not shifted again
        # arcs of each head on either side, newest first, as linked lists
        self.newest = np.full((2, self.n + 1), -1, dtype=np.int64)
        self.child = np.full(4 * self.n + k, -1, dtype=np.int64)
        self.older = np.full(4 * self.n + k, -1, dtype=np.int64)
        self.n_arcs = 0

    def stacked(self, r: I64, i: int) -> I64:
        at = self.depth[r] - 1 - i
        return np.where(at >= 0, self.stack[r, np.maximum(at, 0)], -1)

    def buffered(self, r: I64) -> tuple[I64, I64]:
        """First and second token of the buffer."""
        b, end, fresh = self.n_back[r], self.end[r], self.next[r]
        top = self.back[r, np.maximum(b - 1, 0)]
        b0 = np.where(b > 0, top, np.where(fresh < end, fresh, -1))
        second = fresh + (b == 0)
        b1 = np.where(b > 1, self.back[r, np.maximum(b - 2, 0)], np.where(second < end, second, -1))
        return b0, b1

    def outermost(self, side: int, head: I64) -> I64:
        """The newest child of each head on a side that it still has."""
        arc = self.newest[side, head]  # head -1 reads the last column, which stays -1
        child = np.where(arc >= 0, self.child[arc], -1)
        dead = (arc >= 0) & (child < 0)
        while dead.any():
            arc = np.where(dead, self.older[arc], arc)
            child = np.where(arc >= 0, self.child[arc], -1)
            dead = (arc >= 0) & (child < 0)
        return child

    def add_arcs(self, head: I64, child: I64, move: I64) -> None:
        for c in child[self.head[child] >= 0].tolist():
            self._drop(int(self.head[c]), c)
        k = len(head)
        arcs = np.arange(self.n_arcs, self.n_arcs + k)
        if self.n_arcs + k > len(self.child):
            self.child = np.concatenate([self.child, np.full(len(self.child) + k, -1)])
            self.older = np.concatenate([self.older, np.full(len(self.older) + k, -1)])
        self.n_arcs += k
        side = (head < child).astype(np.int64)
        self.child[arcs], self.older[arcs] = child, self.newest[side, head]
        self.newest[side, head] = arcs
        self.head[child], self.move[child] = head, move

    def _drop(self, head: int, child: int) -> None:
        side = int(head < child)
        arc = int(self.newest[side, head])
        if arc >= 0 and self.child[arc] == child:
            self.newest[side, head] = self.older[arc]
            return
        while arc >= 0 and self.child[arc] != child:
            arc = int(self.older[arc])
        if arc >= 0:
            self.child[arc] = -1

    def push(self, r: I64, b0: I64) -> None:
        self.stack[r, self.depth[r]] = b0
        self.depth[r] += 1
        again = self.n_back[r] > 0
        self.n_back[r] -= again
        self.next[r] += ~again


def parse_pieces(syntax: Syntax, vectors: F32, starts: I64, lengths: I64) -> tuple[I64, I64]:
    """Head of each token (-1 for a root), numbered over all pieces, and the move that gave its label."""
    if not len(lengths):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    s = States(starts, lengths)
    rows = syntax.scorer.rows(vectors)
    barred = np.where(np.arange(5)[:, None] == syntax.kind[None, :], -np.inf, 0).astype(np.float32)
    r = np.flatnonzero(lengths > 0)
    steps = 0
    while len(r) and steps < 12 * int(lengths.max()) + 20:  # each token is put back at most once: this is never reached
        steps += 1
        b0, b1 = s.buffered(r)
        s0, s1, s2 = (s.stacked(r, i) for i in range(3))
        context = [b0, b1, s0, s1, s2, s.outermost(0, b0), s.outermost(0, s0), s.outermost(1, s0)]
        # no token is -1, which reads the last row: the one for no token
        scores = syntax.scorer.moves(rows, context)
        valid = _valid(s, r, b0, b1)
        for kind in range(5):
            scores[~valid[kind]] += barred[kind]
        move = scores.argmax(1)
        _take(s, r, syntax.kind[move], move, b0, b1, s0, np.asarray(valid.any(0)))
        r = r[(s.depth[r] > 0) | (s.end[r] - s.next[r] + s.n_back[r] > 0)]
    return s.head, s.move


def lower_arcs(syntax: Syntax, head: I64, move: I64, starts: I64, lengths: I64, space: Bool) -> I64:
    """Heads, with arcs that were lifted over others brought back: to the nearest word below the head, in breadth, that
    has the label which the arc asks for."""
    lifted = np.flatnonzero((move >= 0) & np.array([bool(u) for u in syntax.under])[move])
    if not len(lifted):
        return head
    out = head.copy()
    full = [f"{a}||{b}" if b else a for a, b in zip(syntax.label, syntax.under, strict=True)]
    label: dict[int, str] = {}  # of those that have been brought back
    piece = np.searchsorted(starts, lifted, side="right") - 1
    for i, p in zip(lifted.tolist(), piece.tolist(), strict=True):
        lo, hi = int(starts[p]), int(starts[p] + lengths[p])
        wanted = syntax.under[move[i]]
        queue = [int(out[i])]
        while queue:
            below = [lo + c for q in queue for c in np.flatnonzero(out[lo:hi] == q).tolist()]
            below = [c for c in below if not space[c] and c != i]
            hit = next((c for c in below if label.get(c, full[move[c]]) == wanted), None)
            if hit is not None:
                out[i] = hit
                break
            queue = below
        label[i] = syntax.label[move[i]]
    return out


def _valid(s: States, r: I64, b0: I64, b1: I64) -> Bool:
    """(5, k): which kinds of move each state allows."""
    empty, left = s.depth[r] == 0, s.end[r] - s.next[r] + s.n_back[r]
    broken = s.breaks[b0]  # the last entry, read for no token, is never set
    out = np.empty((5, len(r)), dtype=bool)
    out[SHIFT] = empty | ((left >= 2) & ~broken & ~s.stuck[b0])
    out[REDUCE] = ~empty
    out[LEFT] = out[RIGHT] = ~empty & (left > 0) & ~broken
    out[BREAK] = (left >= 2) & (b1 == b0 + 1) & ~s.breaks[b1]
    return out


def _take(s: States, r: I64, kind: I64, move: I64, b0: I64, b1: I64, s0: I64, possible: Bool) -> None:
    """Every state makes its move."""
    is_left, is_right = kind == LEFT, kind == RIGHT
    arc = is_left | is_right
    if arc.any():
        s.add_arcs(np.where(is_left, b0, s0)[arc], np.where(is_left, s0, b0)[arc], move[arc])
    s.stuck[b0[is_left]] = False
    s.depth[r[is_left]] -= 1
    pushes = is_right | (kind == SHIFT)
    s.push(r[pushes], b0[pushes])
    s.breaks[b1[kind == BREAK]] = True
    reduces = kind == REDUCE
    if reduces.any():
        q, top = r[reduces], s0[reduces]
        back = (s.head[top] < 0) & (s.depth[q] > 1)
        s.depth[q] -= 1
        q, top = q[back], top[back]
        s.stuck[top] = True
        s.back[q, s.n_back[q]] = top
        s.n_back[q] += 1
    if not possible.all():
        lost = r[~possible]
        s.depth[lost], s.n_back[lost], s.next[lost] = 0, 0, s.end[lost]
