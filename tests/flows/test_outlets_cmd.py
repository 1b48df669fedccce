"""The commands `outlets`, `state` and `diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.discover.outlets import load_outlets
from tests.discover.test_autodiscover import feed, front
from tests.flows.test_remembering import Desk, story
from tests.scrape.press import serving, versioned

RUN = CliRunner()
OPEN = ["--allow-address", "127.0.0.0/8"]
HEAD = "<link rel='alternate' type='application/rss+xml' href='/all.rss'>"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NIGHTDESK__SCRAPE__DELAY_S", "0")
    monkeypatch.setenv("NIGHTDESK__SCRAPE__RETRY_WAIT_S", "0.01")
    monkeypatch.chdir(tmp_path)


def test_outlets_add_shows_and_writes_what_it_found(tmp_path: Path) -> None:
    with serving({"/": front(HEAD), "/all.rss": feed("/1", "/2", day=1)}) as press:
        domain = press.base.removeprefix("http://")
        tried = RUN.invoke(app, ["outlets", "add", domain, "--dry-run", "--json", *OPEN])
        assert not (tmp_path / "outlets.toml").exists()
        done = RUN.invoke(app, ["outlets", "add", domain, "--country", "CH", *OPEN])
    assert (tried.exit_code, done.exit_code) == (0, 0), done.output
    assert [c["url"] for c in json.loads(tried.output)["candidates"] if c["taken"]] == [f"{press.base}/all.rss"]
    assert "written to outlets.toml" in done.output
    (outlet,) = load_outlets(tmp_path / "outlets.toml")
    assert (outlet.domain, outlet.name, outlet.country) == (domain, "The Post", "CH")
    assert outlet.feeds == (f"{press.base}/all.rss",)


def test_outlets_add_ends_with_one_when_nothing_is_found(tmp_path: Path) -> None:
    with serving({}) as press:
        done = RUN.invoke(app, ["outlets", "add", press.base, *OPEN])
    assert done.exit_code == 1
    assert not (tmp_path / "outlets.toml").exists()


def test_outlets_list_and_state_tell_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as press:
        Desk(tmp_path, press, monkeypatch).night()
    folders = ["--out", str(tmp_path / "out")]
    listed = RUN.invoke(app, ["outlets", "list", "--json", *folders])
    (row,) = json.loads(listed.output)
    assert (row["source"], row["state"], row["entries"]) == (f"{press.base}/rss", "ok", 3)
    shown = json.loads(RUN.invoke(app, ["state", "show", "--json", *folders]).output)
    assert (shown["sources"], shown["pages"], shown["learnt"]) == (1, 3, 1)
    rebuilt = RUN.invoke(app, ["state", "rebuild", *folders, "--raw", str(tmp_path / "raw")])
    assert rebuilt.output == "learnt of 1 runs\n"
    assert json.loads(RUN.invoke(app, ["state", "show", "--json", *folders]).output) == shown


def test_looking_at_the_state_makes_none(tmp_path: Path) -> None:
    (tmp_path / "outlets.toml").write_text('[[outlet]]\ndomain = "a.example"\nfeeds = ["https://a.example/rss"]\n')
    (row,) = json.loads(RUN.invoke(app, ["outlets", "list", "--json"]).output)
    assert row["state"] == "not asked yet"
    assert RUN.invoke(app, ["state", "show"]).exit_code == 1
    assert [p.name for p in tmp_path.iterdir()] == ["outlets.toml"]


def test_diff_shows_what_an_edit_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "“The roof fell in at once,” said the fire chief Tom Abara."
    with serving({}) as press:
        desk = Desk(tmp_path, press, monkeypatch)
        desk.night()
        press.answers["/1"] = versioned(story(1, toll=5, extra=said))
        desk.night(hours=24)
    out = ["--out", str(tmp_path / "out")]
    (step,) = json.loads(RUN.invoke(app, ["diff", f"{press.base}/1", "--json", *out]).output)
    assert (step["revision"], step["change"]) == (2, "body")
    assert step["title"] == {"old": "Attack in Mill Lane kills 3", "new": "Attack in Mill Lane kills 5"}
    assert len(step["paragraphs"]) == 2
    assert ("added", "The roof fell in at once") in [(q["change"], q["text"].strip("“”,")) for q in step["quotes"]]
    assert any(
        e["change"] == "altered" and e["fields"].get("killed_min") == {"old": 3, "new": 5} for e in step["events"]
    )
    shown = RUN.invoke(app, ["diff", f"{press.base}/1", *out])
    assert "+ added: " in shown.output
    assert "killed_min: 3 → 5" in shown.output
    assert RUN.invoke(app, ["diff", f"{press.base}/0", *out]).output == "there is one revision of it\n"
    assert RUN.invoke(app, ["diff", "nothing", *out]).exit_code == 2
