"""Appeals glued to sentences of the body."""

from __future__ import annotations

import pytest

from tasks.clean.glue import cut_glued

REST = [
    "The ferry to Holm will not sail before Thursday, its owner said, because a shaft has to come from Bremen.",
    "About 300 islanders use it every day. The school sent its older pupils home on Monday.",
]


@pytest.mark.parametrize(
    ("glued", "kept"),
    [
        (
            "Your support keeps our reporters at work. If you can, donate today.The harbour of Holm was closed on Monday.",
            "The harbour of Holm was closed on Monday.",
        ),
        (
            "The harbour of Holm was closed on Monday.Help us: our journalism needs your donation.",
            "The harbour of Holm was closed on Monday.",
        ),
        (
            "Este diario vive de nuestros lectores. Súmese hoy.El puerto de Holm cerró el lunes por la mañana.",
            "El puerto de Holm cerró el lunes por la mañana.",
        ),
    ],
)
def test_cut_glued_cuts_appeals(glued: str, kept: str) -> None:
    found = cut_glued([glued, *REST])
    assert found[0].kept == kept
    assert [why for _, why in found[0].cuts]
    assert all(text in glued for text, _ in found[0].cuts)
    assert [c.kept for c in found[1:]] == REST


@pytest.mark.parametrize(
    "paragraph",
    [
        "The harbour was closed on Monday.The owner gave no reason.",
        "“We need your help, all of you.”The mayor then sat down.",
        "He works at YouTube and lives in McAllen.",
        "Donate today, support our work.",
        "Die Halle brannte aus. „Zu Weihnachten wird es bei uns eng.“",
    ],
)
def test_cut_glued_leaves_other_paragraphs_alone(paragraph: str) -> None:
    assert cut_glued([paragraph, *REST])[0].kept == paragraph
