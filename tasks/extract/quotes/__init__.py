"""What was said: quotes with cue, speaker and source, and which of them are one utterance over articles."""

from __future__ import annotations

from typing import Any

from tasks import tables


def find_quotes(doc: Any, article: tables.Article) -> tuple[list[tables.Quote], list[tables.Source]]:
    """Quotes and sources of one parsed article, see `tasks.extract.quotes.find`."""
    from tasks.extract.quotes.find import (
        find_quotes as find,
    )  # the models' code loads only where it is used

    return find(doc, article)


__all__ = ["find_quotes"]
