"""Checks before a schedule is trusted: each says what was found and what to do."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.remote.bucket import RemoteError
from tasks.remote.mirror import Mirror, address_of
from tasks.settings import Settings

FREE_BYTES = 2_000_000_000
"""A night of 10,000 pages takes about 1 GB of raw archive and tables; twice that is asked for."""


PROBE = ".probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    what: str
    good: bool
    found: str
    advice: str = ""


def examine(rules: Settings, *, quick: bool) -> Iterator[Check]:
    """Every check in turn. `quick` leaves out the one that starts Prefect's server (about half a minute)."""
    yield _packages()
    yield _model(rules)
    yield _own_models()
    for name, folder in (("tables", rules.processed), ("raw archive", rules.raw)):
        yield _bucket(name, folder) if address_of(folder) else _folder(name, Path(folder))
    yield _tables(Path(rules.processed))
    yield _retention(rules)
    yield _outlets(Path(rules.outlets))
    yield _cron(rules)
    if not quick:
        yield _schedule(rules)


def _release(name: str) -> tuple[int, ...]:
    return tuple(int(p) for p in importlib.metadata.version(name).split(".")[:2] if p.isdigit())


def _packages() -> Check:
    """The two packages whose newer versions break Prefect 3.8."""
    faults = []
    if _release("fastapi") >= (0, 155):
        faults.append("fastapi 0.155 and newer break Prefect 3.8")
    if _release("sqlalchemy") >= (2, 1):
        faults.append("with SQLAlchemy 2.1 Prefect's scheduler creates no run, and says nothing")
    return Check(
        what="packages",
        good=not faults,
        found="; ".join(faults)
        or f"prefect {importlib.metadata.version('prefect')} with fastapi and SQLAlchemy that suit it",
        advice="install the locked versions: make setup" if faults else "",
    )


def _model(rules: Settings) -> Check:
    from tasks.extract.language import load_model

    try:
        nlp = load_model(rules.extract.model)
    except OSError as err:
        return Check(what="language model", good=False, found=str(err), advice="run make setup")
    return Check(what="language model", good=True, found=f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}")


def _own_models() -> Check:
    """The models of the repo load and find something in two sentences."""
    from tasks import tables
    from tasks.clean.text import clean_text
    from tasks.extract.events import find_events
    from tasks.extract.language import load_model, parse
    from tasks.extract.quotes import find_quotes
    from tasks.scrape.records import RawText
    from tasks.settings import CleanSettings, ExtractSettings

    text = (
        "Police arrested 12 protesters in Nairobi on Monday. “We will not be silenced,” said Amina Odhiambo, "
        "a spokeswoman for the union."
    )
    record = RawText(
        ref="doctor", file="doctor", offset=0, text=text, published_given="2026-03-02", title_in_text=False
    )
    article = clean_text(record, rules=CleanSettings(), already_clean=True)
    if not isinstance(article, tables.Article):
        return Check(what="models", good=False, found=f"the clean step gave {article}", advice="please report it")
    doc = parse(load_model(ExtractSettings().model), article.text)
    quotes, sources = find_quotes(doc, article)
    events = find_events(doc, article, quotes, sources)
    good = bool(quotes) and any(e.date_start == dt.date(2026, 3, 2) for e in events)
    found = f"{len(quotes)} quote, {len(sources)} source, {len(events)} event in two known sentences"
    return Check(what="models", good=good, found=found, advice="" if good else "reinstall: make setup")


def _folder(name: str, folder: Path) -> Check:
    there = folder
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return Check(
            what=name, good=False, found=f"cannot write to {folder}", advice="give another with --out or --raw"
        )
    free = shutil.disk_usage(there).free
    return Check(
        what=name,
        good=free >= FREE_BYTES,
        found=f"{folder}, {free / 1e9:.0f} GB free",
        advice="" if free >= FREE_BYTES else "make room: a night may need a few GB",
    )


