"""What scrape hands to clean: one page as it was fetched, or one text as a corpus gave it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPage:
    """One fetched or saved HTML page. `body` is undecoded bytes after content-decoding (gzip, br)."""

    ref: str
    file: str
    offset: int
    url: str | None
    body: bytes
    content_type: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # lower-case names
    fetched_at: dt.datetime | None = None
    outlet: str | None = None
    published_given: str | None = None
    attempts: int = 1  # tries that its fetch took


@dataclass(frozen=True, slots=True, kw_only=True)
class RawText:
    """One record of a text corpus. Strings are as given; the date is unparsed."""

    ref: str
    file: str
    offset: int
    text: str
    external_id: str | None = None
    title: str | None = None
    url: str | None = None
    outlet: str | None = None
    authors: tuple[str, ...] = ()
    published_given: str | None = None
    language: str | None = None
    title_in_text: bool = True  # a bare text begins with its title; a table with a title column does not
