"""docs/first-look.ipynb: made from first-look.cells.md, carried out over the tables of the demo.

make run && make run                  # two nights
python docs/make_notebook.py          # executes it in the repository's root and keeps its outputs
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent / "first-look.ipynb"
CELLS = Path(__file__).parent / "first-look.cells.md"
TIMEOUT_S = 120
_CODE = re.compile(r"^```python\n(.*?)\n```$", re.DOTALL | re.MULTILINE)


def cells() -> list[tuple[str, str]]:
    """(markdown or code, source): the fenced blocks of the page, and what stands between them."""
    pieces = _CODE.split(CELLS.read_text(encoding="utf-8"))
    found = [("code" if i % 2 else "markdown", piece.strip()) for i, piece in enumerate(pieces)]
    return [(kind, source) for kind, source in found if source]


def notebook() -> Any:
    """The notebook without outputs. Cell ids are counted, so that making it again changes nothing but outputs."""
    book = nbformat.v4.new_notebook()
    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    book.cells = [make[kind](source, id=f"cell-{i}") for i, (kind, source) in enumerate(cells())]
    book.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return book


def execute(book: Any, folder: Path) -> Any:
    """The notebook with its outputs, carried out in `folder`; raises CellExecutionError if a cell fails."""
    resources = {"metadata": {"path": str(folder)}}
    done = NotebookClient(book, timeout=TIMEOUT_S, kernel_name="python3", resources=resources).execute()
    for cell in done.cells:
        cell.metadata.pop("execution", None)  # times of the day
    return done


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK.parents[1]
    nbformat.write(execute(notebook(), root), NOTEBOOK)
