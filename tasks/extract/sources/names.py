"""Proper names of an article put together: full names, then the short forms, initials and surnames that fit one."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field, replace

from tasks.extract.quotes.frame import Frame, hash_of
from tasks.extract.quotes.lexicon import read_table
from tasks.extract.sources.beside import after_name, before_name
from tasks.extract.sources.given import gender_of, is_given, word_list
from tasks.extract.sources.kinds import ACRONYM, kind_of_name
from tasks.extract.sources.mentions import Mention, singular

_WORD = re.compile(r"[^\W_]+(?:[-.&'’][^\W_]+)*")
_FEMALE, _MALE = word_list("female"), word_list("male")
_PARTICLE, _JOINS, _DOING = word_list("particle"), word_list("joins"), word_list("doing")
_BODIES = word_list("organisation")
_HE, _SHE = frozenset(("he", "him", "his", "himself")), frozenset(("she", "her", "hers", "herself"))
_FORMAL = frozenset(("mr", "mr.", "mrs", "mrs.", "ms", "ms.", "miss"))
REACH = 1000
"""Mentions: a short name stands for a full one before it rather than for one that comes later."""


@dataclass(slots=True, kw_only=True, eq=False)
class Entity:
    """Somebody or something that may speak. `mentions` are indices into the article's mentions, ascending."""

    words: tuple[str, ...]  # of its fullest name, lower case, without titles; empty for an unnamed one
    name: str
    named: bool
    kind: str | None
    ents: Counter[str] = field(default_factory=Counter)
    mentions: list[int] = field(default_factory=list)
    female: bool | None = None
    plural: bool = False
    head: str = ""  # singular head noun of an unnamed one
    modifiers: frozenset[str] = frozenset()
    surname: str = ""  # the word of a person's name that stands alone in the text
    nouns: set[str] = field(default_factory=set)  # what it is called: "militia", "bus company", singular
    short: set[str] = field(default_factory=set)  # initials that the text gives: "(MSF)", lower case


@dataclass(slots=True, kw_only=True, eq=False)
class Cast:
    """The entities of an article, and which one each mention stands for."""

    entities: list[Entity]
    of: dict[int, Entity]
    resolved_by: dict[int, str]
    owners: dict[int, Entity] = field(default_factory=dict)  # by the token of a possessive pronoun: whose "its" is
    at: dict[int, Entity] = field(default_factory=dict)  # by the token of a mention's head, owners included


def name_words(text: str) -> tuple[str, ...]:
    """Words of a name in lower case, without possessive endings."""
    clean = re.sub(r"['’]s?(?=\W|$)", "", text.replace("''", "'"))
    return tuple(w.lower() for w in _WORD.findall(clean))


def name_text(f: Frame, m: Mention) -> str:
    """The proper name inside a mention as the text has it, without a possessive ending."""
    assert m.name is not None
    lo, hi = m.name
    text = f.text[f.start[lo] : f.end[hi - 1]]
    return re.sub(r"['’]s?$", "", text)


@functools.lru_cache(maxsize=50_000)
def plain(word: str) -> str:
    """A word without accents, stops and an Arabic article: forms of one name compare equal."""
    if word.isascii() and "." not in word and "-" not in word:
        return word
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    bare = bare.translate(_LETTERS).replace(".", "").replace("’", "'")
    return _ARABIC.sub("", bare)


_ARABIC = re.compile(r"^(?:al|el|ul|an|ad|as|ash)-(?=\w{3})")
POSSESSED = re.compile(r"['’]s?\s")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})


def initials(words: tuple[str, ...]) -> set[str]:
    """The short forms that the first letters of a name's words make: with and without "of" and "and"."""
    if len(words) < 2:
        return set()
    content = [w for w in words if w not in _JOINS and w != "the"]
    return {"".join(w[0] for w in words if w != "the"), "".join(w[0] for w in content)}


