"""Source identity and quote groups over articles, on ../shared/data/cross, scored by score_cross.py.

python -m bench.eval_cross ../shared [--cache DIR] [--rows FILE]   calls the pure code, all articles as one night.
`--cache` keeps the parses, `--rows` the extracted rows (pickled), for trials of the linking alone.

Groups are scored twice. The gold's members are stretches of one piece, so a quote that its cue breaks is found by its
`parts` alone: "by parts" gives the scorer a line for each part (and for the whole where there is one piece), which is
how the table is meant to be read; "whole" gives it start and end of the row and no more, so a broken quote is as good
as not found. Identity is scored by the verdicts given, which were made by rule, and by those of
bench/data/identity_pairs.jsonl, where a person corrected them.
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
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.eval_quotes import article_of
from tasks import tables
from tasks.extract.quotes import find_quotes
from tasks.extract.quotes.corpus import read_docs, read_records
from tasks.extract.quotes.groups import QuoteKey, group_quotes, key_of
from tasks.extract.sources.links import company_of, link_sources, seen_of
from tasks.settings import ExtractSettings

Rows = list[tuple[str, dt.datetime, str, list[tables.Quote], list[tables.Source]]]
Lines = list[dict[str, Any]]
Place = tuple[str, int, int]
"""(article's id, first code point, one past the last)."""
CORRECTED = Path(__file__).parent / "data" / "identity_pairs.jsonl"


def extracted(data: Path, cache: Path | None) -> Rows:
    """(id, day, text, quotes, sources) of every article."""
    out: Rows = []
    for name in ("polnear_dev.jsonl.gz", "polnear_train.jsonl.gz"):
        for record, doc in zip(
            read_records(data / name), read_docs(data / name, ExtractSettings().model, cache), strict=True
        ):
            found = find_quotes(doc, article_of(record["id"], record["text"]))
            day = dt.datetime.fromisoformat(record["date"]).replace(tzinfo=dt.UTC)
            out.append((record["id"], day, record["text"], *found))
    return out


def read_rows(data: Path, cache: Path | None, kept: Path | None) -> Rows:
    """The rows kept in a file, or extracted and kept there. `data`: ../shared/data."""
    if kept is not None and kept.is_file():
        rows: Rows = pickle.loads(kept.read_bytes())
        return rows
    rows = extracted(data / "quotes", cache)
    if kept is not None:
        kept.write_bytes(pickle.dumps(rows))
    return rows


def read_lines(path: Path) -> Lines:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def keys_of(rows: Rows, into: dict[tuple[str | None, str], tuple[str, str]] | None = None) -> list[QuoteKey]:
    """Keys of all quotes. `into`: (article or None, source) -> id and name it is merged into."""
    out = []
    for article_id, day, _, quotes, sources in rows:
        who = {s.source_id: s for s in sources}
        for q in quotes:
            key = key_of(q, who.get(q.source_id or ""), day)
            new = (into or {}).get((article_id, q.source_id or "")) or (into or {}).get((None, q.source_id or ""))
            out.append(key.renamed(*new) if new else key)
    return out


def places_of(quote: tables.Quote, *, whole: bool) -> list[tuple[int, int]]:
    parts = [] if whole else [(p.start, p.end) for p in quote.parts]
    return parts or [(quote.start, quote.end)]


def finder(rows: Rows) -> Callable[[Place], str | None]:
    """What gives the quote_id of a place, as the scorer finds it: the span most alike, by half at least."""
    by_article: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for article_id, _, _, quotes, _ in rows:
        for q in quotes:
            for start, end in {*places_of(q, whole=True), *places_of(q, whole=False)}:
                by_article[article_id].append((start, end, q.quote_id))

    def find(place: Place) -> str | None:
        article_id, start, end = place
        best, found = 0.5, None
        for s, e, quote_id in by_article[article_id]:
            both = min(e, end) - max(s, start)
            if both > 0 and (likeness := both / (max(e, end) - min(s, start))) >= best:
                best, found = likeness, quote_id
        return found

    return find


def merges_of(rows: Rows) -> tuple[dict[tuple[str | None, str], tuple[str, str]], int]:
    """(article or None, source) -> id and name it is merged into; and how many sources were compared."""
    seen = []
    for _, _, text, _, sources in rows:
        company = company_of(text)
        seen += [x for source in sources if (x := seen_of(text, source, company)) is not None]
    return {(m.article_id, m.source_id): (m.into, m.into_name) for m in link_sources(seen)}, len(seen)


def predicted(rows: Rows) -> dict[str, Lines]:
    """Lines for the scorer: identity, and quote groups by parts and whole."""
    begun = time.process_time()
    into, n = merges_of(rows)
    middle = time.process_time()
    keys = keys_of(rows, into)
    groups = group_quotes(keys)
    ended = time.process_time()
    print(f"{n} sources linked at {1e6 * (middle - begun) / max(n, 1):,.0f} µs each, "
          f"{len(keys)} quotes grouped at {1e6 * (ended - middle) / max(len(keys), 1):,.0f} µs each")  # fmt: skip
    out: dict[str, Lines] = {"identity": [], "by parts": [], "whole": []}
    for article_id, _, _, quotes, sources in rows:
        for s in sources:
            new = into.get((article_id, s.source_id)) or into.get((None, s.source_id)) or (s.source_id, "")
            out["identity"] += [
                {"id": article_id, "start": m.start, "end": m.end, "source": new[0]} for m in s.mentions
            ]
        for q in quotes:
            for kind in ("by parts", "whole"):
                out[kind] += [{"id": article_id, "start": a, "end": b, "group": groups.get(q.quote_id)}
                              for a, b in places_of(q, whole=kind == "whole")]  # fmt: skip
    return out


def corrected(pairs: Lines) -> Lines:
    """The pairs with the verdicts of CORRECTED; a pair with the verdict null is left out."""
    verdicts = {_pair(r["a"], r["b"]): r["same"] for r in read_lines(CORRECTED)}
    known = {_pair((p["a"]["id"], *p["a"]["span"]), (p["b"]["id"], *p["b"]["span"])): p for p in pairs}
    lost = verdicts.keys() - known.keys()
    if lost:
        raise ValueError(f"{CORRECTED.name} names pairs that are not in the data: {sorted(map(sorted, lost))}")
    judged = [{**p, "same": verdicts.get(key, p["same"])} for key, p in known.items()]
    return [p for p in judged if p["same"] is not None]


def _pair(a: Any, b: Any) -> frozenset[tuple[Any, ...]]:
    return frozenset((tuple(a), tuple(b)))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rows", type=Path)
    args = parser.parse_args(arguments)
    lines = predicted(read_rows(args.shared / "data", args.cache, args.rows))
    cross, tool = args.shared / "data" / "cross", args.shared / "tools" / "score_cross.py"
    identity, groups = cross / "identity_pairs.dev.jsonl", cross / "quote_groups.dev.jsonl"
    near = ["--near", str(cross / "quote_near_misses.dev.jsonl")]
    with tempfile.TemporaryDirectory() as folder:
        own = _written(Path(folder) / "corrected.jsonl", corrected(read_lines(identity)))
        for title, kind, name, gold in (
            ("identity, verdicts as given", "identity", "identity", identity),
            ("identity, verdicts corrected", "identity", "identity", own),
            ("quote_groups, by parts", "quote_groups", "by parts", groups),
            ("quote_groups, whole rows", "quote_groups", "whole", groups),
        ):
            out = _written(Path(folder) / "pred.jsonl", lines[name])
            print(title, flush=True)
            more = near if kind == "quote_groups" else []
            subprocess.run([sys.executable, str(tool), kind, str(gold), str(out), *more], check=True)


def _written(path: Path, lines: Lines) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
