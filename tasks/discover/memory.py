"""What is remembered of a feed, sitemap or page that lists articles, and when it is asked again. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tasks.discover.parse import Entry
from tasks.discover.records import Fetched, Validators
from tasks.tables import Failure, Reason

MAX_ENTRIES_KEPT = 10_000
"""Entries of one source that are remembered, the newest. A longer one is read anew in every night."""
LONGEST_S = 18 * 3600.0
"""A healthy source is never left alone for longer: every night asks it, an hourly schedule need not."""
DEAD_AFTER = 3
"""Failures running after which a source counts as dead, and is asked less and less often."""
DEAD_LONGEST_S = 7 * 86400.0
_KEEPS = re.compile(r"[\x20-\x7e]{1,500}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMemory:
    """One source as it was last met. `entries` are those of `digest`, relative to `location`, where it was found.

    `gap_s`: running mean of the time between two visits that brought something new. `fails`: failures running; the last
    one's `reason` and `detail`. `moved`: a permanent redirect led to `location`.
    """

    url: str
    outlet: str
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    location: str | None = None
    moved: bool = False
    listing: bool = True  # a feed or news sitemap: undated entries are new; no archive
    entries: tuple[Entry, ...] = ()
    asked_at: dt.datetime | None = None
    answered_at: dt.datetime | None = None
    changed_at: dt.datetime | None = None
    gap_s: float | None = None
    fails: int = 0
    reason: str | None = None
    detail: str | None = None
    next_at: dt.datetime | None = None
    stand_in: str | None = None  # a feed that the site names instead of this one, which is dead

    @property
    def validators(self) -> Validators | None:
        """For a conditional request; None where nothing is kept that a 304 could stand for."""
        if self.digest is None or not (self.etag or self.last_modified):
            return None
        return Validators(etag=self.etag, last_modified=self.last_modified)

    @property
    def dead(self) -> bool:
        return self.fails >= DEAD_AFTER


class Memory(Protocol):
    """Where sources are remembered between nights."""

    def source(self, url: str) -> SourceMemory | None: ...

    def keep_source(self, source: SourceMemory) -> None: ...


class Forgetful:
    """No memory: every night is the first one."""

    def source(self, url: str) -> SourceMemory | None:
        return None

    def keep_source(self, source: SourceMemory) -> None:
        pass


def validators_of(headers: Iterable[tuple[str, str]]) -> tuple[str | None, str | None]:
    """(ETag, Last-Modified) of a response's headers, where they are such that they may be sent back."""
    found = {name.lower(): value.strip() for name, value in headers}
    etag, modified = found.get("etag", ""), found.get("last-modified", "")
    return etag if _KEEPS.fullmatch(etag) else None, modified if _KEEPS.fullmatch(modified) else None


def digest_of(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def is_due(source: SourceMemory | None, now: dt.datetime) -> bool:
    return source is None or source.next_at is None or source.next_at <= now


def after_change(
    before: SourceMemory, got: Fetched, entries: list[Entry], *, listing: bool, now: dt.datetime
) -> SourceMemory:
    """The memory after a body that was read. News is an entry that was not there before: many feeds carry the time of
    day, so that their bytes change with every visit."""
    etag, modified = validators_of(got.headers)
    kept = tuple(entries) if len(entries) <= MAX_ENTRIES_KEPT else ()
    new = {e.link for e in entries} - {e.link for e in before.entries}
    answered = dataclasses.replace(
        before,
        etag=etag, last_modified=modified, digest=digest_of(got.body) if kept or not entries else None,
        location=got.url, moved=got.moved, listing=listing, entries=kept,
    )  # fmt: skip
    return _answered(answered, now, news=bool(new))


def after_no_change(before: SourceMemory, now: dt.datetime) -> SourceMemory:
    """The memory after a 304, or after the very same bytes."""
    return _answered(before, now, news=False)


def _answered(source: SourceMemory, now: dt.datetime, *, news: bool) -> SourceMemory:
    quiet_s = (now - source.changed_at).total_seconds() if source.changed_at else None
    gap_s = source.gap_s
    if news and quiet_s is not None:
        gap_s = quiet_s if gap_s is None else 0.5 * gap_s + 0.5 * quiet_s
    # a quarter of the time it usually takes to bring something, or has been silent for: it is asked often enough to
    # miss little, and one that has gone silent is asked less and less
    calm_s = max(gap_s or 0.0, 0.0 if news else quiet_s or 0.0)
    return dataclasses.replace(
        source,
        asked_at=now,
        answered_at=now,
        changed_at=now if news or source.changed_at is None else source.changed_at,
        gap_s=gap_s,
        fails=0,
        reason=None,
        detail=None,
        stand_in=None,
        next_at=now + dt.timedelta(seconds=min(LONGEST_S, 0.25 * calm_s)),
    )


def after_failure(before: SourceMemory, failure: Failure, now: dt.datetime) -> SourceMemory:
    """The memory after a failure: asked again in the next night, once it is dead after 1, 2, 4 and then 7 days."""
    fails = before.fails + 1
    wait_s = 0.0
    if fails >= DEAD_AFTER:
        wait_s = min(DEAD_LONGEST_S, 86400.0 * 2.0 ** min(fails - DEAD_AFTER, 10)) - 6 * 3600.0
    return dataclasses.replace(
        before,
        asked_at=now,
        fails=fails,
        reason=failure.reason.value,
        detail=failure.detail[:300],
        next_at=now + dt.timedelta(seconds=wait_s),
    )


def still_dead(source: SourceMemory) -> Failure:
    """The failure of a dead source in a night that does not ask it."""
    when = f", asked again after {source.next_at:%Y-%m-%d %H:%M}" if source.next_at else ""
    return Failure(
        ref=source.url,
        url=source.url,
        step="discover",
        reason=Reason(source.reason or Reason.FEED_UNREADABLE),
        detail=f"dead: {source.fails} failures running{when}; the last: {source.detail}"[:500],
        outlet=source.outlet,
        attempts=0,
    )
