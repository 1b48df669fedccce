"""What `link` needs of an article: worked out beside its extraction, by the workers, so that link reads little.

Two files of a shard's folder: `keys.parquet` (KEYS), a row an article, and `speech.parquet` (SPEECH), a row for
each quote that has words enough to be known again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.extract.events.happening import of_main_happening
from tasks.extract.events.stories import StoryKey, story_key
from tasks.extract.quotes.groups import identifies, key_of
from tasks.extract.quotes.utterances import Speech, utterance_of
from tasks.extract.sources.links import Seen, company_of, seen_of

KEYS = pa.schema(
    [
        ("article_id", pa.string()),
        ("seen_at", pa.timestamp("us", tz="UTC")),  # published, else fetched
        ("story", pa.string()),  # its StoryKey as JSON
        ("happened", pa.list_(pa.string())),  # event ids of its main happening
        ("company", pa.list_(pa.uint64())),
        ("sources", pa.string()),  # Seen of its sources as JSON, without their company
    ]
)
SPEECH = pa.schema(
    [
        ("quote_id", pa.string()),
        ("words", pa.string()),
        ("weights", pa.list_(pa.float64())),
        ("pieces", pa.list_(pa.int16())),
    ]
)
FILES = ("keys.parquet", "speech.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkKey:
    """One article as link sees it."""

    article_id: str
    seen_at: dt.datetime | None
    story: StoryKey
    happened: list[str]
    sources: list[Seen]


def link_key(
    article: tables.Article, sources: Sequence[tables.Source], events: Sequence[tables.Event]
) -> dict[str, Any]:
    """The row of KEYS of an article and its rows."""
    seen = [s for s in (seen_of(article.text, source, frozenset()) for source in sources) if s is not None]
    return {
        "article_id": article.article_id,
        "seen_at": article.published_at or article.fetched_at,
        "story": _story_json(story_key(article, events)),
        "happened": [e.event_id for e in of_main_happening(events)],
        "company": sorted(company_of(article.text)) if seen else [],
        "sources": _seen_json(seen),
    }


def speech_rows(quotes: Sequence[tables.Quote]) -> Iterator[dict[str, Any]]:
    """The rows of SPEECH of an article's quotes."""
    for quote in quotes:
        u = utterance_of(key_of(quote, None, None))
        if identifies(u):
            yield {
                "quote_id": quote.quote_id, "words": " ".join(u.words), "weights": u.weights, "pieces": u.pieces,
            }  # fmt: skip


def write_keys(folder: Path, keys: list[dict[str, Any]], said: list[dict[str, Any]]) -> None:
    for name, rows, schema in zip(FILES, (keys, said), (KEYS, SPEECH), strict=True):
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / name, compression="lz4")


def has_keys(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def read_keys(folder: Path) -> Iterator[LinkKey]:
    """The keys of a shard's articles, in the order of the articles."""
    for row in pq.read_table(folder / FILES[0]).to_pylist():
        company = frozenset(row["company"])
        yield LinkKey(
            article_id=row["article_id"],
            seen_at=row["seen_at"],
            story=_story(json.loads(row["story"])),
            happened=row["happened"],
            sources=[_seen(s, company) for s in json.loads(row["sources"])],
        )


def read_speech(folder: Path) -> dict[str, Speech]:
    """quote_id -> its speech, for the quotes of a shard that can be known again."""
    return {
        row["quote_id"]: Speech.of(row["words"].split(), row["weights"], row["pieces"])
        for row in pq.read_table(folder / FILES[1]).to_pylist()
    }


def _story_json(key: StoryKey) -> str:
    """The key without its copy_group, which settle knows."""
    data = {
        "article_id": key.article_id,
        "day": key.day.isoformat() if key.day else None,
        "title": sorted(key.title),
        "names": sorted(key.names),
        "terms": key.terms,
        "pairs": sorted(key.pairs),
        "anchors": [(day.isoformat(), sorted(words)) for day, words in key.anchors],
        "happenings": sorted(key.happenings),
    }
    return json.dumps(data, ensure_ascii=False)


def _seen_json(seen: Sequence[Seen]) -> str:
    names = [f.name for f in fields(Seen) if f.name not in ("short", "company")]
    data = [{n: getattr(s, n) for n in names} | {"short": sorted(s.short)} for s in seen]
    return json.dumps(data, ensure_ascii=False)


def _story(data: dict[str, Any]) -> StoryKey:
    return StoryKey(
        article_id=data["article_id"],
        day=dt.date.fromisoformat(data["day"]) if data["day"] else None,
        title=frozenset(data["title"]),
        names=frozenset(data["names"]),
        terms=tuple((w, n) for w, n in data["terms"]),
        pairs=frozenset(data["pairs"]),
        anchors=tuple((dt.date.fromisoformat(day), frozenset(words)) for day, words in data["anchors"]),
        happenings=frozenset((kind, place) for kind, place in data["happenings"]),
    )


def _seen(data: dict[str, Any], company: frozenset[int]) -> Seen:
    return Seen(**data | {"short": frozenset(data["short"]), "company": company})
