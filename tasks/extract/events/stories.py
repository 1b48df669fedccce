"""Which articles tell one happening: a light key of each article, and stories joined night by night.

An article's key holds its weighty words and pairs of words, and its *anchors*: sentences of its first part that name a
day, as that day and their words. Two articles tell one happening when their words agree and an anchor of either speaks
of the same day in the same words. A shared topic without a shared day is not enough: that is what a plain TF-IDF
threshold gets wrong.

A story is known by its first article (by day, then id), so ids do not depend on shards or their order. Weights were
fitted on pairs of articles judged by people (train_stories.py).
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from tasks import tables
from tasks.extract.events.dates import CALENDAR, find_dates

WORDS = Path(__file__).parent / "data" / "story_words.npz"
READ_CHARS = 5000
MAX_TERMS = 120
MAX_PAIRS = 60
MAX_ANCHORS = 8
MAX_MEMBERS = 8
"""Members of a story that are kept to compare with: its first ones."""
_WORD = re.compile(r"[^\W\d_](?:[\w'’.-]*[^\W_])?|\d[\d,.]*\d|\d")
_TOKEN = re.compile(r"[^\W_][\w'’-]*|[.!?:“”\"\n]")
_SENTENCE = re.compile(r"(?<=[a-z0-9”\"’)][.!?])\s+(?=[A-Z“\"‘])|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryKey:
    """What is kept of an article to compare it with others (about 4 KB)."""

    article_id: str
    day: date | None
    title: frozenset[str]
    names: frozenset[str]
    terms: tuple[tuple[str, int], ...]
    pairs: frozenset[str]
    anchors: tuple[tuple[date, frozenset[str]], ...]
    happenings: frozenset[tuple[str, str]]  # event type and place
    copy_group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStory:
    """A story of an earlier night: its id and keys of some of its articles."""

    story_id: str
    members: tuple[StoryKey, ...]


@functools.lru_cache(maxsize=1 << 16)
def _normal(word: str) -> str:
    word = word.lower().replace("’", "'").removesuffix("'s").strip(".'-")
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def words_of(text: str) -> list[str]:
    """Normalised words of a text."""
    return [w for m in _WORD.finditer(text) if len(w := _normal(m.group(0))) > 1]


def names_of(text: str) -> frozenset[str]:
    """Normalised words that are written with a capital inside sentences, and never without; no days or months."""
    small, large = set(), set()
    inside = False
    for m in _TOKEN.finditer(text):
        word = m.group(0)
        if not word[0].isalnum():
            inside = False
            continue
        if word[0].islower():
            small.add(_normal(word))
        elif inside and word[0].isupper() and len(word) > 1:
            large.add(_normal(word))
        inside = True
    return frozenset(large - small - CALENDAR)


class Background:
    """In how many articles a word stands, as far as we know: a shipped table, with the night's own articles added."""

    def __init__(self, n: int, counts: dict[str, int]) -> None:
        self.n, self.counts = n, counts
        self._weights: dict[str, float] = {}
        self._vectors: dict[str, tuple[dict[str, float], float]] = {}

    def weight(self, term: str) -> float:
        known = self._weights.get(term)
        if known is None:
            known = max(0.0, math.log((self.n + 1) / (self.counts.get(term, 0) + 0.5)))
            self._weights[term] = known
        return known

    def total(self, terms: Iterable[str]) -> float:
        """Weight of a set of words, summed in one order."""
        return sum(map(self.weight, sorted(terms)))

    def vector(self, k: StoryKey) -> tuple[dict[str, float], float]:
        """Weights of an article's words, and their length; kept, since an article is compared with dozens."""
        found = self._vectors.get(k.article_id)
        if found is None:
            weights = {t: (1 + math.log(n)) * self.weight(t) for t, n in k.terms}
            found = weights, math.sqrt(sum(v * v for v in weights.values()))
            self._vectors[k.article_id] = found
        return found

    def plus(self, keys: Iterable[StoryKey]) -> Background:
        """The same with the words of these articles counted in."""
        more, n = Counter(self.counts), self.n
        for k in keys:
            n += 1
            more.update([t for t, _ in k.terms])
        return Background(n, dict(more))


