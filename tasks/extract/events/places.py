"""Where one event was: the place of its clause among the places an article names."""

from __future__ import annotations

from typing import Any

from tasks.extract.events.lexicon import word_lists
from tasks.extract.events.place_guards import in_place_position
from tasks.extract.events.place_names import Mention
from tasks.extract.events.syntax import above, is_human, lemma, lower, sentence

Token = Any
_KINDS = word_lists("words.txt")["place_kinds"]
_BEARINGS = word_lists("words.txt")["bearings"]
_AWAY = frozenset({"border", "neighbour", "neighbor", "flee", "leave"})


def place_of(
    traits: frozenset[str],
    words: list[Token],
    span: tuple[int, int],
    mentions: list[Mention],
    sides: set[int],
    target: Token | None,
) -> Mention | None:
    """The place of an event: the most specific place of its clause, else of its sentence.

    `words` name the event; `span` are the tokens of its evidence; `sides` are tokens of actor and recipient, whose home
    is not where it happened; `target` is the recipient, which for what is taken or attacked can itself be the place.
    """
    sent = sentence(words[0])
    best, best_score = None, 0.6 if "unplaced" not in traits else 1.8
    for m in mentions:
        if sent.start <= m.first < sent.end:
            score = max(_closeness(w, m, span, sides) for w in words)
            if traits & _SAID and _in_content(words[0], m):
                continue
            if target is not None and m.last == target.i and "takes_place" in traits and m.place is not None:
                score = max(score, 2.0)
            if score > best_score:
                best, best_score = m, score
    return best


_SAID = frozenset({"spoken", "unplaced"})
_WHERE = frozenset({"in", "at", "near", "outside", "inside", "from", "during"})


def _in_content(trigger: Token, m: Mention) -> bool:
    """A place in what is said, asked or agreed: "sanctions against Syria", "called the plant in Mexico a disgrace"."""
    head = trigger.doc[m.last]
    below = head
    for h in above(head):
        if h.i == trigger.i:
            return below.i != head.i and not (
                below.dep_ in ("advmod", "npadvmod") or (below.dep_ == "prep" and lower(below) in _WHERE)
            )
        below = h
    return False


def _located(doc: Any, m: Mention) -> bool:
    """ "in X", or "X markets": a name that says where."""
    if in_place_position(doc, m.first):
        return True
    head = doc[m.last]
    return head.dep_ in ("compound", "poss", "nmod") and not is_human(head.head)


def _measured(doc: Any, first: int) -> bool:
    """ "about 100km from Agra", however the parse hangs it."""
    if first < 2 or lower(doc[first - 1]) not in ("from", "of"):
        return False
    before = doc[first - 2]
    return lemma(before) in _BEARINGS or (before.text[0].isdigit() and lower(before).endswith(("km", "mi")))


def _closeness(trigger: Token, m: Mention, span: tuple[int, int], sides: set[int]) -> float:
    doc = trigger.doc
    head = doc[m.last]
    located = _located(doc, m)
    score = 1.0 + (0.8 if located else 0.0)
    if any(i in sides for i in range(m.first, m.last + 1)):
        if not located:
            return 0.0  # "Washington imposed sanctions" does not say where
        score -= 0.3
    elif not located and head.dep_ in ("nsubj", "poss", "compound", "amod", "dobj", "appos"):
        score -= 0.6
    if span[0] <= m.first <= span[1]:
        score += 0.4
    ups = [head, *above(head)][:12]
    at = next((k for k, h in enumerate(ups) if h.i == trigger.i), None)
    if at is not None:
        crossed = sum(h.pos_ == "VERB" for h in ups[1:at])
        score += 1.2 / (1 + at / 4) - 0.3 * crossed
    elif any(h.i in {a.i for a in above(trigger)} for h in ups[1:5]):
        score += 0.4
    if head.dep_ == "poss" and lemma(head.head) in _KINDS:
        score -= 0.4  # "Khartoum's twin city of Omdurman"
    if any(lemma(h) in _BEARINGS for h in ups[1:4]):
        score -= 1.2  # "to the west of Mosul", "50 km from Godhra"
    if _measured(doc, m.first):
        return 0.0
    if any(lemma(h) in _AWAY for h in ups[1:4]):
        left = next((h for h in ups[1:4] if lemma(h) in ("flee", "leave")), None)
        if left is not None and head.dep_ == "dobj" and any(h.i == left.i for h in above(trigger)):
            return score + 0.5  # "fled Cuba after being arrested": there
        score -= 2.0
    if m.place is not None:
        score += {"city": 0.4, "admin1": 0.25, "country": 0.0, "sea": 0.1}[m.place.kind]
    else:
        score += 0.15
    return score - min(0.8, float(abs(m.first - trigger.i)) / 30)
