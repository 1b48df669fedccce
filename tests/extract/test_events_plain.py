"""Plain sentences whose events were once read wrongly: everyday senses, rounded numbers, long names, who began it."""

from __future__ import annotations

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings
from tests import rows


def events_of(text: str) -> list[tables.Event]:
    doc = parse(load_model(ExtractSettings().model), text)
    return find_events(doc, rows.article(text), [], [])


EVERYDAY = (
    "A farmer waits by the road as he holds a pumpkin, ready to weigh it.",
    "The pad supports charging any Orion Phone or tablet with a magnetic case.",
    "The slim 14-inch WorkBook, which Orion released in 2012, was sold in Canada.",
    "Chief Dalloway receives four percent of the income from the hotel in Nevada.",
    "The minister recalls receiving a letter from the king of Norway.",
    "The XR70 simulation allowed researchers to see how stars form.",
    "The strange nature of the band greets the visitors.",
    "The Killing",
)


@pytest.mark.parametrize("text", EVERYDAY)
def test_events_none_when_the_word_has_an_everyday_sense(text: str) -> None:
    assert events_of(text) == []


REAL = (
    ("Norway is ready to negotiate with Denmark, the minister said.", "AGREE"),
    ("Prosecutors charged Adam Fielding with murder on Friday.", "ACCUSE"),
    ("The rebels released two soldiers on Monday.", "RETREAT"),
    ("President Marsh received the prime minister of Italy in Oslo.", "CONSULT"),
    ("Iran allowed inspectors to enter the site.", "CONCEDE"),
)


@pytest.mark.parametrize(("text", "type_"), REAL)
def test_events_found_when_the_same_word_is_political(text: str, type_: str) -> None:
    assert type_ in {e.type for e in events_of(text)}


ROUNDED = (
    ("The war displaced hundreds of thousands of people in Syria.", "displaced", (200_000, None)),
    ("Tens of thousands were displaced by the fighting in Sudan.", "displaced", (20_000, None)),
    ("Several thousand people were displaced by the fighting.", "displaced", (3000, None)),
    ("At least two hundred thousand people were displaced by the fighting.", "displaced", (200_000, None)),
    ("A couple of hundred protesters were arrested in Minsk.", "arrested", (200, 200)),
    ("A few hundred protesters were detained by police.", "arrested", (300, None)),
    ("Scores of people were killed in the attack.", "killed", (40, None)),
    ("Dozens were killed in the bombing in Baghdad.", "killed", (24, None)),
)


@pytest.mark.parametrize(("text", "field", "want"), ROUNDED)
def test_counts_bounded_when_told_in_round_words(text: str, field: str, want: tuple[int | None, int | None]) -> None:
    got = [(getattr(e, f"{field}_min"), getattr(e, f"{field}_max")) for e in events_of(text)]
    assert want in got


SIDES = (
    ("Iraqi forces have begun a major new stage in the offensive to recapture Mosul.", "recapture", "Iraqi forces"),
    ("The army launched an operation to retake the town of Tikrit.", "retake", "The army"),
    ("Only two committed to that deadline, though Spain and France signed the agreement.", "committed", "two"),
)


@pytest.mark.parametrize(("text", "trigger", "actor"), SIDES)
def test_actor_found_when_the_verb_stands_under_a_thing(text: str, trigger: str, actor: str) -> None:
    assert [e.actor_text for e in events_of(text) if e.trigger == trigger] == [actor]


def test_recipient_clean_when_the_article_is_written_twice() -> None:
    (event,) = [e for e in events_of("A A Boston man was arrested on Monday by police.") if e.type == "COERCE"]
    assert event.recipient_text == "A Boston man"


def test_place_of_the_whole_name_when_its_last_word_is_another_town() -> None:
    (event,) = events_of("A man has been stabbed to death on a San Francisco Bay Area ferry, police said.")
    assert event.place_name == "San Francisco"


def test_modality_asserted_when_a_participle_only_describes_what_stands_under_an_if() -> None:
    text = (
        "Diplomats raised concerns over the possibility of further violence if tribal militias enter the majority "
        "Kurdish city, seized by rebels in 2014."
    )
    assert [e.modality for e in events_of(text) if e.trigger == "seized"] == ["asserted"]


def test_country_none_when_an_article_is_about_a_film() -> None:
    essay = "The film was shot in Italy. Its audience in Italy loved the movie. "
    fight = "A gang kidnaps the old man and kills his brother in the novel."
    assert {e.place_country for e in events_of(essay + fight) if e.place_from == "article"} == set()
