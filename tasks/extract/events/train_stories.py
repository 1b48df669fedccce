"""Make data/story_words.npz (how common words are) and print weights for stories.py fitted on judged pairs.

usage: python -m tasks.extract.events.train_stories ../shared/data     (extra: train)
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from tasks.extract.events import stories

MIN_ARTICLES = 4
OWN_PAIRS = Path(__file__).parents[3] / "bench" / "data" / "story_pairs.jsonl"
"""110 pairs of PolNeAR articles of other outlets within three days, judged by their beginnings (ids only)."""


def read_articles(data: Path) -> dict[str, dict[str, Any]]:
    """id -> article of the quotes sets, with its text."""
    out = {}
    for file in sorted((data / "quotes").glob("polnear_*.jsonl.gz")):
        if "alt" in file.name:
            continue
        with gzip.open(file, "rt", encoding="utf-8") as fh:
            for row in map(json.loads, fh):
                out[row["id"]] = row
    return out


def count_words(data: Path, texts: list[str]) -> None:
    """Document frequencies over the quotes, police and case sets."""
    for name in ("ipe_docs", "case_types"):
        with gzip.open(data / "events" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as fh:
            texts = texts + [json.loads(line)["text"] for line in fh]
    counts: Counter[str] = Counter()
    for t in texts:
        counts.update(set(stories.words_of(t[: stories.READ_CHARS])))
    kept = sorted((w, n) for w, n in counts.items() if n >= MIN_ARTICLES)
    np.savez_compressed(
        stories.WORDS,
        words=np.frombuffer("\n".join(w for w, _ in kept).encode(), np.uint8),
        counts=np.array([n for _, n in kept], np.uint16),
        n=np.array(len(texts)),
    )
    print(f"{len(kept)} words of {len(texts)} articles")


def key_of(row: dict[str, Any]) -> stories.StoryKey:
    day = dt.date.fromisoformat(row["id"].split("_")[1])
    return stories.make_key(row["id"], row["text"], title=row.get("title"), day=day)


def read_pairs(data: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Judged pairs: the given ones, alike by choice, and our own, of articles that are alike by chance."""
    files = (data / "cross" / "story_pairs.dev.jsonl", OWN_PAIRS)
    given, own = ([json.loads(line) for line in f.open(encoding="utf-8")] for f in files)
    return given, own


def groups_of(pairs: list[dict[str, Any]]) -> list[str]:
    """A group for each pair, such that no article stands in two groups: one cannot be learnt from and scored on."""
    top: dict[str, str] = {}

    def find(i: str) -> str:
        while top.setdefault(i, i) != i:
            i = top[i]
        return i

    for p in pairs:
        top[find(p["a"])] = find(p["b"])
    return [find(p["a"]) for p in pairs]


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

    data = Path(sys.argv[1])
    articles = read_articles(data)
    count_words(data, [a["text"] for a in articles.values()])
    stories.background.cache_clear()
    given, own = read_pairs(data)
    pairs = given + own
    keys = {i: key_of(articles[i]) for i in {x for p in pairs for x in (p["a"], p["b"])}}
    back = stories.background()
    x = np.array([stories.features(keys[p["a"]], keys[p["b"]], back) for p in pairs])
    y = np.array([p["same"] for p in pairs]).astype(int)
    model = LogisticRegression(C=0.5, class_weight="balanced")
    for seed in range(4):
        folds = StratifiedGroupKFold(10, shuffle=True, random_state=seed)
        chance = cross_val_predict(model, x, y, cv=folds, groups=groups_of(pairs), method="predict_proba")
        for name, part in (("given", slice(len(given))), ("own", slice(len(given), None))):
            said = chance[part, 1] > 0.5
            tp = int((said & (y[part] == 1)).sum())
            print(name, "pairs: cross-validated F1", round(2 * tp / max(1, int(said.sum() + y[part].sum())), 3))
    model.fit(x, y)
    print("BIAS of balanced classes: stories.py adds to it, for pairs are rarely so alike")
    print("WEIGHTS", tuple(round(float(w), 2) for w in model.coef_[0]), "BIAS", round(float(model.intercept_[0]), 2))
    evaluate(data, everything=False)
    evaluate(data, everything=True)


def evaluate(data: Path, everything: bool) -> None:
    """Write predictions and print the scorer's figure, over the pairs' articles alone or all articles of the sets."""
    articles = read_articles(data)
    pairs = [json.loads(line) for line in (data / "cross" / "story_pairs.dev.jsonl").open(encoding="utf-8")]
    wanted = articles if everything else {i: articles[i] for p in pairs for i in (p["a"], p["b"])}
    keys = {i: key_of(a) for i, a in wanted.items()}
    found, _ = stories.assign_stories(keys.values())
    same = [(p["same"], found[keys[p["a"]].article_id] == found[keys[p["b"]].article_id]) for p in pairs]
    tp = sum(a and b for a, b in same)
    print(
        f"{len(keys)} articles, {len(set(found.values()))} stories: F1", round(2 * tp / sum(a + b for a, b in same), 3)
    )


if __name__ == "__main__":
    main()
