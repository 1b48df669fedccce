"""Sources of different articles that are one, and the merges taken back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pyarrow as pa
import pytest

from tasks import tables
from tasks.extract.sources.links import Merge, Seen, company_of, link_sources, seen_of
from tasks.extract.sources.merges import LOG, cells_of, ids_of, merged, undone

HARBOUR = "The Harbour Trust met Mayor Lena Odum and Carl Brandt in Port Sella on Friday about the Grey Quay."
FOREST = "The Timber Union met Senator Ada Renko in Vilm on Friday about the Ostra Forest and the Kell mill."


def seen(number: int, name: str, text: str, *, kind: str = "person", role: str | None = None, **more: object) -> Seen:
    return Seen(source_id=f"s-{name}", article_id=f"a-{number}", name=name, kind=kind, role=role,
                company=company_of(text), **more)  # type: ignore[arg-type]  # fmt: skip


FULL = [seen(k, "Jonas Varga", HARBOUR, role="director") for k in range(3)]
OTHER = [seen(10 + k, "Mira Varga", FOREST) for k in range(3)]
BODY = seen(20, "National Harbour Council", HARBOUR, kind="organisation", short=frozenset({"nhc"}))


@pytest.mark.parametrize(
    ("row", "into"),
    [
        (seen(30, "Varga", HARBOUR), "s-Jonas Varga"),
        (seen(31, "Varga", FOREST), "s-Mira Varga"),
        (seen(32, "Varga", "It rained on the hills above the old town all day."), None),
        (seen(33, "Varga", HARBOUR + " " + FOREST), None),
        (seen(34, "Varga", HARBOUR, female=True), None),
        (seen(35, "Weiss", HARBOUR), None),
        (seen(36, "NHC", FOREST, kind="organisation"), "s-National Harbour Council"),
        (seen(37, "Yonas Varga", HARBOUR, role="director"), None),
    ],
)
def test_link_sources_puts_short_names_under_full_ones_when_more_than_the_name_agrees(
    row: Seen, into: str | None
) -> None:
    found = {m.source_id: m.into for m in link_sources([*FULL, *OTHER, BODY, row])}
    assert found == ({row.source_id: into} if into else {})


def test_link_sources_joins_spellings_when_roles_agree() -> None:
    rows = [*FULL, seen(40, "Mohammed Sayed", HARBOUR, role="envoy"), seen(41, "Muhammad Sayed", FOREST, role="envoy")]
    assert len({m.into for m in link_sources(rows)}) == 1


def test_link_sources_leaves_apart_what_a_person_kept_apart() -> None:
    rows = [*FULL, seen(30, "Varga", HARBOUR)]
    assert link_sources(rows, keep_apart=frozenset({"s-Varga"})) == []


def test_seen_of_is_none_when_a_description_fits_many() -> None:
    text = "A spokesman for the harbour said the gate was shut."
    source = tables.Source(source_id="s-1", article_id="a-1", name="spokesman for the harbour", kind="person", named=False,
                           role="spokesman", affiliation="harbour", mentions=[tables.Span(start=0, end=25)], n_quotes=1,
                           quoted_words=5)  # fmt: skip
    assert seen_of(text, source, company_of(text)) is None


def source(source_id: str, name: str, start: int) -> tables.Source:
    return tables.Source(source_id=source_id, article_id="a-1", name=name, kind="organisation", named=True, role=None,
                         affiliation=None, mentions=[tables.Span(start=start, end=start + 3)], n_quotes=1,
                         quoted_words=4)  # fmt: skip


ROWS = [source("s-full", "National Harbour Council", 0), source("s-nhc", "NHC", 40), source("s-body", "the body", 60)]


def _log(*merged_ids: str) -> list[dict[str, Any]]:
    """Merges of rows into s-full; each has spoken once, and s-nhc attributed an event besides."""
    before = {r.source_id: json.dumps(dataclasses.asdict(r)) for r in ROWS}
    cells = {
        s: [
            {"table": "quotes", "column": "source_id", "id": f"q-{s}"},
            {"table": "quotes", "column": "via_source_id", "id": f"v-{s}"},
        ]
        for s in merged_ids
    }
    cells.get("s-nhc", []).append({"table": "events", "column": "attributed_source_id", "id": "e-1"})
    merges = [
        Merge(source_id=s, article_id="a-1", into="s-full", name=s, into_name="", reason="initials", likeness=1.0)
        for s in merged_ids
    ]
    return [
        {**dataclasses.asdict(m), "row": before[m.source_id], "into_row": before["s-full"], "cells": cells[m.source_id]}
        for m in merges
    ]


def _tables() -> dict[str, pa.Table]:
    ids = [r.source_id for r in ROWS]
    quotes = [
        *({"quote_id": f"q-{s}", "article_id": "a-1", "source_id": s, "via_source_id": None} for s in ids),
        *({"quote_id": f"v-{s}", "article_id": "a-1", "source_id": None, "via_source_id": s} for s in ids),
    ]
    events = [{"event_id": "e-1", "article_id": "a-1", "attributed_source_id": "s-nhc"},
              {"event_id": "e-2", "article_id": "a-1", "attributed_source_id": "s-full"}]  # fmt: skip
    return {
        "sources": tables.to_arrow("sources", ROWS),
        "quotes": pa.Table.from_pylist(quotes),
        "events": pa.Table.from_pylist(events),
    }


def _sorted(data: pa.Table) -> list[dict[str, Any]]:
    return sorted(data.to_pylist(), key=lambda r: json.dumps(r, default=str))


@pytest.mark.parametrize("apart", [("s-nhc", "s-body"), ("s-nhc",), ("s-body",)])
def test_undone_rows_are_as_if_the_merge_had_never_been(apart: tuple[str, ...]) -> None:
    log = _log("s-nhc", "s-body")
    stay = [e for e in log if e["source_id"] not in apart]
    for table, before in _tables().items():
        after = merged(table, before, ids_of(pa.Table.from_pylist(log, schema=LOG)))
        assert _sorted(after) != _sorted(before)
        again = undone(table, after, log, apart)
        without = merged(table, before, ids_of(pa.Table.from_pylist(stay, schema=LOG)))
        assert _sorted(again) == _sorted(without)


def test_cells_of_names_every_column_that_holds_a_source() -> None:
    events = [
        {"event_id": "e-1", "article_id": "a-1", "actor_source_id": "s-1", "attributed_source_id": "s-1", "type": "x"}
    ]
    found = cells_of("events", events)
    assert sorted(c["column"] for c in found["a-1", "s-1"]) == ["actor_source_id", "attributed_source_id"]
