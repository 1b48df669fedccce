"""Which quotes and events of a revision are new, gone or altered against the revision before."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from tasks import tables
from tasks.publish.write import read_table

Row = dict[str, Any]
Change = Literal["added", "removed", "altered"]

SIMILAR = 0.6
"""Share of words that two quotes, or the evidence of two events, have in common for one to be the other, altered."""
MOST_PAIRS = 40_000
"""Pairs of rows that are compared; beyond that only equal ones are recognised."""
_WORD = re.compile(r"\w+")
QUOTE_FIELDS = ("kind", "speaker", "stance")
EVENT_FIELDS = (
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


def quote_changes(
    old: Sequence[Row], old_sources: Iterable[Row], new: Sequence[Row], new_sources: Iterable[Row]
) -> list[RowChange]:
    """Changes of quotes; who said them is compared by name."""
    spoken = _spoken(old, old_sources), _spoken(new, new_sources)
    return row_changes(*spoken, lambda q: str(q["text"]), QUOTE_FIELDS)


def event_changes(old: Sequence[Row], new: Sequence[Row]) -> list[RowChange]:
    return row_changes(old, new, lambda e: str(e["evidence"]), EVENT_FIELDS, apart="type")


def _spoken(quotes: Iterable[Row], sources: Iterable[Row]) -> list[Row]:
    """Quotes with the name of who said them."""
    names = {s["source_id"]: s["name"] for s in sources}
    return [q | {"speaker": names.get(q["source_id"]) or q["speaker_text"]} for q in quotes]


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


# --------------------------------------------------------------------------- of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What is told of changes in the tables. `change`: quote_id or event_id -> same, added, altered; `gone`: article_id
    of a revision -> quote_ids and event_ids of the revision before that it no longer has."""

    change: dict[str, str] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of an article of the run."""

    article_id: str
    article_key: str
    revision: int


def marks_of(revisions: Sequence[Revision], published: Sequence[Path], rows: Callable[[str], Iterable[Any]]) -> Marks:
    """Marks of the run's revisions that have one before them, in the run or in the published `articles` files.

    `rows`: the run's rows of a table, by shard, as they are written; those of a published revision lie beside its file
    of articles. A revision whose earlier one is in no table is left without marks.
    """
    later = [r for r in revisions if r.revision > 1]
    if not later:
        return Marks()
    mine = {(r.article_key, r.revision): r.article_id for r in revisions}
    wanted = {(r.article_key, r.revision - 1) for r in later}
    places = _places(wanted - set(mine), published)
    pairs = {}
    for r in later:
        at = (r.article_key, r.revision - 1)
        if at in mine or at in places:
            pairs[r.article_id] = mine.get(at) or places[at][0]
    files = {article_id: file for article_id, file in places.values()}
    found = {t: _rows(t, set(pairs) | set(pairs.values()), files, rows) for t in ("quotes", "sources", "events")}
    marks = Marks()
    for new, old in pairs.items():
        q, s, e = (found[t] for t in ("quotes", "sources", "events"))
        _mark(marks, new, quote_changes(q[old], s[old], q[new], s[new]), q[new], "quote_id")
        _mark(marks, new, event_changes(e[old], e[new]), e[new], "event_id")
    return marks


def _mark(marks: Marks, article_id: str, changed: list[RowChange], rows: Iterable[Row], key: str) -> None:
    how = {c.new[key]: c.change for c in changed if c.new is not None}
    marks.change.update({r[key]: how.get(r[key], "same") for r in rows})
    gone = sorted(c.old[key] for c in changed if c.new is None and c.old is not None)
    marks.gone.setdefault(article_id, []).extend(gone)


def _places(wanted: set[tuple[str, int]], published: Sequence[Path]) -> dict[tuple[str, int], tuple[str, Path]]:
    """Of each (article_key, revision): its article_id and the file it is in."""
    if not wanted or not published:
        return {}
    keys = pa.table({"article_key": [k for k, _ in sorted(wanted)], "revision": [n for _, n in sorted(wanted)]})
    with duckdb.connect(config={"threads": 2}) as db:
        db.register("wanted", keys)
        rows = db.execute(
            "select article_key, revision, article_id, filename "
            "from read_parquet(?, filename = true, hive_partitioning = false) "
            "semi join wanted using (article_key, revision)",
            [[str(f) for f in published]],
        ).fetchall()
    return {(key, number): (article_id, Path(file)) for key, number, article_id, file in rows}


def _rows(
    table: str, wanted: set[str], files: Mapping[str, Path], rows: Callable[[str], Iterable[Any]]
) -> defaultdict[str, list[Row]]:
    """Rows of the articles `wanted`, by article, in the order of the text; `files`: where published ones lie."""
    ids = pa.array(sorted(wanted), pa.string())
    names = tables.schema(table).names
    pieces = list(rows(table))
    for articles in sorted(set(files.values())):
        file = articles.parents[2] / table / articles.parent.name / articles.name
        if file.is_file():
            pieces.append(read_table(file))
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for piece in pieces:
        for row in piece.filter(pc.is_in(piece["article_id"], ids)).to_pylist():
            found[row["article_id"]].append(row)
    if "start" in names:
        for listed in found.values():
            listed.sort(key=lambda r: (r["start"], r["end"]))
    return found
