"""Quotes and sources on the annotated dev texts, scored by the scorers of ../shared/tools.

python -m bench.eval_quotes ../shared [--cache DIR] [--errors]   calls the pure code, without the command line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tasks import tables
from tasks.extract.quotes import find_quotes
from tasks.extract.quotes.corpus import read_docs, read_records
from tasks.settings import ExtractSettings


def article_of(record_id: str, text: str) -> tables.Article:
    """A row with nothing known but the text."""
    return tables.Article(
        article_id=record_id, article_key=record_id, external_id=record_id, revision=1, valid_from=None, change="first",
        url=None, canonical_url=None, outlet=None, title=None, standfirst=None, text=text, authors=[], section=None,
        tags=[], published_at=None, published_from=None, published_precision=None, modified_at=None, fetched_at=None,
        language="en", word_count=len(text.split()), agency=None, copy_group=None, is_original=None, story_id=None,
        access=None, rights=[], extractor="given", confidence=1.0, removed=[], raw_ref=None, content_hash=record_id,
    )  # fmt: skip


def prediction(article: tables.Article, quotes: list[tables.Quote], sources: list[tables.Source]) -> dict[str, Any]:
    """The scorers' form of one text's rows."""
    who = {s.source_id: s for s in sources}
    out = []
    for q in quotes:
        assert article.text[q.start : q.end] == q.text
        s = who[q.source_id] if q.source_id else None
        row: dict[str, Any] = {
            "start": q.start, "end": q.end, "confidence": q.confidence,
            "speaker": [q.speaker_start, q.speaker_end] if q.speaker_start is not None else None,
            "cue": [q.cue_start, q.cue_end] if q.cue_start is not None else None,
            "speaker_name": s.name if s else None, "source_kind": s.kind if s else None,
            "named": s.named if s else None,
        }  # fmt: skip
        if q.parts:
            row["spans"] = [[p.start, p.end] for p in q.parts]
        out.append(row)
    return {"id": article.article_id, "quotes": out}


def predict(path: Path, out: Path, cache: Path | None) -> None:
    docs = read_docs(path, ExtractSettings().model, cache)
    started, tokens = time.process_time(), 0
    with out.open("w", encoding="utf-8") as lines:
        for record, doc in zip(read_records(path), docs, strict=True):
            article = article_of(record["id"], record["text"])
            quotes, sources = find_quotes(doc, article)
            tokens += len(doc)
            lines.write(json.dumps(prediction(article, quotes, sources), ensure_ascii=False) + "\n")
    print(
        f"{path.name}: {tokens / (time.process_time() - started):,.0f} tokens per CPU-second without the parse",
        flush=True,
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--errors", action="store_true")
    args = parser.parse_args(arguments)
    data, tools = args.shared / "data" / "quotes", args.shared / "tools"
    with tempfile.TemporaryDirectory() as folder:
        for name, scorer, flags in (
            ("polnear_dev.jsonl.gz", "score_quotes.py", []),
            ("world_dev.jsonl", "score_world.py", ["--outer"]),
        ):
            out, gold = Path(folder) / "pred.jsonl", Path(folder) / "gold.jsonl"
            predict(data / name, out, args.cache)
            gold.write_text("".join(json.dumps(r) + "\n" for r in read_records(data / name)), encoding="utf-8")
            extra = ["--errors"] if args.errors and "world" in name else []
            subprocess.run([sys.executable, str(tools / scorer), str(gold), str(out), *flags, *extra], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