class _Index:
    """Where in a list of entities those stand that have a word, or that initials stand for: a name is compared with
    these alone, so that a text of thousands of names takes no square of them."""

    def __init__(self) -> None:
        self.at: dict[str, set[int]] = {}

    def add(self, i: int, e: Entity) -> None:
        brief = e.short | initials(tuple(map(plain, e.words))) if e.kind != "person" else set()
        for key in {*map(plain, e.words), *brief}:
            self.at.setdefault(key, set()).add(i)

    def sharing(self, entities: list[Entity], key: str) -> list[Entity]:
        """Those with a key, in the list's order."""
        return [entities[i] for i in sorted(self.at.get(key, ()))]


def find_names(f: Frame, mentions: list[Mention], cast: Cast) -> None:
    """Entities of all proper names into the cast: full names first, then the short forms."""
    _surnames_of_words(f, mentions)
    groups: dict[tuple[str, ...], list[int]] = {}
    for m, x in enumerate(mentions):
        if x.form == "name" and (w := name_words(name_text(f, x))):
            groups.setdefault(w, []).append(m)
    alone = {w[0] for w in groups if len(w) == 1}
    known = _Index()
    for w in sorted((w for w in groups if len(w) > 1), key=lambda w: (-len(w), groups[w][0])):
        kind = _kind(f, mentions, groups, w, alone)
        found = _longer(known.sharing(cast.entities, plain(w[-1])), w, kind)  # every longer form has its last word
        if found is None:
            found = _new(f, mentions, cast, w, groups[w], kind)
            known.add(len(cast.entities) - 1, found)
        elif kind == "person" and len(w) > 1 and _rather(w, found, groups, alone):
            found.words, found.name = w, name_text(f, mentions[groups[w][0]])  # not the "Pins" of "Sanders Pins Blame"
            known.add(cast.entities.index(found), found)
        _join(f, mentions, cast, found, groups[w])
    for i, e in enumerate(cast.entities):
        known.add(i, e)  # with the initials that the text gives
    for w in sorted((w for w in groups if len(w) == 1), key=lambda w: groups[w][0]):
        lone: list[int] = []
        kind = _kind(f, mentions, groups, w, alone)
        for m in groups[w]:
            near = known.sharing(cast.entities, plain(w[0]))
            fit = _bearer(f, mentions, near, w[0], m, kind, first=groups[w][0])
            if fit is None:
                lone.append(m)
            else:
                _join(f, mentions, cast, fit, [m])
                if fit.kind == "person" and w[0] in fit.words[1:]:
                    fit.surname = fit.surname or w[0]
        if lone:
            fresh = _new(f, mentions, cast, w, lone, kind)
            _join(f, mentions, cast, fresh, lone)
            known.add(len(cast.entities) - 1, fresh)
    for e in cast.entities:
        e.mentions.sort()
        e.plural = e.kind == "group"
        if e.kind == "person" and e.female is None:
            e.female = _gender(f, mentions, e)
    cast.entities.sort(key=lambda e: e.mentions[0])


def _rather(w: tuple[str, ...], found: Entity, groups: dict[tuple[str, ...], list[int]], alone: set[str]) -> bool:
    """Whether the shorter form is the name: not the "Sanders Pins" of a headline, "Bernie Sanders Pins Blame On"."""
    if found.words[-1] in alone or w == found.words:
        return False
    return w[-1] in alone or len(groups[w]) > len(groups.get(found.words, ()))


def _kind(f: Frame, mentions: list[Mention], groups: dict[tuple[str, ...], list[int]], w: tuple[str, ...],
          alone: set[str]) -> str:  # fmt: skip
    at = [mentions[m] for m in groups[w]]
    short = 0 if len(w) == 1 else (w[-1] in alone) - (w[0] in alone)
    return kind_of_name(f, w, Counter(x.ent for x in at), at, short=short)


