"""What rules know better than the tagger: turns of a transcript, "said engineer Paul Mbeki", clauses of a sure cue."""

from __future__ import annotations

import re

import numpy as np

from tasks.extract.quotes.asides import Aside, aside_at, breaks_clause, has_verb
from tasks.extract.quotes.crf import F64
from tasks.extract.quotes.frame import I64, Frame, hash_of, hashes, is_in
from tasks.extract.sources.mentions import noun_kinds

_DASHES = "―—–-"
_SIGNED = re.compile(
    r"[^\S\n]*[―—–-]{1,2}[^\S\n]*([A-Z][^\n,(\[.:;]*(?:\.[^\n,(\[.:;]+)?)(?:[,(\[][^\n]{0,80})?\.?[^\S\n]*(?:\n|\Z)"
)
_PHRASE = frozenset(hashes("DT", "JJ", "NN", "NNS", "NNP", "NNPS", "PRP", "PRP$", "POS", "CD").tolist())
_TURN = re.compile(r"^[ \t\"“]{0,3}([A-Z][A-Z.'’\- ]{1,30}):[ \t]", re.MULTILINE)
SURE = 0.6
"""Chance to head a cue from which the clause that hangs on it is taken for said."""
SIGNATURE = 8
"""Tokens of the name below a quotation."""
CLEARLY = 0.3
"""By so much less a word is likely to head a cue than the verb of an aside, that it only stands in what is said."""


def mend(f: Frame, labels: I64, marginals: F64, chances: F64) -> I64:
    """Labels with the rules applied; marginals are changed in place where a rule is sure."""
    labels = labels.copy()
    _turns(f, labels, marginals, chances)
    _signatures(f, labels, marginals, chances)
    _names_after_cue(f, labels, marginals)
    _clauses(f, labels, marginals, chances)
    _asides(f, labels, marginals, chances)
    _hearers(f, labels)
    _own_cues(f, labels, chances)
    return labels


def _turns(f: Frame, labels: I64, marginals: F64, chances: F64) -> None:
    """ "SMITH: I was at home." where at least two paragraphs begin so."""
    turns = list(_TURN.finditer(f.text))
    if len(turns) < 2:
        return
    for m in turns:
        lo, colon = np.searchsorted(f.start, [m.start(1), m.end(1)]).tolist()
        if colon >= len(f) or f.text[f.start[colon]] != ":":
            continue
        end = int(np.searchsorted(f.para, f.para[colon], side="right"))
        first = colon + 1
        while first < end and not f.is_word[first]:
            first += 1
        if first >= end:
            continue
        labels[lo:colon], labels[colon], labels[colon + 1 : end] = 4, 3, 0
        labels[first], labels[first + 1 : end] = 1, 2
        marginals[lo:end] = 0.01
        chances[colon] = 0.95
        marginals[np.arange(lo, end), labels[lo:end]] = 0.95


def _signatures(f: Frame, labels: I64, marginals: F64, chances: F64) -> None:
    """ "“…” — Karen Bello", a paragraph that is a quotation and the name below it."""
    for q in f.quoted:
        m = _SIGNED.match(f.text, q.end - (f.text[q.end - 1] in _DASHES))
        if m is None or f.text[f.text.rfind("\n", 0, q.start) + 1 : q.start].strip():
            continue
        first, dash, lo, hi = np.searchsorted(f.start, [q.start, q.end, m.start(1), m.end(1)]).tolist()
        if dash == lo:
            dash -= 1  # the mark and the dash are one token
        inside = [k for k in range(first, dash) if f.is_word[k]]
        if not inside or not 0 < hi - lo <= SIGNATURE or int(f.tag[hi - 1]) not in hashes("NNP", "NNPS"):
            continue
        labels[first:hi] = 0
        labels[inside[0]], labels[inside[0] + 1 : inside[-1] + 1], labels[dash], labels[lo:hi] = 1, 2, 3, 4
        chances[dash] = 0.95
        marginals[first:hi] = 0.01
        marginals[np.arange(first, hi), labels[first:hi]] = 0.95


def _hearers(f: Frame, labels: I64) -> None:
    """ "tells the paper that he fought": who is told is no part of what is told."""
    told = hashes("tell", "assure", "inform", "remind", "warn", "convince", "persuade")
    for b in np.flatnonzero(labels == 1).tolist():
        if b == 0 or labels[b - 1] != 3 or not is_in(f.lemma[b - 1 : b], told)[0]:
            continue
        k = b
        while k < min(b + 6, len(f)) and labels[k] in (1, 2) and int(f.tag[k]) in _PHRASE:
            k += 1
        if b < k < len(f) - 1 and f.words[k] == "that" and labels[k] == 2 and labels[k + 1] == 2:
            labels[b:k] = 0
            labels[k] = 1


def _own_cues(f: Frame, labels: I64, chances: F64) -> None:
    """ "knowing that nothing can harm her, insisting, “evils disappear”": a sure cue right before a quotation ends what
    was said before."""
    for lo in np.flatnonzero(f.quote >= 0).tolist():
        if lo < 4 or f.quote[lo - 1] == f.quote[lo] or labels[lo] not in (0, 2):
            continue
        cue = lo - 1
        while cue > lo - 3 and not f.is_word[cue]:
            cue -= 1
        if labels[cue] != 2 or chances[cue] < SURE or f.quote[cue] >= 0 or cue == lo - 1 or not f.cue[cue]:
            continue
        word = lo
        while word < len(f) - 1 and not f.is_word[word]:
            word += 1
        if labels[word] == 2:
            labels[cue : lo + 1] = 0
            labels[cue], labels[word] = 3, 1


