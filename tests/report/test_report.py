"""The nightly page shows hostile content harmlessly."""

from __future__ import annotations

import json
from pathlib import Path

from tests.flows.test_ingest import _ingest

HOSTILE = {
    "id": "x",
    "title": "<script>alert(1)</script>",
    "text": "Police arrested 12 people in Lagos on Monday, officials said. “<img src=x onerror=alert(2)> is what we saw,” "
    "said Amina Odhiambo, a spokeswoman.",
    "outlet": '"><script>alert(3)</script>',
    "published_at": "2026-03-03",
}


def test_report_escapes_what_articles_contain(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps(HOSTILE) + "\n", encoding="utf-8")
    _ingest(corpus, "--already-clean", "--out", tmp_path / "out")
    page = (tmp_path / "out" / "reports" / "2026-03-04.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "<img" not in page
