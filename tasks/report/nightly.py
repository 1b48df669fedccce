"""One HTML page of the night, the pages of the articles it speaks of, and an index of nights.

    <root>/reports/index.html                  every night that has a report
    <root>/reports/<night>.html                how the night went, and the news of it
    <root>/reports/<night>/<article_id>.html   the reader, for every article that the page leads to

No page asks for anything from outside, so the folder can be copied, mailed or served as it is.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
import statistics
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tasks import tables
from tasks.publish import snapshots
from tasks.publish.store import Store
from tasks.report import plots
from tasks.report.precision import FIELDS, CheckError, known, load, precision
from tasks.report.reader import Links, render_reader, templates
from tasks.report.reading import Row, harmless, range_words, read_many, reason_words, rows_of

SAMPLE_ROWS = 30
CONTEXT_CHARS = 160
"""What is shown of the text on either side of a row's span."""
HISTORY_NIGHTS = 30
"""Nights the report looks back on: for comparison, for revisions, for copies."""
MOST_STORIES, MOST_OUTLETS, MOST_TOLLS, MOST_EDITS = 20, 30, 4, 20
STORY_ARTICLES, TOLL_LINES = 8, 10
"""What is listed of one story at most: articles, the newest and the originals first, and who gave how many dead."""
COUNTED = ("articles", "quotes", "sources", "events", "stories")

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
select fate, step, reason, count(*) as n, arg_min(coalesce(url, ref), ref) as example, arg_min(detail, ref) as detail
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
_STORY_ARTICLES = """
select story_id, article_id, outlet, title, coalesce(published_at, fetched_at) as told_at, is_original,
       dt
from recent_articles where story_id in (select unnest($stories))
qualify row_number() over (partition by story_id order by (dt = $night) desc, is_original desc, told_at, article_id)
        <= $n
order by told_at, article_id
"""
_SOURCES = """
select s.name, any_value(s.kind) as kind, any_value(s.role) as role, sum(s.n_quotes)::bigint as n_quotes,
       count(distinct s.article_id) as n_articles, arg_max(s.article_id, (s.n_quotes, s.article_id)) as article_id,
       s.source_id
from sources s where s.named and s.n_quotes > 0
group by s.source_id, s.name order by n_quotes desc, s.name limit 15
"""
_FIRST_QUOTE = """
select article_id, source_id, arg_min(quote_id, start) as quote_id from quotes
where article_id in (select unnest($articles)) group by all
"""
# Nights without any row of a table count as such.
_USUAL = """
with earlier as (select distinct dt from runs where dt < $night), counts as (
    select 'articles' as name, dt, count(*) as n from recent_articles group by dt
    union all select 'quotes', dt, count(*) from recent_quotes group by dt
    union all select 'sources', dt, count(*) from recent_sources group by dt
    union all select 'events', dt, count(*) from recent_events group by dt
    union all select 'stories', dt, count(distinct story_id) from recent_articles group by dt
), names as (select distinct name from counts)
select name, median(coalesce(n, 0)) as n
from names cross join earlier left join counts using (name, dt) group by name
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A row's span within its surroundings."""

    before: str
    span: str
    after: str
    more_before: bool  # the paragraph goes on beyond what is shown
    more_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """A story whose outlets differ on the dead: who gives which number, the lowest first."""

    story: Row
    lines: list[Row]
    more: int  # lines that are not shown
    plot: Future[tuple[str, str]]


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
        with ThreadPoolExecutor(1) as pen:  # plots are drawn by native code while the readers are written
            page = _page(db, root, night, lambda plot, values: pen.submit(plots.both, plot, values))
            readers = read_many(db, sorted(page.articles), prefix="recent_")
            linked = {a: f"{night}/{a}.html" for a in readers}
            _write_readers(folder / str(night), readers, night)
            html = templates().get_template("nightly.html.j2").render(**page.values, link=linked.get, drawn=_drawn)
    target = folder / f"{night}.html"
    _write(target, html)
    _write(folder / "index.html", _index(store, folder))
    return target


def _write(target: Path, page: str) -> None:
    draft = target.with_suffix(".part")
    draft.write_text(page, encoding="utf-8", errors="replace")
    os.replace(draft, target)


