"""The body of a page: its blocks judged by our model, with another finder's reading as a way out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tasks.clean.agree import shingles, similarity
from tasks.clean.block_model import block_features
from tasks.clean.blocks import Block, Run, blocks_of, near_prose
from tasks.clean.edges import decide, expected_f
from tasks.clean.features import kinds_of
from tasks.clean.finders import by_newspaper, by_trafilatura, is_bearable
from tasks.clean.glue import cut_glued
from tasks.clean.listing import Layout, layout_of
from tasks.clean.sequence import label_chances
from tasks.clean.units import split_units
from tasks.settings import CleanSettings
from tasks.tables import Removed

MAX_REMOVED = 80
SURE = 0.9
"""Expected F1 below which trafilatura is asked too. By cross-validation asking for more, up to 35 of 144 news pages,
gives nothing."""
SURE_UNSTATED = 0.95
"""The same on a page that does not state it is an article: 113 of the 990 `more` pages. Asked on all 344 such pages it
holds 0.1 % more of what must stay and lets 0.5 % more of what must not."""
RECALL_WEIGHT = 4.0
"""On a page that does not say it is an article the model has seen little like it, and recall counts for more."""
MIN_SECONDED = 30
"""Code points from which a block within a line of the other finder counts as found by it."""
# the stop comes first: a search for letters would begin at every letter
_GLUED = re.compile(r"[.!?](?<=[^\W\d_]{2}[.!?])[\"”’)]*(?:[A-ZÀ-ÖØ-Þ]|[“„]\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What was found of a page's text. `standfirst`: only if it stands on the page above the body."""

    paragraphs: list[str]
    removed: list[Removed]
    standfirst: str | None
    extractor: str
    confidence: float
    layout: Layout | None = None  # None where the page itself says it is an article, or a text was taken unseen


def tidy(text: str) -> str:
    """NFC, one line, single spaces, and a space where two sentences ran together."""
    flat = " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())
    if not _GLUED.search(flat):
        return flat
    pieces = [(u.join, flat[u.start : u.end]) for u in split_units(flat, split_camel=False)]
    return "".join(("" if k == 0 else " ") + piece for k, (_, piece) in enumerate(pieces))


def _lines(text: str) -> list[str]:
    return [p for p in (tidy(line) for line in text.split("\n")) if p]


def agreement(a: str, b: str) -> float:
    """F1 of the two texts' runs of four words."""
    left, right = shingles(a), shingles(b)
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _why(block: Block) -> str:
    """The kind of furniture: by its markup where that is telling, else by its words."""
    if "figcaption" in block.telling or block.pictured == 2:
        return "caption"
    kinds = kinds_of(block.text)
    if kinds:
        return kinds[0]
    if block.telling & {"nav", "header", "footer"}:
        return "navigation"
    if block.link_chars > len(block.text) * 0.6 or "aside" in block.telling:
        return "teaser"
    return "other"


def _collect(blocks: list[Block], labels: list[str], title: str | None) -> tuple[list[str], list[Removed], str | None]:
    """Kept paragraphs, what was cut around and between them, and the standfirst."""
    kept = [i for i, y in enumerate(labels) if y == "B"]
    if not kept:
        return [], [], None
    cuts = dict(zip(kept, cut_glued([" ".join(blocks[i].text.split()) for i in kept]), strict=True))
    paragraphs: list[str] = []
    removed: list[Removed] = []
    standfirst: list[str] = []
    length = 0
    keep = set(kept)
    for i in range(max(0, kept[0] - 12), min(len(blocks), kept[-1] + 20)):
        block = blocks[i]
        if i in keep:
            removed += [Removed(text=t[:500], why=why, after=length) for t, why in cuts[i].cuts]
            text = tidy(cuts[i].kept)
            length += len(text) + bool(paragraphs)
            paragraphs.append(text)
        elif labels[i] == "S" and not paragraphs:
            standfirst.append(tidy(block.text))
        elif (
            not block.hidden
            and len(removed) < MAX_REMOVED
            and labels[i] != "T"
            and not (title and similarity(block.text, title) > 0.8)
        ):
            removed.append(Removed(text=block.text[:500], why=_why(block), after=length))
    return paragraphs, removed, " ".join(standfirst) or None


def _second_opinion(text: str, html: str, url: str | None, language: str | None) -> tuple[str, str]:
    """The longer of what the first finder found and what newspaper3k finds; used where the first found too little."""
    other = by_newspaper(html, url, language)
    return (other, "newspaper3k") if len(other) > len(text) else (text, "trafilatura")


