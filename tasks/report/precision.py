"""Check it yourself: a fair sample of rows, a person's verdict on each, and the precision that follows.

    <root>/checks/<check>/sample.json     what was drawn, from how many rows, by stratum; never changed
    <root>/checks/<check>/labels.jsonl    one line a verdict, appended and synced; the last one of a row counts

The sample is stratified by confidence: every band of it is looked at, however few rows it has, and each band counts by
its share of the table.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks import tables
from tasks.publish.store import Store
from tasks.report.reading import opened

BANDS = 5
Z = 1.96
"""Width of the intervals: 95 %."""
EXISTS = "row"
"""The field that says whether the row should be there at all; where it is wrong, no other field is judged."""
FIELDS: dict[str, dict[str, str]] = {
    "quotes": {
        EXISTS: "it is an attributed statement", "text": "its span", "cue": "the cue", "speaker": "who said it",
        "kind": "direct, indirect or mixed", "stance": "the stance",
    },
    "sources": {
        EXISTS: "it is a source", "name": "its name", "kind": "person, organisation, group, document",
        "role": "its role", "affiliation": "its affiliation", "named": "named or not",
    },
    "events": {
        EXISTS: "it is an event of this kind", "type": "type and mode", "modality": "happened or not, as told",
        "actor": "the actor", "recipient": "the recipient", "place": "the place", "date": "the date",
        "counts": "killed, injured, arrested, displaced",
    },
    "articles": {
        EXISTS: "it is an article", "text": "the body: whole and clean", "title": "the title", "authors": "the authors",
        "published_at": "the date",
    },
}  # fmt: skip
_ORDER = "md5({key} || $seed)"


class CheckError(Exception):
    """A sample cannot be drawn or read; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """Rows of one band of confidence: how many there are and how many were drawn."""

    low: float
    high: float
    n_rows: int
    n_drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One row of a sample."""

    id: str
    article_id: str
    stratum: int
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is to be looked at."""

    check: str
    table: str
    night: dt.date | None
    drawn_at: str
    strata: list[Stratum]
    rows: list[Drawn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A person's verdict on one row; `right` None means that it cannot be said."""

    id: str
    right: bool | None
    wrong: list[str]
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """Share of rows whose field is right, with its 95 % interval; n rows were judged."""

    field: str
    n: int
    share: float
    low: float
    high: float


# --------------------------------------------------------------------------- drawing


def _key(table: str) -> str:
    return "source_id || article_id" if table == "sources" else tables.KEYS[table][0]


def draw(store: Store, table: str, n: int, *, night: dt.date | None, seed: str, at: dt.datetime) -> Sample:
    """Draw up to n rows of a table, of one night or of all, and keep the sample. Raises CheckError.

    Rows are taken in the order of a hash of their id and the seed: fair, and the same for the same seed.
    """
    if table not in FIELDS:
        raise CheckError(f"--table {table!r} cannot be checked: take one of {', '.join(FIELDS)}")
    key = _key(table)
    confidence = "confidence" if "confidence" in tables.columns(table) else "null"
    bands = f"least(floor({confidence} * {BANDS}), {BANDS - 1})::int" if confidence != "null" else "0"
    where = "where dt = $night" if night else ""
    values: dict[str, Any] = {"night": night} if night else {}
    with opened(store, (table,)) as db:
        counts = dict(
            db.execute(f"select {bands} as band, count(*) from {table} {where} group by 1", values).fetchall()
        )
        if not counts:
            raise CheckError(
                f"there are no {table}{f' in the night {night}' if night else ''} at {store.root} to check"
            )
        shares = allocate({b: int(c) for b, c in counts.items()}, n)
        rows: list[Drawn] = []
        for band, share in sorted(shares.items()):
            sql = f"select {key}, article_id, {confidence} from {table} {where or 'where true'} and {bands} = $band"
            order = f"order by {_ORDER.format(key=key)} limit $share"
            found = db.execute(f"{sql} {order}", values | {"band": band, "share": share, "seed": seed}).fetchall()
            rows += [Drawn(id=i, article_id=a, stratum=band, confidence=c) for i, a, c in found]
    strata = [
        Stratum(low=b / BANDS if confidence != "null" else 0.0, high=(b + 1) / BANDS if confidence != "null" else 1.0,
                n_rows=int(counts.get(b, 0)), n_drawn=shares.get(b, 0))
        for b in range(BANDS if confidence != "null" else 1)
    ]  # fmt: skip
    check = f"{at:%Y-%m-%dT%H%M%S}-{table}"
    sample = Sample(check=check, table=table, night=night, drawn_at=at.isoformat(timespec="seconds"), strata=strata,
                    rows=sorted(rows, key=lambda r: (r.article_id, r.id)))  # fmt: skip
    folder = store.root / "checks" / check
    folder.mkdir(parents=True)
    _write(folder / "sample.json", json.dumps(asdict(sample), default=str, ensure_ascii=False, indent=1))
    return sample


def allocate(counts: dict[int, int], n: int) -> dict[int, int]:
    """How many rows to draw from each stratum: by its share, but no stratum is left out while there is room."""
    total = sum(counts.values())
    n = min(n, total)
    least = min(n // max(1, len(counts)), max(1, n // (2 * BANDS)))
    drawn = {b: min(c, max(least, n * c // total)) for b, c in counts.items()}
    for band in sorted(counts, key=lambda b: -counts[b]):  # rounding: the largest strata give and take
        if (over := sum(drawn.values()) - n) > 0:
            drawn[band] -= min(over, drawn[band] - min(least, drawn[band]))
        else:
            drawn[band] += min(-over, counts[band] - drawn[band])
    return {b: d for b, d in drawn.items() if d}


# --------------------------------------------------------------------------- keeping


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def load(root: Path, check: str) -> tuple[Sample, dict[str, Label]]:
    """A sample and the last verdict on each of its rows. Raises CheckError if there is none or it is damaged."""
    folder = root / "checks" / check
    try:
        raw = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
        raw["strata"] = [Stratum(**s) for s in raw["strata"]]
        raw["rows"] = [Drawn(**r) for r in raw["rows"]]
        raw["night"] = dt.date.fromisoformat(raw["night"]) if raw["night"] else None
        sample = Sample(**raw)
    except (OSError, ValueError, TypeError, KeyError) as err:
        raise CheckError(f"{folder} holds no sample that can be read ({err}): move it away") from err
    labels = {}
    file = folder / "labels.jsonl"
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            label = Label(**json.loads(line))
        except (ValueError, TypeError):
            continue  # a line cut by a killed process: that row is asked again
        labels[label.id] = label
    return sample, labels


def keep(root: Path, check: str, label: Label) -> None:
    """Append one verdict; it is on the disk when this returns."""
    with (root / "checks" / check / "labels.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(label), ensure_ascii=False) + "\n")
        out.flush()
        os.fsync(out.fileno())


def known(root: Path) -> list[str]:
    """Checks that were begun, oldest first."""
    return sorted(p.parent.name for p in (root / "checks").glob("*/sample.json"))


def unfinished(root: Path, table: str, night: dt.date | None) -> str | None:
    """The newest check of a table with rows still to be looked at."""
    for check in reversed(known(root)):
        try:
            sample, labels = load(root, check)
        except CheckError:
            continue
        if sample.table == table and sample.night == night and len(labels) < len(sample.rows):
            return check
    return None


# --------------------------------------------------------------------------- counting


def precision(sample: Sample, labels: dict[str, Label]) -> list[Precision]:
    """Precision of the row as a whole ("all fields") and of every field, over the rows that were judged."""
    out = []
    for field in ("all fields", *FIELDS[sample.table]):
        judged: dict[int, list[bool]] = {}
        for row in sample.rows:
            label = labels.get(row.id)
            verdict = _verdict(label, field) if label else None
            if verdict is not None:
                judged.setdefault(row.stratum, []).append(verdict)
        if judged:
            share, low, high = stratified(judged, {i: s.n_rows for i, s in enumerate(sample.strata)})
            out.append(Precision(field=field, n=sum(map(len, judged.values())), share=share, low=low, high=high))
    return out


def _verdict(label: Label, field: str) -> bool | None:
    if label.right is None:
        return None
    if field == "all fields":
        return label.right
    if field != EXISTS and EXISTS in label.wrong:
        return None
    return field not in label.wrong


def stratified(judged: dict[int, list[bool]], sizes: dict[int, int]) -> tuple[float, float, float]:
    """(share, low, high): strata weighed by their size, and Wilson's interval.

    Its sample size is the one that a plain sample would need for the variance of the stratified one. Strata in which
    nothing was judged count as the others do on average.
    """
    total = sum(sizes[s] for s in judged)
    weights = {s: sizes[s] / total for s in judged}
    share = sum(weights[s] * sum(v) / len(v) for s, v in judged.items())
    # The variance of each stratum as if one right and one wrong row more had been seen: never zero
    spread = 0.0
    for s, v in judged.items():
        p = (sum(v) + 1) / (len(v) + 2)
        spread += weights[s] ** 2 * p * (1 - p) / len(v)
    middle = (sum(sum(v) for v in judged.values()) + 1) / (sum(map(len, judged.values())) + 2)
    n = max(1.0, middle * (1 - middle) / spread)
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return share, max(0.0, centre - half), min(1.0, centre + half)


def by_confidence(sample: Sample, labels: dict[str, Label]) -> Iterator[tuple[Stratum, int, float]]:
    """(stratum, rows judged, share of them right): is 0.8 right in 80 of 100?"""
    for i, stratum in enumerate(sample.strata):
        verdicts = [
            v for r in sample.rows if r.stratum == i and r.id in labels
            if (v := _verdict(labels[r.id], EXISTS)) is not None
        ]  # fmt: skip
        if verdicts:
            yield stratum, len(verdicts), sum(verdicts) / len(verdicts)
