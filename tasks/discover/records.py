"""What discover works on and hands over: outlets, fetched bytes, addresses."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from tasks.discover.address import public
from tasks.tables import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletConfig:
    """One [[outlet]] of outlets.toml. `domain` is its key in every table; it need not be where its feeds lie."""

    name: str
    domain: str
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    country: str | None = None
    language: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Every address it is found by, in the order they are read, without user names and passwords."""
        return tuple(public(a) for a in (*self.feeds, *self.sitemaps, *self.pages))


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """What an earlier response said of its version, to be sent back with the question whether it changed."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One whole response: status 200, or 304 with an empty body where it was asked whether it changed.

    `raw` is the body as it came, still under its Content-Encoding; `body` is decoded. `url` is where it was found in
    the end, `address` where it was asked for; `moved` says that only permanent redirects lie between. Neither holds a
    user name or password.
    """

    address: str
    url: str
    status: int
    phrase: str
    headers: tuple[tuple[str, str], ...]  # as sent, order and case kept
    raw: bytes
    body: bytes
    request_headers: tuple[tuple[str, str], ...]
    protocol: str  # "http/1.1" or "h2"
    ip: str | None
    fetched_at: dt.datetime
    attempts: int = 1
    moved: bool = False

    @property
    def unchanged(self) -> bool:
        return self.status == 304

    def header(self, name: str) -> str:
        """The header's value, its repeats joined by commas; "" where it is not there."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())


class Fetcher(Protocol):
    """How discover asks for an address: politely, within limits, never raising for what a server does."""

    async def get(
        self, url: str, *, pages_only: bool = False, known: Validators | None = None, at: str | None = None
    ) -> Fetched | Failure: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One address of an outlet that may be an article."""

    url: str  # normalised
    outlet: str  # domain
    found_in: str  # the feed, sitemap or page
    title_hint: str | None = None
    published_hint: dt.datetime | None = None
    updated_hint: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What was found for one outlet in one night.

    `addresses` in the order of the outlet's sources, each once. `counts`: entries taken from each source, before
    doubles go. `too_old` and `over_limit` were found too, but left out by the settings.
    """

    outlet: str
    addresses: list[Address] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    too_old: int = 0
    over_limit: int = 0
