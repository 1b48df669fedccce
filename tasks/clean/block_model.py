"""Features of the blocks of a page, in the context of the whole page."""

from __future__ import annotations

from collections import Counter

from tasks.clean.agree import words
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


def _markup(block: Block) -> list[str]:
    row = [f"tag={block.tag}", f"link={bucket(block.link_chars / len(block.text), (0.01, 0.2, 0.5, 0.8, 0.99))}"]
    row += [f"in:{t}" for t in block.telling]
    row += [f"c:{n}" for n in sorted(block.names)[:40]]
    row += [f"m:{n}" for n in block.marks]
    if block.hidden:
        row.append("hidden")
    return row


def _container(block: Block, mass: dict[int, int], total: int, best_parent: int) -> list[str]:
    parent_share = mass.get(block.parent, 0) / total
    grand = mass.get(block.container[2], 0) / total if len(block.container) > 2 else 1.0
    steps = next((k for k, number in enumerate(block.container) if mass.get(number, 0) >= 0.5 * total), 12)
    return [
        f"share={bucket(parent_share, (0.001, 0.05, 0.2, 0.4, 0.6, 0.8))}",
        f"grand={bucket(grand, (0.001, 0.05, 0.2, 0.4, 0.6, 0.8))}",
        f"steps={steps}",
        f"steps,tag={min(steps, 4)},{block.tag}",
        f"best={block.parent == best_parent},{block.tag}",
    ]


def block_features(blocks: list[Block], title: str | None, reference: set[str]) -> list[list[str]]:
    """One list of features a block.

    `reference`: what another finder holds for the body, by reference_of(); empty where there is none.
    """
    tokens = [words(b.text) for b in blocks]
    sizes = [len(w) for w in tokens]
    mass = _mass(blocks, sizes)
    total = max(1, max(mass.values(), default=1))
    parents: Counter[int] = Counter()
    for b, s in zip(blocks, sizes, strict=True):
        if s >= PROSE and not b.hidden:
            parents[b.parent] += s
    best_parent = max(parents, key=lambda p: (parents[p], -p)) if parents else -1
    head = set(words(title or ""))
    prose = [s >= PROSE and b.link_chars < len(b.text) * 0.4 for b, s in zip(blocks, sizes, strict=True)]
    heads = [w if len(b.text) <= MAX_CHARS else words(b.text[:MAX_CHARS]) for b, w in zip(blocks, tokens, strict=True)]
    own = [text_features(b.text, w) for b, w in zip(blocks, heads, strict=True)]
    repeats = Counter(b.text for b in blocks)
    title_at = next((i for i, b in enumerate(blocks) if b.tag == "h1" and head and _near(b.text, head) > 0.6), -1)
    rows: list[list[str]] = []
    for i, block in enumerate(blocks):
        row = [*own[i], *word_features(heads[i]), *_markup(block), *_container(block, mass, total, best_parent)]
        row += _place(i, len(blocks), title_at, prose)
        if head:
            row.append(f"title={bucket(_near(block.text, head), (0.05, 0.3, 0.6, 0.9))}")
        if repeats[block.text] > 1:
            row.append(f"repeated,{bucket(sizes[i], (4, 12))}")
        if reference:
            row.append(f"ref={in_reference(tokens[i], reference)},{bucket(sizes[i], (4, 12))}")
        row += _neighbours(i, blocks, sizes, own)
        rows.append(row)
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


def _neighbours(i: int, blocks: list[Block], sizes: list[int], own: list[list[str]]) -> list[str]:
    row = []
    for d, name in ((-1, "p"), (1, "n"), (-2, "pp"), (2, "nn")):
        j = i + d
        if not 0 <= j < len(blocks):
            row.append(f"{name}:none")
            continue
        other = blocks[j]
        row.append(f"{name}:{other.tag},{bucket(sizes[j], (4, 10, 25))},{other.link_chars > len(other.text) / 2}")
        row.append(f"{name}:same={other.parent == blocks[i].parent}")
        if abs(d) == 1:
            row += [f"{name}:{f}" for f in own[j] if f.startswith(("k:", "stop="))]
    return row
