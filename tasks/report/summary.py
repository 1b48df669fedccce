"""What a person wants to know of a run at its end, for the terminal, for scripts and for Prefect's page."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from tasks import tables
from tasks.publish.retention import RawNight, told
from tasks.publish.store import Store
from tasks.publish.write import read_table
from tasks.remote.mirror import address_of

SAMPLE = 5
SHORT_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuote:
    speaker: str
    cue: str
    text: str
    outlet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEvent:
    type: str
    what: str
    place: str
    date: str
    modality: str
    outlet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """An outlet that fell short: its row of coverage, where that is not ok."""

    outlet: str
    status: str
    articles: int
    expected: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One run in numbers and a few rows."""

    run_id: str
    flow: str
    night: dt.date
    seconds: float
    inputs: int
    fates: dict[str, int]
    reasons: dict[str, dict[str, int]]  # by fate
    rows: dict[str, int]  # rows of the night in each table; of corpus-wide tables all
    stories: int  # that an article of the night tells
    steps: list[dict[str, Any]]
    peak_memory_bytes: int | None
    quotes: list[SampleQuote]
    events: list[SampleEvent]
    short: list[Short]  # of a night of the live web; an ingest promises nothing
    tables: str
    report: str
    raw_deleted: list[RawNight] = field(default_factory=list)  # raw files past their time; those with `kept` stayed

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"night": self.night.isoformat()}

    def short_lines(self) -> list[str]:
        """What fell short, for a person; empty where nothing did."""
        if not self.short:
            return []
        lines = [f"{len(self.short)} outlet{'s' * (len(self.short) > 1)} fell short of what was expected:"]
        for s in self.short[:SHORT_SHOWN]:
            usual = f", usually {s.expected:g}" if s.expected is not None else ""
            lines.append(f"  {s.outlet}: {s.status.replace('_', ' ')}, {s.articles} articles{usual}")
        more = len(self.short) - SHORT_SHOWN
        return [*lines, f"  and {more} more, see the table coverage"] if more > 0 else lines

    def raw_lines(self) -> list[str]:
        """What became of raw files past their time, for a person; empty where none is."""
        gone = [n for n in self.raw_deleted if not n.kept]
        lines = [f"Raw files deleted after their time: {told(gone)}"] if gone else []
        return lines + [f"Raw files of {n.night} stay past their time: {n.kept}" for n in self.raw_deleted if n.kept]

    def markdown(self) -> str:
        """For an artifact on Prefect's page."""
        lines = [f"# Night {self.night}", "", f"Run `{self.run_id}`, {self.seconds:.0f} s, {self.inputs} inputs.", ""]
        lines += ["| fate | inputs |", "|---|---|", *(f"| {k} | {v} |" for k, v in self.fates.items())]
        if self.reasons:
            lines += ["", "| fate | reason | inputs |", "|---|---|---|"]
            lines += [f"| {fate} | {k} | {v} |" for fate, found in self.reasons.items() for k, v in found.items()]
        lines += ["", "| table | rows of the night |", "|---|---|", *(f"| {k} | {v} |" for k, v in self.rows.items())]
        if self.short:
            lines += ["", "| outlet that fell short | status | articles | expected |", "|---|---|---|---|"]
            lines += [f"| {s.outlet} | {s.status} | {s.articles} | {s.expected or ''} |" for s in self.short]
        return "\n".join(lines)


def summarise(root: Path, run_id: str, night: dt.date, report: Path) -> Summary:
    """Read the published tables and tell of one run."""
    store = Store.open(root)
    runs = read_table(store.path("runs", night))
    run = runs.filter(pc.equal(runs["run_id"], run_id)).to_pylist()[0]
    rows = {t: sum(_count(f) for f in _files(store, t, night)) for t in tables.TABLES}
    return Summary(
        run_id=run_id,
        flow=run["flow"],
        night=night,
        seconds=(run["finished_at"] - run["started_at"]).total_seconds(),
        inputs=run["n_inputs"],
        fates={f.value: run[f"n_{f.value}"] for f in tables.Fate},
        reasons=_reasons(store, run_id, night),
        rows=rows,
        stories=len(set(read_table(store.path("articles", night), ["story_id"])["story_id"].to_pylist()) - {None}),
        steps=run["steps"],
        peak_memory_bytes=run["peak_memory_bytes"],
        quotes=_quotes(store, night),
        events=_events(store, night),
        short=_short(store, night) if run["flow"] == "nightly" else [],
        tables=address_of(root) or str(root),
        report=str(report),
    )


