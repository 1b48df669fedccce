"""The bench's large nights are tables as a night writes them, and the report of the last is made of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from bench.morning import LAST, many_nights
from tasks.publish.store import Store
from tasks.report.nightly import write_report


def test_many_nights_are_made_of_one_and_reported(desk: Path, tmp_path: Path) -> None:
    many_nights(Store.open(desk / "data" / "demo" / "processed"), tmp_path, 200, 2)
    store = Store.open(tmp_path)
    articles = pq.read_table(store.path("articles", LAST), columns=["article_id"])["article_id"].to_pylist()
    assert len(set(articles)) == len(articles) >= 200
    assert set(pq.read_table(store.path("quotes", LAST), columns=["article_id"])["article_id"].to_pylist()) <= set(
        articles
    )
    page = write_report(tmp_path, LAST).read_text(encoding="utf-8")
    assert f"<b>{len(articles)}</b>articles<small>before: {len(articles)}</small>" in page
    assert len(list((tmp_path / "reports" / LAST.isoformat()).glob("*.html"))) > 50
