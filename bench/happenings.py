"""Stories over invented articles: 42 happenings told three times each, in pairs alike in type and place, and lone ones.

Every article goes through the language pass and the events, as in a night; then all are joined to stories at once, and
again night by night. B-cubed F1 over articles (Bagga and Baldwin 1998).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.eval_events import make_article
from bench.gold import OURS, Row, read_lines
from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.events.stories import KnownStory, StoryKey, assign_stories, story_key
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings

FILE = Path(__file__).parent / "data" / "happenings.jsonl"


def articles() -> Iterator[tuple[str, tables.Article]]:
    """(happening, article) in file order."""
    for row in read_lines(FILE):
        for n, a in enumerate(row["articles"]):
            made = make_article(a["text"], a["day"], f"{row['happening']}-{n}", a["title"])
            yield row["happening"], replace(made, outlet=a["outlet"], copy_group=made.article_id)


def keys_of(found: list[tuple[str, tables.Article]]) -> list[StoryKey]:
    nlp = load_model(ExtractSettings().model)
    return [story_key(a, find_events(parse(nlp, a.text), a, [], [])) for _, a in found]


def bcubed(gold: Mapping[str, str], said: Mapping[str, str]) -> tuple[float, float, float]:
    """Precision, recall and F1, each item counted once."""
    sizes, mine, both = Counter(gold.values()), Counter(said.values()), Counter((gold[i], said[i]) for i in gold)
    p = sum(both[gold[i], said[i]] / mine[said[i]] for i in gold) / len(gold)
    r = sum(both[gold[i], said[i]] / sizes[gold[i]] for i in gold) / len(gold)
    return p, r, 2 * p * r / (p + r)


def by_night(keys: list[StoryKey]) -> dict[str, str]:
    """Stories joined a night at a time, each going on from those before."""
    nights: dict[dt.date, list[StoryKey]] = defaultdict(list)
    for k in keys:
        nights[k.day or dt.date.min].append(k)
    out: dict[str, str] = {}
    known: list[KnownStory] = []
    for night in sorted(nights):
        found, known = assign_stories(nights[night], known)
        out |= found
    return out


def run_happenings() -> list[Row]:
    found = list(articles())
    gold = {a.article_id: name for name, a in found}
    keys = keys_of(found)
    ways: dict[str, Any] = {"happenings": assign_stories(keys)[0], "happenings, night by night": by_night(keys)}
    rows = []
    for name, said in ways.items():
        p, r, f = bcubed(gold, said)
        figures: dict[str, float | None] = {
            "B-cubed F1": round(100 * f, 1),
            "precision": round(100 * p, 1),
            "recall": round(100 * r, 1),
        }
        rows.append(Row(section="events", set=name, system=OURS, figures=figures, note=f"{len(found)} articles"))
    return rows
