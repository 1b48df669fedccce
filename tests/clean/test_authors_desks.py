"""By-lines that name a desk, a team or the outlet, and no person."""

from __future__ import annotations

import pytest

from tasks.clean.metadata import clean_names, find_authors, find_title
from tasks.clean.structured import Structured


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("Harbour News Bureau", []),
        ("港日報編集部", []),
        ("Redacción", []),
        ("Ana de la Torre", ["Ana de la Torre"]),
        ("anna torres", ["anna torres"]),
        ("The Associated Press", ["The Associated Press"]),
        ("Teamson Deskins", ["Teamson Deskins"]),
    ],
)
def test_names_when_a_desk_signs(stated: str, expected: list[str]) -> None:
    assert clean_names(stated) == expected


@pytest.mark.parametrize(("stated", "expected"), [("Harbour Post", ["Harbour Post"]), ("Harbour Post Staff", [])])
def test_authors_when_nobody_else_signs(stated: str, expected: list[str]) -> None:
    page = Structured(
        article={"author": {"@type": "Person", "name": stated}},
        ld_types=frozenset(), meta={"og:site_name": ["Harbour Post"]}, links={}, title_tag=None, headings=[], times=[],
    )  # fmt: skip
    assert find_authors(page, "harbourpost.example") == expected


def test_authors_when_marked_words_are_no_name() -> None:
    page = Structured(
        article=None, ld_types=frozenset(), meta={}, links={}, title_tag=None, headings=[], times=[],
        author_nodes=["The Islander and Northern harbour ministries"],
    )  # fmt: skip
    assert find_authors(page, None, ["By The Islander"]) == []


def test_title_when_the_headline_is_stated_as_the_site() -> None:
    headline = "Harbour council agrees to mend the old north pier"
    page = Structured(
        article=None, ld_types=frozenset(), meta={"og:site_name": [headline]}, links={}, title_tag=headline,
        headings=[headline], times=[],
    )  # fmt: skip
    assert find_title(page, None) == headline
