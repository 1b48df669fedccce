"""Quotes, sources and events on the labelled sets, straight from the functions: each text is parsed once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bench import golden_quotes, reliability
from bench.eval_events import as_prediction, make_article
from bench.gold import DATA, OURS, WORK, Predictions, Row, plain, read_lines, score, write_lines
from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse_all
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings

QUOTED_STRETCH = re.compile(r"“[^“”\n]{1,4000}(?:”|$)|\"[^\"\n]{1,4000}(?:\"|$)|``[^\n]{1,4000}?(?:''|$)", re.M)
POLNEAR = DATA / "quotes" / "polnear_dev.jsonl.gz"
WORLD = DATA / "quotes" / "world_dev.jsonl"
Record = dict[str, Any]


def quote_prediction(quote: tables.Quote, sources: dict[str, tables.Source]) -> Record:
    """A quote in the scorers' form (as ../shared/tools/tables_to_pred.py writes it)."""
    source = sources.get(quote.source_id or "")
    return {
        "start": quote.start,
        "end": quote.end,
        "spans": [[p.start, p.end] for p in quote.parts] or [[quote.start, quote.end]],
        "speaker": None if quote.speaker_start is None else [quote.speaker_start, quote.speaker_end],
        "cue": None if quote.cue_start is None else [quote.cue_start, quote.cue_end],
        "speaker_name": source.name if source else None,
        "source_kind": source.kind if source else None,
        "named": source.named if source else None,
        "confidence": quote.confidence,
    }


def by_ours(doc: Any, record: Record) -> list[Record]:
    quotes, sources = find_quotes(doc, make_article(record["text"], record.get("date"), record["id"]))
    known = {s.source_id: s for s in sources}
    return [quote_prediction(q, known) for q in quotes]


def by_textacy(doc: Any, record: Record) -> list[Record]:
    """textacy's direct quotations; it refuses a whole text whose marks do not pair."""
    from textacy.extract.triples import direct_quotations

    try:
        found = list(direct_quotations(doc))
    except ValueError:
        return []
    out = []
    for triple in found:
        speaker = triple.speaker
        span = [speaker[0].idx, speaker[-1].idx + len(speaker[-1])] if speaker else None
        content = triple.content
        out.append(
            {
                "start": content.start_char, "end": content.end_char, "speaker": span,
                "speaker_name": " ".join(t.text for t in speaker) if speaker else None,
            }
        )  # fmt: skip
    return out


def by_marks(doc: Any, record: Record) -> list[Record]:
    """Every quoted stretch of four words and more; nobody says who said it."""
    spans = (m.span() for m in QUOTED_STRETCH.finditer(record["text"]))
    return [{"start": s, "end": e, "speaker": None} for s, e in spans if len(record["text"][s:e].split()) >= 4]


QUOTE_SYSTEMS: dict[str, Callable[[Any, Record], list[Record]]] = {
    OURS: by_ours,
    "textacy": by_textacy,
    "quoted stretches ≥ 4 words": by_marks,
}


def docs_of(records: Sequence[Record]) -> list[Any]:
    """The shared language pass."""
    return list(parse_all(load_model(ExtractSettings().model), [r["text"] for r in records]))


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 1)


def run_quotes() -> list[Row]:
    """PolNeAR dev: overlap, exact and joint F1, speaker accuracy; direct and indirect apart."""
    records = read_lines(POLNEAR)
    docs = docs_of(records)
    rows = []
    for name, system in QUOTE_SYSTEMS.items():
        predicted = [{"id": r["id"], "quotes": system(d, r)} for d, r in zip(docs, records, strict=True)]
        scores = score("score_quotes.py", plain(POLNEAR), Predictions(f"quotes-{name.split()[0]}", predicted))
        every = scores["all"]
        figures = {
            "overlap": _percent(every["overlap"]["f1"]),
            "exact": _percent(every["exact"]["f1"]),
            "joint": _percent(every["joint"]["f1"]),
            "speaker": _percent(every["speaker_acc"]),
            "direct": _percent(scores["direct"]["overlap"]["f1"]),
            "indirect": _percent(scores["indirect"]["overlap"]["f1"]),
        }
        rows.append(Row(section="quotes", set="polnear dev", system=name, figures=figures))
        if name == OURS:
            rows += _confidence("quotes", "polnear dev", records, predicted)
    return rows


def _confidence(section: str, name: str, records: list[Record], predicted: list[Record]) -> list[Row]:
    """The reliability table: for each band of confidence its mean, and how many of a hundred quotes are right."""
    answers = [answer for r, p in zip(records, predicted, strict=True) for answer in reliability.judged(r, p["quotes"])]
    table = reliability.bands(answers)
    rows = [
        Row(
            section=section, set=f"confidence, {name}", system=f"{b.low:g} to {b.high:g}",
            figures={"quotes": b.n, "said": _percent(b.said), "right": _percent(b.right)},
        )
        for b in table
    ]  # fmt: skip
    gap = {"quotes": len(answers), "gap": _percent(reliability.error(table))}
    return [*rows, Row(section=section, set=f"confidence, {name}", system="all: mean gap", figures=gap)]