def _new(f: Frame, mentions: list[Mention], cast: Cast, w: tuple[str, ...], at: list[int], kind: str) -> Entity:
    entity = Entity(words=w, name=name_text(f, mentions[at[0]]), named=True, kind=kind)
    cast.entities.append(entity)
    return entity


def _join(f: Frame, mentions: list[Mention], cast: Cast, entity: Entity, at: list[int]) -> None:
    for m in at:
        x = mentions[m]
        entity.ents[x.ent] += 1
        entity.mentions.append(m)
        cast.of[m] = entity
        cast.resolved_by[m] = "name"
        note_gender(f, x, entity)
        assert x.name is not None
        given = ACRONYM.match(f.text, int(f.end[x.name[1] - 1]))
        if given and entity.kind != "person":
            entity.short.add(given.group(1).lower())
        for beside in (after_name(f, x), before_name(f, x)):
            if beside is not None:
                entity.nouns.add(singular(f, beside.noun))


def _longer(entities: list[Entity], w: tuple[str, ...], kind: str) -> Entity | None:
    """The entity of a longer name that a name of several words is a form of."""
    ours = tuple(map(plain, w))
    for e in entities:
        theirs = tuple(map(plain, e.words))
        if ours == theirs:
            return e
        if e.kind == "person" and kind == "person":
            if _same_person(ours, theirs):
                return e
        elif e.kind != "person" and kind != "person":
            rest = e.words[len(w) :]
            if theirs[: len(w)] == ours and all(r in _DOING for r in rest):
                return e
    return None