@functools.cache
def background() -> Background:
    with np.load(WORDS) as data:
        words = data["words"].tobytes().decode().split("\n")
        return Background(int(data["n"]), dict(zip(words, data["counts"].tolist(), strict=True)))


def story_key(article: tables.Article, events: Sequence[tables.Event]) -> StoryKey:
    """The key of an article and its events. Bounded: only the first 5,000 code points are read."""
    return make_key(
        article.article_id,
        article.text,
        title=article.title,
        day=article.published_at.date() if article.published_at else None,
        happenings=frozenset(
            (e.type, e.place_name) for e in events if e.modality in tables.REAL and e.place_name is not None
        ),
        copy_group=article.copy_group,
    )


def make_key(
    article_id: str,
    text: str,
    *,
    title: str | None,
    day: date | None,
    happenings: frozenset[tuple[str, str]] = frozenset(),
    copy_group: str | None = None,
) -> StoryKey:
    """The key of a text published on a day."""
    text = text[:READ_CHARS]
    back = background()
    words = words_of(text)
    counts = Counter(words)
    weight = {w: back.weight(w) for w in counts}
    ranked = sorted(counts.items(), key=lambda x: (-(1 + math.log(x[1])) * weight[x[0]], x[0]))
    head = (title or text.split("\n", 1)[0])[:200]
    pairs = Counter((a, b) for a, b in itertools.pairwise(words) if weight[a] + weight[b] > 3.0)
    best = sorted(pairs.items(), key=lambda x: (-x[1] * (weight[x[0][0]] + weight[x[0][1]]), x[0]))
    return StoryKey(
        article_id=article_id,
        day=day,
        title=frozenset(w for w in words_of(head) if back.weight(w) > 1.0),
        names=names_of(f"{title}\n{text}" if title else text),
        terms=tuple(ranked[:MAX_TERMS]),
        pairs=frozenset(f"{a} {b}" for (a, b), _ in best[:MAX_PAIRS]),
        anchors=_anchors(text, day, back),
        happenings=happenings,
        copy_group=copy_group,
    )


def _anchors(text: str, day: date | None, back: Background) -> tuple[tuple[date, frozenset[str]], ...]:
    out = []
    for sentence in _SENTENCE.split(text)[:40]:
        when = [w for w in find_dates(sentence, 0, day) if w.precision == "day" and w.first is not None]
        if not when:
            continue
        words = frozenset(w for w in words_of(sentence) if back.weight(w) > 1.0)
        for w in when[:2]:
            if w.first is not None:
                out.append((w.first, words))
    return tuple(out[:MAX_ANCHORS])


def main_day(k: StoryKey) -> date | None:
    """The day an article is about: the one its first sentences name, else the day it was published."""
    votes: dict[date, float] = defaultdict(float)
    for n, (day, _) in enumerate(k.anchors):
        if k.day is None or abs((day - k.day).days) <= 7:
            votes[day] += 1 / (1 + 0.3 * n)
    return max(votes, key=lambda d: (votes[d], d)) if votes else k.day


def lexical(a: StoryKey, b: StoryKey, back: Background) -> float:
    """Cosine of two articles' weighty words, 0 to 1."""
    (ta, la), (tb, lb) = back.vector(a), back.vector(b)
    dot = sum(v * tb[t] for t, v in ta.items() if t in tb)  # in one order, so that sums are the same in every run
    return dot / (la * lb) if la and lb else 0.0


