from __future__ import annotations

import pytest

from tasks.clean.identity import canonical_of, normal_url, outlet_of, text_key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("https://www.example.org/a/", "http://example.org/a"),
        ("https://example.org/a?utm_source=x&id=3", "https://EXAMPLE.org/a?id=3#top"),
        ("https://example.org:443/a/amp/", "https://example.org/a"),
        ("https://example.org/a?b=1&a=2", "https://example.org/a?a=2&b=1"),
    ],
)
def test_normal_url_is_equal_when_the_address_is_the_same(a: str, b: str) -> None:
    assert normal_url(a) == normal_url(b)


def test_normal_url_differs_when_a_parameter_names_the_article() -> None:
    assert normal_url("https://example.org/a?id=3") != normal_url("https://example.org/a?id=4")


@pytest.mark.parametrize(
    ("stated", "url", "wanted"),
    [
        ("/news/1", "https://example.org/x", "https://example.org/news/1"),
        ("https://example.org/", "https://example.org/news/1", None),
        ("javascript:void(0)", "https://example.org/x", None),
        ("http://[bad", "https://example.org/x", None),
        (None, "https://example.org/x", None),
    ],
)
def test_canonical_of_refuses_what_cannot_be_an_article(stated: str | None, url: str, wanted: str | None) -> None:
    assert canonical_of(stated, url) == wanted


def test_outlet_of_drops_www() -> None:
    assert outlet_of("https://www.Example.co.uk:8080/a") == "example.co.uk"
    assert outlet_of(None) is None


def test_text_key_is_of_the_id_when_the_corpus_gives_one() -> None:
    assert text_key("7", "a.org", None, "one") == text_key("7", "a.org", None, "two")
    assert text_key("7", "a.org", None, "one") != text_key("7", "b.org", None, "one")
    assert text_key(None, None, None, "one") != text_key(None, None, None, "two")
