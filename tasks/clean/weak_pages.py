"""Pages of which only a few strings are known, that the text must hold or must not: labels for all of their blocks.

A page's strings settle the blocks they stand in. The others get the labels that a model gives them which was trained
without the page's strings; it is then trained again with what the strings have put right, and so once more.
"""

from __future__ import annotations

from typing import Any

from tasks.clean import metadata
from tasks.clean.blocks import Block
from tasks.clean.edges import decide
from tasks.clean.identity import outlet_of
from tasks.clean.sequence import marginals
from tasks.clean.training import Example, LabelledPage, page_example

KEEP = 0.4
"""Chance of being body from which a block is labelled so."""
MIN_WHOLE = 20
"""Code points from which a block that lies within a known string is settled by it: "Share" stands in too many."""


def flat(text: str) -> str:
    return " ".join(text.split())


def known_labels(blocks: list[Block], gold: dict[str, Any]) -> dict[int, str]:
    """Number of a block -> B or F, where one of the page's strings settles it."""
    found = {}
    for label, key in (("F", "must_not_hold"), ("B", "must_hold")):  # the second wins
        strings = [flat(s) for s in gold[key]]
        for i, block in enumerate(blocks):
            text = block.text
            if any(s in text or (len(text) > MIN_WHOLE and text in s) for s in strings):
                found[i] = label
    return found


def unlabelled(pages: list[LabelledPage]) -> list[Example]:
    """The pages as examples with no labels yet."""
    return [page_example(p, p.near, [], p.id, outlet_of(p.url) or p.id) for p in pages if p.near]


def labelled_by(tagger: Any, examples: list[Example]) -> list[Example]:
    """The same examples, labelled by a model and put right by their known strings."""
    found = []
    for e in examples:
        page: LabelledPage = e.source
        description = metadata.find_description(page.facts)
        labels = decide(page.near, marginals(tagger, e.rows), page.title, description, KEEP)
        for i, y in known_labels(page.near, page.gold).items():
            if not (page.near[i].tag == "h1" and labels[i] == "T"):
                labels[i] = y
        found.append(Example(id=e.id, group=e.group, texts=e.texts, rows=e.rows, labels=labels, source=e.source))
    return found


def score_strings(texts: dict[str, str], pages: list[LabelledPage]) -> str:
    """Shares of the strings that are held and that are kept out, over all pages."""
    held = wanted = out = unwanted = 0
    for page in pages:
        text = flat(texts.get(page.id, ""))
        held += sum(flat(s) in text for s in page.gold["must_hold"])
        wanted += len(page.gold["must_hold"])
        out += sum(flat(s) not in text for s in page.gold["must_not_hold"])
        unwanted += len(page.gold["must_not_hold"])
    return f"held {held / max(1, wanted):.4f}  kept out {out / max(1, unwanted):.4f}"
