"""Every snippet of the documentation runs, and a recipe's three forms give the same table."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

pytestmark = pytest.mark.timeout(900)  # the first test waits for two nights of the demo
DOCS = Path(__file__).parents[2] / "docs"
_TAB = re.compile(r'^=== "([\w.]+)"\n\n((?:    .*\n|\n)+)', re.MULTILINE)
_SNIPPET = re.compile(r"<!-- snippet: (\w+) -->\n```python\n(.*?)```", re.DOTALL)
_FENCE = re.compile(r"^```(python|sql)\n(.*?)```", re.DOTALL | re.MULTILINE)


def _recipes() -> dict[str, dict[str, str]]:
    """Heading -> form (pandas, Polars, DuckDB) -> code, as the page has it."""
    out = {}
    for section in re.split(r"^## ", (DOCS / "recipes.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        forms = {}
        for form, block in _TAB.findall(section):
            fence = _FENCE.search(textwrap.dedent(block).strip() + "\n")
            assert fence is not None, (section[:40], form)
            forms[form] = fence[2]
        if forms:
            out[section.splitlines()[0]] = forms
    return out


RECIPES = _recipes()


def _run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "<docs>", "exec"), names)
    return names


def _frame(form: str, code: str) -> pd.DataFrame:
    if form == "DuckDB":
        return duckdb.sql(code).df()
    found = _run(code)["result"]
    return found.to_pandas() if form == "Polars" else found


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order given, days as text, numbers as numbers: what a reader compares."""
    out = frame.reset_index(drop=True)
    for name in out.columns:
        column = out[name]
        if name == "night":
            out[name] = pd.to_datetime(column).dt.strftime("%Y-%m-%d")
        elif pd.api.types.is_numeric_dtype(column):
            out[name] = column.astype("float64")
        else:
            out[name] = column.astype(str)
    return out


def test_recipes_are_those_that_the_page_promises() -> None:
    assert len(RECIPES) == 5
    assert all(list(forms) == ["pandas", "Polars", "DuckDB"] for forms in RECIPES.values())


@pytest.mark.parametrize("recipe", RECIPES)
def test_recipe_gives_one_answer_in_pandas_polars_and_duckdb(
    desk: Path, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    pytest.importorskip("polars")
    monkeypatch.chdir(desk)
    found = {form: _plain(_frame(form, code)) for form, code in RECIPES[recipe].items()}
    assert len(found["pandas"]) > 0, "the demo has nothing of it, so nothing was compared"
    for form in ("Polars", "DuckDB"):
        pd.testing.assert_frame_equal(found[form], found["pandas"], check_dtype=False)


def test_independent_reports_are_counted_as_the_table_of_stories_counts_them(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    ours = _frame("DuckDB", RECIPES["Independent reports of one event"]["DuckDB"]).set_index("story_id")
    table = pd.read_parquet("data/processed/stories").set_index("story_id").loc[ours.index]
    assert list(table.n_independent) == list(ours.independent)
    assert list(table.n_articles) == list(ours.articles)


def _snippets() -> list[tuple[str, str, str]]:
    return [
        (page.name, name, code)
        for page in sorted(DOCS.glob("*.md"))
        for name, code in _SNIPPET.findall(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "name", "code"), _snippets(), ids=lambda v: v if len(v) < 20 else "")
def test_snippet_runs(
    desk: Path, monkeypatch: pytest.MonkeyPatch, page: str, name: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(desk)
    if name == "plot":
        pytest.importorskip("matplotlib").use("Agg")
        names = _run(code)
        assert len(names["top"]) == 15
        assert (desk / "most-quoted.png").read_bytes().startswith(b"\x89PNG")
    elif name == "helper":
        _run(code)
        assert "name" in capsys.readouterr().out
    else:
        names = _run(code)
        for frame in ("said", "happened", "planned_too", "people", "texts", "stories", "usable", "failed"):
            assert len(names[frame]) > 0, frame


def test_every_block_of_code_in_the_pages_is_one_that_is_run() -> None:
    """A new block gets a snippet's name or becomes a recipe; shell commands and settings are no code."""
    for page in ("index.md", "loading.md", "exports.md", "quality.md"):
        text = (DOCS / page).read_text(encoding="utf-8")
        assert len(re.findall(r"```(?:python|sql)", text)) == len(_SNIPPET.findall(text)), page


def test_snippets_of_the_readme_run(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk)
    seen = set()
    for kind, code in _FENCE.findall((DOCS.parent / "README.md").read_text(encoding="utf-8")):
        seen.add(kind)
        if kind == "sql":
            assert len(duckdb.sql(code.rstrip().rstrip(";")).df()) > 0
        else:
            _run(code)
    assert seen == {"python", "sql"}


def test_settings_and_outlets_of_the_quick_start_are_read(tmp_path: Path) -> None:
    from tasks.discover.outlets import load_outlets
    from tasks.settings import Settings

    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL)
    outlets, settings = blocks
    (tmp_path / "outlets.toml").write_text(outlets, encoding="utf-8")
    (tmp_path / "nightdesk.toml").write_text(settings, encoding="utf-8")
    assert [o.domain for o in load_outlets(tmp_path / "outlets.toml")] == ["example.org"]
    assert Settings.load(tmp_path / "nightdesk.toml").discover.max_addresses == 50
