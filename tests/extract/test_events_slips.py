"""Sides, places, days and numbers that were once read from the wrong words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.events.counts import find_counts
from tasks.extract.language import load_model, parse
from tasks.extract.tokens import read_tokens
from tasks.settings import ExtractSettings
from tests import rows

PUBLISHED = dt.datetime(2026, 3, 5, 6, tzinfo=dt.UTC)  # a Thursday


def event(text: str, trigger: str) -> tables.Event:
    nlp = load_model(ExtractSettings().model)
    found = find_events(parse(nlp, text), rows.article(text, published_at=PUBLISHED), [], [])
    (one,) = [e for e in found if trigger in e.trigger]
    return one


SLIPS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("Two journalists were arrested in Minsk on Monday.", "arrested", {"actor_text": None, "place_name": "Minsk"}),
    ("Mothers held a vigil outside police headquarters on Friday.", "held", {"recipient_text": None}),
    ("The ministers met in Geneva over the war in Syria.", "met", {"recipient_text": None, "place_name": "Geneva"}),
    ("Police detained the men behind last year's attack on a church in Kaduna.", "attack", {"actor_text": None}),
    (
        "Fierce fighting in Kirkuk lasted three days and killed up to 90 people.",
        "fighting",
        {"actor_text": None, "killed_min": None, "killed_max": 90},
    ),
    ("Canada announced new sanctions against Syria today.", "announced", {"place_name": None}),
    (
        "Forces loyal to the ministry have begun a new stage in the offensive to recapture Mosul from Isis.",
        "offensive",
        {"place_name": "Mosul"},
    ),
    ("Rebels attacked Alcorra, a town that flooded last year.", "attacked", {"date_text": None}),
    ("Rebels attacked a convoy about 100km from Agra.", "attacked", {"place_name": None}),
    ("Three bombers blew themselves up outside a police station.", "blew", {"killed_min": 3, "killed_max": 3}),
    (
        "Scores were admitted to the civil hospital with burns after a mob torched the market.",
        "torched",
        {"injured_min": 40, "injured_max": None},
    ),
    (
        "At least ten militants were killed and two others were captured when they attacked a base in Mogadishu.",
        "killed",
        {"killed_min": 10, "recipient_text": "At least ten militants"},
    ),
    (
        "He said 412 people had been killed in the riots, including 60 in police firing.",
        "firing",
        {"actor_text": "police", "killed_min": 60, "killed_max": 60},
    ),
    (
        "He condemned the police firing that left one man dead on Sunday.",
        "firing",
        {"actor_text": "the police", "recipient_text": "one man", "killed_min": 1},
    ),
    (
        "Three were killed in a police-protester clash in Nairobi.",
        "clash",
        {"actor_text": "police", "recipient_text": "protester", "killed_min": 3},
    ),
    (
        "More people died in police firing than in the stampede, a monitor said.",
        "firing",
        {"actor_text": "police", "killed_min": 2, "killed_max": None},
    ),
    (
        "When police dispersed them with tear-gas shells, residents of the quarter attacked the police.",
        "attacked",
        {"actor_text": "residents of the quarter", "recipient_text": "the police", "mode": None},
    ),
    ("The smuggler is currently held by the police.", "held", {"actor_text": "the police", "mode": "arrest"}),
    (
        "One man died on Monday in the Iraqi town of Nasiriyah. Protesters shut down schools in the city.",
        "shut",
        {"place_name": "Nasiriyah", "place_country": "IRQ"},
    ),
    (
        "He spoke of the police shootings in Louisiana and a sniper killing five officers.",
        "shootings",
        {"actor_text": "police", "place_name": "Louisiana", "killed_min": None},
    ),
    (
        "Three bombers attacked a station and blew themselves up without other casualties.",
        "attacked",
        {"killed_max": 3, "injured_max": 0},
    ),
    ("The party on Friday said it plans to take out a march in memory of the dead.", "take", {"date_text": None}),
    ("Iran detained 10 Canadian anglers on Tuesday.", "detained", {"recipient_text": "Canadian"}),
    ("Iran detained 10 Canadian sailors on Tuesday.", "detained", {"recipient_text": "10 Canadian sailors"}),
    ("He condemned the attack on the church in Lagos.", "attack", {"actor_text": None, "place_name": "Lagos"}),
    ("Another five were killed in artillery fire near the front.", "killed", {"actor_text": None, "killed_min": 5}),
    ("A bomb killed ten people in Kabul.", "killed", {"actor_text": None, "killed_min": 10}),
    (
        "A stabbing that killed a passenger may have followed a quarrel, authorities said.",
        "stabbing",
        {"modality": "reported"},
    ),
    (
        "The firm left China Geo after villagers began protesting in Lesotho.",
        "protesting",
        {"place_name": "Lesotho"},
    ),
    (
        "His father, who fled Cuba after being arrested by soldiers, was a farmer.",
        "arrested",
        {"displaced_min": None, "displaced_max": None},
    ),
)


@pytest.mark.parametrize(("text", "trigger", "want"), SLIPS)
def test_event_fields_when_other_words_lie_nearer(text: str, trigger: str, want: dict[str, Any]) -> None:
    found = event(text, trigger)
    assert {k: getattr(found, k) for k in want} == want


def test_event_has_the_day_of_what_was_at_once() -> None:
    text = "Ten rebels were killed on Thursday and two were captured when they attacked a base, state radio reported."
    found = event(text, "attacked")
    assert (found.date_text, found.actor_text) == ("on Thursday", "two")
    assert event(text, "killed").killed_min == 10


def test_event_has_no_day_when_the_day_is_of_the_saying() -> None:
    assert event("The union on Friday said that gunmen had attacked its office.", "attacked").date_text is None


def test_counts_none_when_the_killing_did_not_come_about() -> None:
    doc = read_tokens(parse(load_model(ExtractSettings().model), "A mob nearly lynched four men."))
    assert find_counts(list(doc)) == []


@pytest.mark.parametrize(
    ("text", "trigger", "modality"),
    [
        ("The army announced that it had shelled the town.", "shelled", "reported"),
        ("Ten rebels have surrendered to soldiers in Sirnak, the army announced on Sunday.", "surrendered", "reported"),
        ("The army announced that it will withdraw its troops from the town.", "withdraw", "reported"),
        ("Police arrested activists in anticipation of mass protests.", "protests", "expected"),
        ("The two governments are nearing an agreement on water.", "agreement", "expected"),
    ],
)
def test_modality_of_what_is_announced(text: str, trigger: str, modality: str) -> None:
    assert event(text, trigger).modality == modality


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("Rockets struck a hospital in western Aleppo, killing seven people.", "ASSAULT"),
        ("Police arrested an activist over a crackdown that plunged the city into a crisis.", "COERCE"),
    ],
)
def test_event_found_when_a_capital_or_a_figure_of_speech_misleads(text: str, type_: str) -> None:
    nlp = load_model(ExtractSettings().model)
    assert type_ in {e.type for e in find_events(parse(nlp, text), rows.article(text), [], [])}


@pytest.mark.parametrize(
    "text",
    [
        "The ministry condemned the test of a hydrogen bomb.",
        "The fire broke out in a displaced persons' camp.",
    ],
)
def test_no_violence_where_a_thing_or_a_group_is_only_named(text: str) -> None:
    nlp = load_model(ExtractSettings().model)
    found = find_events(parse(nlp, text), rows.article(text), [], [])
    assert not {e.type for e in found} & {"ASSAULT", "COERCE"}


def test_actor_is_whose_fire_it_was_when_the_toll_stands_alone() -> None:
    text = "Half of the people killed in the police firing belong to one community."
    assert event(text, "killed").actor_text == "the police"


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("Opponents say the law would allow the police to arrest anyone.", "hypothetical"),
        ("The mayor demanded the arrest of the men on Monday.", None),
        ("Instructions were passed to detain members of the group.", "planned"),
        ("The camp could house the arrested rebels.", "asserted"),
    ],
)
def test_modality_of_an_arrest(text: str, modality: str | None) -> None:
    nlp = load_model(ExtractSettings().model)
    found = find_events(parse(nlp, text), rows.article(text), [], [])
    assert {e.modality for e in found if e.type == "COERCE"} <= {modality}
