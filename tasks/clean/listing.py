"""Front pages, sections and galleries: pages of headlines and captions that lead elsewhere and tell no story."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tasks.clean.blocks import Block
from tasks.clean.structured import Structured

_STOP = re.compile(r"[.!?…。！？][\"”’»«“)\]']*$")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTING_PATH = re.compile(
    r"^/?$|^/(?:index|home|default)\.\w{2,5}$"
    r"|^/(?:[a-z]{2}/)?(?:section|sections|category|categories|tag|tags|topic|topics|author|authors|archive|archives"
    r"|search|gallery|galleries|photos|videos?|galeria|galerie|seccion|rubrik|thema|themen)(?:/[\w-]+)?/?$",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a page's text is made of, counted in blocks."""

    kept: int  # taken for body
    running: int  # of these, whole sentences of a paragraph's length, unlinked
    captions: int  # of these, in a figcaption
    cards: int  # of these, right below a linked headline
    headlines: int  # on the whole page: headings that are links
    links: int  # on the whole page: other links of a headline's length


def _is_prose(block: Block) -> bool:
    text = block.text
    if block.link_chars > len(text) * 0.3 or "figcaption" in block.telling or not _STOP.search(text):
        return False
    return len(text) >= (30 if _CJK.search(text[:200]) else 100)


def _is_headline(block: Block) -> bool:
    words = len(block.text.split())
    long_enough = words >= 4 or (words and len(block.text) >= 12 and _CJK.search(block.text) is not None)
    return bool(long_enough) and words <= 40 and block.link_chars > len(block.text) * 0.8 and not block.hidden


def layout_of(blocks: list[Block], kept: Iterable[int]) -> Layout:
    body = list(kept)
    heads = [_is_headline(b) for b in blocks]
    headings = sum(h and bool(b.telling & _HEADINGS) for h, b in zip(heads, blocks, strict=True))
    return Layout(
        kept=len(body),
        running=sum(_is_prose(blocks[i]) for i in body),
        captions=sum("figcaption" in blocks[i].telling for i in body),
        cards=sum(i > 0 and heads[i - 1] and not heads[i] for i in body),
        headlines=headings,
        links=sum(heads) - headings,
    )


def is_stated_article(page: Structured) -> bool:
    """Whether the page itself says that it is one: JSON-LD, og:type, or microdata."""
    kinds = {k.lower() for k in page.meta.get("og:type", [])}
    return page.article is not None or bool(kinds & {"article", "news", "newsarticle"}) or page.has_article_body


def listing_reason(layout: Layout, page: Structured, url: str | None) -> str | None:
    """Why a page is a list or a gallery; None for an article and in doubt."""
    if is_stated_article(page):
        return None
    split = urlsplit(url or "x:/unknown")
    shaped = not split.query and _LISTING_PATH.match(split.path) is not None
    if layout.captions >= 3 and layout.captions * 2 >= layout.kept and layout.running == 0:
        return "captions of pictures only"
    if layout.cards >= 3 and layout.cards * 2 >= layout.kept:
        return "headlines with a line below each"
    if layout.running == 0 and layout.headlines >= 2 and layout.headlines * 3 >= layout.kept:
        return "linked headlines without a paragraph"
    if layout.running <= 1 and layout.headlines >= 6:
        return "linked headlines and hardly a paragraph"
    if shaped and layout.headlines + layout.links >= 3 and layout.headlines + layout.links > 2 * layout.running:
        return "the address of a list, and mostly links"
    return None
