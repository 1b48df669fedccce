"""The figures for an export's card: from the checks of its own corpus, then from the bench."""

from __future__ import annotations

from pathlib import Path

from tasks.publish.figures import Figure, bench_figures
from tasks.report import precision


def measured(root: Path) -> list[Figure]:
    """Precision of every check that has verdicts, then the bench's figures as far as they are at hand."""
    found = []
    for check in precision.known(root):
        try:
            sample, labels = precision.load(root, check)
        except precision.CheckError:
            continue  # a damaged check has no figure; `nightdesk check` says so
        found += [
            Figure(
                about=sample.table,
                what=f"{p.field} right, of {p.n} rows",
                value=f"{100 * p.share:.0f} % ({100 * p.low:.0f} to {100 * p.high:.0f})",
                on="check",
                measured=sample.drawn_at[:10],
            )
            for p in precision.precision(sample, labels)
        ]
    return found + bench_figures()
