"""What the words of one block look like: features of the model of page blocks that need no context.

Only the first MAX_CHARS code points are looked at: furniture shows itself by then, and a page has sixty such blocks.
"""

from __future__ import annotations

import re

from tasks.clean.features import STOPWORDS, bucket, kinds_of, length_bucket, shape_of

MAX_CHARS = 300
_SENTENCE_END = re.compile(r"[.!?…。！？][\"”’»)\]']*$")
_DATE = re.compile(
    r"\b(?:\d{1,2}[:.]\d{2}|(?:19|20)\d{2}|ago)\b"
    r"|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zäé]*\.?\s+\d",
    re.I,
)
_WEB = re.compile(r"https?://|www\.|\w@\w|\.com\b|@\w+|#\w+")
_WEB_SIGNS = ("@", "#", "www.", "http", ".com")
_TO_READER = frozenset(
    "you your yours our us we ihr ihre ihren ihrem sie uns unser unsere unseren vous votre vos nous usted tu".split()
)
_QUOTES = frozenset('"“”„«»')
_BY = frozenset("by von por par di door".split())
_DIGITS = re.compile(r"\d")
_SHOUT = re.compile(r"[A-Z0-9 &:|,.'’\-]{4,}$")


def block_text_features(text: str, tokens: list[str]) -> tuple[list[str], list[str]]:
    """Features of a block by itself, and those of them that tell something of its neighbours too.

    `tokens`: the words of its first MAX_CHARS code points.
    """
    sample = text[:MAX_CHARS]
    n = len(tokens) if len(text) <= MAX_CHARS else len(text.split())
    raw = sample.split()
    stop = len([t for t in tokens if t in STOPWORDS]) / len(tokens) if tokens else 0.0
    capitals = len([w for w in raw if w[0].isupper()]) / len(raw)
    digits = len(_DIGITS.findall(sample)) / len(sample)
    last = text[-1]
    telling = [f"stop={bucket(stop, (0.01, 0.15, 0.25, 0.35, 0.45))}"]
    telling += [f"k:{kind},{bucket(n, (6, 15, 30))}" for kind in kinds_of(sample)]
    found = [
        f"len={length_bucket(n)}",
        f"len,end={bucket(n, (2, 4, 8, 15, 30))},{_SENTENCE_END.search(text[-8:]) is not None}",
        f"stop,len={bucket(stop, (0.01, 0.2, 0.35))},{bucket(n, (4, 10, 25))}",
        f"caps={bucket(capitals, (0.05, 0.15, 0.3, 0.5, 0.75))}",
        f"digits={bucket(digits, (0.001, 0.05, 0.15, 0.4))}",
        f"first={shape_of(sample[0])}",
        f"last={'w' if last.isalnum() else last}",
        *telling,
    ]
    if (digits or "ago" in sample) and _DATE.search(sample):
        found.append(f"date,{bucket(n, (6, 12, 25))}")
    if any(sign in sample for sign in _WEB_SIGNS) and _WEB.search(sample):
        found.append("web")
    if not _TO_READER.isdisjoint(tokens):
        found.append(f"you,{bucket(n, (8, 20))}")
    if not _QUOTES.isdisjoint(sample):
        found.append("quote")
    if len(raw) > 1 and tokens and tokens[0] in _BY and raw[1][0].isupper():
        found.append(f"by,{bucket(n, (5, 10))}")
    if _SHOUT.match(sample):
        found.append("shout")
    if "|" in sample or "•" in sample or text.endswith("»"):
        found.append("bar")
    found += _word_features(tokens, whole=len(text) <= MAX_CHARS)
    return found, telling


def _word_features(tokens: list[str], *, whole: bool) -> list[str]:
    """First, second and last word, and every word of a short piece."""
    if not tokens:
        return ["nowords"]
    folded = [("0" if t.isdigit() else t) for t in tokens[:31]]
    found = [f"w1={folded[0]}", f"w12={' '.join(folded[:2])}"]
    if whole:
        found.append(f"wl={'0' if tokens[-1].isdigit() else tokens[-1]}")
        if len(tokens) <= 30:
            found += [f"w:{t}" for t in sorted(set(folded))]
    return found
