"""The content of the invented press: outlets and articles, read from the files beside this module.

An article is a file `articles/<domain>/<slug>.md`: a TOML header between two lines `+++`, then its body, one block
after the other, split by empty lines. A block is a paragraph of the article unless it begins with a mark:

    [teaser] [caption] [newsletter]   furniture that stands inside the body
    [appeal]                          furniture glued to the first sentence of the paragraph that follows
    [until 1] [from 2]                a paragraph for some visits only

The header's table `later` holds what it says from the second visit on.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIRST_NIGHT = dt.date(2026, 3, 2)
MARK = re.compile(r"\[(teaser|caption|newsletter|appeal|until \d+|from \d+)\]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """One invented publisher; the fields are those of outlets.toml beside this module."""

    name: str
    domain: str
    country: str
    language: str
    template: str
    path: str
    listing: str
    sections: tuple[str, ...]
    missing: tuple[str, ...]
    others: dict[str, str]
    disallow: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of the body as the page shows it: `kind` is p, teaser, caption or newsletter."""

    kind: str
    text: str
    appeal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One article as it stands at one visit. `published` has day precision where only a day is stated."""

    slug: str
    outlet: Outlet
    path: str
    title: str
    standfirst: str
    section: str
    authors: tuple[str, ...]
    published: dt.datetime | None
    modified: dt.datetime | None
    precision: str
    language: str
    kind: str
    agency: str | None
    copy_of: str | None
    story: str | None
    alias: str | None
    blocks: tuple[Block, ...]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The true body, without any furniture."""
        return tuple(b.text for b in self.blocks if b.kind == "p")


@functools.cache
def outlets() -> tuple[Outlet, ...]:
    """All outlets, in the file's order."""
    rows: list[dict[str, Any]] = tomllib.loads((HERE / "outlets.toml").read_text(encoding="utf-8"))["outlet"]
    made: list[dict[str, Any]] = [{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows]
    return tuple(Outlet(**row) for row in made)


@functools.cache
def pieces(visit: int) -> tuple[Piece, ...]:
    """All articles that stand at a visit (from 1), newest first in each outlet, undated ones last."""
    out: list[Piece] = []
    for outlet in outlets():
        found = [_piece(file, outlet, visit) for file in sorted((HERE / "articles" / outlet.domain).glob("*.md"))]
        shown = [p for p in found if p is not None]
        out += sorted(shown, key=lambda p: p.published or dt.datetime.min.replace(tzinfo=dt.UTC), reverse=True)
    return tuple(out)


def _piece(file: Path, outlet: Outlet, visit: int) -> Piece | None:
    _, head, body = file.read_text(encoding="utf-8").split("+++\n", 2)
    meta: dict[str, Any] = tomllib.loads(head)
    if visit < meta.get("visit", 1):
        return None
    if visit >= 2:
        meta |= meta.get("later", {})
    published, precision = _moment(meta.get("published"))
    path = outlet.path.format(section=meta["section"], slug=file.stem, published=published or FIRST_NIGHT)
    return Piece(
        slug=file.stem,
        outlet=outlet,
        path=path,
        title=meta["title"],
        standfirst=meta.get("standfirst", ""),
        section=meta["section"],
        authors=tuple(meta.get("authors", ())),
        published=published,
        modified=_moment(meta.get("modified"))[0],
        precision=precision,
        language=meta.get("language", outlet.language),
        kind=meta.get("kind", "copy" if "copy_of" in meta else "article"),
        agency=meta.get("agency"),
        copy_of=meta.get("copy_of"),
        story=meta.get("story"),
        alias=meta.get("alias"),
        blocks=tuple(_blocks(body, visit)),
    )


def _moment(value: dt.date | None) -> tuple[dt.datetime | None, str]:
    if value is None:
        return None, ""
    if isinstance(value, dt.datetime):
        return value, "minute"
    return dt.datetime.combine(value, dt.time(), dt.UTC), "day"


def _blocks(body: str, visit: int) -> list[Block]:
    out: list[Block] = []
    appeal = ""
    for raw in body.split("\n\n"):
        text = " ".join(raw.split("\n")).strip()
        kind = "p"
        if mark := MARK.match(text):
            kind, text = mark[1], text[mark.end() :]
        if kind.startswith(("until", "from")):
            word, number = kind.split()
            if visit > int(number) if word == "until" else visit < int(number):
                continue
            kind = "p"
        if kind == "appeal":
            appeal = text
        elif text:
            out.append(Block(kind=kind, text=text, appeal=appeal))
            appeal = ""
    return out
