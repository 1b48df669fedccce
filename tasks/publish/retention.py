"""Which raw files may go: those of nights past their time whose every page is in the tables. By default none.

Only files that nightdesk fetched itself (`<raw>/<night>/*.warc.gz`) are looked at; inputs of an ingest are the user's.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tasks import tables
from tasks.publish.store import Store
from tasks.publish.write import read_batches
from tasks.remote.mirror import Mirror

LOG = "raw_deleted.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNight:
    """Raw files of one night past its time. `kept`: why they stay; then `files` are those that would have gone."""

    night: dt.date
    files: list[str]
    """Relative to the raw archive's folder."""
    bytes: int
    kept: str | None = None


def past_their_time(store: Store, raw: Path, days: int | None, today: dt.date) -> Iterator[RawNight]:
    """Every night with raw files more than `days` days old, oldest first; none without a number of days."""
    if days is None or not raw.is_dir():
        return
    nights: dict[str, dict[str, int]] = defaultdict(dict)
    for name, size in _raw_files(raw):
        nights[name.split("/")[0]][name] = size
    for folder, files in sorted(nights.items()):
        try:
            night = dt.date.fromisoformat(folder)
        except ValueError:
            continue
        if (today - night).days > days:
            names = sorted(files)
            yield RawNight(night=night, files=names, bytes=sum(files.values()), kept=_why_kept(store, night, names))


def _raw_files(raw: Path) -> Iterator[tuple[str, int]]:
    """(name, size) of what lies in the folders of nights."""
    mirror = Mirror.at(raw)
    if mirror is not None:
        yield from ((name, f.bytes) for name, f in mirror.bucket.found().items() if name.count("/") == 1)
        return
    for folder in raw.glob("????-??-??"):
        yield from ((str(p.relative_to(raw)), p.stat().st_size) for p in folder.glob("*") if p.is_file())


def _why_kept(store: Store, night: dt.date, names: list[str]) -> str | None:
    """Why the files of a night must stay: something in them is not in the tables."""
    place = store.path("inputs", night)
    if not place.is_file():
        return "the night is not in the tables"
    seen: set[str] = set()
    failed = 0
    for batch in read_batches([place], ["ref", "step", "reason"]):
        for row in batch.to_pylist():
            file = row["ref"].rpartition("#")[0]
            if file not in names:
                continue
            seen.add(file)
            failed += row["reason"] in (tables.Reason.INTERNAL_ERROR, tables.Reason.FILE_DAMAGED)
    missing = sorted(set(names) - seen)
    if missing:
        return f"nothing of {missing[0]} is in the tables"
    if failed:
        return f"{failed} of its inputs failed by a fault that a later version may mend"
    return None


def delete_raw(store: Store, raw: Path, days: int | None, today: dt.date, *, dry_run: bool) -> list[RawNight]:
    """Delete what may go, note it in `.state/raw_deleted.jsonl`, and answer every night past its time.

    Call it under the store's lock unless `dry_run`. The note is written first, so that nothing goes without a word; a
    file that cannot be deleted stays, and its night says so.
    """
    out = []
    for found in past_their_time(store, raw, days, today):
        if found.kept is None and not dry_run:
            out.append(_delete(store, raw, found, today))
        else:
            out.append(found)
    return out


def _delete(store: Store, raw: Path, found: RawNight, today: dt.date) -> RawNight:
    log = store.root / ".state" / LOG
    log.parent.mkdir(exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(found) | {"on": today}, default=str) + "\n")
        file.flush()
        os.fsync(file.fileno())
    mirror = Mirror.at(raw)
    if mirror is not None:
        mirror.bucket.delete(found.files)
        mirror.drop(found.files)
        return found
    try:
        for name in found.files:
            (raw / name).unlink(missing_ok=True)
    except OSError as err:
        return replace(found, kept=f"cannot be deleted: {err.strerror}")
    with contextlib.suppress(OSError):  # something else lies in it
        (raw / str(found.night)).rmdir()
    return found


def deleted_so_far(store: Store) -> list[RawNight]:
    """What was ever deleted, the oldest night first."""
    log = store.root / ".state" / LOG
    if not log.is_file():
        return []
    nights: dict[dt.date, RawNight] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:  # the last line of a process that was killed
            continue
        night = dt.date.fromisoformat(row["night"])
        old = nights.get(night)  # noted twice where a process was killed between the note and the last file
        files = sorted({*row["files"], *(old.files if old else ())})
        nights[night] = RawNight(night=night, files=files, bytes=max(row["bytes"], old.bytes if old else 0))
    return [nights[n] for n in sorted(nights)]


def told(nights: list[RawNight]) -> str:
    """Nights, files and bytes in words."""
    first, last = nights[0].night, nights[-1].night
    span = str(first) if first == last else f"{first} to {last}"
    count = sum(len(n.files) for n in nights)
    size = sum(n.bytes for n in nights) / 1e6
    plural = ("" if len(nights) == 1 else "s", "" if count == 1 else "s")
    return f"{len(nights)} night{plural[0]} ({span}), {count} file{plural[1]}, {size:,.1f} MB"
