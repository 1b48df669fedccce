"""The nightly page shows hostile content harmlessly."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.flows.test_cli import _call
from tests.flows.test_ingest import _ingest

INLINE = {"NIGHTDESK__ENGINE__RUNNER": "inline"}

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
    assert "&lt;script" in page
    assert "<script" not in page
    assert "<img" not in page


def test_a_second_night_is_compared_with_the_first_and_shows_edited_quotes(tmp_path: Path) -> None:
    corpus, out = tmp_path / "corpus.jsonl", tmp_path / "out"
    text = "“We were blind for {} hours,” said Ines Calder, who heads the flood office in Harl. The mill was shut."
    for night, hours in (("2026-03-04", "six"), ("2026-03-05", "nine")):
        row = {"id": "a", "title": "Gauge fails", "text": text.format(hours), "outlet": "otter.example"}
        corpus.write_text(json.dumps(row) + "\n", encoding="utf-8")
        _call("ingest", corpus, "--already-clean", "--out", out, "--night", night, env=INLINE)
    reports = out / "reports"
    first = (reports / "2026-03-04.html").read_text(encoding="utf-8")
    page = (reports / "2026-03-05.html").read_text(encoding="utf-8")
    assert "Edited quotes" not in first
    assert "<del>“We were blind for six hours,”</del>" in page
    assert "<ins>“We were blind for nine hours,”</ins>" in page
    assert "<b>1</b>changed<small>before: 0</small>" in page
    assert "<small>before:" not in first
    assert 'the night before: <a href="2026-03-04.html">' in page
    assert "no night in the 30 days before" in first
    assert "Inputs of the last nights" in page
    assert "Inputs of the last nights" not in first
    leads = set(re.findall(r'href="(2026-03-05/[^"#]+)[#"]', page))
    assert leads
    for lead in leads:
        reader = (reports / lead).read_text(encoding="utf-8")
        assert "before</th>" in reader
        assert 'href="../2026-03-05.html"' in reader
    index = (reports / "index.html").read_text(encoding="utf-8")
    assert 'href="2026-03-04.html"' in index
    assert 'href="2026-03-05.html"' in index


def test_the_pages_ask_for_nothing_from_outside(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps(HOSTILE) + "\n", encoding="utf-8")
    _ingest(corpus, "--already-clean", "--out", tmp_path / "out")
    for file in (tmp_path / "out" / "reports").rglob("*.html"):
        asked = re.findall(r'(?:src|href|action)="([^"#]*)', file.read_text(encoding="utf-8"))
        assert not [a for a in asked if "//" in a or a.startswith("/")]
