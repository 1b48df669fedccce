"""What link reads of a shard is what the articles themselves would give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.settle import SETTLED
from tasks.extract.events.happening import of_main_happening
from tasks.extract.events.stories import story_key
from tasks.extract.keys import has_keys, read_keys, read_speech
from tasks.extract.quotes.utterances import speech_of
from tasks.extract.sources.links import company_of, seen_of
from tasks.extract.task import extract_shard
from tasks.settings import ExtractSettings
from tests.rows import article

ARTICLES = [
    article(
        "Gunmen killed 12 miners near Alcorra on Monday, the police chief, Ann Lee, said.\n"
        "“We will not rest until the gunmen of Alcorra are found,” Mrs Lee told reporters. The Verano Mining Board (VMB) "
        "said that it had closed all of its pits near the town for a week."
    ),
    article("Nobody said a word."),
    article("Der Hafen bleibt am Montag geschlossen, sagte die Bürgermeisterin.", language="de"),
]


def _extracted(work: Path) -> Path:
    """A shard's folder of these articles."""
    (work / "clean" / "s").mkdir(parents=True)
    (work / "settled").mkdir()
    pq.write_table(tables.to_arrow("articles", ARTICLES), work / "clean" / "s" / "articles.parquet")
    rows = [dict.fromkeys(SETTLED.names) | {"article_id": a.article_id, "kept": True} for a in ARTICLES]
    pq.write_table(pa.Table.from_pylist(rows, schema=SETTLED), work / "settled" / "s.parquet")
    extract_shard("s", work, ExtractSettings())
    return work / "extract" / "s"


def test_keys_of_a_shard_are_those_of_its_articles(tmp_path: Path) -> None:
    folder = _extracted(tmp_path)
    rows = {t: pq.read_table(folder / f"{t}.parquet").to_pylist() for t in ("quotes", "sources", "events")}
    sources = [
        tables.Source(**r | {"mentions": [tables.Span(**m) for m in r["mentions"]]})
        for r in rows["sources"] if r["article_id"] == ARTICLES[0].article_id
    ]  # fmt: skip
    events = [tables.Event(**r | {"count_spans": []}) for r in rows["events"]]
    assert len(sources) >= 2
    assert events
    first, second = read_keys(folder)  # German is not read
    company = company_of(ARTICLES[0].text)
    assert first.story == replace(story_key(ARTICLES[0], events), copy_group=None)
    assert first.seen_at == ARTICLES[0].published_at
    assert first.happened == [e.event_id for e in of_main_happening(events)]
    assert first.sources == [x for s in sources if (x := seen_of(ARTICLES[0].text, s, company)) is not None]
    assert (second.article_id, second.happened, second.sources) == (ARTICLES[1].article_id, [], [])
    long = [q for q in rows["quotes"] if len(q["text"].split()) > 8]
    assert long
    said = read_speech(folder)
    assert [said[q["quote_id"]] for q in long] == [speech_of(q["text"], q["kind"]) for q in long]


def test_a_shard_without_keys_is_extracted_again(tmp_path: Path) -> None:
    folder = _extracted(tmp_path)
    (folder / "keys.parquet").unlink()
    assert not has_keys(folder)
    extract_shard("s", tmp_path, ExtractSettings())
    assert has_keys(folder)
