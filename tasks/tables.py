"""Every table's schema, once: name, columns, types, units, meaning.

A table is a frozen row dataclass. Each field carries its meaning (and unit) in `Annotated[..., Col(...)]`, and the
Arrow schema, the reference in docs/tables.md and the data package are all made from it, so they cannot disagree.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import hashlib
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pyarrow as pa

SCHEMA_VERSION = 3
"""Rises with every change of a column. A reader of an older version refuses a newer one with a clear sentence.

A column that came later is null in the nights written before it, so it must be one that can be null.
2: events.place_from, events.date_from.
3: runs.given, runs.backfilled_at; quotes.change, events.change, articles.gone.
"""


@dataclass(frozen=True, slots=True)
class Col:
    """What one column means. `low_cardinality` columns are dictionary-encoded in Parquet."""

    meaning: str
    unit: str | None = None
    low_cardinality: bool = False


class Fate(enum.StrEnum):
    """What became of one input. Every input of a run has exactly one."""

    ARTICLE = "article"
    REVISION = "revision"
    UNCHANGED = "unchanged"
    COPY = "copy"
    SKIPPED = "skipped"
    FAILED = "failed"


class Reason(enum.StrEnum):
    """Why an input was skipped or failed: a closed list, so that it can be counted."""

    # discover, scrape
    FEED_UNREADABLE = "feed_unreadable"
    ROBOTS_DISALLOW = "robots_disallow"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    ADDRESS_REFUSED = "address_refused"
    DNS_FAILED = "dns_failed"
    CONNECT_FAILED = "connect_failed"
    TLS_FAILED = "tls_failed"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    HTTP_GONE = "http_gone"  # 404, 410
    HTTP_REFUSED = "http_refused"  # other 4xx
    HTTP_SERVER_ERROR = "http_server_error"  # 5xx
    HTTP_OTHER_STATUS = "http_other_status"  # a stored response that is neither 200 nor an error
    PROTOCOL_ERROR = "protocol_error"
    NOT_HTML = "not_html"
    NOT_MODIFIED = "not_modified"
    NOT_DUE = "not_due"  # visited before; its next visit comes later
    RIGHTS_RESERVED = "rights_reserved"  # the page reserves what a setting obeys
    # reading stored inputs
    RECORD_UNREADABLE = "record_unreadable"
    FILE_DAMAGED = "file_damaged"  # a file ends early or cannot be read from some byte on
    NO_TEXT_COLUMN_VALUE = "no_text_column_value"
    # clean
    UNDECODABLE = "undecodable"
    NO_TEXT = "no_text"
    TOO_SHORT = "too_short"
    NOT_ARTICLE = "not_article"
    CONSENT_WALL = "consent_wall"
    TIME_LIMIT = "time_limit"
    # settle
    DUPLICATE_INPUT = "duplicate_input"  # the same address or id came twice in one run
    SAME_CONTENT = "same_content"  # an earlier night has this very content
    COSMETIC_CHANGE = "cosmetic_change"
    # a fault of ours: the detail holds the exception
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An input that gave no article: an answer of a step, not an exception."""

    ref: str
    url: str | None
    step: str
    reason: Reason
    detail: str = ""
    fate: Fate = Fate.FAILED
    outlet: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardReport:
    """What one step did with one shard: seen = used + rejected."""

    step: str
    shard_id: str
    seen: int
    used: int
    rejected: int
    rows: int = 0
    seconds: float = 0.0
    peak_memory_bytes: int = 0

    def __post_init__(self) -> None:
        if self.seen != self.used + self.rejected:
            raise ValueError(f"{self.step} lost inputs of shard {self.shard_id}: {self}")