def _files(store: Store, table: str, night: dt.date) -> list[Path]:
    return store.files(table) if table in tables.SNAPSHOTS else store.files(table, since=night, before=night)


def _reasons(store: Store, run_id: str, night: dt.date) -> dict[str, dict[str, int]]:
    """Fate -> reason -> inputs of the run, the most frequent first."""
    data = read_table(store.path("inputs", night), ["run_id", "fate", "reason"])
    counts = Counter(
        (r["fate"], r["reason"]) for r in data.filter(pc.equal(data["run_id"], run_id)).to_pylist() if r["reason"]
    )
    out: dict[str, dict[str, int]] = {}
    for (fate, reason), n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        out.setdefault(fate, {})[reason] = n
    return out


def _short(store: Store, night: dt.date) -> list[Short]:
    """Outlets of the night that are not ok, those that lost most first."""
    columns = ["outlet", "status", "articles", "expected"]
    found = [Short(**r) for r in read_table(store.path("coverage", night), columns).to_pylist() if r["status"] != "ok"]
    return sorted(found, key=lambda s: (s.articles - (s.expected or 0), s.outlet))


def _count(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _outlets(store: Store, night: dt.date) -> dict[str, str]:
    data = read_table(store.path("articles", night), ["article_id", "outlet"])
    return {i: o or "" for i, o in zip(data["article_id"].to_pylist(), data["outlet"].to_pylist(), strict=True)}


def _quotes(store: Store, night: dt.date) -> list[SampleQuote]:
    """The most certain quotes of named speakers, one an article."""
    columns = ["article_id", "text", "start", "parts", "speaker_text", "cue", "confidence", "resolved_by", "quote_id"]
    data = read_table(store.path("quotes", night), columns)
    data = data.filter(pc.and_(pc.equal(data["resolved_by"], "name"), pc.is_valid(data["cue"])))
    outlets = _outlets(store, night)
    return [
        SampleQuote(
            speaker=r["speaker_text"] or "", cue=r["cue"] or "", text=_words(r), outlet=outlets[r["article_id"]]
        )
        for r in _one_each(data, "article_id", [("confidence", "descending"), ("quote_id", "ascending")])
    ]


def _words(quote: dict[str, Any]) -> str:
    """The quote without the cue that breaks it."""
    text, start = quote["text"], quote["start"]
    return " … ".join(text[p["start"] - start : p["end"] - start] for p in quote["parts"]) or text


def _events(store: Store, night: dt.date) -> list[SampleEvent]:
    """The most certain events that happened and have a place on the map and a date, one a story."""
    columns = ["article_id", "type", "evidence", "place_name", "lat", "date_start", "modality", "confidence"]
    data = read_table(store.path("events", night), [*columns, "event_id", "story_id"])
    real = pc.is_in(data["modality"], _strings(sorted(tables.REAL)))
    data = data.filter(pc.and_(real, pc.and_(pc.is_valid(data["lat"]), pc.is_valid(data["date_start"]))))
    outlets = _outlets(store, night)
    return [
        SampleEvent(
            type=r["type"],
            what=r["evidence"],
            place=r["place_name"],
            date=r["date_start"].isoformat(),
            modality=r["modality"],
            outlet=outlets[r["article_id"]],
        )
        for r in _one_each(data, "story_id", [("confidence", "descending"), ("event_id", "ascending")])
    ]


def _strings(values: list[str]) -> Any:
    import pyarrow as pa

    return pa.array(values, pa.string())


def _one_each(data: Any, column: str, order: list[tuple[str, str]]) -> list[dict[str, Any]]:
    seen: set[str] = set()
    out = []
    for row in data.sort_by(order).slice(0, 1000).to_pylist():
        if row[column] not in seen:
            seen.add(row[column])
            out.append(row)
        if len(out) == SAMPLE:
            break
    return out
