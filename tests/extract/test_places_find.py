"""Names of places: resolved with the article's context, null rather than a wrong pin."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.extract.events.gazetteer import fold, gazetteer
from tasks.extract.events.place_names import survey
from tasks.extract.language import load_model, parse
from tasks.extract.tokens import read_tokens
from tasks.settings import ExtractSettings


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("Rebels attacked a market in Mosul.", "Mosul", "IRQ"),
        ("Rebels attacked a market in Paris, Texas.", "Paris", "USA"),
        ("Rebels attacked a market in Paris.", "Paris", "FRA"),
        ("Police in Tripoli, Lebanon, made arrests.", "Tripoli", "LBN"),
        ("The army shelled Tal Afar in Iraq.", "Tal", "IRQ"),
        ("A blast hit Iraq's Anbar province.", "Anbar", "IRQ"),
        ("Troops landed in Jordan.", "Jordan", "JOR"),
        ("Police detained 24 people in Gao, Mali, on Sunday.", "Gao", "MLI"),
        ("A bomb exploded in the northern Malian city of Gao.", "Gao", "MLI"),
        ("The strike hit the northern region of Qworpol in Mali.", "Qworpol", "MLI"),
    ],
)
def test_find_places_resolves_a_name_by_context(nlp: Any, text: str, name: str, country: str) -> None:
    found = survey(read_tokens(parse(nlp, text)), False)[0]
    assert any(name in (m.text + m.name) and m.country == country for m in found)
    assert all(text[m.start : m.end] == m.text for m in found)


def test_find_places_gives_no_pin_to_an_unknown_name(nlp: Any) -> None:
    found = survey(read_tokens(parse(nlp, "The strike hit the northern region of Qworpol in Mali.")), False)[0]
    assert [m.place for m in found if m.text == "Qworpol"] == [None]


@pytest.mark.parametrize(
    "text",
    ["Michael Jordan said he was glad.", "Paris Hilton arrived late.", "President Lincoln spoke.", "Reading is fun."],
)
def test_find_places_passes_over_people_and_words(nlp: Any, text: str) -> None:
    assert survey(read_tokens(parse(nlp, text)), False)[0] == []


def test_find_places_reads_text_without_capitals(nlp: Any) -> None:
    text = "police opened fire in ahmedabad and vadodara on sunday, officials of gujarat said."
    assert {m.country for m in survey(read_tokens(parse(nlp, text)), True)[0]} == {"IND"}


@pytest.mark.parametrize(
    ("name", "key"),
    [("Tall ‘Afar", "tall afar"), ("Diyarbakır", "diyarbakir"), ("Deir ez-Zor", "deir ez zor"), ("U.S.", "us")],
)
def test_fold_drops_case_accents_and_marks(name: str, key: str) -> None:
    assert fold(name) == key


@pytest.mark.parametrize(("word", "iso3"), [("Iraqi", "IRQ"), ("Britons", "GBR"), ("Chinese", "CHN"), ("table", None)])
def test_demonym_names_a_country(word: str, iso3: str | None) -> None:
    assert gazetteer().demonym(word) == iso3


def test_gazetteer_knows_capitals_and_neighbours() -> None:
    capital = gazetteer().capital("IND")
    assert capital is not None
    assert capital.name == "New Delhi"
    assert "SYR" in gazetteer().near("IRQ")
