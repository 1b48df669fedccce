"""What the site takes from elsewhere when it is built: the bench's figures, the codes of the export, the notebook.

MkDocs calls the on_… functions (mkdocs.yml, hooks). Nothing is written into docs/.
"""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # built from a checkout, installed or not

from mkdocs.structure.files import File  # noqa: E402

from tasks.publish import figures, gdelt  # noqa: E402

NOTEBOOK = HERE / "first-look.ipynb"


def figures_markdown() -> str:
    found = figures.bench_figures()
    if not found:
        raise FileNotFoundError(f"{figures.LATEST} is missing: run make bench, or take it from the repository")
    return "\n".join(figures.figures_table(found))


def cameo_markdown() -> str:
    """The codes of the GDELT export as a table."""
    lines = (Path(gdelt.__file__).parent / "cameo.tsv").read_text(encoding="utf-8").splitlines()
    parts = [line.split("\t") for line in lines if line and not line.startswith("#")]
    rows = [f"| {t} | {'any other' if m == '-' else m} | {code} | {name} |" for t, m, code, name in parts]
    return "\n".join(["| PLOVER type | mode | CAMEO | which CAMEO calls |", "|---|---|---|---|", *rows])


def notebook_markdown(path: Path = NOTEBOOK) -> str:
    """The notebook as a page: text, code, and the outputs as they were kept."""
    out = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            out.append(source)
            continue
        out.append(f"```python\n{source}\n```")
        out += [_output(o) for o in cell["outputs"]]
    return "\n\n".join(out) + "\n"


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        png = base64.b64encode(base64.b64decode("".join(data["image/png"]))).decode()
        return f'<img alt="plot, described above" src="data:image/png;base64,{png}">'
    if "text/html" in data:
        html = re.sub(r"<style.*?</style>", "", "".join(data["text/html"]), flags=re.DOTALL)
        html = re.sub(r"<table[^>]*>", "<table>", html)  # the theme's tables, not pandas' borders
        return f"<div>{' '.join(html.split())}</div>"
    text = "".join(data.get("text/plain", output.get("text", "")))
    return f"```text\n{text.rstrip()}\n```"


def on_files(files: Any, config: Any) -> Any:
    files.append(File.generated(config, "first-look.md", content=notebook_markdown()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    if "<!-- figures -->" in markdown:
        markdown = markdown.replace("<!-- figures -->", figures_markdown())
    if "<!-- cameo -->" in markdown:
        markdown = markdown.replace("<!-- cameo -->", cameo_markdown())
    return markdown
