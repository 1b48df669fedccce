"""Publishing of a large night, and the first question that is asked of it.

usage: python -m bench.publishing [--articles 500000]

The night is made of the shards of a real one, of the dev pages, as often as it takes: texts, spans and rows are real,
ids differ from copy to copy, every source is met in COMPANY copies. Ends with seconds and peak memory of the
publication, and the seconds of a plain `pandas.read_parquet` of one column.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing
import resource
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.gold import WORK
from bench.night import WARCS, ingest, need, timed
from tasks import tables
from tasks.clean.settle import SETTLED, SIGNATURES, WORDINGS
from tasks.extract.sources.merges import LOG
from tasks.extract.task import FAILED
from tasks.publish.night import RunFacts, publish_night
from tasks.publish.store import Store
from tasks.settings import Settings

NIGHT = dt.date(2026, 3, 1)
RUN = "2026-03-01-ingest-large-1"
COMPANY = 20
_OWN = (
    "article_id", "article_key", "copy_group", "story_id", "quote_id", "quote_group", "parent_quote_id", "event_id",
    "attributed_quote_id", "ref", "url", "canonical_url",
)  # fmt: skip
_SHARED = ("source_id", "via_source_id", "actor_source_id", "recipient_source_id", "attributed_source_id")
Night = dict[str, pa.Table]


def real_night() -> Night:
    """The tables of the dev pages, with inputs in the order of their articles."""
    need(timed(ingest("small-night", str(WARCS[0]), "--workers", "2")))
    root = WORK / "small-night"
    night = {
        t: pa.concat_tables([pq.ParquetFile(f).read() for f in sorted((root / t).glob("dt=*/*.parquet"))])
        for t in ("articles", "quotes", "sources", "events", "inputs")
    }
    place = {a: i for i, a in enumerate(night["articles"]["article_id"].to_pylist())}
    order = [place.get(a, len(place)) for a in night["inputs"]["article_id"].to_pylist()]
    night["inputs"] = night["inputs"].take(pc.sort_indices(pa.array(order)))
    return night


def copied(night: Night, number: int) -> Night:
    """The same rows under ids of their own."""
    out = {}
    for name, table in night.items():
        for column in table.column_names:
            if column in _OWN or column in _SHARED:
                tail = f"-{number if column in _OWN else number // COMPANY}"
                data = pc.binary_join_element_wise(table[column], pa.scalar(tail), pa.scalar(""))
                table = table.set_column(table.schema.get_field_index(column), table.schema.field(column), data)
        out[name] = table
    return out


def write_shards(root: Path, night: Night, articles: int) -> list[str]:
    """The work folder of a run whose steps before publish are done."""
    work = Store.open(root, write=True).work(RUN)
    for folder in ("settled", "clean", "extract"):
        (work / folder).mkdir(parents=True)
    names = [f"s{k:05d}" for k in range(-(-articles // len(night["articles"])))]
    kept: dict[str, list[pa.Table]] = {"stories": [], "event_stories": [], "quote_groups": [], "state": []}
    for k, name in enumerate(names):
        one = copied(night, k)
        (work / "clean" / name).mkdir()
        (work / "extract" / name).mkdir()
        for table in ("articles", "inputs"):
            pq.write_table(one[table], work / "clean" / name / f"{table}.parquet", compression="lz4")
        for table in ("quotes", "sources", "events"):
            pq.write_table(one[table], work / "extract" / name / f"{table}.parquet", compression="lz4")
        pq.write_table(FAILED.empty_table(), work / "extract" / name / "failed.parquet")
        pq.write_table(
            _filled(one["articles"], SETTLED, fate="article", kept=True), work / "settled" / f"{name}.parquet"
        )
        kept["stories"].append(one["articles"].select(["article_id", "story_id"]))
        kept["event_stories"].append(one["events"].select(["event_id", "story_id"]))
        kept["quote_groups"].append(one["quotes"].select(["quote_id", "quote_group"]))
        kept["state"].append(
            one["articles"].select(
                [c for c in one["articles"].column_names if c in SIGNATURES.names or c in WORDINGS.names]
            )
        )
    state = pa.concat_tables(kept.pop("state"))
    for file, parts in kept.items():
        pq.write_table(pa.concat_tables(parts).combine_chunks(), work / f"{file}.parquet")
    pq.write_table(_filled(state, SIGNATURES, signature=bytes(512)), work / "signatures.parquet")
    pq.write_table(_filled(state, WORDINGS, raw=1, draft=2), work / "wordings.parquet")
    pq.write_table(LOG.empty_table(), work / "source_merges.parquet")
    return names


def _filled(data: pa.Table, schema: Any, **values: Any) -> pa.Table:
    """The columns of a schema: from `data`, from `values`, else null."""
    columns = [
        data[f.name].cast(f.type) if f.name in data.column_names
        else pa.repeat(pa.scalar(values.get(f.name), f.type), len(data))
        for f in schema
    ]  # fmt: skip
    return pa.table(columns, schema=schema)


def publish(root: Path, shards: list[str]) -> tuple[float, float]:
    """Seconds and peak MB of a publication, in a process that did nothing else."""
    now = dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC)
    facts = RunFacts(
        run_id=RUN, flow="ingest", night=NIGHT, started_at=now, finished_at=now, shards=shards, early=[], visits=[],
        outlets=[], reports=[], versions=[], settings=Settings().model_dump_json(),
    )  # fmt: skip
    begun = time.monotonic()
    publish_night(root, facts)
    return time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def first_question(root: Path) -> float:
    """Seconds that plain pandas takes to read one column of the night."""
    import pandas as pd

    begun = time.monotonic()
    pd.read_parquet(root / "quotes", columns=["speaker_text"])
    return time.monotonic() - begun


def apart(function: Any, *args: Any) -> Any:
    """A function's answer from a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--articles", type=int, default=500_000)
    args = ap.parse_args()
    root = WORK / "large-night"
    shutil.rmtree(root, ignore_errors=True)
    shards = apart(write_shards, root, real_night(), args.articles)
    seconds, peak_mb = apart(publish, root, shards)
    rows = {t: pq.read_metadata(next((root / t).glob("dt=*/*.parquet"))).num_rows for t in tables.TABLES if t in ROWS}
    figures = {
        "seconds": round(seconds, 1),
        "peak MB": round(peak_mb),
        "one column, s": round(apart(first_question, root), 2),
    }
    json.dump(rows | figures, sys.stdout, indent=1)
    print()


ROWS = ("articles", "quotes", "sources", "events", "quote_groups", "source_index", "stories")


if __name__ == "__main__":
    main()