def _write_readers(folder: Path, readers: dict[str, Any], night: dt.date) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a night made anew may speak of other articles
    folder.mkdir(parents=True)
    paths = {a: f"{a}.html" for a in readers}
    links = Links(home=(f"../{night}.html", f"night of {night}"), article=paths.get)
    for article_id, reading in readers.items():
        _write(folder / f"{article_id}.html", render_reader(reading, links))


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows, and the articles it leads to."""

    values: dict[str, Any]
    articles: set[str]


Drawn = Future[tuple[str, str]]
Draw = Callable[[plots.Plot, plots.Values], Drawn]
"""Has a plot drawn, as SVG for a desk and for a phone."""


def _page(db: Any, root: Path, night: dt.date, draw: Draw) -> Page:
    runs = rows_of(db, _RUNS, night=night)
    outlets = rows_of(db, _OUTLETS, night=night)
    stories = _stories(db, night)
    quotes = _with_context(rows_of(db, _QUOTES, n=SAMPLE_ROWS))
    events = _with_context(rows_of(db, _EVENTS, n=SAMPLE_ROWS))
    edits = list(_edits(rows_of(db, _EDITED)))
    history = rows_of(db, _HISTORY)
    earlier = [h for h in history if h["night"] < night]
    before = next((n["night"] for n in reversed(earlier) if (root / "reports" / f"{n['night']}.html").is_file()), None)
    sources = _with_quotes(db, rows_of(db, _SOURCES))
    tolls = list(_tolls(stories, draw))
    values = {
        "night": night,
        "before": before,
        "n_earlier": len(earlier),
        "runs": runs,
        "rows": _counts(db, night),
        "usual": {r["name"]: r["n"] for r in rows_of(db, _USUAL, night=night)} if earlier else {},
        "fates": _fates(runs),
        "usual_fates": {f: statistics.median(h[f] for h in earlier) for f in tables.Fate} if earlier else {},
        "reasons": rows_of(db, _REASONS),
        "reason_words": reason_words(),
        "outlets": outlets,
        "trouble": [o for o in outlets if o["status"] != "ok"],
        "untold": [o for o in outlets if o["status"] == "ok" and o["expected"] is None],
        "stories": stories,
        "tolls": tolls,
        "sources": sources,
        "quotes": quotes,
        "events": events,
        "edits": edits[:MOST_EDITS],
        "n_edits": len(edits),
        "history": history,
        "checks": list(_checks(root)),
        "plots": _plots(db, draw, history, outlets, stories, sources, runs),
    }
    shown: Iterable[Row] = [*quotes, *events, *stories, *sources, *(e.article for e in edits[:MOST_EDITS])]
    told = {a["article_id"] for s in stories for a in s["articles"]} | {t["article_id"] for s in tolls for t in s.lines}
    return Page(values, {r["article_id"] for r in shown} | told)


def _counts(db: Any, night: dt.date) -> dict[str, int]:
    """Rows of the night by table; of stories those that an article of the night tells."""
    asked = {t: f"select count(*) as n from {t}" for t in COUNTED} | {
        "stories": "select count(distinct story_id) as n from articles"
    }
    return {name: rows_of(db, sql)[0]["n"] for name, sql in asked.items()}


def _stories(db: Any, night: dt.date) -> list[Row]:
    """The night's stories, the most told first, each with its number and its articles of the last nights."""
    found = rows_of(db, _STORIES, n=MOST_STORIES)
    ids = [s["story_id"] for s in found]
    rows = rows_of(db, _STORY_ARTICLES, stories=ids, night=night, n=STORY_ARTICLES) if ids else []
    return [
        s | {"number": i, "articles": [r for r in rows if r["story_id"] == s["story_id"]]}
        for i, s in enumerate(found, 1)
    ]


def _with_quotes(db: Any, sources: list[Row]) -> list[Row]:
    """Each source with the first quote of it in the article that quotes it most."""
    rows = rows_of(db, _FIRST_QUOTE, articles=[s["article_id"] for s in sources]) if sources else []
    first = {(r["article_id"], r["source_id"]): r["quote_id"] for r in rows}
    return [s | {"quote_id": first.get((s["article_id"], s["source_id"]))} for s in sources]


