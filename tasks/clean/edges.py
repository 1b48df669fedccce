"""What stays of a page: the model's chances, put right where the page's own order and wording leave no doubt."""

from __future__ import annotations

import re
from collections import Counter

from tasks.clean.agree import similarity
from tasks.clean.block_model import homes
from tasks.clean.blocks import Block
from tasks.clean.facts import facts, says_any
from tasks.clean.features import IN_PROSE, kinds_of, speaks_for_itself
from tasks.clean.metadata import agency_of

KEEP = 0.5
"""Chance of being body from which a block stays, where the page as a whole gives no better one."""
POSSIBLE = 0.1
"""The same for a plain sentence that is set just as the body around it."""
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_STOP = re.compile(r"[.!?…。！？:;][\"”’»«“)\]']*$")
_TEASER = re.compile(
    rf"^\W{{0,3}}(?:{'|'.join(sorted(map(re.escape, facts()['teaser_starts']), key=len, reverse=True))})\s*[:|–—-]",
    re.I,
)
_ARROW = re.compile(r"^[→►▶»›>]\s?\S")
_MAIL = re.compile(r"\S@\w[\w.-]{0,60}\.\w{2,}")
_FOLLOW = re.compile(
    rf"^(?:{'|'.join(map(re.escape, facts()['follow_starts']))})\b.{{0,120}}\b(?:{'|'.join(facts()['platforms'])})\b",
    re.I,
)
_NAME_LINE = re.compile(r"[A-ZÀ-ÖØ-Þ][\w.’'-]{1,20}(?: [A-ZÀ-ÖØ-Þ][\w.’'-]{0,20}){1,3}(?<![.])$")
_SENTENCE = re.compile(r"[.!?](?=\s|$)")
MAX_LINE_WORDS = 30
MAX_CAPTION_WORDS = 20


def _is_furniture(block: Block, words: int) -> bool:
    """Lines that say of themselves that they are none of the story: teasers, contacts, calls to follow, walls."""
    text = block.text
    if words > MAX_LINE_WORDS:
        return False
    linked = block.link_chars > len(text) * 0.3
    if (linked and (_TEASER.search(text) or _ARROW.match(text))) or (_ARROW.match(text) and words < 15):
        return True
    if _FOLLOW.match(text):
        return True
    if block.pictured == 2 and words <= MAX_CAPTION_WORDS and len(_SENTENCE.findall(text)) <= 1:
        return True
    return words <= 15 and says_any(text, "paywall")


def _is_signature(block: Block, words: int) -> bool:
    """A line after the last paragraph: an agency's name, how to reach the author, a heading of what follows."""
    text = block.text
    if block.tag in HEADINGS and not _STOP.search(text):
        return True
    if words <= 8 and not _STOP.search(text) and block.tag not in ("li", "td", "pre"):
        return True
    return (words <= MAX_LINE_WORDS and bool(_MAIL.search(text))) or agency_of(text.strip("()[] .–—-")) is not None


def _continues(block: Block) -> bool:
    """A whole sentence of plain prose, as a short last paragraph is."""
    text = block.text
    return (
        not block.link_chars
        and not block.hidden
        and block.pictured < 2
        and _STOP.search(text) is not None
        and len(text.split()) >= 3
        and not _MAIL.search(text)
        and not set(kinds_of(text)) - IN_PROSE
        and not speaks_for_itself(text)
    )


def _family(blocks: list[Block], kept: list[int]) -> object:
    """How most of the kept text is set: element and names above it."""
    mass: Counter[object] = Counter()
    for i in kept:
        mass[(blocks[i].tag, blocks[i].names)] += len(blocks[i].text)
    return mass.most_common(1)[0][0] if mass else None


def _is_standfirst(block: Block, family: object, description: str | None) -> bool:
    """A first block that is set as no paragraph of this body is: a heading, or the page's stated summary."""
    if (block.tag, block.names) == family or _STOP.search(block.text):
        return False
    if block.tag in HEADINGS:
        return True
    return bool(description) and similarity(block.text, description or "") > 0.8


def expected_f(blocks: list[Block], chances: list[dict[str, float]], recall_weight: float = 1.0) -> float:
    """The best F of the body's characters that can be expected, if the chances are right: how sure a page is.

    `recall_weight` is the square of F's beta. The choice that reaches it keeps what has a chance of at least
    F / (1 + recall_weight) (Lipton, Elkan, Naryanaswamy: Optimal thresholding of classifiers to maximize F1, 2014).
    """
    ranked = sorted(((c["B"], len(b.text)) for b, c in zip(blocks, chances, strict=True)), reverse=True)
    total = sum(chance * size for chance, size in ranked)
    hit = taken = best = 0.0
    for chance, size in ranked:
        hit += chance * size
        taken += size
        best = max(best, (1 + recall_weight) * hit / (taken + recall_weight * total))
    return best


def decide(
    blocks: list[Block],
    chances: list[dict[str, float]],
    title: str | None,
    description: str | None,
    keep: float = KEEP,
) -> list[str]:
    """B, F, S or T for every block of a page. `keep`: chance of being body from which a block stays."""
    labels = [
        "B"
        if c["B"] >= keep and (c["B"] >= KEEP or not set(kinds_of(b.text)) - IN_PROSE)
        else "S"
        if c["S"] >= 0.5
        else "T"
        if c["T"] >= 0.5
        else "F"
        for b, c in zip(blocks, chances, strict=True)
    ]
    home = homes(blocks)
    sizes = {i: len(blocks[i].text.split()) for i, y in enumerate(labels) if y == "B"}
    for i, size in sizes.items():
        if _is_furniture(blocks[i], size):
            labels[i] = "F"
    kept = [i for i in sizes if labels[i] == "B"]
    family = _family(blocks, kept)
    while len(kept) > 1:
        first = blocks[kept[0]]
        if title and similarity(first.text, title) > 0.8:
            labels[kept.pop(0)] = "T"
        elif _is_standfirst(first, family, description):
            labels[kept.pop(0)] = "S"
        elif _NAME_LINE.match(first.text):
            labels[kept.pop(0)] = "F"
        else:
            break
    for i in range(kept[0] + 1, min(len(blocks), kept[-1] + 7)) if len(kept) > 2 else ():
        alike = (blocks[i].tag, blocks[i].names) == family and home[i] == home[kept[-1]]
        if labels[i] == "F" and alike and chances[i]["B"] >= POSSIBLE and _continues(blocks[i]):
            labels[i] = "B"
    kept = [i for i, y in enumerate(labels) if y == "B"]
    while len(kept) > 1 and _is_signature(blocks[kept[-1]], len(blocks[kept[-1]].text.split())):
        labels[kept.pop()] = "F"
    return labels