def _bucket(name: str, folder: str) -> Check:
    """Whether an object can be written by condition, as the lock is, and read again."""
    address = address_of(folder) or folder
    mirror = Mirror.around(Path(folder))
    try:
        if mirror is not None:
            mirror.bucket.delete([PROBE])
            first = mirror.bucket.create(PROBE, b"1")
            again = mirror.bucket.create(PROBE, b"2")
            mirror.bucket.delete([PROBE])
            if first is None or again is not None:
                return Check(
                    what=name, good=False, found=f"the server of {address} does not heed conditions of writing",
                    advice="take one that knows If-None-Match and If-Match, or two writers may meet",
                )  # fmt: skip
    except RemoteError as err:
        return Check(what=name, good=False, found=str(err), advice="see docs/cluster.md")
    return Check(what=name, good=True, found=f"{address}, which can be read and written; local copies in {folder}")


def _tables(root: Path) -> Check:
    from tasks.publish.store import Store, StoreError

    if not root.is_dir():
        return Check(what="table format", good=True, found="no tables yet")
    try:
        store = Store.open(root)
    except StoreError as err:
        return Check(what="table format", good=False, found=str(err))
    left = sorted(p.name for p in (root / ".work").glob("*") if p.is_dir())
    advice = f"unfinished runs, finished by the same command again: {', '.join(left)}" if left else ""
    return Check(what="table format", good=True, found=f"{len(store.nights('runs'))} nights", advice=advice)


def _retention(rules: Settings) -> Check:
    """What was deleted of the raw archive, what stays though its time is over, and what the next night deletes."""
    from tasks.publish.retention import deleted_so_far, past_their_time, told
    from tasks.publish.store import Store, StoreError

    days = rules.retention.raw_days
    found = f"raw files are kept {days} days" if days else "raw files are kept for ever"
    root = Path(rules.processed)
    try:
        store = Store.open(root) if root.is_dir() else None
    except StoreError as err:
        return Check(what="retention", good=False, found=str(err))
    if store is None:
        return Check(what="retention", good=True, found=found)
    gone = deleted_so_far(store)
    found += f"; deleted so far: {told(gone)}" if gone else "; none was deleted"
    past = list(past_their_time(store, Path(rules.raw), days, dt.datetime.now(dt.UTC).date()))
    going = [n for n in past if not n.kept]
    advice = [f"the next night deletes {told(going)}; nightdesk prune --dry-run lists them"] if going else []
    advice += [f"{n.night} stays: {n.kept}" for n in past if n.kept]
    return Check(what="retention", good=True, found=found, advice="; ".join(advice))


def _outlets(path: Path) -> Check:
    from tasks.discover.outlets import OutletsError, load_outlets

    if not path.is_file():
        return Check(
            what="outlets",
            good=True,
            found=f"no {path}",
            advice="only `nightdesk run` needs one; README.md shows how to write it",
        )
    try:
        outlets = load_outlets(path)
    except OutletsError as err:
        return Check(what="outlets", good=False, found=str(err))
    return Check(what="outlets", good=True, found=f"{len(outlets)} in {path}")


def _cron(rules: Settings) -> Check:
    from flows.schedule import next_nights

    try:
        due = next_nights(rules, 1)
    except ValueError as err:
        return Check(what="schedule", good=False, found=str(err))
    return Check(what="schedule", good=True, found=f"next night {due[0]:%Y-%m-%d %H:%M %Z}")


def _schedule(rules: Settings) -> Check:
    from flows.engine import EngineError
    from flows.schedule import scheduled_runs

    try:
        runs = scheduled_runs(rules)
    except EngineError as err:
        return Check(what="scheduled runs", good=False, found=str(err))
    return Check(
        what="scheduled runs",
        good=runs > 0,
        found=f"Prefect created {runs} of them for a trial deployment, since removed",
        advice="" if runs else "nothing would ever run: install the locked versions with make setup",
    )
