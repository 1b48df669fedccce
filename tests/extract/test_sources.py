"""Who the sources of a text are: kind, name, role, affiliation."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bench.eval_sources import measure, read_golden
from tasks import tables
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings
from tests.rows import article


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def sources_of(nlp: Any, text: str) -> list[tables.Source]:
    return find_quotes(parse(nlp, text), article(text))[1]


@pytest.mark.parametrize(
    ("text", "name", "kind", "named"),
    [
        ("Amnesty International said the camp should be closed.", "Amnesty International", "organisation", True),
        ("Analysts said the bank would cut its rates in June.", "Analysts", "group", False),
        ("Police said the two men were arrested on Monday.", "Police", "group", False),
        ("A spokesman said the bridge would be closed.", "spokesman", "person", False),
        ("The report says that the dam was never inspected.", "report", "document", False),
        ("France said it would send two ships to the coast.", "France", "organisation", True),
        (
            "Residents of Ha Tuke, Mechaling, Ha Lephallo, Ha Pitso and Mokotane say they live in fear.",
            "Residents of Ha Tuke",
            "group",
            False,
        ),
    ],
)
def test_sources_have_kind_and_name_when_one_speaks(nlp: Any, text: str, name: str, kind: str, named: bool) -> None:
    assert [(s.name, s.kind, s.named) for s in sources_of(nlp, text)] == [(name, kind, named)]


@pytest.mark.parametrize(
    ("text", "role", "affiliation"),
    [
        ("Foreign Minister Lena Novak said the talks had failed.", "Foreign Minister", None),
        ("“We are ready,” said Peter Odhiambo, chief executive of Harbour Bank.", "chief executive", "Harbour Bank"),
        ("Tesco spokesman Mark Ellis said the shop would reopen.", "spokesman", "Tesco"),
        ("Emergency manager Carla Jessup said the water would fall.", "Emergency manager", None),
        (
            "“It works,” said Dylan Ness, a fellow at the Holm Institute for Physics in Bergen.",
            "fellow",
            "Holm Institute for Physics",
        ),
        ("“We left,” said Ann Berg, head of mission at Northaid.", "head of mission", "Northaid"),
        ("Det Con Amy Rudge, of West Yorkshire Police, said it was over.", "Det Con", "West Yorkshire Police"),
    ],
)
def test_sources_have_role_and_affiliation_when_the_text_says_so(
    nlp: Any, text: str, role: str, affiliation: str | None
) -> None:
    found = sources_of(nlp, text)
    assert [(s.role, s.affiliation) for s in found] == [(role, affiliation)]


def test_sources_of_several_speakers_together_are_one_group(nlp: Any) -> None:
    found = sources_of(nlp, "Maria Costa and her lawyers said the ruling was unfair and would be appealed.")
    assert [(s.kind, s.named) for s in found] == [("group", True)]
    assert "Maria Costa" in found[0].name


# What the shipped models and rules reached on the passages that no rule was written for (their errors were printed once,
# after the rules stood), less two points: one passage more or less is noise, more than that is a loss.
FLOORS = {"identity": 90.0, "kind": 93.0, "named": 94.0, "role": 79.0, "affiliation": 75.0, "pairs": 78.0}


def test_sources_of_invented_passages_reach_their_floors_when_unseen() -> None:
    figures = measure(read_golden("held")).figures()
    assert {k: v for k, v in figures.items() if v < FLOORS.get(k, 0.0)} == {}


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("Mamadou Sarr, who sells fish, said he had closed. Sarr said the tax was unfair.", "Mamadou Sarr", "person"),
        ("The weather bureau, Pagasa, said the storm would leave by Saturday.", "Pagasa", "organisation"),
        ("Médicos del Sur (MDS) said it had left. MDS said two were hurt.", "Médicos del Sur", "organisation"),
        ("Yunus Adan, 41, said he had heard voices under the stones.", "Yunus Adan", "person"),
    ],
)
def test_sources_kind_follows_the_words_around_a_name(nlp: Any, text: str, name: str, kind: str) -> None:
    assert {(s.name, s.kind, s.named) for s in sources_of(nlp, text)} == {(name, kind, True)}


@pytest.mark.parametrize(
    ("text", "name", "role", "affiliation"),
    [
        ("Marine researcher Dr Ana Holt said the reef was dying.", "Ana Holt", "researcher", "Marine"),
        ("Mary Kiley, a mother of four, said the school should stay open.", "Mary Kiley", "mother", None),
        ("Syrian refugee Omar Haddad said he had lost his house.", "Omar Haddad", "refugee", None),
        ("Syrian president Ali Nour said the war was over.", "Ali Nour", "president", "Syrian"),
    ],
)
def test_sources_role_holds_neither_title_nor_number_when_these_stand_beside_it(
    nlp: Any, text: str, name: str, role: str, affiliation: str | None
) -> None:
    assert [(s.name, s.role, s.affiliation) for s in sources_of(nlp, text)] == [(name, role, affiliation)]


def test_sources_keep_the_bare_name_when_a_possessive_one_stands_beside_it(nlp: Any) -> None:
    text = "NASA said the probe was lost. Officials at NASA’s Office of Mars Trips met. NASA said it would try again."
    assert [s.name for s in sources_of(nlp, text)] == ["NASA"]


def test_sources_take_an_office_for_its_holder_when_it_stands_alone(nlp: Any) -> None:
    text = "Natural Resources Minister Paul Grand said the mine would close. The Minister said it was old."
    assert [(s.name, s.n_quotes) for s in sources_of(nlp, text)] == [("Paul Grand", 2)]


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("If you think you need a faster line, the shop will help.", 0),
        ("I believe that every garden needs one good spade.", 0),
        ("I said that the road was closed, and he turned back.", 1),
        ("“I think that every garden needs one good spade,” said Ann Lee.", 1),
    ],
)
def test_sources_are_no_reader_and_no_unnamed_writer_when_a_text_addresses_somebody(
    nlp: Any, text: str, n: int
) -> None:
    found = sources_of(nlp, text)
    assert len(found) == n
    assert "you" not in {s.name.lower() for s in found}


@pytest.mark.parametrize(
    ("text", "name", "kind", "named", "role", "affiliation"),
    [
        ("“The soil is tired,” said Dr Fadipe’s co-author, Prof Hester Culpin.", "Hester Culpin", "person", True, "co-author", None),
        ("Lark Hill Farming told its workers that the dairy would close in June.", "Lark Hill Farming", "organisation", True, None, None),
        ("Mickens’ mother said her son had never owned a gun.", "Mickens’ mother", "person", False, "mother", None),
        ("The former Gabonese judge said the court had been bought.", "former Gabonese judge", "person", False, "judge", None),
        ("The Bank of Arland said it would raise its rate in May.", "Bank of Arland", "organisation", True, None, None),
        ("The Department of Health and Social Care said the wards were full.", "Department of Health and Social Care", "organisation", True, None, None),
        ("“I am done,” Zephyr told the crowd.", "Zephyr", "person", True, None, None),
        ("A VOA Syrian source said the road was cut on Friday.", "VOA Syrian source", "person", False, "source", "VOA"),
        ("Even the manual says that the valve must be checked each week.", "manual", "document", False, None, None),
        ("Pakistan's prime minister said the jets had turned back.", "Pakistan prime minister", "person", False, "prime minister", "Pakistan"),
        ("The Indian Air Force flew home. Indian Defence Minister Raj Nair said the strikes were over.", "Raj Nair", "person", True, "Defence Minister", "Indian"),
        ("A think tank said the tax would not fall.", "think tank", "organisation", False, None, None),
        ("The Canadian company Norvik Steel said it would close its plant in Oulu.", "Norvik Steel", "organisation", True, None, None),
        ("The toddler of your tech family, Nils, said that the mouse was gone.", "Nils", "person", True, "toddler", None),
        ("Biochemist Soraya Okello said the cells were the same.", "Soraya Okello", "person", True, "Biochemist", None),
    ],
)  # fmt: skip
def test_sources_are_who_they_are_when_the_words_mislead(
    nlp: Any, text: str, name: str, kind: str, named: bool, role: str | None, affiliation: str | None
) -> None:
    assert [(s.name, s.kind, s.named, s.role, s.affiliation) for s in sources_of(nlp, text)] == [
        (name, kind, named, role, affiliation)
    ]


def test_sources_name_a_mission_when_it_is_a_bodys(nlp: Any) -> None:
    found = sources_of(nlp, "The United Nations mission in Bamako said two of its trucks were hit.")
    assert [(s.name, s.kind, s.named) for s in found] == [("United Nations mission in Bamako", "organisation", True)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("NASA’s Office of Inspector General said the rocket was late. The Office said costs had doubled.", {"NASA’s Office of Inspector General"}),
        ("Economist Derek Scissors met them. Scissors said the deal was dead.", {"Derek Scissors"}),
        ("Marina Costa was hurt. Speaking to the Evening Post Costa said the lift had been broken for weeks.", {"Marina Costa"}),
        ("Joshua Apte said the air was bad. Josh Apte said it would get worse.", {"Joshua Apte"}),
        ("Kevin Mayer, Harbour’s chairman of shops and trade, said the stores would open.", {"Kevin Mayer"}),
        ("Vexo said it would build the car. Vexo Connect and Vexo Sales were shown. Vexo said it was ready.", {"Vexo"}),
        ("Amnesty International met the judge. Amnesty said the trial was unfair.", {"Amnesty International"}),
        ("Lena Odum took over from talent manager Scott Braun. She said the band would tour.", {"Lena Odum"}),
    ],
)  # fmt: skip
def test_sources_are_one_when_they_are_named_in_two_ways(nlp: Any, text: str, names: set[str]) -> None:
    assert {s.name for s in sources_of(nlp, text)} == names


def test_sources_are_found_in_time_that_grows_with_the_text_when_names_are_many(nlp: Any) -> None:
    """Each name was once compared with each: four times the names then took sixteen times as long."""
    syllables = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]

    def text(n: int) -> str:
        names = (f"{syllables[i % 65]}{syllables[i // 65 % 65]}n".capitalize() for i in range(n))
        return "\n".join(f"Ana {name} said the bridge was closed. {name} said no." for name in names)

    def seconds(n: int) -> float:
        doc, row = parse(nlp, text(n)), article(text(n))
        started = time.process_time()
        _, sources = find_quotes(doc, row)
        assert len(sources) > n / 2
        return time.process_time() - started

    small = min(seconds(200), seconds(200))
    assert seconds(800) < 8 * small