def run_golden() -> Row:
    """Our own passages in many styles; some of them hold no quote."""
    passages = golden_quotes.read_golden()
    nlp = load_model(ExtractSettings().model)
    docs = {p.id: d for p, d in zip(passages, parse_all(nlp, [p.text for p in passages]), strict=True)}

    def find(passage: golden_quotes.Passage) -> list[golden_quotes.Span]:
        quotes, _ = find_quotes(docs[passage.id], make_article(passage.text, None, passage.id))
        return [s for q in quotes for s in ([(p.start, p.end) for p in q.parts] or [(q.start, q.end)])]

    f = golden_quotes.score_golden(passages, find)
    figures = {"overlap": _percent(f.overlap), "exact": _percent(f.exact), "false quotes": float(f.false)}
    return Row(section="world", set="our own passages", system=OURS, figures=figures)


def run_world() -> list[Row]:
    """Quotes in other news: the same, with identity and kind of the speaker, and quotes where there are none."""
    records = read_lines(WORLD)
    docs = docs_of(records)
    rows = []
    for name, system in QUOTE_SYSTEMS.items():
        predicted = [{"id": r["id"], "quotes": system(d, r)} for d, r in zip(docs, records, strict=True)]
        scores = score("score_world.py", WORLD, Predictions(f"world-{name.split()[0]}", predicted), "--outer")
        every = scores["all"]
        figures = {
            "overlap": _percent(every["overlap"]["f1"]),
            "joint": _percent(every["joint"]["f1"]),
            "direct": _percent(scores["direct"]["overlap"]["f1"]),
            "indirect": _percent(scores["indirect"]["overlap"]["f1"]),
            "identity": _percent(every["identity"]),
            "kind": _percent(every["kind"]),
            "false quotes": scores["false_in_empty"].get("quotes", 0),
        }
        rows.append(Row(section="world", set="world dev", system=name, figures=figures))
        if name == OURS:
            rows += _confidence("world", "world dev", records, predicted)
    return [*rows, run_golden()]


def predict_events(records: list[Record]) -> list[Record]:
    out = []
    for record, doc in zip(records, docs_of(records), strict=True):
        article = make_article(record["text"], record.get("published") or record.get("date"), record["id"])
        quotes, sources = find_quotes(doc, article)
        found = find_events(doc, article, quotes, sources)
        out.append({"id": record["id"], "events": [as_prediction(e) for e in found]})
    return out


def _plover(s: dict[str, Any]) -> dict[str, float | None]:
    roles = s["roles"]
    return {"type F1": s["micro"]["F1"], "actor F1": roles["actor"]["F1"], "recipient F1": roles["recipient"]["F1"]}


def _case(s: dict[str, Any]) -> dict[str, float | None]:
    return {"lenient F1": s["lenient_micro"]["F1"], "false alarms %": s["false_alarm_pct_on_disasters"]}


def _police(s: dict[str, Any]) -> dict[str, float | None]:
    return {f"{k} F1": s["per_class"][k]["F1"] for k in ("KILL", "ARREST", "FORCE")}


def _detail(s: dict[str, Any]) -> dict[str, float | None]:
    return {
        "F1": s["events"]["F1"],
        "no real event %": s["over_triggering"]["share"],
        "counts right": s["all_counts"]["exact"],
        "place name": s["place"]["name"],
        "date start": s["date"]["start_exact"],
        "modality": s["modality"]["real_vs_not"],
    }


POLICE = "IndiaPoliceEvents"
EVENT_SETS: dict[str, tuple[str, str, Callable[[dict[str, Any]], dict[str, float | None]]]] = {
    "PLOVER": ("plover_gsr.jsonl.gz", "score_events.py", _plover),
    "CASE": ("case_types.jsonl.gz", "score_events.py", _case),
    POLICE: ("ipe_sents.jsonl.gz", "score_events.py", _police),
    "details dev": ("detail_dev.jsonl", "score_detail.py", _detail),
}


def every_second_document(records: list[Record]) -> list[Record]:
    """Half of the police set, whole documents: all of its 8,512 sentences would take longer than the rest together."""
    documents = sorted({r["doc"] for r in records})
    kept = set(documents[::2])
    return [r for r in records if r["doc"] in kept]


def run_events() -> list[Row]:
    """Events on the four sets. No peer can be installed, so theirs are quoted figures."""
    rows = []
    for name, (file, tool, shown) in EVENT_SETS.items():
        records = read_lines(DATA / "events" / file)
        if name == POLICE:
            records = every_second_document(records)
        stem = file.split(".")[0]
        gold = write_lines(WORK / f"{stem}.gold.jsonl", records)
        figures = shown(score(tool, gold, Predictions(f"events-{stem}", predict_events(records))))
        note = f"{len(records)} sentences, every second document" if name == POLICE else ""
        rows.append(Row(section="events", set=name, system=OURS, figures=figures, note=note))
    return rows
