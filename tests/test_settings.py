"""Settings: where they come from, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.settings import Settings, SettingsError


def _file(folder: Path, text: str) -> Path:
    path = folder / "nightdesk.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_load_takes_file_over_defaults_and_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _file(tmp_path, 'raw = "elsewhere"\n[scrape]\ndelay_s = 3\nattempts = 2\n')
    monkeypatch.setenv("NIGHTDESK__SCRAPE__DELAY_S", "0.5")
    rules = Settings.load(path)
    assert (rules.raw, rules.scrape.delay_s, rules.scrape.attempts) == ("elsewhere", 0.5, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[scrape]\ndelays_s = 3\n", "did you mean scrape.delay_s"),
        ("[scrap]\ndelay_s = 3\n", "did you mean scrape"),
        ('[scrape]\ndelay_s = "soon"\n', "scrape.delay_s"),
        ('[scrape]\nallow_addresses = ["home"]\n', "home"),
        ("[scrape\n", "not valid TOML"),
        ('[clean]\nbackend = "magic"\n', "clean.backend"),
    ],
)
def test_load_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.load(_file(tmp_path, text))


def test_load_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no settings file"):
        Settings.load(tmp_path / "missing.toml")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("NIGHTDESK__SCRAP__DELAY_S", "2", "NIGHTDESK__SCRAPE"),
        ("NIGHTDESK__SCRAPE__DELAYS", "2", "NIGHTDESK__SCRAPE__DELAY_S"),
        ("NIGHTDESK__EXTRACT__LANGUAGES", "en", "JSON"),
        ("NIGHTDESK__SCRAPE__DELAY_S", "soon", "scrape.delay_s"),
    ],
)
def test_load_names_what_is_wrong_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        Settings.load()
