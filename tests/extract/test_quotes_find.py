"""Quotes and sources of whole texts: what is found, and that bad texts neither crash nor flood."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tasks import tables
from tasks.extract.language import load_model, parse
from tasks.extract.quotes import find_quotes
from tasks.settings import ExtractSettings
from tests.rows import article

FLOATING = Path(__file__).parent / "data" / "quotes_floating.jsonl"
Rows = tuple[list[tables.Quote], list[tables.Source]]


@pytest.fixture(scope="module")
def nlp() -> Any:
    return load_model(ExtractSettings().model)


def read(nlp: Any, text: str, **more: Any) -> Rows:
    row = article(text, **more)
    quotes, sources = find_quotes(parse(nlp, text), row)
    check(row, quotes, sources)
    return quotes, sources


def check(row: tables.Article, quotes: list[tables.Quote], sources: list[tables.Source]) -> None:
    """The invariants of both tables."""
    text = row.text
    known = {s.source_id for s in sources}
    assert len(known) == len(sources)
    assert len({q.quote_id for q in quotes}) == len(quotes)
    assert [q.start for q in quotes] == sorted(q.start for q in quotes)
    for q in quotes:
        assert text[q.start : q.end] == q.text
        assert q.text.strip() == q.text
        assert q.article_id == row.article_id
        assert 0 <= q.confidence <= 1
        assert q.source_id is None or q.source_id in known
        if q.cue_start is not None:
            assert text[q.cue_start : q.cue_end] == q.cue
        if q.speaker_start is not None:
            assert text[q.speaker_start : q.speaker_end] == q.speaker_text
        if q.parts:
            assert (q.parts[0].start, q.parts[-1].end) == (q.start, q.end)
    for s in sources:
        assert s.article_id == row.article_id
        assert s.mentions
        assert s.n_quotes == sum(q.source_id == s.source_id for q in quotes)


@pytest.mark.parametrize(
    ("text", "said", "speaker", "kind"),
    [
        ("“The bridge will be closed until Friday,” said Mayor Ann Lee.", "The bridge will be closed until Friday", "Ann Lee", "direct"),
        ("The minister said that the port would reopen within two weeks.", "the port would reopen within two weeks", "minister", "indirect"),
        ("According to the police, three men were seen leaving the bank.", "three men were seen leaving the bank", "police", "indirect"),
        ("‘We were lucky to be alive this morning,’ Ms Okafor told reporters.", "We were lucky to be alive this morning", "Okafor", "direct"),
        ("``It is over for this team,'' Coach Dan Hill said.", "It is over for this team", "Dan Hill", "direct"),
        ("The company denied that it had dumped waste in the river.", "it had dumped waste in the river", "company", "indirect"),
    ],
)  # fmt: skip
def test_find_quotes_names_words_and_speaker_when_one_sentence_holds_both(
    nlp: Any, text: str, said: str, speaker: str, kind: str
) -> None:
    quotes, _ = read(nlp, text)
    assert len(quotes) == 1
    assert said in quotes[0].text
    assert speaker in (quotes[0].speaker_text or "")
    assert quotes[0].kind == kind


def test_find_quotes_gives_parts_when_the_cue_breaks_a_quote(nlp: Any) -> None:
    quotes, _ = read(nlp, "“We lost the match in the first half,” said Maria Silva. “Then we never came back into it.”")
    assert len(quotes) == 1
    assert [quotes[0].text[p.start : p.end] for p in quotes[0].parts] == [
        "“We lost the match in the first half,”",
        "“Then we never came back into it.”",
    ]


def test_find_quotes_gives_a_floating_paragraph_to_the_speaker_before(nlp: Any) -> None:
    text = (
        "“We have worked on this bridge for ten years,” said engineer Paul Mbeki.\n\n"
        "“Nobody thought that it would ever be finished, and today it carries its first train.”"
    )
    quotes, sources = read(nlp, text)
    assert len(quotes) == 2
    assert {q.source_id for q in quotes} == {sources[0].source_id}
    assert quotes[1].resolved_by == "continuation"
    assert sources[0].name == "Paul Mbeki"


def test_find_quotes_knows_who_speaks_floating_paragraphs_in_invented_passages(nlp: Any) -> None:
    """Paragraphs of quotation without any cue, `floating`: how each begins -> its source. 19 of 19 when it was written,
    by passages of which three failed first; the goal of the project is 85 %."""
    passages = [json.loads(line) for line in FLOATING.read_text(encoding="utf-8").splitlines()]
    right = cases = 0
    for p in passages:
        quotes, sources = read(nlp, p["text"])
        names = {s.source_id: s.name for s in sources}
        for begins, name in p["floating"].items():
            cases += 1
            right += any(begins in q.text and names.get(q.source_id or "") == name for q in quotes)
    assert cases >= 19
    assert right >= 0.9 * cases


@pytest.mark.parametrize(
    "text",
    [
        "The so-called “smart” kettle has been sold since May, and the shop has three left in store.",
        "Her novel “The Long Way Home” won a prize in 1998. The film “Rain” followed two years later.",
        "The train leaves at nine. It stops in four towns and reaches the coast before noon.",
        "John ‘The Rock’ Miller opened his shop in 1990 on the corner of two quiet streets.",
    ],
)
def test_find_quotes_finds_none_when_nobody_speaks(nlp: Any, text: str) -> None:
    assert read(nlp, text)[0] == []


def test_find_quotes_makes_one_source_of_name_surname_and_pronoun(nlp: Any) -> None:
    text = (
        "Finance Minister Amara Diallo said the budget would grow by four percent next year.\n\n"
        "Diallo said the money would go to schools.\n\n“It is a start,” she said."
    )
    quotes, sources = read(nlp, text)
    assert len(quotes) == 3
    assert [(s.name, s.kind, s.named) for s in sources] == [("Amara Diallo", "person", True)]
    assert [q.resolved_by for q in quotes] == ["name", "name", "pronoun"]


def test_find_quotes_keeps_a_source_id_over_articles_for_full_names_only(nlp: Any) -> None:
    one = read(nlp, "Governor Rosa Martinez said the dam would hold through the winter.")[1][0]
    two = read(nlp, "The dam is old, Rosa Martinez said on Monday at a news conference.")[1][0]
    bare = [
        read(nlp, t)[1][0] for t in ("Martinez said the dam would hold.", "Martinez said the road would be closed.")
    ]
    assert one.source_id == two.source_id
    assert len({one.source_id, *(s.source_id for s in bare)}) == 3


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", ".", '"', "1 2 3 4 5"])
def test_find_quotes_finds_none_when_the_text_is_empty(nlp: Any, text: str) -> None:
    assert read(nlp, text) == ([], [])


def test_find_quotes_finds_none_when_the_language_is_another(nlp: Any) -> None:
    assert read(nlp, "Der Minister sagte, die Straße bleibe gesperrt.", language="de") == ([], [])


@pytest.mark.parametrize(
    ("text", "said", "speaker"),
    [
        ("The river, farmers say, has not been so low in forty years.", ("The river", "has not been so low in forty years"), "farmers"),
        ("The president, critics say, has lost his way.", ("The president", "has lost his way"), "critics"),
        ("The merger will spell the end of the ferry and of two hundred jobs, analysts warn, as the port empties.", ("The merger will spell the end of the ferry and of two hundred jobs",), "analysts"),
        ("Employee Ken Diaz tells the paper that he ran after the man.", ("he ran after the man",), "Ken Diaz"),
    ],
)  # fmt: skip
def test_find_quotes_takes_what_an_aside_attributes_when_it_breaks_a_sentence(
    nlp: Any, text: str, said: tuple[str, ...], speaker: str
) -> None:
    quotes, _ = read(nlp, text)
    assert said in [tuple(text[p.start : p.end] for p in q.parts) or (q.text.removeprefix("that "),) for q in quotes]
    assert all(speaker in (q.speaker_text or "") for q in quotes)


def test_find_quotes_gives_a_quotation_to_the_name_below_it_when_a_dash_signs_it(nlp: Any) -> None:
    lines = [
        ("The bus never comes.", "Karen Bello"),
        ("I walk to work now.", "Edwin Monroy"),
        ("It is a shame.", "Ada Egan"),
    ]
    text = "What our readers say:\n" + "\n".join(f"“{said}” — {name}" for said, name in lines)
    quotes, _ = read(nlp, text)
    assert [(q.text, q.speaker_text) for q in quotes] == [(f"“{said}”", name) for said, name in lines]


def test_find_quotes_has_no_speaker_from_a_title_when_a_show_is_named(nlp: Any) -> None:
    text = (
        "“He is right,” Flynn, an adviser, said on Monday on “Fox and Friends.” “There is a lot of anger in the ranks.”"
    )
    assert {q.speaker_text for q in read(nlp, text)[0]} <= {"Flynn", "Flynn, an adviser", "Flynn, an adviser,"}


@pytest.mark.parametrize(
    "text",
    [
        "Talks on one are expected in May, and a second dam is planned.",
        "The promise of 300 jobs drew him north.",
        "Expect the senator to have a new plan this time around.",
        "No one knows how the story ends.",
        "The disease is known as “pigeon breeder’s lung”.",
        "Ann Lee: possession of a knife\nBob Ray: driving without a licence",
        "The minister was told.",
        "Which is not to say that the bridge is safe.",
        "It would seem that the rain has stopped.",
    ],
)
def test_find_quotes_finds_none_when_the_words_are_nobodys(nlp: Any, text: str) -> None:
    """Beside a statement that is one, since doubtful rows are dropped anyway where nobody speaks."""
    said = "Mayor Lena Odum said on Friday that the bridge was closed to lorries."
    assert [q.text for q in read(nlp, f"{said}\n{text}")[0]] == ["that the bridge was closed to lorries"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Asked about his part in the sale, she said her brother had signed nothing.", "his part in the sale"),
        ("Families stood at the gate and demanded their release. “They did nothing,” said Ann Lee, a lawyer.", "their release"),
        ("She was asked by the judge if she had seen the knife. She said she had not.", "if she had seen the knife"),
    ],
)  # fmt: skip
def test_find_quotes_gives_nothing_to_the_one_who_was_asked_when_another_speaks(
    nlp: Any, text: str, wrong: str
) -> None:
    quotes, _ = read(nlp, text)
    speakers = {(q.speaker_text or "").lower() for q in quotes if wrong in q.text}
    assert not speakers & {"she", "her", "his", "their", "they"}


HOSTILE = {
    "no sentence ends": "the mayor said the road was closed and the bus was late and " * 400,
    "all capitals": "THE MAYOR SAID THE ROAD WAS CLOSED. THE BUS WAS LATE.\n" * 100,
    "table of numbers": "12.5\t13.7\t99\t1,204\t0.4\n" * 800,
    "capitals without a stop": "THE MAYOR SAID THE ROAD WAS CLOSED AND THE BUS WAS LATE " * 300,
    "capitals in one marked stretch": "“THE ROAD IS CLOSED,” SAID THE MAYOR. “" + "GO HOME " * 2000,
    "table of words": "Name\tGoals\tClub\nA. Silva\t12\tRovers\nB. Okoye\t9\tUnited\n" * 200,
    "marks around every word": " ".join(["“word”", "‘other’", '"third"']) * 1500,
    "marks of inches": "It is 6'2\" tall and 5'1\" wide. " * 400,
    "nested without end": "“he said ‘" * 1500,
    "lyrics": "“Row, row your boat”\nGently down the stream\n“Merrily”, merrily\nLife is but a dream\n\n" * 100,
    "marks only": '" “ ” ‘ ’ ' * 2000,
    "marks that never close": "“He said the road was closed.\n" * 300,
    "one endless word": "a" * 50_000,
    "another language": "Le ministre a déclaré que la route restera fermée jusqu'à vendredi.\n" * 200,
    "poem": "The sea is calm\nthe moon lies fair\n\nupon the straits\n" * 200,
    "asides": "The river, farmers say, has not been so low, the mayor warned, as it was, officials said, " * 200,
    "signatures": "“All is well.” — Ann Lee\n" * 500,
    "dashes": "— " * 5000,
    "of without end": "The Bank of " * 1500,
    "hyphens": "co-co-co-author so-so. " * 500,
    "program": "def f(x):\n    return {'a': \"b\", 'c': [y for y in x if y != 'd']}\n" * 100,
    "menu": "Home\nNews\nSport\nSaid\nReport\nSubscribe\n" * 150,
    "never closing curly marks": "“" * 2000,
    "single capital marks": "'T IS SO ' " * 1000,
    "transcript": "SMITH: Where were you on Monday?\nJONES: I was at home, as I told you before.\n" * 150,
}


PLAIN = (
    "The mayor said the road would stay closed until Friday. “We ask for patience,” she added.\n\n"
    "The council met on Monday and voted for the new bridge after a long debate about its cost.\n\n"
)
NO_SPEECH = (
    "table of numbers", "table of words", "marks only", "poem", "one endless word", "marks of inches", "dashes",
    "of without end", "program", "menu", "never closing curly marks", "another language", "hyphens",
    "marks around every word", "lyrics",
)  # fmt: skip


@pytest.fixture(scope="module")
def plain_pace(nlp: Any) -> float:
    """Seconds of CPU for a token of a plain article on this machine now; the first call, which loads models, left out."""
    doc, row = parse(nlp, PLAIN * 30), article(PLAIN * 30)
    find_quotes(doc, row)
    started = time.process_time()
    find_quotes(doc, row)
    return (time.process_time() - started) / len(doc)


@pytest.mark.parametrize("name", list(HOSTILE))
def test_find_quotes_ends_in_bounded_time_when_the_text_is_hostile(nlp: Any, plain_pace: float, name: str) -> None:
    """A token takes at most fifteen times as long as one of a plain article, and nothing floods the table."""
    doc = parse(nlp, HOSTILE[name])
    row = article(HOSTILE[name])
    started = time.process_time()
    quotes, sources = find_quotes(doc, row)
    assert time.process_time() - started < 15 * plain_pace * max(len(doc), 2_000)
    check(row, quotes, sources)
    if name in NO_SPEECH:
        assert len(quotes) <= 3
    assert len(quotes) <= len(row.text.split()) / 2
    assert max((len(q.text) for q in quotes), default=0) < 25_000


@pytest.mark.slow
def test_find_quotes_reads_a_text_of_two_hundred_thousand_words(nlp: Any, plain_pace: float) -> None:
    """Time grows with length, not with its square: a token of it takes at most three times as long as in an article."""
    from spacy.tokens import Doc

    small = parse(nlp, PLAIN * 62)
    big = Doc.from_docs([small] * 100, ensure_whitespace=False)
    row = article(big.text)
    assert len(row.text.split()) > 200_000
    started = time.process_time()
    quotes, sources = find_quotes(big, row)
    assert time.process_time() - started < 3 * plain_pace * len(big)
    check(row, quotes, sources)
    assert len(quotes) > 5_000