def _same_person(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Álvaro Cárdenas and Álvaro Cárdenas Uribe, John F. Kennedy and John Kennedy, the De Wolf of Joris De Wolf."""
    if ours == theirs[-len(ours) :] and (ours[0] in _PARTICLE or len(theirs) > len(ours) + 1):
        return True
    first = ours[0] == theirs[0] or (len(ours[0]) == 1 and theirs[0].startswith(ours[0]))
    first |= ours[-1] == theirs[-1] and formal_name(ours[0]) == formal_name(theirs[0])
    return first and (ours[-1] == theirs[-1] or ours == theirs[: len(ours)])


@functools.cache
def _nicknames() -> dict[str, str]:
    return {n: row[0] for row in read_table("nicknames.tsv", "tasks.extract.sources") for n in row[1].split()}


def formal_name(given: str) -> str:
    """The name that a nickname stands for: Joshua for Josh."""
    return _nicknames().get(given, given)


def _bearer(
    f: Frame, mentions: list[Mention], entities: list[Entity], word: str, m: int, kind: str, *, first: int
) -> Entity | None:
    """The entity that a name of one word fits: its surname, first name or initials; the nearest before, else after.
    `first`: where that word first stands alone."""
    bare = plain(word)
    female = _formal_gender(f, mentions[m])
    place = mentions[m].ent in ("GPE", "LOC", "NORP")
    fits = []
    for e in entities:
        if not e.mentions or not e.words:
            continue
        words = [plain(w) for w in e.words]
        if e.kind == "person":
            ok = bare in (words[0], words[-1]) or (len(words) > 2 and bare in words)
            ours = e.female if e.female is not None or len(words) == 1 else gender_of(e.words[0])
            ok &= female is None or ours in (None, female)
            once = len(e.mentions) < 2 and not (e.mentions[0] < m and f.dep[mentions[m].head] == hash_of("nsubj"))
            ok &= not (place and kind != "person" and words[0] != bare and female is None and once)
            rank = (0 if bare == words[-1] else 1) + (kind != "person" and bare != words[-1])
        else:
            brief = bare in e.short or (word not in _JOINS and bare in initials(tuple(words)))
            part = not POSSESSED.search(e.name)  # NASA is not called NASA's Office
            whole = len(words) > 1 and words[-2] in ("of", "for", "in", "and")  # Arland is not the Bank of Arland
            begins = bare == words[0] and _introduces(e, entities, first)
            x = mentions[m]
            the = x.lo < x.head and f.words[x.lo] == "the"  # the Chronicle, but not any research
            part = part and (begins or (bare == words[-1] and len(bare) > 4 and the and not whole))
            part |= bool(POSSESSED.search(e.name)) and bare in words[1:2]  # the Office of NASA's Office
            ok = brief or (kind != "person" and part and len(words) > 1 and word not in _JOINS)
            ok |= len(words) == 1 and bare == words[0]
            rank = 0 if brief or len(words) == 1 else 1 + (place and e.kind == "organisation")
            ok &= not (place and not brief and len(words) > 1 and e.ents["GPE"] == 0)
        if ok:
            fits.append((rank, e))
    if len(fits) < 2:
        return fits[0][1] if fits else None
    return min(fits, key=lambda t: (t[0], min(abs(k - m) + REACH * (k > m) for k in t[1].mentions)))[1]


def _introduces(e: Entity, entities: list[Entity], first: int) -> bool:
    """Whether a longer name can be what its first word stands for: Nissan is neither Nissan Connect nor Nissan Sales.
    It comes before the word alone, or goes on with words of bodies, and nothing else begins so."""
    if all(w in _DOING or w in _BODIES for w in e.words[1:]):
        return True
    others = (o for o in entities if o is not e and o.kind != "person" and len(o.words) > 1)
    return e.mentions[0] < first and all(o.words[0] != e.words[0] for o in others)


def _surnames_of_words(f: Frame, mentions: list[Mention]) -> None:
    """The Scissors of a Derek Scissors, tagged as the plural of a word, and the Lacerda of "speaking to the Daily Mail
    Lacerda said", taken for one name: mentions are replaced in place."""
    several = [x for x in mentions if x.form == "name" and x.name and x.name[1] - x.name[0] > 1]
    people = [x.name for x in several if x.name and f.words[x.lo] != "the" and is_given(f.words[x.name[0]])]
    last = {f.words[hi - 1] for _, hi in people} - _BODIES
    for m, x in enumerate(mentions):
        if f.words[x.head] not in last or not f.is_title[x.head]:
            continue
        word = x.form == "description" and x.head == x.lo and int(f.tag[x.head]) in (hash_of("NNS"), hash_of("NN"))
        run = x.ent in ("PERSON", "") and x.name is not None and x.name[1] == x.head + 1 and f.words[x.lo] == "the"
        if word or (run and x.head - x.lo > 2):
            mentions[m] = replace(x, form="name", lo=x.head, hi=x.head + 1, name=(x.head, x.head + 1))


def _gender(f: Frame, mentions: list[Mention], e: Entity) -> bool | None:
    """Of a person: from the pronouns that follow in its sentences before another name, else from the given name."""
    votes: Counter[bool] = Counter()
    for m in e.mentions[:12]:
        x = mentions[m]
        stop = next((y.lo for y in mentions[m + 1 : m + 12] if y.form == "name"), x.hi + 20)
        for k in range(x.hi, min(stop, x.hi + 20, len(f))):
            if f.sent[k] != f.sent[x.head]:
                break
            lower = f.words[k]
            if lower in _SHE or lower in _HE:
                votes[lower in _SHE] += 1
                break
    given = gender_of(e.words[0])
    if given is None:
        return votes[True] > votes[False] if votes[True] != votes[False] else None
    return (not given) if votes[not given] >= 2 + 3 * votes[given] else given


def _formal_gender(f: Frame, x: Mention) -> bool | None:
    """Whether Mrs or Mr stands before a name; None for neither."""
    assert x.name is not None
    if x.name[0] == 0:
        return None
    before = f.words[x.name[0] - 1]
    return before in _FEMALE if before in _FORMAL else None


def note_gender(f: Frame, x: Mention, entity: Entity) -> None:
    before = f.words[max(x.lo - 1, 0) : x.head]
    if any(w in _FEMALE for w in before):
        entity.female = True
    elif any(w in _MALE for w in before):
        entity.female = False
