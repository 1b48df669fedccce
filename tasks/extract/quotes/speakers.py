"""Which mention speaks each piece: a learnt ranker over the mentions around it and the answer "nobody"."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.frame import I64, Frame, strings_of
from tasks.extract.quotes.spans import Piece
from tasks.extract.sources.mentions import Mention

REACH_BACK, REACH_AHEAD = 80, 40
"""Tokens before and after a piece in which its speaker is looked for: nearly all annotated speakers lie closer."""
RUNS_ON = 0.5
"""Chance that who spoke the paragraph before speaks the next one too, where the ranker knows nobody."""
BROUGHT_IN = 0.8
"""The same for a person whom the sentence above a quotation brings in."""
DOUBT = 5.0
"""Tokens further off that a cue counts for whose word the first pass thinks is none: "will spell …, analysts warn"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """Tokens lo to hi of the words that attribute; `main` is its verb or noun."""

    lo: int
    hi: int
    main: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """What `describe` reads of a text, as lists: single values come out of them ten times as fast as out of arrays."""

    sent: list[int]
    para: list[int]
    para_first: list[int]  # first token of each token's paragraph
    head: list[int]
    dep: list[str]
    tag: list[str]
    quoted: list[bool]
    labels: list[int]
    speaker: list[float]  # chance of the speaker label
    best: list[float]  # of each mention the highest such chance among its tokens


