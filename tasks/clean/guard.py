"""Keeps hostile markup from the parsers: nesting, attributes and unclosed formatting cost quadratic time.

Measured on selectolax 1.0: 20,000 nested elements 0.9 s, 100,000 about 25 s; 20,000 attributes 0.8 s, a million hours;
3,000 unclosed <b> with attributes in 3,000 paragraphs 6 s and 70 MB, since HTML opens them anew in every paragraph.
"""

from __future__ import annotations

import re

MAX_DEPTH = 1500
MAX_ATTRIBUTES = 1000
MAX_TAGS = 400_000
MAX_FORMATS = 300
_FEW_TAGS = 6000
"""Up to so many "<" nesting alone is harmless: all of them nested take 0.1 s."""
_LONG = 4000
_TAG_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,30}")
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})")
_TAG_END = re.compile(r"[^<>]*>?")
_FORMATTING = frozenset("b big code em font i nobr s small strike strong tt u".split())
_FORMAT_TAG = re.compile(rf"</?(?:{'|'.join(sorted(_FORMATTING))})(?=[\s/>])[^<>]*>?", re.I)
_STYLED_FORMAT = re.compile(rf"<(?:{'|'.join(sorted(_FORMATTING))})\s", re.I)
_SHORT_NAME = re.compile(r"<[bcefinstuBCEFINSTU][a-zA-Z]{0,5}\s")  # ten times as fast, and takes <img> and <input> too
_ENDS_ITSELF = frozenset("p li dt dd option tr td th".split())
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())


def _has_long_tag(html: str) -> bool:
    """Whether a tag is longer than _LONG: such a one fills a whole window with neither "<" nor ">"."""
    window = _LONG // 2
    filled = False
    for at in range(0, len(html) - window + 1, window):
        was, filled = filled, html.find("<", at, at + window) < 0
        # of one stretch only the first window is looked at: the tag began before it
        if filled and not was and html.find(">", at, at + window) < 0:
            start = html.rfind("<", max(0, at - window), at)
            if start >= 0 and html.find(">", start, at) < 0:
                return True
    return False


def _shorten_tags(html: str) -> str:
    """A tag with too many attributes loses all of them; a long one with few (an inlined image) stays."""
    if not _has_long_tag(html):
        return html
    pieces = html.split("<")
    changed = False
    for i, piece in enumerate(pieces):
        if len(piece) > _LONG and piece[0].isalpha() and piece.find(">", 0, _LONG) < 0:
            end = piece.find(">")
            inside, rest = (piece[:end], piece[end:]) if end >= 0 else (piece, ">")
            if len(inside.split(None, MAX_ATTRIBUTES)) > MAX_ATTRIBUTES:
                name = _TAG_NAME.match(inside)
                pieces[i] = (name.group() if name else "") + rest
                changed = True
    return "<".join(pieces) if changed else html


class _Open:
    """The elements open at a place, roughly as a parser counts them: an end tag that closes nothing changes nothing."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.count: dict[str, int] = {}

    def start(self, name: str) -> None:
        if name in _ENDS_ITSELF and self.names and self.names[-1] == name:
            return
        self.names.append(name)
        self.count[name] = self.count.get(name, 0) + 1

    def end(self, name: str) -> None:
        if self.count.get(name):
            while (closed := self.names.pop()) != name:
                self.count[closed] -= 1
            self.count[name] -= 1


def _is_styled(html: str) -> bool:
    """Whether it has more formatting elements with attributes than can be left open without harm."""
    return len(_SHORT_NAME.findall(html)) > MAX_FORMATS and len(_STYLED_FORMAT.findall(html)) > MAX_FORMATS


def _needs_care(html: str) -> tuple[bool, bool]:
    """Whether elements nest deeper than MAX_DEPTH, and whether more than MAX_FORMATS formatting elements stay open."""
    opened = _Open()
    names, start, end = opened.names, opened.start, opened.end
    formats = 0
    for slash, stated in _TAG.findall(html):
        name = stated.lower()
        if slash:
            if names and names[-1] == name:
                names.pop()
                opened.count[name] -= 1
            else:
                end(name)
            if name in _FORMATTING and formats:
                formats -= 1
        elif name not in _VOID:
            start(name)
            formats += name in _FORMATTING
            if len(names) > MAX_DEPTH or formats > MAX_FORMATS:
                return len(names) > MAX_DEPTH, formats > MAX_FORMATS
    return False, False


def _flatten(html: str) -> str:
    """Opening tags below MAX_DEPTH become paragraph breaks. No text is lost, only structure."""
    pieces: list[str] = []
    opened = _Open()
    at = 0
    for m in _TAG.finditer(html):
        name = m.group(2).lower()
        if name in _VOID:
            continue
        if m.group(1):
            opened.end(name)
            continue
        if len(opened.names) < MAX_DEPTH:
            opened.start(name)
            continue
        end = _TAG_END.match(html, m.end())
        pieces += (html[at : m.start()], "<br><br>")
        at = max(at, end.end() if end else m.end())
    return "".join([*pieces, html[at:]]) if pieces else html


def make_safe(html: str) -> str | None:
    """The page with its nesting, attributes and formatting bounded; None where it has more tags than a page could need.

    An ordinary page comes back as it is. Linear in the length of the page.
    """
    opened = html.count("<")
    if opened > MAX_TAGS:
        return None
    html = _shorten_tags(html)
    if opened <= MAX_DEPTH:
        return html
    if opened <= _FEW_TAGS and not _is_styled(html):
        return html
    deep, formatted = _needs_care(html)
    if formatted:
        html = _FORMAT_TAG.sub("", html)
        deep = _needs_care(html)[0]
    return _flatten(html) if deep else html
