"""Sources of different articles that are one, and the merges taken back."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tasks import tables
from tasks.extract.sources.links import Merge, Seen, company_of, link_sources, seen_of
from tasks.extract.sources.merges import ids_of, merged, undone

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


def test_merged_rows_are_as_they_were_when_undone() -> None:
    import pyarrow as pa

    rows = [source("s-full", "National Harbour Council", 0), source("s-nhc", "NHC", 40)]
    before = tables.to_arrow("sources", rows)
    quotes = pa.table({"quote_id": ["q-1", "q-2"], "article_id": ["a-1", "a-1"], "source_id": ["s-full", "s-nhc"]})
    merge = Merge(source_id="s-nhc", article_id=None, into="s-full", name="NHC", into_name="National Harbour Council",
                  reason="initials", likeness=1.0)  # fmt: skip
    log = [{**dataclasses.asdict(merge), "article_id": "a-1", "row": json.dumps(dataclasses.asdict(rows[1])),
            "quote_ids": ["q-2"]}]  # fmt: skip
    ids = ids_of(pa.Table.from_pylist(log))
    after = merged("sources", before, ids)
    assert [(r["source_id"], r["n_quotes"], len(r["mentions"])) for r in after.to_pylist()] == [("s-full", 2, 2)]
    told = merged("quotes", quotes, ids)
    assert told["source_id"].to_pylist() == ["s-full", "s-full"]
    sources_again, quotes_again = undone(after, told, log)
    assert sources_again.sort_by("source_id") == before.sort_by("source_id")
    assert quotes_again == quotes
