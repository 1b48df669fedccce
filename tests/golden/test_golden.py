"""Golden inputs give the tables beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.regen import INPUTS, expected, made


@pytest.mark.parametrize("path", INPUTS, ids=lambda p: p.stem)
def test_golden_input_gives_its_tables(path: Path) -> None:
    assert made(path) == expected(path), "if the change is meant: python -m tests.golden.regen, and read the diff"
