"""A page's DOM -> its text blocks in reading order, each with what the markup says about it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Elements whose text no reader sees as text.
SKIPPED = frozenset(
    "script style noscript template svg math iframe object embed select option textarea canvas video audio map head"
    " button datalist dialog picture progress meter".split()
)
BREAKING = frozenset(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3"
    " h4 h5 h6 header hr html li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul".split()
)
# Ancestors that say what their text is. Each becomes a feature of every block below it.
TELLING = frozenset(
    "article main aside nav footer header figure figcaption blockquote ul ol li table td th form section details p pre"
    " h1 h2 h3 h4 h5 h6 dl label a em strong".split()
)
_IMAGES = frozenset(("img", "picture", "video"))
_NAMING = ("class", "id", "data-testid", "data-component")
MAX_BLOCKS = 6000
MAX_DEPTH = 2000
"""Text below this depth is not read. guard.make_safe flattens before; real pages nest 60 deep."""
_MAX_NODES = 400_000
_NAME = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_SPACE = re.compile(r"\s+")


@dataclass(slots=True, kw_only=True)
class Block:
    """One run of text without a block-level break. Built by walk() alone; not changed afterwards."""

    text: str
    tag: str  # the block-level element it stands in
    telling: frozenset[str]  # telling ancestors
    names: frozenset[str]  # words in class and id of the element and its nearest ancestors
    link_chars: int
    depth: int
    parent: int  # number of the parent element: siblings share it
    container: tuple[int, ...]  # numbers of the nearest ancestors, innermost first
    hidden: bool
    marks: frozenset[str]  # itemprop and role values above it
    pictured: int = 0  # 1: an image stands between the block before and this one; 2: in this very element


@dataclass(slots=True)
class _Frame:
    number: int
    tag: str
    telling: frozenset[str]
    names: tuple[frozenset[str], ...]
    hidden: bool
    marks: frozenset[str]
    link: bool
    chain: tuple[int, ...]
    depth: int


@functools.lru_cache(maxsize=8192)
def _names_in(stated: str) -> frozenset[str]:
    """Words of class and id values; a page has few different ones."""
    return frozenset(w.lower() for w in _NAME.findall(stated[:400]) if len(w) > 2)


@functools.lru_cache(maxsize=8192)
def _union(names: tuple[frozenset[str], ...]) -> frozenset[str]:
    return frozenset().union(*names)


def _frame(node: Any, above: _Frame, number: int) -> _Frame:
    tag = node.tag or "unknown"
    attributes = node.attributes
    if not attributes and tag not in BREAKING and tag not in TELLING:
        return above  # <span>, <b>: nothing new to say
    names = above.names
    hidden, marks = above.hidden, above.marks
    if tag in BREAKING:
        words: frozenset[str] = frozenset()
        if attributes:
            stated = " ".join(attributes.get(key) or "" for key in _NAMING)
            if len(stated) > len(_NAMING) + 2:
                words = _names_in(stated)
        names = (words, *above.names[:5])
    if attributes:
        if (
            "hidden" in attributes
            or attributes.get("aria-hidden") == "true"
            or _HIDDEN.search(attributes.get("style") or "")
        ):
            hidden = True
        for key in ("itemprop", "role"):
            value = attributes.get(key)
            if value:
                marks = marks | {value.strip().lower()[:30]}
    return _Frame(
        number=number,
        tag=tag if tag in BREAKING else above.tag,
        telling=above.telling | {tag} if tag in TELLING else above.telling,
        names=names,
        hidden=hidden,
        marks=marks,
        link=above.link or tag == "a",
        chain=(number, *above.chain[:11]) if tag in BREAKING else above.chain,
        depth=above.depth + 1,
    )


class _Builder:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []
        self._link_chars = 0
        self._frame: _Frame | None = None
        self._breaks = 0
        self._image = self._pictured = 0  # number of the element the last image stands in

    def image(self, frame: _Frame) -> None:
        self._image = frame.chain[0] or -1

    def add(self, text: str, frame: _Frame) -> None:
        if not text:
            return
        if text.isspace():
            if self._pieces:
                self._pieces.append(" ")
            return
        if self._frame is None:
            self._frame, self._pictured, self._image = frame, self._image, 0
        self._breaks = 0
        self._pieces.append(text)
        if frame.link:
            self._link_chars += len(text.strip())

    def line_break(self) -> None:
        """Two <br> in a row end a paragraph, one is a space."""
        self._breaks += 1
        if self._breaks >= 2:
            self.flush()
        elif self._pieces:
            self._pieces.append(" ")

    def flush(self) -> None:
        frame, self._breaks = self._frame, 0
        if frame is not None and len(self.blocks) < MAX_BLOCKS:
            text = _SPACE.sub(" ", "".join(self._pieces)).strip()
            if text:
                inside = self._pictured == frame.chain[0] != 0
                self.blocks.append(
                    Block(
                        text=text, tag=frame.tag, telling=frame.telling, names=_union(frame.names),
                        link_chars=min(self._link_chars, len(text)), depth=frame.depth,
                        parent=frame.chain[1] if len(frame.chain) > 1 else 0, container=frame.chain,
                        hidden=frame.hidden, marks=frame.marks, pictured=(self._pictured != 0) + inside,
                    )
                )  # fmt: skip
        self._pieces, self._link_chars, self._frame = [], 0, None


def _children(node: Any) -> Iterator[Any]:
    child = node.child
    while child is not None:
        yield child
        child = child.next


def walk(root: Any) -> list[Block]:
    """Blocks below a selectolax node, in reading order, without recursion: deep pages cost memory, not the stack."""
    builder = _Builder()
    top = _Frame(0, "body", frozenset(), (), False, frozenset(), False, (0,), 0)
    stack: list[tuple[Iterator[Any], _Frame]] = [(_children(root), top)]
    number = 0
    while stack and number < _MAX_NODES:
        children, frame = stack[-1]
        node = next(children, None)
        if node is None:
            stack.pop()
            if frame.tag != (stack[-1][1].tag if stack else "") or frame.chain is not (
                stack[-1][1].chain if stack else ()
            ):
                builder.flush()
            continue
        number += 1
        tag = node.tag or "unknown"  # lexbor gives None for some malformed names
        if tag == "-text":
            builder.add(node.text_content or "", frame)
        elif tag == "br":
            builder.line_break()
        elif tag in _IMAGES:
            builder.image(frame)
        elif tag[0] != "-" and tag[0] != "_" and tag not in SKIPPED and len(stack) < MAX_DEPTH:
            if tag in BREAKING:
                builder.flush()
            stack.append((_children(node), _frame(node, frame, number)))
    builder.flush()
    return builder.blocks
