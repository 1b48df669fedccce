"""What can be searched: each view is a query over the tables with the filters that a reader may set.

Values of filters reach DuckDB as parameters, never as part of the query's text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tasks.publish import snapshots
from tasks.report.reading import rows_of
from tasks.tables import REAL, EventType, Fate, Modality

Kind = Literal["text", "choice", "date", "number", "id"]
PAGE_ROWS = 50
MOST_ROWS = 1_000_000
"""Rows of one download at most."""


class FilterError(ValueError):
    """A filter's value is of the wrong kind; the message says which and what is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One thing a reader may ask for. `where` is SQL with `$value` in it; ids are set by links, not by hand."""

    label: str
    where: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A list of rows. `select` ends in a where clause that the filters are added to."""

    name: str
    title: str
    tables: tuple[str, ...]
    select: str
    order: str
    columns: tuple[str, ...]  # shown in the page, `killed` being killed_min and _max; a download has all
    filters: Mapping[str, Filter]
    main: str  # the column whose text leads into the reader


def _like(column: str) -> str:
    return f"contains(lower(coalesce({column}, '')), lower($value))"


_REAL = tuple(sorted(REAL))
_NIGHTS = {
    "since": Filter(label="night from", kind="date", where="{t}.dt >= $value"),
    "until": Filter(label="to", kind="date", where="{t}.dt <= $value"),
}


def _nights(table: str) -> dict[str, Filter]:
    return {n: Filter(label=f.label, kind=f.kind, where=f.where.format(t=table)) for n, f in _NIGHTS.items()}


def _sure(table: str) -> Filter:
    return Filter(label="confidence at least", kind="number", where=f"{table}.confidence >= $value")


VIEWS: dict[str, View] = {
    "quotes": View(
        name="quotes", title="Quotes", tables=("quotes", "articles", "sources"), main="text",
        select="""
            select q.quote_id, q.text, q.kind, q.cue, q.stance, coalesce(s.name, q.speaker_text) as speaker, s.role,
                   s.affiliation, s.kind as speaker_kind, s.named, q.source_id, a.outlet, a.title, a.published_at,
                   q.confidence, q.start, q."end", q.article_id, q.quote_group, a.copy_group, a.is_original,
                   q.dt as night
            from quotes q join articles a on a.article_id = q.article_id and a.dt = q.dt
            left join sources s on s.article_id = q.article_id and s.source_id = q.source_id and s.dt = q.dt
            where true""",
        order="a.published_at desc nulls last, q.quote_id",
        columns=("text", "speaker", "role", "cue", "outlet", "published_at", "confidence"),
        filters={
            "q": Filter(label="words", where=_like("q.text")),
            "speaker": Filter(label="speaker", where=_like("coalesce(s.name, q.speaker_text)")),
            "outlet": Filter(label="outlet", where="a.outlet = $value"),
            "kind": Filter(label="kind", kind="choice", choices=("direct", "indirect", "mixed"),
                           where="q.kind = $value"),
            "confidence": _sure("q"),
            **_nights("q"),
            "source": Filter(label="source", kind="id", where="q.source_id = $value"),
        },
    ),
    "sources": View(
        name="sources", title="Sources with a name", tables=("source_index",), main="name",
        select="select * exclude (dt) from source_index where true",
        order="n_quotes desc, name, source_id",
        columns=("name", "kind", "n_quotes", "n_articles", "affiliations", "outlets", "last_seen"),
        filters={
            "q": Filter(label="name", where=_like("name || ' ' || array_to_string(aliases, ' ')")),
            "kind": Filter(label="kind", kind="choice", choices=("person", "organisation", "group", "document"),
                           where="kind = $value"),
            "affiliation": Filter(label="affiliation", where=_like("array_to_string(affiliations, ' ')")),
            "outlet": Filter(label="outlet", where="list_contains(outlets, $value)"),
        },
    ),
    "events": View(
        name="events", title="Events", tables=("events", "articles"), main="evidence",
        select="""
            select e.* exclude (dt, count_spans), a.outlet, a.title, a.published_at, a.copy_group, a.is_original,
                   e.dt as night
            from events e join articles a on a.article_id = e.article_id and a.dt = e.dt where true""",
        order="coalesce(e.date_start, a.published_at::date) desc nulls last, e.event_id",
        columns=("evidence", "type", "mode", "place_name", "place_country", "date_start", "modality", "outlet",
                 "confidence"),
        filters={
            "q": Filter(label="words", where=_like("e.evidence")),
            "type": Filter(label="type", kind="choice", choices=get_args(EventType), where="e.type = $value"),
            "modality": Filter(label="told as", kind="choice", choices=("real", *get_args(Modality)),
                               where=f"(e.modality = $value or ($value = 'real' and e.modality in {_REAL}))"),
            "country": Filter(label="country (ISO3)", where="e.place_country = upper($value)"),
            "place": Filter(label="place", where=_like("e.place_name")),
            "actor": Filter(label="actor", where=_like("e.actor_text")),
            "outlet": Filter(label="outlet", where="a.outlet = $value"),
            "confidence": _sure("e"),
            **_nights("e"),
            "story": Filter(label="story", kind="id", where="e.story_id = $value"),
        },
    ),
    "stories": View(
        name="stories", title="Stories", tables=("stories",), main="headline",
        select="select * exclude (dt) from stories where true",
        order="n_independent desc, last_seen desc nulls last, story_id",
        columns=("headline", "n_articles", "n_independent", "n_outlets", "types", "place_name", "killed",
                 "last_seen"),
        filters={
            "q": Filter(label="headline", where=_like("headline")),
            "type": Filter(label="event type", kind="choice", choices=get_args(EventType),
                           where="list_contains(types, $value)"),
            "country": Filter(label="country (ISO3)", where="place_country = upper($value)"),
            "articles": Filter(label="articles at least", kind="number", where="n_articles >= $value"),
        },
    ),
    "articles": View(
        name="articles", title="Articles", tables=("articles",), main="title",
        select="""
            select article_id, revision, change, outlet, title, authors, published_at, language, word_count, agency,
                   access, is_original, confidence, url, story_id, copy_group, external_id, dt as night
            from articles a where true""",
        order="published_at desc nulls last, article_id",
        columns=("title", "outlet", "authors", "published_at", "language", "word_count", "change", "confidence"),
        filters={
            "q": Filter(label="title", where=_like("title")),
            "words": Filter(label="words in text", where=_like("text")),
            "outlet": Filter(label="outlet", where="outlet = $value"),
            "language": Filter(label="language", where="language = lower($value)"),
            "revised": Filter(label="revised", kind="choice", choices=("yes", "no"),
                              where="(revision > 1) = ($value = 'yes')"),
            **_nights("a"),
            "story": Filter(label="story", kind="id", where="story_id = $value"),
        },
    ),
    "inputs": View(
        name="inputs", title="Inputs and their fates", tables=("inputs",), main="ref",
        select="select ref, url, outlet, fate, step, reason, detail, attempts, article_id, run_id, dt as night "
               "from inputs i where true",
        order="dt desc, run_id desc, ref",
        columns=("ref", "outlet", "fate", "step", "reason", "detail", "night"),
        filters={
            "q": Filter(label="address or file", where=_like("coalesce(url, '') || ' ' || ref")),
            "outlet": Filter(label="outlet", where="outlet = $value"),
            "fate": Filter(label="fate", kind="choice", choices=tuple(Fate), where="fate = $value"),
            "reason": Filter(label="reason", where="reason = $value"),
            **_nights("i"),
        },
    ),
}  # fmt: skip


HEADS = {
    "text": "quote", "published_at": "published", "n_articles": "articles", "n_independent": "independent",
    "n_outlets": "outlets", "n_quotes": "quotes", "types": "kinds of event", "place_name": "place",
    "place_country": "country", "date_start": "from", "modality": "told as", "word_count": "words", "ref": "input",
}  # fmt: skip
"""Heads of the page's columns where they are not the column's name."""


def _value(name: str, one: Filter, text: str) -> Any:
    try:
        if one.kind == "date":
            return dt.date.fromisoformat(text)
        if one.kind == "number":
            return float(text)
    except ValueError:
        wanted = "a date as YYYY-MM-DD" if one.kind == "date" else "a number"
        raise FilterError(f"{one.label} ({name}): {text[:60]!r} is not {wanted}") from None
    if one.kind == "choice" and text not in one.choices:
        raise FilterError(f"{one.label} ({name}): {text[:60]!r} is none of {', '.join(one.choices)}")
    return text


def query(view: View, asked: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """SQL and its parameters for a view with the filters that are set. Raises FilterError."""
    sql, values = view.select, {}
    for name, one in view.filters.items():
        text = asked.get(name, "").strip()
        if text:
            sql += " and " + one.where.replace("$value", f"${name}")
            values[name] = _value(name, one, text)
    return sql, values


def count(db: Any, view: View, asked: Mapping[str, str]) -> int:
    """Rows that the filters let through."""
    sql, values = query(view, asked)
    return int(db.execute(f"select count(*) from ({sql})", values).fetchone()[0])


def page(db: Any, view: View, asked: Mapping[str, str], number: int) -> list[dict[str, Any]]:
    """Rows of one page, counted from 0."""
    sql, values = query(view, asked)
    return rows_of(db, f"{sql} order by {view.order} limit {PAGE_ROWS} offset {PAGE_ROWS * number}", **values)


def batches(db: Any, view: View, asked: Mapping[str, str]) -> Iterator[Any]:
    """All rows that the filters let through, as Arrow record batches, at most MOST_ROWS."""
    sql, values = query(view, asked)
    yield from snapshots.batches(db, f"{sql} order by {view.order} limit {MOST_ROWS}", **values)
