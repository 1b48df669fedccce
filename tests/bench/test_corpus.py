"""Copies of pages for long runs are other articles, not copies to the step that looks for them."""

from __future__ import annotations

from pathlib import Path

from bench.corpus import Original, copied, copies, words_of, write_corpus
from bench.pages import read_pages

SENTENCES = " ".join(
    f"The {who} of {where} reported {what} yesterday evening." for who in ("mayor", "judge", "miner", "nurse")
    for where in ("Arland", "Borken", "Cresta") for what in ("losses", "floods", "strikes", "victories")
)  # fmt: skip
HTML = (
    '<html lang="en"><head><link rel="canonical" href="https://example.org/news/1"><script>var losses = "losses";</script>'
    f"</head><body><p>{SENTENCES}</p></body></html>"
)
OTHER_WORDS = (
    "manor minor tutor actor donor nudge badge ledge wedge diner tuner owner loner curse horse verse tense reported departed "
    "imported exported resorted adopted evening morning heating lending pending leading bosses passes kisses misses floods "
    "periods methods strikes invokes remakes mistakes victories memories theories categories "
)
PAGE = Original(url="https://example.org/news/1", html=HTML, language="en")


def test_copied_changes_address_and_words_but_no_markup() -> None:
    assert copied(PAGE, 0, {}) == (PAGE.url, HTML)
    words = words_of([PAGE, Original(url="https://example.org/2", html=f"<p>{OTHER_WORDS * 60}</p>", language="en")])
    url, html = copied(PAGE, 3, words)
    assert url == "https://example.org/c3/news/1"
    assert f'href="{url}"' in html
    assert 'var losses = "losses";' in html
    text = html.partition("<p>")[2].partition("</p>")[0]
    assert [len(w) for w in text.split()] == [len(w) for w in SENTENCES.split()]
    changed = sum(a != b for a, b in zip(text.split(), SENTENCES.split(), strict=True)) / len(text.split())
    assert 0.1 < changed < 0.5
    assert copied(PAGE, 3, words) == (url, html)


def test_copies_gives_each_page_before_any_twice() -> None:
    other = Original(url="https://example.net/2", html="<p>Rain fell.</p>", language="")
    urls = [url for url, _ in copies([PAGE, other], 5)]
    assert sorted(urls[:2]) == ["https://example.net/2", "https://example.org/news/1"]
    assert len(set(urls)) == 5


def test_write_corpus_is_read_as_pages(tmp_path: Path) -> None:
    pages = read_pages(write_corpus(tmp_path / "few.warc.gz", [PAGE], 2))
    assert [p.url for p in pages] == ["https://example.org/news/1", "https://example.org/c1/news/1"]
    assert b"yesterday" in pages[0].body