# --------------------------------------------------------------------------- pieces of rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    start: Annotated[int, Col("first code point", "code points")]
    end: Annotated[int, Col("one past the last code point", "code points")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    text: Annotated[str, Col("the piece that was cut, at most 500 code points of it")]
    why: Annotated[str, Col("the kind of furniture: appeal, newsletter, teaser, …, repeated (by its outlet)")]
    after: Annotated[int, Col("where in articles.text it stood: it came just before this code point", "code points")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRef:
    file: Annotated[str, Col("the raw file: relative to the raw archive's folder where it lies in it, else as given")]
    offset: Annotated[int, Col("where in the file: byte offset of a WARC record, else record number from 0")]


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSpan:
    field: Annotated[str, Col("killed, injured, arrested or displaced")]
    start: Annotated[int, Col("first code point of the number's text", "code points")]
    end: Annotated[int, Col("one past its last code point", "code points")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    field: Annotated[str, Col("killed or injured")]
    min: Annotated[int | None, Col("at least so many", "persons")]
    max: Annotated[int | None, Col("at most so many", "persons")]
    attributed_to: Annotated[str | None, Col("who gave the number, as the text names it")]
    outlet: Annotated[str | None, Col("the outlet that printed it")]
    article_id: Annotated[str, Col("the article it stands in")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedName:
    name: Annotated[str, Col("the name, role or affiliation")]
    first_seen: Annotated[dt.date | None, Col("first night it was seen")]
    last_seen: Annotated[dt.date | None, Col("last night it was seen")]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCount:
    step: Annotated[str, Col("the step")]
    seen: Annotated[int, Col("inputs that came to the step")]
    used: Annotated[int, Col("inputs it passed on")]
    rejected: Annotated[int, Col("inputs it skipped or failed")]
    rows: Annotated[int, Col("rows it made (quotes, events, …), 0 where it makes none")]
    seconds: Annotated[float, Col("time in the step, all workers together", "s")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    name: Annotated[str, Col("package or model")]
    version: Annotated[str, Col("its version")]
    sha256: Annotated[str | None, Col("hash of a model file")]


# --------------------------------------------------------------------------- tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One revision of one article."""

    article_id: Annotated[str, Col("key of this row: every span in quotes, sources and events points into its text")]
    article_key: Annotated[str, Col("the same for all revisions of one article")]
    external_id: Annotated[str | None, Col("the id that the corpus gave")]
    revision: Annotated[int, Col("1 for the first text seen, then 2, 3, …")]
    valid_from: Annotated[dt.datetime | None, Col("from when on this revision is known to stand", "UTC")]
    change: Annotated[
        Literal["first", "title", "body", "minor"], Col("against the revision before", low_cardinality=True)
    ]
    url: Annotated[str | None, Col("where it was fetched, after redirects")]
    canonical_url: Annotated[str | None, Col("the address the page names as its own")]
    outlet: Annotated[str | None, Col("domain of the publisher, key of outlets", low_cardinality=True)]
    title: Annotated[str | None, Col("the headline, without the site's name")]
    standfirst: Annotated[str | None, Col("the summary under the headline; not part of text")]
    text: Annotated[str, Col("the body: NFC, one newline between paragraphs; as given with already-clean")]
    authors: Annotated[list[str], Col("people who wrote it, in the page's order")]
    section: Annotated[str | None, Col("section of the outlet", low_cardinality=True)]
    tags: Annotated[list[str], Col("keywords that the page states")]
    published_at: Annotated[dt.datetime | None, Col("when it was published; null if unknown, never guessed", "UTC")]
    published_from: Annotated[
        str | None, Col("where the date comes from: json-ld, meta, time, url, text, given", low_cardinality=True)
    ]
    published_precision: Annotated[
        Literal["second", "minute", "day", "month", "year"] | None, Col("how exact it is", low_cardinality=True)
    ]
    modified_at: Annotated[dt.datetime | None, Col("when the page says it was changed", "UTC")]
    fetched_at: Annotated[dt.datetime | None, Col("when it was fetched, from the WARC or the fetch", "UTC")]
    language: Annotated[str | None, Col("ISO 639-1 of the text", low_cardinality=True)]
    word_count: Annotated[int, Col("words in text", "words")]
    agency: Annotated[str | None, Col("wire agency named as the origin", low_cardinality=True)]
    copy_group: Annotated[
        str | None,
        Col("same for near-identical texts, over outlets and nights; alone in its group if unique"),
    ]
    is_original: Annotated[bool | None, Col("the first of its copy_group, by agency mark and time")]
    story_id: Annotated[str | None, Col("story of the main happening")]
    access: Annotated[
        Literal["free", "paywalled", "consent_wall"] | None,
        Col("what a reader without account sees", low_cardinality=True),
    ]
    rights: Annotated[list[str], Col("robots, TDM reservation and licence as stated when fetched")]
    extractor: Annotated[
        str,
        Col("what found the body: blocks (our model), trafilatura, newspaper3k, text, given", low_cardinality=True),
    ]
    confidence: Annotated[float, Col("chance that the body is whole and clean", "0 to 1")]
    removed: Annotated[list[Removed], Col("what was cut, and why")]
    raw_ref: Annotated[RawRef | None, Col("where the raw form lies")]
    content_hash: Annotated[str, Col("hash of title and text: equal hashes, equal article")]
    gone: Annotated[
        list[str] | None,
        Col("quote_ids and event_ids of the revision before that this one no longer has; null for a first revision"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One attributed statement."""

    quote_id: Annotated[str, Col("key")]
    article_id: Annotated[str, Col("the article it stands in")]
    kind: Annotated[
        Literal["direct", "indirect", "mixed"], Col("all, none or some of it in quotation marks", low_cardinality=True)
    ]
    text: Annotated[str, Col("articles.text[start:end]")]
    start: Annotated[int, Col("first code point", "code points")]
    end: Annotated[int, Col("one past the last code point", "code points")]
    parts: Annotated[list[Span], Col("pieces of a quote broken by its cue; empty when it is one piece")]
    cue: Annotated[str | None, Col("the words that attribute: said, according to, …")]
    cue_start: Annotated[int | None, Col("first code point of the cue", "code points")]
    cue_end: Annotated[int | None, Col("one past its last", "code points")]
    stance: Annotated[
        str | None, Col("class of the cue: neutral, claims, denies, accuses, warns, promises, …", low_cardinality=True)
    ]
    speaker_text: Annotated[str | None, Col("the words that name the speaker")]
    speaker_start: Annotated[int | None, Col("first code point of the speaker", "code points")]
    speaker_end: Annotated[int | None, Col("one past its last", "code points")]
    source_id: Annotated[str | None, Col("who said it: key of sources together with article_id")]
    resolved_by: Annotated[
        Literal["name", "pronoun", "description", "continuation"] | None,
        Col("how the speaker was found", low_cardinality=True),
    ]
    via_source_id: Annotated[str | None, Col("A says that B said: the A")]
    parent_quote_id: Annotated[str | None, Col("the quote that this one stands in")]
    quote_group: Annotated[str | None, Col("same for one utterance over all articles")]
    paragraph: Annotated[int, Col("paragraph of text it begins in, from 0")]
    confidence: Annotated[float, Col("chance that the row is right", "0 to 1")]
    change: Annotated[
        Literal["same", "added", "altered"] | None,
        Col("against the revision of the article before; null in a first revision", low_cardinality=True),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteGroup:
    """One utterance over all articles."""

    quote_group: Annotated[str, Col("key")]
    text: Annotated[str, Col("its longest form")]
    source_id: Annotated[str | None, Col("who said it")]
    n_articles: Annotated[int, Col("articles that carry it")]
    n_independent: Annotated[int, Col("the same with copies counted once")]
    first_outlet: Annotated[str | None, Col("the outlet that had it first", low_cardinality=True)]
    first_seen: Annotated[dt.datetime | None, Col("when that was published, or fetched", "UTC")]
    variants: Annotated[list[str], Col("its other forms, at most 20")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source in one article."""

    source_id: Annotated[str, Col("the same over articles and nights for a named source, else for this article")]
    article_id: Annotated[str, Col("the article")]
    name: Annotated[str, Col("fullest form in the article, or the description of an unnamed source")]
    kind: Annotated[
        Literal["person", "organisation", "group", "document"] | None, Col("what it is", low_cardinality=True)
    ]
    named: Annotated[bool, Col("has a name in the article, not only a description")]
    role: Annotated[str | None, Col("office, rank or profession")]
    affiliation: Annotated[str | None, Col("whom it speaks or works for")]
    mentions: Annotated[list[Span], Col("where it is mentioned in articles.text")]
    n_quotes: Annotated[int, Col("quotes of this source in the article")]
    quoted_words: Annotated[int, Col("words in them", "words")]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIndex:
    """One named source over the whole corpus."""

    source_id: Annotated[str, Col("key")]
    name: Annotated[str, Col("its most frequent full name")]
    aliases: Annotated[list[str], Col("other names")]
    kind: Annotated[str | None, Col("what it is", low_cardinality=True)]
    roles: Annotated[list[DatedName], Col("roles with the nights they were seen")]
    affiliations: Annotated[list[str], Col("affiliations")]
    n_articles: Annotated[int, Col("articles it speaks in")]
    n_quotes: Annotated[int, Col("quotes")]
    outlets: Annotated[list[str], Col("outlets that quoted it")]
    first_seen: Annotated[dt.date, Col("first night")]
    last_seen: Annotated[dt.date, Col("last night")]


EventType = Literal[
    "AGREE", "CONSULT", "SUPPORT", "CONCEDE", "COOPERATE", "AID", "RETREAT", "REQUEST", "ACCUSE", "REJECT",
    "THREATEN", "SANCTION", "PROTEST", "MOBILIZE", "COERCE", "ASSAULT",
]  # fmt: skip
Modality = Literal["asserted", "reported", "alleged", "planned", "expected", "hypothetical", "negated"]
REAL: frozenset[str] = frozenset({"asserted", "reported", "alleged"})
"""Modalities under which something is told as having happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event mention."""

    event_id: Annotated[str, Col("key")]
    article_id: Annotated[str, Col("the article it is told in")]
    type: Annotated[EventType, Col("PLOVER 0.8 type", low_cardinality=True)]
    mode: Annotated[str | None, Col("PLOVER mode within the type", low_cardinality=True)]
    evidence: Annotated[str, Col("articles.text[start:end], the clause that tells it")]
    start: Annotated[int, Col("first code point of the evidence", "code points")]
    end: Annotated[int, Col("one past its last", "code points")]
    trigger: Annotated[str, Col("the word that names the event")]
    trigger_start: Annotated[int, Col("first code point of the trigger", "code points")]
    trigger_end: Annotated[int, Col("one past its last", "code points")]
    actor_text: Annotated[str | None, Col("who did it")]
    actor_start: Annotated[int | None, Col("first code point of the actor", "code points")]
    actor_end: Annotated[int | None, Col("one past its last", "code points")]
    actor_kind: Annotated[str | None, Col("person, organisation, group, place", low_cardinality=True)]
    actor_country: Annotated[str | None, Col("ISO 3166 alpha-3", low_cardinality=True)]
    actor_sector: Annotated[str | None, Col("PLOVER sector: GOV, MIL, COP, REB, CVL, …", low_cardinality=True)]
    actor_source_id: Annotated[str | None, Col("source_id, if it also speaks")]
    recipient_text: Annotated[str | None, Col("to whom it was done")]
    recipient_start: Annotated[int | None, Col("first code point of the recipient", "code points")]
    recipient_end: Annotated[int | None, Col("one past its last", "code points")]
    recipient_kind: Annotated[str | None, Col("person, organisation, group, place", low_cardinality=True)]
    recipient_country: Annotated[str | None, Col("ISO 3166 alpha-3", low_cardinality=True)]
    recipient_sector: Annotated[str | None, Col("PLOVER sector", low_cardinality=True)]
    recipient_source_id: Annotated[str | None, Col("source_id, if it also speaks")]
    place_text: Annotated[str | None, Col("the words that name the place")]
    place_start: Annotated[int | None, Col("first code point of the place", "code points")]
    place_end: Annotated[int | None, Col("one past its last", "code points")]
    place_name: Annotated[str | None, Col("its name in the gazetteer, or as written if it is not there")]
    place_admin1: Annotated[str | None, Col("GeoNames code of its first-order division", low_cardinality=True)]
    place_country: Annotated[str | None, Col("ISO 3166 alpha-3", low_cardinality=True)]
    lat: Annotated[float | None, Col("latitude", "degrees")]
    lon: Annotated[float | None, Col("longitude", "degrees")]
    geonames_id: Annotated[int | None, Col("GeoNames id")]
    place_precision: Annotated[str | None, Col("city, admin1, country", low_cardinality=True)]
    place_from: Annotated[
        str | None,
        Col(
            "where the place was read: clause, sentence, earlier (the event or sentence before), dateline, article "
            "(only the country, which all of it is about); or why there is none: none (not named), unclear (what the "
            "sentence names is not its place), elsewhere, not bodily (said or agreed, not done somewhere)",
            low_cardinality=True,
        ),
    ]
    date_text: Annotated[str | None, Col("the words that date it")]
    date_start: Annotated[dt.date | None, Col("first day it can have been")]
    date_end: Annotated[dt.date | None, Col("last day it can have been")]
    date_precision: Annotated[str | None, Col("day, week, month, year, range", low_cardinality=True)]
    date_from: Annotated[
        str | None,
        Col(
            "where the date was read: clause, earlier (the event before, told as one with it), none",
            low_cardinality=True,
        ),
    ]
    killed_min: Annotated[int | None, Col("at least so many killed", "persons")]
    killed_max: Annotated[int | None, Col("at most so many killed", "persons")]
    injured_min: Annotated[int | None, Col("at least so many injured", "persons")]
    injured_max: Annotated[int | None, Col("at most so many injured", "persons")]
    arrested_min: Annotated[int | None, Col("at least so many arrested", "persons")]
    arrested_max: Annotated[int | None, Col("at most so many arrested", "persons")]
    displaced_min: Annotated[int | None, Col("at least so many displaced", "persons")]
    displaced_max: Annotated[int | None, Col("at most so many displaced", "persons")]
    count_spans: Annotated[list[CountSpan], Col("where the numbers stand")]
    modality: Annotated[Modality, Col("whether it is told as having happened", low_cardinality=True)]
    attributed_to: Annotated[str | None, Col("who says so, as the text names it")]
    attributed_source_id: Annotated[str | None, Col("the source who says so")]
    attributed_quote_id: Annotated[str | None, Col("the quote it is told in")]
    goldstein: Annotated[float | None, Col("Goldstein score of type and mode", "-10 to 10")]
    quad: Annotated[
        Literal["verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict"],
        Col("quad class", low_cardinality=True),
    ]
    story_id: Annotated[str | None, Col("the story it belongs to")]
    confidence: Annotated[float, Col("chance that the row is right", "0 to 1")]
    change: Annotated[
        Literal["same", "added", "altered"] | None,
        Col("against the revision of the article before; null in a first revision", low_cardinality=True),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One happening told by many articles."""

    story_id: Annotated[str, Col("key")]
    headline: Annotated[str | None, Col("title of its first article")]
    first_seen: Annotated[dt.datetime | None, Col("its first article", "UTC")]
    last_seen: Annotated[dt.datetime | None, Col("its last article", "UTC")]
    n_articles: Annotated[int, Col("articles")]
    n_outlets: Annotated[int, Col("outlets")]
    n_independent: Annotated[int, Col("articles with copies counted once")]
    types: Annotated[list[str], Col("event types, the most frequent first")]
    place_name: Annotated[str | None, Col("most frequent place of its events")]
    place_country: Annotated[str | None, Col("ISO 3166 alpha-3", low_cardinality=True)]
    lat: Annotated[float | None, Col("latitude", "degrees")]
    lon: Annotated[float | None, Col("longitude", "degrees")]
    date_start: Annotated[dt.date | None, Col("earliest date of its events")]
    date_end: Annotated[dt.date | None, Col("latest date of its events")]
    killed_min: Annotated[int | None, Col("lowest toll told", "persons")]
    killed_max: Annotated[int | None, Col("highest toll told", "persons")]
    injured_min: Annotated[int | None, Col("lowest number told", "persons")]
    injured_max: Annotated[int | None, Col("highest number told", "persons")]
    tolls: Annotated[list[Toll], Col("who says what, at most 50")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One publisher."""

    outlet: Annotated[str, Col("domain, key")]
    name: Annotated[str | None, Col("its name")]
    country: Annotated[str | None, Col("ISO 3166 alpha-2, as outlets.toml says", low_cardinality=True)]
    language: Annotated[str | None, Col("ISO 639-1, of outlets.toml or of most articles", low_cardinality=True)]
    feeds: Annotated[list[str], Col("feeds, sitemaps and pages that it is found by")]
    articles_per_night: Annotated[float, Col("mean over its nights", "articles")]
    nights: Annotated[int, Col("nights it was seen in")]
    last_success: Annotated[dt.date | None, Col("last night with an article of it")]
    robots: Annotated[
        str | None, Col("state of robots.txt at the last visit: ok, missing, unreachable", low_cardinality=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One outlet in one night."""

    outlet: Annotated[str, Col("domain", low_cardinality=True)]
    night: Annotated[dt.date, Col("the night")]
    found: Annotated[int, Col("addresses found")]
    fetched: Annotated[int, Col("pages fetched")]
    articles: Annotated[int, Col("articles, revisions and copies among them")]
    expected: Annotated[
        float | None, Col("median of its last 28 nights without an outage; null before the third", "articles")
    ]
    status: Annotated[Literal["ok", "low", "zero", "blocked", "feed_dead"], Col("how it went", low_cardinality=True)]
    usable_for_trends: Annotated[bool, Col("whether a count over time may use this night")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One discovered address or input record, and what became of it."""

    run_id: Annotated[str, Col("the run", low_cardinality=True)]
    ref: Annotated[str, Col("file and place in it (as in articles.raw_ref), or the address")]
    url: Annotated[str | None, Col("its address")]
    outlet: Annotated[str | None, Col("domain of the publisher", low_cardinality=True)]
    fate: Annotated[Fate, Col("article, revision, unchanged, copy, skipped or failed", low_cardinality=True)]
    step: Annotated[str, Col("the step that decided it", low_cardinality=True)]
    reason: Annotated[Reason | None, Col("why; null for article, revision and copy", low_cardinality=True)]
    detail: Annotated[str | None, Col("for a person")]
    attempts: Annotated[int, Col("tries")]
    article_id: Annotated[str | None, Col("its row in articles, the earlier one if unchanged")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run."""

    run_id: Annotated[str, Col("key: night, flow, what went in, and how often")]
    flow: Annotated[str, Col("nightly or ingest", low_cardinality=True)]
    night: Annotated[dt.date, Col("the partition it wrote")]
    started_at: Annotated[dt.datetime, Col("start", "UTC")]
    finished_at: Annotated[dt.datetime, Col("end, just before publication", "UTC")]
    n_inputs: Annotated[int, Col("inputs, the sum of the fates")]
    n_article: Annotated[int, Col("new articles")]
    n_revision: Annotated[int, Col("changed articles")]
    n_unchanged: Annotated[int, Col("already there")]
    n_copy: Annotated[int, Col("near-identical copies")]
    n_skipped: Annotated[int, Col("no articles, or not ours to take")]
    n_failed: Annotated[int, Col("failed")]
    steps: Annotated[list[StepCount], Col("counts and seconds a step")]
    versions: Annotated[list[Version], Col("code and models")]
    settings: Annotated[str, Col("all settings, JSON")]
    peak_memory_bytes: Annotated[int | None, Col("largest resident set of one process", "bytes")]
    given: Annotated[str | None, Col("what the user said of the inputs of an ingest, JSON")] = None
    backfilled_at: Annotated[
        dt.datetime | None,
        Col("when its rows were made again from the raw archive, with versions and settings of then; else null", "UTC"),
    ] = None


TABLES: dict[str, type[Any]] = {
    "articles": Article,
    "quotes": Quote,
    "quote_groups": QuoteGroup,
    "sources": Source,
    "source_index": SourceIndex,
    "events": Event,
    "stories": Story,
    "outlets": Outlet,
    "coverage": Coverage,
    "inputs": Input,
    "runs": Run,
}
SNAPSHOTS: frozenset[str] = frozenset({"quote_groups", "source_index", "stories", "outlets"})
"""Tables over the whole corpus: they hold one partition, the newest night's, and replace it."""
KEYS: dict[str, tuple[str, ...]] = {
    "articles": ("article_id",),
    "quotes": ("quote_id",),
    "quote_groups": ("quote_group",),
    "sources": ("source_id", "article_id"),
    "source_index": ("source_id",),
    "events": ("event_id",),
    "stories": ("story_id",),
    "outlets": ("outlet",),
    "coverage": ("outlet", "night"),
    "inputs": ("run_id", "ref"),
    "runs": ("run_id",),
}


# --------------------------------------------------------------------------- Arrow


def _split(hint: Any) -> tuple[Any, Col | None, bool]:
    """(type without Annotated and None, its Col, whether null is allowed)."""
    col = None
    if typing.get_origin(hint) is Annotated:
        hint, col = typing.get_args(hint)
    args = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType) and type(None) in args:
        rest = [a for a in args if a is not type(None)]
        return rest[0], col, True
    return hint, col, False


_PLAIN = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us", tz="UTC"),
}


def _arrow(hint: Any) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint]
    if typing.get_origin(hint) is Literal or (isinstance(hint, type) and issubclass(hint, enum.StrEnum)):
        return pa.string()
    if typing.get_origin(hint) is list:
        item, _, _ = _split(typing.get_args(hint)[0])
        return pa.list_(_arrow(item))
    if dataclasses.is_dataclass(hint):
        return pa.struct([_field(n, h) for n, h in _hints(hint).items()])
    raise TypeError(f"no Arrow type for {hint!r}")


def _field(name: str, hint: Any) -> Any:
    kind, col, null = _split(hint)
    meta = {"meaning": col.meaning, **({"unit": col.unit} if col.unit else {})} if col else None
    return pa.field(name, _arrow(kind), nullable=null, metadata=meta)


def _hints(row: Any) -> dict[str, Any]:
    return typing.get_type_hints(row, include_extras=True)


@functools.cache
def schema(table: str) -> Any:
    """The Arrow schema of a table; field metadata hold meaning and unit, schema metadata the version."""
    row = TABLES[table]
    meta = {"nightdesk.table": table, "nightdesk.schema_version": str(SCHEMA_VERSION)}
    return pa.schema([_field(n, h) for n, h in _hints(row).items()], metadata=meta)


@functools.cache
def columns(table: str) -> dict[str, Col]:
    """Column name -> meaning, unit, cardinality, in order."""
    out: dict[str, Col] = {}
    for name, hint in _hints(TABLES[table]).items():
        col = _split(hint)[1]
        if col is None:
            raise TypeError(f"{table}.{name} has no Col")
        out[name] = col
    return out


def to_arrow(table: str, rows: Iterable[Any]) -> Any:
    """Rows -> pyarrow.Table with the table's schema. Raises ArrowInvalid or ArrowTypeError on a wrong type."""
    rows = list(rows)
    columns = [pa.array([_plain(getattr(r, f.name)) for r in rows], f.type) for f in schema(table)]
    return pa.Table.from_arrays(columns, schema=schema(table))


def _plain(value: Any) -> Any:
    """What pyarrow reads of a cell: rows within it as dictionaries. (`asdict` would copy every cell.)"""
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f: _plain(getattr(value, f)) for f in value.__slots__}  # type: ignore[attr-defined]
    return value


def make_id(prefix: str, *parts: object) -> str:
    """A content-derived id, e.g. q-4f0c9a7be1d20c55: 64 bits of BLAKE2b over the parts.

    64 bits: among 10**9 rows of a table the chance of one collision is about 3 %.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return f"{prefix}-{digest.hexdigest()}"
