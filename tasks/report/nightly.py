"""One HTML page of the night, the pages of the articles it speaks of, and an index of nights.

    <root>/reports/index.html                  every night that has a report
    <root>/reports/<night>.html                how the night went, and the news of it
    <root>/reports/<night>/<article_id>.html   the reader, for every article that the page leads to

No page asks for anything from outside, so the folder can be copied, mailed or served as it is.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tasks import tables
from tasks.publish import snapshots
from tasks.publish.store import Store
from tasks.report import plots
from tasks.report.precision import FIELDS, CheckError, known, load, precision
from tasks.report.reader import render_reader, templates
from tasks.report.reading import Row, harmless, range_words, read_many, rows_of

SAMPLE_ROWS = 30
CONTEXT_CHARS = 160
"""What is shown of the text on either side of a row's span."""
HISTORY_NIGHTS = 30
"""Nights the report looks back on: for comparison, for revisions, for copies."""
MOST_STORIES, MOST_OUTLETS, MOST_TOLLS, MOST_EDITS = 20, 40, 8, 20

# The sample is drawn by a hash of the id: fair, and the same every time the page is made.
_QUOTES = """
select q.*, a.text as body, a.title, a.outlet, a.url, s.name as source_name, s.role, s.affiliation
from quotes q join articles a using (article_id)
left join sources s on s.article_id = q.article_id and s.source_id = q.source_id
order by md5(q.quote_id) limit $n
"""
_EVENTS = """
select e.*, a.text as body, a.title, a.outlet, a.url
from events e join articles a using (article_id) order by md5(e.event_id) limit $n
"""
_RUNS = "select * from runs where dt = $night order by started_at"
_HISTORY = """
select dt as night, sum(n_article) as article, sum(n_revision) as revision, sum(n_copy) as copy,
       sum(n_unchanged) as unchanged, sum(n_skipped) as skipped, sum(n_failed) as failed, sum(n_inputs) as inputs,
       sum(epoch(finished_at) - epoch(started_at)) as seconds, max(peak_memory_bytes) as memory
from runs group by dt order by dt
"""
_REASONS = """
select fate, step, reason, count(*) as n, arg_min(ref, ref) as example, arg_min(detail, ref) as detail
from inputs where reason is not null
group by all order by n desc, reason, step
"""
# Outlets with trouble tonight first: nobody looks for them at the end of a long list.
_OUTLETS = """
select * from coverage where dt = $night
order by status = 'ok', articles desc, outlet
"""
_MATRIX = """
select outlet, dt as night, status, articles from coverage
where outlet in (select unnest($outlets)) order by outlet, dt
"""
_STORIES = """
with tonight as (
    select story_id, count(*) as tonight,
           arg_min(article_id, (not coalesce(is_original, true), published_at, article_id)) as article_id
    from articles where story_id is not null group by story_id
)
select s.*, t.tonight, t.article_id from stories s join tonight t using (story_id)
order by s.n_independent desc, s.n_articles desc, t.tonight desc, s.last_seen desc, story_id limit $n
"""
_SOURCES = """
select s.name, any_value(s.kind) as kind, any_value(s.role) as role, sum(s.n_quotes)::bigint as n_quotes,
       count(distinct s.article_id) as n_articles
from sources s where s.named and s.n_quotes > 0
group by s.source_id, s.name order by n_quotes desc, s.name limit 15
"""
_EDITED = """
with now as (select article_id, article_key, revision, title, outlet, change from articles where revision > 1),
before as (
    select r.article_key, arg_max(r.article_id, r.revision) as article_id
    from recent_articles r join now n on r.article_key = n.article_key and r.revision < n.revision
    group by r.article_key
)
select n.article_id, n.revision, n.title, n.outlet, n.change,
       (select list(q.text order by q.start) from recent_quotes q where q.article_id = b.article_id) as before,
       (select list(q.text order by q.start) from quotes q where q.article_id = n.article_id) as after
from now n join before b using (article_key) order by n.article_id
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A row's span within its surroundings."""

    before: str
    span: str
    after: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Quotes that an article lost or won with its revision of this night."""

    article: Row
    gone: list[str]
    came: list[str]


def write_report(root: Path, night: dt.date) -> Path:
    """Write the night's page, the readers it leads to and the index anew; answer the page's path."""
    store = Store.open(root)
    since = night - dt.timedelta(days=HISTORY_NIGHTS)
    files = {t: store.files(t, since=night, before=night) for t in tables.TABLES if t not in tables.SNAPSHOTS}
    files |= {t: store.files(t, since=since, before=night) for t in ("runs", "coverage")}
    files["stories"] = store.files("stories")
    folder = root / "reports"
    folder.mkdir(exist_ok=True)
    with snapshots.corpus(files, root / ".work" / "report") as db:
        for table in ("articles", "quotes", "sources", "events"):
            snapshots.add_view(db, f"recent_{table}", table, store.files(table, since=since, before=night))
        page = _page(db, root, night)
        readers = read_many(db, sorted(page.articles), prefix="recent_")
        linked = {a: f"{night}/{a}.html" for a in readers}
        _write_readers(folder / str(night), readers, home=f"../{night}.html")
        html = templates().get_template("nightly.html.j2").render(**page.values, link=linked.get)
    target = folder / f"{night}.html"
    _write(target, html)
    _write(folder / "index.html", _index(store, folder))
    return target


def _write(target: Path, page: str) -> None:
    draft = target.with_suffix(".part")
    draft.write_text(page, encoding="utf-8", errors="replace")
    os.replace(draft, target)


def _write_readers(folder: Path, readers: dict[str, Any], *, home: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a night made anew may speak of other articles
    folder.mkdir(parents=True)
    link = {a: f"{a}.html" for a in readers}
    for article_id, reading in readers.items():
        _write(folder / f"{article_id}.html", render_reader(reading, link=link.get, home=home))


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows, and the articles it leads to."""

    values: dict[str, Any]
    articles: set[str]


