"""The helper reads what the tables hold: joined, filtered, with dtypes, and with a sentence for every slip."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tasks import load, tables
from tests import small

ONE, TWO = small.NIGHTS


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.make_store(tmp_path_factory.mktemp("load") / "tables").root


def test_quotes_join_article_and_source(root: Path) -> None:
    found = load.quotes(root)
    assert len(found) == 10
    row = found[(found.kind == "direct") & (found["dt"] == pd.Timestamp(TWO)) & (found.role == "minister")].iloc[0]
    assert (row["name"], row.source_kind, row.outlet) == ("Kofi Mensah", "person", "tririvers.example")
    assert row.named
    alone = found[found.source_id.isna()]
    assert len(alone) == 3
    assert alone["name"].isna().all()
    assert alone.outlet.notna().all()


def test_quotes_equal_what_pandas_merges_by_hand(root: Path) -> None:
    plain = pd.read_parquet(root / "quotes")
    articles, sources = pd.read_parquet(root / "articles"), pd.read_parquet(root / "sources")
    by_hand = plain.merge(articles[["article_id", "outlet"]], on="article_id").merge(
        sources[["article_id", "source_id", "name"]], on=["article_id", "source_id"], how="left"
    )
    columns = ["quote_id", "text", "start", "outlet", "name"]
    ours = load.quotes(root)[columns].astype(str).sort_values("quote_id", ignore_index=True)
    assert ours.equals(by_hand[columns].astype(str).sort_values("quote_id", ignore_index=True))


DTYPES = [
    ("quotes", "start", "int64"), ("quotes", "cue_start", "Int64"), ("quotes", "kind", "category"),
    ("quotes", "published_at", "datetime64[us, UTC]"), ("quotes", "dt", "datetime64[s]"), ("quotes", "named", "boolean"),
    ("quotes", "outlet", "category"), ("sources", "named", "bool"), ("events", "killed_min", "Int64"),
    ("events", "date_start", "datetime64[s]"), ("events", "lat", "float64"), ("articles", "is_original", "boolean"),
    ("stories", "n_articles", "int64"), ("inputs", "fate", "category"), ("coverage", "night", "datetime64[s]"),
    ("coverage", "expected", "float64"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "column", "dtype"), DTYPES)
def test_dtypes_when_loaded(root: Path, table: str, column: str, dtype: str) -> None:
    assert str(getattr(load, table)(root)[column].dtype) == dtype


def test_dtypes_are_the_same_when_nothing_is_found(root: Path) -> None:
    for read in (load.quotes, load.sources, load.events, load.articles):
        none: pd.DataFrame = read(root, outlet="silent.example")  # type: ignore[operator]
        assert len(none) == 0
        kinds = read(root).dtypes.astype(str).replace("object", "str")  # type: ignore[operator]
        assert none.dtypes.astype(str).replace("object", "str").equals(kinds)


def test_events_are_those_told_as_having_happened_unless_asked(root: Path) -> None:
    assert set(load.events(root).modality) <= tables.REAL
    assert set(load.events(root, all_modalities=True).modality) == {"asserted", "planned"}
    assert list(load.events(root, all_modalities=True, type="CONSULT").modality) == ["planned"]


def test_copies_and_old_revisions_are_dropped_by_option(root: Path) -> None:
    assert len(load.articles(root)) == 4
    assert set(load.articles(root, copies=False).text) == {small.BLAST, small.EDITED, small.TALKS}
    assert set(load.articles(root, revisions=False).text) == {small.WIRE, small.EDITED, small.TALKS}
    assert list(load.events(root, copies=False, revisions=False).killed_min) == [15]
    assert len(load.quotes(root, copies=False, revisions=False)) == 4
    assert len(load.sources(root, copies=False, revisions=False)) == 3


def test_newest_revision_is_that_of_the_nights_asked_for(root: Path) -> None:
    assert list(load.events(root, night=ONE, copies=False, revisions=False).killed_min) == [12]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({"night": "2026-03-02"}, 6), ({"night": TWO}, 4), ({"nights": (ONE, TWO)}, 10), ({"nights": (None, ONE)}, 6),
        ({"nights": ("2026-03-03", None)}, 4), ({"min_confidence": 0.8}, 4), ({"outlet": "tririvers.example"}, 4),
        ({"outlet": ["tririvers.example", "harbourpost.example"]}, 10), ({"kind": "direct"}, 4),
        ({"language": "fr"}, 0), ({"kind": ["direct", "mixed"], "night": ONE}, 2),
    ],
)  # fmt: skip
def test_quotes_filters(root: Path, options: dict[str, Any], rows: int) -> None:
    assert len(load.quotes(root, **options)) == rows


def test_filters_of_the_other_tables(root: Path) -> None:
    assert set(load.sources(root, named=True)["name"]) == {"Amina Odhiambo", "Kofi Mensah"}
    assert len(load.sources(root, kind="organisation")) == 3
    assert list(load.stories(root, night=TWO).n_articles) == [2]
    assert len(load.stories(root, min_articles=3)) == 0
    assert len(load.coverage(root)) == 4
    assert len(load.coverage(root, usable=True)) == 4
    assert list(load.inputs(root, fate="failed", night=ONE).reason) == ["no_text"]
    assert "text" not in load.articles(root, text=False)


def test_stories_of_an_outlet_are_those_it_told(root: Path) -> None:
    assert len(load.stories(root, outlet="tririvers.example", night=ONE)) == 1
    assert len(load.stories(root, outlet="tririvers.example", night=TWO)) == 0


def _newer(root: Path, tmp_path: Path) -> Path:
    (tmp_path / "datapackage.json").write_text('{"schema_version": 999}')
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"night": "2026-03-09"}, "no night 2026-03-09; it has 2, the newest: 2026-03-02, 2026-03-03"),
        ({"night": "yesterday"}, "YYYY-MM-DD"),
        ({"night": ONE, "nights": (ONE, TWO)}, "not both"),
        ({"nights": (TWO, ONE)}, "ends before it begins"),
        ({"nights": "2026-03-02"}, "pair"),
        ({"outlet": "tririver.example"}, "did you mean 'tririvers.example'"),
        ({"kind": "Direct"}, "did you mean 'direct'"),
        ({"min_confidence": 80}, "from 0 to 1"),
    ],
)
def test_wrong_option_is_one_clear_sentence(root: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(load.LoadError, match=said.replace("(", r"\(")):
        load.quotes(root, **options)


def test_wrong_folder_is_one_clear_sentence(root: Path, tmp_path: Path) -> None:
    for folder, said in (
        (root / "quotes", "give the folder above it"),
        (tmp_path / "nowhere", "no tables at"),
        (tmp_path, "no tables in"),
    ):
        with pytest.raises(load.LoadError, match=said):
            load.quotes(folder)
    with pytest.raises(load.LoadError, match="newer nightdesk"):
        load.quotes(_newer(root, tmp_path))


def test_filters_are_handed_down_when_reading(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []
    plain = load._read

    def watched(scope: load.Scope, table: str, columns: list[str], condition: Any) -> Any:
        seen.append((table, str(condition)))
        return plain(scope, table, columns, condition)

    monkeypatch.setattr(load, "_read", watched)
    load.quotes(root, night=dt.date(2026, 3, 2), min_confidence=0.8, outlet="tririvers.example")
    conditions = dict(seen)
    assert "confidence >= 0.8" in conditions["quotes"]
    assert "article_id" in conditions["quotes"]
    assert any(t == "articles" and "tririvers.example" in c for t, c in seen)
