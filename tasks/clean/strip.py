"""Counts what each outlet repeats, over the nights, and cuts it from this night's articles: between clean and settle.

The counts are one table (PIECES): for every outlet a row of its articles, piece null, and at most MAX_PIECES rows of
pieces. Each night's table is the one before it, faded, with the night's articles counted in; an article counts once,
when it is first seen, and of its copies only one does. DuckDB counts, so that a night of any size fits in memory.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.identity import article_id, content_hash
from tasks.clean.repeated import FORGET, HALF_LIFE_DAYS, MAX_PIECES, Piece, cut, is_furniture
from tasks.settings import CleanSettings

MARKS = pa.schema(
    [
        ("row", pa.int32()),  # of the shard's articles
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("piece", pa.int64()),
        ("edge", pa.bool_()),
        ("theme", pa.int8()),
        ("asks", pa.bool_()),
    ]
)
PIECES = pa.schema(
    [
        ("outlet", pa.string()),
        ("piece", pa.int64()),  # null: the row of the outlet's articles
        ("night", pa.date32()),  # up to which the sums have faded
        ("articles", pa.float64()),
        ("edges", pa.float64()),
        ("theme", pa.float64()),
        ("asks", pa.float64()),
    ]
)

Place = tuple[str, int]
"""Shard and row of an article."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stripped:
    """One article after the cut."""

    article_id: str
    content_hash: str
    text: str
    word_count: int


def articles_file(work: Path, shard: str) -> Path:
    """The articles of a cleaned shard, without what their outlets repeat where that was cut."""
    stripped = work / "stripped" / f"{shard}.parquet"
    return stripped if stripped.is_file() else work / "clean" / shard / "articles.parquet"


def strip(
    work: Path,
    outlets: dict[Place, str],
    counted: Iterable[Place],
    before: Path | None,
    night: dt.date,
    rules: CleanSettings,
) -> dict[Place, Stripped]:
    """Count the night, write `work/repeats.parquet`, and cut: `work/stripped/<shard>.parquet` where a shard lost any.

    `outlets`: of every article that has one. `counted`: which of them are new and no copies of one another. `before`:
    the table of the last night before this one. The answer does not depend on the order or the size of the shards.
    """
    shutil.rmtree(work / "stripped", ignore_errors=True)  # of an earlier try, which may have known less
    shards = sorted({shard for shard, _ in outlets})
    files = {s: str(work / "clean" / s / "marks.parquet") for s in shards}
    with duckdb.connect(config={"memory_limit": "1500MB", "threads": 2, "temp_directory": str(work / "tmp")}) as db:
        chosen = set(counted)
        rows = [
            {"file": files[s], "shard": s, "row": r, "outlet": o, "counts": (s, r) in chosen}
            for (s, r), o in outlets.items()
        ]
        db.register("places", pa.Table.from_pylist(rows, schema=_PLACES))
        db.register("known", pq.read_table(before) if before else PIECES.empty_table())
        db.read_parquet(list(files.values()), filename=True).create_view("marks")
        db.execute(_MARKED)
        db.execute(_COUNTED, {"night": night, "half_life": HALF_LIFE_DAYS, "forget": FORGET, "most": MAX_PIECES})
        _save(db, work)
        spans = _spans(db, rules)
    return {
        place: done for shard, of_rows in spans.items() for place, done in _strip_shard(work, shard, of_rows).items()
    }


