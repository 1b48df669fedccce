"""The clean step at the grain of a shard: raw records in, one folder of files out."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tasks import tables
from tasks.clean.copies import signature
from tasks.clean.page import clean_page
from tasks.clean.text import clean_text
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
    ]
)


def clean_shard(shard: Shard, work: Path, rules: CleanSettings, run_id: str) -> tables.ShardReport:
    """Clean one shard into `work/clean/<shard_id>/`: articles, light (what settle needs) and inputs.

    `inputs` has one row for every record, in order; the rows with an article_id stand in the order of `articles`, and
    their fate is provisional until settle. A shard whose folder is there was finished by an earlier try and is skipped.
    """
    begun = time.monotonic()
    folder = work / "clean" / shard.shard_id
    if not folder.is_dir():
        draft = folder.with_name(folder.name + ".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _write(draft, _outcomes(read_shard(shard), shard, rules), run_id)
        os.replace(draft, folder)
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
) -> None:
    articles: list[tables.Article] = []
    inputs: list[tables.Input] = []
    for record, outcome in outcomes:
        attempts = 1 if isinstance(record, RawText) else record.attempts
        if isinstance(outcome, tables.Article):
            articles.append(outcome)
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
    _write_parquet(folder / "light.parquet", _light(articles))


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


def _light(articles: list[tables.Article]) -> pa.Table:
    rows = []
    for a in articles:
        row = {name: getattr(a, name) for name in LIGHT.names if name != "signature"}
        row["signature"] = np.asarray(signature(a.text), dtype=np.uint32).tobytes()
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=LIGHT)


def _write_parquet(path: Path, data: pa.Table) -> None:
    # a shard's files live for minutes: the cheapest compression
    pq.write_table(data, path, compression="lz4")
