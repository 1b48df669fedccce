"""The local web page: what is found, what is refused, and that nothing in an article or a query can run."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from flows.explore import ExploreError, serve_pages
from tasks.report.explore import _cell, explore_app
from tests.flows.test_cli import _call
from tests.report.ingested import ingested

ROWS = [
    {
        "id": "flood", "outlet": "otter.example", "published_at": "2026-03-03", "title": "Gauge fails at Harl",
        "text": "“We were blind for six hours,” said Ines Calder, who heads the flood office in Harl. Police arrested "
        "two men in Lagos on Monday, officials said.",
    },
    {
        "id": "hostile", "outlet": "otter.example", "published_at": "2026-03-02", "title": "=HYPERLINK(\"http://x\")",
        "text": "“<script>alert(1)</script> is what we saw on the screens of the bank,” said Amina Odhiambo, a manager.",
    },
    {"id": "none", "text": " "},
]  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("explore"), ROWS)


@pytest.fixture(scope="module")
def web(out: Path) -> TestClient:
    return TestClient(explore_app(out), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("/", "Stories told most"),
        ("/quotes", "3 rows"),
        ("/quotes?q=BLIND", "1 row."),
        ("/quotes?speaker=odhiambo&kind=direct", "1 row."),
        ("/quotes?outlet=nowhere.example", "Nothing fits"),
        ("/quotes?since=2026-03-05", "Nothing fits"),
        ("/quotes?confidence=0.01", "3 rows"),
        ("/events?modality=real", "arrested"),
        ("/sources?q=calder", "Ines Calder"),
        ("/articles?words=screens", "1 row."),
        ("/inputs?fate=failed", "none"),
        ("/quotes?page=7", "3 rows"),
        ("/article/flood", "Gauge fails at Harl"),
    ],
)
def test_a_page_shows_what_is_asked_for(web: TestClient, address: str, holds: str) -> None:
    answer = web.get(address)
    assert answer.status_code == 200
    assert holds in answer.text


def test_links_lead_from_a_source_to_its_quote_in_the_article(web: TestClient) -> None:
    source = web.get("/sources?q=calder").text.split('href="/source/')[1].split('"')[0]
    page = web.get(f"/source/{source}").text
    assert "Quotes over time" in page
    article = page.split('href="/article/')[1].split('"')[0]
    assert 'data-of="q0' in web.get(f"/article/{article}").text


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/quotes?confidence=high", 400, "is not a number"),
        ("/quotes?since=yesterday", 400, "YYYY-MM-DD"),
        ("/events?type=WAR", 400, "is none of"),
        ("/nothing", 404, "There is no page"),
        ("/source/s-nobody", 404, "know no source"),
        ("/story/st-none", 404, "know no story"),
        ("/article/nothing", 404, "know nothing of"),
        ("/download/quotes.exe", 404, "Downloads are"),
    ],
)
def test_what_cannot_be_shown_is_said(web: TestClient, address: str, status: int, says: str) -> None:
    answer = web.get(address)
    assert answer.status_code == status
    assert says in answer.text


@pytest.mark.parametrize("value", ["' or 1=1 --", "'); drop view quotes; --", "%", "\\", '"', "$q", "\x00"])
def test_a_query_is_never_part_of_sql(web: TestClient, value: str) -> None:
    for name in ("q", "speaker", "outlet"):
        answer = web.get("/quotes", params={name: value})
        assert answer.status_code == 200
        assert "Nothing fits" in answer.text


def test_content_of_articles_cannot_run(web: TestClient) -> None:
    for address in ("/", "/quotes", "/articles", "/article/hostile"):
        answer = web.get(address)
        assert "<script>alert" not in answer.text
        assert "script-src 'sha256-" in answer.headers["content-security-policy"]


def test_only_loopback_names_are_answered_and_only_reading(out: Path, web: TestClient) -> None:
    assert web.get("/", headers={"host": "evil.example"}).status_code == 400
    assert web.post("/quotes").status_code == 405


@pytest.mark.parametrize(
    ("value", "cell"),
    [("＝1+1", "'＝1+1"), ("'=1", "''=1"), ("-3.5", "-3.5"), (["-a", "b"], "'-a; b"), (None, None), (7, 7)],
)
def test_cells_of_a_download_are_harmless_as_those_of_an_export(value: object, cell: object) -> None:
    assert _cell(value) == cell


def test_downloads_hold_what_is_shown(web: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(web.get("/download/articles.csv").text)))
    assert {r["external_id"] for r in rows} == {"flood", "hostile"}
    assert next(r for r in rows if r["external_id"] == "hostile")["title"].startswith("'=")
    found = pq.read_table(io.BytesIO(web.get("/download/quotes.parquet?q=blind").content))
    assert found.num_rows == 1
    assert pq.read_table(io.BytesIO(web.get("/download/quotes.parquet?q=zzz").content)).num_rows == 0


def test_explore_says_what_is_wrong(out: Path, tmp_path: Path) -> None:
    assert "no tables at" in _call("explore", "--out", tmp_path / "no", code=2).output
    assert "no tables at" in _call("serve-ui", "--out", tmp_path / "no", code=2).output
    assert "is no address" in _call("explore", "--out", out, "--host", "my.host", code=2).output
    with pytest.raises(ExploreError, match="cannot listen"):
        serve_pages(out, "203.0.113.1", 1, lambda line: None)
