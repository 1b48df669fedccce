"""The reader: one article as a page of its own, with its quotes, sources and events marked in the text.

The page asks for nothing from outside; its one script is allowed by its hash, so that nothing an article contains can
run.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2

from tasks.report.changes import ChangedParagraph, changes
from tasks.report.reading import Piece, Reading, Row, harmless, lines, pieces, range_words

HERE = Path(__file__).parent
COUNTS = ("killed", "injured", "arrested", "displaced")


@dataclass(frozen=True, slots=True)
class Change:
    """What changed from one revision to the next."""

    row: Row  # the newer revision
    title_before: str | None  # where the title changed
    paragraphs: list[ChangedParagraph]


def _nowhere(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where a reader's page leads to: addresses made from ids, None where there is no such page.

    What has no page is named, not linked. `home` is the page that it leads back to: its address and its name.
    """

    home: tuple[str, str] | None = None
    article: Callable[[str], str | None] = _nowhere
    source: Callable[[str], str | None] = _nowhere
    story: Callable[[str], str | None] = _nowhere


def render_reader(reading: Reading, links: Links = Links()) -> str:
    """The page of one article as HTML. The id of a quote or event is the anchor of where it begins."""
    return (
        templates()
        .get_template("reader.html.j2")
        .render(
            a=reading.article,
            paragraphs=list(_paragraphs(reading)),
            quotes=reading.quotes,
            sources=reading.sources,
            events=reading.events,
            names={s["source_id"]: s["name"] for s in reading.sources},
            changes=list(_changes(reading)),
            copies=reading.copies,
            link=links,
            counts=COUNTS,
            script=_script(),
            script_hash=script_hash(),
        )
    )


def marks(reading: Reading) -> Iterator[tuple[int, int, str]]:
    """(start, end, "<class> <id of the row>") of everything that is marked in the text."""
    for i, q in enumerate(reading.quotes):
        for span in q["parts"] or [q]:
            yield span["start"], span["end"], f"quote q{i}"
        for part in ("cue", "speaker"):
            if q[f"{part}_start"] is not None:
                yield q[f"{part}_start"], q[f"{part}_end"], f"{part} q{i}"
    for i, s in enumerate(reading.sources):
        for span in s["mentions"]:
            yield span["start"], span["end"], f"source s{i}"
    for i, e in enumerate(reading.events):
        yield e["start"], e["end"], f"evidence e{i}"
        for part in ("trigger", "actor", "recipient", "place"):
            if e[f"{part}_start"] is not None:
                yield e[f"{part}_start"], e[f"{part}_end"], f"{part} e{i}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece as the page shows it."""

    text: str
    classes: str
    of: str  # ids of the rows it belongs to
    first: str  # rows that begin here: these can be reached by keyboard
    anchors: tuple[str, ...]  # ids of the quotes and events that begin here
    cut: str | None


def _paragraphs(reading: Reading) -> Iterator[list[Stretch]]:
    seen: set[str] = set()
    ids = {f"q{i}": q["quote_id"] for i, q in enumerate(reading.quotes)}
    ids |= {f"e{i}": e["event_id"] for i, e in enumerate(reading.events)}
    article = reading.article
    for line in lines(pieces(article["text"], marks(reading), article["removed"])):
        yield [_stretch(piece, seen, ids) for piece in line]


def _stretch(piece: Piece, seen: set[str], ids: dict[str, str]) -> Stretch:
    named = [mark.split(" ") for mark in piece.marks]
    rows = {row for _, row in named}
    begin = {row for kind, row in named if kind in ("quote", "trigger")} - seen
    seen |= begin
    return Stretch(
        text=harmless(piece.text), classes=" ".join(sorted({k for k, _ in named})), of=" ".join(sorted(rows)),
        first=" ".join(sorted(begin)), anchors=tuple(sorted(ids[row] for row in begin)), cut=piece.cut,
    )  # fmt: skip


def _changes(reading: Reading) -> Iterator[Change]:
    for old, new in pairwise(reading.revisions):
        before = old["title"] if old["title"] != new["title"] else None
        yield Change(new, before, list(changes(old["text"], new["text"])))


@functools.cache
def _script() -> str:
    return (HERE / "reader.js").read_text(encoding="utf-8")


@functools.cache
def script_hash() -> str:
    """The hash by which a content security policy allows the reader's script and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(_script().encode("utf-8")).digest()).decode("ascii")


@functools.cache
def templates() -> jinja2.Environment:
    """The pages' templates: everything is escaped, and text of articles is made harmless."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    env.filters["range"] = range_words
    env.filters["count"] = lambda n: f"{n:,}"
    env.filters["many"] = many
    env.filters["megabytes"] = lambda n: f"{n / 1e6:,.0f} MB" if n is not None else "of unknown size"
    env.filters["day"] = lambda at: f"{at:%Y-%m-%d}" if at else "undated"
    env.filters["minute"] = lambda at: f"{at:%Y-%m-%d %H:%M}" if at else "undated"
    env.filters["safe_text"] = _short
    env.filters["harmless"] = harmless
    return env


def many(n: int, thing: str, things: str | None = None) -> str:
    """1 quote, 2 quotes, 1,200 quotes."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def _short(value: Any, most: int = 400) -> str:
    """A title, name or address for a page: harmless, and cut where it is absurdly long."""
    text = harmless("" if value is None else str(value))
    return text if len(text) <= most else text[:most] + "…"
