from __future__ import annotations

import pytest

from tasks.clean.repair import doubled, mend
from tasks.clean.text import clean_text
from tasks.clean.units import split_units
from tasks.scrape.records import RawText
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Reason

RULES = CleanSettings()
BODY = [
    "The harbour council of Lindmouth voted on Tuesday to close the old fish market, after an inspection found that its "
    "roof could fall in during the next winter storm.",
    "“We have looked for another way for two years and there is none,” said Ada Merrow, who chairs the council, after a "
    "meeting that lasted until midnight.",
    "About 140 people work in the hall, most of them in small family businesses. Traders said they had been given six "
    "weeks to leave, and that no other place had been offered to them.",
    "The regional government promised in March to pay for half of the repairs. Its offer was withdrawn in June, when "
    "engineers doubled their estimate of the costs to 18 million crowns.",
    "Market days will be held on the northern quay until the end of the year, the council said in a statement.",
]
TITLE = "Lindmouth to close its fish market before winter"
APPEAL = [
    "Your support keeps us going",
    "We believe good journalism should be open to everyone, and our reporters need your help to keep it so.",
    "Please make a donation today.",
]
TAIL = ["Subscribe to our newsletter", "Join the conversation", "Comments"]


def record(text: str, **given: object) -> RawText:
    return RawText(ref="r", file="f", offset=0, text=text, **given)  # type: ignore[arg-type]


def article(text: str, *, already_clean: bool = False, **given: object) -> Article:
    found = clean_text(record(text, **given), rules=RULES, already_clean=already_clean)
    assert isinstance(found, Article)
    return found


def test_clean_text_cuts_an_appeal_when_it_is_glued_to_the_lead() -> None:
    appeal = "\n".join(APPEAL)
    found = article(f"{TITLE}\n{appeal}" + "\n".join(BODY) + "\n" + "\n".join(TAIL))
    assert found.title == TITLE
    assert found.text == "\n".join(BODY)
    assert {r.text for r in found.removed} >= {"Please make a donation today.", "Comments"}
    assert all(0 <= r.after <= len(found.text) for r in found.removed)


def test_clean_text_takes_title_and_standfirst_when_the_text_begins_with_them() -> None:
    standfirst = "Council votes after inspectors warn that the roof of the hall will not last another storm"
    found = article("\n".join([TITLE, standfirst, *BODY]))
    assert (found.title, found.standfirst) == (TITLE, standfirst)
    assert found.text == "\n".join(BODY)


def test_clean_text_drops_the_first_line_when_it_repeats_the_given_title() -> None:
    found = article("\n".join([TITLE, *BODY]), title=TITLE, title_in_text=False)
    assert found.title == TITLE
    assert found.text == "\n".join(BODY)


def test_clean_text_keeps_every_byte_when_already_clean() -> None:
    text = "  Cafe\u0301 \r\n\n\nComments\nSubscribe to our newsletter \n"
    found = article(text, already_clean=True)
    assert found.text == text
    assert found.removed == []
    assert found.title is None


@pytest.mark.parametrize("already_clean", [True, False])
@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_clean_text_fails_when_there_is_no_text(text: str, already_clean: bool) -> None:
    found = clean_text(record(text, url="https://example.org/1"), rules=RULES, already_clean=already_clean)
    assert isinstance(found, Failure)
    assert (found.reason, found.url, found.outlet) == (Reason.NO_TEXT, "https://example.org/1", "example.org")


def test_clean_text_keeps_a_short_text() -> None:
    assert article("Three people died in the fire on Monday, police said.").text.startswith("Three people died")


def test_clean_text_has_the_same_ids_when_run_twice() -> None:
    one, two = article("\n".join(BODY), external_id="7"), article("\n".join(BODY), external_id="7")
    other = article("\n".join(BODY), external_id="8")
    assert one == two
    assert one.article_id != other.article_id
    assert one.external_id == "7"


def test_clean_text_reads_the_given_date_and_leaves_an_unclear_one_null() -> None:
    dated = article("\n".join(BODY), published_given="2016-10-29")
    assert dated.published_at is not None
    assert (dated.published_at.isoformat(), dated.published_precision, dated.published_from) == (
        "2016-10-29T00:00:00+00:00",
        "day",
        "given",
    )
    undated = article("\n".join(BODY), published_given="last week")
    assert (undated.published_at, undated.published_from, undated.published_precision) == (None, None, None)


def test_clean_text_names_the_agency_of_a_dateline() -> None:
    assert article("\n".join(["LINDMOUTH (Reuters) - " + BODY[0], *BODY[1:]])).agency == "Reuters"
    assert article("\n".join(BODY)).agency is None


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("He left. She stayed.", ["He left.", "She stayed."]),
        (
            "It makes all the difference.Forces from the north",
            ["It makes all the difference.", "Forces from the north"],
        ),
        ("Mr. Smith met Dr. Jones of the U.S. Senate.", ["Mr. Smith met Dr. Jones of the U.S. Senate."]),
        ("It cost 3.5 million.", ["It cost 3.5 million."]),
        ("See example.com for more", ["See example.com for more"]),
        ("“No.” Then he left.", ["“No.”", "Then he left."]),
        ("Share this with EmailShare this with Messenger", ["Share this with Email", "Share this with Messenger"]),
        ("He posted it on YouTube and LinkedIn", ["He posted it on YouTube and LinkedIn"]),
    ],
)
def test_split_units_cuts_at_sentence_ends_also_when_glued(line: str, pieces: list[str]) -> None:
    assert [line[u.start : u.end] for u in split_units(line)] == pieces


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("It isnâ€™t true", "It isn’t true"),
        ("Fish &amp; chips", "Fish & chips"),
        ("The government said.\nThe govern-\nment denied it.", "The government said.\nThe government denied it."),
        ("A well-\nknown man", "A well-\nknown man"),
        ("zero\u200bwidth", "zerowidth"),
        ("“curly” ‘quotes’ stay", "“curly” ‘quotes’ stay"),
    ],
)
def test_mend_repairs_what_scraping_broke(broken: str, mended: str) -> None:
    assert mend(broken) == mended


def test_mend_joins_lines_when_they_are_wrapped_at_a_column() -> None:
    wrapped = "\n".join(f"this line is one of many that were broken at a column {i:02d} in" for i in range(10))
    assert "\n" not in mend(wrapped)


def test_doubled_marks_the_second_showing_and_leaves_a_single_repeated_sentence() -> None:
    sentences = [f"sentence number {i} has quite a few words in it today" for i in range(4)]
    assert doubled(sentences * 2) == {4, 5, 6, 7}
    assert doubled([*sentences, sentences[1]]) == set()


def test_clean_text_keeps_one_of_two_bodies() -> None:
    assert article("\n".join([*BODY, *BODY]), title=TITLE).text == "\n".join(BODY)


def test_clean_text_ends_when_the_text_is_hostile() -> None:
    for text in ("a" * 300_000, "." * 200_000, "A.B" * 60_000, "x\n" * 5_000, "“" * 50_000):
        assert isinstance(clean_text(record(text), rules=RULES, already_clean=False), Article | Failure)
