"""Train what tells one utterance from two: python -m bench.train_groups ../shared --rows FILE [--cache DIR] [--write]

Pairs of quotes: the groups and look-alikes of ../shared/data/cross, those of bench/data/quote_pairs.jsonl (judged for
this project, by ids and offsets: `shared words` drawn by the words two annotated quotes share, `doubtful` where an
earlier model was unsure), and drawn pairs that share next to nothing. Prints cross-validated figures; `--write` writes
tasks/extract/quotes/utterances.json. `--weights` counts words anew and writes word_weights.tsv.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.eval_cross import Place, Rows, finder, keys_of, merges_of, read_lines, read_rows
from tasks.extract.quotes.groups import doubtful_pairs
from tasks.extract.quotes.utterances import MEASURES, QuoteKey, Utterance, measures, plain, said_by_others, utterance_of

HERE = Path("tasks/extract/quotes")
FOLDS = 10
PENALTY = 5.0  # sklearn's C
DOUBTFUL = 0.4
"""Weight of a judged look-alike of the doubtful draw: drawn where the model errs, they are far from usual."""
DRAWN, DRAWN_WEIGHT = 12_000, 200.0
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A judged pair of quotes."""

    a: Utterance
    b: Utterance
    same: bool
    drawn: str


def judged(data: Path, rows: Rows, keys: list[QuoteKey]) -> list[Pair]:
    """The judged pairs whose quotes were found, as two rows."""
    found = finder(rows)
    by_id = {k.quote_id: utterance_of(k) for k in keys}
    out = []
    for one, other, same, drawn in _places(data):
        a, b = found(one), found(other)
        if a is not None and b is not None and a != b:
            out.append(Pair(a=by_id[a], b=by_id[b], same=same, drawn=drawn))
    return out


def _places(data: Path) -> Iterator[tuple[Place, Place, bool, str]]:
    for group in read_lines(data / "cross" / "quote_groups.dev.jsonl"):
        members = [(m["id"], *m["span"]) for m in group["members"]]
        words = [_two_words(m["text"]) for m in group["members"]]
        for j, one in enumerate(members):
            for k, other in enumerate(members[:j]):
                if one[0] != other[0] and words[j] & words[k]:
                    yield one, other, True, "dev"
    for near in read_lines(data / "cross" / "quote_near_misses.dev.jsonl"):
        a, b = near["members"]
        yield (a["id"], *a["span"]), (b["id"], *b["span"]), False, "dev"
    for line in read_lines(Path("bench/data/quote_pairs.jsonl")):
        yield tuple(line["a"]), tuple(line["b"]), line["same"], line["drawn"]


def _two_words(text: str) -> set[tuple[str, str]]:
    words = [plain(w) for w in _WORD.findall(text)]
    return set(itertools.pairwise(words))


def unlike(keys: list[QuoteKey], pairs: list[Pair]) -> np.ndarray[Any, Any]:
    """Measures of drawn pairs of different articles that share little: hardly any is one utterance."""
    known = {frozenset((p.a.key.quote_id, p.b.key.quote_id)) for p in pairs}
    candidates = doubtful_pairs(keys)
    random.Random(0).shuffle(candidates)
    out = []
    for a, b in candidates[:DRAWN]:
        if a.key.article_id != b.key.article_id and frozenset((a.key.quote_id, b.key.quote_id)) not in known:
            x = dict(zip(MEASURES, measures(a, b), strict=True))
            if x["share"] < 0.5 and math.expm1(x["piece"]) < 1:
                out.append(tuple(x.values()))
    return np.array(out)


