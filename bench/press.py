"""What `clean_page` makes of the invented press, page by page, beside the truth about it.

usage: python -m bench.press [VISIT]

Lists every difference, then the share of articles whose paragraphs are exactly those that were written. The pages were
written for the demo by the makers of the software: a place to see faults, not a measure of quality on the real web.
"""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator

from flows.press.server import Expected, Press
from tasks.clean.page import clean_page
from tasks.scrape.records import RawPage
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure


def differences(truth: Expected, found: Article | Failure) -> Iterator[str]:
    """What is wrong with the reading of one page; nothing where all is right."""
    if truth.kind == "not_article":
        if isinstance(found, Article):
            yield f"taken for an article of {found.word_count} words"
        return
    if isinstance(found, Failure):
        yield f"lost: {found.reason}"
        return
    paragraphs = found.text.split("\n")
    yield from (f"missing: {p[:90]}" for p in truth.paragraphs if p not in paragraphs)
    yield from (f"too much: {p[:90]}" for p in paragraphs if p not in truth.paragraphs)
    pairs = {
        "title": (found.title, truth.title),
        "authors": (tuple(found.authors), truth.authors),
        "date": (found.published_at, truth.published),
        "language": (found.language, truth.language),
    }
    yield from (f"{name}: {got!r}, not {want!r}" for name, (got, want) in pairs.items() if got != want)


def main() -> None:
    visit = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    rules = CleanSettings()
    whole = articles = 0
    with Press(visit=visit) as press:
        for truth in press.expected():
            if truth.kind == "missing":
                continue
            with urllib.request.urlopen(truth.url, timeout=10) as answer:
                body = answer.read()
            page = RawPage(ref=truth.url, file="press", offset=0, url=truth.url, body=body, outlet=truth.outlet)
            faults = list(differences(truth, clean_page(page, rules=rules)))
            if faults:
                print(truth.outlet, truth.url.split("/", 3)[3], *faults, sep="\n    ")
            if truth.kind != "not_article":
                articles += 1
                whole += not any(f.startswith(("missing", "too much", "lost")) for f in faults)
    print(f"{whole} of {articles} articles have exactly their paragraphs")


if __name__ == "__main__":
    main()
