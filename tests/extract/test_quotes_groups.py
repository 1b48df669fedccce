"""One utterance over many articles."""

from __future__ import annotations

import datetime as dt
import random
import time

import pytest

from tasks.extract.quotes.groups import QuoteKey, group_quotes
from tasks.extract.quotes.utterances import likeness, utterance_of

DAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def key(
    number: int, text: str, *, source: str | None = "Ann Lee", days: float | None = 0, kind: str = "direct"
) -> QuoteKey:
    return QuoteKey(
        quote_id=f"q-{number:04d}",
        article_id=f"a-{number}",
        text=text,
        kind="indirect" if text == TOLD else kind,
        source_id=None,
        source=source,
        seen_at=None if days is None else DAY + dt.timedelta(days=days),
    )


TOLD = "the harbour wall would be rebuilt within two years of the storm"
LONG = "“The harbour wall will be finished before the first storms of winter arrive,”"


@pytest.mark.parametrize(
    ("one", "other", "joined"),
    [
        (key(1, LONG), key(2, LONG), True),
        (key(1, LONG), key(2, LONG, days=200), True),
        (key(1, LONG), key(2, "“The harbour wall will be finished before the first storms”", days=1), True),
        (key(1, LONG), key(2, "“The harbour wall will be finished before the first rain”", days=90), False),
        (key(1, LONG), key(2, "that the wall would stand “before the first storms of winter arrive”"), True),
        (key(1, LONG), key(2, "“The harbour bridge will be closed before the last days of summer,”"), False),
        (key(1, "“a shameful farce”"), key(2, "the vote “a shameful farce” from start to end", days=2), True),
        (key(1, "“a shameful farce”"), key(2, "it “a shameful farce”", source="Bo Ek", days=2), False),
        (key(1, "an “outright secrecy run wild”"), key(2, "it “outright secrecy run wild”", source=None), True),
        (
            key(1, "the vote “a shameful farce” from start to end"),
            key(2, "the new harbour report “a shameful farce”", days=30),
            False,
        ),
        (key(1, "him a “shameful liar”"), key(2, "the mayor of being a “shameful liar.”", source="Team Lee"), True),
        (key(1, "a “calm, steady, patient hand”"), key(2, "“we need a steady, patient hand now”", days=1), True),
        (key(1, "“We have come a long way,”"), key(2, "“We have a long way to go,”"), False),
        (
            key(1, "“The harbour wall will stand before winter,”"),
            key(2, "“The harbour wall will stand, whatever the engineers say,”", days=4),
            False,
        ),
        (
            key(1, TOLD),
            key(2, "the harbour wall would be rebuilt within two years of the last storm", days=1, kind="indirect"),
            True,
        ),
        (key(1, TOLD), key(2, "the town hall would be repainted within two years", days=1, kind="indirect"), False),
    ],
)
def test_group_quotes_joins_when_words_speaker_and_time_agree(one: QuoteKey, other: QuoteKey, joined: bool) -> None:
    groups = group_quotes([one, other])
    assert (groups[one.quote_id] == groups[other.quote_id]) is joined


def test_group_quotes_leaves_out_what_is_too_short_to_be_known_again() -> None:
    assert group_quotes([key(1, "“Yes.”"), key(2, "no comment")]) == {}


def test_group_quotes_is_the_same_when_rows_come_in_another_order() -> None:
    rows = [key(i, f"{LONG} {'again ' * (i % 3)} number {i % 5} of the wall", days=i % 4) for i in range(40)]
    first = group_quotes(rows)
    random.Random(1).shuffle(rows)
    assert group_quotes(rows) == first


def test_group_quotes_keeps_the_id_when_a_group_is_known() -> None:
    assert group_quotes([key(1, LONG), key(2, LONG)], {"q-0002": "u-old"}) == {"q-0001": "u-old", "q-0002": "u-old"}


def test_group_quotes_makes_no_chain_of_catchwords() -> None:
    """Each shares two words with the next; the first and the last have nothing in common."""
    rows = [
        key(1, "the harbour plan “utterly reckless” and a danger to the fishermen of the whole coast"),
        key(2, "the tax “utterly reckless” and the budget a “brazen swindle” of everybody who pays it", days=3),
        key(3, "the contract a “brazen swindle” and the referee of the final match a “hopeless amateur”", days=6),
        key(4, "the goalkeeper a “hopeless amateur” who should have stayed at home on Sunday", days=9),
    ]
    groups = group_quotes(rows)
    assert groups["q-0001"] != groups["q-0004"]


def test_group_quotes_finds_the_same_speaker_behind_others_when_texts_are_equal() -> None:
    """The text in between is another named speaker's few words: it must not stand between the two that are one."""
    rows = [
        key(i, "“a shameful farce”", source=who, days=i) for i, who in ((1, "Ann Lee"), (2, "Bo Ek"), (3, "Ann Lee"))
    ]
    groups = group_quotes(rows)
    assert groups["q-0001"] == groups["q-0003"] != groups["q-0002"]


def test_group_quotes_joins_cuts_of_one_speech_when_hundreds_of_outlets_cut_it_differently() -> None:
    rows = [key(i, f"{LONG[:-1]} said outlet{i} word{i} other{i}”", days=i % 3) for i in range(200)]
    assert len(set(group_quotes(rows).values())) == 1


@pytest.mark.parametrize(
    "texts",
    [
        ["“" + "the " * 400 + "”"] * 50,
        ["“" + " ".join(random.Random(n).choices(["harbour", "storms"], k=400)) + "”" for n in range(60)],
        ["“" + '"' * 20_000 + "harbour wall storms”", "word " * 100_000],
        [f"“harbour wall storms {n} winter{n}”" for n in range(3000)],
    ],
)
def test_group_quotes_takes_bounded_time_when_texts_are_hostile(texts: list[str]) -> None:
    begun = time.process_time()
    group_quotes([key(n, text, days=n % 20) for n, text in enumerate(texts)])
    assert time.process_time() - begun < 30


def test_likeness_is_the_same_when_the_pair_is_turned_round() -> None:
    texts = [
        LONG,
        TOLD,
        "“a shameful farce”",
        "that the wall would stand “before the first storms of winter arrive”",
        "no",
    ]
    pairs = [(utterance_of(key(1, a)), utterance_of(key(2, b, source=None, days=None))) for a in texts for b in texts]
    assert all(likeness(a, b) == likeness(b, a) for a, b in pairs)
    assert all(0 <= likeness(a, b) <= 1 for a, b in pairs)


def test_group_quotes_knows_few_words_when_they_tell_something() -> None:
    texts = ["“extremely careless”", "the verdict “outright theft”", "“Yes, I do”", "“not now”"]
    groups = group_quotes([key(n, text) for n, text in enumerate(texts)])
    assert sorted(groups) == ["q-0000", "q-0001"]
