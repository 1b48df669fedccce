"""What became of an article: new, changed, already there, a copy."""

from __future__ import annotations

import pytest

from tasks.clean.settle import kind_of_change

OLD = "Police in Lagos said on Monday that 12 people were held. The inquiry goes on and no charge was brought."


@pytest.mark.parametrize(
    ("title", "text", "change"),
    [
        ("A title", OLD.replace(" on Monday", " on  Monday"), None),
        ("A Title!", OLD.replace("held.", "held…"), None),
        ("Another title", OLD, "title"),
        ("A title", OLD.replace("inquiry", "investigation"), "minor"),
        ("A title", OLD.replace("12", "14"), "body"),
        ("A title", OLD + " A lawyer for two of them said they had done nothing.", "body"),
    ],
)
def test_kind_of_change_tells_cosmetic_from_real(title: str, text: str, change: str | None) -> None:
    assert kind_of_change("A title", OLD, title, text) == change
