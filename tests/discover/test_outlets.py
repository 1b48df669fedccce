from __future__ import annotations

from pathlib import Path

import pytest

from tasks.discover.outlets import OutletsError, load_outlets

GOOD = """
[[outlet]]
name = "The Harbour Post"
domain = "harbourpost.example"
feeds = ["http://127.0.0.1:8123/rss.xml"]
sitemaps = []
country = "gb"
language = "en"

[[outlet]]
domain = "Inland.example"
pages = ["https://inland.example/"]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "outlets.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_load_outlets_reads_all_fields(tmp_path: Path) -> None:
    one, two = load_outlets(write(tmp_path, GOOD))
    assert (one.name, one.domain, one.country, one.language) == ("The Harbour Post", "harbourpost.example", "GB", "en")
    assert one.feeds == ("http://127.0.0.1:8123/rss.xml",)
    assert (two.name, two.domain, two.sources) == ("inland.example", "inland.example", ("https://inland.example/",))


def outlet(line: str) -> str:
    return f'[[outlet]]\nname = "Post"\ndomain = "post.example"\nfeeds = ["https://post.example/rss"]\n{line}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no outlet"),
        ("[[outlet", "not valid TOML"),
        ('[outlet]\ndomain = "a.example"', "two brackets"),
        ('[[outlets]]\ndomain = "a.example"', "[[outlet]]"),
        ('[[outlet]]\nname = "Post"\nfeeds = ["https://a.example/"]', "domain is missing"),
        ('[[outlet]]\ndomain = "https://a.example/"\nfeeds = ["https://a.example/"]', "not a domain"),
        ('[[outlet]]\ndomain = "a.example"', "no feed, sitemap or page"),
        (outlet('fedes = ["https://post.example/2"]'), "did you mean 'feeds'"),
        (outlet('pages = ["post.example/front"]'), "'post.example/front' in pages is not a web address"),
        (outlet('pages = ["ftp://post.example/front"]'), "must begin with http:// or https://"),
        (outlet('pages = ["http://post.example:port/"]'), "not a web address"),
        (outlet('pages = "https://post.example/"'), "pages must be a list"),
        (outlet("pages = [7]"), "put each address in quotes"),
        (outlet('country = "Britain"'), "country = 'Britain' is no code"),
        (outlet("language = 5"), "language must be text"),
        (outlet("") + outlet(""), "listed twice"),
    ],
)
def test_load_outlets_says_what_to_do_when_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(OutletsError) as error:
        load_outlets(write(tmp_path, text))
    assert said in str(error.value)
    assert "outlets.toml" in str(error.value)


def test_load_outlets_names_outlet_and_line_when_wrong(tmp_path: Path) -> None:
    text = GOOD + '\n[[outlet]]\nname = "Third"\ndomain = "third.example"\nfeeds = ["nowhere"]\n'
    with pytest.raises(OutletsError, match=r"outlet 'Third' \(line 14\)"):
        load_outlets(write(tmp_path, text))


def test_load_outlets_says_so_when_file_is_missing_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(OutletsError, match="there is no list of outlets"):
        load_outlets(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'[[outlet]]\nname = "caf\xe9"')
    with pytest.raises(OutletsError, match="not UTF-8"):
        load_outlets(tmp_path / "latin.toml")
    with pytest.raises(OutletsError, match="cannot be read"):
        load_outlets(tmp_path)
