"""Features of the units of a text, in the context of the whole text: at a first reading, and at a second one.

The second reading knows what the first took for body: how much of it stands before and after a unit, whether the unit
shares its long words and names, how its lines are set. So a text is judged by its own measure.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from tasks.clean.agree import words
from tasks.clean.features import (
    MAX_CHARS,
    bucket,
    kinds_of,
    length_bucket,
    speaks_for_itself,
    text_features,
    word_features,
)
from tasks.clean.units import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What both readings need of a text: of every unit its text, words and line, of every line its words."""

    text: str
    units: list[Unit]
    texts: list[str]
    tokens: list[list[str]]  # of the first MAX_CHARS code points, lower case
    sizes: list[int]  # words of every unit, by white space
    lines: list[int]  # the unit's line among the lines that have text
    lengths: list[int]  # words of every line


def look(text: str, units: list[Unit]) -> Look:
    texts = [text[u.start : u.end] for u in units]
    sizes = [len(t.split()) for t in texts]
    counts: dict[int, int] = {}
    for u, size in zip(units, sizes, strict=True):
        counts[u.line] = counts.get(u.line, 0) + size
    order = {line: k for k, line in enumerate(counts)}
    return Look(
        text=text, units=units, texts=texts, tokens=[words(t[:MAX_CHARS]) for t in texts], sizes=sizes,
        lines=[order[u.line] for u in units], lengths=list(counts.values()),
    )  # fmt: skip


def _position(k: int, total: int) -> list[str]:
    return [
        f"head={bucket(k, (1, 2, 3, 4, 6, 9, 15))}",
        f"tail={bucket(total - 1 - k, (1, 2, 3, 4, 6, 9, 15))}",
        f"at={int(10 * k / max(1, total))}",
    ]


def _surrounding(lengths: list[int], k: int) -> list[str]:
    """How far the nearest lines of prose are, before and after: furniture stands outside of them."""
    before = next((d for d in range(1, 9) if k - d >= 0 and lengths[k - d] >= 18), 9)
    after = next((d for d in range(1, 9) if k + d < len(lengths) and lengths[k + d] >= 18), 9)
    here = bucket(lengths[k], (4, 10, 18, 40))
    mean_near = sum(lengths[max(0, k - 3) : k + 4]) / len(lengths[max(0, k - 3) : k + 4])
    return [
        f"prose={before},{after}",
        f"prose,len={min(before, 3)},{min(after, 3)},{here}",
        f"near={bucket(mean_near, (3, 6, 10, 16, 25, 40))}",
    ]


def _line_voices(text: str, units: list[Unit], lines: list[int], personal: list[int]) -> list[str]:
    """For every line what the outlet says of itself there: first person (`personal`, of every unit) and the appeal's
    words."""
    spans: dict[int, tuple[int, int, int | None]] = {}
    for u, k, we in zip(units, lines, personal, strict=True):
        spans[k] = (spans[k][0], u.end, None) if k in spans else (u.start, u.end, we)
    voices = []
    for start, end, alone in spans.values():
        line = text[start : min(end, start + 1500)]
        asks = sum(kind in ("appeal", "subscription", "newsletter", "consent") for kind in kinds_of(line))
        voices.append(f"{min(2, speaks_for_itself(line) if alone is None else alone)},{min(2, asks)}")
    return voices


def _vocabulary(units: list[list[str]]) -> Counter[str]:
    """In how many long units each long word occurs: what the text is about."""
    counts: Counter[str] = Counter()
    for tokens in units:
        long_words = {w for w in tokens if len(w) > 4}
        if len(long_words) >= 5:
            counts.update(long_words)
    return counts


def _line_features(lengths: list[int], voices: list[str]) -> list[list[str]]:
    """What all units of a line share: where it stands, what stands around it, and in whose voice it speaks."""
    asks = [v[0] != "0" and v[2] != "0" for v in voices]
    rows = []
    for k, voice in enumerate(voices):
        asking = sum(asks[max(0, k - 2) : k + 3]) - asks[k]
        rows.append(
            [
                *_position(k, len(lengths)),
                *_surrounding(lengths, k),
                f"voice={voice}",
                f"asking={min(3, asking)},{voice}",
            ]
        )
    return rows


def _seen_from(own: list[str], n_words: int, ended: bool) -> tuple[str, list[str]]:
    """What a unit shows to its neighbours: its length and end, and to the nearest ones what it is like."""
    return (
        f"len={bucket(n_words, (3, 6, 12, 25))},{ended}",
        [f for f in own if f.startswith(("k:", "stop=", "by,", "date"))],
    )


def unit_features(text: str, units: list[Unit]) -> list[list[str]]:
    """Features of the first reading, one list a unit."""
    return first_features(look(text, units))


