"""One HTML page of the night: how it went, what failed and why, and a fair sample of rows with their sentence."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from tasks import tables
from tasks.publish import snapshots
from tasks.publish.store import Store
from tasks.report.reading import range_words

SAMPLE_ROWS = 30
CONTEXT_CHARS = 160
"""What is shown of the text on either side of a row's span."""

# The sample is drawn by a hash of the id: fair, and the same every time the page is made.
_QUOTES = """
select q.*, a.text as body, a.title, a.outlet, a.url, s.name as source_name, s.role, s.affiliation
from quotes q join articles a using (article_id)
left join sources s on s.article_id = q.article_id and s.source_id = q.source_id
where q.dt = $night and a.dt = $night order by md5(q.quote_id) limit $n
"""
_EVENTS = """
select e.*, a.text as body, a.title, a.outlet, a.url
from events e join articles a using (article_id) where e.dt = $night and a.dt = $night
order by md5(e.event_id) limit $n
"""
_RUNS = "select * from runs where dt = $night order by started_at"
_REASONS = """
select fate, step, reason, count(*) as n, arg_min(ref, ref) as example, arg_min(detail, ref) as detail
from inputs where dt = $night and reason is not null
group by all order by n desc, reason, step
"""
_OUTLETS = "select * from coverage where dt = $night order by articles desc, outlet limit 200"
_STORIES = """
select * from stories where n_articles > 1
order by n_independent desc, n_articles desc, last_seen desc, story_id limit 20
"""
_SOURCES = """
select s.name, any_value(s.kind) as kind, any_value(s.role) as role, sum(s.n_quotes) as n_quotes,
       count(distinct s.article_id) as n_articles
from sources s where s.dt = $night and s.named and s.n_quotes > 0
group by s.source_id, s.name order by n_quotes desc, s.name limit 20
"""


@dataclass(frozen=True, slots=True)
class Marked:
    """A row's span within its surroundings."""

    before: str
    span: str
    after: str


def write_report(root: Path, night: dt.date) -> Path:
    """Write `<root>/reports/<night>.html` and answer its path. The page asks for nothing from outside."""
    store = Store.open(root)
    files = {t: store.files(t, since=night, before=night) for t in tables.TABLES if t not in tables.SNAPSHOTS}
    files["stories"] = store.files("stories")
    with snapshots.corpus(files, root / ".work" / "report") as db:
        page = _template().render(
            night=night,
            runs=_rows(db, _RUNS, night=night),
            rows={t: _rows(db, f"select count(*) as n from {t}")[0]["n"] for t in files},
            fates=_fates(_rows(db, _RUNS, night=night)),
            reasons=_rows(db, _REASONS, night=night),
            outlets=_rows(db, _OUTLETS, night=night),
            stories=_rows(db, _STORIES),
            sources=_rows(db, _SOURCES, night=night),
            quotes=_with_context(_rows(db, _QUOTES, night=night, n=SAMPLE_ROWS)),
            events=_with_context(_rows(db, _EVENTS, night=night, n=SAMPLE_ROWS)),
        )
    target = root / "reports" / f"{night.isoformat()}.html"
    target.parent.mkdir(exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(page, encoding="utf-8", errors="replace")
    os.replace(draft, target)
    return target


def _template() -> jinja2.Template:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    env.filters["bytes"] = lambda n: f"{n / 1e6:,.0f} MB" if n is not None else "unknown"
    env.filters["count"] = lambda n: f"{n:,}"
    env.filters["range"] = range_words
    return env.get_template("nightly.html.j2")


def _rows(db: Any, sql: str, **params: object) -> list[dict[str, Any]]:
    result = db.execute(sql, params) if params else db.execute(sql)
    names = [d[0] for d in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _fates(runs: list[dict[str, Any]]) -> dict[str, int]:
    return {f.value: sum(r[f"n_{f.value}"] for r in runs) for f in tables.Fate}


def _with_context(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in rows:
        body: str = row.pop("body")
        start, end = row["start"], row["end"]
        left = max(body.rfind("\n", 0, start) + 1, start - CONTEXT_CHARS)
        stop = body.find("\n", end)
        right = min(stop if stop >= 0 else len(body), end + CONTEXT_CHARS)
        row["marked"] = Marked(body[left:start], body[start:end], body[end:right])
    return rows
