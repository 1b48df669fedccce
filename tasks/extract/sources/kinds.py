"""What a source is: person, organisation, group or document. From its head noun, or from what its names look like."""

from __future__ import annotations

import functools
import re
from collections import Counter
from importlib.resources import files

from tasks.extract.quotes.frame import Frame, hash_of
from tasks.extract.sources.beside import after_name, age_at, before_name, word
from tasks.extract.sources.given import is_given, word_list
from tasks.extract.sources.mentions import Mention, noun_kinds, singular, titles

ACRONYM = re.compile(r"\s?\(\s?[\"“]?([A-Z][A-Za-z]{0,5}[A-Z])[\"”]?\s?\)")
""" (MSF) after a name."""
_ORG, _DOC, _PLURAL = word_list("organisation"), word_list("document"), word_list("plural")
_LEADS, _KIN, _JOINS, _PARTICLE = word_list("leads"), word_list("kin"), word_list("joins"), word_list("particle")
_SITES, _BUSINESS = word_list("site"), word_list("business")
_FIRST = frozenset(("university", "ministry", "department", "bank", "house", "bureau", "office", "institute"))


@functools.cache
def _organisations() -> frozenset[str]:
    text = (files("tasks.extract.sources") / "organisations.txt").read_text(encoding="utf-8")
    return frozenset(w for line in text.splitlines() if not line.startswith("#") for w in line.split())


def number_of(f: Frame, i: int) -> bool:
    """Whether a noun is plural."""
    token = f.doc[int(f.token[i])]
    if token.lower_.endswith("old"):
        return False  # the 37-year-old
    return token.tag_ in ("NNS", "NNPS", "CD", "DT", "JJ") or token.lower_ in _PLURAL


def kind_of_noun(f: Frame, i: int) -> str | None:
    """Kind of a description by its head noun: a plural of people or organisations is a group."""
    word = f.words[i]
    noun = singular(f, i)
    kind = noun_kinds().get(noun)
    if noun == "paper" and i > 0 and f.words[i - 1] != "the":
        return "document"  # a paper is read, the paper is a newspaper
    if noun == "tank" and i > 0 and f.words[i - 1] == "think":
        return "group" if number_of(f, i) else "organisation"
    if kind is None and "-" in noun:
        kind = noun_kinds().get(noun.rsplit("-", 1)[1])
    if noun in ("old", "year-old") or word.endswith("year-old"):
        return "person"
    if kind is None:
        kind = "person" if noun.endswith(("man", "woman", "ist", "er", "or", "ian", "ant", "eer")) else None
    if kind in ("person", "organisation", "group") and number_of(f, i):
        return "organisation" if kind == "organisation" and word in ("ministries", "governments") else "group"
    return kind or ("group" if number_of(f, i) else None)


_TRAITS: dict[str, tuple[float, float]] = {
    # what a mention or a name shows: weight for a person, for an organisation; set by hand on texts of our own
    "titled": (3.0, 0.0), "role before": (2.5, 0.0), "age": (3.0, 0.0), "who": (2.0, 0.0), "which": (0.0, 1.5),
    "says I": (3.5, 0.0),
    "beside person": (3.5, 0.0), "beside organisation": (0.0, 4.0), "the": (0.0, 2.0), "he": (1.0, 0.0),
    "it": (0.0, 0.8), "owns": (0.0, 1.2), "employs": (0.0, 1.5),
    "given": (2.5, 0.0), "given alone": (1.2, 0.0), "particle": (1.2, 0.0), "shape": (0.6, 0.0), "surname": (2.0, 0.0),
    "first word": (0.0, 1.5), "ending": (0.0, 5.0), "known": (0.0, 5.0), "joined": (0.0, 2.5), "capitals": (0.0, 2.5),
    "turn": (6.0, 0.0), "short form given": (0.0, 4.0),
}  # fmt: skip
_ENTS = {"PERSON": (2.2, 0.0), "ORG": (0.0, 2.0), "GPE": (0.0, 2.6), "LOC": (0.0, 2.2), "FAC": (0.0, 2.0),
         "NORP": (0.0, 1.5), "PRODUCT": (0.0, 1.0), "": (0.0, 0.2)}  # fmt: skip


