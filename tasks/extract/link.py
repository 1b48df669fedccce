"""What joins rows over articles: utterances told in several of them, and stories.

Runs once a run, after every shard was extracted, over light columns only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.extract.quotes.groups import QuoteKey, group_quotes

Files = Mapping[str, list[Path]]


def link(work: Path, shards: list[str], window: Files) -> tables.ShardReport:
    """Write `work/quote_groups.parquet`, `work/stories.parquet` and `work/event_stories.parquet`: id -> group or story.

    `window`: published files of articles, quotes, events and sources of the nights in which a group or story can go on.
    """
    new = {t: [work / "extract" / s / f"{t}.parquet" for s in shards] for t in ("quotes", "sources", "events")}
    new["articles"] = [work / "clean" / s / "articles.parquet" for s in shards]
    return tables.ShardReport(step="link", shard_id="all", seen=0, used=0, rejected=0)


def _rows(files: Iterable[Path], columns: list[str]) -> Iterator[dict[str, Any]]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=10_000, columns=columns):
                yield from batch.to_pylist()


def _quote_keys(files: Files, seen_at: Mapping[str, dt.datetime | None]) -> Iterator[QuoteKey]:
    names = {
        (r["article_id"], r["source_id"]): r["name"]
        for r in _rows(files["sources"], ["article_id", "source_id", "name", "named"])
        if r["named"]
    }
    for r in _rows(files["quotes"], ["quote_id", "article_id", "text", "start", "parts", "kind", "source_id"]):
        pieces = [r["text"][p["start"] - r["start"] : p["end"] - r["start"]] for p in r["parts"]]
        yield QuoteKey(
            quote_id=r["quote_id"],
            article_id=r["article_id"],
            text=" ".join(pieces) or r["text"],
            kind=r["kind"],
            source_id=r["source_id"],
            source=names.get((r["article_id"], r["source_id"])),
            seen_at=seen_at.get(r["article_id"]),
        )
