"""Which quotes and events of a revision are new, gone or altered."""

from __future__ import annotations

import pytest

from tasks.publish.changes import row_changes

Q = {"kind": "direct", "speaker": "Ana Ruiz", "stance": "neutral"}


def quote(text: str, **more: str) -> dict[str, object]:
    return Q | {"text": text} | more


def found(
    old: list[dict[str, object]], new: list[dict[str, object]], apart: str | None = None
) -> list[tuple[str, str, list[str]]]:
    rows = row_changes(old, new, lambda r: str(r["text"]), ("kind", "speaker", "stance", "toll"), apart=apart)
    return [(r.change, str((r.new or r.old or {})["text"]), sorted(r.fields)) for r in rows]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([quote("We heard a bang")], [quote("We heard a bang")], []),
        ([quote("We heard a bang")], [quote("“We heard a bang,”")], []),
        ([], [quote("We heard a bang")], [("added", "We heard a bang", [])]),
        ([quote("We heard a bang")], [], [("removed", "We heard a bang", [])]),
        (
            [quote("We heard a loud bang at night")],
            [quote("We heard a bang at night")],
            [("altered", "We heard a bang at night", ["text"])],
        ),
        (
            [quote("We heard a bang")],
            [quote("We heard a bang", speaker="Bo Lee")],
            [("altered", "We heard a bang", ["speaker"])],
        ),
        (
            [quote("The bridge is closed today"), quote("We heard a bang")],
            [quote("We heard a bang"), quote("Nobody was hurt at all")],
            [("added", "Nobody was hurt at all", []), ("removed", "The bridge is closed today", [])],
        ),
        ([quote("Yes"), quote("Yes")], [quote("Yes")], [("removed", "Yes", [])]),
    ],
)
def test_row_changes_tells_added_removed_and_altered(
    old: list[dict[str, object]], new: list[dict[str, object]], expected: list[tuple[str, str, list[str]]]
) -> None:
    assert found(old, new) == expected


def test_row_changes_pairs_the_most_similar_ones() -> None:
    old = [quote("one two three four five six"), quote("one two three four five seven")]
    new = [quote("one two three four five seven eight"), quote("one two three four five six")]
    assert found(old, new) == [("altered", "one two three four five seven eight", ["text"])]


def test_row_changes_keeps_events_of_two_types_apart() -> None:
    old, new = quote("three people died in the fire", toll="3"), quote("five people died in the fire", toll="5")
    assert found([old], [new]) == [("altered", "five people died in the fire", ["text", "toll"])]
    assert [c for c, _, _ in found([old | {"type": "A"}], [new | {"type": "B"}], apart="type")] == ["added", "removed"]


def test_row_changes_stays_quick_with_very_many_rows() -> None:
    old = [quote(f"word{i} and more of it") for i in range(600)]
    assert len(found(old, [quote(f"other{i} and more of it") for i in range(600)])) == 1200
