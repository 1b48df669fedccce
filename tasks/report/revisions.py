"""What changed between two revisions of an article: its text, and the quotes and events in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tasks.publish.changes import RowChange, event_changes, quote_changes
from tasks.publish.store import Store
from tasks.report.changes import ChangedParagraph, changes
from tasks.report.reading import Reading, Row, look_up, opened, read_many


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
        quotes=quote_changes(old.quotes, old.sources, new.quotes, new.sources),
        events=event_changes(old.events, new.events),
    )