def _page(db: Any, root: Path, night: dt.date) -> Page:
    runs = rows_of(db, _RUNS, night=night)
    outlets = rows_of(db, _OUTLETS, night=night)
    stories = [s | {"number": i} for i, s in enumerate(rows_of(db, _STORIES, n=MOST_STORIES), 1)]
    quotes = _with_context(rows_of(db, _QUOTES, n=SAMPLE_ROWS))
    events = _with_context(rows_of(db, _EVENTS, n=SAMPLE_ROWS))
    edits = list(_edits(rows_of(db, _EDITED)))
    history = rows_of(db, _HISTORY)
    sources = rows_of(db, _SOURCES)
    values = {
        "night": night,
        "runs": runs,
        "rows": {t: rows_of(db, f"select count(*) as n from {t} where dt = $night", night=night)[0]["n"]
                 for t in ("articles", "quotes", "sources", "events", "inputs")}
        | {"stories": rows_of(db, "select count(distinct story_id) as n from articles")[0]["n"]},
        "fates": _fates(runs),
        "reasons": rows_of(db, _REASONS),
        "outlets": outlets,
        "trouble": [o for o in outlets if o["status"] != "ok"],
        "stories": stories,
        "sources": sources,
        "quotes": quotes,
        "events": events,
        "edits": edits[:MOST_EDITS],
        "n_edits": len(edits),
        "history": history,
        "checks": list(_checks(root)),
        "plots": _plots(db, history, outlets, stories, sources, runs),
    }  # fmt: skip
    shown: Iterable[Row] = [*quotes, *events, *stories, *(e.article for e in edits[:MOST_EDITS])]
    tolls = {t["article_id"] for s in stories for t in s["tolls"]}
    return Page(values, {r["article_id"] for r in shown} | tolls)


