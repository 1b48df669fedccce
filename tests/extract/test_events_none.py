"""What is no political event: figures of speech, accidents, disease, sport, business. Written before looking at output."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings
from tests import rows

METAPHORS = (
    "Shares in the airline bombed after its results.",
    "The singer bombed at the awards show in Cannes.",
    "Bond markets were hammered by the surprise rate rise.",
    "Her new film blew critics away.",
    "The heat is killing the tourist trade in Seville.",
    "A price war between supermarkets has broken out.",
    "Analysts attacked the plan as too costly.",
    "The striker shot wide from ten metres.",
    "Doctors are fighting a losing battle against obesity.",
    "The recipe calls for a rapid assault on the garlic.",
    "Mortgage rates exploded in the spring.",
    "Online retailers are raiding the high street for customers.",
    "The senator fired back at his critics on television.",
    "She killed it on the dance floor, the judges said.",
    "The firm captured a fifth of the market.",
    "Rain stopped play and robbed the batsman of his century.",
    "The book is an explosive portrait of a marriage.",
    "Fans mobbed the actor outside his hotel.",
    "The bank slashed its forecast for the year.",
    "He was shot in black and white by a famous photographer.",
    "Traffic choked the city after the concert.",
    "The comedian murdered the old song.",
    "Inflation is under siege from falling oil prices.",
    "Two rival theories clash in the new journal.",
)
FALSE_ALARMS = (
    "A bus plunged into a ravine, killing 31 passengers.",
    "An avalanche buried four skiers near the resort.",
    "Cholera has killed 23 people in the district since May.",
    "A gas leak caused an explosion that injured six cooks.",
    "The factory fire left nine workers dead.",
    "A seven-storey block collapsed and killed five builders.",
    "Firefighters fought the blaze through the night.",
    "Lightning struck a church and wounded two people.",
    "The volcano's eruption forced thousands to flee their homes.",
    "Measles cases have exploded among unvaccinated children.",
    "A train hit a lorry at a crossing and three people died.",
    "Floods destroyed the bridge and cut off the village.",
    "United attacked down the left and Novak shot past the keeper.",
    "The champions crushed their rivals 5-0 in the derby.",
    "The company will lay off 300 workers and close two plants.",
    "The retailer took over its rival for two billion dollars.",
    "A shark attacked a surfer off the beach.",
    "A mountain lion attacked a jogger near the trail.",
    "The ferry sank in a storm and 28 people drowned.",
    "A pilot was killed when his glider crashed.",
    "The boxer fought twelve rounds and won on points.",
    "Wildfires have displaced 900 families in the hills.",
    "The drugmaker agreed to buy a smaller rival.",
    "The earthquake injured eleven people, the weather agency said.",
)


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def real(nlp: Any, text: str) -> list[tuple[str, str]]:
    article = rows.article(text, published_at=dt.datetime(2026, 3, 5, tzinfo=dt.UTC))
    found = find_events(parse(nlp, text), article, [], [])
    return [(e.type, e.trigger) for e in found if e.modality in tables.REAL]


@pytest.mark.parametrize("text", METAPHORS)
def test_find_events_finds_none_when_words_are_meant_as_figures(nlp: Any, text: str) -> None:
    assert [x for x in real(nlp, text) if x[0] != "ACCUSE"] == []


@pytest.mark.parametrize("text", FALSE_ALARMS)
def test_find_events_finds_none_when_it_is_accident_disease_sport_or_business(nlp: Any, text: str) -> None:
    assert real(nlp, text) == []
