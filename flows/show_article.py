"""One article on the terminal: what is in it, what was cut and why."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from tasks.report.reading import Answer, Reading, Row, pieces, reason_words
from tasks.tables import Reason

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
CUT = "red strike"
SHOWN_INPUTS = 5


def harmless(text: str) -> str:
    """Text of a page for a terminal: control characters and writing-direction overrides become visible marks."""
    if text.isascii() and text.isprintable():
        return text
    text = _BIDI.sub("\ufffd", text)
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else "\ufffd" for c in text)


def _line(console: Console, *parts: str | tuple[str, str]) -> None:
    text = Text()
    for part in parts:
        words, style = part if isinstance(part, tuple) else (part, "")
        text.append(harmless(words), style)
    console.print(text, highlight=False)


def show_why(answer: Answer, console: Console) -> None:
    """What became of an input, and of an article every piece that was cut, at its place, with the reason."""
    for row in answer.inputs[:SHOWN_INPUTS]:
        _fate(row, console)
    if answer.reading is not None:
        _head(answer.reading.article, console)
        _cut_text(answer.reading, console)
    _others(answer, console)


def _fate(row: Row, console: Console) -> None:
    reason = f" ({row['reason'].replace('_', ' ')})" if row["reason"] else ""
    tries = f", {row['attempts']} tries" if row["attempts"] > 1 else ""
    _line(console, (f"{row['night']}  {row['fate']}{reason}", "bold"), f"  in {row['step']}{tries}: {row['ref']}")
    if row["detail"]:
        _line(console, f"            {row['detail']}")
    if row["reason"]:
        _line(console, (f"            {reason_words()[Reason(row['reason'])]}", "dim"))


def _head(article: Row, console: Console) -> None:
    console.print()
    _line(console, (article["title"] or "(no title)", "bold"))
    published = article["published_at"]
    precise = f" (from {article['published_from']}, to the {article['published_precision']})"
    facts: list[tuple[str, Any]] = [
        ("outlet", article["outlet"]),
        ("address", article["url"]),
        ("authors", ", ".join(article["authors"])),
        ("published", published and f"{published:%Y-%m-%d %H:%M} UTC" + precise),
        ("language", article["language"]),
        ("agency", article["agency"]),
        ("access", article["access"]),
        ("rights", "; ".join(article["rights"])),
        ("body", f"{article['word_count']} words, found by {article['extractor']}, "
                 f"confidence {article['confidence']:.2f}"),
        ("article_id", f"{article['article_id']}, revision {article['revision']} ({article['change']})"),
    ]  # fmt: skip
    for name, value in facts:
        if value:
            _line(console, (f"{name:>11}  ", "dim"), str(value))
    console.print()


def _cut_text(reading: Reading, console: Console) -> None:
    article = reading.article
    text = Text()
    for piece in pieces(article["text"], (), article["removed"]):
        if piece.cut is None:
            text.append(harmless(piece.text))
        else:
            lead = "" if not text or text.plain.endswith("\n") else "\n"
            text.append(f"{lead}[{harmless(piece.cut)}] ", "red")
            text.append(harmless(piece.text), CUT)
            text.append("\n")
    console.print(text, highlight=False)
    whys = Counter(harmless(r["why"]) for r in article["removed"])
    listed = ", ".join(f"{n} {why}" for why, n in whys.most_common())
    console.print()
    _line(console, f"{sum(whys.values())} pieces cut: {listed}" if whys else "Nothing was cut.")


def _others(answer: Answer, console: Console) -> None:
    more = [r for r in answer.others if answer.reading and r["article_id"] != answer.reading.article["article_id"]]
    if more:
        _line(console, f"\n{len(more)} more articles fit; ask for one by its article_id:")
        for row in more[:SHOWN_INPUTS]:
            _line(console, f"  {row['article_id']}  {row['outlet'] or ''}  {row['title'] or ''}")
