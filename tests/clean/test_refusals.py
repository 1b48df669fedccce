"""Pages that are no articles, each with its reason, and their look-alikes that are."""

from __future__ import annotations

import json

import pytest

from tasks.clean.page import clean_page
from tasks.settings import CleanSettings
from tasks.tables import Article, Failure, Fate, Reason
from tests.clean.test_page import BODY, TITLE, page

RULES = CleanSettings()
PARAGRAPHS = "".join(f"<p>{b}</p>" for b in BODY)
CAPTIONS = "".join(f"<figure><img src=x><figcaption>{b}</figcaption></figure>" for b in BODY)
ENTRIES = "".join(
    f"<div class='entry'><time>1{i}:05</time><h3>Entry {i}</h3><p>{b}</p></div>" for i, b in enumerate(BODY)
)
RESULTS = "".join(f"<div><a href=/{i}>Story number {i} about the storm</a><p>{b}</p></div>" for i, b in enumerate(BODY))
NOT_THERE = (
    "<p>We are sorry, the page you are looking for does not exist or was moved. You can search for it, or go to our "
    "front page and read the latest stories there. If you think that this is a mistake, write to the editors, and tell "
    "them how you came here.</p>"
)
CONSENT = (
    "<p>We and our 842 partners store and access information on a device, such as cookies, and process personal data. "
    "With your consent we may use precise geolocation data. You can change your choices at any time, and withdraw your "
    "consent by the link at the foot of every page.</p>"
)


def stated(kind: str) -> str:
    return f"<script type='application/ld+json'>{json.dumps({'@type': kind, 'headline': TITLE})}</script>"


def read(title: str, body: str, path: str = "/a/1", head: str = "") -> Article | Failure:
    text = (
        f"<html lang='en'><head><title>{title} | The Lindmouth Post</title>{head}</head><body><nav><a href='/'>Home</a>"
        f"</nav><main><h1>{title}</h1>{body}</main><footer>All rights reserved</footer></body></html>"
    )
    return clean_page(page(text, url=f"https://lindmouthpost.example{path}"), rules=RULES)


@pytest.mark.parametrize(
    ("found", "reason", "detail"),
    [
        (read("Storm live", ENTRIES, head=stated("LiveBlogPosting")), Reason.NOT_ARTICLE, "live ticker"),
        (read("In pictures", CAPTIONS), Reason.NOT_ARTICLE, "captions"),
        (read("In pictures", CAPTIONS, head=stated("ImageGallery")), Reason.NOT_ARTICLE, "ImageGallery"),
        (read("Watch", f"<video></video>{PARAGRAPHS[:500]}", head=stated("VideoObject")), Reason.NOT_ARTICLE, "video"),
        (read("12 results for “storm”", RESULTS, "/search?q=storm"), Reason.NOT_ARTICLE, "headlines"),
        (read("Page not found", NOT_THERE), Reason.NOT_ARTICLE, "error page"),
        (read("We value your privacy", CONSENT), Reason.CONSENT_WALL, "consent"),
    ],
    ids=["ticker", "gallery", "stated gallery", "video", "search", "error", "consent"],
)
def test_clean_page_refuses_with_its_reason(found: Article | Failure, reason: Reason, detail: str) -> None:
    assert isinstance(found, Failure)
    assert (found.fate, found.reason) == (Fate.SKIPPED, reason)
    assert detail in found.detail


@pytest.mark.parametrize(
    "found",
    [
        read(TITLE, PARAGRAPHS, head=stated("NewsArticle") + stated("LiveBlogPosting").replace(TITLE, "Storm live")),
        read(TITLE, PARAGRAPHS + "<video></video>", head=stated("NewsArticle") + stated("VideoObject")),
        read(TITLE, PARAGRAPHS + CAPTIONS[:300], head=stated("NewsArticle")),
        read("Why a page was not found: the lost files of Lindmouth", PARAGRAPHS * 2, head=stated("NewsArticle")),
        read(
            "What cookie banners ask of you",
            PARAGRAPHS + "<p>“We value your privacy”, the banner says.</p>" + PARAGRAPHS,
        ),
    ],
    ids=["beside a ticker", "with a video", "with pictures", "about an error", "about consent"],
)
def test_clean_page_keeps_articles_that_look_like_those(found: Article | Failure) -> None:
    assert isinstance(found, Article)
    assert found.text.split("\n")[0] == BODY[0]


@pytest.mark.parametrize(
    ("head", "field", "wanted"),
    [
        ("<meta property='article:section' content='Region'>", "section", "Region"),
        ("<meta name='keywords' content='harbour, markets,harbour'>", "tags", ["harbour", "markets"]),
        (
            "<meta property='article:modified_time' content='2024-03-05T12:00:00Z'>",
            "modified_at",
            "2024-03-05 12:00:00+00:00",
        ),
        ("<meta name='date' content='2024-03-05'>", "published_precision", "day"),
        ("<meta name='date' content='2024-03-05T10:00:00'>", "published_precision", "day"),
        ("<meta name='date' content='03/04/2024'>", "published_at", None),
        ("<meta name='author' content='Staff'>", "authors", []),
        ("<meta name='author' content='By Nora Feld and Jan Okoro'>", "authors", ["Nora Feld", "Jan Okoro"]),
        (
            "<link rel='canonical' href='/a/one?utm_source=x'>",
            "canonical_url",
            "https://lindmouthpost.example/a/one?utm_source=x",
        ),
        ("<link rel='canonical' href='/'>", "canonical_url", None),
        ("<meta name='tdm-reservation' content='1'>", "rights", ["tdm-reservation: 1"]),
        ("<meta property='article:content_tier' content='locked'>", "access", "paywalled"),
        ("<meta name='author' content='Reuters'>", "agency", "Reuters"),
        ("<meta property='og:description' content='Traders have six weeks.'>", "standfirst", "Traders have six weeks."),
    ],
)
def test_clean_page_gives_the_field_when_the_page_states_it(head: str, field: str, wanted: object) -> None:
    found = read(TITLE, PARAGRAPHS, head=head)
    assert isinstance(found, Article)
    value = getattr(found, field)
    assert (str(value) if field == "modified_at" else value) == wanted