def _plots(
    db: Any,
    draw: Draw,
    history: list[Row],
    outlets: list[Row],
    stories: list[Row],
    sources: list[Row],
    runs: list[Row],
) -> dict[str, Drawn]:
    """Every plot that has something to show."""
    made: dict[str, Drawn] = {}
    if len(history) > 1:
        bars = [{"night": str(h["night"]), "fate": f, "n": h[f], "rank": i}
                for h in history for i, f in enumerate(plots.FATES)]  # fmt: skip
        made["nights"] = draw(plots.nights, bars)
    shown = [o["outlet"] for o in outlets[:MOST_OUTLETS]]
    matrix = rows_of(db, _MATRIX, outlets=shown) if shown else []
    if len({m["night"] for m in matrix}) > 1:
        matrix.sort(key=lambda m: (shown.index(m["outlet"]), m["night"]))
        cells = [m | {"night": str(m["night"]), "outlet": _cut(m["outlet"])} for m in matrix]
        made["coverage"] = draw(plots.coverage, cells)
    pins = [{"lat": s["lat"], "lon": s["lon"], "independent": s["n_independent"], "label": str(s["number"])}
            for s in stories if s["lat"] is not None]  # fmt: skip
    if pins:
        made["world"] = draw(plots.world, pins)
    told = [{"headline": f"{s['number']}. {_cut(s['headline'])}", "independent": s["n_independent"],
             "first": s["first_seen"].isoformat(), "last": s["last_seen"].isoformat()}
            for s in stories if s["first_seen"]]  # fmt: skip
    if told:
        made["timeline"] = draw(plots.timeline, told)
    if sources:
        made["sources"] = draw(plots.sources, [{"name": _cut(s["name"]), "n": s["n_quotes"]} for s in sources])
    if runs and runs[-1]["steps"]:
        seconds = [{"step": s["step"], "seconds": s["seconds"]} for s in runs[-1]["steps"]]
        made["steps"] = draw(plots.steps, seconds)
    return made


def _drawn(plot: Drawn) -> tuple[Markup, Markup]:
    """A drawing once it is there. It is our own; values were escaped in it."""
    wide, narrow = plot.result()
    return Markup(wide), Markup(narrow)


def _cut(text: str | None, most: int = 60) -> str:
    words = " ".join(harmless(text or "untitled").split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _tolls(stories: list[Row], draw: Draw) -> Iterator[Toll]:
    """Stories whose outlets differ on the dead: each number with who gave it and where."""
    differ = (s for s in stories if len({(t["min"], t["max"]) for t in _killed(s)}) > 1)
    for story in itertools.islice(differ, MOST_TOLLS):
        lines = sorted(_killed(story), key=lambda t: (t["min"] or 0, t["max"] or 0, t["outlet"] or ""))
        values = [
            {"says": f"{i}. {_cut(', '.join(x for x in (t['attributed_to'], t['outlet']) if x))}",
             "words": range_words((t["min"], t["max"])),
             "low": t["min"] if t["min"] is not None else 0, "high": t["max"] if t["max"] is not None else t["min"]}
            for i, t in enumerate(lines[:TOLL_LINES], 1)
        ]  # fmt: skip
        plot = draw(plots.tolls, values)
        yield Toll(story=story, lines=lines[:TOLL_LINES], more=len(lines) - len(values), plot=plot)


def _killed(story: Row) -> list[Row]:
    return [t for t in story["tolls"] if t["field"] == "killed"]


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
        begin = body.rfind("\n", 0, start) + 1
        stop = body.find("\n", end)
        stop = stop if stop >= 0 else len(body)
        left, right = max(begin, start - CONTEXT_CHARS), min(stop, end + CONTEXT_CHARS)
        if left > begin:  # not from the middle of a word on
            left = max(body.find(" ", left, start) + 1, left)
        if right < stop:
            right = max(body.rfind(" ", end, right), end)
        row["marked"] = Marked(
            before=body[left:start], span=body[start:end], after=body[end:right], more_before=left > begin,
            more_after=right < stop,
        )  # fmt: skip
    return rows
