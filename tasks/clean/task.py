"""The clean step at the grain of a shard: raw records in, one folder of files out."""

from __future__ import annotations

import hashlib
import logging
import resource
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.copies import signature
from tasks.clean.page import clean_page
from tasks.clean.repeated import marks_of
from tasks.clean.strip import MARKS
from tasks.clean.text import clean_text
from tasks.files import put_in_place
from tasks.scrape.inputs import read_shard
from tasks.scrape.records import RawPage, RawText
from tasks.scrape.shards import Shard
from tasks.settings import CleanSettings

log = logging.getLogger(__name__)

# What settle needs of an article, without its text: a night of a million articles is 1 GB of these, not 4.
LIGHT = pa.schema(
    [
        ("article_id", pa.string()),
        ("article_key", pa.string()),
        ("content_hash", pa.string()),
        ("title", pa.string()),
        ("outlet", pa.string()),
        ("agency", pa.string()),
        ("published_at", pa.timestamp("us", tz="UTC")),
        ("fetched_at", pa.timestamp("us", tz="UTC")),
        ("word_count", pa.int64()),
        ("signature", pa.binary()),
        ("raw", pa.int64()),  # digest of what came in
        ("as_given", pa.bool_()),  # its text is kept byte for byte
    ]
)


def clean_shard(
    shard: Shard, work: Path, rules: CleanSettings, run_id: str, files: Mapping[str, str] | None = None
) -> tables.ShardReport:
    """Clean one shard into `work/clean/<shard_id>/`: articles, light (what settle needs) and inputs.

    `inputs` has one row for every record, in order; the rows with an article_id stand in the order of `articles`, and
    their fate is provisional until settle. A shard whose folder is there was finished by an earlier try and is skipped.
    `files`: local copies of the shard's paths that are addresses.
    """
    begun = time.monotonic()
    folder = work / "clean" / shard.shard_id
    if not folder.is_dir():
        draft = folder.with_name(folder.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        records = read_shard(shard, files)
        _write(draft, _outcomes(records, shard, rules), run_id, already_clean=shard.options.already_clean)
        put_in_place(draft, folder)
    seen = pq.read_metadata(folder / "inputs.parquet").num_rows
    used = pq.read_metadata(folder / "articles.parquet").num_rows
    report = tables.ShardReport(
        step="clean",
        shard_id=shard.shard_id,
        seen=seen,
        used=used,
        rejected=seen - used,
        seconds=time.monotonic() - begun,
        peak_memory_bytes=peak_memory_bytes(),
    )
    log.info("clean %s: %d inputs, %d articles, %.1f s", shard.shard_id, seen, used, report.seconds)
    return report


def peak_memory_bytes() -> int:
    """Largest resident set of this process so far; ru_maxrss counts kilobytes on Linux."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _outcomes(
    records: Iterable[RawPage | RawText | tables.Failure], shard: Shard, rules: CleanSettings
) -> Iterator[tuple[RawPage | RawText | tables.Failure, tables.Article | tables.Failure]]:
    """Every record with its outcome."""
    for record in records:
        if isinstance(record, tables.Failure):
            yield record, record
            continue
        try:
            if isinstance(record, RawPage):
                outcome = clean_page(record, rules=rules)
            else:
                outcome = clean_text(record, rules=rules, already_clean=shard.options.already_clean)
        except (
            Exception
        ) as err:  # the one broad catch of this step: a fault of ours on one page must not cost the shard
            log.exception("clean failed on %s", record.ref)
            outcome = tables.Failure(
                ref=record.ref,
                url=record.url,
                step="clean",
                reason=tables.Reason.INTERNAL_ERROR,
                detail=f"{type(err).__name__}: {err}"[:500],
                outlet=record.outlet,
            )
        yield record, outcome


def _write(
    folder: Path,
    outcomes: Iterable[tuple[RawPage | RawText | tables.Failure, tables.Article | tables.Failure]],
    run_id: str,
    *,
    already_clean: bool,
) -> None:
    articles: list[tables.Article] = []
    digests: list[int] = []
    inputs: list[tables.Input] = []
    for record, outcome in outcomes:
        attempts = 1 if isinstance(record, RawText) else record.attempts
        if isinstance(outcome, tables.Article):
            articles.append(outcome)
            digests.append(0 if isinstance(record, tables.Failure) else raw_digest(record, already_clean))
            inputs.append(
                tables.Input(
                    run_id=run_id,
                    ref=record.ref,
                    url=outcome.url or record.url,
                    outlet=outcome.outlet,
                    fate=tables.Fate.ARTICLE,
                    step="clean",
                    reason=None,
                    detail=None,
                    attempts=attempts,
                    article_id=outcome.article_id,
                )
            )
        else:
            inputs.append(failed_input(replace(outcome, attempts=attempts), run_id))
    _write_parquet(folder / "articles.parquet", tables.to_arrow("articles", articles))
    _write_parquet(folder / "inputs.parquet", tables.to_arrow("inputs", inputs))
    _write_parquet(folder / "light.parquet", _light(articles, digests))
    _write_parquet(folder / "marks.parquet", _marks(articles))


def failed_input(failure: tables.Failure, run_id: str) -> tables.Input:
    """The row of `inputs` for a failure."""
    return tables.Input(
        run_id=run_id,
        ref=failure.ref,
        url=failure.url,
        outlet=failure.outlet,
        fate=failure.fate,
        step=failure.step,
        reason=failure.reason,
        detail=failure.detail or None,
        attempts=failure.attempts,
        article_id=None,
    )


def raw_digest(record: RawPage | RawText, already_clean: bool) -> int:
    """64 bits of what came in: equal digests, equal record, whatever this version of the code makes of it.

    `already_clean` counts with it: who gives the same text with the other choice wants another article.
    """
    digest = hashlib.blake2b(digest_size=8)
    if isinstance(record, RawPage):
        digest.update(record.body)
    else:
        for part in (record.title or "", record.text):
            digest.update(part.encode("utf-8", "surrogatepass") + b"\x00")
        digest.update(bytes([already_clean]))
    return int.from_bytes(digest.digest(), "big", signed=True)


def _light(articles: list[tables.Article], digests: list[int]) -> pa.Table:
    rows = []
    for a, digest in zip(articles, digests, strict=True):
        row = {name: getattr(a, name) for name in LIGHT.names if hasattr(a, name)}
        row |= {"signature": signature(a.text).tobytes(), "raw": digest, "as_given": a.extractor == "given"}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=LIGHT)


def _marks(articles: list[tables.Article]) -> pa.Table:
    """What of each article its outlet may repeat."""
    names = [n for n in MARKS.names if n != "row"]
    rows = [
        {"row": row} | {name: getattr(mark, name) for name in names}
        for row, a in enumerate(articles)
        if a.outlet and a.extractor != "given"
        for mark in marks_of(a.text)
    ]
    return pa.Table.from_pylist(rows, schema=MARKS)


def _write_parquet(path: Path, data: pa.Table) -> None:
    # a shard's files live for minutes: the cheapest compression
    pq.write_table(data, path, compression="lz4")