def features(a: StoryKey, b: StoryKey, back: Background) -> list[float]:
    """What tells two happenings of one topic apart.

    Days between what they are about, share of days both name, days between their publication, weight of the pairs of
    words they share, share of names.
    """
    da, db = main_day(a), main_day(b)
    apart = float(min(5, abs((da - db).days))) if da and db else 1.0
    mine, other = {d for d, _ in a.anchors}, {d for d, _ in b.anchors}
    days = len(mine & other) / max(1, min(len(mine), len(other)))
    gap = float(min(7, abs((a.day - b.day).days))) if a.day and b.day else 1.0
    best = sorted((sum(map(back.weight, p.split())) for p in a.pairs & b.pairs), reverse=True)[:3]
    names = len(a.names & b.names) / max(1, min(len(a.names), len(b.names)))
    return [apart, days, gap, sum(best) / 20, names]


WEIGHTS = (-0.4, 0.8, -0.5, 0.65, 0.5)
BIAS = 0.4
"""Fitted by train_stories.py on pairs that share their topic; so they say nothing of articles that do not."""
SAME_TOPIC = 0.065
"""Cosine from which two long articles share a topic; below, their likeness falls. 0.13 more is one happening told in
much the same words."""
SHORT_TOPIC = 0.06
"""What short texts need more: with few words, those of a place and a kind of event weigh as much as a happening's."""
FEW_NAMES, NO_NAMES = 4, 0.12
"""Two long texts on one happening name the same people and places. With fewer such names in common than this, they
need more words in common: what is left otherwise is furniture of news, which long texts of any two topics share."""
NAMES, HEADS = 2.0, 6.0
"""Weights, for short texts, of shared names and of the title's words in the other text. Set on bench/happenings.py."""
JOIN = 0.5
"""Likeness from which an article joins a story."""


def shared(a: frozenset[str], b: frozenset[str], back: Background) -> float:
    """Weight of what two sets of words share, as a part of the lighter set's."""
    least = min(back.total(a), back.total(b))
    return back.total(a & b) / least if least > 0 else 0.0


def _heads(a: StoryKey, b: StoryKey, back: Background) -> float:
    """Part of each title's weight whose words the other article has, on average."""
    found = 0.0
    for x, y in ((a, b), (b, a)):
        whole = back.total(x.title)
        found += back.total(x.title & back.vector(y)[0].keys()) / whole if whole else 0.0
    return found / 2


def likeness(a: StoryKey, b: StoryKey, back: Background) -> float:
    """Chance that two articles tell one happening, 0 to 1. Copies of one text do."""
    if a.copy_group is not None and a.copy_group == b.copy_group:
        return 1.0
    cosine = lexical(a, b, back)
    if cosine < SAME_TOPIC / 2:
        return 0.0
    short = 1 - min(len(a.terms), len(b.terms)) / MAX_TERMS
    few = max(0, FEW_NAMES - len(a.names & b.names)) / FEW_NAMES
    topic = SAME_TOPIC + SHORT_TOPIC * short + NO_NAMES * few * (1 - short)
    z = BIAS + sum(w * x for w, x in zip(WEIGHTS, features(a, b, back), strict=True))
    z += 35 * min(0.0, cosine - topic) + 12 * max(0.0, cosine - topic - 0.13)
    z += 0.5 * bool(a.happenings & b.happenings)
    if short > 0:
        z += short * (NAMES * (shared(a.names, b.names, back) - 0.35) + HEADS * (_heads(a, b, back) - 0.2))
    return 1 / (1 + math.exp(-z))


def _order(k: StoryKey) -> tuple[date, str]:
    return (k.day or date.max, k.article_id)


