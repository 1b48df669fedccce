"""One article on the terminal: what is in it, what was cut and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console
from rich.text import Text

from tasks.report.reader import COUNTS, marks
from tasks.report.reading import Answer, Reading, Row, harmless, pieces, range_words, reason_words
from tasks.tables import Reason

CUT = "red strike"
SHOWN_INPUTS = 5
# Later ones lie over earlier ones.
STYLES = {
    "source": "green",
    "speaker": "bold green",
    "quote": "on dark_blue",
    "cue": "underline",
    "trigger": "bold yellow",
}


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


def show_article(answer: Answer, console: Console) -> None:
    """The article with its quotes, cues, speakers, sources and event triggers marked, and the rows below it."""
    reading = answer.reading
    if reading is None:
        return
    _head(reading.article, console)
    legend = Text()
    for kind, style in STYLES.items():
        legend.append(kind, style)
        legend.append("  ")
    console.print(legend)
    console.print()
    text = Text()
    for piece in pieces(reading.article["text"], marks(reading)):
        kinds = {mark.split(" ")[0] for mark in piece.marks}
        text.append(harmless(piece.text), " ".join(style for kind, style in STYLES.items() if kind in kinds))
    console.print(text, highlight=False)
    _rows_of(reading, console)
    _others(answer, console)


def _rows_of(reading: Reading, console: Console) -> None:
    names = {s["source_id"]: s["name"] for s in reading.sources}
    for title, rows, line in (
        ("Quotes", reading.quotes, lambda q: _quote(q, names)),
        ("Sources", reading.sources, _source),
        ("Events", reading.events, _event),
    ):
        _line(console, (f"\n{len(rows)} {title.lower()}", "bold"))
        for row in rows:
            _line(console, *line(row))
    if len(reading.revisions) > 1:
        _line(console, ("\nRevisions", "bold"))
        for r in reading.revisions:
            _line(console, f"  {r['revision']}  {r['article_id']}  {r['change']}")
    if reading.copies:
        _line(console, ("\nCopies", "bold"))
        for c in reading.copies:
            _line(console, f"  {c['article_id']}  {c['outlet'] or ''}  {c['title'] or ''}")


def _facts(*values: object) -> str:
    return ", ".join(str(v) for v in values if v)


def _quote(q: Row, names: dict[str, str]) -> tuple[str | tuple[str, str], ...]:
    who = names.get(q["source_id"]) or q["speaker_text"] or "no speaker found"
    return ("  ", (who, "bold"), f" ({q['cue'] or 'no cue'}): {' '.join(q['text'].split())} ",
            (_facts(q["kind"], q["stance"], f"confidence {q['confidence']:.2f}"), "dim"))  # fmt: skip


def _source(s: Row) -> tuple[str | tuple[str, str], ...]:
    told = _facts(s["kind"], None if s["named"] else "unnamed", s["role"], s["affiliation"], f"{s['n_quotes']} quotes")
    return "  ", (s["name"], "bold"), " ", (told, "dim")


def _event(e: Row) -> tuple[str | tuple[str, str], ...]:
    counts = [f"{f} {range_words((e[f + '_min'], e[f + '_max']))}" for f in COUNTS
              if e[f"{f}_min"] is not None or e[f"{f}_max"] is not None]  # fmt: skip
    told = _facts(
        e["modality"] + (f" by {e['attributed_to']}" if e["attributed_to"] else ""),
        e["actor_text"] and f"actor {e['actor_text']}", e["recipient_text"] and f"recipient {e['recipient_text']}",
        _facts(e["place_name"], e["place_country"]), e["date_start"], *counts, f"confidence {e['confidence']:.2f}",
    )  # fmt: skip
    return "  ", (_facts(e["type"], e["mode"]), "bold"), f" “{e['trigger']}” ", (told, "dim")
