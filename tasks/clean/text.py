"""One record of a text corpus -> one clean article: repaired, with the furniture cut out and named."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

from tasks.clean import metadata
from tasks.clean.agree import similarity
from tasks.clean.dates import parse_moment
from tasks.clean.features import IN_PROSE, addresses_reader, kinds_of, speaks_for_itself
from tasks.clean.identity import article_id, content_hash, outlet_of, text_key
from tasks.clean.language import identify
from tasks.clean.repair import doubled, glue_back, mend
from tasks.clean.unit_chances import unit_chances
from tasks.clean.units import Unit, split_units
from tasks.scrape.records import RawText
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, RawRef, Reason, Removed

KEEP = 0.5
"""Chance of being body from which a unit stays: best of 0.3 to 0.7 in cross-validation over outlets."""
KEEP_VOICE = 0.75
"""For what asks the reader something in the outlet's own voice: most such sentences are appeals."""
_ASKING = frozenset(("appeal", "subscription", "newsletter", "share", "consent"))
MAX_APPEAL = 5
"""Pieces from one pleading piece of an appeal to the next."""
SURELY = 0.95
MAX_TITLE_WORDS = 32
MAX_STANDFIRST_WORDS = 60
_STOPPED = re.compile(r"[.!?…:;,][\"”’)]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    title: str | None
    standfirst: str | None
    text: str
    removed: list[Removed]
    confidence: float
    before_body: str  # what stood before the body: by-lines and credits are looked for there


def _without_title(
    lines: list[str], title: str | None, title_in_text: bool
) -> tuple[str | None, str | None, list[str]]:
    """Title, standfirst and the lines left, where the text begins with them.

    A bare text begins with its title: a first line that is no sentence. Its standfirst is a second line that is one or
    two clauses without a full stop, as standfirsts are set.
    """
    if not lines:
        return title, None, lines
    if title is not None:
        return title, None, lines[1:] if similarity(lines[0], title) > 0.9 and len(lines) > 1 else lines
    if not title_in_text or len(lines) < 3:
        return None, None, lines
    first = lines[0]
    if len(first.split()) > MAX_TITLE_WORDS or re.search(r"[.;,][\"”’)]*$", first):
        return None, None, lines
    second = lines[1]
    if (
        8 <= len(second.split()) <= MAX_STANDFIRST_WORDS
        and not _STOPPED.search(second)
        and not set(kinds_of(second)) - IN_PROSE
    ):
        return first, second, lines[2:]
    return first, None, lines[1:]


def _pleads(piece: str) -> bool:
    """Whether it asks for something, and does so in the outlet's own voice or to the reader."""
    return bool(_ASKING & set(kinds_of(piece))) and (bool(speaks_for_itself(piece)) or addresses_reader(piece))


def _is_kept(piece: str, chance: float) -> bool:
    return chance >= KEEP_VOICE or (chance >= KEEP and not _pleads(piece))


def _within_appeals(pieces: list[str], chances: list[float], kept: list[bool]) -> set[int]:
    """What stands between two pleading pieces that are cut, and is not surely body: an appeal tells a story too."""
    pleading = [i for i, piece in enumerate(pieces) if not kept[i] and _pleads(piece)]
    found: set[int] = set()
    for a, b in itertools.pairwise(pleading):
        if 1 < b - a <= MAX_APPEAL and all(chances[i] < SURELY for i in range(a + 1, b)):
            found.update(range(a + 1, b))
    return found


def _judge(text: str, units: list[Unit]) -> tuple[list[bool], list[dict[str, float]]]:
    chances = unit_chances(text, units)
    pieces = [text[u.start : u.end] for u in units]
    kept = [_is_kept(p, c["B"]) for p, c in zip(pieces, chances, strict=True)]
    for i in doubled(pieces) | _within_appeals(pieces, [c["B"] for c in chances], kept):
        kept[i] = False
    if not any(kept):  # nothing looks like body: better all of it than nothing
        kept = [True] * len(units)
    return kept, chances


def _why(piece: str, chances: dict[str, float]) -> str:
    if chances["T"] > 0.5:
        return "title"
    if chances["S"] > 0.5:
        return "standfirst"
    kinds = kinds_of(piece)
    return kinds[0] if kinds else "other"


def cut_furniture(text: str, lead: str = "") -> tuple[str, list[Removed], float, str, str | None]:
    """Body, what was cut, confidence, what stood before the body, and the standfirst if one was recognised.

    `lead`: title and standfirst lines that were taken off the top. The model has learnt from texts that begin with
    them, so it is shown them; they are not part of the answer.
    """
    if lead:
        text = f"{lead}\n{text}"
    units = split_units(text)
    kept, chances = _judge(text, units)
    skip = sum(u.start < len(lead) for u in units)
    kept[:skip] = [False] * skip
    body = ""
    removed: list[Removed] = []
    before: list[str] = []
    standfirst: list[str] = []
    pieces = iter(glue_back(text, units, kept))
    for i, unit in enumerate(units[skip:], skip):
        piece = text[unit.start : unit.end]
        if kept[i]:
            start, end, gap = next(pieces)
            body += gap + text[start:end]
            continue
        why = _why(piece, chances[i])
        if not body:
            before.append(piece)
            if why == "standfirst":
                standfirst.append(piece)
        removed.append(Removed(text=piece[:500], why=why, after=len(body)))
    certain = [max(c["B"], 1 - c["B"]) for c in chances[skip:]]
    confidence = sum(certain) / len(certain) if certain else 0.5
    return body, removed, round(confidence, 3), "\n".join(before), " ".join(standfirst) or None


def repair_text(record: RawText) -> Cleaned:
    """The record's text mended, its title and standfirst apart, its furniture cut."""
    lines = [line for line in mend(record.text).split("\n") if line.strip()]
    title, standfirst, rest = _without_title(lines, record.title, record.title_in_text)
    lead = "\n".join(lines[: len(lines) - len(rest)])
    body, removed, confidence, before, found = cut_furniture("\n".join(rest), lead)
    return Cleaned(
        title=title,
        standfirst=standfirst or found,
        text=body,
        removed=removed,
        confidence=confidence,
        before_body=before,
    )


def clean_text(record: RawText, *, rules: CleanSettings, already_clean: bool) -> Article | Failure:
    """Turn one corpus text into an article. A short text is still an article: corpora have been chosen by someone.

    already_clean: text byte for byte as given, so that spans point into the given text. Failure: NO_TEXT where it is
    only white space, TOO_LARGE beyond rules.max_bytes code points.
    """
    outlet = record.outlet or outlet_of(record.url)
    if not record.text.strip():
        return Failure(
            ref=record.ref, url=record.url, step="clean", reason=Reason.NO_TEXT, detail="empty text", outlet=outlet
        )
    if len(record.text) > rules.max_bytes:
        detail = f"{len(record.text)} of {rules.max_bytes} characters"
        return Failure(
            ref=record.ref, url=record.url, step="clean", reason=Reason.TOO_LARGE, detail=detail, outlet=outlet
        )
    if already_clean:
        done = Cleaned(
            title=record.title or None, standfirst=None, text=record.text, removed=[], confidence=1.0, before_body=""
        )
    else:
        done = repair_text(record)
    return _article(record, outlet, done, already_clean)


def _article(record: RawText, outlet: str | None, done: Cleaned, already_clean: bool) -> Article:
    moment = parse_moment(record.published_given)
    authors = [n for a in record.authors for n in metadata.clean_names(a)]
    key = text_key(record.external_id, outlet, record.url, record.text)
    digest = content_hash(done.title, done.text)
    return Article(
        article_id=article_id(key, digest), article_key=key, external_id=record.external_id, revision=1,
        valid_from=moment.at if moment else None, change="first", url=record.url, canonical_url=None, outlet=outlet,
        title=done.title, standfirst=done.standfirst, text=done.text, authors=list(dict.fromkeys(authors)),
        section=None,
        tags=[], published_at=moment.at if moment else None, published_from="given" if moment else None,
        published_precision=moment.precision if moment else None, modified_at=None, fetched_at=None,
        language=identify(done.text, record.language), word_count=len(re.findall(r"\w+", done.text)),
        agency=metadata.find_agency([*record.authors], done.before_body.split("\n")[-6:], done.text), copy_group=None,
        is_original=None, story_id=None, access=None, rights=[], extractor="given" if already_clean else "text",
        confidence=done.confidence, removed=done.removed, raw_ref=RawRef(file=record.file, offset=record.offset),
        content_hash=digest,
    )  # fmt: skip
