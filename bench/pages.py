"""Article extraction beside four peers, and cleaning of badly scraped text beside leaving it alone."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gold import DATA, OURS, Predictions, Row, read_lines, score
from tasks.clean.page import clean_page
from tasks.clean.text import clean_text
from tasks.scrape.inputs import InputOptions, plan_shards, read_shard
from tasks.scrape.records import RawPage, RawText
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure

PAGES = DATA / "pages" / "dev.warc.gz"
PAGES_GOLD = DATA / "pages" / "dev_gold.jsonl.gz"
MORE = DATA / "pages" / "more.warc.gz"
MORE_GOLD = DATA / "pages" / "more_gold.jsonl.gz"
TEXT_GOLD = DATA / "text" / "dirty_dev.jsonl.gz"
RULES = CleanSettings()
Found = dict[str, Any]


def read_pages(file: Path) -> list[RawPage]:
    """All HTML pages of a WARC, in its order."""
    shards = plan_shards([file], InputOptions(), records=10_000, max_bytes=10**12)
    return [record for shard in shards for record in read_shard(shard) if isinstance(record, RawPage)]


def ours(page: RawPage) -> Found:
    made = clean_page(page, rules=RULES)
    return {} if isinstance(made, Failure) else as_found(made)


def as_found(article: Article) -> Found:
    date = article.published_at.isoformat() if article.published_at else None
    return {"text": article.text, "title": article.title, "authors": article.authors, "date": date}


def by_trafilatura(page: RawPage) -> Found:
    import trafilatura

    doc = trafilatura.bare_extraction(page.body, url=page.url, with_metadata=True)
    if doc is None or isinstance(doc, dict):  # a dictionary only where the caller asks for one
        return {}
    return {"text": doc.text, "title": doc.title, "authors": (doc.author or "").split("; "), "date": doc.date}


def by_newspaper(page: RawPage) -> Found:
    import newspaper

    article = newspaper.Article(page.url or "http://localhost/", fetch_images=False)
    article.download(input_html=page.body)
    try:
        article.parse()
    except (
        newspaper.ArticleException,
        ValueError,
        AttributeError,
        TypeError,
        LookupError,
    ):  # what it was seen to raise
        return {}
    date = str(article.publish_date) if article.publish_date else None
    return {"text": article.text, "title": article.title, "authors": article.authors, "date": date}


def by_readability(page: RawPage) -> Found:
    import lxml.html
    from readability import Document
    from readability.readability import Unparseable

    try:
        doc = Document(page.body)
        tree = lxml.html.fromstring(doc.summary(html_partial=True))
        return {"text": "\n".join(tree.itertext()), "title": doc.short_title()}
    except (Unparseable, lxml.etree.LxmlError, ValueError, UnicodeError):
        return {}


def by_resiliparse(page: RawPage) -> Found:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse(bytes_to_str(page.body, detect_encoding(page.body) or "utf-8"))
    return {"text": extract_plain_text(tree, main_content=True), "title": tree.title}


SYSTEMS: dict[str, Callable[[RawPage], Found]] = {
    OURS: ours,
    "trafilatura": by_trafilatura,
    "newspaper3k": by_newspaper,
    "readability-lxml": by_readability,
    "resiliparse": by_resiliparse,
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system gave for the pages of a WARC, in its order, and what that cost in a process of its own."""

    urls: list[str]
    found: list[Found]
    cpu_seconds: float
    peak_mb: int


def _measure(name: str, file: Path) -> Measured:
    pages = read_pages(file)
    system = SYSTEMS[name]
    system(pages[0])  # imports and tables are loaded outside the clock
    begun = time.process_time()
    found = [system(page) for page in pages]
    spent = time.process_time() - begun
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
    return Measured([p.url or "" for p in pages], found, spent, peak)


def measure(name: str, file: Path) -> Measured:
    """Run one system over a WARC in a fresh process, so that no system pays for another's memory or imports."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, name, file).result()


def run_pages() -> list[Row]:
    """Body, title, date and authors on the pages of the dev set; pages a CPU-second and peak memory over all of them.

    The peak holds the set's pages themselves, the same for every system.
    """
    ids = {g["uri"]: g["id"] for g in read_lines(PAGES_GOLD)}
    rows = []
    for name in SYSTEMS:
        made = measure(name, PAGES)
        predicted = [{"id": ids[url], **one} for url, one in zip(made.urls, made.found, strict=True) if url in ids]
        scores = score("score_pages.py", PAGES_GOLD, Predictions(f"pages-{name}", predicted))
        given = {k for one in made.found for k, v in one.items() if v}
        for set_name, scored in scores.items():
            figures = {k: scored[k] for k in ("f1", "precision", "recall", "glued")}
            figures |= {k: scored.get(k) if k in given else None for k in ("title", "date", "authors")}
            figures["pages/CPU-s"] = round(len(made.urls) / made.cpu_seconds, 2)
            figures["peak MB"] = made.peak_mb
            rows.append(Row(section="pages", set=set_name, system=name, figures=figures))
    return rows


def run_more() -> list[Row]:
    """Strings that must and must not be in the body of the `more` pages: shares held and kept out, over all strings."""
    gold = {g["uri"].strip(): g for g in read_lines(MORE_GOLD)}
    rows = []
    for name in (OURS, "trafilatura", "resiliparse"):  # the two others take minutes and are weaker
        made = measure(name, MORE)
        held = out = wanted = unwanted = 0
        for url, one in zip(made.urls, made.found, strict=True):
            body = _spaced(one.get("text"))
            held += sum(_spaced(s) in body for s in gold[url]["must_hold"])
            out += sum(_spaced(s) not in body for s in gold[url]["must_not_hold"])
            wanted += len(gold[url]["must_hold"])
            unwanted += len(gold[url]["must_not_hold"])
        figures: dict[str, float | None] = {"held": round(held / wanted, 4), "kept out": round(out / unwanted, 4)}
        figures["pages/CPU-s"] = round(len(made.urls) / made.cpu_seconds, 2)
        rows.append(Row(section="more", set="more", system=name, figures=figures))
    return rows


def _spaced(text: str | None) -> str:
    return " ".join((text or "").split())


def run_text() -> list[Row]:
    """Body of badly scraped text, by set."""
    gold = read_lines(TEXT_GOLD)
    begun = time.process_time()
    cleaned = [{"id": g["id"], "text": _cleaned(g, i)} for i, g in enumerate(gold)]
    speed = len(gold) / (time.process_time() - begun)
    rows = []
    for name, predicted in ((OURS, cleaned), ("as it comes", [{"id": g["id"], "text": g["text"]} for g in gold])):
        for set_name, figures in score("score_pages.py", TEXT_GOLD, Predictions(f"text-{name}", predicted)).items():
            shown = {k: figures.get(k) for k in ("f1", "precision", "recall", "glued")}
            shown["texts/CPU-s"] = round(speed, 1) if name == OURS else None
            rows.append(Row(section="text", set=set_name, system=name, figures=shown))
    return rows


def _cleaned(gold: dict[str, Any], number: int) -> str:
    record = RawText(
        ref=f"{TEXT_GOLD.name}#{number}", file=TEXT_GOLD.name, offset=number, text=gold["text"],
        external_id=gold["id"], url=gold.get("url"),
    )  # fmt: skip
    made = clean_text(record, rules=RULES, already_clean=False)
    return "" if isinstance(made, Failure) else made.text
