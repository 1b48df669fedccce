"""The bench's floors and tables, on invented figures: no labelled set is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import report
from bench.gold import OURS, Row


def row(figures: dict[str, float | None], *, system: str = OURS, quoted: bool = False) -> Row:
    return Row(section="quotes", set="dev", system=system, figures=figures, quoted=quoted)


@pytest.fixture
def baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Floors are written into a folder of the test, over one gold file in it."""
    (tmp_path / "gold.jsonl").write_text("{}\n")
    monkeypatch.setattr(report, "DATA", tmp_path)
    monkeypatch.setattr(report, "GOLD", ("gold.jsonl",))
    monkeypatch.setattr(report, "BASELINE", tmp_path / "baseline.json")
    return tmp_path / "baseline.json"


def test_check_is_content_when_figures_stay(baseline: Path) -> None:
    report.pin([row({"overlap": 70.0, "false quotes": 3.0})], lower=False)
    assert report.check([row({"overlap": 69.5, "false quotes": 3.5})]) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"overlap": 68.0}, "quotes/dev/overlap is 68, its floor is 69"),
        ({"false quotes": 9.0}, "quotes/dev/false quotes is 9, its ceiling is 4"),
    ],
)
def test_check_names_what_fell_below_its_floor(baseline: Path, figures: dict[str, float | None], said: str) -> None:
    report.pin([row({"overlap": 70.0, "false quotes": 3.0})], lower=False)
    assert report.check([row(figures)]) == [said]


def test_check_ignores_peers_and_speed(baseline: Path) -> None:
    report.pin([row({"overlap": 70.0, "pages/s": 10.0})], lower=False)
    assert report.check([row({"overlap": 1.0}, system="peer"), row({"pages/s": 1.0})]) == []


def test_check_refuses_other_gold_than_the_floors_were_measured_on(baseline: Path) -> None:
    report.pin([row({"overlap": 70.0})], lower=False)
    (baseline.parent / "gold.jsonl").write_text("{} \n")
    assert report.check([]) == ["gold.jsonl is not the file that the floors were measured on"]


@pytest.mark.parametrize(("lower", "floor"), [(False, 69.0), (True, 59.0)])
def test_pin_lowers_a_floor_only_when_asked(baseline: Path, lower: bool, floor: float) -> None:
    report.pin([row({"overlap": 70.0})], lower=False)
    report.pin([row({"overlap": 60.0})], lower=lower)
    assert json.loads(baseline.read_text())["floors"] == {"quotes/dev/overlap": floor}


def test_plain_table_marks_quoted_figures_and_leaves_gaps() -> None:
    table = report.plain_table(
        [row({"overlap": 70.0, "exact": 60.5}), row({"overlap": 54.5}, system="rules", quoted=True)]
    )
    ours, theirs = table.splitlines()[-2:]
    assert ours.split() == [OURS, "70", "60.5"]
    assert theirs.split() == ["rules", "(quoted)", "54.5", "–"]


def test_keep_leaves_sections_that_were_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(report, "TABLE", tmp_path / "latest.md")
    report.keep([row({"overlap": 70.0})])
    report.keep([Row(section="seed", set="seed", system=OURS, figures={"quotes": 6.0})])
    kept = json.loads((tmp_path / "latest.json").read_text())
    assert [r["section"] for r in kept["rows"]] == ["quotes", "seed"]
    assert "| nightdesk | 70 |" in (tmp_path / "latest.md").read_text()
