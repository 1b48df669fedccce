"""Features of the blocks of a page, in the context of the whole page."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tasks.clean.agree import words
from tasks.clean.block_text import MAX_CHARS, block_text_features
from tasks.clean.blocks import Block
from tasks.clean.features import bucket

PROSE = 15
"""Words from which a block counts as prose."""


def _mass(blocks: list[Block], sizes: list[int]) -> dict[int, int]:
    """Words of prose below every element: the article's container has most of them."""
    mass: Counter[int] = Counter()
    for block, size in zip(blocks, sizes, strict=True):
        if size >= PROSE and block.link_chars < len(block.text) * 0.4 and not block.hidden:
            for number in block.container:
                mass[number] += size
    return mass


@functools.lru_cache(maxsize=8192)
def _markup(tag: str, telling: frozenset[str], names: frozenset[str], marks: frozenset[str]) -> list[str]:
    return [
        f"tag={tag}",
        *[f"in:{t}" for t in sorted(telling)],
        *[f"c:{n}" for n in sorted(names)[:40]],
        *[f"m:{n}" for n in sorted(marks)],
    ]


def homes(blocks: list[Block]) -> list[int]:
    """For every block the nearest element above it that holds another block too: many sites wrap each paragraph."""
    held: Counter[int] = Counter()
    for block in blocks:
        held.update(block.container[1:])
    return [next((n for n in b.container[1:] if held[n] > 1), b.parent) for b in blocks]


def families(blocks: list[Block], sizes: list[int], prose: list[bool]) -> list[list[str]]:
    """For every block how much of the page's prose is set just as it is: same element, same names above."""
    keys = [(b.tag, b.names, b.telling) for b in blocks]
    count: Counter[Any] = Counter()
    mass: Counter[Any] = Counter()
    for key, size, is_prose in zip(keys, sizes, prose, strict=True):
        if is_prose:
            count[key] += 1
            mass[key] += size
    total = max(1, sum(mass.values()))
    rows = []
    for key, size, is_prose in zip(keys, sizes, prose, strict=True):
        others = count[key] - is_prose
        share = (mass[key] - size * is_prose) / total
        level = bucket(share, (0.001, 0.05, 0.2, 0.4, 0.6))
        rows.append([f"family={level}", f"family,n={min(others, 4)},{bucket(size, (4, 12))}"])
    return rows


def _container(block: Block, home: int, mass: dict[int, int], total: int, best_parent: int) -> list[str]:
    parent_share = mass.get(home, 0) / total
    above = block.container.index(home) + 1 if home in block.container else len(block.container)
    grand = mass.get(block.container[above], 0) / total if len(block.container) > above else 1.0
    steps = next((k for k, number in enumerate(block.container) if mass.get(number, 0) >= 0.5 * total), 12)
    return [
        f"share={bucket(parent_share, (0.001, 0.05, 0.2, 0.4, 0.6, 0.8))}",
        f"grand={bucket(grand, (0.001, 0.05, 0.2, 0.4, 0.6, 0.8))}",
        f"steps={steps}",
        f"steps,tag={min(steps, 4)},{block.tag}",
        f"best={home == best_parent},{block.tag}",
    ]


@dataclass(slots=True)
class _Seen:
    """What is counted of a block once and asked for by its neighbours too."""

    tokens: list[str]  # words of its first MAX_CHARS code points
    size: int
    prose: bool
    own: list[str]
    telling: list[str]
    brief: str


def _look(block: Block) -> _Seen:
    text = block.text
    tokens = words(text if len(text) <= MAX_CHARS else text[:MAX_CHARS])
    size = len(tokens) if len(text) <= MAX_CHARS else len(text.split())
    linked = block.link_chars / len(text)
    own, telling = block_text_features(text, tokens)
    own.append(f"link={bucket(linked, (0.01, 0.2, 0.5, 0.8, 0.99))}")
    brief = f"{block.tag},{bucket(size, (4, 10, 25))},{linked > 0.5}"
    return _Seen(tokens, size, size >= PROSE and linked < 0.4, own, telling, brief)


def block_features(blocks: list[Block], title: str | None, description: str | None = None) -> list[list[str]]:
    """One list of features a block. `description`: the summary that the page states."""
    seen = [_look(b) for b in blocks]
    sizes, prose = [s.size for s in seen], [s.prose for s in seen]
    mass = _mass(blocks, sizes)
    total = max(1, max(mass.values(), default=1))
    parents: Counter[int] = Counter()
    home = homes(blocks)
    for b, s, h in zip(blocks, sizes, home, strict=True):
        if s >= PROSE and not b.hidden:
            parents[h] += s
    best_parent = max(parents, key=lambda p: (parents[p], -p)) if parents else -1
    head, summary = set(words(title or "")), set(words(description or ""))
    repeats = Counter(b.text for b in blocks)
    family = families(blocks, sizes, prose)
    near = [_overlap(set(s.tokens[:60]), head) if head else 0.0 for s in seen]
    title_at = next((i for i, b in enumerate(blocks) if b.tag == "h1" and near[i] > 0.6), -1)
    before, after = _nearest(prose), _nearest(prose[::-1])[::-1]
    rows: list[list[str]] = []
    for i, block in enumerate(blocks):
        look = seen[i]
        row = [*look.own, *_markup(block.tag, block.telling, block.names, block.marks)]
        if block.hidden:
            row.append("hidden")
        if block.pictured:
            row += [f"pictured={block.pictured}", f"pictured,{block.tag}"]
        row += _container(block, home[i], mass, total, best_parent)
        row += [f"prose={before[i]},{after[i]}", f"at={int(10 * i / len(blocks))}", *family[i]]
        if title_at >= 0:
            row.append(f"title_at={bucket(i - title_at, (-3, 0, 1, 2, 4, 8, 16, 40, 100))}")
        if block.gap:
            row.append(f"gap={bucket(block.gap, (2, 10))}")
        if summary and 4 < look.size < 100:
            row.append(f"desc={bucket(_overlap(set(look.tokens), summary), (0.05, 0.3, 0.6, 0.9))}")
        if head:
            row.append(f"title={bucket(near[i], (0.05, 0.3, 0.6, 0.9))}")
        if repeats[block.text] > 1:
            row.append(f"repeated,{bucket(look.size, (4, 12))}")
        row += _neighbours(i, seen, home)
        rows.append(row)
    return rows


def _overlap(left: set[str], right: set[str]) -> float:
    both = len(left & right)
    return both / (len(left) + len(right) - both) if both else 0.0


def _nearest(prose: list[bool]) -> list[int]:
    """For every block how many blocks ago the last prose stood, 9 at most."""
    out, ago = [], 9
    for is_prose in prose:
        out.append(ago)
        ago = 1 if is_prose else min(9, ago + 1)
    return out


_SIDES = ((-1, "p"), (1, "n"), (-2, "pp"), (2, "nn"))


def _neighbours(i: int, seen: list[_Seen], home: list[int]) -> list[str]:
    row = []
    for d, name in _SIDES:
        j = i + d
        if not 0 <= j < len(seen):
            row.append(f"{name}:none")
            continue
        row.append(f"{name}:{seen[j].brief}")
        row.append(f"{name}:same={home[j] == home[i]}")
        if abs(d) == 1:
            row += [f"{name}:{f}" for f in seen[j].telling]
    return row
