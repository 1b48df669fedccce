"""Quality and speed of the clean step on the dev data, ours beside trafilatura as it comes, by the project's scorer.

usage: PYTHONPATH=. python bench/eval_clean.py [pages] [text] [--data ../shared/data] [--worst N]

Figures on dev are in-sample for the shipped model; `python -m tasks.clean.train DATA --cv` gives cross-validated ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType

from tasks.clean.page import clean_page
from tasks.clean.text import clean_text
from tasks.clean.training import load_scorer
from tasks.scrape.records import RawPage, RawText
from tasks.settings import CleanSettings
from tasks.tables import Article


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def read_pages(path: Path) -> Iterator[RawPage]:
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            uri = record.headers.get("WARC-Target-URI")
            yield RawPage(
                ref=uri, file=path.name, offset=record.stream_pos, url=uri, body=record.reader.read(),
                content_type=record.http_headers.get("Content-Type"), fetched_at=record.record_date,
            )  # fmt: skip


def ours(page: RawPage, rules: CleanSettings) -> dict[str, Any]:
    found = clean_page(page, rules=rules)
    if not isinstance(found, Article):
        return {"failure": f"{found.reason} {found.detail}"}
    return {
        "text": found.text, "title": found.title, "authors": found.authors, "standfirst": found.standfirst,
        "date": found.published_at.isoformat() if found.published_at else None, "extractor": found.extractor,
    }  # fmt: skip


def peer(page: RawPage) -> dict[str, Any]:
    found = trafilatura.bare_extraction(page.body, url=page.url, with_metadata=True, include_comments=False)
    if found is None or isinstance(found, dict):  # a dictionary only where the caller asks for one
        return {}
    row = found.as_dict()
    names = [a.strip() for a in (row["author"] or "").split(";") if a.strip()]
    return {"text": row["text"], "title": row["title"], "authors": names, "date": row["date"]}


def show(name: str, scores: dict[str, dict[str, float]]) -> None:
    for group, row in scores.items():
        print(f"{name:12s} {group:13s} " + "  ".join(f"{k} {v}" for k, v in row.items()))


def run_pages(data: Path, worst: int) -> None:
    scorer = load_scorer(data)
    rows = read_jsonl(data / "pages" / "dev_gold.jsonl.gz")
    by_uri = {r["uri"]: r["id"] for r in rows}
    gold = {r["id"]: r for r in rows}
    rules = CleanSettings()
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    spent = [0.0, 0.0]
    for page in read_pages(data / "pages" / "dev.warc.gz"):
        start = time.process_time()
        mine[by_uri[str(page.url)]] = ours(page, rules)
        middle = time.process_time()
        theirs[by_uri[str(page.url)]] = peer(page)
        spent[0] += middle - start
        spent[1] += time.process_time() - middle
    show("ours", scorer.score(gold, mine))
    show("trafilatura", scorer.score(gold, theirs))
    print(f"pages per CPU-second: ours {len(mine) / spent[0]:.1f}, trafilatura {len(theirs) / spent[1]:.1f}")
    failures = {i: r["failure"] for i, r in mine.items() if "failure" in r}
    print(f"no article: {failures}")
    list_worst(scorer, gold, mine, worst)


def list_worst(scorer: Any, gold: dict[str, Any], mine: dict[str, Any], worst: int) -> None:
    def f1(i: str) -> tuple[float, float, float]:
        bodies = [b for b in (gold[i]["body"], gold[i].get("body_alone")) if b]
        pairs = [scorer.pr(b, mine.get(i, {}).get("text")) for b in bodies]
        p, r = max(pairs, key=lambda x: x[0] * x[1] / (sum(x) or 1))
        return 2 * p * r / (p + r or 1), p, r

    for score, p, r, i in sorted((*f1(i), i) for i in gold)[:worst]:
        print(f"  {score:.3f} P {p:.3f} R {r:.3f} {i} {mine.get(i, {}).get('extractor', '')}")


def run_text(data: Path, worst: int) -> None:
    scorer = load_scorer(data)
    gold = {r["id"]: r for r in read_jsonl(data / "text" / "dirty_dev.jsonl.gz")}
    mine: dict[str, Any] = {}
    start = time.process_time()
    for i, row in gold.items():
        record = RawText(ref=i, file="dirty_dev", offset=0, text=row["text"], title_in_text=False)
        found = clean_text(record, rules=CleanSettings(), already_clean=False)
        mine[i] = (
            {"text": found.text, "title": found.title} if isinstance(found, Article) else {"failure": found.reason}
        )
    print(f"texts per CPU-second: {len(gold) / (time.process_time() - start):.1f}")
    show("ours", scorer.score(gold, mine))
    show("as it comes", scorer.score(gold, {i: {"text": r["text"]} for i, r in gold.items()}))
    list_worst(scorer, gold, mine, worst)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["pages", "text"], choices=["pages", "text"])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--worst", type=int, default=10)
    args = parser.parse_args()
    if "pages" in args.what:
        run_pages(args.data, args.worst)
    if "text" in args.what:
        run_text(args.data, args.worst)


if __name__ == "__main__":
    main()
