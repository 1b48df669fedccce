"""One utterance, many articles: which quotes are the same words said once, cut, quoted in part or told indirectly.

Batch and exact: runs of three words go into one sorted index, pairs that share enough telling ones are compared, and
pairs that are likely one utterance are joined. No pair is looked at that shares nothing, and a run of words that many
texts have gives each of them a few neighbours, not all: time and memory are linear in the words, about 350 bytes a
word. The answer does not depend on the order of the rows.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tasks import tables
from tasks.extract.quotes.utterances import (
    TELLING,
    QuoteKey,
    Utterance,
    days_between,
    likeness,
    marked,
    marked_weight,
    utterance_of,
)

MIN_WORDS = 4
"""A quote with fewer words has no group: "yes" and "no comment" are said too often to be one utterance."""
MIN_MARKED = 1.25
"""What fewer must tell in marks to have one all the same: "extremely careless" does, "not now" does not."""
MIN_TOLD = 7
"""The same for words told, not quoted: "the North American Free Trade Agreement" is nobody's utterance."""
MAX_RUN = 40
"""Texts that share three words up to which all pairs of them are compared."""
NEIGHBOURS = 4
"""Of more texts, each is compared with so many that go on most alike."""
MAX_COMPARED = 25
"""Texts that one is compared with: those that share most with it."""
MIN_SHARED = 1.2
"""What runs of three words must tell together for a pair to be compared: two words of some weight."""
TELLS_ALONE = 1.0
"""What a run must tell for the texts that have it to be compared when they are more than MAX_RUN."""
LIKELY = 0.45
SURE = 0.8
"""Below it a pair joins two groups only if their members are alike on the whole: weak links make no chains."""
CHAIN = 0.2
"""The mean likeness of their members that is asked for then."""
MAX_MEMBERS = 6
"""Members of each that are compared for it."""
AGAIN_DAYS = 3
"""The very same text is indexed again when it is printed so much later."""
MAX_SPEAKERS = 8
"""Speakers of the very same text that are told apart."""

__all__ = ["QuoteKey", "group_quotes", "key_of"]

I64 = np.ndarray[Any, np.dtype[np.int64]]
F64 = np.ndarray[Any, np.dtype[np.float64]]
_BITS = 21  # of a word's number: three of them make one code
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)


def group_quotes(rows: Iterable[QuoteKey], known: Mapping[str, str] | None = None) -> dict[str, str]:
    """quote_id -> quote_group, for every quote that has words enough to be known again; a group may have one member.

    `rows` are the quotes of this batch and of the earlier nights it is compared with; `known` are the groups those
    earlier quotes already have. A group keeps its id when members join it; if two known groups turn out to be one, the
    smaller id stays. A new group's id comes from its members' ids, so neither order nor repetition changes it.
    """
    items = _in_time(rows)
    out = {}
    for members in _joined(items, _pairs(items)):
        ids = [items[i].key.quote_id for i in members]
        old = [known[i] for i in ids if known and i in known]
        group = min(old) if old else tables.make_id("u", min(ids))
        out.update(dict.fromkeys(ids, group))
    return out


def doubtful_pairs(rows: Iterable[QuoteKey]) -> list[tuple[Utterance, Utterance]]:
    """The pairs that are compared, for training."""
    items = _in_time(rows)
    return [(items[a], items[b]) for a, b in _pairs(items)]


def _in_time(rows: Iterable[QuoteKey]) -> list[Utterance]:
    items = [u for u in map(utterance_of, rows) if identifies(u)]
    return sorted(items, key=lambda u: (u.key.seen_at or _FIRST, u.key.quote_id))


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


def identifies(u: Utterance) -> bool:
    """Whether a quote has words enough to be known again: MIN_WORDS, or MIN_TOLD with three telling ones if told."""
    if marked(u):
        return len(u.words) >= MIN_WORDS or marked_weight(u) >= MIN_MARKED
    return len(u.words) >= MIN_TOLD and sum(w >= TELLING for w in u.weights) >= 3


def _joined(items: list[Utterance], pairs: list[tuple[int, int]]) -> list[list[int]]:
    """Groups of items: sure pairs first, so that most others need no look; then likely ones, the likeliest first."""
    group = list(range(len(items)))  # the item under whose number a group goes
    members = {i: [i] for i in group}

    def join(a: int, b: int) -> None:
        one, other = sorted((group[a], group[b]), key=lambda g: (-len(members[g]), g))
        moved = members.pop(other)
        members[one] += moved
        for i in moved:
            group[i] = one

    @functools.lru_cache(maxsize=1 << 18)
    def like(a: int, b: int) -> float:
        return likeness(items[a], items[b])

    doubtful = []
    for a, b in pairs:
        if group[a] != group[b]:
            p = like(a, b)
            if p >= SURE:
                join(a, b)
            elif p >= LIKELY:
                doubtful.append((-p, a, b))
    for _, a, b in sorted(doubtful):
        ours, theirs = group[a], group[b]
        if ours != theirs and _alike_on_the_whole(like, sorted(members[ours]), sorted(members[theirs])):
            join(a, b)
    return [members[i] for i in sorted(members)]


def _alike_on_the_whole(like: Callable[[int, int], float], ours: list[int], theirs: list[int]) -> bool:
    some = [(min(a, b), max(a, b)) for a in ours[:MAX_MEMBERS] for b in theirs[:MAX_MEMBERS]]
    return sum(like(a, b) for a, b in some) >= CHAIN * len(some)


