"""Mends what bad scraping does to a text before it is judged: encodings, hyphens, lost breaks, doubled bodies."""

from __future__ import annotations

import itertools
import re
import unicodedata

import ftfy

from tasks.clean.agree import words
from tasks.clean.units import Unit

_FIX = ftfy.TextFixerConfig(
    uncurl_quotes=False,  # the quotation marks are our subject matter
    fix_latin_ligatures=True,
    unescape_html="auto",
    fix_character_width=False,
    normalization="NFC",
)
MAX_FIXED_LINE = 20_000
"""ftfy looks at a line at a time; a longer one is left as it is."""
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_SPACES = re.compile(r"[^\S\n]+")
# anchored at a word's start and bounded: a text that is one long word must not be tried from each of its letters
_HYPHEN = re.compile(r"(?<!\w)(\w{2,40})-\n([a-zà-öø-ÿ]{2,40})(?!\w)")


def fix_encoding(text: str) -> str:
    """NFC, "â€™" -> "’", entities resolved, invisible characters gone, runs of space one space."""
    text = (
        text.replace("\r\n", "\n")
        .replace("\r", "\n")
        .replace("\u2028", "\n")
        .replace("\u2029", "\n")
        .replace("\x00", "")
    )
    lines = [line if _is_sound(line) else ftfy.fix_text(line, _FIX) for line in text.split("\n")]
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", "\n".join(lines)))
    return "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n"))


def _is_sound(line: str) -> bool:
    """Whether ftfy need not look: plain characters without an entity, or too many of them."""
    return len(line) > MAX_FIXED_LINE or (line.isascii() and line.isprintable() and "&" not in line)


def join_hyphens(text: str) -> str:
    """ "govern-\\nment" -> "government", where the text has the joined word elsewhere or its lines are hard-wrapped."""
    known = set(words(text))
    wrapped = is_hard_wrapped(text)

    def mend(m: re.Match[str]) -> str:
        joined = m.group(1) + m.group(2)
        return joined if joined.lower() in known or wrapped else m.group(0)

    return _HYPHEN.sub(mend, text)


def is_hard_wrapped(text: str) -> bool:
    """Lines broken at a column, as in mails and old archives: most are of one length and end inside a sentence."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 8:
        return False
    longest = sorted(map(len, lines))[int(len(lines) * 0.9)]
    if not 40 <= longest <= 120:
        return False
    full = [line for line in lines if len(line) > longest * 0.75]
    inside = sum(not re.search(r"[.!?:;\"”]$", line.rstrip()) for line in full)
    return len(full) >= len(lines) * 0.5 and inside >= len(full) * 0.6


def unwrap(text: str) -> str:
    """Hard-wrapped lines joined to paragraphs; an empty line, or a short line, ends one."""
    if not is_hard_wrapped(text):
        return text
    longest = sorted(len(line) for line in text.split("\n") if line.strip())[-1]
    out: list[str] = []
    open_line = False
    for line in text.split("\n"):
        if not line.strip():
            open_line = False
            continue
        if open_line and out:
            out[-1] += " " + line.strip()
        else:
            out.append(line.strip())
        open_line = len(line) > longest * 0.7
    return "\n".join(out)


def mend(text: str) -> str:
    """All repairs that change characters, in the order that lets each see what it needs."""
    return unwrap(join_hyphens(fix_encoding(text)))


def doubled(texts: list[str], min_words: int = 8) -> set[int]:
    """Indices of the second and later showings of a run of at least two long units: a body that stands twice."""
    first: dict[str, int] = {}
    repeats: list[tuple[int, int]] = []
    for i, text in enumerate(texts):
        tokens = words(text)
        if len(tokens) < min_words:
            continue
        key = " ".join(tokens)
        if key in first:
            repeats.append((i, first[key]))
        else:
            first[key] = i
    found: set[int] = set()
    for (i, a), (j, b) in itertools.pairwise(repeats):
        if j - i == b - a and j - i <= 4:
            found.update(range(i, j + 1))
    return found


def glue_back(text: str, units: list[Unit], kept: list[bool]) -> list[tuple[int, int, str]]:
    """Pieces (start, end, what to put before) that rebuild the kept text: spaces lost between sentences come back.

    Units of one line stay on it with their own white space; after a cut inside a line the next unit begins a new line.
    """
    pieces: list[tuple[int, int, str]] = []
    last = -1
    for i, unit in enumerate(units):
        if not kept[i]:
            continue
        if not pieces:
            before = ""
        elif last == i - 1 and unit.join in ("space", "camel"):
            before = text[units[last].end : unit.start]
        else:
            before = "\n"  # a glued sentence is a lost line break far more often than a lost space
        pieces.append((unit.start, unit.end, before))
        last = i
    return pieces