def kind_of_name(f: Frame, words: tuple[str, ...], ents: Counter[str], mentions: list[Mention], *, short: int) -> str:
    """Kind of a named entity: signs for a person and for an organisation are weighed, those of the text and those of
    the name. `short`: 1 if its last word stands alone elsewhere in the text, -1 if its first does, else 0."""
    total = sum(ents.values())
    if ents["LAW"] + ents["WORK_OF_ART"] > total / 2 or (words[-1] in _DOC and len(words) > 1):
        return "document"
    traits = _traits_of_name(f, words, mentions[0], short)
    seen = [_traits_of_mention(f, x) for x in mentions[:10]]
    kinds = Counter(t for ts in seen for t in ts)
    person = organisation = 0.0
    for t, n in kinds.items():
        p, o = _TRAITS.get(t, (0.0, 0.0))
        person, organisation = person + p * min(n, 2), organisation + o * min(n, 2)
    for t in traits:
        p, o = _TRAITS[t]
        person, organisation = person + p, organisation + o
    for t, n in ents.items():
        p, o = _ENTS.get(t, (0.0, 0.0))
        person, organisation = person + p * n / total, organisation + o * n / total
    if kinds["beside document"] > len(seen) / 2 and max(person, organisation) < 5:
        return "document"
    plural = f.doc[int(f.token[mentions[0].head])].tag_ == "NNPS"
    many = ents["NORP"] * 2 > total or (plural and not ents["ORG"] and not ents["GPE"])
    if many and person < 3 and organisation < 4:
        return "group"
    return "person" if person > organisation else "organisation"


def _traits_of_name(f: Frame, words: tuple[str, ...], first: Mention, short: int) -> list[str]:
    several = len(words) > 1
    head = f.text[f.start[first.head] : f.end[first.head]]
    out = []
    if words[-1] in _ORG or words[-1] in _SITES or words[-1] in _BUSINESS or (several and words[0] in _FIRST):
        out.append("ending")
    elif "of" in words[1:-1] and words[words.index("of", 1) - 1] in _ORG | _FIRST:
        out.append("ending")  # Port Authority of Esk
    if not several and words[0] in _organisations():
        out.append("known")
    if several and any(w in _JOINS or w == "&" for w in words):
        out.append("joined")
    if is_given(words[0]):
        out.append("given" if several and len(words) < 5 else "given alone")
    if several and any(w in _PARTICLE or w.startswith(("al-", "el-", "o'", "o’")) for w in words):
        out.append("particle")
    letters = all(w.replace("-", "").replace("'", "").isalpha() for w in words)
    if 2 <= len(words) <= 4 and letters and not head.isupper():
        out.append("shape")
    if short:
        out.append("surname" if short > 0 else "first word")
    if f.text[f.end[first.head] : f.end[first.head] + 1] == ":" and head.isupper():
        out.append("turn")  # SMITH: a turn of a transcript
    elif not several and head.isupper() and 2 <= len(head) <= 6:
        out.append("capitals")
    return out


def _traits_of_mention(f: Frame, x: Mention) -> set[str]:
    assert x.name is not None
    lo, hi = x.name
    out: set[str] = set()
    before = word(f, lo - 1) if lo > 0 and f.sent[lo - 1] == f.sent[lo] else ""
    if before in titles():
        out.add("titled")
    elif noun_kinds().get(before) == "person" and lo > x.lo:
        out.add("role before")
    elif before == "the":
        out.add("the")
    for beside in (after_name(f, x), before_name(f, x)):
        if beside is not None:
            out.add(f"beside {beside.kind}")
    following = [word(f, k) for k in range(hi, min(hi + 4, len(f))) if f.sent[k] == f.sent[lo]] + [""] * 4
    if following[0] == "," and age_at(f, hi + 1) and following[2] in (",", ".", "of", "", "who", "said"):
        out.add("age")
    if following[0] == "," and following[1] in ("who", "whose", "which"):
        out.add("which" if following[1] == "which" else "who")
    if following[0] in ("'s", "’s", "'", "’") and any(w in _LEADS for w in following[1:4]) and following[1] not in _KIN:
        out.add("owns")
    elif noun_kinds().get(following[0]) == "person" and following[0] not in _KIN and int(f.tag[hi]) != hash_of("NNP"):
        out.add("employs")
    if ACRONYM.match(f.text, int(f.end[hi - 1])):
        out.add("short form given")
    out |= _pronoun_after(f, x, hi)
    if _says_i(f, x):
        out.add("says I")
    return out


def _says_i(f: Frame, x: Mention) -> bool:
    """ "“I am done,” Zephyr told them": the subject of saying in a sentence whose quotation is told by an I."""
    verb = int(f.head[x.head])
    if int(f.dep[x.head]) != hash_of("nsubj") or not f.cue[verb] or f.quote[x.head] >= 0:
        return False
    around = range(max(x.head - 60, 0), min(x.head + 40, len(f)))
    return any(f.words[k] == "i" and f.quote[k] >= 0 and f.sent[k] == f.sent[x.head] for k in around)


def _pronoun_after(f: Frame, x: Mention, hi: int) -> set[str]:
    """ "Sarr said he had": the subject pronoun soon after a name that is the subject of its own verb."""
    lo = x.head
    if int(f.dep[x.head]) != hash_of("nsubj"):
        return set()
    for k in range(hi, min(hi + 7, len(f))):
        if f.sent[k] != f.sent[lo]:
            break
        w = word(f, k)
        if w in ("he", "she", "her", "his"):
            return {"he"}
        if w in ("it", "its"):
            return {"it"}
    return set()
