"""The merges of a night put into its rows, and taken back out: pure functions over Arrow tables.

The log has one row for each source of an article that got another id: what it was, what it is, why, and which quotes
and mentions came from it, so that `undone` can make the rows as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from tasks import tables

LOG = pa.schema(
    [("source_id", pa.string()), ("article_id", pa.string()), ("into", pa.string()), ("name", pa.string()),
     ("into_name", pa.string()), ("reason", pa.string()), ("likeness", pa.float64()),
     ("row", pa.string()), ("quote_ids", pa.list_(pa.string()))]
)  # fmt: skip
"""`row`: the source's row before the merge, JSON; `quote_ids`: its quotes."""

Ids = Mapping[tuple[str, str], str]
"""(article_id, source_id) -> the id it is merged into."""


def ids_of(log: pa.Table) -> dict[tuple[str, str], str]:
    keys = zip(log["article_id"].to_pylist(), log["source_id"].to_pylist(), strict=True)
    return dict(zip(keys, log["into"].to_pylist(), strict=True))


def merged(table: str, data: pa.Table, ids: Ids) -> pa.Table:
    """Rows of `sources`, `quotes` or `events` with the merges of their articles in them. A source whose new id its
    article has already joins that row: mentions together, quotes and words summed."""
    if not ids:
        return data
    articles = data["article_id"].to_pylist()
    for name in data.schema.names:
        if name.endswith("source_id"):
            old = data[name].to_pylist()
            new = [ids.get((a, s), s) if s is not None else None for a, s in zip(articles, old, strict=True)]
            if new != old:
                at = data.schema.get_field_index(name)
                data = data.set_column(at, data.schema.field(name), pa.array(new, pa.string()))
    return _joined(data) if table == "sources" else data


def _joined(data: pa.Table) -> pa.Table:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in data.to_pylist():
        key = (row["source_id"], row["article_id"])
        rows[key] = _one(rows[key], row) if key in rows else row
    if len(rows) == data.num_rows:
        return data
    return pa.Table.from_pylist(list(rows.values()), schema=data.schema)


def _one(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Two rows of one source in one article: the named and longer name leads."""
    first, second = sorted((a, b), key=lambda r: (not r["named"], -len(r["name"]), r["name"]))
    spans = {(m["start"], m["end"]) for r in (a, b) for m in r["mentions"]}
    return {
        **first,
        "named": a["named"] or b["named"],
        "role": first["role"] or second["role"],
        "affiliation": first["affiliation"] or second["affiliation"],
        "mentions": [{"start": s, "end": e} for s, e in sorted(spans)],
        "n_quotes": a["n_quotes"] + b["n_quotes"],
        "quoted_words": a["quoted_words"] + b["quoted_words"],
    }


def undone(sources: pa.Table, quotes: pa.Table, log: Iterable[Mapping[str, Any]]) -> tuple[pa.Table, pa.Table]:
    """The tables of a night as they were before the merges in `log`. Other merges stay."""
    import json

    rows = {(r["source_id"], r["article_id"]): r for r in sources.to_pylist()}
    owner: dict[str, str] = {}
    for entry in log:
        was = json.loads(entry["row"])
        owner.update(dict.fromkeys(entry["quote_ids"], entry["source_id"]))
        left = rows.pop((entry["into"], entry["article_id"]), None)
        if left is not None and left["n_quotes"] > was["n_quotes"]:
            gone = [m for m in was["mentions"] if m in left["mentions"]]
            rows[entry["into"], entry["article_id"]] = {
                **left,
                "mentions": [m for m in left["mentions"] if m not in gone],
                "n_quotes": left["n_quotes"] - was["n_quotes"],
                "quoted_words": left["quoted_words"] - was["quoted_words"],
            }
        rows[entry["source_id"], entry["article_id"]] = was
    ids = [
        owner.get(q, s) for q, s in zip(quotes["quote_id"].to_pylist(), quotes["source_id"].to_pylist(), strict=True)
    ]
    at = quotes.schema.get_field_index("source_id")
    quotes = quotes.set_column(at, quotes.schema.field("source_id"), pa.array(ids, pa.string()))
    return pa.Table.from_pylist(list(rows.values()), schema=tables.schema("sources")), quotes
