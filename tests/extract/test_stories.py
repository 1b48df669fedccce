"""Articles of one happening share a story, whatever the order they come in."""

from __future__ import annotations

import datetime as dt
import random
import tomllib
from pathlib import Path

import pytest

from bench import happenings
from tasks.extract.events import stories
from tasks.extract.events.stories import MAX_MEMBERS, KnownStory, StoryKey, assign_stories, make_key

DAY = dt.date(2026, 3, 3)
BRIDGE = [
    "Gunmen blew up the Verano bridge near the town of Alcorra on Monday, cutting the only road to the coast, police said. "
    "Nobody was hurt. The Verano bridge carried 4,000 lorries a day, the transport ministry said.",
    "The Verano bridge at Alcorra was destroyed by gunmen on Monday. The transport ministry said 4,000 lorries a day now "
    "have no road to the coast.",
    "After gunmen destroyed the Verano bridge on Monday, lorries queued in Alcorra for hours, drivers said, with no other "
    "road to the coast.",
]
STRIKE = [
    "Nurses at the Saint Orla hospital walked out on Monday over night shifts, their union said. The hospital board "
    "called the walkout reckless.",
    "The walkout of nurses over night shifts emptied wards at Saint Orla hospital on Monday. The board called it reckless.",
]
OTHER_BRIDGE = (
    "The mayor of Port Lessing opened a new footbridge over the Ilse on Saturday with music and fireworks, and thanked "
    "the engineers."
)


def key(name: str, text: str, day: dt.date = DAY, group: str | None = None) -> StoryKey:
    return make_key(name, text, title=None, day=day, copy_group=group)


KEYS = [
    *(key(f"bridge-{i}", t) for i, t in enumerate(BRIDGE)),
    *(key(f"strike-{i}", t) for i, t in enumerate(STRIKE)),
    key("other", OTHER_BRIDGE),
]


def test_assign_stories_joins_the_articles_of_one_happening() -> None:
    found, _ = assign_stories(KEYS)
    assert len({found[f"bridge-{i}"] for i in range(3)}) == 1
    assert len({found[f"strike-{i}"] for i in range(2)}) == 1
    assert len(set(found.values())) == 3


@pytest.mark.parametrize("seed", range(5))
def test_assign_stories_gives_the_same_ids_in_any_order(seed: int) -> None:
    shuffled = random.Random(seed).sample(KEYS, len(KEYS))
    assert assign_stories(shuffled)[0] == assign_stories(KEYS)[0]


def test_assign_stories_goes_on_from_an_earlier_night() -> None:
    first, known = assign_stories(KEYS[:2])
    later = key("late", BRIDGE[2], DAY + dt.timedelta(days=1))
    second, _ = assign_stories([later], known)
    assert second["late"] == first["bridge-0"]


def test_assign_stories_lets_go_of_old_stories() -> None:
    _, known = assign_stories(KEYS[:2])
    _, kept = assign_stories([key("new", OTHER_BRIDGE, DAY + dt.timedelta(days=30))], known, days=7)
    assert [s.members[0].article_id for s in kept] == ["new"]


def test_assign_stories_joins_copies_whatever_their_words() -> None:
    found, _ = assign_stories([key("a", BRIDGE[0], group="c-1"), key("b", BRIDGE[1], group="c-1")])
    assert found["a"] == found["b"]


def test_assign_stories_keeps_a_bounded_number_of_members() -> None:
    many = [key(f"copy-{i:03}", BRIDGE[0]) for i in range(MAX_MEMBERS * 3)]
    found, kept = assign_stories(many)
    assert len(set(found.values())) == 1
    assert [len(s.members) for s in kept] == [MAX_MEMBERS]


@pytest.mark.parametrize("text", ["", "...", "\n\n", "1 2 3"])
def test_assign_stories_gives_every_article_a_story(text: str) -> None:
    found, _ = assign_stories([make_key("x", text, title=None, day=None)], [KnownStory(story_id="s-1", members=())])
    assert set(found) == {"x"}


def test_assign_stories_keeps_look_alikes_apart_when_type_and_place_agree() -> None:
    """42 invented happenings of three articles each, in pairs alike in type and place (bench/data/happenings.jsonl)."""
    found = list(happenings.articles())
    gold = {a.article_id: name for name, a in found}
    keys = happenings.keys_of(found)
    assert len({n for n in gold.values() if sum(x == n for x in gold.values()) >= 3}) >= 40
    assert happenings.bcubed(gold, assign_stories(keys)[0])[2] >= 0.90
    assert happenings.bcubed(gold, happenings.by_night(keys))[2] >= 0.90


def press() -> dict[str, tuple[str, StoryKey]]:
    """file -> (story, key) of the demo's English articles; one without a story is one of its own."""
    out = {}
    for file in sorted((Path(__file__).parents[2] / "flows" / "press" / "articles").glob("*/*.md")):
        _, head, body = file.read_text(encoding="utf-8").split("+++\n", 2)
        facts = tomllib.loads(head)
        if "estuario" not in file.parent.name:  # the press of another language
            day = facts["published"].date() if "published" in facts else None
            made = make_key(file.stem, body.strip(), title=facts["title"], day=day)
            out[file.stem] = (facts.get("story", file.stem), made)
    return out


def test_assign_stories_joins_no_unlike_articles_when_they_are_long() -> None:
    """Long texts share the furniture of news ("officials said on Monday"): that alone joined a flood and a bombing."""
    articles = press()
    assert len(articles) > 40
    found, _ = assign_stories([k for _, k in articles.values()])
    for name, (story, _) in articles.items():
        mates = {other for other in articles if found[other] == found[name]}
        assert {articles[m][0] for m in mates} == {story}, mates


def test_assign_stories_compares_a_bounded_number_when_many_are_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0

    def counted(*args: object) -> float:
        nonlocal calls
        calls += 1
        return 0.0  # nothing is ever joined: every article is compared with as many stories as there may be

    monkeypatch.setattr(stories, "likeness", counted)
    many = [key(f"n-{i:03}", BRIDGE[0]) for i in range(150)]
    assign_stories(many)
    assert calls <= len(many) * stories.MAX_COMPARED
