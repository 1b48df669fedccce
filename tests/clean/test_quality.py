"""Floors on the dev data. They are in-sample for the shipped models: a fall shows a broken step, not a weak one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.clean.text import clean_text
from tasks.clean.training import load_texts
from tasks.scrape.records import RawText
from tasks.settings import CleanSettings
from tasks.tables import Article

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SEED = DATA.parent / "seed" / "independent-2016-10-29.txt"


def need(path: Path) -> Path:
    if not path.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{path} is missing, and this is CI")
        pytest.skip(f"{path} is not there: the shared data are not part of the project")
    return path


def test_clean_text_reaches_its_floor_when_the_texts_are_badly_scraped() -> None:
    from tasks.clean.training import load_scorer

    need(DATA / "text" / "dirty_dev.jsonl.gz")
    gold = {row["id"]: row for row in load_texts(DATA)}
    found = {}
    for i, row in gold.items():
        record = RawText(ref=i, file="dirty", offset=0, text=row["text"], title_in_text=False)
        answer = clean_text(record, rules=CleanSettings(), already_clean=False)
        assert isinstance(answer, Article)
        found[i] = {"text": answer.text}
    scores = load_scorer(DATA).score(gold, found)
    # 0.99 was reached in-sample by a model that had 0.924 / 0.950 on outlets it had not seen; this one has 0.944 / 0.962
    # there, and fits the 93 texts less since it learns from 800 pages more
    assert scores["aeb"]["f1"] >= 0.955
    assert scores["fundus-en"]["f1"] >= 0.965
    assert scores["aeb"]["glued"] == scores["fundus-en"]["glued"] == 0


def test_clean_text_finds_the_twelve_paragraphs_of_the_seed() -> None:
    raw = need(SEED).read_text(encoding="utf-8")
    record = RawText(ref="seed", file="seed", offset=0, text=raw, published_given="2016-10-29")
    found = clean_text(record, rules=CleanSettings(), already_clean=False)
    assert isinstance(found, Article)
    assert (found.title, found.standfirst) == tuple(raw.split("\n")[:2])
    assert found.text.count("\n") == 11
    assert found.text in raw
    assert {"appeal", "subscription", "comments"} <= {r.why for r in found.removed}