def find_body(
    runs: list[Run],
    html: str,
    url: str | None,
    title: str | None,
    description: str | None,
    language: str | None,
    rules: CleanSettings,
    *,
    stated: bool = False,
) -> Body:
    """Body paragraphs of a page, from its runs of text. `stated`: the page says that it is an article.

    With the backend newspaper3k its body is taken as it is. Else the model of blocks judges the page. Where that is
    unsure, trafilatura reads it too: what it keeps stays as well, and it is believed alone where the model keeps hardly
    anything of what it found.
    """
    small = is_bearable(html)
    if rules.backend == "newspaper3k" and small:
        text = by_newspaper(html, url, language)
        if len(text) >= rules.min_chars:
            return Body(paragraphs=_lines(text), removed=[], standfirst=None, extractor="newspaper3k", confidence=0.6)
    blocks = blocks_of(runs, near_prose(runs))
    chances = label_chances("blocks", block_features(blocks, title, description))
    chances = [{**c, "B": 0.0} if _is_cut_link(b) else c for b, c in zip(blocks, chances, strict=True)]
    sure = expected_f(blocks, chances)
    weight = 1.0 if stated else RECALL_WEIGHT
    keep = expected_f(blocks, chances, weight) / (1 + weight)
    asked = small and sure < (SURE if stated else SURE_UNSTATED)
    found, name = by_trafilatura(html, url) if asked else "", "trafilatura"
    if found:
        chances = _seconded(blocks, chances, found, keep)
    labels = decide(blocks, chances, title, description, keep)
    paragraphs, removed, standfirst = _collect(blocks, labels, title)
    text = "\n".join(paragraphs)
    if len(text) < rules.min_chars and small and not asked:
        asked, found = True, by_trafilatura(html, url)
    believed = 0.5 if len(text) >= rules.min_chars else 0.4
    if len(text) < rules.min_chars and small and len(found) < rules.min_chars:
        found, name = _second_opinion(found, html, url, language)
    if len(found) > len(text) and (len(text) < rules.min_chars or len(text) < 0.3 * len(found)):
        lines = _lines(found)
        return Body(
            paragraphs=lines, removed=[], standfirst=None, extractor=name, confidence=believed,
            layout=None if stated else _layout(runs, lines),
        )  # fmt: skip
    return Body(
        paragraphs=paragraphs, removed=removed, standfirst=standfirst, extractor="blocks",
        confidence=_confidence(blocks, chances, agreement(text, found) if asked else 1.0),
        layout=None if stated else _layout(runs, [b.number for b, y in zip(blocks, labels, strict=True) if y == "B"]),
    )  # fmt: skip


def _is_cut_link(block: Block) -> bool:
    """A link whose words break off leads to where they go on: the teaser of another article, however it is marked."""
    return block.link_chars > 0.9 * len(block.text) and block.text.endswith(("…", "..."))


def _seconded(blocks: list[Block], chances: list[dict[str, float]], found: str, keep: float) -> list[dict[str, float]]:
    """The chances, with those of blocks that the other finder keeps raised to where they stay."""
    lines = {tidy(line).removeprefix("- ") for line in found.split("\n")}
    whole = " ".join(found.split())
    return [
        {**c, "B": max(c["B"], keep)}
        if not b.hidden and (b.text in lines or (len(b.text) > MIN_SECONDED and b.text in whole))
        else c
        for b, c in zip(blocks, chances, strict=True)
    ]


def _layout(runs: list[Run], kept: list[int] | list[str]) -> Layout:
    """Layout of the whole page. `kept`: numbers of the blocks taken for body, or the lines another finder took."""
    blocks = blocks_of(runs, range(len(runs)))
    lines = {k for k in kept if isinstance(k, str)}
    numbers = [k for k in kept if isinstance(k, int)]
    if lines:  # numbers of the blocks that hold them
        numbers = [i for i, b in enumerate(blocks) if not b.hidden and tidy(b.text).removeprefix("- ") in lines]
    return layout_of(blocks, numbers)


def _confidence(blocks: list[Block], chances: list[dict[str, float]], agreed: float) -> float:
    """Chance that the body is whole and clean, from how sure the model is, weighted by length, and from agreement."""
    weight = sum(len(b.text) * c["B"] for b, c in zip(blocks, chances, strict=True)) or 1.0
    sure = sum(len(b.text) * c["B"] * c["B"] for b, c in zip(blocks, chances, strict=True)) / weight
    return round(min(0.99, max(0.05, 0.2 + 0.4 * sure + 0.4 * agreed - 0.05)), 3)
