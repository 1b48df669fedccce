"""Expected tables of the golden inputs: how they are read, and how they are written anew."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from tasks import tables
from tasks.clean.page import clean_page
from tasks.clean.text import clean_text
from tasks.extract.checks import check_article
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.scrape.inputs import InputOptions, plan_shards, read_shard
from tasks.scrape.records import RawPage, RawText
from tasks.settings import CleanSettings, ExtractSettings

HERE = Path(__file__).parent
INPUTS = sorted(p for p in HERE.iterdir() if p.suffix in (".html", ".txt"))

ARTICLE = "title standfirst authors published_at published_precision language access canonical_url text".split()
QUOTE = "kind text cue speaker_text resolved_by stance".split()
SOURCE = "name kind named role affiliation".split()
EVENT = (
    "type mode evidence trigger actor_text recipient_text place_name place_country date_start killed_min killed_max "
    "injured_min injured_max arrested_min arrested_max modality attributed_to"
).split()


def made(path: Path) -> dict[str, Any]:
    """What nightdesk makes of a golden input now, without ids and confidences."""
    (shard,) = plan_shards([path], InputOptions(published="2026-05-08"), records=10, max_bytes=10**6)
    (record,) = read_shard(shard)
    if isinstance(record, RawPage):
        article = clean_page(record, rules=CleanSettings())
    else:
        assert isinstance(record, RawText)
        article = clean_text(record, rules=CleanSettings(), already_clean=False)
    assert isinstance(article, tables.Article), article
    doc = parse(load_model(ExtractSettings().model), article.text)
    quotes, sources = find_quotes(doc, article)
    events = find_events(doc, article, quotes, sources)
    check_article(quotes, sources, events, article.text)
    kept = {"article": (ARTICLE, [article]), "quotes": (QUOTE, quotes), "sources": (SOURCE, sources)}
    out: dict[str, Any] = {}
    for name, (columns, rows) in {**kept, "events": (EVENT, events)}.items():
        out[name] = [{k: v for k, v in dataclasses.asdict(r).items() if k in columns and v is not None} for r in rows]
    out["removed"] = [r.text for r in article.removed]
    plain: dict[str, Any] = json.loads(json.dumps(out, default=str))
    return plain


def expected(path: Path) -> dict[str, Any]:
    wanted: dict[str, Any] = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return wanted


if __name__ == "__main__":
    for source in INPUTS:
        if len(sys.argv) == 1 or source.stem in sys.argv[1:]:
            text = json.dumps(made(source), indent=1, ensure_ascii=False)
            source.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
