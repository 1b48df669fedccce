"""The libraries that find a page's body: trafilatura first, newspaper3k as the other backend and second opinion."""

from __future__ import annotations

import logging
from typing import Any

import lxml.html
import trafilatura
from lxml import etree

# what a finder thinks of a page is in our own answer; its log would be a line a page
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("newspaper").setLevel(logging.CRITICAL)

MAX_TREE_CHARS = 3_000_000
MAX_TREE_TAGS = 30_000
"""The finders take a second a megabyte on dense pages, and 30 s on 100,000 tags, where our own walk takes 0.3 s. Larger
pages get that alone. The largest of 1,134 real pages have 0.7 MB and 20,000 tags."""


def is_bearable(html: str) -> bool:
    """Whether the finders would read the page in bearable time."""
    return len(html) <= MAX_TREE_CHARS and html.count("<") <= MAX_TREE_TAGS


def _tree(html: str) -> Any:
    """An lxml tree, or None where lxml refuses the page."""
    try:
        return lxml.html.document_fromstring(
            html.encode("utf-8", "replace"), parser=lxml.html.HTMLParser(encoding="utf-8")
        )
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def by_trafilatura(html: str, url: str | None) -> str:
    """Body text, one line a paragraph, empty where it finds none."""
    tree = _tree(html)
    if tree is None:
        return ""
    try:
        found = trafilatura.extract(
            tree, url=url, include_comments=False, include_tables=True, with_metadata=False, output_format="txt"
        )
    except (RecursionError, ValueError, TypeError, AttributeError, etree.LxmlError):
        # seen on malformed trees: a page that the finder cannot read is found by the next one
        return ""
    return found or ""


def by_newspaper(html: str, url: str | None, language: str | None) -> str:
    """The same by newspaper3k."""
    from newspaper import Article, Config

    config = Config()
    config.fetch_images = False
    config.memoize_articles = False
    if language:
        config.use_meta_language = False
        config.set_language(language)
    article = Article(url or "http://unknown.invalid/", config=config)
    article.set_html(html)
    try:
        article.parse()
    except (RecursionError, ValueError, TypeError, AttributeError, KeyError, OSError, etree.LxmlError):
        return ""
    return "\n".join(line.strip() for line in (article.text or "").split("\n") if line.strip())
