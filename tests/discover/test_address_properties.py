"""What normalisation promises of every address, not of some."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.discover.address import normalise, public, same_key

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
hosts = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]\.(?:org|com|co\.uk|example)", fullmatch=True).filter(
    lambda host: not host.startswith("www.")  # www.org is a host of its own
)
paths = st.lists(st.text(LETTERS + "-_.~éß ", min_size=1, max_size=10), max_size=4).map(lambda p: "/" + "/".join(p))
names = st.text(LETTERS, min_size=1, max_size=8).map(lambda n: "q" + n)  # no name of a tracker begins with q
values = st.text(LETTERS + "-_.%20", max_size=8)
queries = st.lists(st.tuples(names, values), max_size=4)
trackers = st.sampled_from(
    [
        "utm_source=rss",
        "utm_campaign=a_b",
        "fbclid=IwAR0",
        "gclid=1",
        "mc_cid=7",
        "at_medium=x",
        "ref=rss",
        "xtor=RSS-1",
    ]
)


def address(host: str, path: str, query: list[tuple[str, str]], *more: str, scheme: str = "https") -> str:
    parts = [*(f"{n}={v}" for n, v in query), *more]
    return f"{scheme}://{host}{path}" + (f"?{'&'.join(parts)}" if parts else "")


@given(hosts, paths, queries)
def test_normalising_twice_is_normalising_once(host: str, path: str, query: list[tuple[str, str]]) -> None:
    once = normalise(address(host, path, query))
    assert once is not None
    assert normalise(once) == once


@given(hosts, paths, queries, trackers, st.integers(0, 4))
def test_trackers_make_no_second_article(
    host: str, path: str, query: list[tuple[str, str]], tracker: str, at: int
) -> None:
    parts = [f"{n}={v}" for n, v in query]
    parts.insert(min(at, len(parts)), tracker)
    assert normalise(f"https://{host}{path}?{'&'.join(parts)}") == normalise(address(host, path, query))


@given(hosts, paths, queries)
def test_no_parameter_of_an_article_is_lost(host: str, path: str, query: list[tuple[str, str]]) -> None:
    got = normalise(address(host, path, query))
    assert got is not None
    kept = parse_qsl(urlsplit(got).query, keep_blank_values=True)
    wanted = parse_qsl("&".join(f"{n}={v}" for n, v in query), keep_blank_values=True)
    assert kept == wanted


@given(hosts, paths, queries, queries)
def test_two_articles_that_differ_in_a_parameter_stay_two(
    host: str, path: str, one: list[tuple[str, str]], two: list[tuple[str, str]]
) -> None:
    a, b = (normalise(address(host, path, q)) for q in (one, two))
    assert (a == b) is (one == two)


@given(hosts, paths, queries, st.sampled_from(["HTTPS", "Https", "https"]), st.booleans(), st.text(LETTERS, max_size=5))
def test_spelling_that_means_nothing_makes_no_difference(
    host: str, path: str, query: list[tuple[str, str]], scheme: str, port: bool, fragment: str
) -> None:
    spelt = address(host.upper() + (":443" if port else ""), path, query, scheme=scheme) + f"#{fragment}"
    assert normalise(f"  {spelt}\n") == normalise(address(host, path, query))


@given(hosts, paths, st.text(LETTERS, min_size=1, max_size=8), st.text(LETTERS + "@:", max_size=8))
def test_no_user_name_or_password_stays(host: str, path: str, user: str, password: str) -> None:
    got = normalise(f"https://{user}:{password}@{host}{path}")
    assert got == normalise(f"https://{host}{path}")
    assert public(f"https://{user}:{password}@{host}{path}") == f"https://{host}{path}"


@given(st.text(max_size=200), st.one_of(st.none(), st.just("https://post.example/a/b?c=d")))
def test_whatever_stands_in_a_page_is_an_http_address_or_none(text: str, base: str | None) -> None:
    got = normalise(text, base=base)
    if got is not None:
        parts = urlsplit(got)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert "@" not in parts.netloc
        assert got.isascii()
        assert not any(c.isspace() for c in got)
        assert same_key(got)


@given(hosts, paths, queries)
def test_key_is_the_same_for_http_www_and_a_last_slash(host: str, path: str, query: list[tuple[str, str]]) -> None:
    plain = normalise(address(host, path, query))
    dressed = normalise(address(f"www.{host}", path, query, scheme="http"))
    assert plain is not None
    assert dressed is not None
    assert same_key(plain) == same_key(dressed)


@pytest.mark.parametrize("query", ["id=7", "7", "p=7&amp;lang=en", "article=a-b", "story", "ref=12345", "gallery=3"])
def test_parameters_that_name_articles_stay(query: str) -> None:
    got = normalise(f"https://post.example/s?{query}")
    assert got == f"https://post.example/s?{query.replace('&amp;', '&')}"
