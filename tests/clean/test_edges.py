"""What stays at the edges of a body, whatever the model's chances are."""

from __future__ import annotations

import pytest

from tasks.clean.blocks import Block
from tasks.clean.edges import decide

PROSE = [
    "The bridge over the Arne was closed on Monday after a lorry struck one of its piers.",
    "Nobody was hurt, the police said, and the driver was taken in for questioning.",
    "Engineers will look at the damage on Tuesday and decide whether trams can cross again.",
    "The council promised buses until then.",
]


def block(text: str, tag: str = "p", link_chars: int = 0, pictured: int = 0, names: str = "text") -> Block:
    return Block(
        text=text, tag=tag, telling=frozenset({tag}), names=frozenset({names}), link_chars=link_chars,
        parent=7, container=(9, 7, 3), hidden=False, marks=frozenset(), pictured=pictured,
    )  # fmt: skip


def labels(blocks: list[Block], body: list[float] | None = None, description: str | None = None) -> str:
    chances = [{"B": b, "F": 1 - b, "S": 0.0, "T": 0.0} for b in body or [0.9] * len(blocks)]
    return "".join(decide(blocks, chances, "Lorry closes bridge over the Arne", description))


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (block("Lorry closes bridge over the Arne", "h1"), "T"),
        (block("Trams end at the market; buses cross at Holm", "h2"), "S"),
        (block("Trams end at the market until the piers are mended", names="lead"), "S"),
        (block("HOLM - Trams will end at the market until the piers are mended."), "B"),
    ],
)
def test_decide_knows_what_stands_above_the_body(first: Block, wanted: str) -> None:
    found = labels([first, *map(block, PROSE)], description="Trams end at the market until the piers are mended")
    assert found == wanted + "BBBB"


@pytest.mark.parametrize(
    "line",
    [
        block("Read more: How the tramways were saved", link_chars=27),
        block("Lea también: Cómo se salvaron los tranvías", link_chars=29),
        block("→ How the tramways were saved", link_chars=29),
        block("Follow our reporters on Telegram for the latest."),
        block("The tram stop at Holm on Monday.", pictured=2),
        block("This article is for subscribers", "h2"),
    ],
)
def test_decide_cuts_furniture_between_paragraphs(line: Block) -> None:
    assert labels([*map(block, PROSE[:2]), line, *map(block, PROSE[2:])]) == "BBFBB"


@pytest.mark.parametrize(
    "line",
    [
        block("Reach Ada Holm at holm@bridge.example or 555-0100."),
        block("Northern Wire Service"),
        block("Also from the region", "h3"),
    ],
)
def test_decide_cuts_signatures_after_the_body(line: Block) -> None:
    assert labels([*map(block, PROSE), line]) == "BBBBF"


def test_decide_keeps_a_plain_sentence_set_as_the_body_is() -> None:
    blocks = [*map(block, PROSE), block("No one did."), block("Ring 555-0100 or write to a@b.example today.")]
    assert labels(blocks, [0.9] * 4 + [0.2, 0.2]) == "BBBBBF"


def test_decide_keeps_read_more_inside_a_sentence() -> None:
    line = block("Read more books, the mayor told the children: it is the cheapest way to travel.")
    assert labels([*map(block, PROSE), line]) == "BBBBB"
