"""What joins rows over articles: utterances told in several of them, and stories.

Runs once a run, after every shard was extracted, over what the workers noted of each article (keys.py). Sources of
different articles that are one get one id here, see sources/links.py; every such merge is logged.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.strip import articles_file
from tasks.extract.events.stories import MAX_MEMBERS, KnownStory, StoryKey, assign_stories, story_key
from tasks.extract.keys import read_keys, read_speech
from tasks.extract.quotes.groups import QuoteKey, group_quotes
from tasks.extract.quotes.utterances import Speech
from tasks.extract.sources.links import Bearer, Seen, bearer_in, company_of, link_sources, remember, seen_of
from tasks.extract.sources.merges import KEYS, LOG, cells_of
from tasks.settings import ExtractSettings

Files = Mapping[str, list[Path]]
Merged = Mapping[tuple[str, str], tuple[str, str]]
"""(article_id, source_id) -> id and name of the source it is merged into."""


def link(work: Path, shards: list[str], window: Files, rules: ExtractSettings) -> tables.ShardReport:
    """Write `work/quote_groups.parquet`, `work/stories.parquet` and `work/event_stories.parquet`: id -> group or story.

    `window`: published files of articles, quotes, sources and events of the nights in which a group or story can go on.
    """
    new = {t: [work / "extract" / s / f"{t}.parquet" for s in shards] for t in ("quotes", "sources", "events")}
    stories: dict[str, str] = {}
    keys: list[StoryKey] = []
    seen: list[Seen] = []
    happened: list[tuple[str, str]] = []  # event and its article
    seen_at: dict[str, dt.datetime | None] = {}
    for shard in shards:
        of_article = {k.article_id: k for k in read_keys(work / "extract" / shard)}
        for article_id, language, copy_group in _settled(work, shard):
            key = of_article.get(article_id)
            if key is not None:
                seen += key.sources
                happened += [(event_id, article_id) for event_id in key.happened]
                seen_at[article_id] = key.seen_at
            if key is not None and language in rules.languages:
                keys.append(replace(key.story, copy_group=copy_group))
            else:  # what words are telling is known for these languages alone: elsewhere only copies are one story
                stories[article_id] = tables.make_id("s", copy_group)
    stories |= assign_stories(keys, _known_stories(window, rules.languages), days=rules.story_days)[0]
    del keys
    _write(work / "stories.parquet", "article_id", "story_id", stories)
    _write(work / "event_stories.parquet", "event_id", "story_id", {e: stories[a] for e, a in happened})
    merged = _write_merges(work, seen, new, window, rules)
    del seen
    fresh = list(_fresh_quotes(work, shards, new["sources"], seen_at, merged))
    groups = group_quotes(itertools.chain(fresh, _known_quotes(window, merged)), _known_groups(window))
    ours = {k.quote_id: groups[k.quote_id] for k in fresh}
    _write(work / "quote_groups.parquet", "quote_id", "quote_group", ours)
    return tables.ShardReport(step="link", shard_id="all", seen=len(stories), used=len(stories), rejected=0)


def _events_of(paths: Iterable[Path]) -> dict[str, list[tables.Event]]:
    """Real events by article, without their count spans."""
    columns = [n for n in tables.schema("events").names if n != "count_spans"]
    out: dict[str, list[tables.Event]] = defaultdict(list)
    for row in _rows(paths, columns):
        if row["modality"] in tables.REAL:
            out[row["article_id"]].append(tables.Event(**row, count_spans=[]))
    return out


def _settled(work: Path, shard: str) -> Iterator[tuple[str, str | None, str]]:
    """article_id, language and copy_group of a shard's articles that are kept."""
    verdicts = pq.read_table(work / "settled" / f"{shard}.parquet", columns=["article_id", "copy_group", "kept"])
    languages = pq.read_table(articles_file(work, shard), columns=["language"])["language"].to_pylist()
    for row, language in zip(verdicts.to_pylist(), languages, strict=True):
        if row["kept"]:
            yield row["article_id"], language, row["copy_group"]


def _known_stories(window: Files, languages: list[str]) -> Iterator[KnownStory]:
    """Stories of the window's nights, made again from their articles and events."""
    members: dict[str, list[StoryKey]] = defaultdict(list)
    columns = [n for n in tables.schema("articles").names if n not in ("removed", "raw_ref")]
    for articles, events in zip(window["articles"], window["events"], strict=True):
        happened = _events_of([events])
        for row in _rows([articles], columns):
            article = tables.Article(**row, removed=[], raw_ref=None)
            if article.language not in languages or article.story_id is None:
                continue
            if len(members[article.story_id]) < MAX_MEMBERS:
                key = story_key(article, happened[article.article_id])
                members[article.story_id].append(replace(key, copy_group=article.copy_group))
    for story_id, keys in members.items():
        yield KnownStory(story_id=story_id, members=tuple(keys))


def _write(path: Path, key: str, value: str, pairs: Mapping[str, str]) -> None:
    ids = sorted(pairs)
    data = pa.table({key: pa.array(ids, pa.string()), value: pa.array([pairs[i] for i in ids], pa.string())})
    pq.write_table(data, path)


def _rows(files: Iterable[Path], columns: list[str]) -> Iterator[dict[str, Any]]:
    """Rows with these columns; one that a night was written without is None."""
    for path in files:
        with pq.ParquetFile(path) as file:
            later = dict.fromkeys(set(columns) - set(file.schema_arrow.names))
            for batch in file.iter_batches(batch_size=10_000, columns=columns):
                for row in batch.to_pylist():
                    yield row | later if later else row


