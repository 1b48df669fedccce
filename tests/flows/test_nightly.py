"""Two nights of the real nightly flow over the invented press on loopback, held against the truth the press knows."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from flows.demo import run_demo
from flows.press.server import Expected, Press
from flows.progress import Silence
from tasks import tables
from tasks.report.summary import Summary
from tasks.settings import Settings

HAS_TEXT = {"article", "copy", "undated", "paywalled"}


class Nights:
    """What two nights left, read back, and the truth of each."""

    def __init__(self, folder: Path) -> None:
        os.environ["NIGHTDESK__ENGINE__RUNNER"] = "inline"
        rules = Settings.load(processed=str(folder / "processed"), raw=str(folder / "raw"))
        del os.environ["NIGHTDESK__ENGINE__RUNNER"]
        self.folder = folder
        self.summaries: list[Summary] = []
        self.truth: list[dict[str, Expected]] = []
        for visit in (1, 2):
            self.summaries.append(run_demo(folder, rules, Silence()))
            with Press(visit=visit, port=_first_port(folder)) as press:
                self.truth.append({e.url: e for e in press.expected()})

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "processed" / name)

    def articles(self, visit: int) -> pd.DataFrame:
        a = self.table("articles")
        return a[a["dt"].astype(str) == str(self.summaries[visit - 1].night)]


def _first_port(folder: Path) -> int:
    import json

    return int(json.loads((folder / "ports.json").read_text(encoding="utf-8"))["first"])


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    return Nights(tmp_path_factory.mktemp("nights"))


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_every_address_of_the_press_has_one_fate(nights: Nights) -> None:
    inputs = nights.table("inputs")
    for i, summary in enumerate(nights.summaries):
        mine = inputs[inputs.run_id == summary.run_id]
        assert mine.ref.is_unique
        assert len(mine) == summary.inputs == sum(summary.fates.values())
        wanted = {u for u, e in nights.truth[i].items() if e.kind in HAS_TEXT}
        assert wanted <= set(mine.url)


def test_fates_are_those_the_press_planned(nights: Nights) -> None:
    inputs = nights.table("inputs")
    mine = inputs[inputs.run_id == nights.summaries[0].run_id].set_index("url")
    for url, expected in nights.truth[0].items():
        if expected.kind == "missing" and url in mine.index:
            assert mine.loc[url, "reason"] == "http_gone"
        elif expected.kind == "disallowed" and url in mine.index:
            assert mine.loc[url, "reason"] == "robots_disallow"
        elif expected.kind == "not_article" and url in mine.index:
            assert mine.loc[url, "fate"] == "skipped", url
        elif expected.kind in ("article", "undated", "paywalled"):
            assert mine.loc[url, "fate"] in ("article", "copy"), url


def test_second_night_brings_only_what_is_new_or_changed(nights: Nights) -> None:
    inputs = nights.table("inputs")
    mine = inputs[inputs.run_id == nights.summaries[1].run_id].set_index("url")
    wanted = {"new": {"article", "copy"}, "body": {"revision"}, "cosmetic": {"unchanged"}, "same": {"unchanged"}}
    for url, expected in nights.truth[1].items():
        if expected.kind in HAS_TEXT:
            assert mine.loc[url, "fate"] in wanted[expected.change], url


def test_changed_article_has_two_revisions_with_one_key(nights: Nights) -> None:
    articles = nights.table("articles")
    for url, expected in nights.truth[1].items():
        if expected.change == "body":
            rows = articles[articles.url == url].sort_values("revision")
            assert list(rows.revision) == [1, 2]
            assert rows.article_key.nunique() == 1
            assert rows.change.iloc[1] in ("body", "minor", "title")


@pytest.mark.parametrize("field", ["text", "title", "published_at"])
def test_articles_say_what_the_press_wrote(nights: Nights, field: str) -> None:
    """Nearly all of them to the letter: one in twenty may keep a stray line."""
    wrong = []
    rows = nights.articles(1)
    for row in rows.itertuples():
        expected = nights.truth[0][row.url]
        if field == "text":
            good = _flat(row.text) == _flat(" ".join(expected.paragraphs)) or expected.kind == "paywalled"
        elif field == "title":
            good = row.title == expected.title
        else:
            at = None if pd.isna(row.published_at) else row.published_at.to_pydatetime()
            good = at == expected.published
        if not good:
            wrong.append(row.url)
    assert len(wrong) <= len(rows) / 20, wrong


def test_wire_copies_share_a_group_and_one_is_the_original(nights: Nights) -> None:
    articles = nights.articles(1).set_index("url")
    pairs = [(u, e.copy_of) for u, e in nights.truth[0].items() if e.copy_of]
    assert pairs
    groups = articles.groupby("copy_group").size()
    assert (groups > 1).any()
    for group in groups[groups > 1].index:
        assert articles[articles.copy_group == group].is_original.sum() == 1


def test_no_date_is_invented(nights: Nights) -> None:
    articles = nights.articles(1).set_index("url")
    undated = [u for u, e in nights.truth[0].items() if e.kind == "undated"]
    assert undated
    assert articles.loc[undated, "published_at"].isna().all()


def _tells(frame: pd.DataFrame, texts: dict[str, str], spans: list[tuple[str, str, str]]) -> None:
    for row in frame.to_dict("records"):
        for column, start, end in spans:
            if row[column] is not None and not pd.isna(row[column]):
                assert texts[row["article_id"]][int(row[start]) : int(row[end])] == row[column]


def test_spans_slice_back_over_both_nights(nights: Nights) -> None:
    texts = dict(nights.table("articles")[["article_id", "text"]].itertuples(index=False))
    quotes = [("text", "start", "end"), ("cue", "cue_start", "cue_end")]
    quotes.append(("speaker_text", "speaker_start", "speaker_end"))
    events = [("evidence", "start", "end"), ("trigger", "trigger_start", "trigger_end")]
    for role in ("actor", "recipient", "place"):
        events.append((f"{role}_text", f"{role}_start", f"{role}_end"))
    _tells(nights.table("quotes"), texts, quotes)
    _tells(nights.table("events"), texts, events)
    for mention in nights.table("sources").explode("mentions").to_dict("records"):
        span: Any = mention["mentions"]
        if isinstance(span, dict):
            assert 0 <= span["start"] < span["end"] <= len(texts[mention["article_id"]])


def test_references_resolve_and_keys_are_unique(nights: Nights) -> None:
    for name in tables.TABLES:
        frame = nights.table(name)
        assert not frame.duplicated(list(tables.KEYS[name])).any(), name
    articles = set(nights.table("articles").article_id)
    quotes, sources, events = (nights.table(t) for t in ("quotes", "sources", "events"))
    for frame in (quotes, sources, events):
        assert set(frame.article_id) <= articles
    known = set(zip(sources.article_id, sources.source_id, strict=True))
    said = quotes[quotes.source_id.notna()]
    assert set(zip(said.article_id, said.source_id, strict=True)) <= known
    assert set(quotes.quote_group.dropna()) == set(nights.table("quote_groups").quote_group)
    assert set(nights.table("articles").story_id.dropna()) == set(nights.table("stories").story_id)


def test_stories_join_what_several_outlets_told(nights: Nights) -> None:
    articles = nights.articles(1).set_index("url")
    told: dict[str, set[str]] = {}
    for url, expected in nights.truth[0].items():
        if expected.story and url in articles.index:
            told.setdefault(expected.story, set()).add(articles.loc[url, "story_id"])
    assert told
    joined = sum(len(ids) == 1 for ids in told.values())
    assert joined >= 0.6 * len(told), told


def test_coverage_and_outlets_know_every_outlet(nights: Nights) -> None:
    domains = {e.outlet for e in nights.truth[0].values()}
    coverage = nights.table("coverage")
    assert set(coverage.outlet) == domains == set(nights.table("outlets").outlet)
    assert coverage.groupby("outlet").size().eq(2).all()
    assert coverage[coverage.night == nights.summaries[0].night].articles.sum() == len(nights.articles(1))


def test_raw_archive_holds_every_fetched_page(nights: Nights) -> None:
    first = nights.articles(1).iloc[0]
    assert (nights.folder / "raw" / first.raw_ref["file"]).is_file()
    warcs = list((nights.folder / "raw").rglob("*.warc.gz"))
    assert warcs
    assert {w.parent.name for w in warcs} == {str(s.night) for s in nights.summaries}


def test_report_of_each_night_is_one_file_without_outside_requests(nights: Nights) -> None:
    for summary in nights.summaries:
        page = Path(summary.report).read_text(encoding="utf-8")
        assert f"<title>nightdesk, night of {summary.night}</title>" in page
        assert "default-src 'none'" in page
        assert "<script" not in page
        assert 'src="http' not in page


def test_events_are_dated_by_their_article(nights: Nights) -> None:
    events = nights.table("events").merge(nights.table("articles")[["article_id", "published_at"]], on="article_id")
    dated = events[events.date_start.notna() & events.published_at.notna()]
    assert len(dated) > 20
    late = [r for r in dated.itertuples() if r.modality in tables.REAL and r.date_start > r.published_at.date()]
    assert len(late) <= len(dated) / 20, [(r.evidence, r.date_start) for r in late]
    assert isinstance(dated.date_start.iloc[0], dt.date)
