"""How good the tables are, read from the bench's newest results: for docs/ and for the card of an export.

The results lie in the repository (bench/results/latest.json), not in the installed package.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

LATEST = Path(__file__).parents[2] / "bench" / "results" / "latest.json"
OURS = "nightdesk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure: about a table, what in words, the value as it is shown, on which set, measured when."""

    about: str
    what: str
    value: str
    on: str
    measured: str


def bench_figures(latest: Path = LATEST) -> list[Figure]:
    """The figures of figures.toml that the newest results hold, in its order; none if there are no results."""
    try:
        results = json.loads(latest.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    rows = {(r["section"], r["set"]): r["figures"] for r in results["rows"] if r["system"] == OURS}
    wanted = tomllib.loads((Path(__file__).parent / "figures.toml").read_text(encoding="utf-8"))["figure"]
    out = []
    for figure in wanted:
        value = rows.get((figure["section"], figure["set"]), {}).get(figure["metric"])
        if value is not None:
            measured = results["measured"].get(figure["section"], "")[:10]
            out.append(
                Figure(
                    about=figure["about"],
                    what=figure["what"],
                    value=percent(float(value), shares=figure["section"] in ("pages", "text")),
                    on=figure["set"],
                    measured=measured,
                )
            )
    return out


def percent(value: float, *, shares: bool) -> str:
    """Percent with one decimal; the sections of pages and texts state shares of 1."""
    return f"{value * 100 if shares else value:.1f} %"


def figures_table(figures: list[Figure]) -> list[str]:
    """Lines of a Markdown table."""
    rows = [f"| {f.about} | {f.what} | {f.value} | {f.on} | {f.measured} |" for f in figures]
    return ["| table | what | figure | measured on | when |", "|---|---|---:|---|---|", *rows]
