"""Rows for tests: every field has a plain default, tests say what matters to them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from tasks import tables

NIGHT = dt.date(2026, 3, 2)


def article(text: str = "Police arrested 12 people in Lagos.", **more: Any) -> tables.Article:
    values: dict[str, Any] = {
        "article_id": tables.make_id("a", text),
        "article_key": tables.make_id("k", text),
        "external_id": None,
        "revision": 1,
        "valid_from": None,
        "change": "first",
        "url": None,
        "canonical_url": None,
        "outlet": "harbourpost.example",
        "title": "Arrests in Lagos",
        "standfirst": None,
        "text": text,
        "authors": [],
        "section": None,
        "tags": [],
        "published_at": dt.datetime(2026, 3, 2, 6, tzinfo=dt.UTC),
        "published_from": "given",
        "published_precision": "minute",
        "modified_at": None,
        "fetched_at": None,
        "language": "en",
        "word_count": len(text.split()),
        "agency": None,
        "copy_group": None,
        "is_original": None,
        "story_id": None,
        "access": None,
        "rights": [],
        "extractor": "given",
        "confidence": 1.0,
        "removed": [],
        "raw_ref": None,
        "content_hash": tables.make_id("h", text),
    }
    return tables.Article(**values | more)


def _fill(row: type[Any], values: dict[str, Any]) -> Any:
    """A row with null, or an empty list, in every field not given."""
    schema = tables.schema(next(t for t, r in tables.TABLES.items() if r is row))
    blank = {f.name: [] if str(f.type).startswith("list") else None for f in schema}
    return row(**blank | values)


def quote(article_row: tables.Article, text: str, **more: Any) -> tables.Quote:
    start = article_row.text.index(text)
    values = {
        "quote_id": tables.make_id("q", article_row.article_id, start),
        "article_id": article_row.article_id,
        "kind": "indirect",
        "text": text,
        "start": start,
        "end": start + len(text),
        "paragraph": 0,
        "confidence": 0.9,
    }
    made: tables.Quote = _fill(tables.Quote, values | more)
    return made


def event(article_row: tables.Article, evidence: str, trigger: str, **more: Any) -> tables.Event:
    start, at = article_row.text.index(evidence), article_row.text.index(trigger)
    values = {
        "event_id": tables.make_id("e", article_row.article_id, at),
        "article_id": article_row.article_id,
        "type": "COERCE",
        "evidence": evidence,
        "start": start,
        "end": start + len(evidence),
        "trigger": trigger,
        "trigger_start": at,
        "trigger_end": at + len(trigger),
        "modality": "asserted",
        "place_from": "none",
        "date_from": "none",
        "quad": "material_conflict",
        "confidence": 0.8,
    }
    made: tables.Event = _fill(tables.Event, values | more)
    return made


def source(article_row: tables.Article, name: str, **more: Any) -> tables.Source:
    values = {
        "source_id": tables.make_id("s", name),
        "article_id": article_row.article_id,
        "name": name,
        "kind": "person",
        "named": True,
        "n_quotes": 1,
        "quoted_words": 5,
    }
    made: tables.Source = _fill(tables.Source, values | more)
    return made
