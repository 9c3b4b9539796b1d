"""A day at the desk in a real browser: first sign-in, orders on three exchanges, a close, a cancel, trades made elsewhere, data growing
old and young again; and the same page with JavaScript off. The tests build on each other, in this order."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.journeys.book_page import ORDERS_DEADLINE_S, PUSH_DEADLINE_S, BookPage
from tests.journeys.chromium import Complaints, opened
from tests.journeys.crossbook import Crossbook, eventually
from tests.journeys.venues import BINANCE, BYBIT, OKX, VENUES, Outsider

ACCOUNTS = {BINANCE: "Binance · Demo", BYBIT: "Bybit · Demo", OKX: "OKX · Demo"}
SYMBOL = "LTCUSDT"  # the demo accounts hold none of it
RESTING, BOUGHT = "1.4", "0.6"
PASSWORD = "correct horse battery staple"

# What a person would see of a row: the age that it shows, and whether its figures are struck through.
_LOOKS = """() => [...document.querySelectorAll("#panel-positions tr[data-row]")].map((row) => ({
  freshness: row.dataset.freshness,
  age: Number((row.querySelector("[data-as-of]").textContent.match(/^(\\d+) s$/) ?? [])[1] ?? 60),
  struck: getComputedStyle(row.querySelector("[data-cell='mark'] .value")).textDecorationLine,
}))"""


@pytest.fixture(scope="module")
def outsider(crossbook: Crossbook) -> Iterator[Outsider]:
    trader = Outsider(crossbook.sandbox_url)
    yield trader
    trader.close()


@pytest.fixture(scope="module")
def desk(browser: Browser, crossbook: Crossbook) -> Iterator[tuple[BookPage, Complaints]]:
    """The one page that stays open for the whole day, signed in by the printed link."""
    with opened(browser) as (context, complaints):
        page = context.new_page()
        page.goto(crossbook.login_link)
        expect(page.get_by_role("heading", name="Welcome, admin")).to_be_visible()
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.wait_for_url(f"{crossbook.url}/")
        page.evaluate("() => { window.marker = 'the same document'; }")
        yield BookPage(page), complaints


@pytest.fixture
def book(desk: tuple[BookPage, Complaints]) -> Iterator[BookPage]:
    """After each test: the page was never loaded again, and neither the console nor the security policy complained."""
    book, complaints = desk
    yield book
    assert book.page.evaluate("() => window.marker") == "the same document"
    assert complaints == []


def test_the_first_page_shows_three_exchanges_live(book: BookPage) -> None:
    book.wait_until_live()
    assert set(book.chips()) == {"Binance", "Bybit", "OKX"}
    expect(book.page.locator("[data-incomplete]")).to_be_hidden()
    assert book.rows("positions").count() == 11
    for account in ACCOUNTS.values():
        expect(book.rows("positions", account).first).to_be_visible()


@pytest.mark.parametrize("venue", VENUES)
def test_orders_of_the_ticket_reach_each_exchange(book: BookPage, outsider: Outsider, venue: str) -> None:
    account, price = ACCOUNTS[venue], resting_price(outsider, venue)
    book.fill_ticket(account, SYMBOL, RESTING, price)
    book.preview("BUY", f"Buy {RESTING} {SYMBOL} at {price} limit on {account}")
    assert book.send() == f"Buy {RESTING} {SYMBOL} at {price} on {account}: open."
    book.show("orders")
    order = book.rows("orders", account, SYMBOL, price)
    expect(order).to_have_count(1, timeout=PUSH_DEADLINE_S * 1_000)
    book.expect_cell(order, "state", "Open")

    book.fill_ticket(account, SYMBOL, BOUGHT)
    book.preview("BUY", f"Buy {BOUGHT} {SYMBOL} at market on {account}")
    assert book.send().startswith(f"Buy {BOUGHT} {SYMBOL} on {account}: {BOUGHT} filled at ")
    book.show("positions")
    position = book.rows("positions", account, SYMBOL)
    expect(position).to_have_count(1, timeout=PUSH_DEADLINE_S * 1_000)
    assert shown(book.cell(position, "quantity").inner_text()) == Decimal(BOUGHT)
    assert outsider.positions(venue)[SYMBOL] == Decimal(BOUGHT)


def test_half_of_a_position_is_closed_in_its_row(book: BookPage, outsider: Outsider) -> None:
    position = book.rows("positions", ACCOUNTS[BINANCE], SYMBOL)
    position.get_by_role("link", name="Close").click()
    dialog = book.page.get_by_role("dialog", name=f"Close {SYMBOL} on {ACCOUNTS[BINANCE]}")
    dialog.get_by_role("link", name="50 %", exact=True).click()
    expect(dialog.locator(".sentence")).to_have_text(f"Sell 0.3 {SYMBOL} at market, reduce-only, on {ACCOUNTS[BINANCE]}.")
    dialog.get_by_role("button", name="Send close order").click()
    assert book.toast().startswith(f"Sell 0.3 {SYMBOL} on {ACCOUNTS[BINANCE]}: 0.3 filled at ")
    expect(dialog).to_be_hidden()
    book.expect_cell(position, "quantity", "0.300")
    assert outsider.positions(BINANCE)[SYMBOL] == Decimal("0.3")


def test_a_resting_order_is_canceled_in_its_row(book: BookPage) -> None:
    book.show("orders")
    order = book.rows("orders", ACCOUNTS[OKX], SYMBOL)
    button = order.get_by_role("button", name="Cancel")
    button.click()
    expect(button).to_have_text("Cancel order?")
    eventually(lambda: button.evaluate("(button) => performance.now() - button.dataset.armed > 500"), within_s=5, what="the second step")
    button.click()
    text = book.toast()
    assert text.startswith(f"Buy {RESTING} {SYMBOL} at ")
    assert text.endswith(f" on {ACCOUNTS[OKX]}: canceled.")
    expect(order).to_have_count(0, timeout=PUSH_DEADLINE_S * 1_000)


def test_what_others_trade_appears_on_the_open_page(book: BookPage, outsider: Outsider) -> None:
    prices = {venue: resting_price(outsider, venue, share="0.96") for venue in VENUES}
    held = {venue: outsider.positions(venue).get(SYMBOL, Decimal(0)) for venue in VENUES}
    for venue in VENUES:
        outsider.place(venue, SYMBOL, Decimal("-1.1"))
        outsider.place(venue, SYMBOL, Decimal("2.5"), Decimal(prices[venue]))
    for venue in VENUES:
        row = book.rows("positions", ACCOUNTS[venue], SYMBOL)
        wait_for_quantity(book, row, held[venue] - Decimal("1.1"))
        expect(row.locator("[data-cell='symbol'] small")).to_contain_text("▼ S")
    for venue in VENUES:
        order = book.rows("orders", ACCOUNTS[venue], SYMBOL, prices[venue])
        expect(order).to_have_count(1, timeout=ORDERS_DEADLINE_S * 1_000)
        expect(order).to_contain_text("external")


def test_an_asset_shows_the_positions_it_is_made_of_and_keeps_showing_only_them(book: BookPage) -> None:
    asset = SYMBOL.removesuffix("USDT")
    book.show("orders")
    link = book.page.locator(f"#panel-exposure a[data-asset='{asset}']")
    shown_rows = book.page.locator("#panel-positions tr[data-row]:visible")
    link.click()
    expect(shown_rows).to_have_count(3)
    expect(link).to_have_attribute("aria-current", "true")
    with book.page.expect_response(lambda response: "/panel/positions" in response.url):
        book.page.evaluate("() => htmx.trigger('#panel-positions', 'refresh')")
    expect(shown_rows).to_have_count(3)
    book.page.get_by_role("link", name="Show all").click()
    expect(shown_rows).to_have_count(book.rows("positions").count())


def test_figures_grow_old_while_polling_stands_still(book: BookPage, crossbook: Crossbook) -> None:
    book.show("positions")
    pollers = [crossbook.service("worker"), crossbook.service("beat")]
    for process in pollers:
        process.suspend()
    try:
        ages: list[int] = []

        def all_are_stale() -> bool:
            rows = book.page.evaluate(_LOOKS)
            ages.append(min(row["age"] for row in rows))
            return all(row["freshness"] == "stale" and row["struck"] == "line-through" for row in rows)

        eventually(all_are_stale, within_s=30, what="every position stale and struck through")
        assert ages[-1] >= 15
        # Nothing is pushed meanwhile: the page counts by itself. A busy machine may skip a second, or two; it never counts back.
        assert ages == sorted(ages)
        assert len(set(ages)) > (ages[-1] - ages[0]) / 2
        assert {chip["freshness"] for chip in book.chips().values()} == {"stale"}
        expect(book.page.locator("[data-incomplete]")).to_be_visible()
    finally:
        for process in pollers:
            process.resume()
    book.wait_until_live()
    eventually(
        lambda: all(row["freshness"] == "fresh" and row["struck"] == "none" for row in book.page.evaluate(_LOOKS)),
        within_s=PUSH_DEADLINE_S,
        what="every position fresh again",
    )
    expect(book.page.locator("[data-incomplete]")).to_be_hidden()


def test_everything_can_be_done_without_javascript(browser: Browser, crossbook: Crossbook, outsider: Outsider) -> None:
    account, price = ACCOUNTS[BYBIT], resting_price(outsider, BYBIT, share="0.965")
    with opened(browser, java_script=False) as (context, complaints):
        page = context.new_page()
        page.goto(crossbook.manage("login_link"))
        page.goto(crossbook.url)
        book = BookPage(page)
        expect(page.locator("noscript .strip")).to_be_visible()
        book.fill_ticket(account, SYMBOL, "0.8", price)
        book.preview("BUY", f"Buy 0.8 {SYMBOL} at {price} limit on {account}")
        page.get_by_role("button", name="Send order").click()
        expect(page.locator(".messages .note")).to_have_text(f"Buy 0.8 {SYMBOL} at {price} on {account}: open.")
        book.show("orders")
        order = book.rows("orders", account, SYMBOL, price)
        expect(order).to_contain_text("Open")

        order.get_by_role("button", name="Cancel").click()
        expect(page.locator(".messages .note")).to_have_text(f"Buy 0.8 {SYMBOL} at {price} on {account}: canceled.")
        expect(order).to_have_count(0)

        held = outsider.positions(BYBIT)[SYMBOL]
        book.rows("positions", account, SYMBOL).get_by_role("link", name="Close").click()
        expect(page.locator(".sentence")).to_contain_text(f"Buy {abs(held):f} {SYMBOL} at market, reduce-only, on {account}")
        page.get_by_role("button", name="Send close order").click()
        expect(page.locator(".messages .note")).to_contain_text("filled at")
        assert SYMBOL not in outsider.positions(BYBIT)
        assert complaints == []


def wait_for_quantity(book: BookPage, row: Locator, quantity: Decimal) -> None:
    cell = book.cell(row, "quantity")
    eventually(lambda: shown(cell.inner_text()) == quantity, within_s=PUSH_DEADLINE_S, what=f"{quantity} on the open page")


def resting_price(outsider: Outsider, venue: str, *, share: str = "0.97") -> str:
    """A price below the market by so much that the order rests, on the tick, without trailing zeros."""
    price = (outsider.mark(venue, SYMBOL) * Decimal(share)).quantize(Decimal("0.01"))
    return f"{price.normalize():f}"


def shown(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\u2212", "-"))
