"""What a piece of text looks like: features shared by the models of page blocks and of text units."""

from __future__ import annotations

import bisect
import functools
import json
import re
from dataclasses import dataclass
from importlib import resources

STOPWORDS = frozenset(
    "the of and to in a is was for that on with as by at from it be this have are has had he she they we you i his her"
    " their its not but or an which who will would been were said der die und das den von zu mit ist im nicht ein eine"
    " sich auf für dem des dass es an als auch werden bei hat sie er wie so aus nach el la de que y en los las por con"
    " del se un una para su al lo como más le et les des du une pour dans qui sur pas est au par il di che è non per"
    " della sono het een van dat op te voor niet zijn og i på som med til av den det att om".split()
)
IN_PROSE = frozenset({"byline", "dateline", "navigation"})
"""Kinds whose words ("by ", "published", "home") stand in ordinary sentences too."""
MAX_CHARS = 1500
_SENTENCE_END = re.compile(r"[.!?…。！？][\"”’»)\]']*$")
_DATE = re.compile(
    r"\b\d{1,2}[:.]\d{2}\b|\b(?:19|20)\d{2}\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zäé]*\.?\s+\d|\bago\b",
    re.I,
)
_WEB = re.compile(r"https?://|www\.|\w@\w|\.com\b|@\w+|#\w+")
_SECOND_PERSON = re.compile(r"\b(?:you|your|yours|our|us|we|ihre?|sie|unser\w*|vous|votre|usted|tu)\b", re.I)
_QUOTE = re.compile(r"[\"“”„«»]")
_BY = re.compile(r"^(?:by|von|por|par|di|door)\s+[A-ZÀ-Þ]", re.I)
_CAPITAL = re.compile(r"\b[A-ZÀ-ÖØ-Þ]")
_STARTS = re.compile(r"\b(?=(\w..))", re.S)
_DIGIT = re.compile(r"\d")
_SHOUT = re.compile(r"^[A-Z0-9 &:|,.'’\-]{4,}$")


_QUOTED = re.compile(r"[“\"„«][^”\"“»\n]{1,600}(?:[”\"“»]|$)")
_FIRST_PERSON = re.compile(
    r"\b(?:we|our|ours|us|wir|unser\w*|uns|nous|notre|nos|nosotros|nuestr\w+|noi|nostr\w+)\b", re.I
)


_READER = re.compile(
    r"\b(?:you|your|yours|ihnen|ihre[nrms]?|vous|votre|vos|usted|ustedes|tu|tus|súmate|súmese|únete|únase|apóyanos|voi|vostro)\b",
    re.I,
)


def speaks_for_itself(text: str) -> int:
    """How often the outlet speaks of itself: first person plural outside of quotation marks, 0 to 3."""
    return min(3, len(_FIRST_PERSON.findall(_QUOTED.sub(" ", text[:1500]))))


def addresses_reader(text: str) -> bool:
    """Whether it speaks to the reader, outside of quotation marks."""
    return _READER.search(_QUOTED.sub(" ", text[:1500])) is not None


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """Furniture phrases with the number of their kind. An alternation of 300 phrases is what re is slowest at."""

    kinds: tuple[str, ...]
    by_start: dict[str, list[tuple[str, int]]]  # first three characters -> phrases that begin at a word's start
    anywhere: list[tuple[str, int]]  # phrases that begin with a sign


@functools.cache
def _lexicon() -> _Lexicon:
    text = resources.files("tasks.clean").joinpath("lexicon.json").read_text(encoding="utf-8")
    kinds: dict[str, list[str]] = json.loads(text)
    by_start: dict[str, list[tuple[str, int]]] = {}
    anywhere = []
    for number, phrases in enumerate(kinds.values()):
        for phrase in phrases:
            if phrase[0].isalnum() and len(phrase) >= 3:
                by_start.setdefault(phrase[:3], []).append((phrase, number))
            else:
                anywhere.append((phrase, number))
    return _Lexicon(tuple(kinds), by_start, anywhere)


