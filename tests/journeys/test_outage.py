"""One exchange goes away and comes back: what it last said grows stale with its reason, the totals name what they lack, and the other two
go on as if nothing were. Promises D2, D3 and I1."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.book_page import PUSH_DEADLINE_S, BookPage
from tests.journeys.chromium import Complaints, opened
from tests.journeys.crossbook import Crossbook, eventually, until_none
from tests.simulated import Sandbox, running_sandbox

NOTICED_S = 20.0

# Every position row of one exchange's account: freshness, and whether a figure is struck through.
_ROWS = """(account) => [...document.querySelectorAll("#panel-positions tr[data-row]")]
  .filter((row) => row.querySelector("[data-cell='account']").textContent.startsWith(account))
  .map((row) => [row.dataset.freshness, getComputedStyle(row.querySelector("[data-cell='mark'] .value")).textDecorationLine])"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("venues")) as started:
        yield started


@pytest.fixture(scope="module")
def crossbook(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossbook]:
    started = Crossbook(tmp_path_factory.mktemp("crossbook") / "var", SANDBOX_URL=sandbox.url)
    try:
        started.start()
        yield started
    finally:
        started.end()


@pytest.fixture
def page(browser: Browser, crossbook: Crossbook) -> Iterator[tuple[BookPage, Complaints]]:
    with opened(browser) as (context, complaints):
        tab = context.new_page()
        tab.goto(crossbook.manage("login_link"))
        tab.goto(crossbook.url)
        yield BookPage(tab), complaints


def test_one_exchange_down_stands_out_and_hides_nothing_else(
    page: tuple[BookPage, Complaints], crossbook: Crossbook, sandbox: Sandbox
) -> None:
    book, complaints = page
    incomplete = book.page.locator("[data-incomplete]")
    book.wait_until_live()
    expect(incomplete).to_be_hidden()

    sandbox.control("POST", "venue", {"venue": "okx", "up": False})
    eventually(lambda: book.chips()["OKX"]["freshness"] == "error", within_s=NOTICED_S, what="OKX's failure on its chip")
    assert "No answer from the exchange" in book.chips()["OKX"]["reason"]
    until_none(lambda: [row for row in rows(book, "OKX") if row != ["stale", "line-through"]], within_s=NOTICED_S, what="rows not stale")
    expect(incomplete).to_be_visible()
    expect(incomplete).to_contain_text("OKX · Demo is")
    assert "Binance" not in incomplete.inner_text()
    assert "Bybit" not in incomplete.inner_text()
    for account in ("Binance", "Bybit"):
        assert book.chips()[account]["freshness"] == "fresh"
        assert all(row == ["fresh", "none"] for row in rows(book, account))
    exposed = exposure(crossbook)
    assert not exposed["complete"]
    assert [reason.split(" ")[0] for reason in exposed["incomplete_reasons"]] == ["OKX"]

    sandbox.control("POST", "venue", {"venue": "okx", "up": True})
    book.wait_until_live(within_s=PUSH_DEADLINE_S)
    until_none(lambda: [row for row in rows(book, "OKX") if row != ["fresh", "none"]], within_s=PUSH_DEADLINE_S, what="rows not fresh")
    expect(incomplete).to_be_hidden()
    assert complaints == []


def rows(book: BookPage, account: str) -> list[list[str]]:
    found: list[list[str]] = book.page.evaluate(_ROWS, account)
    assert found
    return found


def exposure(crossbook: Crossbook) -> dict[str, list[str]]:
    with crossbook.rest("outage") as client:
        body: dict[str, list[str]] = client.get("/exposure").json()
    return body