def assign_stories(
    articles: Iterable[StoryKey], known: Iterable[KnownStory] = (), *, days: int = 7
) -> tuple[dict[str, str], list[KnownStory]]:
    """Give every article its story, going on from the stories of earlier nights.

    In:  keys of the night's articles, in any order; stories seen in the last nights.
    Out: article_id -> story_id; and the stories to keep for the next night (those with an article within `days`
         of the newest day, at most MAX_MEMBERS keys each).
    """
    keys = sorted(articles, key=_order)
    stories = {s.story_id: list(s.members) for s in sorted(known, key=lambda s: s.story_id)}
    back = background().plus([*(m for members in stories.values() for m in members), *keys])
    index = _Index()
    for sid, members in stories.items():
        for m in members:
            index.enter(sid, _rare(m, back))
    out: dict[str, str] = {}
    for k in keys:
        rare = _rare(k, back)
        best = _best(k, rare, stories, index, back, days)
        if best is None:
            best = tables.make_id("s", k.article_id)
            stories.setdefault(best, [])
        out[k.article_id] = best
        if len(stories[best]) < MAX_MEMBERS and all(m.article_id != k.article_id for m in stories[best]):
            stories[best].append(k)
        index.enter(best, rare)
    return out, _recent(stories, days)


def _rare(k: StoryKey, back: Background) -> list[str]:
    """The words an article is found by: its weightiest."""
    return sorted((t for t, _ in k.terms), key=lambda t: (-back.weight(t), t))[:MAX_FOUND_BY]


MAX_COMPARED = 20
MAX_FOUND_BY = 120
MAX_POSTINGS = 200


class _Index:
    """Stories by the words they are found by. Numbers instead of ids, so that votes are counted at once."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._words: dict[str, tuple[int, set[str]]] = {}  # of a story: its number and words
        self._stories: dict[str, array[int]] = {}

    def enter(self, story_id: str, words: Iterable[str]) -> None:
        number, known = self._words.setdefault(story_id, (len(self._ids), set()))
        if number == len(self._ids):
            self._ids.append(story_id)
        for w in words:
            if w not in known:
                known.add(w)
                self._stories.setdefault(w, array("q")).append(number)

    def nearest(self, weights: Mapping[str, int]) -> Iterator[str]:
        """Stories that have any of these words, those with the heaviest first. Words that many have do not count."""
        found = [(self._stories.get(w, ()), x) for w, x in weights.items()]
        found = [(s, x) for s, x in found if 0 < len(s) <= MAX_POSTINGS]
        if not found:
            return
        numbers = np.concatenate([np.array(s, dtype=np.int64) for s, _ in found])
        votes = np.bincount(numbers, weights=np.repeat([x for _, x in found], [len(s) for s, _ in found]))
        some = np.flatnonzero(votes)
        order = list(zip((-votes[some]).tolist(), (self._ids[i] for i in some.tolist()), strict=True))
        heapq.heapify(order)  # few are asked for: no need to sort them all
        while order:
            yield heapq.heappop(order)[1]


def _best(
    k: StoryKey, rare: list[str], stories: dict[str, list[StoryKey]], index: _Index, back: Background, days: int
) -> str | None:
    """The story an article fits best, if it fits one: its likest member and the mean of its members decide."""
    compared = 0
    best, top = None, JOIN
    for sid in index.nearest({t: int(back.weight(t) * 100) for t in rare}):
        members = [m for m in stories[sid] if not (m.day and k.day) or abs((m.day - k.day).days) <= days]
        if not members:
            continue
        compared += 1
        if compared > MAX_COMPARED:
            break
        if any(m.article_id == k.article_id for m in members):
            return sid
        like = [likeness(k, m, back) for m in members]
        score = 0.5 * max(like) + 0.5 * sum(like) / len(like)
        if score > top:
            best, top = sid, score
    return best


def _recent(stories: dict[str, list[StoryKey]], days: int) -> list[KnownStory]:
    dated = [m.day for members in stories.values() for m in members if m.day]
    newest = max(dated, default=None)
    out = []
    for sid, members in sorted(stories.items()):
        last = max((m.day for m in members if m.day), default=newest)
        if members and (newest is None or last is None or (newest - last).days <= days):
            out.append(KnownStory(story_id=sid, members=tuple(members)))
    return out
