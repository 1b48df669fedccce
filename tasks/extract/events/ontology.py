"""An ontology of events as data: its types with what the code may know of them, the words that name them, scores.

A folder holds one: `types.tsv`, `lexicon.tsv`, and, if there are any, `scores.tsv` (Goldstein) and `confidence.json`
(train.py). No type is named in the code: it asks for traits, whose list is at the head of plover/types.tsv.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.extract.events.lexicon import DATA, lines_of

PLOVER = "plover"
QUADS = frozenset({"verbal_cooperation", "material_cooperation", "verbal_conflict", "material_conflict"})


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: its quad class, the prepositions that lead to its recipient, and its traits."""

    name: str
    quad: str
    to_whom: tuple[str, ...]
    traits: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of lexicon.tsv for one lemma. `conditions` are (name, values, negated)."""

    kind: str  # v, n, a
    lemma: str
    of: EventType
    mode: str | None
    conditions: tuple[tuple[str, frozenset[str], bool], ...]
    absorb: str | None  # absorb, absorballeged or null

    @property
    def type(self) -> str:
        return self.of.name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ontology:
    """Types, rules by (kind, lemma) in file order, scores by (type, mode) and weights of confidence."""

    name: str
    types: Mapping[str, EventType]
    modes: Mapping[tuple[str, str], frozenset[str]]
    rules: Mapping[tuple[str, str], tuple[Rule, ...]]
    lemmas: frozenset[str]
    scores: Mapping[tuple[str, str], float]
    weights: Mapping[str, float]
    acts: Mapping[str, EventType]

    def act(self, name: str) -> EventType | None:
        """The type that is a promise, a refusal, a threat or a demand; null if the ontology has none."""
        return self.acts.get(name)

    def mode_is(self, of: EventType, mode: str | None, trait: str) -> bool:
        return mode is not None and trait in self.modes.get((of.name, mode), ())

    def score(self, of: str, mode: str | None) -> float | None:
        """Goldstein score of type and mode, of the type where the mode has none of its own."""
        return self.scores.get((of, mode or "-"), self.scores.get((of, "-")))


_ACTS = ("promise", "refusal", "threat", "demand")


@functools.cache
def load_ontology(name: str = PLOVER) -> Ontology:
    """The ontology of a name (a folder of data/) or of a folder's path.

    Raises: ValueError where a file says what cannot be (a setting that is wrong, not an article that is bad).
    """
    folder = DATA / name if (DATA / name).is_dir() else Path(name)
    if not (folder / "types.tsv").is_file():
        raise ValueError(f"extract.ontology: no types.tsv in {name}")
    types, modes = _read_types(folder / "types.tsv")
    rules = _read_rules(folder / "lexicon.tsv", types)
    scores, weights = folder / "scores.tsv", folder / "confidence.json"
    return Ontology(
        name=name,
        types=types,
        modes=modes,
        rules=rules,
        lemmas=frozenset(lemma for _, lemma in rules),
        scores=dict(_read_scores(scores)) if scores.is_file() else {},
        weights=json.loads(weights.read_text(encoding="utf-8")) if weights.is_file() else {},
        acts={a: t for a in _ACTS for t in types.values() if a in t.traits},
    )


def _read_types(file: Path) -> tuple[dict[str, EventType], dict[tuple[str, str], frozenset[str]]]:
    types: dict[str, EventType] = {}
    modes: dict[tuple[str, str], frozenset[str]] = {}
    for line in lines_of(file):
        cells = line.split("\t")
        if len(cells) != 4:
            raise ValueError(f"{file.name}: not name, quad, prepositions and traits: {line}")
        label, quad, to_whom, traits = cells
        name, _, mode = label.partition("/")
        if mode:
            modes[name, mode] = frozenset(traits.split())
        elif quad not in QUADS:
            raise ValueError(f"{file.name}: {quad} is no quad class")
        else:
            types[name] = EventType(name, quad, tuple(to_whom.split()), frozenset(traits.split()))
    return types, modes


def _read_rules(file: Path, types: Mapping[str, EventType]) -> dict[tuple[str, str], tuple[Rule, ...]]:
    """(kind, lemma) -> rules in file order. Lines marked `never` only document a word we leave out on purpose."""
    out: dict[tuple[str, str], list[Rule]] = {}
    for line in lines_of(file):
        kind, lemmas, label, *rest = line.split("\t")
        conditions, absorb = _conditions(rest[0] if rest else "")
        if any(c[0] == "never" for c in conditions):
            continue
        name, _, mode = label.partition("/")
        if name not in types:
            raise ValueError(f"{file.name}: {name} is no type of types.tsv")
        for lemma in lemmas.split(","):
            rule = Rule(kind, lemma, types[name], mode or None, conditions, absorb)
            out.setdefault((kind, lemma), []).append(rule)
    return {k: tuple(v) for k, v in out.items()}


def _conditions(text: str) -> tuple[tuple[tuple[str, frozenset[str], bool], ...], str | None]:
    out, absorb = [], None
    for item in text.split():
        if item.startswith("absorb"):
            absorb = item
            continue
        name, _, values = item.removeprefix("!").partition(":")
        out.append((name, frozenset(filter(None, values.split(","))), item.startswith("!")))
    return tuple(out), absorb


def _read_scores(file: Path) -> Iterator[tuple[tuple[str, str], float]]:
    for line in lines_of(file):
        name, mode, score = line.split("\t")
        yield (name, mode), float(score)
