"""All that the tables hold of one article: for the reader, and to answer "why is it, or is it not, there?"."""

from __future__ import annotations

import functools
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.clean.identity import page_key
from tasks.publish import snapshots
from tasks.publish.store import Store
from tasks.tables import Reason

Row = dict[str, Any]

# Newest revision first. An address is compared as written and in the form that article_key is made from.
_ARTICLES = """
select article_id, article_key, revision, valid_from, change, outlet, title, url, dt, copy_group, is_original
from articles
where article_id = $wanted or article_key in ($wanted, $key) or external_id = $wanted or url = $wanted
   or canonical_url = $wanted
order by revision desc, valid_from desc, dt desc, article_id limit $n
"""
_INPUTS = """
select *, dt as night from inputs
where ref = $wanted or url = $wanted or article_id = $article
   or ends_with('/' || regexp_replace(ref, '#[0-9]+$', ''), '/' || $wanted) or ends_with('/' || ref, '/' || $wanted)
order by dt desc, run_id desc, ref limit $n
"""
# {p} stands before the names of the views: a report reads those of its last nights only.
_ALL_ARTICLES = """
select *, dt as night from {p}articles where article_id in (select unnest($ids))
"""
_ALL_ROWS = {
    "quotes": 'select * from {p}quotes where article_id in (select unnest($ids)) order by start, "end", quote_id',
    "sources": "select * from {p}sources where article_id in (select unnest($ids)) order by n_quotes desc, name, "
    "source_id",
    "events": "select * from {p}events where article_id in (select unnest($ids)) order by start, trigger_start, "
    "event_id",
}
_REVISIONS = """
select article_key, article_id, revision, valid_from, change, title, text, outlet, url from {p}articles
where article_key in (select unnest($keys)) order by revision
"""
_COPIES = """
select copy_group, article_key, article_id, outlet, title, url, published_at, is_original from {p}articles
where copy_group in (select unnest($groups))
order by is_original desc, published_at, article_id
"""
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
MOST = 50
"""Rows shown where there can be many: matches, inputs, copies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One revision of one article with all that belongs to it. Rows are dictionaries, as the tables have them."""

    article: Row
    quotes: list[Row]
    sources: list[Row]
    events: list[Row]
    revisions: list[Row]
    copies: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the tables know of something asked for: an article, or at least what became of the input."""

    reading: Reading | None
    inputs: list[Row]
    others: list[Row]  # further articles that the question fits, e.g. two corpora with the same id


def look_up(store: Store, wanted: str) -> Answer:
    """Look for an article by article_id, article_key, external_id or address, or for an input by its ref.

    Of several revisions the newest is taken; any one can be had by its article_id. The ref of an input may be given by
    its last part, such as a file's name; where that names many articles, their inputs alone are answered.
    """
    with opened(store, ("articles", "quotes", "sources", "events", "inputs")) as db:
        found = rows_of(db, _ARTICLES, wanted=wanted, key=page_key(None, wanted, ""), n=MOST)
        article = found[0]["article_id"] if found else None
        inputs = rows_of(db, _INPUTS, wanted=wanted, article=article, n=MOST)
        if article is None:  # known by its input only; a file of many records names no single one
            named = {r["article_id"] for r in inputs} - {None}
            article = named.pop() if len(named) == 1 else None
        reading = read_many(db, [article]).get(article) if article else None
    keys = {reading.article["article_key"]} if reading else set()
    return Answer(reading=reading, inputs=inputs, others=[r for r in found if r["article_key"] not in keys])


@contextmanager
def opened(store: Store, tables: Iterable[str]) -> Iterator[Any]:
    """A DuckDB connection with a view over each of the tables; nothing is written below the store."""
    files = {t: store.files(t) for t in tables}
    with tempfile.TemporaryDirectory(prefix="nightdesk-") as temp, snapshots.corpus(files, Path(temp) / "spill") as db:
        yield db


def read_many(db: Any, ids: list[str], *, prefix: str = "") -> dict[str, Reading]:
    """Readings of several articles by their article_id, in a handful of queries however many they are.

    `prefix` stands before the names of the views that are asked.
    """
    articles = {r["article_id"]: r for r in rows_of(db, _ALL_ARTICLES.format(p=prefix), ids=ids)}
    if not articles:
        return {}
    of: dict[str, dict[str, list[Row]]] = {}
    for table, sql in _ALL_ROWS.items():
        of[table] = _grouped(rows_of(db, sql.format(p=prefix), ids=list(articles)), "article_id")
    keys = sorted({a["article_key"] for a in articles.values()})
    groups = sorted({a["copy_group"] for a in articles.values()} - {None})
    revisions = _grouped(rows_of(db, _REVISIONS.format(p=prefix), keys=keys), "article_key")
    copies = _grouped(rows_of(db, _COPIES.format(p=prefix), groups=groups), "copy_group") if groups else {}
    return {
        i: Reading(
            article=a,
            revisions=revisions.get(a["article_key"], []),
            copies=[c for c in copies.get(a["copy_group"], []) if c["article_key"] != a["article_key"]][:MOST],
            **{table: rows.get(i, []) for table, rows in of.items()},
        )
        for i, a in articles.items()
    }


def _grouped(rows: list[Row], by: str) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in rows:
        out.setdefault(row[by], []).append(row)
    return out


def rows_of(db: Any, sql: str, **params: object) -> list[Row]:
    """The rows of a query as dictionaries."""
    result = db.execute(sql, params) if params else db.execute(sql)
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an article's text that the same marks cover, or a cut piece that stood at this place."""

    text: str
    marks: tuple[str, ...] = ()
    cut: str | None = None  # why it was cut


