"""Entities that speak -> rows of `sources`, with ids that are the same over articles for a named source."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from tasks import tables
from tasks.extract.quotes.frame import Frame
from tasks.extract.quotes.spans import Piece
from tasks.extract.sources.mentions import Mention, titles
from tasks.extract.sources.names import Cast, Entity, initials
from tasks.extract.sources.roles import role_of

MAX_FURTHER = 200
"""Places a name is noted at beyond those that the reading of the text needed."""

_WORD = re.compile(r"\w+")
_SUFFIX = frozenset(("jr", "sr", "ii", "iii", "iv"))


def source_key(entity: Entity) -> tuple[str, ...] | None:
    """What makes a named source the same over articles; None where it is known in its article alone.

    A person: first and last name (a bare surname is nobody in particular). Anything else: its whole name.
    """
    words = tuple(w for w in entity.words if w != "the")
    if not entity.named or not words:
        return None
    if entity.kind == "person":
        full = [w.rstrip(".") for w in words if w.rstrip(".") not in _SUFFIX]
        while len(full) > 1 and full[0] in titles():
            full.pop(0)
        last = entity.surname if entity.surname in full[1:] else full[-1]
        return ("person", full[0], last) if len(full) > 1 else None
    return (entity.kind or "organisation", *(w.replace(".", "") for w in words))


def source_id(entity: Entity, article_id: str) -> str:
    key = source_key(entity)
    return tables.make_id("s", *key) if key else tables.make_id("s", article_id, entity.named, entity.name.lower())


def source_rows(
    f: Frame,
    mentions: list[Mention],
    cast: Cast,
    article_id: str,
    said: Sequence[tuple[int | None, list[Piece]]],
) -> tuple[list[tables.Source], dict[int, str]]:
    """One row per source that speaks, in the order of its first quote, and the source_id of each entity by id()."""
    quotes: dict[str, int] = {}
    words: dict[str, int] = {}
    entities: dict[str, list[Entity]] = {}
    ids: dict[int, str] = {}
    for speaker, pieces in said:
        entity = cast.of.get(speaker) if speaker is not None else None
        if entity is None:
            continue
        key = source_id(entity, article_id)
        ids[id(entity)] = key
        group = entities.setdefault(key, [])
        if entity not in group:
            group.append(entity)
        quotes[key] = quotes.get(key, 0) + 1
        words[key] = words.get(key, 0) + sum(int(f.is_word[p.lo : p.hi].sum()) for p in pieces)
    often = {id(e) for e in cast.entities if len(e.mentions) > 1} | set(ids)  # "Biden Aims Insult" is nobody
    taken = sorted({span_of(f, mentions[m]) for m, e in cast.of.items() if id(e) in often})
    places = _places(f.text)
    rows = [
        _row(f, mentions, cast, article_id, key, group, quotes[key], words[key], taken, places)
        for key, group in entities.items()
    ]
    return rows, ids


def _row(
    f: Frame,
    mentions: list[Mention],
    cast: Cast,
    article_id: str,
    key: str,
    group: list[Entity],
    n: int,
    words: int,
    taken: Sequence[tuple[int, int]],
    places: dict[str, list[int]],
) -> tables.Source:
    first = group[0]
    roles = [role_of(f, mentions, e, cast) for e in group]
    spans = sorted({span_of(f, mentions[m]) for e in group for m in e.mentions})
    spans = sorted({*spans, *_further(f, group, taken, places)})
    return tables.Source(
        source_id=key, article_id=article_id, name=first.name, kind=_kind(first.kind), named=first.named,
        role=next((r for r, _ in roles if r), None), affiliation=next((a for _, a in roles if a), None),
        mentions=[tables.Span(start=a, end=b) for a, b in spans], n_quotes=n, quoted_words=words,
    )  # fmt: skip


def _further(
    f: Frame, group: list[Entity], taken: Sequence[tuple[int, int]], places: dict[str, list[int]]
) -> set[tuple[int, int]]:
    """Where else the names stand, as part of another phrase or in a headline: "an FBI inquiry", "Biden Aims Insult"."""
    out: set[tuple[int, int]] = set()
    for e in group:
        if not e.named or not e.words:
            continue
        forms = {e.name, *(s.upper() for s in e.short)}
        if e.kind == "person" and len(e.words) > 1:
            forms.add(e.name.split()[-1])
        elif e.kind != "person" and len(e.words) > 2:
            forms.update(i.upper() for i in initials(e.words) if len(i) > 2)
        for start, end in itertools.islice(_standing(f.text, forms, places), MAX_FURTHER):
            k = bisect.bisect_right(taken, (end, -1))
            if not any(a < end and start < b for a, b in taken[max(k - 3, 0) : k + 1]):
                out.add((start, end))
    return out


def _places(text: str) -> dict[str, list[int]]:
    """Where each word begins that has a capital or a figure in it."""
    out: dict[str, list[int]] = {}
    for m in _WORD.finditer(text):
        word = m.group()
        if not word.islower():
            out.setdefault(word, []).append(m.start())
    return out


def _standing(text: str, forms: set[str], places: dict[str, list[int]]) -> Iterator[tuple[int, int]]:
    """Where any of the forms stands as a whole, from the left, the longest at each place, none over another."""
    found = []
    for form in forms:
        first = _WORD.search(form)
        if first is None:
            continue
        for at in places.get(first.group(), ()):
            start = at - first.start()
            end = start + len(form)
            if start >= 0 and text.startswith(form, start) and not _goes_on(text, start, end):
                found.append((start, -end))
    last = 0
    for start, minus in sorted(found):
        if start >= last:
            last = -minus
            yield start, last


def _goes_on(text: str, start: int, end: int) -> bool:
    """Whether a word or a hyphen touches a stretch of text."""
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return any(c == "-" or c == "_" or c.isalnum() for c in before + after)


def _kind(
    kind: str | None,
) -> Literal["person", "organisation", "group", "document"] | None:
    return kind if kind in ("person", "organisation", "group", "document") else None  # type: ignore[return-value]


def span_of(f: Frame, m: Mention) -> tuple[int, int]:
    """Code points of a mention: of its name where it has one, else of the phrase."""
    lo, hi = m.name if m.name is not None and m.form == "name" else (m.lo, m.hi)
    return int(f.start[lo]), int(f.end[hi - 1])
