"""What is remembered of an article's address, and when it is visited again. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.discover.records import Address, Validators
from tasks.tables import Failure, Fate, Reason

SLACK = 0.1
"""Share of a waiting time that may be missing: a night that begins a little earlier than the one before still visits
what was fetched a day ago."""
MOST_FAILS = 6
"""Failures running after which an address is left alone for good, unless a feed says that it changed."""
_FINAL = (Reason.HTTP_GONE, Reason.NOT_HTML, Reason.TOO_LARGE, Reason.ADDRESS_REFUSED, Reason.RIGHTS_RESERVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """One address as it was last met.

    `got_at`: when a page was last had of it (null: never), `changed_at` when that was a new one or a new wording, and
    `visits` how many came after it. `place`, `page_date`, `digest`: the WARC record of the newest body.
    `fails`: failures running, the last one's `reason`; `next_at` null: it is not visited again of our own accord.
    """

    url: str
    outlet: str
    final_url: str | None = None
    moved: bool = False
    first_at: dt.datetime
    asked_at: dt.datetime
    got_at: dt.datetime | None = None
    changed_at: dt.datetime | None = None
    visits: int = 0
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    page_date: str | None = None
    fails: int = 0
    reason: str | None = None
    detail: str | None = None
    next_at: dt.datetime | None = None

    @property
    def validators(self) -> Validators | None:
        if self.got_at is None or not (self.etag or self.last_modified):
            return None
        return Validators(etag=self.etag, last_modified=self.last_modified)

    @property
    def address(self) -> str:
        """Where to ask: where it moved to for good, until that fails."""
        return self.final_url if self.moved and self.final_url and not self.fails else self.url

    @property
    def body(self) -> tuple[str, str, str] | None:
        """(address, WARC date, digest) of the body that a repeated answer refers to."""
        if self.digest is None or self.page_date is None:
            return None
        return self.final_url or self.url, self.page_date, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """What came of one address in one night. `final_url` to `page_date` are those of the body, where one came."""

    url: str
    outlet: str
    at: dt.datetime
    fate: Fate
    reason: Reason | None = None
    detail: str | None = None
    final_url: str | None = None
    moved: bool = False
    etag: str | None = None
    last_modified: str | None = None
    digest: str | None = None
    page_date: str | None = None
    body: bool = False
    attempts: int = 1


def after(before: Visited | None, met: Met, hours: Sequence[float]) -> Visited:
    """The memory after a visit. `hours`: the falling schedule, counted from the last change."""
    old = before or Visited(url=met.url, outlet=met.outlet, first_at=met.at, asked_at=met.at, next_at=met.at)
    if not met.body and met.reason is not Reason.NOT_MODIFIED:
        return old if met.attempts == 0 else _failed(old, met)  # 0: the host was not to be asked, no fault of the page
    changed = old.changed_at is None or (met.body and met.fate in (Fate.ARTICLE, Fate.COPY, Fate.REVISION))
    changed_at = met.at if changed or old.changed_at is None else old.changed_at
    visits = 0 if changed else old.visits + 1
    new = dataclasses.replace(
        old, asked_at=met.at, got_at=met.at, changed_at=changed_at, visits=visits, fails=0,
        reason=met.reason.value if met.reason else None, detail=None, next_at=_next(changed_at, met.at, hours),
    )  # fmt: skip
    if not met.body:
        return new
    return dataclasses.replace(
        new, outlet=met.outlet, final_url=met.final_url, moved=met.moved, etag=met.etag,
        last_modified=met.last_modified, digest=met.digest, page_date=met.page_date,
    )  # fmt: skip


def _next(changed_at: dt.datetime, at: dt.datetime, hours: Sequence[float]) -> dt.datetime | None:
    """The first date of the schedule that is not yet served by the visit at `at`."""
    for wait in sorted(hours):
        due = changed_at + dt.timedelta(hours=wait * (1 - SLACK))
        if due > at or wait == 0:
            return due
    return None


def _failed(old: Visited, met: Met) -> Visited:
    """Asked again after 0, 1, 2, 4, … days: the next night first. A page that is gone is asked twice more."""
    fails = old.fails + 1
    most = 3 if met.reason in _FINAL else MOST_FAILS
    days = 0.0 if fails == 1 and met.reason not in _FINAL else 2.0 ** (fails - 2) if fails > 1 else 1.0
    next_at = met.at + dt.timedelta(days=days * (1 - SLACK)) if fails < most else None
    return dataclasses.replace(
        old, asked_at=met.at, fails=fails, reason=met.reason.value if met.reason else None,
        detail=(met.detail or "")[:300], next_at=next_at,
    )  # fmt: skip


def wants_visit(page: Visited | None, address: Address, now: dt.datetime) -> bool:
    """Whether a listed address is asked now: unknown, due, or said to have changed since the last visit."""
    if page is None or (page.next_at is not None and page.next_at <= now):
        return True
    said = address.updated_hint or address.published_hint
    return said is not None and page.asked_at < said <= now + dt.timedelta(hours=1)


def not_visited(page: Visited, address: Address) -> Failure:
    """Why a listed address is not asked in this night: it is known, or failed lately."""
    again = f"next visit after {page.next_at:%Y-%m-%d %H:%M} UTC" if page.next_at else "no further visit"
    if page.fails and page.got_at is None:
        reason = Reason(page.reason or Reason.HTTP_OTHER_STATUS)
        skipped = reason in (Reason.ROBOTS_DISALLOW, Reason.NOT_HTML, Reason.RIGHTS_RESERVED)
        fate = Fate.SKIPPED if skipped else Fate.FAILED
        detail = f"not asked in this night, {again}; {page.fails} failures running, the last: {page.detail}"
    else:
        reason, fate = Reason.NOT_DUE, Fate.UNCHANGED
        detail = f"visited {page.asked_at:%Y-%m-%d %H:%M} UTC, {again}"
    return Failure(
        ref=address.url, url=address.url, step="scrape", reason=reason, detail=detail[:500], fate=fate,
        outlet=address.outlet, attempts=0,
    )  # fmt: skip