def _names_after_cue(f: Frame, labels: I64, marginals: F64) -> None:
    """ "…," said engineer Paul Mbeki. – a name right after the cue of a quotation is its speaker, not what was said."""
    proper = hashes("NNP", "NNPS")
    for b in np.flatnonzero(labels == 1).tolist():
        e = b + 1
        while e < len(f) and labels[e] == 2 and f.sent[e] == f.sent[b]:
            e += 1
        named = is_in(f.tag[b:e], proper)
        if e - b > 5 or not named[-1] or b == 0 or labels[b - 1] not in (3, 4):
            continue
        if not all(n or _is_person_word(f, b + k) for k, n in enumerate(named.tolist())):
            continue
        cue = b
        while cue > 0 and labels[cue - 1] in (3, 4):
            cue -= 1
        if cue > 0 and (f.is_mark[cue - 1] or f.quote[cue - 1] >= 0):
            labels[b:e] = 4
            marginals[b:e] = (0.02, 0.02, 0.02, 0.02, 0.92)
            for k in range(cue + 1, b):
                if _is_person_word(f, k):
                    labels[k] = 4


def _is_person_word(f: Frame, i: int) -> bool:
    return noun_kinds().get(f.words[i]) == "person"


def _clauses(f: Frame, labels: I64, marginals: F64, chances: F64) -> None:
    """The clause that a sure cue governs, where the tagger left all of it outside."""
    ccomp = hash_of("ccomp")
    tops = np.flatnonzero((f.dep == ccomp) & (chances[f.head] >= SURE) & (f.cue[f.head] > 0))
    for top in tops.tolist():
        token, cue = f.doc[int(f.token[top])], int(f.head[top])
        shift = top - token.i
        lo, hi = max(token.left_edge.i + shift, 0), min(token.right_edge.i + 1 + shift, len(f))
        if lo <= cue < hi or f.sent[lo] != f.sent[hi - 1]:
            continue
        _take(f, labels, marginals, lo, hi, cue)
    aside = np.flatnonzero(
        (f.dep == hash_of("parataxis")) & (chances >= SURE) & (f.cue > 0) & (f.head < np.arange(len(f)))
    )
    for cue in aside.tolist():  # "Eleven men were arrested, Captain Diallo said": the clause before the aside
        hi = max(f.doc[int(f.token[cue])].left_edge.i + cue - int(f.token[cue]), 0)
        lo = int(np.searchsorted(f.sent, f.sent[cue]))
        while hi > lo and labels[hi - 1] == 4:
            hi -= 1
        if lo < hi <= cue:
            _take(f, labels, marginals, lo, hi, cue)


def _asides(f: Frame, labels: I64, marginals: F64, chances: F64) -> None:
    """What stands before an aside that attributes, ", analysts warn,", is said: the tagger takes verbs in it for cues
    ("will spell", "agreed") or leaves it out. Both halves are, where the aside breaks a clause."""
    for cue in np.flatnonzero((chances >= SURE) & (f.cue > 0)).tolist():
        a = aside_at(f, cue)
        if a is None or (f.quote[a.first : a.last] >= 0).any():
            continue
        broken = breaks_clause(f, a)
        if broken or has_verb(f, a.first, a.lo - 1):
            _half(f, labels, marginals, chances, a, (a.first, a.lo - 1))
        if broken:
            _half(f, labels, marginals, chances, a, (a.hi + 1, a.last))


def _half(f: Frame, labels: I64, marginals: F64, chances: F64, a: Aside, half: tuple[int, int]) -> None:
    """One half of what an aside attributes, where the tagger left it out or saw another, weaker cue in it."""
    lo, hi = half
    while lo < hi and (not f.is_word[lo] or f.words[lo] in ("but", "and", "so")):
        lo += 1
    while hi > lo and not f.is_word[hi - 1]:
        hi -= 1
    cues = chances[lo:hi][labels[lo:hi] == 3]
    if lo >= hi or ((labels[lo:hi] > 0).any() and not (len(cues) and cues.max() < chances[a.cue] - CLEARLY)):
        return
    labels[lo], labels[lo + 1 : hi] = 1, 2
    labels[a.lo : a.hi][labels[a.lo : a.hi] != 4] = 0
    labels[a.cue] = 3
    marginals[lo:hi, 1:3] = np.maximum(marginals[lo:hi, 1:3], 0.35)


def _take(f: Frame, labels: I64, marginals: F64, lo: int, hi: int, cue: int) -> None:
    """Tokens lo to hi become what was said by `cue`, if they are a clause and nothing of them has another label."""
    subjects = hashes("nsubj", "nsubjpass", "expl")
    if ((labels[lo:hi] > 0) & (labels[lo:hi] != 4)).any() or not is_in(f.dep[lo:hi], subjects).any():
        return
    while lo < hi and (not f.is_word[lo] or labels[lo] == 4):
        lo += 1
    while hi > lo and (not f.is_word[hi - 1] or labels[hi - 1] == 4):
        hi -= 1
    if hi - lo >= 3 and not (labels[lo:hi] == 4).any():
        labels[lo], labels[lo + 1 : hi] = 1, 2
        labels[cue] = 3
        marginals[lo:hi, 1:3] = np.maximum(marginals[lo:hi, 1:3], 0.3)
