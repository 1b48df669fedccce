"""The merges of a night put into its rows, and taken back out: pure functions over Arrow tables.

The log has one row for each source of an article that got another id: what it was, what it is, why, what the row it
joined was, and which cells of which rows named it, so that `undone` can make the rows as they were.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

LOG = pa.schema(
    [("source_id", pa.string()), ("article_id", pa.string()), ("into", pa.string()), ("name", pa.string()),
     ("into_name", pa.string()), ("reason", pa.string()), ("likeness", pa.float64()),
     ("row", pa.string()), ("into_row", pa.string()),
     ("cells", pa.list_(pa.struct([("table", pa.string()), ("column", pa.string()), ("id", pa.string())])))]
)  # fmt: skip
"""`row`: the source's row before the merge, JSON; `into_row`: that of the source it is merged into, null if the article
had none; `cells`: where quotes and events named it."""
KEYS = {"quotes": "quote_id", "events": "event_id"}

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


def cells_of(table: str, rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[dict[str, str]]]:
    """(article_id, source_id) -> the cells of quotes or events that name the source."""
    out: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        for column, value in row.items():
            if column.endswith("source_id") and value is not None:
                out[row["article_id"], value].append({"table": table, "column": column, "id": row[KEYS[table]]})
    return out


def undone(table: str, data: pa.Table, log: Sequence[Mapping[str, Any]], apart: Collection[str]) -> pa.Table:
    """A night's `sources`, `quotes` or `events` as they would be without the merges of the sources `apart`.

    `log`: all merges of the night. The other merges stay, those into the same row of an article as well.
    """
    taken = [entry for entry in log if entry["source_id"] in apart]
    if table == "sources":
        return _sources_undone(data, log, taken, apart)
    old = {
        (c["column"], c["id"]): (e["into"], e["source_id"]) for e in taken for c in e["cells"] if c["table"] == table
    }
    ids = data[KEYS[table]].to_pylist()
    for column in dict.fromkeys(column for column, _ in old):
        values = data[column].to_pylist()
        for k, key in enumerate(ids):
            into, was = old.get((column, key), (None, None))
            if into is not None and values[k] == into:
                values[k] = was
        at = data.schema.get_field_index(column)
        data = data.set_column(at, data.schema.field(column), pa.array(values, pa.string()))
    return data


def _sources_undone(
    data: pa.Table, log: Sequence[Mapping[str, Any]], taken: Sequence[Mapping[str, Any]], apart: Collection[str]
) -> pa.Table:
    rows = {(r["source_id"], r["article_id"]): r for r in data.to_pylist()}
    for key in dict.fromkeys((e["into"], e["article_id"]) for e in taken):
        joined = [e for e in log if (e["into"], e["article_id"]) == key]
        stay = [{**json.loads(e["row"]), "source_id": key[0]} for e in joined if e["source_id"] not in apart]
        stay += [json.loads(e["into_row"]) for e in joined[:1] if e["into_row"] is not None]
        rows.pop(key, None)
        if stay:
            left = stay[0]
            for row in stay[1:]:
                left = _one(left, row)
            rows[key] = left
    rows |= {(e["source_id"], e["article_id"]): json.loads(e["row"]) for e in taken}
    return pa.Table.from_pylist(list(rows.values()), schema=data.schema)