def fit(x: np.ndarray[Any, Any], pairs: list[Pair], drawn: np.ndarray[Any, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    y = [p.same for p in pairs] + [False] * len(drawn)
    weight = [DOUBTFUL if p.drawn == "doubtful" and not p.same else 1.0 for p in pairs]
    weight += [DRAWN_WEIGHT / len(drawn)] * len(drawn)
    return LogisticRegression(C=PENALTY, max_iter=5000).fit(np.vstack([x, drawn]), y, sample_weight=weight)


def cross_validated(x: np.ndarray[Any, Any], pairs: list[Pair], drawn: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Likeness of each pair by a model that has seen no pair of its utterance."""
    parent: dict[str, str] = {}

    def root(i: str) -> str:
        while parent.setdefault(i, i) != i:
            i = parent[i]
        return i

    for p in pairs:
        if p.same:
            parent[root(p.a.key.quote_id)] = root(p.b.key.quote_id)
    kind = np.array([root(p.a.key.quote_id) for p in pairs])
    names = np.unique(kind)
    np.random.RandomState(0).shuffle(names)
    out = np.zeros(len(pairs))
    for fold in range(FOLDS):
        test = np.isin(kind, names[fold::FOLDS])
        model = fit(x[~test], [p for p, t in zip(pairs, test, strict=True) if not t], drawn)
        out[test] = model.predict_proba(x[test])[:, 1]
    return out


def count_weights(data: Path) -> str:
    """word_weights.tsv: each corpus counts by a fixed share, so that no subject rules; names are left out."""
    parts = {"quotes/polnear_train": 0.4, "events/ipe_docs": 0.15, "events/case_types": 0.1, "text/dirty_dev": 0.15,
             "pages/dev_gold": 0.2}  # fmt: skip
    share: defaultdict[str, float] = defaultdict(float)
    lower: Counter[str] = Counter()
    all_: Counter[str] = Counter()
    corpora: dict[str, set[str]] = defaultdict(set)
    for name, part in parts.items():
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            texts = [r.get("body") or r.get("text") or "" for r in map(json.loads, lines)]
        texts = [t for t in texts if len(re.findall(r"\b[Tt]he\b", t)) > 0.015 * len(t.split())]  # English
        for text in texts:
            words = _WORD.findall(text)
            all_.update(plain(w) for w in words)
            lower.update(plain(w) for w in words if w.islower())
            for w in set(map(plain, words)):
                share[w] += part / len(texts)
                corpora[w].add(name)
    rows: dict[int, list[str]] = defaultdict(list)
    for w, s in share.items():
        if s >= 1 / 80 and len(corpora[w]) >= 4 and re.fullmatch("[a-z]+", w) and 2 * lower[w] >= all_[w]:
            rows[max(round(10 * math.log(1 / s) / math.log(80)), 0)].append(w)
    return "".join(f"{tenths}\t{' '.join(sorted(rows[tenths]))}\n" for tenths in sorted(rows) if tenths < 10)


def report(name: str, pairs: list[Pair], same: np.ndarray[Any, Any]) -> None:
    right = sum(p.same and s for p, s in zip(pairs, same, strict=True))
    wrong = sum(not p.same and s for p, s in zip(pairs, same, strict=True))
    missed = sum(p.same and not s for p, s in zip(pairs, same, strict=True))
    f1 = 2 * right / max(2 * right + wrong + missed, 1)
    print(f"{name:14} {len(pairs):4} pairs  P {right / max(right + wrong, 1):.3f}  "
          f"R {right / max(right + missed, 1):.3f}  F1 {f1:.3f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--rows", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--weights", action="store_true")
    args = parser.parse_args()
    data = args.shared / "data"
    if args.weights:
        place = HERE / "word_weights.tsv"
        head = [line for line in place.read_text(encoding="utf-8").splitlines(keepends=True) if line.startswith("#")]
        place.write_text("".join(head) + count_weights(data), encoding="utf-8")
        return
    rows = read_rows(data, args.cache, args.rows)
    keys = keys_of(rows, merges_of(rows)[0])
    pairs = judged(data, rows, keys)
    x = np.array([measures(p.a, p.b) for p in pairs])
    drawn = unlike(keys, pairs)
    same = (cross_validated(x, pairs, drawn) >= 0.5) & ~np.array([said_by_others(tuple(v)) for v in x])
    for kind in ("dev", "shared words", "doubtful"):
        mine = [k for k, p in enumerate(pairs) if p.drawn == kind]
        report(kind, [pairs[k] for k in mine], same[mine])
    model = fit(x, pairs, drawn)
    out = {"intercept": round(float(model.intercept_[0]), 3),
           "weights": {m: round(float(w), 3) for m, w in zip(MEASURES, model.coef_[0], strict=True)}}  # fmt: skip
    print(json.dumps(out))
    if args.write:
        (HERE / "utterances.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
