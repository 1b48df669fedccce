"""The table of utterances over several outlets, within one night and across nights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tests.flows.test_cli import _call

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
SAID = "The harbour wall will be finished before the first storms of winter arrive"
WIRE = (
    "PORT SELLA (AP) — The council of Port Sella voted on Monday for a new wall around its old harbour, after three floods in "
    "two winters that drove four hundred families from their homes.\n"
    f'"{SAID}, and nobody will have to leave again," Mayor Lena Odum told reporters after the vote.\n'
    "The wall costs ninety million crowns, a third of which the region pays. The fishermen have asked for a second gate.\n"
    "Work begins in May with the eastern pier, which was built a century ago and leans towards the sea.\n"
)
OWN = (
    "Ostra Courier was in the council hall when the vote was counted, twelve to nine, and the applause was thin.\n"
    'Lena Odum, the mayor, promised that it would be done "before the first storms of winter arrive."\n'
    "Her critics said that the pumps matter more than stones and that the money is lent, not given."
)
NEXT = (
    "Two days after the vote the builders have come to look at the eastern pier, and the tavern is full.\n"
    f'"{SAID}," Mayor Lena Odum said on Monday.'
)


def _ingest(folder: Path, night: str, *articles: dict[str, str]) -> None:
    corpus = folder / f"{night}.jsonl"
    corpus.write_text("\n".join(map(json.dumps, articles)), encoding="utf-8")
    _call("ingest", corpus, "--already-clean", "--out", folder / "out", "--night", night, env=INLINE)


def _article(key: str, outlet: str, published_at: str, text: str) -> dict[str, str]:
    return {"id": key, "outlet": outlet, "published_at": published_at, "text": text}


def _group(out: Path) -> Any:
    """The row of the one utterance that names the storms."""
    groups = pd.read_parquet(out / "quote_groups")
    found = groups[groups.text.str.contains("storms of winter")]
    assert len(found) == 1
    return found.iloc[0]


def test_an_utterance_of_many_outlets_is_one_row_with_copies_counted_once(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _ingest(
        tmp_path,
        "2026-03-02",
        _article("copy", "tririvers.example", "2026-03-02T19:00:00Z", WIRE),
        _article("first", "harbourpost.example", "2026-03-02T17:00:00Z", WIRE),
        _article("own", "ostracourier.example", "2026-03-02T18:00:00Z", OWN),
    )
    row = _group(out)
    assert (row.n_articles, row.n_independent, row.first_outlet) == (3, 2, "harbourpost.example")
    assert row.text.startswith(f'"{SAID}, and nobody')
    assert len(row.variants) == 1
    assert row.text not in row.variants
    assert "Odum" in pd.read_parquet(out / "source_index").set_index("source_id").loc[row.source_id, "name"]

    _ingest(tmp_path, "2026-03-04", _article("next", "sellatoday.example", "2026-03-04T08:00:00Z", NEXT))
    later = _group(out)
    assert later.quote_group == row.quote_group
    assert (later.n_articles, later.n_independent, later.first_outlet) == (4, 3, "harbourpost.example")
    assert len(later.variants) == 2


def test_a_changed_article_is_no_second_voice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    place = {"url": "https://ostracourier.example/vote"}
    _ingest(tmp_path, "2026-03-02", _article("own", "ostracourier.example", "2026-03-02T18:00:00Z", OWN) | place)
    changed = (
        OWN.replace("twelve to nine", "thirteen to eight")
        + "\nThe vote was counted twice on the request of the region's harbour office."
    )
    _ingest(tmp_path, "2026-03-03", _article("own", "ostracourier.example", "2026-03-02T18:00:00Z", changed) | place)
    articles = pd.read_parquet(out / "articles")
    assert list(articles.revision.sort_values()) == [1, 2]
    row = _group(out)
    assert (row.n_articles, row.n_independent) == (1, 1)