# --------------------------------------------------------------------------- pairs worth comparing


def _pairs(items: list[Utterance]) -> list[tuple[int, int]]:
    """Pairs that share telling words in order. Of texts that are the very same few go into the index."""
    out: set[tuple[int, int]] = set()
    indexed: list[int] = []
    shown: dict[tuple[str, ...], list[int]] = {}  # the last one of each speaker
    for i, u in enumerate(items):
        last = shown.setdefault(u.words, [])
        own = next((n for n, k in enumerate(last) if items[k].name == u.name), None)
        if own is not None:
            out.add((last[own], i))
            gap = days_between(items[last[own]].key, u.key)
            new = gap is not None and gap > AGAIN_DAYS
            last[own] = i
        elif len(last) < MAX_SPEAKERS:
            out.update((k, i) for k in last)
            last.append(i)
            new = True
        else:
            out.add((last[0], i))
            new = False
        if new:
            indexed.append(i)
    out.update(_near(items, indexed))
    return sorted(out)


def _near(items: list[Utterance], indexed: list[int]) -> Iterator[tuple[int, int]]:
    codes, owners, places, weights = _index(items, indexed)
    order = np.lexsort((places, owners, codes))
    order = order[_changes(codes[order], owners[order])]  # a text's first place of each
    codes, owners, places, weights = codes[order], owners[order], places[order], weights[order]
    starts = np.flatnonzero(_changes(codes))
    ends = np.append(starts, len(codes))[1:]
    lefts: list[I64] = []
    rights: list[I64] = []
    shares: list[F64] = []
    for s, e in zip(starts.tolist(), ends.tolist(), strict=True):
        if e - s < 2:
            continue
        weight = float(weights[s:e].min())
        run = owners[s:e]
        if e - s <= MAX_RUN:
            x, y = _all_pairs(e - s)
        elif weight >= TELLS_ALONE:
            run = _in_order(items, run, places[s:e])
            x, y = _next_ones(e - s)
        else:
            continue
        lefts.append(run[x])
        rights.append(run[y])
        shares.append(np.full(len(x), weight))
    if not lefts:
        return
    left, right = np.concatenate(lefts), np.concatenate(rights)
    low, high = np.minimum(left, right), np.maximum(left, right)
    keys, which = np.unique(low * len(items) + high, return_inverse=True)
    total: F64 = np.bincount(which, weights=np.concatenate(shares)).astype(np.float64)
    keys, total = keys[total >= MIN_SHARED], total[total >= MIN_SHARED]
    low, high = np.divmod(keys, len(items))
    kept = (_rank(low, total) < MAX_COMPARED) | (_rank(high, total) < MAX_COMPARED)
    yield from zip(low[kept].tolist(), high[kept].tolist(), strict=True)


def _changes(*columns: I64) -> Any:
    """Where a sorted table's rows differ from the row before."""
    out = np.zeros(len(columns[0]), dtype=bool)
    for c in columns:
        out |= np.diff(c, prepend=-1) != 0
    return out


def _rank(of: I64, total: F64) -> I64:
    """The place of each pair among those of its text, 0 for the one that shares most."""
    order = np.lexsort((np.arange(len(of)), -total, of))
    starts = np.flatnonzero(_changes(of[order]))
    within = np.arange(len(of)) - np.repeat(starts, np.diff(np.append(starts, len(of))))
    out = np.zeros(len(of), dtype=np.int64)
    out[order] = within
    return out


def _index(items: list[Utterance], indexed: list[int]) -> tuple[I64, I64, I64, F64]:
    """Every run of three words, and of two telling ones: its code, its text, where in it, and how much it tells."""
    numbers: dict[str, int] = {}
    codes, owners, places, weights = [], [], [], []
    for i in indexed:
        u = items[i]
        ids = np.array([numbers.setdefault(w, len(numbers) + 1) for w in u.words], dtype=np.int64) % (1 << _BITS)
        w = np.array(u.weights)
        threes = (ids[:-2] << 2 * _BITS) | (ids[1:-1] << _BITS) | ids[2:]
        two = np.flatnonzero(np.minimum(w[:-1], w[1:]) >= TELLING)
        codes += [threes, (ids[two] << _BITS) | ids[two + 1]]
        places += [np.arange(len(threes)), two]
        weights += [w[:-2] + w[1:-1] + w[2:], w[two] + w[two + 1]]
        owners.append(np.full(len(threes) + len(two), i))
    if not codes:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none, np.zeros(0)
    whole = [np.concatenate(x).astype(np.int64) for x in (codes, owners, places)]
    return whole[0], whole[1], whole[2], np.concatenate(weights)


def _in_order(items: list[Utterance], owners: I64, places: I64) -> I64:
    """The texts that have a run, in the order of the words that come after it: those that go on alike side by side."""
    keyed = sorted((items[i].words[k : k + 12], i) for i, k in zip(owners.tolist(), places.tolist(), strict=True))
    return np.array([i for _, i in keyed], dtype=np.int64)


@functools.lru_cache(maxsize=MAX_RUN + 1)
def _all_pairs(n: int) -> tuple[I64, I64]:
    x, y = np.triu_indices(n, 1)
    return x.astype(np.int64), y.astype(np.int64)


def _next_ones(n: int) -> tuple[I64, I64]:
    x = np.repeat(np.arange(n), NEIGHBOURS)
    y = x + np.tile(np.arange(1, NEIGHBOURS + 1), n)
    return x[y < n], y[y < n]
