"""Features of the units of a text, in the context of the whole text."""

from __future__ import annotations

from collections import Counter

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


def _line_stats(text: str, units: list[Unit]) -> tuple[list[int], list[int]]:
    """Words of every line, and the index of every line among the lines that have text."""
    counts: dict[int, int] = {}
    for u in units:
        counts[u.line] = counts.get(u.line, 0) + len(text[u.start : u.end].split())
    order = {line: k for k, line in enumerate(counts)}
    return list(counts.values()), [order[u.line] for u in units]


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


def _line_voices(text: str, units: list[Unit], lines: list[int]) -> list[str]:
    """For every line what the outlet says of itself there: first person and the appeal's words."""
    spans: dict[int, tuple[int, int]] = {}
    for u, k in zip(units, lines, strict=True):
        spans[k] = (spans[k][0] if k in spans else u.start, u.end)
    voices = []
    for start, end in spans.values():
        line = text[start : min(end, start + 1500)]
        asks = sum(kind in ("appeal", "subscription", "newsletter", "consent") for kind in kinds_of(line))
        voices.append(f"{min(2, speaks_for_itself(line))},{min(2, asks)}")
    return voices


def _vocabulary(units: list[list[str]]) -> Counter[str]:
    """In how many long units each long word occurs: what the text is about."""
    counts: Counter[str] = Counter()
    for tokens in units:
        long_words = {w for w in tokens if len(w) > 4}
        if len(long_words) >= 5:
            counts.update(long_words)
    return counts


def unit_features(text: str, units: list[Unit]) -> list[list[str]]:
    """One list of features a unit."""
    texts = [text[u.start : u.end] for u in units]
    lengths, lines = _line_stats(text, units)
    tokens = [words(t[:MAX_CHARS]) for t in texts]
    vocabulary = _vocabulary(tokens)
    repeats = Counter(" ".join(w) for w in tokens)
    own = [text_features(t, w) for t, w in zip(texts, tokens, strict=True)]
    ended = [t[-1:] in '.!?…"”’»)' for t in texts]
    voices = _line_voices(text, units, lines)
    rows = []
    for i, unit in enumerate(units):
        k = lines[i]
        nxt = units[i + 1].join if i + 1 < len(units) else "end"
        long_words = {w for w in tokens[i] if len(w) > 4}
        themed = sum(vocabulary[w] >= 2 for w in long_words) / len(long_words) if long_words else -1.0
        row = [*own[i], *word_features(tokens[i]), *_position(k, len(lengths)), *_surrounding(lengths, k)]
        row += [
            f"join={unit.join}",
            f"joins={unit.join},{nxt}",
            f"theme={bucket(themed, (0, 0.01, 0.3, 0.5, 0.7, 0.9))},{bucket(len(long_words), (3, 8))}",
        ]
        row.append(f"line={bucket(lengths[k], (3, 8, 15, 30, 60))},{length_bucket(len(texts[i].split()))}")
        row.append(f"voice={voices[k]}")
        row.append(f"we={speaks_for_itself(texts[i])}")
        around = [voices[j] for j in range(max(0, k - 2), min(len(voices), k + 3)) if j != k]
        asking = sum(v[0] != "0" and v[2] != "0" for v in around)
        row.append(f"asking={min(3, asking)},{voices[k]}")
        if repeats[" ".join(tokens[i])] > 1:
            row.append(f"repeated,{bucket(len(texts[i].split()), (4, 10))}")
        for d, name in ((-1, "p"), (1, "n"), (-2, "pp"), (2, "nn")):
            j = i + d
            if 0 <= j < len(units):
                row.append(f"{name}:len={bucket(len(texts[j].split()), (3, 6, 12, 25))},{ended[j]}")
                if abs(d) == 1:
                    row.extend(f"{name}:{f}" for f in own[j] if f.startswith(("k:", "stop=", "by,", "date")))
            else:
                row.append(f"{name}:none")
        rows.append(row)
    return rows