def first_features(seen: Look) -> list[list[str]]:
    """One list of features a unit."""
    units, texts, tokens, lines, lengths, sizes = (
        seen.units, seen.texts, seen.tokens, seen.lines, seen.lengths, seen.sizes
    )  # fmt: skip
    vocabulary = _vocabulary(tokens)
    keys = [" ".join(w) for w in tokens]
    repeats = Counter(keys)
    own = [text_features(t, w) for t, w in zip(texts, tokens, strict=True)]
    shown = [_seen_from(f, n, t[-1:] in '.!?…"”’»)') for f, n, t in zip(own, sizes, texts, strict=True)]
    personal = [speaks_for_itself(t) for t in texts]
    shared = _line_features(lengths, _line_voices(seen.text, units, lines, personal))
    rows = []
    for i, unit in enumerate(units):
        k = lines[i]
        nxt = units[i + 1].join if i + 1 < len(units) else "end"
        long_words = {w for w in tokens[i] if len(w) > 4}
        themed = sum(vocabulary[w] >= 2 for w in long_words) / len(long_words) if long_words else -1.0
        row = [
            *own[i],
            *word_features(tokens[i]),
            *shared[k],
            f"join={unit.join}",
            f"joins={unit.join},{nxt}",
            f"theme={bucket(themed, (0, 0.01, 0.3, 0.5, 0.7, 0.9))},{bucket(len(long_words), (3, 8))}",
            f"line={bucket(lengths[k], (3, 8, 15, 30, 60))},{length_bucket(sizes[i])}",
            f"we={personal[i]}",
        ]
        if repeats[keys[i]] > 1:
            row.append(f"repeated,{bucket(sizes[i], (4, 10))}")
        for d, name in ((-1, "p"), (1, "n"), (-2, "pp"), (2, "nn")):
            if 0 <= i + d < len(units):
                size, look = shown[i + d]
                row.append(f"{name}:{size}")
                if abs(d) == 1:
                    row.extend(f"{name}:{f}" for f in look)
            else:
                row.append(f"{name}:none")
        rows.append(row)
    return rows


_NAME = re.compile(r"(?<=\s)[A-ZÀ-ÖØ-Þ][\w’'-]{2,}")
_MASS = (0.001, 0.02, 0.1, 0.3, 0.7, 0.9, 0.98, 0.999)
_CHANCE = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)
_SHARE = (0, 0.01, 0.15, 0.3, 0.5, 0.7)
_GAP = (2, 3, 5, 12)
MET = 0.8
"""Expected number of other units of body with a word, from which it is a word of the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    """What the first reading took for body: expected words of every unit and of all, words by expected number of units,
    whether a line is surely body, and the length of line that half of the body lies below."""

    weights: list[float]
    total: float
    vocabulary: dict[str, float]
    sure: list[bool]
    typical: int


def _body(seen: Look, chances: list[float]) -> _Body:
    weights = [min(60, len(t)) * c for t, c in zip(seen.tokens, chances, strict=True)]
    vocabulary: dict[str, float] = {}
    for found, chance in zip(seen.tokens, chances, strict=True):
        if chance > 0.05:
            for word in {w for w in found if len(w) > 4}:
                vocabulary[word] = vocabulary.get(word, 0.0) + chance
    of_line = [0.0] * len(seen.lengths)
    for k, weight in zip(seen.lines, weights, strict=True):
        of_line[k] += weight
    sure = [w >= 0.7 * min(n, 60) and n >= 8 for w, n in zip(of_line, seen.lengths, strict=True)]
    total = sum(weights) or 1.0
    typical, below = 1, 0.0
    for typical, weight in sorted(zip(seen.lengths, of_line, strict=True)):  # noqa: B007 - the length is the answer
        below += weight
        if below >= total / 2:
            break
    return _Body(weights=weights, total=total, vocabulary=vocabulary, sure=sure, typical=typical)


def _met(found: set[str], own: float, vocabulary: dict[str, float]) -> float:
    """Share of the words that other units of the body have too; -1 where there are none."""
    return sum(vocabulary.get(w, 0.0) - own >= MET for w in found) / len(found) if found else -1.0


def _gaps(sure: list[bool], k: int) -> str:
    """Lines to the nearest sure body before and after."""
    before = next((d for d in range(1, 12) if k - d >= 0 and sure[k - d]), 12)
    after = next((d for d in range(1, 12) if k + d < len(sure) and sure[k + d]), 12)
    return f"{bucket(before, _GAP)},{bucket(after, _GAP)}"


def second_features(seen: Look, chances: list[float]) -> list[list[str]]:
    """What the first reading says of each unit, one list a unit; `chances` of being body."""
    body = _body(seen, chances)
    gaps = [_gaps(body.sure, k) for k in range(len(seen.lengths))]
    size = bucket(body.total, (40, 100, 200, 400, 800))
    rows = []
    before = 0.0
    for i, chance in enumerate(chances):
        k = seen.lines[i]
        q = bucket(chance, _CHANCE)
        mass = bucket(before / body.total, _MASS)
        rest = bucket((body.total - before - body.weights[i]) / body.total, _MASS)
        before += body.weights[i]
        long_words = {w for w in seen.tokens[i] if len(w) > 4}
        names = {w.lower() for w in _NAME.findall(seen.texts[i])}
        theme = f"{bucket(_met(long_words, chance, body.vocabulary), _SHARE)},{bucket(len(long_words), (3, 8))}"
        named = bucket(_met(names, chance, body.vocabulary), (0, 0.01, 0.3, 0.6))
        near = [*chances[max(0, i - 4) : i], *chances[i + 1 : i + 5]]
        mean_near = sum(near) / len(near) if near else 0.5
        place = f"{min(rest, 2)},{min(mass, 2)}"
        rows.append(
            [
                f"2q={q}",
                f"2mass={mass}",
                f"2rest={rest}",
                f"2q,mass,rest={q},{mass},{rest}",
                f"2theme={theme}",
                f"2theme,rest={theme},{place}",
                f"2names={named},{min(3, len(names))}",
                f"2names,rest={named},{place}",
                f"2near={bucket(mean_near, _CHANCE)},{q}",
                f"2gaps={gaps[k]}",
                f"2gaps,q={gaps[k]},{q}",
                f"2size={size},{q}",
                f"2line={bucket(seen.lengths[k] / body.typical, (0.1, 0.25, 0.5, 0.8, 1.5))}",
                f"2line,size={bucket(body.typical, (5, 12, 25, 50))},{bucket(seen.lengths[k], (4, 10, 25))}",
            ]
        )
    return rows
