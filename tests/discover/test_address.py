from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.discover.address import may_be_article, normalise, public, same_key


@pytest.mark.parametrize(
    ("given_as", "expected"),
    [
        ("https://Example.ORG/a", "https://example.org/a"),
        ("https://example.org", "https://example.org/"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://example.org/story?id=7", "https://example.org/story?id=7"),
        ("https://example.org/story?12345", "https://example.org/story?12345"),
        ("https://example.org/s?gallery=4&b=2&a=1", "https://example.org/s?gallery=4&b=2&a=1"),
        ("https://example.org/s?id=7&utm_source=rss&utm_medium=x", "https://example.org/s?id=7"),
        ("https://example.org/s?utm_source=rss#top", "https://example.org/s"),
        ("https://example.org/s?fbclid=Iw3&at_medium=RSS", "https://example.org/s"),
        ("https://example.org/s?ref=rss", "https://example.org/s"),
        ("https://example.org/s?ref=12345", "https://example.org/s?ref=12345"),
        ("https://example.org/s?a=1&amp;b=2", "https://example.org/s?a=1&b=2"),
        ("  https://example.org/a\n", "https://example.org/a"),
        ("https://me:secret@example.org/a", "https://example.org/a"),
        ("https://example.org/#!/story/7", "https://example.org/#!/story/7"),
        ("https://example.org/caf\u00e9", "https://example.org/caf%C3%A9"),
        ("https://example.org/caf%C3%A9", "https://example.org/caf%C3%A9"),
        ("https://b\u00fccher.example/a", "https://xn--bcher-kva.example/a"),
        ("http://[::1]:80/a", "http://[::1]/a"),
        ("http://127.0.0.1:8123/a", "http://127.0.0.1:8123/a"),
        ("mailto:desk@example.org", None),
        ("javascript:void(0)", None),
        ("/only/a/path", None),
        ("https://", None),
        ("https://exa[mple/", None),
        ("https://example.org:99999/", None),
        ("https://example.org/" + "a" * 5000, None),
        ("", None),
    ],
)
def test_normalise_gives_one_form(given_as: str, expected: str | None) -> None:
    assert normalise(given_as) == expected


def test_normalise_resolves_against_base() -> None:
    assert normalise("../b?id=1", base="https://example.org/x/y/") == "https://example.org/x/b?id=1"
    assert normalise("//other.example/b", base="https://example.org/") == "https://other.example/b"


@given(st.text(alphabet="abé/?&=#%:@.! 1\u202e[]", max_size=40))
def test_normalise_is_stable_and_never_raises(text: str) -> None:
    once = normalise("https://example.org/" + text)
    assert once is None or normalise(once) == once


def test_same_key_joins_forms_of_one_address() -> None:
    assert same_key("http://www.example.org/a/") == same_key("https://example.org/a")
    assert same_key("https://example.org/a") != same_key("https://example.org/b")


def test_public_hides_credentials() -> None:
    assert public("https://me:p@ss@example.org/a?x=@") == "https://example.org/a?x=@"
    assert public("https://example.org/a@b") == "https://example.org/a@b"
    assert "secret" not in public("https://me:secret@[broken/")


@pytest.mark.parametrize(
    ("path", "words", "expected"),
    [
        ("/news/2026/11/24/ferry-back-after-storm", "Ferry back", True),
        ("/news/article-48213077", "Ferry", True),
        ("/story.php?id=77", "Ferry", True),
        ("/ferry.html", "The ferry is back after the storm", True),
        ("/", "Home", False),
        ("/front", "The front page of this paper again", False),
        ("/world", "World", False),
        ("/tag/ferry-and-storm-and-sea", "Ferry", False),
        ("/author/jane-doe-of-the-harbour-post", "Jane Doe", False),
        ("/login?next=1234", "Sign in to read on", False),
        ("/newsletters/our-daily-mail-for-you", "Our daily mail for you", False),
        ("/images/ferry-back-after-storm.jpg", "Picture of the ferry", False),
        ("/subscribe", "Subscribe now for a pound a week", False),
    ],
)
def test_may_be_article_tells_stories_from_places(path: str, words: str, expected: bool) -> None:
    page = "https://post.example/front"
    assert may_be_article("https://post.example" + path, words, page=page, domain="post.example") is expected


def test_may_be_article_stays_with_the_outlet() -> None:
    path = "/news/2026/11/24/ferry-back-after-storm"
    for host, expected in [("post.example", True), ("www.post.example", True), ("other.example", False)]:
        assert may_be_article(f"https://{host}{path}", "", page="https://x.example/", domain="post.example") is expected
