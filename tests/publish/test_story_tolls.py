"""The stories table: differing tolls and who gave them, independent reports apart from copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks import tables
from tasks.publish.snapshots import STORIES, batches, corpus
from tests import rows

TELLINGS: tuple[tuple[str, str, str, int, int | None, str | None, str], ...] = (
    # text, outlet, copy group, killed min, killed max, who says so, modality
    ("Nine traders were killed in Kaduna.", "echo.example", "c-1", 9, None, "a local official", "reported"),
    ("Nine traders were killed in Kaduna, AP.", "copy.example", "c-1", 9, None, "a local official", "reported"),
    ("Twelve people died in Kaduna.", "courier.example", "c-2", 12, 12, "police", "reported"),
    ("Up to 15 died in Kaduna.", "brief.example", "c-3", 15, 15, None, "asserted"),
    ("Fear of 90 dead in Kaduna.", "rumour.example", "c-4", 90, 90, None, "hypothetical"),
)


def written(folder: Path) -> dict[str, list[Path]]:
    import pyarrow.parquet as pq

    articles, events = [], []
    for text, outlet, group, low, high, who, mood in TELLINGS:
        a = rows.article(text, outlet=outlet, copy_group=group, story_id="s-1")
        articles.append(a)
        blank: dict[str, Any] = {
            f.name: [] if str(f.type).startswith("list") else None for f in tables.schema("events")
        }
        told = {
            "event_id": tables.make_id("e", text), "article_id": a.article_id, "type": "ASSAULT", "evidence": text,
            "start": 0, "end": len(text), "trigger": text, "trigger_start": 0, "trigger_end": len(text),
            "killed_min": low, "killed_max": high, "attributed_to": who, "modality": mood, "place_from": "none",
            "date_from": "none", "quad": "material_conflict", "story_id": "s-1", "confidence": 0.9,
        }  # fmt: skip
        events.append(tables.Event(**blank | told))
    out = {}
    for name, made in (("articles", articles), ("events", events)):
        path = folder / name / "dt=2026-03-03" / "part-0.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(tables.to_arrow(name, made), path)
        out[name] = [path]
    return out


@pytest.fixture
def story(tmp_path: Path) -> dict[str, Any]:
    with corpus(written(tmp_path), tmp_path / "temp") as db:
        (row,) = [r for batch in batches(db, STORIES) for r in batch.to_pylist()]
    return dict(row)


def test_story_counts_copies_once_when_reports_are_independent(story: dict[str, Any]) -> None:
    assert (story["n_articles"], story["n_outlets"], story["n_independent"]) == (5, 5, 4)


def test_story_shows_the_range_of_tolls_when_outlets_differ(story: dict[str, Any]) -> None:
    assert (story["killed_min"], story["killed_max"]) == (9, 15)


def test_story_says_who_gave_which_toll_when_outlets_differ(story: dict[str, Any]) -> None:
    told = {(t["outlet"], t["min"], t["attributed_to"]) for t in story["tolls"]}
    assert told == {
        ("echo.example", 9, "a local official"),
        ("copy.example", 9, "a local official"),
        ("courier.example", 12, "police"),
        ("brief.example", 15, None),
    }