_PLACES = pa.schema(
    [
        ("file", pa.string()),
        ("shard", pa.string()),
        ("row", pa.int32()),
        ("outlet", pa.string()),
        ("counts", pa.bool_()),
    ]
)
_MARKED = """
create temp view marked as
select p.shard, p.outlet, p.counts, m.* exclude (filename)
from marks m join places p on p.file = m.filename and p.row = m.row
"""
# what was known, faded by the days since, and the night; of equal counts the smaller hash stays, so that a rare piece
# of that range is counted over the nights as well as one that is seen twice at once
_COUNTED = """
create temp table counted as
with faded as (
    select *, pow(0.5, greatest(0, date_diff('day', night, $night::date)) / $half_life) as keep from known
),
sums as (
    select outlet, piece, articles * keep as articles, edges * keep as edges, theme * keep as theme,
        asks * keep as asks
    from faded where articles * keep >= $forget
    union all
    select outlet, null, count(*), 0, 0, 0 from places where counts group by outlet
    union all
    select outlet, piece, count(*), count(*) filter (edge), sum(theme), count(*) filter (asks)
    from marked where counts group by outlet, piece
),
totals as (
    select outlet, piece, $night::date as night, sum(articles) as articles, sum(edges) as edges, sum(theme) as theme,
        sum(asks) as asks
    from sums group by outlet, piece
)
select * from totals
qualify piece is null or row_number() over (
    partition by outlet, piece is null order by articles desc, piece
) <= $most
"""
_FREQUENT = """
select c.outlet, c.piece, c.articles, c.edges, c.theme, c.asks, t.articles as total
from counted c join counted t on t.outlet = c.outlet and t.piece is null
where c.piece is not null and c.articles >= $least
"""
_HITS = """
select m.shard, m.row, m.start, m."end" from marked m join furniture f on f.outlet = m.outlet and f.piece = m.piece
order by all
"""


def _save(db: Any, work: Path) -> None:
    table = db.sql("select * from counted order by outlet, piece nulls first").to_arrow_table()
    pq.write_table(table.cast(PIECES), work / "repeats.parquet", compression="zstd")


def _spans(db: Any, rules: CleanSettings) -> dict[str, dict[int, list[tuple[int, int]]]]:
    """Shard -> row -> spans to cut."""
    frequent = db.execute(_FREQUENT, {"least": rules.repeat_articles}).fetchall()
    found = [
        {"outlet": outlet, "piece": piece}
        for outlet, piece, articles, edges, theme, asks, total in frequent
        if is_furniture(Piece(articles=articles, edges=edges, theme=theme, asks=asks), total, rules)
    ]
    spans: dict[str, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    if found:
        db.register(
            "furniture", pa.Table.from_pylist(found, schema=pa.schema([PIECES.field("outlet"), PIECES.field("piece")]))
        )
        for shard, row, start, end in db.execute(_HITS).fetchall():
            spans[shard][row].append((start, end))
    return spans


def _strip_shard(work: Path, shard: str, spans: dict[int, list[tuple[int, int]]]) -> dict[Place, Stripped]:
    """Write `work/stripped/<shard>.parquet`, the shard's articles after the cut; answers those that lost something."""
    data = pq.read_table(work / "clean" / shard / "articles.parquet")
    columns = {
        name: data[name].to_pylist()
        for name in ("title", "text", "removed", "article_key", "article_id", "content_hash", "word_count")
    }
    done: dict[Place, Stripped] = {}
    for row, of_row in spans.items():
        before = columns["text"][row]
        text, removed = cut(before, [tables.Removed(**r) for r in columns["removed"][row]], of_row)
        if text == before:
            continue
        digest = content_hash(columns["title"][row], text)
        name = article_id(columns["article_key"][row], digest)
        size = len(re.findall(r"\w+", text))
        columns["text"][row], columns["removed"][row] = text, [asdict(r) for r in removed]
        columns["article_id"][row], columns["content_hash"][row], columns["word_count"][row] = name, digest, size
        done[shard, row] = Stripped(article_id=name, content_hash=digest, text=text, word_count=size)
    if done:
        for name in ("text", "removed", "article_id", "content_hash", "word_count"):
            at = data.schema.get_field_index(name)
            data = data.set_column(at, data.schema.field(at), pa.array(columns[name], data.schema.field(at).type))
        _write_whole(work / "stripped" / f"{shard}.parquet", data)
    return done


def _write_whole(path: Path, data: pa.Table) -> None:
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(path.name + ".part")
    pq.write_table(data, draft, compression="lz4")
    os.replace(draft, path)
