"""Records of an XML file one by one, in bounded memory, whatever stands around them or how damaged it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import lxml.etree

MAX_EVENTS = 1_500_000
"""Elements begun or ended in one file; the largest sitemaps have a third of it."""
MAX_INSIDE = 5_000
"""Elements within one record; more are no record."""

Error = lxml.etree.XMLSyntaxError


def local(tag: object) -> str:
    """An element's name without its namespace, in lower case; "" for what is no element."""
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


class XmlRecords:
    """Iterate over the elements of these names that are not within another; `root` is known after the first step.

    No entity is resolved, no file or address read. Raises lxml.etree.XMLSyntaxError for what is no XML at all, unless
    records came before. `complaint`: what the parser found wrong, if anything.
    """

    def __init__(self, body: bytes, names: frozenset[str], *, encoding: str | None = None) -> None:
        self._names = names
        self.root = ""
        self._events = lxml.etree.iterparse(
            io.BytesIO(body), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            huge_tree=False, recover=True, remove_comments=True, remove_pis=True, encoding=encoding,
        )  # fmt: skip

    @property
    def complaint(self) -> str | None:
        log = self._events.error_log
        return str(log[0].message)[:200] if len(log) else None

    def __iter__(self) -> Iterator[Any]:
        inside: Any = None
        within = seen = 0
        for event, element in self._events:
            seen += 1
            if seen > MAX_EVENTS:
                return
            if event == "start":
                self.root = self.root or local(element.tag)
                within += 1
                if inside is None and local(element.tag) in self._names:
                    inside, within = element, 0
                elif inside is not None and within > MAX_INSIDE:
                    return
                continue
            if inside is None:
                _forget(element)
            elif element is inside:
                yield element
                inside = None
                _forget(element)


def _forget(element: Any) -> None:
    """Drop a finished element and those before it: what is left of a file in memory is one path."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def text_of(element: Any, most: int = 2_000) -> str:
    """All text within an element, at most so much of it."""
    out: list[str] = []
    size = 0
    try:
        for piece in element.itertext("*"):  # elements alone: what stands for an entity is no text
            out.append(piece)
            size += len(piece)
            if size > most:
                break
    except UnicodeDecodeError:  # libxml2 lets bytes through that are half a surrogate pair
        return ""
    return "".join(out)[:most].strip()
