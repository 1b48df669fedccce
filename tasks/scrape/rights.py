"""What a page reserves for itself, by machine-readable words: X-Robots-Tag, robots meta, TDM reservation. Pure."""

from __future__ import annotations

import json
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


TDMREP_PATH = "/.well-known/tdmrep.json"
MAX_RULES = 1_000


def reserved_in_tdmrep(body: bytes, path: str) -> bool:
    """Whether a site's tdmrep.json (W3C TDMRep, section 5.1) reserves text and data mining for a path with its query.

    The longest pattern that fits decides; a file that cannot be read reserves nothing.
    """
    try:
        rules = json.loads(body[:HEAD_BYTES])
    except (ValueError, RecursionError):
        return False
    best, reserved = -1, False
    for rule in (rules if isinstance(rules, list) else [])[:MAX_RULES]:
        pattern = rule.get("location") if isinstance(rule, dict) else None
        if isinstance(pattern, str) and len(pattern) > best and fits(pattern, path):
            best, reserved = len(pattern), str(rule.get("tdm-reservation")) == "1"
    return reserved


def fits(pattern: str, path: str) -> bool:
    """Whether a pattern of robots.txt's kind, with * and a last $, fits the begin of a path. No regular expression: the
    pattern is the site's, and each star is served by the first place that does."""
    ends = pattern.endswith("$")
    first, *rest = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for i, piece in enumerate(rest):
        if ends and i == len(rest) - 1:
            return len(path) - len(piece) >= at and path.endswith(piece)
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not ends or at == len(path)
