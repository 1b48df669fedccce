"""The extract step at the grain of a shard: settled articles in, their quotes, sources and events out."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.strip import articles_file
from tasks.clean.task import peak_memory_bytes
from tasks.extract.checks import check_article
from tasks.extract.events import find_events
from tasks.extract.keys import has_keys, link_key, speech_rows, write_keys
from tasks.extract.language import load_model, parse, parse_all
from tasks.extract.quotes import find_quotes
from tasks.files import put_in_place
from tasks.settings import ExtractSettings

log = logging.getLogger(__name__)

FAILED = pa.schema([("article_id", pa.string()), ("detail", pa.string())])


@dataclass(slots=True)
class Found:
    """Rows of one shard."""

    quotes: list[tables.Quote] = field(default_factory=list)
    sources: list[tables.Source] = field(default_factory=list)
    events: list[tables.Event] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    speech: list[dict[str, Any]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)  # (article_id, what went wrong)

    def tables(self) -> Iterator[tuple[str, list[Any]]]:
        yield from (("quotes", self.quotes), ("sources", self.sources), ("events", self.events))


def extract_shard(shard_id: str, work: Path, rules: ExtractSettings) -> tables.ShardReport:
    """Extract one settled shard into `work/extract/<shard_id>/{quotes,sources,events,failed}.parquet`, beside what link
    needs of it (keys.py).

    Group and story columns are still null. Articles in a language outside rules.languages pass through without rows.
    A shard whose folder is there was finished by an earlier try and is skipped, unless other articles are kept of it
    now, because another run published some of them in between, or an earlier version left no keys.
    """
    begun = time.monotonic()
    folder = work / "extract" / shard_id
    articles = list(settled_articles(work, shard_id))
    kept = "\n".join(a.article_id for a in articles)
    if folder.is_dir() and ((folder / "kept").read_text(encoding="utf-8") != kept or not has_keys(folder)):
        shutil.rmtree(folder)
    if not folder.is_dir():
        draft = folder.with_name(folder.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        (draft / "kept").write_text(kept, encoding="utf-8")
        found = _extract(articles, rules)
        for table, rows in found.tables():
            pq.write_table(tables.to_arrow(table, rows), draft / f"{table}.parquet", compression="lz4")
        write_keys(draft, found.keys, found.speech)
        faults = [dict(zip(FAILED.names, pair, strict=True)) for pair in found.failed]
        pq.write_table(pa.Table.from_pylist(faults, schema=FAILED), draft / "failed.parquet")
        put_in_place(draft, folder)
    rows = sum(pq.read_metadata(folder / f"{t}.parquet").num_rows for t in ("quotes", "sources", "events"))
    failed = pq.read_metadata(folder / "failed.parquet").num_rows
    report = tables.ShardReport(
        step="extract",
        shard_id=shard_id,
        seen=len(articles),
        used=len(articles) - failed,
        rejected=failed,
        rows=rows,
        seconds=time.monotonic() - begun,
        peak_memory_bytes=peak_memory_bytes(),
    )
    log.info("extract %s: %d articles, %d rows, %.1f s", shard_id, len(articles), rows, report.seconds)
    return report


def settled_articles(work: Path, shard_id: str) -> Iterator[tables.Article]:
    """The articles of a shard that are kept, with their final ids; `removed` and `raw_ref` are left out."""
    verdicts = pq.read_table(work / "settled" / f"{shard_id}.parquet").to_pylist()
    data = pq.read_table(articles_file(work, shard_id)).drop_columns(["removed", "raw_ref"])
    for row, verdict in zip(data.to_pylist(), verdicts, strict=True):
        if verdict["kept"]:
            row["article_id"] = verdict["article_id"]
            yield tables.Article(**row, removed=[], raw_ref=None)


def _extract(articles: list[tables.Article], rules: ExtractSettings) -> Found:
    """Rows of all articles in a language that is read; a text too short to tell its language is read as well."""
    found = Found()
    read = [a for a in articles if a.language is None or a.language in rules.languages]
    if not read:
        return found
    nlp = load_model(rules.model)
    texts = [a.text[: rules.max_chars] for a in read]
    docs = parse_all(nlp, texts)
    for i, article in enumerate(read):
        if len(article.text) > rules.max_chars:
            log.warning(
                "%s has %d characters, of which the first %d are read for quotes and events (extract.max_chars)",
                article.article_id, len(article.text), rules.max_chars,
            )  # fmt: skip
            article = replace(article, text=texts[i])
        try:
            try:
                doc = next(docs)
            except Exception:  # one text of those parsed together: this one goes alone, the others again
                docs = parse_all(nlp, texts[i + 1 :])
                doc = parse(nlp, texts[i])
            quotes, sources = find_quotes(doc, article)
            events = find_events(doc, article, quotes, sources, rules.ontology)
            check_article(quotes, sources, events, article.text)
            key = link_key(article, sources, events)
        except Exception as err:  # the one broad catch of this step: it ends in an input that failed, not in silence
            log.exception("extract failed on %s", article.article_id)
            found.failed.append((article.article_id, f"{type(err).__name__}: {err}"[:500]))
            continue
        found.quotes += quotes
        found.sources += sources
        found.events += events
        found.keys.append(key)
        found.speech += speech_rows(quotes)
    return found
