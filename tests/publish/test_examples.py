"""The examples in the tables' reference are values that the demo's tables have."""

from __future__ import annotations

from pathlib import Path

from tasks import tables
from tasks.publish.catalogue import examples, find_examples, tables_reference
from tasks.publish.store import Store

CLOSED = {
    "articles": ("change", "published_from", "published_precision", "language", "extractor"),
    "quotes": ("kind", "stance", "resolved_by"), "sources": ("kind",), "events": ("type", "modality", "quad"),
    "coverage": ("status",), "inputs": ("fate", "step", "reason"), "runs": ("flow",),
}  # fmt: skip
"""Columns of few values, which stay what they are when an article of the demo is read a little differently."""


def test_every_column_that_the_demo_fills_has_an_example(desk: Path) -> None:
    found = find_examples(Store.open(desk / "data" / "demo" / "processed"))
    stated = examples()
    assert set(stated) == set(tables.TABLES)
    for table, columns in found.items():
        assert set(stated[table]) == set(columns), f"{table}: python -m tasks.publish.catalogue --examples FOLDER"
        filled = {c for c, v in columns.items() if v is not None}
        assert filled == {c for c, v in stated[table].items() if v is not None}, table
        for column in filled:
            assert type(columns[column]) is type(stated[table][column]), (table, column)


def test_examples_of_closed_columns_are_values_of_the_demo(desk: Path) -> None:
    store = Store.open(desk / "data" / "demo" / "processed")
    from tasks.publish.write import read_table

    for table, columns in CLOSED.items():
        for column in columns:
            values = {v for f in store.files(table) for v in read_table(f, [column])[column].to_pylist()}
            assert examples()[table][column] in values, (table, column)


def test_reference_shows_them() -> None:
    page = tables_reference()
    assert "| for example |" in page
    assert f"`{examples()['quotes']['cue']}`" in page
