"""All pages in a real Chromium: clicked through, in both themes, at a desk and on a phone, with hostile content."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tasks.publish.store import Store
from tasks.report import precision
from tasks.report.check_page import check_app
from tasks.report.explore import explore_app
from tests.report import chromium
from tests.report.ingested import ingested

pytestmark = [
    pytest.mark.skipif(chromium.found() is None, reason="no Chromium on this machine: apt-get install chromium"),
    pytest.mark.timeout(600),
]

NIGHT = "2026-03-03"
RTL = "\u202eesrever\u202c"
HOSTILE = [
    {
        "id": "script", "outlet": "\"><script>alert('outlet')</script>", "published_at": "2026-03-03",
        "title": "<script>alert('title')</script>", "authors": "<svg onload=alert('author')>",
        "text": "Police arrested 12 people in Lagos on Monday, officials said.\n“<img src=x onerror=alert('quote')> is what "
        "we saw on our screens,” said Amina <b onmouseover=alert('name')>Odhiambo, a spokeswoman for the bank.",
    },
    {
        "id": "long", "outlet": "long.example", "published_at": "2026-03-03", "title": "Harl " * 200_000,
        "text": "“The gauge failed,” said Ines Calder, who heads the flood office in Harl. Nobody was hurt.",
    },
    {
        "id": "turned", "outlet": "turned.example", "published_at": "2026-03-03", "title": f"Before {RTL} after",
        "text": f"“We {RTL} were blind,” said Ines Calder of the flood office. Police arrested two men in Lagos.",
    },
    {
        "id": "formula", "outlet": "formula.example", "published_at": "2026-03-03", "title": "=HYPERLINK(\"http://evil\")",
        "text": "“=1+1 was in every cell,” said Omar Diallo, a clerk. The mayor banned spreadsheets in Lagos on Monday.",
    },
]  # fmt: skip


@dataclass(frozen=True)
class Site:
    """Everything there is to look at: the folder of reports, the two local pages and ids that lead somewhere."""

    reports: Path
    explore: str
    check: str
    source: str
    story: str
    revised: str


def _one(root: Path, table: str, column: str, order: str) -> str:
    sql = f"select {column} from read_parquet('{root}/{table}/*/*.parquet') order by {order} limit 1"
    rows = duckdb.execute(sql).fetchall()
    return str(rows[0][0])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("hostile"), HOSTILE)


@pytest.fixture(scope="module")
def site(desk: Path) -> Iterator[Site]:
    root = desk / "data" / "demo" / "processed"
    drawn = precision.draw(Store.open(root), "quotes", 3, night=None, seed="chromium", at=dt.datetime.now(dt.UTC))
    with chromium.served(explore_app(root)) as explore, chromium.served(check_app(root, drawn.check)) as check:
        yield Site(
            reports=root / "reports", explore=explore, check=check,
            source=_one(root, "source_index", "source_id", "n_quotes desc, source_id"),
            story=_one(root, "stories", "story_id", "n_articles desc, story_id"),
            revised=_one(root, "articles", "article_id", "revision desc, article_id"),
        )  # fmt: skip


@pytest.fixture(scope="module")
def browser(site: Site, hostile: Path) -> Iterator[Any]:
    """Asked for last: while Playwright runs, no event loop can be started in this thread."""
    with chromium.browser() as opened:
        yield opened


def test_report_leads_over_story_and_article_to_a_quote(site: Site, browser: Any) -> None:
    with chromium.visit(browser) as seen:
        page = seen.page
        page.goto((site.reports / "index.html").as_uri())
        page.click(f"text={NIGHT}")
        assert page.title() == f"nightdesk, night of {NIGHT}"
        story = page.locator(".stories > li").first
        story.locator("summary").click()
        headline = story.locator("details a").first
        wanted = headline.inner_text()
        headline.click()
        assert page.locator("h1").inner_text() == wanted
        quote = page.locator('.card[id^="card-q"] a').first
        quote.click()
        lit = page.locator("article .quote.lit")
        assert lit.count() > 0
        assert lit.first.is_visible()
        page.click(f"text=night of {NIGHT}")
        assert page.locator("h1").inner_text().startswith("Night of")


def test_sample_of_the_report_leads_to_the_very_quote(site: Site, browser: Any) -> None:
    with chromium.visit(browser) as seen:
        page = seen.page
        page.goto((site.reports / f"{NIGHT}.html").as_uri())
        row = page.locator("#sample + .row")
        said = row.locator("mark").inner_text()
        row.locator("a").click()
        lit = page.locator("article .quote.lit").first
        assert lit.inner_text() in said
        assert lit.evaluate(
            "n => { const r = n.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight }"
        )


def test_reader_shows_a_row_on_focus_and_what_was_cut_on_demand(site: Site, browser: Any) -> None:
    with chromium.visit(browser) as seen:
        page = seen.page
        page.goto(f"{site.explore}/article/{site.revised}")
        assert page.locator("#tip").is_hidden()
        page.locator("article span.trigger[tabindex]").first.focus()
        assert page.locator("#tip").is_visible()
        assert page.locator("#tip .card").count() > 0
        page.keyboard.press("Escape")
        assert page.locator("#tip").is_hidden()
        cut = page.locator(".cut").first
        assert cut.is_hidden()
        page.check('[data-shows="cut"]')
        assert cut.is_visible()
        assert page.locator("table.two del").count() > 0


def test_explore_leads_from_a_search_to_a_quote_in_its_article(site: Site, browser: Any) -> None:
    with chromium.visit(browser) as seen:
        page = seen.page
        page.goto(site.explore)
        page.fill('form[action="/sources"] input', "flintham")
        page.click("text=Search sources")
        page.click("td a >> text=Deborah Flintham")
        assert page.locator("h1").inner_text() == "Deborah Flintham"
        page.locator("td.long a").first.click()
        assert page.locator("article .lit").count() > 0
        page.click("text=its story")
        assert page.locator("h2 >> text=Articles").count() == 1
        with page.expect_download() as taken:
            page.goto(site.explore + "/quotes?q=strike")
            page.click("text=CSV")
        assert "strike" in Path(taken.value.path()).read_text(encoding="utf-8").lower()


def test_check_keeps_a_verdict_and_tells_the_precision(site: Site, browser: Any) -> None:
    with chromium.visit(browser) as seen:
        page = seen.page
        page.goto(site.check)
        assert page.locator("#here").is_visible()
        page.click("text=All right")
        page.check('input[value="cue"]')
        page.click("text=Wrong, as ticked")
        page.goto(site.check + "/results")
        assert "2 of 3 rows judged" in page.inner_text("main")
        assert "the cue" in page.inner_text("table >> nth=0")


PAGES = {
    "report": lambda s: (s.reports / f"{NIGHT}.html").as_uri(),
    "nights": lambda s: (s.reports / "index.html").as_uri(),
    "reader": lambda s: f"{s.explore}/article/{s.revised}",
    "home": lambda s: s.explore,
    "quotes": lambda s: f"{s.explore}/quotes",
    "source": lambda s: f"{s.explore}/source/{s.source}",
    "story": lambda s: f"{s.explore}/story/{s.story}",
    "check": lambda s: f"{s.check}/row/0",
    "results": lambda s: f"{s.check}/results",
}


FEW = ("report", "reader", "quotes", "check")


def _accessible(site: Site, browser: Any, pages: Iterable[str], *, dark: bool, size: tuple[int, int]) -> None:
    with chromium.visit(browser, dark=dark, size=size) as seen:
        for name in pages:
            seen.page.goto(PAGES[name](site))
            seen.page.evaluate("document.querySelectorAll('details').forEach(n => { n.open = true })")
            assert (name, chromium.judged(seen.page)) == (name, [])
            assert chromium.fits(seen.page), name


def test_axe_finds_no_serious_fault_on_a_dark_phone(site: Site, browser: Any) -> None:
    _accessible(site, browser, PAGES, dark=True, size=chromium.PHONE)


def test_axe_finds_no_serious_fault_in_the_light_at_a_desk(site: Site, browser: Any) -> None:
    _accessible(site, browser, FEW, dark=False, size=chromium.DESK)


@pytest.mark.soak
@pytest.mark.parametrize("size", [chromium.DESK, chromium.PHONE])
@pytest.mark.parametrize("dark", [True, False])
def test_axe_finds_no_serious_fault_anywhere(site: Site, browser: Any, dark: bool, size: tuple[int, int]) -> None:
    _accessible(site, browser, PAGES, dark=dark, size=size)


def test_hostile_content_is_shown_harmless(hostile: Path, site: Site, browser: Any) -> None:
    reports = sorted((hostile / "reports").rglob("*.html"))
    assert len(reports) > 4
    with chromium.served(explore_app(hostile)) as explore, chromium.visit(browser, size=chromium.PHONE) as seen:
        page = seen.page
        asked = ["/", "/quotes", "/articles", "/events", "/stories", *(f"/article/{r['id']}" for r in HOSTILE)]
        for address in [*(r.as_uri() for r in reports), *(explore + a for a in asked)]:
            page.goto(address)
            for node in page.locator("article span[tabindex]").all():
                node.focus()
            text = page.inner_text("body")
            assert "\u202e" not in text, address
            assert page.locator("img, svg[onload], b[onmouseover], main script").count() == 0, address
            assert chromium.fits(page), address
            assert len(page.content()) < 1_500_000, address
        page.goto(explore + "/article/script")
        assert page.locator("h1").inner_text() == HOSTILE[0]["title"]
        page.goto(explore + "/article/turned")
        first, last = (_where(page, word) for word in ("Before", "after"))
        assert first < last, "the words of the title stand in the order they were written in"


def _where(page: Any, word: str) -> float:
    """Pixels from the left of a word of the headline."""
    return float(
        page.evaluate(
            """word => { const node = document.querySelector("h1").firstChild, at = node.data.indexOf(word),
            range = document.createRange(); range.setStart(node, at); range.setEnd(node, at + word.length);
            return range.getBoundingClientRect().left }""",
            word,
        )
    )
