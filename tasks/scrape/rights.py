"""What a page reserves for itself, by machine-readable words: X-Robots-Tag, robots meta, TDM reservation. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

Right = Literal["noindex", "noarchive", "noai", "tdm"]
RIGHTS: frozenset[str] = frozenset(get_args(Right))
HEAD_BYTES = 200_000
"""Of a page that are looked through for meta elements."""

_META = re.compile(rb"<meta\b([^>]{1,1000})>", re.I)
_ATTRIBUTE = re.compile(
    rb"""\b(name|content)\s{0,20}=\s{0,20}(?:"([^"]{0,500})"|'([^']{0,500})'|([^\s"'>]{1,200}))""", re.I
)
_WORDS = {"noindex": "noindex", "noarchive": "noarchive", "none": "noindex", "noai": "noai"}


def _named(directives: str, agent: str) -> frozenset[str]:
    """The reservations in a list of robots directives. One that begins with a crawler's name counts for that alone."""
    found = set()
    speaks_to_us = True
    for part in directives.lower().split(","):
        whom, colon, what = part.partition(":")
        if colon and whom.strip() != "unavailable_after" and not whom.strip().startswith("max-"):
            speaks_to_us = whom.strip() in (agent.lower(), "*")
            part = what
        word = part.strip()
        if speaks_to_us and word in _WORDS:
            found.add(_WORDS[word])
    return frozenset(found)


def reserved_in_headers(headers: Iterable[tuple[str, str]], agent: str) -> frozenset[str]:
    """Which of RIGHTS a response's headers reserve: X-Robots-Tag, and TDM-Reservation (W3C TDMRep)."""
    found: frozenset[str] = frozenset()
    for name, value in headers:
        if name.lower() == "x-robots-tag":
            found |= _named(value, agent)
        elif name.lower() == "tdm-reservation" and value.strip() == "1":
            found |= {"tdm"}
    return found


def reserved_in_body(body: bytes, agent: str) -> frozenset[str]:
    """The same of a page's meta elements; those named `robots` or as our agent."""
    found: frozenset[str] = frozenset()
    for meta in _META.finditer(body[:HEAD_BYTES]):
        pairs = {m[1].lower(): m[2] or m[3] or m[4] or b"" for m in _ATTRIBUTE.finditer(meta[1])}
        name = pairs.get(b"name", b"").decode("latin-1").strip().lower()
        content = pairs.get(b"content", b"").decode("latin-1")
        if name in ("robots", agent.lower()):
            found |= _named(content, agent)
        elif name == "tdm-reservation" and content.strip() == "1":
            found |= {"tdm"}
    return found
