"""Who speaks, over invented passages of many countries and styles (tests/extract/data/sources_golden.jsonl).

python -m bench.eval_sources [--errors] [--held | --seen]

A statement of the golden set counts where a quote overlaps it by half of its words or more. Of those: `identity`: the
source's name fits the golden name (a person's surname, else a telling word) and no other source of the passage better;
`kind` and `named`: equal (documents are left out of `named`); `role` and `affiliation`: over named persons that were
found, golden and answer share a word or both are empty; `pairs`: F1 of pairs of statements that are one source's.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.eval_quotes import article_of
from tasks import tables
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "extract" / "data" / "sources_golden.jsonl"
_SMALL = frozenset("a an the of for at in on and his her its their s who that".split())


@dataclass(slots=True)
class Tally:
    """Hits and cases of each figure, and what went wrong."""

    hits: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def count(self, figure: str, right: bool, what: str) -> None:
        self.cases[figure] += 1
        self.hits[figure] += right
        if not right:
            self.errors.append(f"{figure:11} {what}")

    def figures(self) -> dict[str, float]:
        out = {k: round(100 * self.hits[k] / n, 1) for k, n in self.cases.items() if k not in ("pair p", "pair r")}
        p = self.hits["pair p"] / max(self.cases["pair p"], 1)
        r = self.hits["pair r"] / max(self.cases["pair r"], 1)
        return {**out, "pairs": round(200 * p * r / (p + r), 1) if p + r else 0.0}


def read_golden(which: str = "all") -> list[dict[str, Any]]:
    """The passages; `which`: all, held (never looked at while the code was written) or seen."""
    rows = [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]
    return [r for r in rows if which == "all" or r["held"] == (which == "held")]


def words_of(text: str) -> list[str]:
    return [w for w in re.findall(r"\w+", re.sub(r"['’]s\b", "", text.lower())) if w not in _SMALL]


def fit(name: str, source: dict[str, Any]) -> float:
    """How well a name fits a golden source; 0 for not at all."""
    ours, gold = set(words_of(name)), words_of(source["name"])
    shared = ours & set(gold)
    if source["kind"] == "person" and source["named"] and gold[-1] not in shared and len(shared) < min(2, len(gold)):
        return 0.0
    return len(shared) / len(ours | set(gold)) if shared else 0.0


def match(quotes: list[tables.Quote], start: int, end: int) -> tables.Quote | None:
    """The quote that shares most with a span, if that is half of the span or more."""
    best = max(quotes, key=lambda q: min(q.end, end) - max(q.start, start), default=None)
    return best if best is not None and min(best.end, end) - max(best.start, start) >= 0.5 * (end - start) else None


def score_passage(row: dict[str, Any], quotes: list[tables.Quote], found: list[tables.Source], tally: Tally) -> None:
    who = {s.source_id: s for s in found}
    golden = {s["name"]: s for s in row["sources"]}
    matched: list[tuple[str, str]] = []
    told: dict[str, tables.Source] = {}
    for snippet, name in row["said"]:
        start = row["text"].index(snippet)
        q = match(quotes, start, start + len(snippet))
        where = f"{row['id']}: {snippet[:40]!r} by {name!r}"
        tally.count("found", q is not None, where)
        if q is None:
            continue
        s, gold = who.get(q.source_id or ""), golden[name]
        best = max((fit(s.name, g) for g in golden.values()), default=0.0) if s else 0.0
        same = s is not None and fit(s.name, gold) >= best > 0
        got = f"{where} is {(s.name, s.kind, s.named) if s else None} through {q.speaker_text!r}"
        tally.count("identity", same, got)
        tally.count("kind", s is not None and s.kind == gold["kind"], got)
        if gold["kind"] != "document":
            tally.count("named", s is not None and s.named == gold["named"], got)
        if s is not None:
            matched.append((name, s.source_id))
            if same:
                told[name] = s
    for name, s in told.items():
        if golden[name]["kind"] != "person" or not golden[name]["named"]:
            continue
        for column in ("role", "affiliation"):
            want, got_ = golden[name][column], getattr(s, column)
            right = bool(set(words_of(want or "")) & set(words_of(got_ or ""))) or (not want and not got_)
            tally.count(column, right, f"{row['id']}: {name!r} has {got_!r}, not {want!r}")
    for a, b in itertools.combinations(matched, 2):
        if a[1] == b[1]:
            tally.count("pair p", a[0] == b[0], f"{row['id']}: {a[0]!r} and {b[0]!r} are one")
        if a[0] == b[0]:
            tally.count("pair r", a[1] == b[1], f"{row['id']}: {a[0]!r} is two")


@functools.cache
def _model() -> Any:
    return load_model(ExtractSettings().model)


def measure(rows: list[dict[str, Any]]) -> Tally:
    tally = Tally()
    for row in rows:
        quotes, sources = find_quotes(parse(_model(), row["text"]), article_of(row["id"], row["text"]))
        score_passage(row, quotes, sources, tally)
    return tally


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--errors", action="store_true")
    ap.add_argument("--held", action="store_true")
    ap.add_argument("--seen", action="store_true")
    args = ap.parse_args()
    for which in (w for w in ("seen", "held") if getattr(args, w) or not (args.held or args.seen)):
        tally = measure(read_golden(which))
        print(which, tally.figures())
        if args.errors:
            print("\n".join(tally.errors))


if __name__ == "__main__":
    main()