def _fresh_quotes(
    work: Path, shards: list[str], sources: list[Path], seen_at: Mapping[str, dt.datetime | None], merged: Merged
) -> Iterator[QuoteKey]:
    """Keys of the run's quotes that can be known again, their sources as they are after the run's merges."""
    for shard, path in zip(shards, sources, strict=True):
        names = _names([path])
        said = read_speech(work / "extract" / shard)
        quotes = work / "extract" / shard / "quotes.parquet"
        for r in _rows([quotes], ["quote_id", "article_id", "kind", "source_id"]):
            speech = said.get(r["quote_id"])
            if speech is not None:
                yield _quote_key(r, names, seen_at, merged, speech=speech)


def _known_quotes(window: Files, merged: Merged) -> Iterator[QuoteKey]:
    """Keys of the window's quotes."""
    seen_at: dict[str, dt.datetime | None] = {}
    for r in _rows(window["articles"], ["article_id", "published_at", "fetched_at"]):
        seen_at[r["article_id"]] = r["published_at"] or r["fetched_at"]
    names = _names(window["sources"])
    columns = ["quote_id", "article_id", "text", "start", "parts", "kind", "source_id"]
    for r in _rows(window["quotes"], columns):
        pieces = [r["text"][p["start"] - r["start"] : p["end"] - r["start"]] for p in r["parts"]]
        yield _quote_key(r, names, seen_at, merged, text=" ".join(pieces) or r["text"])


Names = Mapping[tuple[str, str], str]
"""(article_id, source_id) -> name, of sources that have one."""


def _names(files: Iterable[Path]) -> Names:
    rows = _rows(files, ["article_id", "source_id", "name", "named"])
    return {(r["article_id"], r["source_id"]): r["name"] for r in rows if r["named"]}


def _quote_key(
    row: dict[str, Any],
    names: Names,
    seen_at: Mapping[str, dt.datetime | None],
    merged: Merged,
    *,
    text: str = "",
    speech: Speech | None = None,
) -> QuoteKey:
    place = (row["article_id"], row["source_id"])
    key = QuoteKey(
        quote_id=row["quote_id"],
        article_id=row["article_id"],
        text=text,
        kind=row["kind"],
        source_id=row["source_id"],
        source=names.get(place),
        seen_at=seen_at.get(row["article_id"]),
        speech=speech,
    )
    into = merged.get(place)
    return key.renamed(*into) if into else key


def _write_merges(work: Path, seen: list[Seen], new: Files, window: Files, rules: ExtractSettings) -> Merged:
    """`work/source_merges.parquet`: sources of the run that get another's id, with the rows and quotes they had."""
    whole: dict[str, list[str]] = defaultdict(list)  # the articles of each source
    for s in seen:
        whole[s.source_id].append(s.article_id)
    merges = link_sources(seen, _known_bearers(window), frozenset(rules.keep_apart))
    touched = {a for m in merges for a in ([m.article_id] if m.article_id else whole[m.source_id])}
    cells = _cells(new)
    before = {
        (r["article_id"], r["source_id"]): r
        for r in _rows(new["sources"], tables.schema("sources").names) if r["article_id"] in touched
    }  # fmt: skip
    log: list[dict[str, Any]] = []
    for m in merges:
        for article_id in [m.article_id] if m.article_id else whole[m.source_id]:
            key = (article_id, m.source_id)
            own = before.get((article_id, m.into))
            log.append({**asdict(m), "article_id": article_id, "row": json.dumps(before[key], ensure_ascii=False),
                        "into_row": json.dumps(own, ensure_ascii=False) if own else None,
                        "cells": cells[key]})  # fmt: skip
    pq.write_table(pa.Table.from_pylist(log, schema=LOG), work / "source_merges.parquet")
    return {(entry["article_id"], entry["source_id"]): (entry["into"], entry["into_name"]) for entry in log}


def _cells(new: Files) -> dict[tuple[str, str], list[dict[str, str]]]:
    """(article_id, source_id) -> the cells of the run's quotes and events that name the source."""
    out: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for table, key in KEYS.items():
        columns = [n for n in tables.schema(table).names if n.endswith("source_id")]
        for place, found in cells_of(table, _rows(new[table], [key, "article_id", *columns])).items():
            out[place] += found
    return out


def _seen_in(path: Path, texts: Iterable[tuple[str, str]]) -> Iterator[tuple[tables.Source, Seen]]:
    """The sources of a file that linking can use, with what it needs of the text of their article."""
    found: dict[str, list[tables.Source]] = defaultdict(list)
    for r in _rows([path], tables.schema("sources").names):
        spans = [tables.Span(**m) for m in r.pop("mentions")]
        found[r["article_id"]].append(tables.Source(**r, mentions=spans))
    for article_id, text in texts:
        if article_id in found:
            company = company_of(text)
            for source in found[article_id]:
                if (seen := seen_of(text, source, company)) is not None:
                    yield source, seen


def _known_bearers(window: Files) -> Iterator[Bearer]:
    """Full names of earlier nights: with their company from the window's articles, else from the index of sources."""
    out: dict[str, Bearer] = {}
    for articles, sources in zip(window["articles"], window["sources"], strict=True):
        texts = ((r["article_id"], r["text"]) for r in _rows([articles], ["article_id", "text"]))
        for _, seen in _seen_in(sources, texts):
            bearer_in(out, seen)
    columns = ["source_id", "name", "kind", "roles", "affiliations", "n_articles"]
    for r in _rows(window.get("source_index", []), columns):
        remember(out, r)
    yield from out.values()


def _known_groups(window: Files) -> dict[str, str]:
    return {
        r["quote_id"]: r["quote_group"]
        for r in _rows(window["quotes"], ["quote_id", "quote_group"])
        if r["quote_group"] is not None
    }
