"""What must hold for every row before it is written: spans slice back, ids are unique, references resolve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tasks import tables


class InvariantError(Exception):
    """A row breaks a promise of the tables: a fault of nightdesk, never of the input. Nothing was published."""


# (text column, start column, end column) for every span that repeats its text
SPANS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "quotes": (
        ("text", "start", "end"),
        ("cue", "cue_start", "cue_end"),
        ("speaker_text", "speaker_start", "speaker_end"),
    ),
    "events": (
        ("evidence", "start", "end"),
        ("trigger", "trigger_start", "trigger_end"),
        ("actor_text", "actor_start", "actor_end"),
        ("recipient_text", "recipient_start", "recipient_end"),
        ("place_text", "place_start", "place_end"),
    ),
}


def check_spans(table: str, rows: Iterable[Any], texts: Mapping[str, str]) -> None:
    """Raises InvariantError at the first row whose span does not slice its text out of its article."""
    for row in rows:
        text = texts[row.article_id]
        for column, start, end in SPANS.get(table, ()):
            want, s, e = getattr(row, column), getattr(row, start), getattr(row, end)
            if want is None and s is None and e is None:
                continue
            if want is None or s is None or e is None or not 0 <= s <= e <= len(text) or text[s:e] != want:
                raise InvariantError(f"{table}: {column} of {row} is not text[{s}:{e}] of article {row.article_id}")
        for span in (*getattr(row, "parts", ()), *getattr(row, "mentions", ()), *getattr(row, "count_spans", ())):
            if not 0 <= span.start < span.end <= len(text):
                raise InvariantError(f"{table}: {span} of {row} lies outside article {row.article_id}")


def check_article(
    quotes: Sequence[tables.Quote], sources: Sequence[tables.Source], events: Sequence[tables.Event], text: str
) -> None:
    """All invariants of one article's rows. Raises InvariantError."""
    for table, rows in (("quotes", quotes), ("sources", sources), ("events", events)):
        keys = [tuple(getattr(r, k) for k in tables.KEYS[table]) for r in rows]
        if len(set(keys)) != len(keys):
            twice = next(k for k in keys if keys.count(k) > 1)
            raise InvariantError(f"{table}: the key {twice} occurs twice in one article")
        check_spans(table, rows, dict.fromkeys((r.article_id for r in rows), text))
    known_sources = {s.source_id for s in sources}
    known_quotes = {q.quote_id for q in quotes}
    for q in quotes:
        for ref in (q.source_id, q.via_source_id):
            if ref is not None and ref not in known_sources:
                raise InvariantError(f"quotes: {q.quote_id} points to source {ref}, which has no row")
        if q.parent_quote_id is not None and q.parent_quote_id not in known_quotes:
            raise InvariantError(f"quotes: {q.quote_id} points to quote {q.parent_quote_id}, which has no row")
    for e in events:
        for ref in (e.attributed_source_id, e.actor_source_id, e.recipient_source_id):
            if ref is not None and ref not in known_sources:
                raise InvariantError(f"events: {e.event_id} points to source {ref}, which has no row")
        if e.attributed_quote_id is not None and e.attributed_quote_id not in known_quotes:
            raise InvariantError(f"events: {e.event_id} points to quote {e.attributed_quote_id}, which has no row")
