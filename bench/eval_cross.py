"""Source identity and quote groups over articles, on ../shared/data/cross, scored by score_cross.py.

python -m bench.eval_cross ../shared [--cache DIR] [--rows FILE]   calls the pure code, all articles as one night.
`--cache` keeps the parses, `--rows` the extracted rows (pickled), for trials of the linking alone.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.eval_quotes import article_of, docs_of
from tasks import tables
from tasks.extract.language import load_model
from tasks.extract.quotes import find_quotes
from tasks.extract.quotes.corpus import read_records
from tasks.extract.quotes.groups import group_quotes, key_of
from tasks.extract.sources.links import company_of, link_sources, seen_of
from tasks.settings import ExtractSettings

Rows = list[tuple[str, dt.datetime, str, list[tables.Quote], list[tables.Source]]]


def extracted(data: Path, cache: Path | None) -> Rows:
    """(id, day, text, quotes, sources) of every article."""
    nlp = load_model(ExtractSettings().model)
    out: Rows = []
    for name in ("polnear_dev.jsonl.gz", "polnear_train.jsonl.gz"):
        for record, doc in zip(read_records(data / name), docs_of(data / name, nlp, cache), strict=True):
            found = find_quotes(doc, article_of(record["id"], record["text"]))
            day = dt.datetime.fromisoformat(record["date"]).replace(tzinfo=dt.UTC)
            out.append((record["id"], day, record["text"], *found))
    return out


def predicted(rows: Rows) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lines for the scorer: identity and quote groups."""
    begun = time.process_time()
    seen = []
    for _, _, text, _, sources in rows:
        company = company_of(text)
        seen += [x for source in sources if (x := seen_of(text, source, company)) is not None]
    merges = link_sources(seen)
    middle = time.process_time()
    into = {(m.article_id, m.source_id): m.into for m in merges}
    identity, keys, spans = [], [], {}
    for article_id, day, _, quotes, sources in rows:
        who = {s.source_id: s for s in sources}
        for s in sources:
            source_id = into.get((article_id, s.source_id)) or into.get((None, s.source_id)) or s.source_id
            identity += [{"id": article_id, "start": m.start, "end": m.end, "source": source_id} for m in s.mentions]
        for q in quotes:
            keys.append(key_of(q, who.get(q.source_id or ""), day))
            places = [(q.start, q.end), *((p.start, p.end) for p in q.parts)]
            spans[q.quote_id] = [(article_id, start, end) for start, end in places]
    groups = group_quotes(keys)
    ended = time.process_time()
    print(f"{len(seen)} sources linked at {1e6 * (middle - begun) / max(len(seen), 1):,.0f} µs each, "
          f"{len(keys)} quotes grouped at {1e6 * (ended - middle) / max(len(keys), 1):,.0f} µs each")  # fmt: skip
    lines = [
        {"id": a, "start": s, "end": e, "group": groups.get(q)} for q, places in spans.items() for a, s, e in places
    ]
    return identity, lines


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rows", type=Path)
    args = parser.parse_args(arguments)
    if args.rows and args.rows.is_file():
        rows: Rows = pickle.loads(args.rows.read_bytes())
    else:
        rows = extracted(args.shared / "data" / "quotes", args.cache)
        if args.rows:
            args.rows.write_bytes(pickle.dumps(rows))
    cross, tool = args.shared / "data" / "cross", args.shared / "tools" / "score_cross.py"
    with tempfile.TemporaryDirectory() as folder:
        for kind, lines in zip(("identity", "quote_groups"), predicted(rows), strict=True):
            out = Path(folder) / f"{kind}.jsonl"
            out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            gold = cross / ("identity_pairs.dev.jsonl" if kind == "identity" else "quote_groups.dev.jsonl")
            near = ["--near", str(cross / "quote_near_misses.dev.jsonl")] if kind == "quote_groups" else []
            print(kind, flush=True)
            subprocess.run([sys.executable, str(tool), kind, str(gold), str(out), *near], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
