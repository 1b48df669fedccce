"""Events of an article: what is told as having happened, by whom, and what is no event."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings
from tests import rows

PUBLISHED = dt.datetime(2026, 3, 2, 6, tzinfo=dt.UTC)  # a Monday


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def read(nlp: Any, text: str, quotes: list[tables.Quote] | None = None, **more: Any) -> list[tables.Event]:
    article = rows.article(text, **{"published_at": PUBLISHED, **more})
    return find_events(parse(nlp, text), article, quotes or [], [])


@pytest.mark.parametrize(
    ("text", "type_", "trigger"),
    [
        ("Norway and Chile agreed to share fisheries data, the foreign ministry said.", "AGREE", "agreed"),
        ("The Kenyan president met his Ugandan counterpart in Nairobi.", "CONSULT", "met"),
        ("Canada praised Ghana for its election.", "SUPPORT", "praised"),
        ("The government lifted the night curfew in the capital.", "CONCEDE", "lifted"),
        ("Japan donated rice to Nepal after the harvest failed.", "AID", "donated"),
        ("The rebels released four hostages on Sunday.", "RETREAT", "released"),
        ("Brussels demanded that Hungary withdraw the law.", "REQUEST", "demanded"),
        ("The opposition accused the army of torture.", "ACCUSE", "accused"),
        ("Peru rejected a proposal by Chile to reopen the border.", "REJECT", "rejected"),
        ("Tehran threatened to close the strait.", "THREATEN", "threatened"),
        ("Sweden expelled two Russian diplomats.", "SANCTION", "expelled"),
        ("Thousands of farmers protested in Warsaw on Friday.", "PROTEST", "protested"),
        ("Turkey deployed troops along the Syrian border.", "MOBILIZE", "deployed"),
        ("Police arrested nine activists in Minsk.", "COERCE", "arrested"),
        ("Gunmen attacked a convoy near Mopti, killing three soldiers.", "ASSAULT", "attacked"),
        ("Police lathi-charged the crowd in Patna.", "ASSAULT", "charged"),
    ],
)
def test_find_events_codes_the_main_event_when_one_is_told(nlp: Any, text: str, type_: str, trigger: str) -> None:
    events = read(nlp, text)
    assert type_ in {e.type for e in events}
    assert any(trigger in e.trigger for e in events if e.type == type_)


@pytest.mark.parametrize(
    "text",
    [
        "A strong earthquake killed at least 40 people and injured hundreds in the valley.",
        "Two lorries collided on the motorway and five passengers died in the crash.",
        "Stocks were hammered as investors fled the market and the index lost three percent.",
        "The team attacked from the first minute of the match and the striker scored a late goal.",
        "The committee published its yearly report on school meals.",
        "",
    ],
)
def test_find_events_finds_none_when_nothing_political_happened(nlp: Any, text: str) -> None:
    assert [e for e in read(nlp, text) if e.modality in tables.REAL] == []


@pytest.mark.parametrize(
    ("text", "type_", "modality"),
    [
        ("Soldiers attacked the village on Sunday.", "ASSAULT", "asserted"),
        ("Soldiers attacked the village, the governor said.", "ASSAULT", "reported"),
        ("Rebels allegedly attacked the village.", "ASSAULT", "alleged"),
        ("The rebels plan to attack the village.", "ASSAULT", "planned"),
        ("More attacks are expected in the city as the army advances.", "ASSAULT", "expected"),
        ("Militants could attack the base, analysts said.", "ASSAULT", "hypothetical"),
        ("Soldiers did not attack the village.", "ASSAULT", "negated"),
        ("No arrests were made after the march.", "COERCE", "negated"),
    ],
)
def test_find_events_says_whether_it_happened(nlp: Any, text: str, type_: str, modality: str) -> None:
    events = [e for e in read(nlp, text) if e.type == type_]
    assert [e.modality for e in events] == [modality]


def test_find_events_names_both_sides_when_the_verb_is_passive(nlp: Any) -> None:
    (event,) = read(nlp, "Eleven militants were arrested by Kenyan police in Garissa.")
    assert (event.actor_text, event.actor_sector, event.actor_country) == ("Kenyan police", "COP", "KEN")
    assert event.recipient_text == "Eleven militants"
    assert (event.arrested_min, event.arrested_max) == (11, 11)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Rebels shelled the town, Governor Ana Lopez said on Friday.", "Governor Ana Lopez"),
        ("According to the Red Cross, rebels shelled the town.", "the Red Cross"),
        ("The monitor said that rebels shelled the town.", "The monitor"),
    ],
)
def test_find_events_names_who_says_so(nlp: Any, text: str, source: str) -> None:
    (event,) = read(nlp, text)
    assert event.attributed_to == source
    assert event.attributed_to in text


def test_find_events_takes_source_and_stance_from_the_quote_it_stands_in(nlp: Any) -> None:
    text = "“Soldiers burned three houses,” claimed Maria Silva."
    article = rows.article(text, published_at=PUBLISHED)
    at = text.index("Maria Silva")
    quote = rows.quote(
        article, "Soldiers burned three houses", source_id="s-7", stance="claims",
        speaker_text="Maria Silva", speaker_start=at, speaker_end=at + 11,
    )  # fmt: skip
    (event,) = find_events(parse(nlp, text), article, [quote], [])
    assert (event.modality, event.attributed_to) == ("alleged", "Maria Silva")
    assert (event.attributed_source_id, event.attributed_quote_id) == ("s-7", quote.quote_id)


def test_find_events_leaves_out_what_is_only_asked_for(nlp: Any) -> None:
    events = read(nlp, "The United Nations urged Sudan to release the prisoners and withdraw its troops.")
    assert {e.type for e in events} == {"REQUEST"}


ODD = [
    "Police arrested 12 people in Lagos.\nA bomb killed 9 soldiers in Mosul, the army said.\n\nHe said so.",
    "ahmedabad: police fired 20 rounds and two persons were killed on sunday.",
    "KILLED 1,2,3 attack attack attack " * 40,
    "“" * 300 + "attack" + "”" * 300,
    "🔥 Rebels attacked the caf\u00e9 in \u00c7e\u015fme on 31 December 9999 \u202e killing a million people.",
    "attack, " * 3000,
    "x" * 20_000 + " killed " + "y" * 20_000,
]


@pytest.mark.parametrize("text", ODD)
def test_find_events_keeps_its_promises_on_odd_text(nlp: Any, text: str) -> None:
    events = read(nlp, text, published_at=None)
    assert len({e.event_id for e in events}) == len(events)
    assert [e.trigger_start for e in events] == sorted(e.trigger_start for e in events)
    for e in events:
        assert text[e.start : e.end] == e.evidence
        assert text[e.trigger_start : e.trigger_end] == e.trigger
        assert e.start <= e.trigger_start < e.trigger_end <= e.end
        for words, start, end in (
            (e.actor_text, e.actor_start, e.actor_end),
            (e.recipient_text, e.recipient_start, e.recipient_end),
            (e.place_text, e.place_start, e.place_end),
        ):
            assert words is None or text[start:end] == words
        assert e.date_text is None or e.date_text in text
        assert all(0 <= c.start < c.end <= len(text) for c in e.count_spans)
        assert 0 < e.confidence < 1


def test_find_events_is_the_same_when_run_twice(nlp: Any) -> None:
    assert read(nlp, ODD[0]) == read(nlp, ODD[0])
