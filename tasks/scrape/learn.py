"""The tables and the raw archive of published nights -> what the state remembers of their addresses.

The only way in which the state learns of pages, in every night and when it is rebuilt: so it never knows an article
that is not in the tables, whenever a night was killed.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tasks.discover.memory import validators_of
from tasks.remote.mirror import at_hand
from tasks.scrape.state import State
from tasks.scrape.visits import Met, Visited, after
from tasks.scrape.warcs import ADDRESS_HEADER, MOVED_HEADER, OUTLET_HEADER
from tasks.tables import Fate, Reason

log = logging.getLogger(__name__)

BATCH = 5_000
HEAD_BYTES = 1 << 15
_PLACE = re.compile(r"(.+)#(\d{1,18})")
_COLUMNS = ["run_id", "ref", "url", "outlet", "fate", "step", "reason", "detail", "attempts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRun:
    """A run of the nightly flow, and the file of `inputs` that holds its rows."""

    run_id: str
    started_at: dt.datetime
    finished_at: dt.datetime
    inputs: Path


def published_runs(runs: Iterable[tuple[Path, Path]], flow: str) -> list[PublishedRun]:
    """Runs of a flow, the oldest first. `runs`: files of `runs` and `inputs` of one night each."""
    found = []
    for path, inputs in runs:
        rows = pq.read_table(path, columns=["run_id", "flow", "started_at", "finished_at"], partitioning=None)
        found += [
            PublishedRun(
                run_id=r["run_id"], started_at=r["started_at"], finished_at=r["finished_at"], inputs=inputs
            )
            for r in rows.to_pylist()
            if r["flow"] == flow
        ]  # fmt: skip
    return sorted(found, key=lambda r: (r.finished_at, r.run_id))


def learn(state: State, runs: Iterable[PublishedRun], raw: Path, hours: Sequence[float]) -> int:
    """Learn every run that the state does not know yet. Answers how many those were. Can be repeated after a kill."""
    known = state.learnt()
    new = [run for run in runs if run.run_id not in known]
    for run in new:
        for rows in _rows(run):
            mets = [met for met in _mets(rows, run, raw) if met is not None]
            before = state.pages(met.url for met in mets)
            found: dict[str, Visited] = {}
            for met in mets:
                old = found.get(met.url) or before.get(met.url)
                if old is None or old.asked_at < met.at:
                    found[met.url] = after(old, met, hours)
            state.keep_pages(found.values())
        state.keep_pages((), [run.run_id])
        log.info("learnt of run %s", run.run_id)
    return len(new)


def _rows(run: PublishedRun) -> Iterator[list[dict[str, Any]]]:
    """The run's inputs that were asked for, some thousands at a time."""
    if not run.inputs.is_file():
        return
    with pq.ParquetFile(run.inputs) as file:
        for batch in file.iter_batches(BATCH, columns=_COLUMNS):
            yield [
                r
                for r in batch.to_pylist()
                if r["run_id"] == run.run_id and r["step"] != "discover" and r["reason"] != Reason.NOT_DUE
            ]


def _mets(rows: list[dict[str, Any]], run: PublishedRun, raw: Path) -> Iterator[Met | None]:
    placed = []
    for row in rows:
        place = _PLACE.fullmatch(row["ref"])
        if row["step"] != "scrape" and place is not None:
            placed.append((place[1], int(place[2]), row))
        else:
            yield _unfetched(row, run)
    placed.sort(key=lambda p: p[:2])
    for name, group in groupby(placed, key=lambda p: p[0]):
        path = raw / name
        if not at_hand(path):  # removed by hand, or by a retention: what the table says must do
            yield from (_from_row(row, run) for _, _, row in group)
            continue
        with path.open("rb") as file:
            for _, offset, row in group:
                file.seek(offset)
                yield _from_record(_head(file.read(HEAD_BYTES)), row) or _from_row(row, run)


def _unfetched(row: dict[str, Any], run: PublishedRun) -> Met | None:
    """An address that gave no response: refused, failed, or not modified."""
    if not row["url"] or not row["outlet"]:
        return None
    return Met(
        url=row["url"], outlet=row["outlet"], at=run.started_at, fate=Fate(row["fate"]),
        reason=Reason(row["reason"]) if row["reason"] else None, detail=row["detail"], attempts=row["attempts"],
    )  # fmt: skip


def _from_row(row: dict[str, Any], run: PublishedRun) -> Met | None:
    """A fetched page whose record is not to be had."""
    if not row["url"] or not row["outlet"]:
        return None
    reason = Reason(row["reason"]) if row["reason"] else None
    return Met(
        url=row["url"], outlet=row["outlet"], at=run.started_at, fate=Fate(row["fate"]), reason=reason,
        final_url=row["url"], body=reason is not Reason.NOT_MODIFIED,
    )  # fmt: skip


def _head(block: bytes) -> bytes:
    if block[:2] != b"\x1f\x8b":
        return block
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(block, HEAD_BYTES)
    except zlib.error:
        return b""


def _from_record(head: bytes, row: dict[str, Any]) -> Met | None:
    """The same with what its record says: WARC headers first, then those of the response."""
    warc, _, http = head.partition(b"\r\n\r\n")
    if not warc.startswith(b"WARC/"):
        return None
    headers = dict(_headers(warc))
    date = headers.get("warc-date", "")
    try:
        at = dt.datetime.fromisoformat(date)
    except ValueError:
        return None
    target = headers.get("warc-target-uri", "").strip("<>")
    outlet = headers.get(OUTLET_HEADER.lower()) or row["outlet"]
    if not target or not outlet:
        return None
    etag, modified = validators_of(_headers(http.partition(b"\r\n\r\n")[0]))
    return Met(
        url=headers.get(ADDRESS_HEADER.lower()) or target,
        outlet=outlet,
        at=at if at.tzinfo else at.replace(tzinfo=dt.UTC),
        fate=Fate(row["fate"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        final_url=target,
        moved=MOVED_HEADER.lower() in headers,
        etag=etag,
        last_modified=modified,
        digest=headers.get("warc-payload-digest"),
        page_date=date,
        body=headers.get("warc-type") != "revisit",
    )


def _headers(block: bytes) -> Iterator[tuple[str, str]]:
    for line in block.decode("utf-8", "replace").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip().lower(), value.strip()