def pieces(text: str, marks: Iterable[tuple[int, int, str]], cuts: Iterable[Row] = ()) -> Iterator[Piece]:
    """Split a text where marks (start, end, name) begin and end and where pieces were cut; marks may overlap.

    The uncut pieces, joined, are the text again.
    """
    spans = [(s, e, name) for s, e, name in marks if s < e]
    gone = sorted(cuts, key=lambda c: c["after"])
    edges = sorted({0, len(text)} | {p for s, e, _ in spans for p in (s, e)} | {c["after"] for c in gone})
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    for start, end, name in spans:
        opening.setdefault(start, []).append(name)
        closing.setdefault(end, []).append(name)
    current: list[str] = []
    next_cut = 0
    for left, right in zip(edges, [*edges[1:], None], strict=True):
        while next_cut < len(gone) and gone[next_cut]["after"] <= left:
            yield Piece(gone[next_cut]["text"], cut=gone[next_cut]["why"])
            next_cut += 1
        for name in closing.get(left, ()):
            current.remove(name)
        current += opening.get(left, ())
        if right is not None:
            yield Piece(text[left:right], tuple(sorted(set(current))))


def lines(made: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces by the lines of the text they make, empty lines left out; a cut piece is a line of its own."""
    line: list[Piece] = []
    for piece in made:
        if piece.cut is not None:
            if line:
                yield line
            yield [piece]
            line = []
            continue
        for i, text in enumerate(piece.text.split("\n")):
            if i and line:
                yield line
                line = []
            if text:
                line.append(Piece(text, piece.marks))
    if line:
        yield line


def harmless(text: str) -> str:
    """Text of an article for showing: control characters and writing-direction overrides become visible marks."""
    if text.isascii() and text.isprintable():
        return text
    text = _BIDI.sub("\ufffd", text)
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else "\ufffd" for c in text)


def range_words(pair: tuple[int | None, int | None]) -> str:
    """(min, max) in words: 12, at least 12, up to 90, 12 to 15."""
    low, high = pair
    if low is None:
        return f"up to {high:,}" if high is not None else ""
    if high is None:
        return f"at least {low:,}"
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


@functools.cache
def reason_words() -> dict[Reason, str]:
    """For each reason a sentence: what it means and what can be done."""
    stated = json.loads((Path(__file__).parent / "reasons.json").read_text(encoding="utf-8"))
    return {Reason(name): words for name, words in stated.items()}