def _plots(
    db: Any, history: list[Row], outlets: list[Row], stories: list[Row], sources: list[Row], runs: list[Row]
) -> dict[str, Markup]:
    """Every plot that has something to show, as SVG."""
    specs: dict[str, plots.Spec] = {}
    if len(history) > 1:
        specs["nights"] = plots.nights(
            [{"night": str(h["night"]), "fate": f, "n": h[f], "rank": i}
             for h in history for i, f in enumerate(plots.FATES)]
        )  # fmt: skip
    shown = [o["outlet"] for o in outlets[:MOST_OUTLETS]]
    matrix = rows_of(db, _MATRIX, outlets=shown) if shown else []
    if len({m["night"] for m in matrix}) > 1:
        specs["coverage"] = plots.coverage([m | {"night": str(m["night"])} for m in matrix])
    pinned = [s for s in stories if s["lat"] is not None]
    if pinned:
        specs["world"] = plots.world(
            [{"lat": s["lat"], "lon": s["lon"], "independent": s["n_independent"], "label": str(s["number"])}
             for s in pinned]
        )  # fmt: skip
    told = [s for s in stories if s["first_seen"]]
    if told:
        specs["timeline"] = plots.timeline(
            [{"headline": f"{s['number']}. {_cut(s['headline'])}", "independent": s["n_independent"],
              "first": s["first_seen"].isoformat(), "last": s["last_seen"].isoformat()} for s in told]
        )  # fmt: skip
    tolls = list(_tolls(stories))
    if tolls:
        specs["tolls"] = plots.tolls(tolls)
    if sources:
        specs["sources"] = plots.sources([{"name": _cut(s["name"], 40), "n": s["n_quotes"]} for s in sources])
    if runs and runs[-1]["steps"]:
        specs["steps"] = plots.steps([{"step": s["step"], "seconds": s["seconds"]} for s in runs[-1]["steps"]])
    return {
        name: Markup(plots.draw(spec)) for name, spec in specs.items()
    }  # our own drawing; values were escaped in it


def _cut(text: str | None, most: int = 60) -> str:
    words = " ".join(harmless(text or "untitled").split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _tolls(stories: list[Row]) -> Iterator[Row]:
    """Stories whose outlets differ on the dead: each number with who gave it and where."""
    shown = 0
    for story in stories:
        killed = [t for t in story["tolls"] if t["field"] == "killed"]
        if len({(t["min"], t["max"]) for t in killed}) < 2 or shown == MOST_TOLLS:
            continue
        shown += 1
        for t in killed[:10]:
            low, high = t["min"], t["max"]
            who = ": ".join(x for x in (t["outlet"], t["attributed_to"]) if x) or "not said by whom"
            yield {
                "story": f"{story['number']}. {_cut(story['headline'], 70)}", "says": _cut(who, 48),
                "words": range_words((low, high)),
                "low": low if low is not None else 0, "high": high if high is not None else low,
            }  # fmt: skip


def _edits(rows: list[Row]) -> Iterator[Edit]:
    for row in rows:
        before, after = row.pop("before") or [], row.pop("after") or []
        gone, came = [q for q in before if q not in after], [q for q in after if q not in before]
        if gone or came:
            yield Edit(row, gone, came)


def _checks(root: Path) -> Iterator[dict[str, Any]]:
    """Precision that people measured on these tables, newest first."""
    for name in reversed(known(root)):
        try:
            sample, labels = load(root, name)
        except CheckError:
            continue
        rows = precision(sample, labels)
        if rows:
            yield {"sample": sample, "judged": len(labels), "rows": rows, "fields": FIELDS[sample.table]}


def _index(store: Store, folder: Path) -> str:
    with snapshots.corpus({"runs": store.files("runs")}, store.root / ".work" / "report") as db:
        history = rows_of(db, _HISTORY)
    made = {p.stem for p in folder.glob("????-??-??.html")}
    nights = [h | {"made": str(h["night"]) in made} for h in reversed(history)]
    return templates().get_template("nights.html.j2").render(nights=nights, fates=[f.value for f in tables.Fate])


def _fates(runs: list[Row]) -> dict[str, int]:
    return {f.value: sum(r[f"n_{f.value}"] for r in runs) for f in tables.Fate}


def _with_context(rows: list[Row]) -> list[Row]:
    for row in rows:
        body: str = row.pop("body")
        start, end = row["start"], row["end"]
        left = max(body.rfind("\n", 0, start) + 1, start - CONTEXT_CHARS)
        stop = body.find("\n", end)
        right = min(stop if stop >= 0 else len(body), end + CONTEXT_CHARS)
        row["marked"] = Marked(body[left:start], body[start:end], body[end:right])
    return rows
