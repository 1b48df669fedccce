"""A night of any size out of the 1,134 pages: each copy at an address of its own and with other words.

Half of a page's longer words are changed for others of the same language, length, case and ending, so that no copy is
one to the step that looks for copies, while sentences keep their shape and words stay words. Structured data is left
alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.pages import read_pages
from tasks.clean.decode import decode
from tasks.scrape.warc_records import new_id, record

CHANGED = 0.5
"""Share of the words of MIN_LETTERS letters and more that a copy changes."""
MIN_LETTERS = 5
_MARKUP = re.compile(r"(<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[^>]*>)", re.S | re.I)
_WORD = re.compile(rf"[^\W\d_]{{{MIN_LETTERS},}}")
_LANGUAGE = re.compile(r"<html\b[^>]*?\blang\s*=\s*[\"']?([a-zA-Z]{2})", re.I)
Key = tuple[str, int, bool, str]
Words = dict[Key, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One of the pages, decoded; `language` as its markup states it, "" where it does not."""

    url: str
    html: str
    language: str


def originals(files: list[Path]) -> list[Original]:
    """The pages that are text, in their order."""
    out = []
    for page in (p for file in files for p in read_pages(file)):
        html = decode(page.body, page.content_type)
        if html is not None and page.url:
            said = _LANGUAGE.search(html)
            out.append(Original(url=page.url, html=html, language=said.group(1).lower() if said else ""))
    return out


def words_of(pages: list[Original]) -> Words:
    """The words that may stand for each other, with those that are frequent as often as they occur."""
    out: Words = {}
    for page in pages:
        for part in _MARKUP.split(page.html)[::2]:
            for word in _WORD.findall(part):
                out.setdefault(_key(page.language, word), []).append(word)
    return out


def _key(language: str, word: str) -> Key:
    return language, len(word), word[0].isupper(), word[-2:]


def copied(page: Original, number: int, words: Words) -> tuple[str, str]:
    """Address and markup of a page's copy of that number; copy 0 is the page itself."""
    if not number:
        return page.url, page.html
    host = urlsplit(page.url).netloc
    dice = random.Random(f"{number} {page.url}")

    def other(m: re.Match[str]) -> str:
        return dice.choice(words[_key(page.language, m.group())]) if dice.random() < CHANGED else m.group()

    parts = _MARKUP.split(page.html)
    parts[::2] = [_WORD.sub(other, part) for part in parts[::2]]
    html = "".join(parts).replace(f"//{host}/", f"//{host}/c{number}/")  # its canonical address is that of the copy
    return page.url.replace(f"//{host}", f"//{host}/c{number}", 1), html


def copies(pages: list[Original], n: int) -> Iterator[tuple[str, str]]:
    """n addresses with their markup: the pages, then all their first copies, and so on, each round shuffled."""
    words = words_of(pages) if n > len(pages) else {}
    for number in range(-(-n // len(pages))):
        order = random.Random(number).sample(pages, len(pages))
        for page in order[: n - number * len(pages)]:
            yield copied(page, number, words)


def write_corpus(path: Path, pages: list[Original], n: int) -> Path:
    """A WARC of n pages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    with path.open("wb") as out:
        for url, html in copies(pages, n):
            block = head + html.encode("utf-8", "replace")
            headers = [("WARC-Target-URI", url), ("WARC-Date", "2026-03-01T00:00:00Z")]
            out.write(record("response", "application/http; msgtype=response", block, headers, record_id=new_id()))
    return path