def columns_of(f: Frame, labels: I64, marginals: F64, mentions: list[Mention]) -> Columns:
    speaker = marginals[:, 4].tolist()
    return Columns(
        sent=f.sent.tolist(), para=f.para.tolist(), para_first=np.searchsorted(f.para, f.para).tolist(),
        head=f.head.tolist(), dep=strings_of(f.doc, f.dep), tag=strings_of(f.doc, f.tag),
        quoted=(f.quote >= 0).tolist(), labels=labels.tolist(), speaker=speaker,
        best=[max(speaker[x.lo : x.hi]) for x in mentions],
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A text with everything the ranker looks at."""

    frame: Frame
    labels: I64
    marginals: F64
    chances: F64  # of each token to head a cue
    mentions: list[Mention]
    heads: list[int]
    cues: list[Cue]
    columns: Columns = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", columns_of(self.frame, self.labels, self.marginals, self.mentions))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranker:
    """Weight of each feature's name; names that training did not see count nothing."""

    weights: dict[str, float]

    def score(self, features: list[str]) -> float:
        weight = self.weights.get
        return sum([weight(f, 0.0) for f in features])


def find_cues(labels: I64, chances: F64) -> list[Cue]:
    """Runs of the cue label; the main word is the one with the highest chance to head one."""
    at = np.flatnonzero(labels == 3)
    out: list[Cue] = []
    for group in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if len(at) else []:
        lo, hi = int(group[0]), int(group[-1]) + 1
        out.append(Cue(lo=lo, hi=hi, main=lo + int(chances[lo:hi].argmax())))
    return out


def cue_of(scene: Scene, piece: Piece, pieces: list[Piece]) -> Cue | None:
    """The cue nearest to a piece, preferring its own sentence and no other piece between."""
    f = scene.frame
    best, best_cost = None, 60.0
    for cue in _around(scene.cues, piece):
        before = cue.hi <= piece.lo
        gap = piece.lo - cue.hi if before else cue.lo - piece.hi
        edge = piece.lo if before else piece.hi - 1
        if gap < 0 or (f.para[edge] != f.para[cue.main] and not (before and _introduces(f, cue, piece))):
            continue
        cost = (
            float(gap)
            + (0 if f.sent[edge] == f.sent[cue.main] else 25)
            + (0 if f.para[edge] == f.para[cue.main] else 15)
            + DOUBT * (1 - float(scene.chances[cue.main]))
        )
        lo, hi = (cue.hi, piece.lo) if before else (piece.hi, cue.lo)
        between = _first_after(pieces, hi) - _first_after(pieces, lo)
        cost += 12 * max(between, 0)
        if not before and gap > 0 and f.text[f.end[piece.hi - 1] : f.end[piece.hi - 1] + 2].strip()[:1] == ".":
            cost += 10
        if cost < best_cost:
            best, best_cost = cue, cost
    return best


def _introduces(f: Frame, cue: Cue, piece: Piece) -> bool:
    """Whether a cue ends its paragraph with a colon and the next one is the quotation: "She said:"."""
    return piece.lo - cue.hi <= 12 and f.quote[piece.lo] >= 0 and ":" in f.text[f.start[cue.lo] : f.start[piece.lo]]


def _around(cues: list[Cue], piece: Piece) -> list[Cue]:
    lo = bisect.bisect_left(cues, piece.lo - REACH_BACK, key=_begin)
    return cues[lo : bisect.bisect_left(cues, piece.hi + REACH_AHEAD, key=_begin)]


def _begin(span: Piece | Cue) -> int:
    return span.lo


def candidates(scene: Scene, piece: Piece, pieces: list[Piece]) -> list[int]:
    """Indices of the mentions around a piece that stand in no piece, and neither in a title nor in a bracket."""
    lo = bisect.bisect_left(scene.heads, piece.lo - REACH_BACK)
    hi = bisect.bisect_left(scene.heads, piece.hi + REACH_AHEAD)
    out = []
    first = max(bisect.bisect_right(pieces, scene.heads[lo], key=_begin) - 1, 0) if lo < hi else 0
    last = bisect.bisect_right(pieces, scene.heads[hi - 1], key=_begin) if lo < hi else 0
    pieces = pieces[first:last]
    for m in range(lo, hi):
        k = bisect.bisect_right(pieces, scene.heads[m], key=_begin) - 1
        if (k < 0 or scene.heads[m] >= pieces[k].hi) and not _set_off(scene, m, piece):
            out.append(m)
    return out


def _set_off(scene: Scene, m: int, piece: Piece) -> bool:
    """Whether a mention only stands in a title or a bracket: on “Fox and Friends”, Price (D-Newport News)."""
    f, x, c = scene.frame, scene.mentions[m], scene.columns
    if c.labels[x.head] == 4:
        return False
    title = c.quoted[x.head] and int(f.quote[x.head]) != int(f.quote[piece.lo])
    return title or (x.lo > 0 and f.words[x.lo - 1] == "(")


def describe(
    scene: Scene,
    piece: Piece,
    cue: Cue | None,
    m: int,
    pieces: list[Piece],
    last: int | None,
) -> list[str]:
    """Names of the features that hold of mention `m` as the speaker of `piece`. `last`: speaker of the piece before."""
    f, x, c = scene.frame, scene.mentions[m], scene.columns
    i = x.head
    before = i < piece.lo
    gap = piece.lo - i if before else i - piece.hi + 1
    edge = piece.lo if before else piece.hi - 1
    near = "s" if c.sent[edge] == c.sent[i] else ("p" if c.para[edge] == c.para[i] else "f")
    lo, hi = (i, edge) if i < edge else (edge, i)
    quoted = "q" if c.quoted[piece.lo] and c.quoted[piece.hi - 1] else "i"
    chance = _level(c.best[m])
    dep = c.dep[i]
    place = near + ("b" if before else "a")
    out = [
        f"form {x.form} {quoted}",
        f"place {place} {quoted}",
        f"gap {place} {_bin(gap)}",
        f"S {chance}",
        f"Sh {_level(c.speaker[i])} {near}",
        f"dep {dep} {near}",
        f"ent {x.ent} {x.form}",
        f"form {x.form} {place}",
        f"pieces {place} {min(_between(pieces, lo, hi), 3)}",
        f"para1 {place} {i == c.para_first[i]}",
    ]
    if x.form == "pronoun":
        out.insert(9, f"pro {f.words[i]} {quoted}")
    if last is not None:
        out.append(f"last {m == last} {near} {cue is not None}")
    run = _speaker_run(scene, i)
    out.append(f"run {run is not None} {near}")
    if run is not None:
        out.append(f"runhead {not run[0] <= c.head[i] < run[1]} {x.form}")
    subject = dep in ("nsubj", "nsubjpass")
    if cue is None:
        out += [
            f"nocue {place} subj={subject}",
            f"nocue {dep} {x.form}",
            f"nocue {place} {_bin(gap)} {x.form}",
            f"nocue S {chance} {place}",
            f"nocue paras {min(c.para[edge] - c.para[i], 4)} subj={subject}",
        ]
        return out
    main = cue.main
    rel = _relation(c, i, main)
    side = "b" if i < main else "a"
    a, b = (i, main) if i < main else (main, i)
    others = bisect.bisect_left(scene.heads, b) - bisect.bisect_right(scene.heads, a)
    out += [
        f"rel {rel}",
        f"rel {rel} {dep}",
        f"cgap {_bin(abs(i - main))} {side}{'in' if cue.lo <= i < cue.hi else ''} {quoted}",
        f"rel {rel} S {chance}",
        f"csent {c.sent[main] == c.sent[i]} {dep}",
        f"govcue {c.head[i] == main} {subject}",
        f"cuesubj {rel} {side} {place}",
        f"inter {min(max(others, 0), 4)} {rel}",
        f"cuetag {c.tag[main]} {rel}",
    ]
    return out


def describe_nobody(scene: Scene, piece: Piece, cue: Cue | None) -> list[str]:
    """The same for the answer that no mention speaks."""
    f = scene.frame
    out = ["nobody", f"nobody cue {cue is not None}"]
    near = scene.marginals[max(piece.lo - 25, 0) : piece.hi + 25, 4]
    out.append(f"nobody S {_level(float(near.max()) if len(near) else 0.0)}")
    out.append(f"nobody quoted {f.quote[piece.lo] >= 0}")
    if cue is not None:
        c = cue.main
        out.append(f"nobody tag {f.doc.strings[int(f.tag[c])]}")
        deps = {f.doc.strings[int(d)] for d in f.dep[max(c - 12, 0) : c + 12][f.head[max(c - 12, 0) : c + 12] == c]}
        out += [f"nobody has {d}" for d in deps & {"nsubj", "nsubjpass", "agent", "auxpass", "pobj", "poss", "expl"}]
        out.append(f"nobody subj {bool(deps & {'nsubj', 'agent', 'poss'})} {'auxpass' in deps}")
    return out


def rank(
    scene: Scene,
    piece: Piece,
    cue: Cue | None,
    pieces: list[Piece],
    last: int | None,
    ranker: Ranker,
) -> tuple[int | None, float]:
    """The mention that speaks a piece, or None, and the chance that this answer is right."""
    options: list[int | None] = [None, *_at_mark(scene, cue, candidates(scene, piece, pieces))]
    scores = np.array(
        [
            ranker.score(
                describe_nobody(scene, piece, cue) if m is None else describe(scene, piece, cue, m, pieces, last)
            )
            for m in options
        ]
    )
    chance = np.exp(scores - scores.max())
    chance /= chance.sum()
    best = int(chance.argmax())
    found = options[best]
    if cue is None and found in (None, last):
        brought_in = _brought_in(scene, piece, pieces)
        if brought_in is not None:
            return brought_in, max(BROUGHT_IN, float(chance[best]) if brought_in == found else 0.0)
    if found is None and cue is None and last is not None and _runs_on(scene, piece, pieces):
        return last, RUNS_ON
    return found if found is None else _named_first(scene, found), float(chance[best])


def _runs_on(scene: Scene, piece: Piece, pieces: list[Piece]) -> bool:
    """Whether a quotation opens a paragraph right below another one that ends in a quotation: who spoke goes on."""
    f, k = scene.frame, _first_after(pieces, piece.lo)
    first = scene.columns.para_first[piece.lo]
    if k == 0 or f.quote[piece.lo] < 0 or f.is_word[first : piece.lo].any() or first == 0:
        return False
    before = pieces[k - 1]
    return bool(f.quote[before.hi - 1] >= 0 and f.para[before.hi - 1] == f.para[first - 1])


def _brought_in(scene: Scene, piece: Piece, pieces: list[Piece]) -> int | None:
    """The person whom the paragraph above brings in, for a quotation that is all of its paragraph: Opposition leader
    Karl Brandt laughed. That paragraph is one sentence in which nothing is said, and the person acts in it."""
    f, c, k = scene.frame, scene.columns, _first_after(pieces, piece.lo)
    first = c.para_first[piece.lo]
    if first == 0 or f.quote[piece.lo] < 0 or f.is_word[first : piece.lo].any():
        return None
    above = c.para_first[first - 1]
    if c.sent[above] != c.sent[first - 1] or (k > 0 and pieces[k - 1].hi > above):
        return None
    there = range(bisect.bisect_left(scene.heads, above), bisect.bisect_left(scene.heads, first))
    subjects = (i for m in there if c.dep[i := scene.heads[m]] == "nsubj" and c.head[c.head[i]] == c.head[i])
    subject = next(subjects, None)
    for m in there:
        x, i = scene.mentions[m], scene.heads[m]
        if x.form == "name" and x.ent == "PERSON" and (c.head[i] if c.dep[i] == "appos" else i) == subject:
            return m
    return None


def _named_first(scene: Scene, m: int) -> int:
    """The person before a comma, where the answer is only part of what he is: "Olivier Bosc, head of Care Europe"."""
    run, f = _speaker_run(scene, scene.mentions[m].head), scene.frame
    if run is None:
        return m
    first = bisect.bisect_left(scene.heads, run[0])
    x = scene.mentions[first]
    if first >= m or x.form != "name" or x.name is None or x.ent not in ("PERSON", "") or x.name[1] >= run[1]:
        return m
    return first if f.words[x.name[1]] == "," else m


def _at_mark(scene: Scene, cue: Cue | None, options: list[int]) -> list[int]:
    """Where a colon or a dash attributes ("SMITH: …", "“…” — Ann Lee"), only who stands in its paragraph is meant."""
    c = scene.columns
    if cue is None or scene.frame.is_word[cue.lo : cue.hi].any():
        return options
    near = [m for m in options if c.labels[scene.heads[m]] == 4 and c.para[scene.heads[m]] == c.para[cue.main]]
    return near or options


def _speaker_run(scene: Scene, i: int) -> tuple[int, int] | None:
    """The run of the speaker label around a token."""
    labels, sent = scene.columns.labels, scene.columns.sent
    if labels[i] != 4:
        return None
    lo = hi = i
    while lo > 0 and labels[lo - 1] == 4 and sent[lo - 1] == sent[i]:
        lo -= 1
    while hi < len(labels) and labels[hi] == 4 and sent[hi] == sent[i]:
        hi += 1
    return lo, hi


def speaker_tokens(scene: Scene, m: int) -> tuple[int, int]:
    """Tokens of the words that name the speaker: the mention, widened to the run that the tagger sees as one."""
    x, f = scene.mentions[m], scene.frame
    run = _speaker_run(scene, x.head)
    lo, hi = (min(x.lo, run[0]), max(x.hi, run[1])) if run is not None else (x.lo, x.hi)
    while lo < hi - 1 and not f.is_word[lo]:
        lo += 1
    while hi > lo + 1 and not f.is_word[hi - 1]:
        hi -= 1
    return lo, hi


def _between(pieces: list[Piece], lo: int, hi: int) -> int:
    first = _first_after(pieces, lo)
    return sum(1 for p in pieces[first : first + 4] if p.hi <= hi)


def _first_after(pieces: list[Piece], lo: int) -> int:
    return bisect.bisect_left(pieces, lo, key=_begin)


def _relation(c: Columns, i: int, cue: int) -> str:
    """How a mention's head hangs on the cue: labels of the path between them, at most three steps up and four down."""
    head, dep = c.head, c.dep
    up = [cue]
    while len(up) < 4 and head[up[-1]] != up[-1]:
        up.append(head[up[-1]])
    path: list[str] = []
    k = i
    for _ in range(4):
        if k in up:
            climb = [dep[x] for x in up[: up.index(k)]]
            return ">".join(path) + "<" + "<".join(climb)
        path.append(dep[k])
        if head[k] == k:
            break
        k = head[k]
    return "far"


_BINS, _LEVELS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 90), (0.02, 0.1, 0.3, 0.6, 0.9)


def _bin(n: int) -> int:
    return bisect.bisect_right(_BINS, n)


def _level(p: float) -> int:
    return bisect.bisect_right(_LEVELS, p)


def save_ranker(path: Path, ranker: Ranker) -> None:
    names = sorted(ranker.weights)
    np.savez_compressed(
        path,
        names=np.array(names),
        weights=np.array([ranker.weights[n] for n in names], dtype=np.float32),
    )


def load_ranker(path: Path) -> Ranker:
    with np.load(path) as data:
        return Ranker(weights=dict(zip(map(str, data["names"]), data["weights"].tolist(), strict=True)))