def _begun(low: str, phrase: str) -> int:
    """How often a phrase stands at the start of a word."""
    count, at = 0, low.find(phrase)
    while at >= 0:
        before = low[at - 1 : at]
        count += not (before.isalnum() or before == "_")
        at = low.find(phrase, at + 1)
    return count


@functools.lru_cache(maxsize=2048)
def kinds_of(text: str) -> tuple[str, ...]:
    """Kinds of furniture whose phrases the text's first 600 code points hold, those with most hits first."""
    low = text[:600].lower()
    lexicon = _lexicon()
    hits = [0] * len(lexicon.kinds)
    for start in lexicon.by_start.keys() & set(_STARTS.findall(low)):
        for phrase, number in lexicon.by_start[start]:
            if phrase in low:
                hits[number] += _begun(low, phrase)
    for phrase, number in lexicon.anywhere:
        hits[number] += phrase in low
    order = sorted((-n, k) for k, n in enumerate(hits) if n)
    return tuple(lexicon.kinds[k] for _, k in order)


def bucket(value: float, edges: tuple[float, ...]) -> int:
    return bisect.bisect_right(edges, value)


_LENGTHS = (1, 2, 3, 4, 6, 8, 11, 15, 20, 28, 40, 60, 100)


def length_bucket(n_words: int) -> int:
    return bucket(n_words, _LENGTHS)


def shape_of(character: str) -> str:
    """What kind of character it is; of other signs the sign itself."""
    if character.isdigit():
        return "digit"
    if character.isalpha():
        return "lower" if character.islower() else "upper"
    return character


def text_features(text: str, tokens: list[str]) -> list[str]:
    """Features of the piece by itself, some twenty strings. `tokens`: the words of its first MAX_CHARS code points."""
    sample = text[:MAX_CHARS]
    n = len(tokens)
    raw = sample.split()
    stop = len([t for t in tokens if t in STOPWORDS]) / n if n else 0.0
    capitals = len(_CAPITAL.findall(sample)) / max(1, len(raw))
    digits = len(_DIGIT.findall(sample)) / max(1, len(sample))
    ended = bool(_SENTENCE_END.search(sample[-8:]))
    found = [
        f"len={length_bucket(n)}",
        f"len,end={bucket(n, (2, 4, 8, 15, 30))},{ended}",
        f"stop={bucket(stop, (0.01, 0.15, 0.25, 0.35, 0.45))}",
        f"stop,len={bucket(stop, (0.01, 0.2, 0.35))},{bucket(n, (4, 10, 25))}",
        f"caps={bucket(capitals, (0.05, 0.15, 0.3, 0.5, 0.75))}",
        f"digits={bucket(digits, (0.001, 0.05, 0.15, 0.4))}",
        f"first={shape_of(sample[:1])}",
        f"last={sample[-1:] if not sample[-1:].isalnum() else 'w'}",
    ]
    if _DATE.search(sample):
        found.append(f"date,{bucket(n, (6, 12, 25))}")
    if _WEB.search(sample):
        found.append("web")
    if _SECOND_PERSON.search(sample):
        found.append(f"you,{bucket(n, (8, 20))}")
    if _QUOTE.search(sample):
        found.append("quote")
    if _BY.search(sample):
        found.append(f"by,{bucket(n, (5, 10))}")
    if _SHOUT.match(sample):
        found.append("shout")
    if "|" in sample or "•" in sample or "»" in sample[-3:]:
        found.append("bar")
    found.extend(f"k:{kind},{bucket(n, (6, 15, 30))}" for kind in kinds_of(sample))
    return found


def word_features(found: list[str]) -> list[str]:
    """First, second and last word, and every word of a short piece."""
    tokens = [("0" if t.isdigit() else t) for t in found]
    if not tokens:
        return ["nowords"]
    found = [f"w1={tokens[0]}", f"w12={' '.join(tokens[:2])}", f"wl={tokens[-1]}"]
    if len(tokens) <= 30:
        found += [f"w:{t}" for t in sorted(set(tokens))]
    return found
