"""A second ontology is a folder of data: other types, other words, the same reading of the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks import tables
from tasks.extract.events import find_events
from tasks.extract.events.ontology import PLOVER, load_ontology
from tasks.extract.language import load_model, parse
from tasks.settings import ExtractSettings
from tests import rows

TYPES = """# an ontology of what happens at sea
BOARDING\tmaterial_conflict\tof on\tbodily force physical takes_place
HARM\tmaterial_conflict\tof on\tkilled injured violent force bodily physical
VOW\tverbal_cooperation\tto\tcooperative spoken final promise
HARM/ramming\t-\t-\tspecific
"""
LEXICON = """# kind, lemmas, type, conditions
v\tboard\tBOARDING\tobj:building,entity
v\tram\tHARM/ramming\tobj:building,entity
v\tkill\tHARM\tviolentagent
v\tattack\tHARM\tnever
v\tpledge,vow\tVOW\tabsorb
"""
TEXT = (
    "Soldiers of the Norrish navy boarded a tanker off Lagos on Sunday. A gunboat rammed a fishing boat and "
    "killed two fishermen, the coast guard said. Rebels attacked a market."
)


@pytest.fixture
def seas(tmp_path: Path) -> str:
    (tmp_path / "types.tsv").write_text(TYPES, encoding="utf-8")
    (tmp_path / "lexicon.tsv").write_text(LEXICON, encoding="utf-8")
    return str(tmp_path)


def read(text: str, ontology: str) -> list[tables.Event]:
    nlp = load_model(ExtractSettings().model)
    return find_events(parse(nlp, text), rows.article(text), [], [], ontology)


def test_find_events_reads_another_ontology_when_a_folder_holds_one(seas: str) -> None:
    boarding, harm = read(TEXT, seas)
    assert (boarding.type, boarding.trigger, boarding.quad) == ("BOARDING", "boarded", "material_conflict")
    assert (harm.type, harm.mode, harm.killed_min, harm.goldstein) == ("HARM", "ramming", 2, None)
    assert harm.attributed_to == "the coast guard"
    assert 0 < harm.confidence < 1


def test_find_events_knows_nothing_of_a_type_but_its_traits(seas: str) -> None:
    assert "attacked" in {e.trigger for e in read(TEXT, PLOVER)}
    assert {e.type for e in read(TEXT, seas)} == {"BOARDING", "HARM"}


def test_find_events_makes_no_threat_where_the_ontology_has_none(seas: str) -> None:
    said = "The ministry said the navy will board any tanker that enters the port."
    assert {e.type for e in read(said, seas)} <= {"BOARDING", "VOW"}


@pytest.mark.parametrize(
    ("types", "lexicon", "why"),
    [
        ("BOARDING\tmaterial_conflict\tof\n", "", "name, quad"),
        ("BOARDING\tbad_quad\tof\tbodily\n", "", "quad class"),
        (TYPES, "v\tboard\tSAILING\t\n", "SAILING is no type"),
    ],
)
def test_load_ontology_refuses_files_that_say_what_cannot_be(
    tmp_path: Path, types: str, lexicon: str, why: str
) -> None:
    (tmp_path / "types.tsv").write_text(types, encoding="utf-8")
    (tmp_path / "lexicon.tsv").write_text(lexicon, encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        load_ontology(str(tmp_path))


def test_load_ontology_refuses_a_folder_without_types(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no types"):
        load_ontology(str(tmp_path))


def test_plover_has_every_type_and_each_act_once() -> None:
    from typing import get_args

    plover = load_ontology()
    assert set(plover.types) == set(get_args(tables.EventType))
    assert {a: plover.acts[a].name for a in plover.acts} == {
        "promise": "AGREE", "refusal": "REJECT", "threat": "THREATEN", "demand": "REQUEST",
    }  # fmt: skip
    assert all(plover.score(t, None) is not None for t in plover.types)
