from __future__ import annotations

import pytest

from tasks.clean.decode import decode

PAGE = "<html><head>{meta}</head><body>Größe “così” Łódź</body></html>"
LATIN = "<html><head><meta charset='iso-8859-1'></head><body>Größe così</body></html>"


@pytest.mark.parametrize(
    ("body", "content_type", "wanted"),
    [
        (PAGE.encode(), None, "Größe “così” Łódź"),
        (PAGE.encode("utf-8-sig"), "text/html; charset=iso-8859-1", "Größe “così” Łódź"),
        (PAGE.encode(), "text/html; charset=windows-1252", "Größe “così” Łódź"),  # the header lies
        (PAGE.encode("utf-16"), None, "Größe “così” Łódź"),
        (PAGE.encode("utf-16-le"), "text/html; charset=utf-8", "Größe “così” Łódź"),
        (LATIN.encode("latin-1"), None, "Größe così"),
        (LATIN.encode("latin-1"), "text/html; charset=utf-8", "Größe così"),
        (LATIN.encode("latin-1"), "text/html; charset=no-such-thing", "Größe così"),
        ("<body>Привет, мир и люди</body>".encode("cp1251"), "text/html; charset=windows-1251", "Привет, мир и люди"),
        ("<body>日本語の新聞</body>".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本語の新聞"),
        ("<body>日本語の新聞</body>".encode("iso2022_jp"), "text/html; charset=iso-2022-jp", "日本語の新聞"),
        (b"<p>it\x92s</p>", "text/html; charset=iso-8859-1", "it’s"),
        (b"<p>a\x00b</p>", None, "<p>ab</p>"),
    ],
)
def test_decode_gives_the_text_when_charset_is_stated_hidden_or_wrong(
    body: bytes, content_type: str | None, wanted: str
) -> None:
    assert wanted in (decode(body, content_type) or "")


def test_decode_keeps_a_page_when_a_few_bytes_are_broken() -> None:
    body = PAGE.encode() + b"<p>" + b"good text " * 500 + b"\xff</p>"
    assert "Łódź" in (decode(body) or "")


def test_decode_gives_none_when_it_is_no_text() -> None:
    assert decode(bytes(range(256)) * 40) is None
