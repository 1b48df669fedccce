"""Exports: what is in them, what is not, and that others can read them."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks import tables
from tasks.extract.events import lexicon
from tasks.extract.events.ontology import load_ontology
from tasks.publish import cells, export, gdelt
from tasks.publish.export import ExportError, Format, Request
from tasks.publish.figures import Figure, bench_figures
from tests import rows, small

AT = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.make_store(tmp_path_factory.mktemp("export") / "tables").root


def _export(root: Path, to: Path, format: Format, **more: Any) -> Path:
    export.export(Request(root=root, to=to, format=format, made_at=AT, **more))
    return to


# --------------------------------------------------------------------------- cells


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"), ("+1 (555) 0100", "'+1 (555) 0100"), ("-1+2", "'-1+2"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("\n=1", "'\n=1"), ("＝1+1", "'＝1+1"), ("- We will, she said", "'- We will, she said"),
        ("-5", "-5"), ("+3.5e-2", "+3.5e-2"), ("plain", "plain"), ("a=b", "a=b"), ("", ""), ("'tis", "'tis"),
        ("'=1", "''=1"), ("''@x", "'''@x"), ("- 5", "'- 5"), ("-5\n", "'-5\n"),
    ],
)  # fmt: skip
def test_cell_is_no_formula_and_the_text_comes_back(text: str, cell: str) -> None:
    assert cells.guarded(text) == cell
    assert cells.unguarded(cell) == text


def test_cells_of_every_kind() -> None:
    moment = dt.datetime(2026, 3, 2, 6, 0, 0, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    cases: list[tuple[Any, str]] = [
        (None, ""), (True, "true"), (-3, "-3"), (float("nan"), ""), (-0.5, "-0.5"), (1e-7, "1e-07"), ("", '""'),
        (moment, "2026-03-02T04:00:00.000005Z"), (dt.date(2026, 3, 2), "2026-03-02"), ([], '"[]"'),
        ([{"start": 1}], '"[{""start"":1}]"'), (["=a"], '"[""=a""]"'), ("=a", '"\'=a"'), ('a "b",\n', '"a ""b"",\n"'),
    ]  # fmt: skip
    assert [cells.cell(v) for v, _ in cases] == [c for _, c in cases]


def test_csv_reads_back_in_pandas_polars_and_duckdb(root: Path, tmp_path: Path) -> None:
    import duckdb

    pl = pytest.importorskip("polars")
    file = _export(root, tmp_path / "x", "csv", chosen=("events",)) / "events.csv"
    by_duckdb = duckdb.sql(f"select killed_min, trigger_start, mode, date_start from '{file}'").df()
    by_polars = pl.read_csv(file, try_parse_dates=True)
    by_pandas = pd.read_csv(file)
    for frame in (by_duckdb, by_polars.to_pandas(), by_pandas):
        assert frame.killed_min.dropna().tolist() == [12, 12, 15]
        assert frame["mode"].isna().all()
        assert pd.to_datetime(frame.date_start).max() == pd.Timestamp(small.NIGHTS[0])


# --------------------------------------------------------------------------- formats


def test_csv_gives_back_the_tables(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "csv")
    for table in tables.TABLES:
        frame = pd.read_csv(to / f"{table}.csv", keep_default_na=False, dtype=str)
        there = pd.read_parquet(root / table)
        assert len(frame) == len(there), table
        assert list(frame.columns) == [*export.columns(table, without_text=False), "dt"], table
    articles = pd.read_csv(to / "articles.csv", keep_default_na=False, dtype=str)
    texts = {cells.unguarded(t) for t in articles.text}
    assert texts == {small.BLAST, small.WIRE, small.EDITED, small.TALKS}
    assert json.loads(articles.set_index("text").authors[small.TALKS]) == ["@sum(1)", "B"]


def test_csv_holds_no_cell_that_a_spreadsheet_would_run(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "csv")
    seen = 0
    for file in to.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as handle:
            for line in csv.reader(handle):
                for value in line:
                    harmless = not value.startswith(("=", "+", "-", "@", "\t", "\r")) or cells._NUMBER.fullmatch(value)
                    assert harmless, (file.name, value)
                    seen += value.startswith("'")
    assert seen >= 4  # the title of the copy, its story's or quote's text, two details of inputs


def test_recipe_of_the_card_gives_the_texts_back(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = _export(root, tmp_path / "x", "csv")
    code = (to / "README.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(to)
    names: dict[str, Any] = {}
    exec(compile(code.replace("quotes.csv", "articles.csv"), "card", "exec"), names)
    assert small.HOSTILE in set(names["frame"].title)


def test_jsonl_keeps_nulls_and_lists(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "jsonl", chosen=("articles", "runs"))
    found = [json.loads(line) for line in (to / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    talks = next(a for a in found if a["text"] == small.TALKS)
    assert talks["published_at"] is None
    assert talks["authors"] == ["@sum(1)", "B"]
    assert talks["dt"] == "2026-03-03"
    assert next(a for a in found if a["text"] == small.BLAST)["published_at"] == "2026-03-02T06:00:00Z"
    assert not (to / "quotes.jsonl").exists()


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("without_text", [False, True])
def test_frictionless_finds_no_fault_in_an_export(
    root: Path, tmp_path: Path, format: Format, without_text: bool
) -> None:
    frictionless = pytest.importorskip("frictionless")
    to = _export(root, tmp_path / "x", format, without_text=without_text)
    report = frictionless.validate(str(to / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])[:5]
    assert len(report.tasks) == len(tables.TABLES)


def test_frictionless_finds_no_fault_in_the_tables(root: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    report = frictionless.validate(str(root / "datapackage.json"))
    assert report.valid, report.flatten(["name", "rowNumber", "fieldName", "type", "note"])[:5]
    counted = {t.name: t.stats["rows"] for t in report.tasks}
    assert counted["articles"] == 4  # of both nights
    assert len(counted) == len(tables.TABLES)


def test_frictionless_finds_a_fault_that_is_there(root: Path, tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    to = _export(root, tmp_path / "x", "csv", chosen=("coverage",))
    lines = (to / "coverage.csv").read_text(encoding="utf-8").replace("true", "perhaps")
    (to / "coverage.csv").write_text(lines, encoding="utf-8")
    assert not frictionless.validate(str(to / "datapackage.json")).valid


def test_croissant_describes_every_column_of_every_file(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "croissant")
    found = json.loads((to / "croissant.json").read_text(encoding="utf-8"))
    assert found["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {d["@id"]: d for d in found["distribution"]}
    for record_set in found["recordSet"]:
        table = record_set["@id"]
        assert export._file(to / f"{table}.parquet", table, 0).sha256 == files[f"{table}.parquet"]["sha256"]
        described = [f["source"]["extract"]["column"] for f in record_set["field"]]
        assert described == pq.read_schema(to / f"{table}.parquet").names
        for field in record_set["field"]:
            assert ("dataType" in field) != ("subField" in field)
    fields = {f["@id"] for r in found["recordSet"] for f in r["field"]}
    pointed = [f["references"]["field"]["@id"] for r in found["recordSet"] for f in r["field"] if "references" in f]
    assert set(pointed) <= fields
    assert "articles/article_id" in pointed


def test_parquet_of_croissant_keeps_types(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "croissant", chosen=("events",))
    schema = pq.read_schema(to / "events.parquet")
    for field in tables.schema("events"):
        assert schema.field(field.name).type == field.type


# --------------------------------------------------------------------------- GDELT


def _gdelt(root: Path, to: Path, **more: Any) -> pd.DataFrame:
    _export(root, to, "gdelt", **more)
    return pd.read_csv(to / gdelt.FILE, sep="\t", dtype=str, quoting=csv.QUOTE_NONE, keep_default_na=False)


def test_gdelt_has_its_61_columns_first_and_only_what_happened(root: Path, tmp_path: Path) -> None:
    found = _gdelt(root, tmp_path / "x")
    assert len(gdelt.COLUMNS) == 61
    assert tuple(found.columns) == (*gdelt.COLUMNS, *gdelt.OURS)
    assert len(found) == 3  # the planned talks are no event
    assert found.GLOBALEVENTID.astype("int64").is_unique
    row = found.iloc[0]
    assert (row.SQLDATE, row.MonthYear, row.Year) == ("20260302", "202603", "2026")
    assert (row.EventCode, row.EventRootCode, row.QuadClass, row.GoldsteinScale) == ("180", "18", "4", "-9.0")
    assert (row.Actor1Name, row.Actor1Type1Code, row.Actor2Name) == ("GUNMEN", "REB", "12 PEOPLE")
    assert (row.ActionGeo_Fullname, row.ActionGeo_CountryCode, row.ActionGeo_Type) == ("Lagos", "NGA", "4")
    assert (row.DATEADDED, row.ActionGeo_FeatureID, row.geonames_id) == ("20260302060000", "", "2332459")


def test_gdelt_names_no_actor_when_without_text(root: Path, tmp_path: Path) -> None:
    found = _gdelt(root, tmp_path / "x", without_text=True)
    assert set(found.Actor1Name) == {""}
    assert set(found.Actor1Type1Code) == {"REB"}
    assert "Actor1Name" in (tmp_path / "x" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("type_", "mode", "code", "quad"),
    [
        ("ASSAULT", "firearms", "193", 4), ("ASSAULT", "primitive", "180", 4), ("ASSAULT", None, "180", 4),
        ("COERCE", "curfew", "1723", 4), ("AGREE", None, "030", 1), ("CONCEDE", None, "080", 2),
        ("REQUEST", None, "100", 3), ("SANCTION", "expel", "166", 4), ("RETREAT", "ceasefire", "0871", 2),
    ],
)  # fmt: skip
def test_gdelt_codes(type_: str, mode: str | None, code: str, quad: int) -> None:
    assert gdelt.event_code(type_, mode) == code
    assert gdelt.quad_class(code) == quad


def test_gdelt_has_a_code_for_every_type_and_no_mode_that_is_not_ours() -> None:
    from typing import get_args

    types = set(get_args(tables.EventType))
    assert {t for t, m in gdelt.cameo() if m == "-"} == types
    ours = {(r.type, r.mode) for found in load_ontology().rules.values() for r in found if r.mode}
    written = (lexicon.DATA / "plover" / "lexicon.tsv").read_text(encoding="utf-8")
    unknown = {(t, m) for t, m in gdelt.cameo() if m != "-" and (t, m) not in ours and f"{t}/{m}" not in written}
    assert not unknown - {("SANCTION", "convict"), ("COERCE", "arrest")}


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("day", {"Year": 2026, "MonthYear": "202603", "SQLDATE": "20260302", "FractionDate": 2026.2521}),
        ("month", {"Year": 2026, "MonthYear": "202603"}),
        ("year", {"Year": 2026}),
    ],
)
def test_gdelt_dates_are_as_exact_as_the_text(precision: str, expected: dict[str, Any]) -> None:
    assert gdelt._days(rows.NIGHT, precision) == expected
    assert gdelt._days(None, None) == {}


# --------------------------------------------------------------------------- the edition without texts


def test_every_column_is_kept_or_left_out_on_purpose() -> None:
    editions = export._editions()
    for table in tables.TABLES:
        sorts = [editions[k].get(table, []) for k in ("kept", "left_out", "never")]
        named = [c for found in sorts for c in found]
        assert len(named) == len(set(named)), table
        assert set(named) == set(tables.schema(table).names), (
            f"{table}: say in text_free.toml what becomes of a new column"
        )


@pytest.mark.parametrize("format", ["csv", "jsonl", "croissant", "gdelt"])
def test_no_words_of_an_article_are_in_the_edition_without_texts(root: Path, tmp_path: Path, format: Format) -> None:
    to = _export(root, tmp_path / "x", format, without_text=True)
    words = [
        "Gunmen",
        "GUNMEN",
        "killed 12",
        "We will rebuild",
        "=1+1 is two",
        "will meet",
        "HYPERLINK",
        "Blast",
        "not a page",
    ]
    words += ['"police"', "12 people", "s3cret", "/home/x"]
    for file in to.iterdir():
        body = pd.read_parquet(file).to_json() if file.suffix == ".parquet" else file.read_text(encoding="utf-8")
        for word in words:
            assert word not in body, (file.name, word)
    if format in ("csv", "jsonl"):
        assert "Amina Odhiambo" in (to / f"sources.{format}").read_text(encoding="utf-8")


def test_settings_with_their_passwords_are_in_no_export(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "jsonl")
    assert all("s3cret" not in f.read_text(encoding="utf-8") for f in to.iterdir())


def test_spans_of_the_edition_without_texts_give_the_words_back(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "jsonl", without_text=True)
    texts = pd.read_parquet(root / "articles").set_index("article_id").text
    full = pd.read_parquet(root / "quotes").set_index("quote_id").text
    for line in (to / "quotes.jsonl").read_text(encoding="utf-8").splitlines():
        q = json.loads(line)
        assert texts[q["article_id"]][q["start"] : q["end"]] == full[q["quote_id"]]


# --------------------------------------------------------------------------- the folder


def test_one_night_is_that_night(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "jsonl", night=small.NIGHTS[1])
    found = [json.loads(line) for line in (to / "articles.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {a["text"] for a in found} == {small.TALKS, small.EDITED}
    card = (to / "README.md").read_text(encoding="utf-8")
    assert "1 night, 2026-03-03." in card


def test_export_is_the_same_twice(root: Path, tmp_path: Path) -> None:
    one, two = (_export(root, tmp_path / n, "csv", figures=()) for n in ("a", "b"))
    assert {f.name: f.read_bytes() for f in one.iterdir()} == {f.name: f.read_bytes() for f in two.iterdir()}


def test_batches_change_nothing(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _export(root, tmp_path / "whole", "jsonl")
    monkeypatch.setattr(export, "BATCH_ROWS", 1)
    pieces = _export(root, tmp_path / "pieces", "jsonl")
    assert (whole / "quotes.jsonl").read_bytes() == (pieces / "quotes.jsonl").read_bytes()


def test_folder_appears_whole_or_not_at_all(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(export, "card", broken)
        with pytest.raises(OSError, match="No space"):
            _export(root, tmp_path / "x", "csv")
    assert list(tmp_path.iterdir()) == []
    to = _export(root, tmp_path / "x", "csv")
    assert to.stat().st_mode & 0o777 == 0o755


def test_the_folder_one_stands_in_can_be_the_place_if_it_is_empty(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    _export(root, Path(), "csv", chosen=("runs",))
    assert (tmp_path / "here" / "runs.csv").is_file()


def test_force_replaces_an_earlier_export_and_nothing_else(root: Path, tmp_path: Path) -> None:
    to = _export(root, tmp_path / "x", "csv")
    with pytest.raises(ExportError, match="not empty"):
        _export(root, to, "jsonl")
    _export(root, to, "jsonl", force=True)
    assert not list(to.glob("*.csv"))
    (to / "mine.txt").write_text("my own notes")
    with pytest.raises(ExportError, match="something else"):
        _export(root, to, "csv", force=True)
    assert (to / "mine.txt").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("place", ["", "quotes", "deep/er", ".."])
def test_tables_themselves_are_never_the_place(root: Path, place: str) -> None:
    with pytest.raises(ExportError, match="in or above the tables"):
        _export(root, root / place, "csv", force=True)


def test_old_files_without_a_new_column_are_exported_with_null(tmp_path: Path) -> None:
    store = small.make_store(tmp_path / "tables")
    path = store.path("coverage", small.NIGHTS[0])
    pq.write_table(pq.ParquetFile(path).read().drop_columns(["expected", "status"]), path)
    to = _export(store.root, tmp_path / "x", "jsonl", chosen=("coverage",))
    first = json.loads((to / "coverage.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["status"] is None
    assert first["articles"] == 1
    _export(store.root, tmp_path / "y", "csv", chosen=("coverage",))
    again = _export(store.root, tmp_path / "z", "croissant", chosen=("coverage",))
    assert pd.read_parquet(again / "coverage.parquet").status.isna().sum() == 2


def test_card_says_what_matters(root: Path, tmp_path: Path) -> None:
    figure = Figure(
        about="quotes", what="row right, of 50 rows", value="92 % (81 to 97)", on="check", measured="2026-03-05"
    )
    card = (_export(root, tmp_path / "x", "csv", figures=(figure,)) / "README.md").read_text(encoding="utf-8")
    for said in (
        "2 nights, 2026-03-02 to 2026-03-03", "| quotes.csv | 10 |", "6 inputs", "2 failed", "1 copy", "2 no_text",
        "| harbourpost.example | 2 |", "clean/blocks.crf", "92 % (81 to 97)", "belong to their publishers", "usable_for_trends",
    ):  # fmt: skip
        assert said in card, said


def test_card_is_not_broken_by_an_outlets_name() -> None:
    from tasks.publish.card import _cell

    assert _cell("a|b\n<script>[x](y)") == r"a\|b &lt;script>\[x\](y)"


def test_bench_figures_are_those_of_the_newest_results(tmp_path: Path) -> None:
    latest = {
        "measured": {"pages": "2026-01-02T00:00:00+00:00", "quotes": "2026-01-03T00:00:00+00:00"},
        "rows": [
            {"section": "pages", "set": "fundus-en", "system": "nightdesk", "figures": {"f1": 0.9712, "date": 1}},
            {"section": "pages", "set": "fundus-en", "system": "trafilatura", "figures": {"f1": 0.5}},
            {"section": "quotes", "set": "polnear dev", "system": "nightdesk", "figures": {"overlap": 71.25}},
        ],
    }
    (tmp_path / "latest.json").write_text(json.dumps(latest))
    found = {(f.about, f.value, f.measured) for f in bench_figures(tmp_path / "latest.json")}
    assert found == {
        ("articles", "97.1 %", "2026-01-02"), ("articles", "100.0 %", "2026-01-02"), ("quotes", "71.2 %", "2026-01-03"),
    }  # fmt: skip
    assert bench_figures(tmp_path / "nowhere.json") == []


def test_checks_of_the_corpus_come_before_the_bench(tmp_path: Path) -> None:
    from flows.export import measured
    from tasks.report import precision

    store = small.make_store(tmp_path / "tables")
    assert [f.on for f in measured(store.root)].count("check") == 0
    sample = precision.draw(store, "quotes", 4, night=None, seed="s", at=AT)
    for i, row in enumerate(sample.rows):
        label = precision.Label(id=row.id, right=i > 0, wrong=[] if i else ["speaker"], at=AT.isoformat())
        precision.keep(store.root, sample.check, label)
    found = measured(store.root)
    assert found[0].on == "check"
    assert (found[0].about, found[0].what, found[0].measured) == ("quotes", "all fields right, of 4 rows", "2026-03-05")
    speaker = next(f for f in found if f.what.startswith("speaker"))
    assert not speaker.value.startswith("100 %")
    (store.root / "checks" / sample.check / "sample.json").write_text("{")
    assert [f.on for f in measured(store.root)].count("check") == 0


# --------------------------------------------------------------------------- the command


def test_command_writes_and_tells(root: Path, tmp_path: Path) -> None:
    to = tmp_path / "x"
    args = ["export", "--out", str(root), "--to", str(to), "--format", "jsonl", "--tables", "quotes,sources"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    assert "quotes.jsonl" in result.output
    assert {p.name for p in to.iterdir()} == {
        "quotes.jsonl",
        "sources.jsonl",
        "README.md",
        "datapackage.json",
        "export.json",
    }


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "xlsx"], "take one of csv"), (["--tables", "quote"], "there is no table quote"),
        (["--night", "2026-01-01"], "no night 2026-01-01"), (["--format", "gdelt", "--tables", "quotes"], "--tables out"),
        (["--out", "/nowhere/at/all"], "no tables at"),
    ],
)  # fmt: skip
def test_wrong_use_is_one_clear_sentence(root: Path, tmp_path: Path, args: list[str], said: str) -> None:
    given = ["export", "--to", str(tmp_path / "x"), *(args if "--out" in args else [*args, "--out", str(root)])]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output
    assert os.listdir(tmp_path) == []
