"""A small store of two nights, made from rows, without a run: for what reads the tables."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tasks import tables
from tasks.publish import snapshots
from tasks.publish.catalogue import data_package
from tasks.publish.store import Store
from tasks.publish.write import write_batches, write_rows
from tests import rows

NIGHTS = (rows.NIGHT, rows.NIGHT + dt.timedelta(days=1))
HOSTILE = '=HYPERLINK("http://evil.example")'
BLAST = "Gunmen killed 12 people in Lagos, police said. “We will rebuild,” said Amina Odhiambo."
WIRE = "Gunmen killed 12 people in Lagos, the police said. “We will rebuild,” said Amina Odhiambo."
EDITED = "Gunmen killed 15 people in Lagos, police said. “We will rebuild,” said Amina Odhiambo."
TALKS = "Ministers will meet in Accra on Friday. “=1+1 is two,” said Kofi Mensah, a minister."


def _articles() -> dict[dt.date, list[tables.Article]]:
    first = rows.article(BLAST, article_key="k-1", copy_group="g-1", is_original=True, story_id="t-1", title="Blast")
    wire = rows.article(
        WIRE,
        article_key="k-2",
        copy_group="g-1",
        is_original=False,
        story_id="t-1",
        title=HOSTILE,
        outlet="tririvers.example",
    )
    talks = rows.article(
        TALKS, article_key="k-3", outlet="tririvers.example", published_at=None, title=None, authors=["@sum(1)", "B"]
    )
    edited = rows.article(
        EDITED,
        article_key="k-1",
        copy_group="g-1",
        is_original=True,
        story_id="t-1",
        title="Blast",
        revision=2,
        change="body",
    )
    return {NIGHTS[0]: [first, wire], NIGHTS[1]: [talks, edited]}


def _people(article: tables.Article) -> list[tables.Source]:
    if article.text == TALKS:
        return [rows.source(article, "Kofi Mensah", role="minister")]
    police = rows.source(article, "police", kind="organisation", named=False)
    return [
        replace(police, source_id=f"{police.source_id}-{article.article_id}"),
        rows.source(article, "Amina Odhiambo"),
    ]


def _quotes(article: tables.Article) -> list[tables.Quote]:
    said = article.text[article.text.index("“") + 1 : article.text.index("”")].rstrip(",")
    who = _people(article)
    out = [
        rows.quote(
            article, said, kind="direct", source_id=who[-1].source_id, quote_group=tables.make_id("qg", said),
            confidence=0.95, cue="said", cue_start=article.text.rindex("said"), cue_end=article.text.rindex("said") + 4,
        )
    ]  # fmt: skip
    if article.text != TALKS:
        told = article.text[: article.text.index(",")]
        out.append(rows.quote(article, told, source_id=who[0].source_id, confidence=0.6, parts=[]))
        out.append(rows.quote(article, "12 people" if "12" in told else "15 people", confidence=0.3))
    return out


def _events(article: tables.Article) -> list[tables.Event]:
    none = {"place_from": "none", "date_from": "none"}
    known = {k: v for k, v in none.items() if k in tables.columns("events")}
    if article.text == TALKS:
        told = "Ministers will meet in Accra on Friday"
        return [
            rows.event(article, told, "meet", type="CONSULT", modality="planned", quad="verbal_cooperation", **known)
        ]
    told = article.text[: article.text.index(",")]
    dead = int(told.split()[2])
    return [
        rows.event(
            article, told, "killed", type="ASSAULT", mode=None, killed_min=dead, killed_max=dead, story_id="t-1",
            actor_text="Gunmen", actor_start=0, actor_end=6, actor_sector="REB", recipient_text=f"{dead} people",
            place_text="Lagos", place_name="Lagos", place_country="NGA", place_admin1="05", place_precision="city",
            lat=6.45407, lon=3.39467, geonames_id=2332459, date_start=NIGHTS[0], date_end=NIGHTS[0],
            date_precision="day", goldstein=-9.0, confidence=0.9, attributed_to="police", **known,
        )
    ]  # fmt: skip


def _inputs(night: dt.date, articles: list[tables.Article]) -> list[tables.Input]:
    common: dict[str, Any] = {"run_id": f"r-{night}", "detail": None, "attempts": 1}
    found = [
        tables.Input(
            ref=f"corpus.jsonl#{i}", url=None, outlet=a.outlet, step="settle", reason=None, article_id=a.article_id,
            fate=tables.Fate.COPY if a.is_original is False else tables.Fate.REVISION if a.revision > 1 else tables.Fate.ARTICLE,
            **common,
        )
        for i, a in enumerate(articles)
    ]  # fmt: skip
    failed = common | {"detail": "+not a page"}
    return [
        *found,
        tables.Input(
            ref="corpus.jsonl#9", url="http://silent.example/x", outlet="silent.example", step="clean", article_id=None,
            fate=tables.Fate.FAILED, reason=tables.Reason.NO_TEXT, **failed,
        ),
    ]  # fmt: skip


def _run(night: dt.date, inputs: list[tables.Input]) -> tables.Run:
    at = dt.datetime.combine(night, dt.time(3), dt.UTC)
    return tables.Run(
        run_id=f"r-{night}", flow="ingest", night=night, started_at=at, finished_at=at, n_inputs=len(inputs),
        **{f"n_{f.value}": sum(i.fate == f for i in inputs) for f in tables.Fate}, steps=[],
        versions=[tables.Version(name="nightdesk", version="0.1.0", sha256=None),
                  tables.Version(name="clean/blocks.crf", version="", sha256="ab" * 32)],
        settings=json.dumps({"state": "postgresql://desk:s3cret@db.example/visits", "processed": "/home/x/data"}),
        peak_memory_bytes=None,
    )  # fmt: skip


def _coverage(night: dt.date, articles: list[tables.Article]) -> list[tables.Coverage]:
    counts = {o: sum(a.outlet == o for a in articles) for o in ("harbourpost.example", "tririvers.example")}
    return [
        tables.Coverage(
            outlet=o, night=night, found=n, fetched=n, articles=n, expected=None, status="ok" if n else "zero",
            usable_for_trends=n > 0,
        )
        for o, n in counts.items()
    ]  # fmt: skip


def make_store(root: Path) -> Store:
    """Articles: one, its copy, an edit of it in the second night, and one without date, title or story."""
    store = Store.open(root, write=True)
    for night, articles in _articles().items():
        inputs = _inputs(night, articles)
        found: dict[str, list[Any]] = {
            "articles": articles,
            "sources": [s for a in articles for s in _people(a)],
            "quotes": [q for a in articles for q in _quotes(a)],
            "events": [e for a in articles for e in _events(a)],
            "inputs": inputs,
            "runs": [_run(night, inputs)],
            "coverage": _coverage(night, articles),
        }
        for table, data in found.items():
            write_rows(store.path(table, night), table, data)
    _snapshots(store)
    places = {t: [str(f.relative_to(root)) for f in store.files(t)] for t in tables.TABLES}
    (root / "datapackage.json").write_text(data_package(places), encoding="utf-8")
    return store


def _snapshots(store: Store) -> None:
    files = {t: store.files(t) for t in ("articles", "quotes", "sources", "events", "coverage")}
    with snapshots.corpus(files, store.root / ".work" / "tmp") as db:
        for table, sql in (
            ("quote_groups", snapshots.QUOTE_GROUPS),
            ("source_index", snapshots.SOURCE_INDEX),
            ("stories", snapshots.STORIES),
        ):
            write_batches(store.path(table, NIGHTS[1]), table, snapshots.batches(db, sql))
    write_rows(
        store.path("outlets", NIGHTS[1]),
        "outlets",
        [
            tables.Outlet(
                outlet=o, name=None, country=None, language="en", feeds=[], articles_per_night=1.0, nights=2,
                last_success=NIGHTS[1], robots=None,
            )
            for o in ("harbourpost.example", "tririvers.example")
        ],
    )  # fmt: skip
