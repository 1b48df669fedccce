"""The extract step over articles: what is read of a very long one."""

from __future__ import annotations

import logging

import pytest

from tasks.extract.task import _extract
from tasks.settings import ExtractSettings
from tests.rows import article


def test_only_the_beginning_of_a_longer_text_is_read_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    said = "“The bridge will stay shut until May,” said Mayor Ann Lee."
    text = said + "\n\n" + "Rain fell on the town. " * 40 + "\n\n“Nobody asked us,” said Paul Mbeki."
    with caplog.at_level(logging.WARNING):
        found = _extract([article(text)], ExtractSettings(max_chars=len(said) + 100))
    assert not found.failed
    assert [q.text for q in found.quotes] == ["“The bridge will stay shut until May,”"]
    assert "extract.max_chars" in caplog.text
