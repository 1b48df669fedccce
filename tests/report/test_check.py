"""The check: fair samples, verdicts that survive, and precision that is computed as it says."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tasks.publish.store import Store
from tasks.report.check_page import check_app
from tasks.report.precision import (
    CheckError,
    Drawn,
    Label,
    Sample,
    Stratum,
    allocate,
    draw,
    keep,
    load,
    precision,
    stratified,
    unfinished,
)
from tests.flows.test_cli import _call
from tests.report.ingested import ingested

AT = dt.datetime(2026, 3, 4, 6, 0, tzinfo=dt.UTC)
TEXT = (
    "“We were blind for six hours,” said Ines Calder, who heads the flood office in Harl. Police arrested {} men in "
    "Lagos on Monday, officials said. The mayor, Tom Reddy, denied that the gauge had failed in {}."
)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    rows = [{"id": str(i), "text": TEXT.format(i + 2, 2000 + i), "title": f"Gauge {i}"} for i in range(4)]
    return ingested(tmp_path, rows)


@given(st.dictionaries(st.integers(0, 4), st.integers(1, 500), min_size=1), st.integers(1, 300))
def test_allocation_draws_what_is_asked_and_no_more_than_there_is(counts: dict[int, int], n: int) -> None:
    drawn = allocate(counts, n)
    assert sum(drawn.values()) == min(n, sum(counts.values()))
    assert all(0 < drawn[b] <= counts[b] for b in drawn)


def test_a_rare_band_of_confidence_is_looked_at() -> None:
    assert allocate({0: 30, 4: 10_000}, 50)[0] >= 5


def test_stratified_precision_weighs_bands_by_their_rows() -> None:
    share, low, high = stratified({0: [False] * 5, 4: [True] * 45}, {0: 100, 4: 9900})
    assert share == pytest.approx(0.99)
    assert low < 0.99 < high


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = random.Random(7)
    sizes, truth = {0: 200, 1: 800}, {0: 0.5, 1: 0.9}
    real = (200 * 0.5 + 800 * 0.9) / 1000
    hits = 0
    for _ in range(600):
        judged = {s: [rng.random() < truth[s] for _ in range(n)] for s, n in ((0, 15), (1, 35))}
        _, low, high = stratified(judged, sizes)
        hits += low <= real <= high
    assert 0.91 <= hits / 600 <= 0.995


def test_fields_of_a_row_that_should_not_be_there_are_not_judged() -> None:
    rows = [Drawn(id=str(i), article_id="a", stratum=0, confidence=0.9) for i in range(3)]
    sample = Sample(check="c", table="quotes", night=None, drawn_at="", rows=rows,
                    strata=[Stratum(low=0, high=1, n_rows=3, n_drawn=3)])  # fmt: skip
    labels = {
        "0": Label(id="0", right=True, wrong=[], at=""),
        "1": Label(id="1", right=False, wrong=["row"], at=""),
        "2": Label(id="2", right=False, wrong=["speaker"], at=""),
    }
    found = {p.field: (p.n, round(p.share, 2)) for p in precision(sample, labels)}
    assert found["all fields"] == (3, 0.33)
    assert found["row"] == (3, 0.67)
    assert found["speaker"] == (2, 0.5)
    assert found["cue"] == (2, 1.0)


def test_a_check_is_drawn_judged_and_gone_on_with(out: Path) -> None:
    store = Store.open(out)
    sample = draw(store, "quotes", 5, night=None, seed="x", at=AT)
    assert len({r.id for r in sample.rows}) == 5
    web = TestClient(check_app(out, sample.check), base_url="http://127.0.0.1")
    page = web.get("/").text
    token = page.split('name="token" value="')[1].split('"')[0]
    assert web.post("/row/0", data={"token": "guessed", "verdict": "right"}).status_code == 403
    web.post("/row/0", data={"token": token, "verdict": "right"})
    web.post("/row/1", data={"token": token, "verdict": "wrong", "wrong": ["speaker", "nonsense"]})
    web.post("/row/2", data={"token": token, "verdict": "wrong"})
    assert unfinished(out, "quotes", None) == sample.check
    _, labels = load(out, sample.check)
    assert [labels[r.id].wrong for r in sample.rows[:3]] == [[], ["speaker"], ["row"]]
    for number in (3, 4):
        web.post(f"/row/{number}", data={"token": token, "verdict": "unclear"})
    assert "3 of 5" not in web.get("/").text
    assert unfinished(out, "quotes", None) is None
    said = _call("check", "--results", "--out", out).stdout
    assert "5 of 5 rows judged" in said
    assert "who said it" in said


def test_a_line_cut_by_a_killed_process_is_asked_again(out: Path) -> None:
    sample = draw(Store.open(out), "events", 2, night=None, seed="x", at=AT)
    keep(out, sample.check, Label(id=sample.rows[0].id, right=True, wrong=[], at=""))
    with (out / "checks" / sample.check / "labels.jsonl").open("a") as file:
        file.write('{"id": "' + sample.rows[1].id)
    assert set(load(out, sample.check)[1]) == {sample.rows[0].id}


@pytest.mark.parametrize("table", ["quotes", "sources", "events", "articles"])
def test_every_table_that_can_be_checked_shows_its_rows(out: Path, table: str) -> None:
    sample = draw(Store.open(out), table, 3, night=None, seed="x", at=AT)
    assert sample.rows
    web = TestClient(check_app(out, sample.check), base_url="http://127.0.0.1")
    assert "Gauge" in web.get("/").text
    assert web.get(f"/article/{sample.rows[0].article_id}").status_code == 200


def test_what_cannot_be_checked_is_said(out: Path) -> None:
    with pytest.raises(CheckError, match="take one of"):
        draw(Store.open(out), "runs", 3, night=None, seed="x", at=AT)
    assert "take one of" in _call("check", "--table", "runs", "--out", out, code=2).output
    assert "there are no quotes" in _call("check", "--night", "2020-01-01", "--out", out, code=2).output
    assert "No check has verdicts" in _call("check", "--results", "--out", out).output
