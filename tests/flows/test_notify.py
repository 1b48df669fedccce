"""Word of a night: what is posted, when, and that no fault of the webhook is one of the night."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import nightly
from flows.cli import app
from flows.notify import document, notify
from flows.progress import Silence
from tasks.report.summary import Short, Summary
from tasks.settings import NotifySettings, Settings, SettingsError
from tests.scrape.press import Press, serving, versioned

NIGHT = dt.date(2026, 3, 2)
GAP = Short(outlet="post.example", status="zero", articles=0, expected=12.0)


@contextlib.contextmanager
def hook(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook that answers so, the last one for ever; its address holds a secret. And what it was posted."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(statuses[min(len(taken), len(statuses)) - 1])
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://desk:s3cret@127.0.0.1:{server.server_port}/hooks/t0ken", taken
    finally:
        server.shutdown()
        server.server_close()


def _rules(address: str, **more: Any) -> NotifySettings:
    return NotifySettings.model_validate({"webhook": address, "retry_wait_s": 0, "timeout_s": 2, "attempts": 3, **more})


def _summary(*short: Short) -> Summary:
    return Summary(
        run_id="r", flow="nightly", night=NIGHT, seconds=1.0, inputs=3, fates={"article": 2, "failed": 1}, reasons={},
        rows={}, stories=0, steps=[], peak_memory_bytes=None, quotes=[], events=[], short=list(short), tables="t", report="t/r.html",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("statuses", "short", "always", "posts", "told"),
    [
        ((200,), [GAP], False, 1, True),
        ((204,), [], True, 1, True),
        ((200,), [], False, 0, False),
        ((503, 429, 200), [GAP], False, 3, True),
        ((503,), [GAP], False, 3, False),
        ((404,), [GAP], False, 1, False),
        ((302,), [GAP], False, 1, False),
    ],
)
def test_notify_posts_once_when_a_night_falls_short(
    statuses: tuple[int, ...], short: list[Short], always: bool, posts: int, told: bool, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    with hook(*statuses) as (address, taken):
        assert notify(_summary(*short), _rules(address, always=always)) is told
    assert len(taken) == posts
    assert ("nobody was notified" in caplog.text) is (posts > 0 and not told)
    assert "s3cret" not in caplog.text
    assert "t0ken" not in caplog.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/t0ken", "http://no-such-host.invalid/t0ken"])
def test_notify_warns_when_nobody_answers(address: str, caplog: Any) -> None:
    assert notify(_summary(GAP), _rules(address)) is False
    assert "nobody was notified" in caplog.text
    assert "t0ken" not in caplog.text


def test_document_names_night_fates_outlets_and_report() -> None:
    told = document(_summary(GAP))
    assert (told["night"], told["status"], told["report"]) == ("2026-03-02", "short", "t/r.html")
    assert told["fates"] == {"article": 2, "failed": 1}
    assert told["short"] == [{"outlet": "post.example", "status": "zero", "articles": 0, "expected": 12.0}]
    assert "post.example: zero, 0 articles, usually 12" in told["text"]


@pytest.mark.parametrize("address", ["ftp://x.example/t0ken", "t0ken", "http:///t0ken"])
def test_webhook_is_refused_and_not_shown_when_it_is_no_web_address(address: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("NIGHTDESK__NOTIFY__WEBHOOK", address)
    with pytest.raises(SettingsError, match=r"notify\.webhook") as err:
        Settings.load()
    assert "t0ken" not in str(err.value)


def test_webhook_stays_out_of_what_a_run_keeps() -> None:
    rules = Settings.load(notify=_rules("https://x.example/t0ken"))
    assert "t0ken" not in rules.model_dump_json() + repr(rules)


def _press_night(press: Press, folder: Path, path: str) -> list[str]:
    (folder / "outlets.toml").write_text(f'[[outlet]]\ndomain = "post.example"\nfeeds = ["{press.base}{path}"]\n')
    return [
        "run", "--outlets", str(folder / "outlets.toml"), "--out", str(folder / "out"), "--raw", str(folder / "raw"),
        "--night", "2026-03-02", "--allow-address", "127.0.0.0/8",
    ]  # fmt: skip


def test_a_night_that_falls_short_says_so_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTDESK__ENGINE__RUNNER", "inline")
    monkeypatch.setenv("NIGHTDESK__SCRAPE__DELAY_S", "0")
    empty = b"<rss version='2.0'><channel><title>Post</title></channel></rss>"
    with hook(200) as (address, taken), serving({"/rss": versioned(empty, "text/xml")}) as press:
        monkeypatch.setenv("NIGHTDESK__NOTIFY__WEBHOOK", address)
        command = _press_night(press, tmp_path, "/rss")
        shown = CliRunner().invoke(app, [*command, "--strict"])
        assert shown.exit_code == 3, shown.output + repr(shown.exception)
        assert "post.example: zero" in shown.output
        printed = CliRunner().invoke(app, [*command, "--json"])
        assert printed.exit_code == 0
        assert json.loads(printed.stdout)["short"][0]["outlet"] == "post.example"
    assert [t["short"][0]["status"] for t in taken] == ["zero", "zero"]
    runs = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"t0ken" not in runs


def test_a_night_that_fails_is_told_and_fails_still(tmp_path: Path) -> None:
    with hook(200) as (address, taken):
        rules = Settings.load(notify=_rules(address))
        request = nightly.Request(
            outlets=tmp_path / "none.toml", night=NIGHT, root=tmp_path / "out", raw=tmp_path / "raw", settings=rules
        )
        with pytest.raises(Exception, match=r"none\.toml"):
            nightly.run_and_tell(request, Silence())
    assert [(t["status"], t["night"], t["error"]) for t in taken] == [("failed", "2026-03-02", "OutletsError")]
