"""Quotation marks of every style -> the stretches of text that stand inside them.

Curly, straight, guillemets, German low marks, ``typewriter'' and British single marks. A mark that never closes
reaches to the end of its paragraph and no further, so one lost mark cannot swallow an article.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile("``|''|’’|[“”„«»\"‘’'`]")
_PARAGRAPH = re.compile(r"[^\n]+")
_OPEN = {"“", "„", "«", "``"}
_CLOSE = {"”", "»"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """One stretch in quotation marks: code points of the text, marks included."""

    start: int
    end: int
    single: bool  # British single marks
    closed: bool  # False: runs to the end of its paragraph
    mark: int  # code points of its opening mark

    @property
    def inner(self) -> tuple[int, int]:
        return self.start + self.mark, self.end - (self.mark if self.closed else 0)


def find_quoted(text: str) -> list[Quoted]:
    """Stretches in quotation marks, in order, never overlapping. Linear in the text's length."""
    out: list[Quoted] = []
    carried = False  # a double mark was left open by the paragraph before
    for m in _PARAGRAPH.finditer(text):
        if not m.group().strip():
            continue
        found = _paragraph(text, m.start(), m.end(), carried=carried)
        carried = bool(found) and not found[-1].closed and not found[-1].single
        out.extend(found)
    return out


def _paragraph(text: str, lo: int, hi: int, *, carried: bool) -> list[Quoted]:
    marks = list(_MARK.finditer(text, lo, hi))
    out: list[Quoted] = []
    single_close = _last_single_close(text, marks, hi)
    odd = sum(m.group() == '"' for m in marks) % 2 == 1
    at: tuple[int, str, bool] | None = None  # where the open one starts, its mark, single
    first = True
    for m in marks:
        kind = _kind(text, m, lo, hi, at, single_close, odd)
        if not kind:
            continue
        single = kind.endswith("s")
        if kind[0] == "o":
            if at is None or kind == "o!":
                at = (m.start(), m.group(), single)
        elif at is not None and at[2] == single:
            out.append(
                Quoted(
                    start=at[0],
                    end=m.end(),
                    single=single,
                    closed=True,
                    mark=len(at[1]),
                )
            )
            at = None
        elif at is None and first and carried and not single:
            # a quotation broken by a paragraph's end goes on here without a mark of its own
            out.append(Quoted(start=lo, end=m.end(), single=False, closed=True, mark=0))
        first = False
    if at is not None and not at[2]:
        out.append(Quoted(start=at[0], end=hi, single=False, closed=False, mark=len(at[1])))
    elif at is not None and at[0] == lo and _reopens(text, hi, at[1]):
        out.append(Quoted(start=at[0], end=hi, single=True, closed=False, mark=len(at[1])))
    return out


def _reopens(text: str, hi: int, mark: str) -> bool:
    """Whether the paragraph after `hi` begins with the same mark: the sign of a quotation that runs on."""
    k = hi
    while k < len(text) and text[k].isspace():
        k += 1
    return k < len(text) and text[k] == mark


def _last_single_close(text: str, marks: list[re.Match[str]], hi: int) -> int:
    """Where the last mark stands that could close a single quotation; -1 if none."""
    for m in reversed(marks):
        if m.group() in ("'", "’") and m.start() > 0 and not _word_after(text, m.end(), hi):
            before = text[m.start() - 1]
            if before.isalnum() or before in ".,!?…)]":
                return m.start()
    return -1


def _word_after(text: str, at: int, hi: int) -> bool:
    return at < hi and text[at].isalnum()


def _kind(
    text: str,
    m: re.Match[str],
    lo: int,
    hi: int,
    at: tuple[int, str, bool] | None,
    single_close: int,
    odd: bool,
) -> str:
    """'o' opens, 'c' closes, 'o!' opens anew over one left open; 's' appended for single marks; '' for no mark."""
    c = m.group()
    before = text[m.start() - 1] if m.start() > lo else " "
    after = m.end() < hi and not text[m.end()].isspace()
    in_double = at is not None and not at[2]
    if c in _OPEN:
        return "c" if c == "“" and at is not None and at[1] == "„" else "o"
    if c in _CLOSE:
        opens = at is None and before.isspace() and _word_after(text, m.end(), hi)
        return "o" if opens else "c"
    if c in ("''", "’’"):
        if before.isalnum() and _word_after(text, m.end(), hi):
            return ""  # president''s: a doubled apostrophe
        return "c" if in_double else ("o" if c == "''" and not before.isalnum() and after else "")
    if c == '"':
        if at is None:
            return "" if before.isdigit() and not after else "o"
        if odd and before.isspace() and _word_after(text, m.end(), hi):
            return "o!"
        return "c" if in_double else ""
    return _single(text, m, lo, hi, at, single_close)


def _single(
    text: str,
    m: re.Match[str],
    lo: int,
    hi: int,
    at: tuple[int, str, bool] | None,
    single_close: int,
) -> str:
    before = text[m.start() - 1] if m.start() > lo else " "
    after = text[m.end()] if m.end() < hi else " "
    if at is None:
        opens = m.group() in ("'", "‘", "`") and not before.isalnum() and (after.isalnum() or after in "£$…[(")
        runs = m.start() == lo and (m.group() == "‘" or (m.group() == "'" and _reopens(text, hi, "'")))
        return "os" if opens and (single_close > m.end() or runs) else ""
    if at[2] and m.group() in ("'", "’") and not after.isalnum() and not before.isspace():
        return "cs"
    return ""
