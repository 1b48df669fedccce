"""The site builds without a warning, asks nothing of other machines, and its notebook is the one that its script makes."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tasks.publish.figures import bench_figures

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(900)  # the first test waits for two nights of the demo
NOTEBOOK = ROOT / "docs" / "first-look.ipynb"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_pages_are_all_there(site: Path) -> None:
    for page in ("index", "recipes", "tables", "quality", "loading", "exports", "first-look", "choices"):
        assert (site / f"{page}.html").is_file(), page
    assert not list(site.glob("*.py"))


def test_pages_ask_nothing_of_other_machines(site: Path) -> None:
    loads = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?(https?:)?//[^>]*>")
    for page in site.glob("*.html"):
        assert not loads.findall(page.read_text(encoding="utf-8")), page.name


def test_figures_on_the_page_are_the_newest(site: Path) -> None:
    page = (site / "quality.html").read_text(encoding="utf-8")
    figures = bench_figures()
    assert len(figures) >= 10
    for figure in figures:
        assert figure.value in page, figure


def test_codes_on_the_page_are_those_of_the_export(site: Path) -> None:
    page = (site / "exports.html").read_text(encoding="utf-8")
    assert "1723" in page
    assert "Impose curfew" in page


def test_notebook_is_the_one_that_its_script_makes() -> None:
    script, kept = _script("make_notebook"), json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    sources = [(c["cell_type"], "".join(c["source"])) for c in kept["cells"]]
    assert sources == script.cells(), "make it anew: python docs/make_notebook.py"


def test_notebook_keeps_outputs_and_no_path_of_a_machine() -> None:
    kept = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [c for c in kept["cells"] if c["cell_type"] == "code"]
    assert all(c["outputs"] for c in code)
    assert not any(o["output_type"] == "error" for c in code for o in c["outputs"])
    text = json.dumps([o for c in code for o in c["outputs"] if "image/png" not in o.get("data", {})])
    assert not re.search(r"/(?:home|root|tmp|work|Users|var)/|[A-Z]:\\\\", text)
    assert "Warning" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="kernels start differently there")
def test_notebook_runs(desk: Path) -> None:
    pytest.importorskip("nbclient")
    script = _script("make_notebook")
    done = script.execute(script.notebook(), desk)
    assert all(c.outputs for c in done.cells if c.cell_type == "code")


def test_site_has_no_page_that_the_contents_do_not_name() -> None:
    contents = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").split("nav:")[1]
    for page in (ROOT / "docs").glob("[!.]*.md"):
        if page.name.endswith(".cells.md"):
            continue
        assert page.name in contents, page.name
