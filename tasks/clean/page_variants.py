"""Training pages made from training pages: other class names, less around the body, furniture between its paragraphs.

144 pages are few, and a model of their blocks learns their class names by heart. What it must learn is the rest.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import random
from pathlib import Path
from typing import Any

from tasks.clean.blocks import Block


@functools.cache
def _samples() -> dict[str, Any]:
    text = Path(__file__).with_name("page_samples.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _words(rng: random.Random, kind: str) -> str:
    samples = _samples()
    text: str = rng.choice(samples[kind])
    for key in ("name", "place", "head"):
        while f"{{{key}}}" in text:
            text = text.replace(f"{{{key}}}", rng.choice(samples[f"{key}s"]), 1)
    return text


def _renamed(blocks: list[Block], rng: random.Random) -> list[Block]:
    """The page with all class names gone, or some of them, the same everywhere; often without microdata too."""
    lost = 1.0 if rng.random() < 0.5 else 0.6
    names = sorted({n for b in blocks for n in b.names})
    kept = frozenset(n for n in names if rng.random() >= lost)
    bare = rng.random() < 0.5
    return [dataclasses.replace(b, names=b.names & kept, marks=frozenset() if bare else b.marks) for b in blocks]


def _trimmed(blocks: list[Block], body: list[int], rng: random.Random) -> list[int]:
    """Numbers of the blocks of a page with less around its body: a head, a few lines of menu, a few of foot."""
    first = max(0, body[0] - 2 - int(rng.expovariate(1 / 8)))
    last = min(len(blocks), body[-1] + 2 + int(rng.expovariate(1 / 10)))
    return [i for i in range(len(blocks)) if first <= i < last or blocks[i].tag == "h1"]


def _like(block: Block, text: str, link_chars: int, pictured: int = 0) -> Block:
    return dataclasses.replace(block, text=text, link_chars=link_chars, pictured=pictured)


def _insertion(block: Block, rng: random.Random, at_end: bool) -> Block:
    """A piece of furniture set as the paragraph `block` is."""
    kind = "tail" if at_end else rng.choice(("teaser_linked", "teaser_linked", "plain", "caption"))
    text = _words(rng, kind)
    if kind == "teaser_linked":
        return _like(block, text, len(text) - (text.find(":") + 1 if rng.random() < 0.5 else 0))
    return _like(block, text, 0, pictured=rng.choice((1, 2)) if kind == "caption" else 0)


def page_variant(blocks: list[Block], labels: list[str], rng: random.Random) -> tuple[list[Block], list[str]]:
    """Blocks and labels of one variant of a page."""
    body = [i for i, y in enumerate(labels) if y == "B"]
    if not body:
        return blocks, labels
    if rng.random() < 0.7:
        blocks = _renamed(blocks, rng)
    chosen = _trimmed(blocks, body, rng) if rng.random() < 0.6 else list(range(len(blocks)))
    if len(body) > 4 and rng.random() < 0.5:
        # another paragraph is the last, or the first: what ends a story must not be known by its words
        gone = set(rng.sample(body, k=len(body) // 3))
        chosen, body = [i for i in chosen if i not in gone], [i for i in body if i not in gone]
    middle = set(rng.sample(body[1:], k=min(len(body) - 1, rng.choice((0, 1, 1, 2, 3)))))
    out: list[Block] = []
    marked: list[str] = []
    for i in chosen:
        if i in middle or (i == body[0] and rng.random() < 0.15):
            out.append(_insertion(blocks[i], rng, at_end=False))
            marked.append("F")
        out.append(blocks[i])
        marked.append(labels[i])
        if i == body[-1] and rng.random() < 0.5:
            out.append(_insertion(blocks[i], rng, at_end=True))
            marked.append("F")
    return out, marked
