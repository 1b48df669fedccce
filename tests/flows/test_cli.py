"""The command line beside ingest: help that teaches, settings, wrong use of run, report and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks import tables
from tests.flows.test_ingest import _corpus, _ingest


def _call(*args: object, code: int = 0, env: dict[str, str] | None = None) -> Any:
    result = CliRunner().invoke(app, [str(a) for a in args], env=env)
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


@pytest.mark.parametrize(
    "command",
    "run ingest serve demo report why show explore check tables doctor merges backfill compact prune".split(),
)
def test_help_of_every_command_says_what_it_does(command: str) -> None:
    assert command in _call("--help").output
    assert len(_call(command, "--help").output.split()) > 20


def test_version_is_printed() -> None:
    assert _call("--version").output.startswith("nightdesk ")


def test_unknown_setting_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "nightdesk.toml").write_text("[engine]\nworker = 2\n")
    result = _call("ingest", _corpus(tmp_path), "--settings", tmp_path / "nightdesk.toml", code=2)
    assert "did you mean engine.workers" in " ".join(result.output.split())


OUTLET = '[[outlet]]\nname = "Paper"\ndomain = "paper.example"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "outlets.toml"),
        ("", "outlet"),
        (OUTLET + 'feeds = ["paper.example/rss"]\n', "paper.example"),
        (OUTLET + 'feed = ["https://paper.example/rss"]\n', "feeds"),
        ("[[outlet]\n", "TOML"),
    ],
)
def test_run_says_what_is_wrong_with_the_outlets(tmp_path: Path, text: str | None, said: str) -> None:
    path = tmp_path / "outlets.toml"
    if text is not None:
        path.write_text(text)
    result = _call("run", "--outlets", path, "--out", tmp_path / "out", "--raw", tmp_path / "raw", code=2)
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("args", "said"),
    [(["--night", "tomorrow"], "--night"), (["--allow-address", "home"], "--allow-address")],
)
def test_run_refuses_wrong_options(tmp_path: Path, args: list[str], said: str) -> None:
    assert said in _call("run", "--out", tmp_path / "out", *args, code=2).output


def test_report_and_tables_say_that_there_is_nothing(tmp_path: Path) -> None:
    for command in ("report", "tables"):
        assert "no tables at" in _call(command, "--out", tmp_path / "nowhere", code=2).output


def test_tables_and_report_of_an_ingest(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _ingest(_corpus(tmp_path, 3), "--already-clean", "--out", out)
    listed = {t["table"]: t for t in json.loads(_call("tables", "--out", out, "--json").stdout)}
    assert set(listed) == set(tables.TABLES)
    assert listed["articles"]["rows"] == 3
    assert "articles" in _call("tables", "--out", out).output
    assert "speaker_text" in _call("tables", "quotes").output
    assert "there is no table" in _call("tables", "quote", code=2).output
    page = Path(_call("report", "--out", out).output.strip())
    assert page.is_file()
    assert "there is no night" in _call("report", "--out", out, "--night", "2020-01-01", code=2).output


def test_serve_tells_the_next_nights_in_the_zone_of_the_schedule(tmp_path: Path) -> None:
    env = {"NIGHTDESK__SCHEDULE__CRON": "30 2 * * *", "NIGHTDESK__SCHEDULE__TIMEZONE": "Europe/Berlin"}
    assert "02:30 CE" in _call("serve", "--next", env=env).output
    assert "no cron line" in _call("serve", "--next", env={"NIGHTDESK__SCHEDULE__CRON": "at two"}, code=2).output
    assert "no time zone" in _call("serve", "--next", env={"NIGHTDESK__SCHEDULE__TIMEZONE": "Mars"}, code=2).output


def test_doctor_passes_here(tmp_path: Path) -> None:
    result = _call("doctor", "--quick", "--out", tmp_path / "out", "--raw", tmp_path / "raw")
    assert "FAIL" not in result.output
    assert "quote" in result.output
