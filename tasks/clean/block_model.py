"""Features of the blocks of a page, in the context of the whole page."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

from tasks.clean.agree import similarity, words
from tasks.clean.blocks import Block
from tasks.clean.features import MAX_CHARS, bucket, text_features, word_features

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


@functools.lru_cache(maxsize=4096)
def _name_features(names: frozenset[str]) -> list[str]:
    return [f"c:{n}" for n in sorted(names)[:40]]


def _markup(block: Block) -> list[str]:
    row = [f"tag={block.tag}", f"link={bucket(block.link_chars / len(block.text), (0.01, 0.2, 0.5, 0.8, 0.99))}"]
    row += [f"in:{t}" for t in block.telling]
    row += _name_features(block.names)
    row += [f"m:{n}" for n in block.marks]
    if block.hidden:
        row.append("hidden")
    if block.pictured:
        row += [f"pictured={block.pictured}", f"pictured,{block.tag}"]
    return row


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


def block_features(
    blocks: list[Block], title: str | None, reference: set[str], description: str | None = None
) -> list[list[str]]:
    """One list of features a block.

    `reference`: what another finder holds for the body, by reference_of(); empty where there is none. `description`:
    the summary that the page states.
    """
    tokens = [words(b.text) for b in blocks]
    sizes = [len(w) for w in tokens]
    mass = _mass(blocks, sizes)
    total = max(1, max(mass.values(), default=1))
    parents: Counter[int] = Counter()
    home = homes(blocks)
    for b, s, h in zip(blocks, sizes, home, strict=True):
        if s >= PROSE and not b.hidden:
            parents[h] += s
    best_parent = max(parents, key=lambda p: (parents[p], -p)) if parents else -1
    head = set(words(title or ""))
    prose = [s >= PROSE and b.link_chars < len(b.text) * 0.4 for b, s in zip(blocks, sizes, strict=True)]
    heads = [w if len(b.text) <= MAX_CHARS else words(b.text[:MAX_CHARS]) for b, w in zip(blocks, tokens, strict=True)]
    own = [text_features(b.text, w) for b, w in zip(blocks, heads, strict=True)]
    telling = [[f for f in row if f.startswith(("k:", "stop="))] for row in own]
    repeats = Counter(b.text for b in blocks)
    family = families(blocks, sizes, prose)
    title_at = next((i for i, b in enumerate(blocks) if b.tag == "h1" and head and _near(b.text, head) > 0.6), -1)
    rows: list[list[str]] = []
    for i, block in enumerate(blocks):
        row = [
            *own[i],
            *word_features(heads[i]),
            *_markup(block),
            *_container(block, home[i], mass, total, best_parent),
        ]
        row += _place(i, len(blocks), title_at, prose)
        row += family[i]
        if description and 4 < sizes[i] < 100:
            row.append(f"desc={bucket(similarity(block.text, description), (0.05, 0.3, 0.6, 0.9))}")
        if head:
            row.append(f"title={bucket(_near(block.text, head), (0.05, 0.3, 0.6, 0.9))}")
        if repeats[block.text] > 1:
            row.append(f"repeated,{bucket(sizes[i], (4, 12))}")
        row += _neighbours(i, blocks, sizes, telling, home)
        rows.append(row)
    return add_reference(rows, blocks, reference) if reference else rows


def add_reference(rows: list[list[str]], blocks: list[Block], reference: set[str]) -> list[list[str]]:
    """The same rows with what another finder keeps of every block."""
    for row, block in zip(rows, blocks, strict=True):
        tokens = words(block.text)
        row.append(f"ref={in_reference(tokens, reference)},{bucket(len(tokens), (4, 12))}")
    return rows


def reference_of(text: str) -> set[str]:
    """What block_features compares with: the runs of four words of a body found otherwise, and its short lines."""
    found = words(text)
    short = (words(line) for line in text.split("\n"))
    return {" ".join(found[k : k + 4]) for k in range(len(found) - 3)} | {" ".join(w) for w in short if 0 < len(w) < 4}


def _near(text: str, head: set[str]) -> float:
    own = set(words(text[:400]))
    return len(own & head) / len(own | head) if own else 0.0


def in_reference(tokens: list[str], reference: set[str]) -> int:
    """How much of a block the other finder keeps: 0 or 1 for a short one, else 2 (nothing) to 5 (the whole)."""
    if len(tokens) < 4:
        return int(" ".join(tokens) in reference)
    grams = [" ".join(tokens[k : k + 4]) for k in range(len(tokens) - 3)]
    return bucket(sum(g in reference for g in grams) / len(grams), (0.01, 0.5, 0.85)) + 2


def _place(i: int, total: int, title_at: int, prose: list[bool]) -> list[str]:
    before = next((d for d in range(1, 9) if i - d >= 0 and prose[i - d]), 9)
    after = next((d for d in range(1, 9) if i + d < total and prose[i + d]), 9)
    row = [f"prose={before},{after}", f"at={int(10 * i / total)}"]
    if title_at >= 0:
        row.append(f"title_at={bucket(i - title_at, (-3, 0, 1, 2, 4, 8, 16, 40, 100))}")
    return row


def _neighbours(i: int, blocks: list[Block], sizes: list[int], telling: list[list[str]], home: list[int]) -> list[str]:
    row = []
    for d, name in ((-1, "p"), (1, "n"), (-2, "pp"), (2, "nn")):
        j = i + d
        if not 0 <= j < len(blocks):
            row.append(f"{name}:none")
            continue
        other = blocks[j]
        row.append(f"{name}:{other.tag},{bucket(sizes[j], (4, 10, 25))},{other.link_chars > len(other.text) / 2}")
        row.append(f"{name}:same={home[j] == home[i]}")
        if abs(d) == 1:
            row += [f"{name}:{f}" for f in telling[j]]
    return row
