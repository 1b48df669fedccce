from __future__ import annotations

import datetime as dt
import random

import numpy as np
import pytest

from tasks.clean.copies import CopyKey, estimate, find_copies, signature

WORDS = [f"word{i}" for i in range(400)]
NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def text_of(seed: int, n: int = 200) -> str:
    rng = random.Random(seed)
    return " ".join(rng.choice(WORDS) for _ in range(n))


def key(
    name: str,
    text: str,
    *,
    hour: int = 0,
    agency: str | None = None,
    article: str | None = None,
    group: str | None = None,
) -> CopyKey:
    return CopyKey(
        article_id=name, article_key=article or f"k-{name}", signature=signature(text),
        published_at=NOON + dt.timedelta(hours=hour),
        fetched_at=None, agency=agency, outlet="example.org", word_count=len(text.split()), copy_group=group,
    )  # fmt: skip


def test_signature_is_the_same_when_only_case_and_punctuation_differ() -> None:
    a = signature("The mayor, who is 84, said: “No.” Then she left the hall.")
    b = signature("the mayor who is 84 said no then she left the hall")
    assert a.dtype == np.uint32
    assert np.array_equal(a, b)


@pytest.mark.parametrize(("changed", "low", "high"), [(0, 1.0, 1.0), (4, 0.75, 0.97), (120, 0.0, 0.3)])
def test_estimate_is_near_the_true_similarity(changed: int, low: float, high: float) -> None:
    tokens = text_of(1, 300).split()
    other = list(tokens)
    for i in range(changed):
        other[i * 2 if changed > 10 else i * 60] = f"new{i}"
    assert low <= estimate(signature(" ".join(tokens)), signature(" ".join(other))) <= high


def test_find_copies_names_the_first_as_original_in_any_order() -> None:
    wire = text_of(2)
    rows = [
        key("late", wire + " extra words at the end", hour=3),
        key("first", wire, hour=1),
        key("other", text_of(3), hour=0),
        key("mid", wire, hour=2),
    ]
    answers = []
    for seed in range(6):
        random.Random(seed).shuffle(rows)
        answers.append(find_copies(rows))
    assert all(a == answers[0] for a in answers)
    assert set(answers[0]) == {"late", "first", "mid"}
    assert [i for i, v in answers[0].items() if v.is_original] == ["first"]
    assert len({v.copy_group for v in answers[0].values()}) == 1


def test_find_copies_prefers_the_agency_at_equal_times() -> None:
    wire = text_of(4)
    found = find_copies([key("a", wire), key("b", wire, agency="Reuters")])
    assert found["b"].is_original
    assert not found["a"].is_original


def test_find_copies_keeps_the_original_of_an_earlier_night() -> None:
    wire = text_of(5)
    found = find_copies([key("new", wire, hour=-5)], [key("old", wire, group="c-1")])
    assert found["old"].is_original
    assert found["new"].copy_group == "c-1"


def test_find_copies_leaves_revisions_of_one_article_alone() -> None:
    wire = text_of(6)
    assert find_copies([key("r1", wire, article="k"), key("r2", wire, article="k", hour=1)]) == {}


def test_find_copies_of_short_texts_only_when_equal() -> None:
    short = "Police closed the bridge on Monday after a lorry hit a pillar"
    found = find_copies([key("a", short), key("b", short, hour=1), key("c", short + " there", hour=2)])
    assert set(found) == {"a", "b"}


def test_find_copies_does_not_drift_along_a_chain() -> None:
    tokens = text_of(7, 400).split()
    rows = []
    for step in range(12):
        rows.append(key(f"s{step:02d}", " ".join(tokens), hour=step))
        tokens[step * 30 : step * 30 + 25] = [f"new{step}-{i}" for i in range(25)]
    found = find_copies(rows)
    by_group: dict[str, list[str]] = {}
    for name, verdict in found.items():
        by_group.setdefault(verdict.copy_group, []).append(name)
    sides = {r.article_id: r.signature for r in rows}
    for names in by_group.values():
        head = next(n for n in names if found[n].is_original)
        assert all(estimate(sides[head], sides[n]) >= 0.8 for n in names)


@pytest.mark.parametrize(("share", "copy"), [(0.9, True), (0.7, True), (0.6, True), (0.2, False)])
def test_find_copies_knows_a_cut_version_that_came_later(share: float, copy: bool) -> None:
    tokens = text_of(8, 600).split()
    short = " ".join(tokens[: int(600 * share)])
    found = find_copies([key("whole", " ".join(tokens)), key("cut", short, hour=2)])
    assert ("cut" in found) is copy
    if copy:
        assert found["whole"].is_original
        assert not found["cut"].is_original


def test_find_copies_leaves_an_article_alone_when_it_takes_an_earlier_one_in_and_goes_on() -> None:
    tokens = text_of(9, 600).split()
    assert find_copies([key("flash", " ".join(tokens[:300])), key("story", " ".join(tokens), hour=2)]) == {}


def test_find_copies_leaves_articles_alone_that_share_boilerplate() -> None:
    shared = text_of(10, 90)
    assert find_copies([key(str(i), f"{text_of(20 + i, 200)} {shared}", hour=i) for i in range(20)]) == {}


def test_signature_takes_lone_surrogates() -> None:
    assert np.array_equal(signature("broken \ud800 text of a page here"), signature("broken text of a page here"))
