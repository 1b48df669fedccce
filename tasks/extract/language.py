"""The shared language pass: one spaCy parse of an article, used for quotes, sources and events alike."""

from __future__ import annotations

import functools
import importlib
import re
from typing import Any

PARAGRAPH = re.compile(r"[^\n]+")
# "GAO, Mali (Reuters) — ", "WASHINGTON - ": a place in capitals, more of its address, an agency or a day, a dash.
DATELINE = re.compile(
    r"[A-ZÀ-Þ][A-ZÀ-Þ.'’-]{2,30}(?: [A-ZÀ-Þ][A-ZÀ-Þ.'’-]{1,30}){0,3}"
    r"(?:, [A-Z][\w.’'-]{0,30}(?: [A-Z][\w.’'-]{1,30}){0,2}){0,2}(?:,? [A-Z][a-z]{2,8}\.? \d{1,2})?"
    r"(?: \([^()\n]{2,30}\))? ?(?:[—–]|-{1,2}) ?(?=[A-Z“\"‘])"
)
MAX_PARAGRAPH = 10_000
"""A paragraph longer than this is read in pieces: the parser's time and memory grow with a sentence's length."""


@functools.cache
def load_model(package: str) -> Any:
    """The spaCy pipeline of an installed model package. Raises OSError with what to install if it is not there."""
    try:
        module = importlib.import_module(package)
    except ImportError as err:
        raise OSError(
            f"the language model {package} is not installed: run `make setup`, or install it with pip"
        ) from err
    return module.load()


def _pieces(text: str) -> list[tuple[int, int]]:
    """Spans to parse: datelines, the rest of each paragraph; over-long ones cut at a space."""
    out = []
    for m in PARAGRAPH.finditer(text):
        start, end = m.span()
        dateline = DATELINE.match(text, start, end)
        if dateline:  # alone, or the parser makes a name of it: "HUARAZ — Engineers say"
            out.append((start, dateline.end()))
            start = dateline.end()
        while end - start > MAX_PARAGRAPH:
            cut = text.rfind(" ", start + 1, start + MAX_PARAGRAPH)
            cut = cut + 1 if cut > start else start + MAX_PARAGRAPH
            out.append((start, cut))
            start = cut
        out.append((start, end))
    return out


def parse(nlp: Any, text: str) -> Any:
    """One Doc whose `token.idx` are code points of `text`. No sentence crosses a paragraph.

    Each paragraph is parsed alone, then joined; line breaks between them become whitespace tokens (`token.is_space`),
    so `doc.text == text` holds.
    """
    from spacy.tokens import Doc

    docs = []
    at = 0
    pieces = _pieces(text)
    for (start, end), doc in zip(pieces, nlp.pipe([text[s:e] for s, e in pieces], batch_size=64), strict=True):
        if start > at:
            docs.append(_blank(nlp, text[at:start]))
        docs.append(doc)
        at = end
    if at < len(text):
        docs.append(_blank(nlp, text[at:]))
    if not docs:
        return Doc(nlp.vocab)
    joined = Doc.from_docs(docs, ensure_whitespace=False, exclude=["tensor"])  # type: ignore[call-arg]  # not in the stub
    assert joined is not None
    return joined


def _blank(nlp: Any, text: str) -> Any:
    from spacy.tokens import Doc

    return Doc(nlp.vocab, words=[text], spaces=[False], sent_starts=[True])
