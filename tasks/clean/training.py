"""Training material of the two models: labelled units of dirty texts and blocks of pages, texts made from pages."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import json
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pycrfsuite
from fastwarc.warc import ArchiveIterator, WarcRecordType
from selectolax.lexbor import LexborHTMLParser

from tasks.clean import metadata
from tasks.clean.agree import similarity, words
from tasks.clean.block_model import block_features
from tasks.clean.blocks import Block, blocks_of, near_prose, outline
from tasks.clean.decode import decode
from tasks.clean.edges import decide, expected_f
from tasks.clean.guard import make_safe
from tasks.clean.identity import outlet_of
from tasks.clean.page_variants import page_variant
from tasks.clean.sequence import marginals
from tasks.clean.structured import Structured, read_structured
from tasks.clean.unit_model import unit_features
from tasks.clean.units import split_units

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled sequence. `group` is its outlet: folds never split one."""

    id: str
    group: str
    texts: list[str]
    rows: list[list[str]]
    labels: list[str]
    source: Any = None

    def tag(self, tagger: Any) -> list[dict[str, float]]:
        return marginals(tagger, self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPage:
    id: str
    url: str
    html: str
    blocks: list[Block]
    near: list[Block]  # those of them that the model judges
    facts: Structured
    title: str | None
    gold: dict[str, Any]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def group_of(row: dict[str, Any]) -> str:
    """Outlet of a row of gold; ids of the fundus set name it where the address does not."""
    if row["id"].startswith("fundus-"):
        return str(row["id"].split("-V")[0])
    return outlet_of(row.get("url") or row.get("uri")) or str(row["id"])


def load_pages(data: Path, name: str = "dev") -> list[LabelledPage]:
    gold = {r["uri"].strip(): r for r in read_jsonl(data / "pages" / f"{name}_gold.jsonl.gz")}
    pages = []
    with (data / "pages" / f"{name}.warc.gz").open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            uri = str(record.headers.get("WARC-Target-URI"))
            html = make_safe(decode(record.reader.read(), record.http_headers.get("Content-Type")) or "") or ""
            tree = LexborHTMLParser(html)
            facts = read_structured(tree)
            runs = outline(tree.body) if tree.body is not None else []
            title = metadata.find_title(facts, outlet_of(uri))
            row = gold[uri.strip()]
            pages.append(
                LabelledPage(
                    id=row.get("id", uri), url=uri, html=html, blocks=blocks_of(runs, range(len(runs))),
                    near=blocks_of(runs, near_prose(runs)), facts=facts, title=title, gold=row,
                )
            )  # fmt: skip
    return pages


def load_texts(data: Path) -> list[dict[str, Any]]:
    return read_jsonl(data / "text" / "dirty_dev.jsonl.gz")


# --------------------------------------------------------------------------- labels


def covered(pieces: list[str], gold: str) -> list[float]:
    """Share of each piece's words that lie in a run of four words which the gold body holds too.

    Runs cross the borders of pieces, so that a short heading between two kept paragraphs counts as kept. Each run of
    the gold is used once: what repeats a sentence of the body further down is no body.
    """
    tokens: list[str] = []
    owner: list[int] = []
    for i, piece in enumerate(pieces):
        found = words(piece)
        tokens += found
        owner += [i] * len(found)
    left = Counter(tuple(g) for g in _grams(words(gold)))
    hit = [False] * len(tokens)
    for k, gram in enumerate(_grams(tokens)):
        if left[gram] > 0:
            left[gram] -= 1
            hit[k : k + 4] = [True] * 4
    total, kept = Counter(owner), Counter(o for o, h in zip(owner, hit, strict=True) if h)
    return [kept[i] / total[i] if total[i] else 0.0 for i in range(len(pieces))]


def _grams(tokens: list[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[k : k + 4]) for k in range(len(tokens) - 3)]


def label(pieces: list[str], gold: dict[str, Any], title: str | None) -> list[str]:
    """B, F, S or T for every piece."""
    body = gold.get("body_alone") or gold["body"]
    in_body = covered(pieces, body)
    in_head = covered(pieces, gold["body"]) if gold.get("body_alone") else [0.0] * len(pieces)
    labels = []
    for piece, b, s in zip(pieces, in_body, in_head, strict=True):
        if b >= 0.6:
            labels.append("B")
        elif s >= 0.6 and "B" not in labels:
            labels.append("S")
        elif title and similarity(piece, title) > 0.75:
            labels.append("T")
        else:
            labels.append("F")
    return labels


# --------------------------------------------------------------------------- examples


def unit_examples(rows: list[dict[str, Any]]) -> list[Example]:
    found = []
    for row in rows:
        units = split_units(row["text"])
        texts = [row["text"][u.start : u.end] for u in units]
        found.append(
            Example(
                id=row["id"], group=group_of(row), texts=texts, rows=unit_features(row["text"], units),
                labels=label(texts, row, row.get("title")), source=(row, units),
            )
        )  # fmt: skip
    return found


def block_examples(pages: list[LabelledPage], *, variants: int = 0) -> list[Example]:
    """Labelled pages, as the model sees them. With `variants` so many variants of every page instead of the page."""
    rng = random.Random(5)
    found = []
    for page in pages:
        labels = label([b.text for b in page.blocks], page.gold, page.title)
        given = (page.near, [labels[b.number] for b in page.near])
        made = [page_variant(*given, rng) for _ in range(variants)]
        for k, (blocks, marked) in enumerate(made or [given]):
            name = f"{page.id}#{k}" if variants else page.id
            found.append(page_example(page, blocks, marked, name, group_of(page.gold)))
    return found


def page_example(page: LabelledPage, blocks: list[Block], labels: list[str], name: str, group: str) -> Example:
    return Example(
        id=name, group=group, texts=[b.text for b in blocks], labels=labels, source=page,
        rows=block_features(blocks, page.title, metadata.find_description(page.facts)),
    )  # fmt: skip


def _sample(rng: random.Random, place: str) -> str:
    samples: list[list[str]] = _samples()[place]
    chosen = rng.choice(samples)
    return ("\n" if rng.random() < 0.7 else " ").join(chosen)


@functools.cache
def _samples() -> dict[str, list[list[str]]]:
    text = Path(__file__).with_name("furniture_samples.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return {k: v for k, v in loaded.items() if k != "about"}


def with_samples(row: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """A text with invented furniture set in: before its first body sentence (often glued to it), inside, and after."""
    text: str = row["text"]
    units = split_units(text)
    labels = label([text[u.start : u.end] for u in units], row, row.get("title"))
    body = [i for i, y in enumerate(labels) if y == "B"]
    if not body:
        return row
    places: list[tuple[int, str]] = []
    if rng.random() < 0.7:
        at = units[body[0]].start
        piece = _sample(rng, "head") + ("" if rng.random() < 0.4 else "\n")
        places.append((at, piece if text[:at].endswith("\n") or at == 0 else "\n" + piece))
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        starts = [units[i].start for i in body[1:] if units[i].join == "line"]
        if starts:
            places.append((rng.choice(starts), _sample(rng, "middle") + ("" if rng.random() < 0.1 else "\n")))
    if rng.random() < 0.6:
        places.append((units[body[-1]].end, ("" if rng.random() < 0.2 else "\n") + _sample(rng, "tail")))
    for at, piece in sorted(places, reverse=True):
        text = text[:at] + piece + text[at:]
    return {**row, "text": text}


def augmented(rows: list[dict[str, Any]], seed: int = 11) -> list[Example]:
    rng = random.Random(seed)
    return unit_examples([with_samples(row, rng) for row in rows])


def dump_examples(pages: list[LabelledPage], variants: int = 2, seed: int = 7) -> list[Example]:
    """Badly scraped texts made from pages: a stretch of blocks around the body, in some with line breaks lost."""
    rng = random.Random(seed)
    found = []
    for page in pages:
        blocks = [b for b in page.blocks if not (b.hidden and rng.random() < 0.7)]
        labels = label([b.text for b in blocks], page.gold, page.title)
        body = [i for i, x in enumerate(labels) if x == "B"]
        if not body:
            continue
        for variant in range(variants):
            first = max(0, body[0] - int(rng.expovariate(1 / 8)) - 2)
            last = min(len(blocks), body[-1] + int(rng.expovariate(1 / 10)) + 2)
            glue = 0.15 if rng.random() < 0.4 else 0.0
            text = ""
            for block in blocks[first:last]:
                text += ("" if not text or rng.random() < glue else "\n") + block.text
            row = {**page.gold, "id": f"{page.id}#{variant}", "title": page.title, "text": text}
            if rng.random() < 0.5:
                row = with_samples(row, rng)
            found += unit_examples([row])
    return found


# --------------------------------------------------------------------------- scores


def fit(examples: Iterable[Example], path: Path, parameters: dict[str, Any]) -> Any:
    """Trains, writes the model, and gives it back."""
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(parameters)
    for example in examples:
        trainer.append(pycrfsuite.ItemSequence(example.rows), example.labels)
    trainer.train(str(path))
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    return tagger


def folds(examples: Iterable[Example]) -> dict[str, int]:
    """The fold of each group: no outlet is in two."""
    return {group: i % FOLDS for i, group in enumerate(sorted({e.group for e in examples}))}


def load_scorer(data: Path) -> Any:
    spec = importlib.util.spec_from_file_location("score_pages", data.parent / "tools" / "score_pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _report(
    examples: list[Example], chances: dict[str, list[dict[str, float]]], gold: dict[str, Any], data: Path
) -> None:
    scorer = load_scorer(data)
    for threshold in (0.3, 0.4, 0.5, 0.6):
        texts = {
            e.id: {"text": "\n".join(t for t, c in zip(e.texts, chances[e.id], strict=True) if c["B"] >= threshold)}
            for e in examples
        }
        for group, row in scorer.score(gold, texts).items():
            print(f"  threshold {threshold} {group:13s} P {row['precision']} R {row['recall']} F1 {row['f1']}")
    oracle = {
        e.id: {"text": "\n".join(t for t, y in zip(e.texts, e.labels, strict=True) if y == "B")} for e in examples
    }
    for group, row in scorer.score(gold, oracle).items():
        print(f"  oracle        {group:13s} P {row['precision']} R {row['recall']} F1 {row['f1']}")


def score_units(examples: list[Example], chances: dict[str, list[dict[str, float]]], data: Path) -> None:
    print("dirty text, unseen outlets:")
    _report(examples, chances, {e.id: e.source[0] for e in examples}, data)


def decided_text(page: LabelledPage, chances: list[dict[str, float]]) -> str:
    keep = expected_f(page.near, chances) / 2
    labels = decide(page.near, chances, page.title, metadata.find_description(page.facts), keep)
    return "\n".join(b.text for b, y in zip(page.near, labels, strict=True) if y == "B")


def score_blocks(examples: list[Example], chances: dict[str, list[dict[str, float]]], data: Path) -> None:
    """Scores by threshold, then of the labels as edges.decide sets them."""
    print("pages, unseen outlets:")
    gold = {e.id: e.source.gold for e in examples}
    _report(examples, chances, gold, data)
    decided = {}
    for e in examples:
        page: LabelledPage = e.source
        decided[e.id] = {"text": decided_text(page, chances[e.id])}
    for group, row in load_scorer(data).score(gold, decided).items():
        print(f"  decided       {group:13s} P {row['precision']} R {row['recall']} F1 {row['f1']}")
