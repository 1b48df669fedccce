"""One utterance, many articles: which quotes are the same words said once, cut, quoted in part or told indirectly.

Batch and exact: word trigrams go into one sorted index, pairs that share one are compared, and pairs that are the same
utterance are joined. The answer does not depend on the order of the rows. Memory is about 200 bytes a word of the
batch, so a night of a million quoted words takes some 200 MB.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tasks import tables
from tasks.extract.quotes.lexicon import read_table
from tasks.extract.quotes.marks import find_quoted

MIN_WORDS = 4
"""A quote with fewer words has no group: "yes" and "no comment" are said too often to be one utterance."""
MIN_TOLD = 7
"""The same for words told, not quoted: "the North American Free Trade Agreement" is nobody's utterance."""
MAX_RUN = 40
"""A trigram that more distinct texts share says nothing about any two of them."""
MAX_DAYS = 10
"""People repeat themselves: later than this only the very same words count as the same utterance."""
LONG_RUN = 14
"""Words running from which two texts are one utterance however far apart their days are."""
NEAR_DAYS = 3
"""Few words in marks are the same utterance only so near."""
MAX_WORDS = 400

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_COMMON = frozenset(" ".join(" ".join(row) for row in read_table("common_words.txt")).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteKey:
    """What grouping needs of a quote. `seen_at`: when its article was published, or fetched; None if unknown."""

    quote_id: str
    article_id: str
    text: str
    kind: str
    source_id: str | None
    source: str | None  # the source's name
    seen_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Utterance:
    key: QuoteKey
    words: tuple[str, ...]
    marked: tuple[tuple[str, ...], ...]  # its parts in quotation marks
    name: frozenset[str]


def group_quotes(rows: Iterable[QuoteKey], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """quote_id -> quote_group, for every quote that has words enough to be known again; a group may have one member.

    `rows` are the quotes of this batch and of the earlier nights it is compared with; `known` are the groups those
    earlier quotes already have. A group keeps its id when members join it; if two known groups turn out to be one, the
    smaller id stays. A new group's id comes from its members' ids, so neither order nor repetition changes it.
    """
    items = sorted((_utterance(r) for r in rows), key=lambda u: u.key.quote_id)
    items = [u for u in items if _identifies(u)]
    parent = list(range(len(items)))
    for a, b in _pairs(items):
        ra, rb = _root(parent, a), _root(parent, b)
        if ra != rb and same_utterance(items[a], items[b]):
            parent[max(ra, rb)] = min(ra, rb)
    members: dict[int, list[str]] = {}
    for i, u in enumerate(items):
        members.setdefault(_root(parent, i), []).append(u.key.quote_id)
    out = {}
    for ids in members.values():
        old = [known[i] for i in ids if known and i in known]
        group = min(old) if old else tables.make_id("u", ids[0])
        out.update(dict.fromkeys(ids, group))
    return out


def _identifies(u: _Utterance) -> bool:
    """Whether a quote has words enough to be known again: MIN_WORDS in marks, or MIN_TOLD with three telling ones."""
    marked = sum(map(len, u.marked))
    if marked:
        return len(u.words) >= MIN_WORDS or any(_telling(m) >= 2 for m in u.marked)
    return len(u.words) >= MIN_TOLD and _telling(u.words) >= 3


def key_of(quote: tables.Quote, source: tables.Source | None, seen_at: dt.datetime | None) -> QuoteKey:
    """The key of a row: the words of its parts without what stands between, and its source's name if it has one."""
    pieces = [quote.text[p.start - quote.start : p.end - quote.start] for p in quote.parts]
    return QuoteKey(
        quote_id=quote.quote_id,
        article_id=quote.article_id,
        text=" ".join(pieces) or quote.text,
        kind=quote.kind,
        source_id=quote.source_id,
        source=source.name if source and source.named else None,
        seen_at=seen_at,
    )


def _utterance(key: QuoteKey) -> _Utterance:
    text = key.text
    marked = [_words(text[q.start : q.end])[:MAX_WORDS] for q in find_quoted(text)]
    words = _words(text)[:MAX_WORDS]
    return _Utterance(key=key, words=words[words[:1] == ("that",) :], marked=tuple(m for m in marked if m),
                      name=frozenset(_words(key.source or "")) - _COMMON)  # fmt: skip


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.replace("’", "'").replace("'", "") for w in _WORD.findall(text.lower()))


def _root(parent: list[int], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def _pairs(items: list[_Utterance]) -> list[tuple[int, int]]:
    """Pairs of items that share a trigram, or a short phrase in quotation marks; equal texts are paired in a chain."""
    first: dict[tuple[str, ...], int] = {}
    out: set[tuple[int, int]] = set()
    hashes: list[int] = []
    owners: list[int] = []
    for i, u in enumerate(items):
        if u.words in first:
            out.add((first[u.words], i))
            first[u.words] = i
            continue
        first[u.words] = i
        grams = {" ".join(u.words[k : k + 3]) for k in range(len(u.words) - 2)}
        grams |= {" ".join(m) for m in u.marked if len(m) == 2}
        for g in grams:
            hashes.append(
                int.from_bytes(
                    hashlib.blake2b(g.encode(), digest_size=8).digest(),
                    "little",
                    signed=True,
                )
            )
            owners.append(i)
    order = np.argsort(np.array(hashes, dtype=np.int64), kind="stable")
    keys, who = (
        np.array(hashes, dtype=np.int64)[order],
        np.array(owners, dtype=np.int64)[order],
    )
    starts = (
        np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, dtype=np.int64)
    )
    ends = np.append(starts, len(keys))[1:]
    for s, e in zip(starts.tolist(), ends.tolist(), strict=True):
        if 2 <= e - s <= MAX_RUN:
            run = sorted(who[s:e].tolist())
            out.update((a, b) for k, a in enumerate(run) for b in run[k + 1 :])
    return sorted(out)


def same_utterance(a: _Utterance, b: _Utterance) -> bool:
    """Whether two quotes are the same words on the same occasion, as far as text, speaker and date can tell."""
    clash = bool(a.name and b.name and not a.name & b.name)
    if a.words == b.words:
        return not clash or len(a.words) >= 10
    agree = bool(a.name & b.name)
    gap = _days(a.key, b.key)
    run = _longest_run(a.words, b.words)
    if gap is not None and gap > MAX_DAYS:
        return run >= LONG_RUN and not clash
    if _whole_part(a, b) or _whole_part(b, a):
        return True
    ga, gb = _grams(a.words), _grams(b.words)
    shared = ga & gb
    short = min(len(ga), len(gb))
    if clash:
        return short >= 8 and len(shared) >= 0.8 * short and run >= 10
    if short >= 2 and len(shared) >= 0.6 * short and run >= (5 if gap is not None else 8):
        return True
    fewer = a.words if len(ga) <= len(gb) else b.words
    if (
        short >= 1
        and agree
        and (a.marked or b.marked)
        and len(shared) == short
        and _telling(fewer) >= 2 + (gap is not None and gap > NEAR_DAYS)
    ):
        return True
    return _same_marked(a, b, agree=agree, gap=gap)


def _whole_part(a: _Utterance, b: _Utterance) -> bool:
    """Whether a long part in quotation marks of one is all that the other says, or stands in marks there too."""
    return any(
        len(p) >= 7 and _telling(p) >= 3 and (p == b.words or any(_within(p, m) for m in b.marked)) for p in a.marked
    )


def _same_marked(a: _Utterance, b: _Utterance, *, agree: bool, gap: float | None) -> bool:
    """Whether words in quotation marks of one stand in the other's marks too. Few words need the same speaker and a
    near day: catchwords ("bomb the hell out of") are said again and again."""
    near = gap is None or gap <= NEAR_DAYS
    for x, y in ((a, b), (b, a)):
        inside = [p for p in x.marked if any(_within(p, m) for m in y.marked)]
        telling = max(map(_telling, inside), default=0)
        if agree and (telling >= 3 or (telling == 2 and near)):
            return True
        if telling >= 3 and max(map(len, inside)) == telling:
            return True  # no small word in it: "overclassification run amok"
        said = [p for p in x.marked if len(p) >= 3 and _within(p, y.words)]
        if len(said) >= 2 and sum(map(_telling, said)) >= 3:
            return True
    if not (agree and near):
        return False
    return any(_telling_run(p, m) >= 3 for p in a.marked for m in b.marked)


def _telling_run(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """Longest run of telling words that two parts share."""
    best = 0
    for k in range(len(a)):
        n = 0
        while k + n < len(a) and _telling(a[k + n : k + n + 1]):
            n += 1
        while n > best and not _within(a[k : k + n], b):
            n -= 1
        best = max(best, n)
    return best


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    n = len(part)
    return any(whole[k : k + n] == part for k in range(len(whole) - n + 1))


def _telling(words: tuple[str, ...]) -> int:
    return sum(w not in _COMMON and len(w) > 2 for w in words)


def _grams(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    return {words[k : k + 3] for k in range(len(words) - 2)}


def _longest_run(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    best = 0
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b):
            now = row[j + 1]
            row[j + 1] = before + 1 if x == y else 0
            best = max(best, row[j + 1])
            before = now
    return best


def _days(a: QuoteKey, b: QuoteKey) -> float | None:
    if a.seen_at is None or b.seen_at is None:
        return None
    return abs((a.seen_at - b.seen_at).total_seconds()) / 86400
