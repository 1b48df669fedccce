"""Where and when: what an event names itself, what it inherits from the event before, and what it must not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings
from tests import rows

PUBLISHED = dt.datetime(2026, 3, 5, 6, tzinfo=dt.UTC)  # a Thursday
TUESDAY = dt.date(2026, 3, 3)


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def read(nlp: Any, text: str, trigger: str, **more: Any) -> tables.Event:
    article = rows.article(text, **{"published_at": PUBLISHED, **more})
    found = [e for e in find_events(parse(nlp, text), article, [], []) if trigger in e.trigger]
    assert found, f"no event {trigger!r}"
    return found[-1]


@pytest.mark.parametrize(
    ("text", "trigger", "place", "country"),
    [
        ("Gunmen attacked a market in Kaduna on Tuesday. They also abducted a priest.", "abducted", "Kaduna", "NGA"),
        ("Rioters fought police in Marseille. The police arrested 14 people.", "arrested", "Marseille", "FRA"),
        ("A bomb exploded at a barracks in Quetta. The blast killed six soldiers.", "blast", "Quetta", "PAK"),
        (
            "A curfew was imposed in Colombo. Troops fired on protesters. They arrested nine.",
            "arrested",
            "Colombo",
            "LKA",
        ),
        (
            "A mob attacked a post in Quetta. Eleven men were arrested, Captain Ole of Lahore police said.",
            "arrested",
            "Quetta",
            "PAK",
        ),
        ("KABUL (AP) — A suicide bomber killed eleven people outside a bank.", "killed", "Kabul", "AFG"),
        ("Thousands have fled Libya. Militants there beheaded two hostages.", "beheaded", "Libya", "LBY"),
    ],
)
def test_place_is_inherited_when_a_text_goes_on_about_one_happening(
    nlp: Any, text: str, trigger: str, place: str, country: str
) -> None:
    event = read(nlp, text, trigger)
    assert (event.place_name, event.place_country) == (place, country)
    assert text[event.place_start : event.place_end] == event.place_text


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Gunmen attacked a market in Kaduna. Police in another state arrested a kidnapper near Ikarra.", "arrested"),
        ("Rioters fought police in Marseille. Similar riots broke out elsewhere.", "riots"),
        ("The minister met farmers in Lyon. Brazil rejected the offer.", "rejected"),
    ],
)
def test_place_is_not_inherited_when_something_speaks_against_it(nlp: Any, text: str, trigger: str) -> None:
    event = read(nlp, text, trigger)
    assert event.place_name not in ("Kaduna", "Marseille", "Lyon")


@pytest.mark.parametrize(
    ("text", "trigger", "country"),
    [
        ("Mali's president named a new cabinet. Soldiers killed four farmers at dawn, a union said.", "killed", "MLI"),
        ("Chilean police are under pressure. Officers fired tear gas at students.", "fired", "CHL"),
    ],
)
def test_country_alone_is_given_when_the_article_is_about_one(nlp: Any, text: str, trigger: str, country: str) -> None:
    event = read(nlp, text, trigger)
    assert (event.place_name, event.place_country, event.lat) == (None, country, None)
    assert (event.place_from, event.place_precision) == ("article", "country")


def test_country_is_null_with_its_reason_when_two_are_named(nlp: Any) -> None:
    text = "Greece and Turkey traded warnings. Soldiers killed four fishermen at dawn."
    event = read(nlp, text, "killed")
    assert (event.place_country, event.place_from) == (None, "none")


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Gunmen attacked a market in Kaduna on Tuesday. They also abducted a priest.", "abducted"),
        ("Police opened fire on Tuesday to disperse a mob indulging in arson in Patna.", "arson"),
        ("A bomb exploded in Quetta on Tuesday. The blast killed six soldiers.", "blast"),
        ("Rebels seized the town of Bria on Tuesday and killed its mayor.", "killed"),
    ],
)
def test_day_is_inherited_when_it_is_one_happening(nlp: Any, text: str, trigger: str) -> None:
    event = read(nlp, text, trigger)
    assert (event.date_start, event.date_end) == (TUESDAY, TUESDAY)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Gunmen attacked a market in Kaduna on Tuesday. Bandits had abducted a priest there.", "abducted"),
        ("Gunmen attacked a market in Kaduna on Tuesday. Soldiers later arrested two suspects.", "arrested"),
        ("Crowds marched in Lyon on Tuesday. Police previously beat a student there.", "beat"),
        ("Kenya praised Ghana on Tuesday. Rebels killed a mayor.", "killed"),
    ],
)
def test_day_is_not_inherited_when_told_as_another_time(nlp: Any, text: str, trigger: str) -> None:
    event = read(nlp, text, trigger)
    assert (event.date_start, event.date_from) == (None, "none")


def test_day_stays_open_when_the_article_is_undated(nlp: Any) -> None:
    text = "Gunmen attacked a market in Kaduna on Tuesday. They also abducted a priest."
    event = read(nlp, text, "attacked", published_at=None)
    assert (event.date_text, event.date_start) == ("on Tuesday", None)
    assert read(nlp, text, "abducted", published_at=None).date_start is None


@pytest.mark.parametrize("year", ["9999", "0000", "99999"])
def test_date_is_no_error_when_the_year_cannot_be(nlp: Any, year: str) -> None:
    event = read(nlp, f"Gunmen attacked a market in Kaduna on March 3, {year}, killing two.", "attacked")
    assert event.date_start is None or event.date_start.year in (9999, 2026)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("Jordan Baker said gunmen attacked a convoy, killing two.", "attacked"),
        ("Paris Hilton watched as police arrested nine activists.", "arrested"),
        ("Police arrested Chelsea Clinton's bodyguard and nine activists.", "arrested"),
        ("Judge Madison Lincoln wept as police arrested nine activists.", "arrested"),
        ("Israel Vargas shot two policemen, a court heard.", "shot"),
    ],
)
def test_place_is_null_when_the_name_is_a_person(nlp: Any, text: str, trigger: str) -> None:
    assert read(nlp, text, trigger).place_name is None
