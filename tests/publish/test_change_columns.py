"""quotes.change, events.change and articles.gone tell what `nightdesk diff` tells."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tasks import load
from tests.flows.test_cli import _call

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline"}
PARAGRAPHS = (
    "Police in Lagos arrested 12 people on Monday after a march over fuel prices.",
    "“We will not be silenced by anybody in this town,” said Amina Odhiambo, a spokeswoman for the union.",
    "“The river has not been so high in years,” said Musa Bello, a trader.",
    "Gunmen killed two soldiers near Gao on Sunday, officials said.",
)
FIRST = "\n".join(PARAGRAPHS)
SECOND = "\n".join(
    (
        PARAGRAPHS[0].replace("12", "15"),
        PARAGRAPHS[1].replace("this town", "this country"),
        PARAGRAPHS[3],
        "“Nobody warned us of what was coming down the hill,” said Ana Ruiz, a teacher.",
    )
)


def _corpus(folder: Path, *texts: str) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.jsonl"
    rows = [
        {"id": "doc", "text": t, "outlet": "otter.example", "published_at": f"2026-03-0{i + 1}"}
        for i, t in enumerate(texts)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["nights", "one night", "one run"])
def out(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("change")
    runs = [[FIRST, SECOND]] if request.param == "one run" else [[FIRST], [SECOND]]
    for i, texts in enumerate(runs):
        night = "2026-03-05" if request.param == "one night" else f"2026-03-0{4 + i}"
        _call("ingest", _corpus(folder, *texts), "--out", folder / "out", "--night", night, env=INLINE)
    return folder / "out"


def test_a_revision_says_what_of_it_is_new_altered_and_gone(out: Path) -> None:
    articles = load.articles(out).set_index("revision")
    assert sorted(articles.index) == [1, 2]
    first, second = articles.loc[1], articles.loc[2]
    quotes, events = load.quotes(out), load.events(out, all_modalities=True)
    assert quotes[quotes.article_id == first.article_id].change.isna().all()
    assert first.gone is None
    new = quotes[quotes.article_id == second.article_id]
    how = {t: set(new[new.text.str.contains(t)].change) for t in ("silenced", "Nobody warned")}
    assert how == {"silenced": {"altered"}, "Nobody warned": {"added"}}
    gone = quotes[quotes.quote_id.isin(second.gone)]
    assert gone.text.str.contains("river").all()
    assert len(gone)
    told = events[events.article_id == second.article_id]
    arrests = told[told.evidence.str.contains("arrested")]
    assert set(arrests.change) == {"altered"}
    assert "same" in set(told.change)


def test_the_columns_agree_with_diff(out: Path) -> None:
    (step,) = json.loads(_call("diff", "doc", "--out", out, "--json").stdout)
    for table, key in (("quotes", "quote_id"), ("events", "event_id")):
        rows = pd.read_parquet(out / table).set_index(key)
        rows = rows[rows.article_id == step["new_article_id"]]
        said = {r[key]: r["change"] for r in step[table] if r["change"] != "removed"}
        assert {k: v for k, v in rows.change.items() if v != "same"} == said
    gone = pd.read_parquet(out / "articles").set_index("article_id").gone[step["new_article_id"]]
    removed = [r for t in ("quotes", "events") for r in step[t] if r["change"] == "removed"]
    assert sorted(gone) == sorted(r.get("quote_id") or r["event_id"] for r in removed)


def test_a_night_of_format_2_is_followed_by_a_revision(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _call("ingest", _corpus(tmp_path, FIRST), "--out", out, "--night", "2026-03-04", env=INLINE)
    for table, columns in {"articles": ["gone"], "quotes": ["change"], "events": ["change"]}.items():
        (file,) = (out / table).rglob("*.parquet")
        pq.write_table(pq.ParquetFile(file).read().drop_columns(columns), file)
    _call("ingest", _corpus(tmp_path, SECOND), "--out", out, "--night", "2026-03-05", env=INLINE)
    quotes = load.quotes(out)
    assert quotes[quotes.dt == "2026-03-04"].change.isna().all()
    assert {"altered", "added"} <= set(quotes[quotes.dt == "2026-03-05"].change)
