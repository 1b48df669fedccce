"""What a sentence and its article are about: politics, violence, a disaster, sport, a campaign in words."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.syntax import lemma, lower


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a sentence and its article are about: counts of signal words, by list name."""

    here: dict[str, int]
    around: dict[str, int]
    words: frozenset[str]

    def violent(self) -> bool:
        return self.here.get("conflict", 0) > 0 and not self.disaster()

    def disaster(self) -> bool:
        here, around = self.here, self.around
        if here.get("disaster", 0) > here.get("conflict", 0):
            return True
        return around.get("disaster", 0) >= 2 and around.get("disaster", 0) > around.get("conflict", 0)

    def sport(self) -> bool:
        return 2 <= self.around.get("sport", 0) > self.here.get("conflict", 0)

    def verbal(self) -> bool:
        """Whether the passage argues. What may be meant in words ("attack", "battle") speaks for no real fight."""
        real = self.around.get("conflict", 0) - self.around.get("figurative", 0)
        return self.around.get("verbal", 0) >= 2 and real < 2


_NOT_WEATHER = frozenset({"storm", "leak", "flood", "rain", "weather", "spill", "plunge"})


def signals(doc: Any, start: int, end: int) -> dict[str, int]:
    """Signal list -> how many of its words stand in tokens start..end."""
    out: dict[str, int] = {}
    lists = _lists_of()
    for t in doc[start:end]:
        le, lo = lemma(t), lower(t)
        if (le in lists or lo in lists) and (t.is_alpha or "-" in t.text):
            verb = t.pos_ == "VERB"
            for name in dict.fromkeys(lists.get(le, ()) + lists.get(lo, ())):
                if verb and (name in ("sport", "business") or (name == "disaster" and le in _NOT_WEATHER)):
                    continue  # "match the support", "storm his residence"
                out[name] = out.get(name, 0) + 1
    return out


@functools.cache
def _lists_of() -> dict[str, tuple[str, ...]]:
    """Signal word -> the lists it is in."""
    out: dict[str, tuple[str, ...]] = {}
    for name, words in word_lists("signals.txt").items():
        for word in words:
            out[word] = (*out.get(word, ()), name)
    return out
