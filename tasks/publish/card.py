"""The card of an export: README.md, which says what the data is, how it was made, how good it is, and what it lacks."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from tasks import tables
from tasks.publish.figures import Figure, figures_table
from tasks.publish.store import Store
from tasks.publish.write import read_batches, read_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the tables hold in some nights."""

    nights: list[dt.date]
    outlets: Counter[str]  # articles of each
    languages: Counter[str]
    fates: Counter[str]
    reasons: Counter[str]
    versions: list[tuple[str, str, str]]  # name, version, hash


def count_facts(store: Store, nights: list[dt.date]) -> Facts:
    """Counted over columns of few values, a batch at a time."""
    outlets: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    fates: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for batch in read_batches(_files(store, "articles", nights), ["outlet", "language"]):
        outlets.update(v or "unknown" for v in batch["outlet"].to_pylist())
        languages.update(v or "unknown" for v in batch["language"].to_pylist())
    for batch in read_batches(_files(store, "inputs", nights), ["fate", "reason"]):
        fates.update(batch["fate"].to_pylist())
        reasons.update(v for v in batch["reason"].to_pylist() if v)
    versions = {
        (v["name"], v["version"] or "", (v["sha256"] or "")[:12])
        for file in _files(store, "runs", nights)
        for run in read_table(file, ["versions"])["versions"].to_pylist()
        for v in run
    }
    return Facts(
        nights=nights, outlets=outlets, languages=languages, fates=fates, reasons=reasons, versions=sorted(versions)
    )


def _files(store: Store, table: str, nights: Iterable[dt.date]) -> list[Path]:
    return [p for n in nights if (p := store.path(table, n)).is_file()]


def card(
    facts: Facts,
    *,
    files: Mapping[str, int],
    format: str,
    left_out: Mapping[str, list[str]],
    without_text: bool,
    figures: Sequence[Figure],
    made_at: dt.datetime,
) -> str:
    """The card as Markdown. `files`: name -> rows; `left_out`: table -> columns this edition does not have."""
    text = _template().render(
        facts=facts,
        files=files,
        format=format,
        left_out=left_out,
        without_text=without_text,
        figures=list(figures),
        made_at=made_at,
        version=tables.SCHEMA_VERSION,
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@functools.cache
def _template() -> jinja2.Template:
    # Markdown, not HTML: what comes from the tables goes through `cell`
    env = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False, undefined=jinja2.StrictUndefined)
    env.filters["cell"] = _cell
    env.filters["figures_table"] = figures_table
    return env.from_string((Path(__file__).parent / "card.md.j2").read_text(encoding="utf-8"))


def _cell(text: Any) -> str:
    """A word for a table of Markdown: what an outlet calls itself must not end the cell, nor begin a tag or a link."""
    return re.sub(r"([\\|\[\]`*_!])", r"\\\1", " ".join(str(text).split())).replace("<", "&lt;")
