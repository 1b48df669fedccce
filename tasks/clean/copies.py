"""Near-identical articles over outlets and nights: signatures, and which of them copy which.

The rule: two articles are copies when the Jaccard similarity of their word 5-grams, estimated from MinHash signatures,
reaches the setting copy_similarity, or when the later one is a cut version: CONTAINED of its 5-grams stand in the
earlier one. An article that takes an earlier, shorter one in and goes on is no copy of it. The original of a group is
the first seen (published, else fetched); at equal times the one that bears an agency's mark, then the smaller id.
Earlier nights come before this one: what has been written as an original stays one. Revisions of one article (equal
article_key) are not copies of one another.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rensa import RMinHash

from tasks.clean.agree import words
from tasks.tables import make_id

PERMUTATIONS = 128
"""Standard error of the estimate at a similarity of 0.8: 0.035."""
SHINGLE = 5
MIN_WORDS = 30
"""A shorter text has too few 5-grams for an estimate: it is a copy only of an equal text."""
MAX_WORDS = 20_000
BANDS, ROWS = 32, 4
"""Of two texts at similarity s, one band in BANDS of ROWS equal numbers makes them candidates with probability
1 - (1 - s**4)**32: 1.0000 at 0.8, 0.87 at 0.5, 0.05 at 0.2. Candidates are then judged by the estimate over all
numbers."""
CONTAINED = 0.85
"""Share of the shorter text's 5-grams in the longer one, estimated from their similarity and their lengths."""
MIN_SIMILAR = 0.35
"""Below this similarity containment cannot be estimated well enough: a cut to less than a third is not found."""

Signature = np.ndarray[Any, np.dtype[np.uint32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyKey:
    """What is needed of an article to find its copies: about 600 bytes, so a window of a million fits in memory."""

    article_id: str
    article_key: str
    signature: Signature
    published_at: dt.datetime | None
    fetched_at: dt.datetime | None
    agency: str | None
    outlet: str | None
    word_count: int
    copy_group: str | None = None  # of a known article: what an earlier night wrote
    is_original: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyVerdict:
    copy_group: str
    is_original: bool


def signature(text: str) -> Signature:
    """MinHash signature of the text's word 5-grams (no case, no punctuation): PERMUTATIONS unsigned 32-bit numbers.

    Of a text under five words, its words together are the one shingle; an empty text has the signature of nothing.
    """
    found = words(text)[:MAX_WORDS]
    count = max(1, len(found) - SHINGLE + 1) if found else 0
    shingles = {" ".join(found[i : i + SHINGLE]) for i in range(count)}  # words hold no lone surrogates
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=1)
    minhash.update(list(shingles))  # in any order: a minimum has none
    return np.asarray(minhash.digest(), dtype=np.uint32)


def estimate(a: Signature, b: Signature) -> float:
    """Estimated Jaccard similarity."""
    return float(np.count_nonzero(a == b)) / len(a)


def _order(key: CopyKey, known: bool) -> tuple[bool, bool, dt.datetime, bool, str]:
    seen = key.published_at or key.fetched_at
    return (not known, seen is None, seen or dt.datetime.max.replace(tzinfo=dt.UTC), key.agency is None, key.article_id)


def _bands(values: Signature) -> Iterator[tuple[int, bytes]]:
    """Keys under which near texts meet: locality-sensitive hashing by bands (Leskovec et al., Mining of Massive
    Datasets, 3.4), kept here because signatures come back from files and no library's index takes those."""
    for band in range(BANDS):
        yield band, values[band * ROWS : (band + 1) * ROWS].tobytes()


def _is_copy(key: CopyKey, head: CopyKey, similarity: float) -> bool:
    """Whether `key`, the later one, is a copy of `head`."""
    if head.article_key == key.article_key:
        return False
    if min(head.word_count, key.word_count) < MIN_WORDS:
        return head.word_count == key.word_count and bool(np.array_equal(head.signature, key.signature))
    similar = estimate(head.signature, key.signature)
    return similar >= similarity or (
        similar >= MIN_SIMILAR
        and key.word_count < head.word_count
        and contained(similar, key.word_count, head.word_count) >= CONTAINED
    )


def contained(similar: float, size: int, of: int) -> float:
    """Share of a text of `size` words that stands in one of `of` words, if their Jaccard similarity is `similar`."""
    return min(1.0, similar * (size + of) / ((1 + similar) * size))


def find_copies(
    rows: Iterable[CopyKey], known: Iterable[CopyKey] = (), *, similarity: float = 0.8
) -> dict[str, CopyVerdict]:
    """article_id -> its group and whether it is the original, for every article that has a copy; others are left out.

    `rows`: this night's articles; `known`: those of the window of earlier nights. The answer does not depend on their
    order. Every member is near the group's original, not merely near another member: groups do not drift.
    """
    unique = {k.article_id: (_order(k, True), k) for k in known}
    unique |= {r.article_id: (_order(r, False), r) for r in rows if r.article_id not in unique}
    index: dict[tuple[int, bytes], list[str]] = defaultdict(list)
    heads: dict[str, CopyKey] = {}  # possible originals by article_id
    place: dict[str, int] = {}
    verdicts: dict[str, CopyVerdict] = {}
    for at, (_, key) in enumerate(sorted(unique.values(), key=lambda pair: pair[0])):
        bands = list(_bands(key.signature))
        met = {i for band in bands if band in index for i in index[band]}
        near = [heads[i] for i in met if _is_copy(key, heads[i], similarity)]
        if near:
            head = min(near, key=lambda h: (-estimate(h.signature, key.signature), place[h.article_id]))
            group = head.copy_group or make_id("c", head.article_key)
            # a known copy whose original has left the window leads its group on, and stays a copy
            verdicts[head.article_id] = CopyVerdict(copy_group=group, is_original=head.is_original is not False)
            verdicts[key.article_id] = CopyVerdict(
                copy_group=key.copy_group or group, is_original=bool(key.is_original)
            )
        else:
            heads[key.article_id] = key
            place[key.article_id] = at
            for band in bands:
                index[band].append(key.article_id)
    return verdicts
