"""The schemas: dataclasses, Arrow and documentation say the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from tasks import tables
from tasks.publish.catalogue import tables_reference
from tests import rows


@pytest.mark.parametrize("table", list(tables.TABLES))
def test_schema_has_every_field_with_its_meaning(table: str) -> None:
    schema = tables.schema(table)
    assert schema.names == [f.name for f in dataclasses.fields(tables.TABLES[table])]
    assert all(f.metadata[b"meaning"] for f in schema)
    assert schema.metadata[b"nightdesk.schema_version"] == str(tables.SCHEMA_VERSION).encode()


@pytest.mark.parametrize("table", list(tables.TABLES))
def test_keys_are_columns_that_are_never_null(table: str) -> None:
    for key in tables.KEYS[table]:
        assert not tables.schema(table).field(key).nullable


def test_rows_come_back_as_they_went_in() -> None:
    row = rows.article(removed=[tables.Removed(text="Sign up", why="newsletter", after=0)])
    back = tables.to_arrow("articles", [row]).to_pylist()[0]
    assert back == dataclasses.asdict(row)


def test_to_arrow_refuses_a_wrong_type() -> None:
    with pytest.raises((pa.ArrowInvalid, pa.ArrowTypeError)):
        tables.to_arrow("articles", [rows.article(word_count="many")])


def test_make_id_depends_on_every_part_and_its_borders() -> None:
    ids = {tables.make_id("q", "ab", "c"), tables.make_id("q", "a", "bc"), tables.make_id("q", "abc")}
    assert len(ids) == 3
    assert tables.make_id("q", "a", 1) == tables.make_id("q", "a", "1")


def test_shard_report_refuses_lost_inputs() -> None:
    with pytest.raises(ValueError, match="lost inputs"):
        tables.ShardReport(step="clean", shard_id="x", seen=3, used=1, rejected=1)


def test_reference_in_docs_is_the_one_made_from_the_schemas() -> None:
    docs = Path(__file__).parents[1] / "docs" / "tables.md"
    assert docs.read_text(encoding="utf-8") == tables_reference(), "run `make docs`"


COLUMNS = {
    "articles": "article_id external_id url outlet title text authors published_at language copy_group story_id",
    "quotes": "quote_id article_id kind text start end parts cue cue_start cue_end speaker_text speaker_start "
    "speaker_end source_id quote_group confidence",
    "sources": "source_id article_id name kind role affiliation named mentions",
    "events": "event_id article_id type mode evidence start end trigger trigger_start trigger_end actor_text "
    "actor_start actor_end recipient_text recipient_start recipient_end place_text place_name place_country lat lon geonames_id "
    "date_text date_start date_end killed_min killed_max injured_min injured_max arrested_min arrested_max "
    "displaced_min displaced_max modality attributed_to attributed_source_id attributed_quote_id story_id confidence",
    "inputs": "ref url fate step reason detail",
}


@pytest.mark.parametrize("table", list(COLUMNS))
def test_columns_that_others_rely_on_are_there(table: str) -> None:
    assert set(COLUMNS[table].split()) <= set(tables.schema(table).names)
