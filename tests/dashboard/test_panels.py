"""What each panel shows of a book."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from dashboard.book import Book, read_book
from dashboard.panels import PANELS, top_bar
from dashboard.presentation import Panel, Row
from portfolio.models import AccountState, Order, Portfolio, Position
from tests.dashboard import rows
from tests.dashboard.conftest import Desk


def book_of(desk: Desk) -> Book:
    return read_book(desk.portfolio.pk)


def panel(desk: Desk, name: str) -> Panel:
    return PANELS[name](book_of(desk))


def row_of(desk: Desk, name: str, key: object) -> Row:
    return next(row for row in panel(desk, name).rows if row.key == str(key))


def texts(row: Row) -> dict[str, str]:
    return {cell.column: cell.text for cell in row.cells}


@pytest.mark.parametrize("name", PANELS)
def test_every_cell_stands_in_a_column_and_every_key_is_unique(desk: Desk, name: str) -> None:
    found = panel(desk, name)
    columns = {column.name for column in found.columns}
    assert found.name == name
    assert found.rows
    for row in found.rows:
        assert {cell.column for cell in row.cells} <= columns
    assert {cell.column for cell in found.footer} <= columns
    assert len({row.key for row in found.rows}) == len(found.rows)


def test_positions_stand_largest_first_with_sign_side_and_distance(desk: Desk) -> None:
    small = rows.position(desk.bybit, "ETHUSDT", side="SHORT", quantity="0.1", mark_price=Decimal("4000"))
    assert [row.key for row in panel(desk, "positions").rows][-1] == str(small.pk)
    row = row_of(desk, "positions", desk.position.pk)
    assert texts(row) | {"age": ""} == {
        "account": "Binance · Main",
        "symbol": "BTCUSDT",
        "quantity": "0.500",
        "entry": "90,000.0",
        "mark": "95,000.0",
        "liquidation": "81,000.0",
        "margin": "4,750.00",
        "pnl": "+2,500.00",
        "age": "",
    }
    assert row.cell("symbol").detail == "▲ L cross 10x"
    assert row.cell("quantity").detail == "47,500.00 USD"
    assert row.cell("liquidation").detail == "14.74 % away"
    assert row.cell("pnl").detail == "+5.56 %"
    assert row.can_close


def test_a_short_is_negative_and_okx_shows_its_contracts(desk: Desk) -> None:
    short = Position.objects.get(account=desk.okx)
    row = row_of(desk, "positions", short.pk)
    assert row.cell("quantity").text == "\u22120.2000"
    assert row.cell("quantity").detail == "\u221219,000.00 USD · 20\u00a0contracts"
    assert row.cell("quantity").title == "0.01 BTC per contract"
    assert row.cell("symbol").detail.startswith("▼ S")
    assert row.cell("quantity").tone == "short"


def test_a_margin_total_that_lacks_a_part_is_none(desk: Desk) -> None:
    footer = {cell.column: cell for cell in panel(desk, "positions").footer}
    assert footer["margin"].text == "—"
    Position.objects.filter(margin=None).update(margin=Decimal("250"))
    footer = {cell.column: cell for cell in panel(desk, "positions").footer}
    assert footer["margin"].text == "5,000.00"
    assert (footer["quantity"].text, footer["quantity"].detail) == ("66,500.00", "gross USD")


def test_the_bar_of_an_asset_has_a_part_per_account_and_is_as_wide_as_the_largest_side(desk: Desk) -> None:
    row = row_of(desk, "exposure", "BTC")
    bar = row.cell("bar")
    assert [(segment.exchange, segment.start, segment.width, segment.tone) for segment in bar.segments] == [
        ("Binance", "50.00", "50.00", "long"),
        ("OKX", "30.00", "20.00", "short"),
    ]
    assert bar.title == "Binance +47,500.00 USD, OKX \u221219,000.00 USD"
    assert (row.cell("net").text, row.cell("quantity").text, row.cell("share").text) == ("+28,500.00", "0.3 BTC", "+9.50 %")


def test_the_parts_of_a_bar_stand_in_the_order_of_the_chips(desk: Desk) -> None:
    for account in (desk.okx, desk.bybit, desk.binance):
        rows.position(account, "SOLUSDT")
    parts = row_of(desk, "exposure", "SOL").cell("bar").segments
    assert [part.exchange for part in parts] == [chip.exchange for chip in top_bar(book_of(desk)).chips]


def test_a_position_belongs_to_the_row_of_its_asset(desk: Desk) -> None:
    assets = {row.key for row in panel(desk, "exposure").rows}
    assert {row.asset for row in panel(desk, "positions").rows} == assets


@pytest.mark.parametrize(
    ("price", "detail", "tone"),
    [
        ("81000", "14.74 % away", "warning"),
        ("90000", "5.26 % away", "danger"),
        ("40000", "57.89 % away", ""),
        ("300000", "> 100 % away", ""),
    ],
)
def test_a_close_liquidation_price_stands_out(desk: Desk, price: str, detail: str, tone: str) -> None:
    Position.objects.filter(pk=desk.position.pk).update(liquidation_price=Decimal(price))
    cell = row_of(desk, "positions", desk.position.pk).cell("liquidation")
    assert (cell.detail, cell.tone) == (detail, tone)


def test_a_missing_figure_stands_back_and_says_why(desk: Desk) -> None:
    Position.objects.filter(pk=desk.position.pk).update(liquidation_price=None, margin=None)
    row = row_of(desk, "positions", desk.position.pk)
    assert (row.cell("liquidation").text, row.cell("liquidation").tone, row.cell("liquidation").detail) == ("—", "muted", "none given")
    assert (row.cell("margin").text, row.cell("margin").tone) == ("—", "muted")


def test_bars_do_not_leave_their_frame(desk: Desk) -> None:
    for number in range(6):
        rows.position(desk.accounts[number % 3], "ETHUSDT" if number < 3 else "SOLUSDT", side=("LONG", "SHORT")[number % 2])
    for row in panel(desk, "exposure").rows:
        for segment in row.cell("bar").segments:
            assert 0 <= Decimal(segment.start) <= 100
            assert Decimal(segment.start) + Decimal(segment.width) <= Decimal("100.01")


def test_totals_of_the_exposure(desk: Desk) -> None:
    footer = {cell.column: cell for cell in panel(desk, "exposure").footer}
    assert (footer["net"].text, footer["gross"].text, footer["pnl"].text) == ("+28,500.00", "66,500.00", "+5,000.00")
    assert footer["asset"].detail == "long 47,500.00, short 19,000.00"


@pytest.mark.parametrize(
    ("fields", "state", "can_cancel"),
    [
        ({"state": "NEW"}, "Open", True),
        ({"state": "PARTIALLY_FILLED", "filled_quantity": Decimal("0.004")}, "Partly filled", True),
        ({"state": "UNKNOWN", "exchange_order_id": ""}, "Unknown: asking the exchange", False),
        ({"state": "SUBMITTING", "exchange_order_id": ""}, "Sending", False),
        ({"state": "SUBMITTED"}, "Acknowledged", True),
        ({"state": "REJECTED", "exchange_order_id": "", "reason": "Not enough margin."}, "Rejected", False),
        ({"state": "NOT_SENT", "exchange_order_id": ""}, "Not sent", False),
        ({"state": "NOT_PLACED", "exchange_order_id": ""}, "Not placed", False),
        ({"state": "NEW", "order_type": "STOP_MARKET", "price": None}, "Open", False),
        ({"state": "NEW", "order_type": "", "origin": "external"}, "Open", False),
    ],
)
def test_an_order_says_honestly_how_it_stands(desk: Desk, fields: dict[str, Any], state: str, can_cancel: bool) -> None:
    order = rows.order(desk.binance, **fields)
    row = row_of(desk, "orders", order.pk)
    assert (row.cell("state").text, row.can_cancel) == (state, can_cancel)
    assert row.cell("state").detail == order.reason
    if order.is_unresolved:
        assert (row.freshness, row.cell("state").tone) == ("unknown", "warning")
    if order.origin == "external":
        assert (row.cell("symbol").detail, row.cell("symbol").title) == ("external", "Placed outside Crossbook")


@pytest.mark.parametrize("state", ["FILLED", "CANCELED", "EXPIRED"])
def test_what_is_over_is_not_among_the_open_orders(desk: Desk, state: str) -> None:
    order = rows.order(desk.binance, state=state)
    assert str(order.pk) not in {row.key for row in panel(desk, "orders").rows}


def test_what_came_to_nothing_is_shown_for_five_minutes(desk: Desk) -> None:
    order = rows.order(desk.binance, state="REJECTED", exchange_order_id="")
    assert row_of(desk, "orders", order.pk)
    order.updated_at -= timedelta(minutes=5, seconds=1)
    order.save()
    assert str(order.pk) not in {row.key for row in panel(desk, "orders").rows}


def test_a_market_order_has_no_price_and_flags_stand_beneath_the_type(desk: Desk) -> None:
    order = rows.order(desk.binance, order_type="MARKET", price=None, time_in_force="", reduce_only=True, side="SELL", state="UNKNOWN")
    row = row_of(desk, "orders", order.pk)
    assert (row.cell("price").text, row.cell("type").text, row.cell("type").detail) == ("Market", "Market", "reduce-only")
    assert (row.cell("side").text, row.cell("side").tone) == ("▼ Sell", "short")


def test_an_order_says_what_it_is_worth_and_how_much_of_it_is_filled(desk: Desk) -> None:
    order = rows.order(desk.binance, state="PARTIALLY_FILLED", filled_quantity=Decimal("0.004"), time_in_force="GTX")
    row = row_of(desk, "orders", order.pk)
    assert row.cell("quantity").detail == "900.00 USD · 0.004 filled"
    assert row.cell("type").detail == "post-only"


def test_orders_grow_old_on_their_own_however_well_the_rest_is_read(desk: Desk) -> None:
    """Positions are fresh, and the list of orders was last read a minute and more ago."""
    old = rows.now() - timedelta(seconds=settings.ORDERS_STALE_AFTER_S + 1)
    AccountState.objects.filter(account=desk.binance).update(orders_as_of=old)
    order = rows.order(desk.binance, updated_at=old)
    row = row_of(desk, "orders", order.pk)
    assert (row.freshness, row.cell("age").text) == ("stale", "1 min")
    AccountState.objects.filter(account=desk.binance).update(orders_as_of=rows.now())
    row = row_of(desk, "orders", order.pk)
    assert (row.freshness, row.cell("age").text) == ("fresh", "0 s")
    Order.objects.filter(pk=order.pk).update(missing_since=rows.now())
    assert row_of(desk, "orders", order.pk).freshness == "stale"


def test_orders_that_could_not_be_read_are_stale_at_once_and_the_account_says_why(desk: Desk) -> None:
    order = rows.order(desk.binance)
    AccountState.objects.filter(account=desk.binance).update(orders_as_of=rows.now(), orders_error="HTTP 502.")
    assert row_of(desk, "orders", order.pk).freshness == "stale"
    chip = next(chip for chip in top_bar(read_book(desk.portfolio.pk)).chips if chip.key == str(desk.binance.pk))
    assert (chip.freshness, chip.reason) == ("error", "The open orders could not be read: HTTP 502.")


def test_a_balance_shows_what_is_there_and_a_dash_for_what_is_not_said(desk: Desk) -> None:
    rows.balance(desk.okx, "PEPE", "1E-8")
    by_asset = {row.cell("asset").text: texts(row) for row in panel(desk, "balances").rows}
    assert (by_asset["USDT"]["total"], by_asset["USDT"]["available"], by_asset["USDT"]["pnl"]) == ("100,000.00", "90,000.00", "0.00")
    assert (by_asset["PEPE"]["total"], by_asset["PEPE"]["available"], by_asset["PEPE"]["pnl"]) == ("0.00000001", "—", "—")


def test_dollars_have_two_places_whatever_the_exchange_sends(desk: Desk) -> None:
    rows.balance(desk.okx, "USDT", "99974.61518454")
    totals = {row.cell("account").text: row.cell("total").text for row in panel(desk, "balances").rows}
    assert totals[str(desk.okx)] == "99,974.62"


def test_a_book_that_is_gone_is_an_error(desk: Desk) -> None:
    with pytest.raises(Portfolio.DoesNotExist):
        read_book(987_654)
