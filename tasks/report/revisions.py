"""What changed between two revisions of an article: its text, and the quotes and events in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from tasks.publish.store import Store
from tasks.report.changes import ChangedParagraph, changes
from tasks.report.reading import Reading, Row, look_up, opened, read_many

Change = Literal["added", "removed", "altered"]

SIMILAR = 0.6
"""Share of words that two quotes, or the evidence of two events, have in common for one to be the other, altered."""
MOST_PAIRS = 40_000
"""Pairs of rows that are compared; beyond that only equal ones are recognised."""
_WORD = re.compile(r"\w+")
_QUOTE_FIELDS = ("kind", "speaker", "stance")
_EVENT_FIELDS = (
    "type", "mode", "modality", "actor_text", "recipient_text", "place_name", "date_start", "date_end", "killed_min",
    "killed_max", "injured_min", "injured_max", "arrested_min", "arrested_max", "displaced_min", "displaced_max",
    "attributed_to",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """One quote or event that is not in both revisions as it is. `fields`: what of it was altered, old and new."""

    change: Change
    old: Row | None
    new: Row | None
    fields: dict[str, tuple[object, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionChanges:
    """From one revision to the next. `title` is null where it stayed."""

    old: Row
    new: Row
    title: tuple[str | None, str | None] | None
    paragraphs: list[ChangedParagraph]
    quotes: list[RowChange]
    events: list[RowChange]


def revision_changes(store: Store, wanted: str) -> list[RevisionChanges] | None:
    """Every step from revision to revision of an article, the first step first; None where no such article is known.

    `wanted`: an article_id, article_key, external_id or address, as for `look_up`.
    """
    answer = look_up(store, wanted)
    if answer.reading is None:
        return None
    ids = [r["article_id"] for r in answer.reading.revisions]
    with opened(store, ("articles", "quotes", "sources", "events")) as db:
        readings = read_many(db, ids)
    ordered = [readings[i] for i in ids if i in readings]
    return [compare(old, new) for old, new in pairwise(ordered)]


def compare(old: Reading, new: Reading) -> RevisionChanges:
    a, b = old.article, new.article
    return RevisionChanges(
        old=a,
        new=b,
        title=(a["title"], b["title"]) if a["title"] != b["title"] else None,
        paragraphs=list(changes(a["text"], b["text"])),
        quotes=row_changes(_spoken(old), _spoken(new), lambda q: q["text"], _QUOTE_FIELDS),
        events=row_changes(old.events, new.events, lambda e: e["evidence"], _EVENT_FIELDS, apart="type"),
    )


def _spoken(reading: Reading) -> list[Row]:
    """Quotes with the name of who said them."""
    names = {s["source_id"]: s["name"] for s in reading.sources}
    return [q | {"speaker": names.get(q["source_id"]) or q["speaker_text"]} for q in reading.quotes]


def row_changes(
    old: Sequence[Row],
    new: Sequence[Row],
    text: Callable[[Row], str],
    fields: Iterable[str],
    *,
    apart: str | None = None,
) -> list[RowChange]:
    """Rows that were added, removed or altered, in the order of the new text, what was removed last.

    Rows of equal words are one; of the rest the most similar ones are, from SIMILAR on, where column `apart` (if any)
    is equal.
    """
    fields = tuple(fields)
    words = [[tuple(_WORD.findall(text(r).casefold())) for r in rows] for rows in (old, new)]
    partner: dict[int, int] = {}
    free: dict[tuple[object, ...], list[int]] = {}
    for i, row in enumerate(old):
        free.setdefault((words[0][i], row[apart] if apart else None), []).append(i)
    for j, row in enumerate(new):
        same = free.get((words[1][j], row[apart] if apart else None))
        if same:
            partner[j] = same.pop(0)
    left = [i for i in range(len(old)) if i not in partner.values()]
    right = [j for j in range(len(new)) if j not in partner]
    if len(left) * len(right) <= MOST_PAIRS:
        pairs = [
            (_likeness(words[0][i], words[1][j]), i, j)
            for i in left for j in right if apart is None or old[i][apart] == new[j][apart]
        ]  # fmt: skip
        for likeness, i, j in sorted(pairs, key=lambda p: (-p[0], p[1], p[2])):
            if likeness >= SIMILAR and j not in partner and i not in partner.values():
                partner[j] = i
    out = []
    for j, row in enumerate(new):
        if j not in partner:
            out.append(RowChange(change="added", old=None, new=row, fields={}))
            continue
        before = old[partner[j]]
        altered = {f: (before.get(f), row.get(f)) for f in fields if before.get(f) != row.get(f)}
        if words[0][partner[j]] != words[1][j]:
            altered["text"] = (text(before), text(row))
        if altered:
            out.append(RowChange(change="altered", old=before, new=row, fields=altered))
    taken = set(partner.values())
    out += [
        RowChange(change="removed", old=row, new=None, fields={}) for i, row in enumerate(old) if i not in taken
    ]  # fmt: skip
    return out


def _likeness(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() >= SIMILAR else 0.0
