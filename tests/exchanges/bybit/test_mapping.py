"""Wire to domain: our own payloads with literal values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchanges.adapters.bybit import mapping, orders
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import (
    Balance,
    Instrument,
    InstrumentStatus,
    MarginMode,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import BadVenueResponse
from tests.exchanges.bybit.recording import payload, result

INSTRUMENTS = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}
BTC = INSTRUMENTS["BTCUSDT"]
STAMP = datetime(2026, 11, 24, 6, 0, 0, 123_000, UTC)


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)


def order_in(name: str, order_id: str) -> OrderResult:
    found = orders.to_order(payload(name), "orderId", order_id, BTC)
    assert found is not None
    return found


def test_instruments_are_linear_usdt_perpetuals() -> None:
    instruments = {instrument.symbol: instrument for instrument in INSTRUMENTS.values()}
    assert set(instruments) == {"1000PEPEUSDT", "BTCUSDT", "ETHUSDT", "SHIB1000USDT"}
    assert instruments["BTCUSDT"] == Instrument(
        symbol="BTCUSDT",
        venue_symbol="BTCUSDT",
        underlying="BTC",
        tick=Decimal("0.10"),
        lot=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal("1190.000"),
        max_market_quantity=Decimal("119.000"),
        min_notional=Decimal(5),
        max_leverage=Decimal(100),
        status=InstrumentStatus.TRADING,
    )
    pepe = instruments["1000PEPEUSDT"]
    assert (pepe.underlying, pepe.multiplier, pepe.tick, pepe.lot) == ("PEPE", Decimal(1000), Decimal("0.0000001"), Decimal(100))
    assert (instruments["SHIB1000USDT"].underlying, instruments["SHIB1000USDT"].multiplier) == ("SHIB", Decimal(1000))
    assert instruments["ETHUSDT"].status is InstrumentStatus.HALTED


def test_positions_have_a_side_and_a_positive_quantity() -> None:
    book = mapping.to_position_book([payload("positions")], INSTRUMENTS, MarginMode.ISOLATED)
    long, short = book.positions
    assert (long.symbol, long.side, long.quantity, long.position_side) == (
        "BTCUSDT",
        PositionSide.LONG,
        Decimal("0.250"),
        PositionSide.BOTH,
    )
    assert (long.entry_price, long.mark_price, long.liquidation_price) == (Decimal("94000.125"), Decimal("96010.20"), Decimal("51250.30"))
    assert (long.unrealized_pnl, long.realized_pnl) == (Decimal("502.51875"), Decimal("-13.2017105"))
    assert (long.leverage, long.margin, long.margin_mode) == (Decimal(10), Decimal("2402.90"), MarginMode.ISOLATED)
    assert long.updated_at == datetime(2026, 11, 24, 5, 20, 0, 10_000, UTC)
    assert (short.symbol, short.side, short.quantity) == ("1000PEPEUSDT", PositionSide.SHORT, Decimal(40000))
    assert (short.liquidation_price, short.unrealized_pnl) == (None, Decimal("4.5"))
    assert book.not_covered == ["BTCUSDT-25DEC26"]


def test_figures_that_portfolio_margin_does_not_have_are_absent() -> None:
    (position,) = mapping.to_position_book([payload("positions_portfolio_margin")], INSTRUMENTS, MarginMode.CROSS).positions
    assert (position.leverage, position.liquidation_price, position.margin, position.updated_at) == (None, None, None, None)


@pytest.mark.parametrize("none", ["", "0", "0.00"])
def test_a_position_that_cannot_be_liquidated_has_no_such_price(none: str) -> None:
    positions = payload("positions")
    positions["result"]["list"][0]["liqPrice"] = none
    assert mapping.to_position_book([positions], INSTRUMENTS, MarginMode.CROSS).positions[0].liquidation_price is None


def test_hedge_legs_are_two_positions() -> None:
    legs = mapping.to_position_book([payload("positions_hedge_legs")], INSTRUMENTS, MarginMode.CROSS).positions
    assert [(leg.position_side, leg.side, leg.quantity) for leg in legs] == [
        (PositionSide.LONG, PositionSide.LONG, Decimal("0.300")),
        (PositionSide.SHORT, PositionSide.SHORT, Decimal("0.100")),
    ]


@pytest.mark.parametrize("name", ["positions_flat_one_way", "positions_flat_hedge"])
def test_flat_legs_are_no_positions(name: str) -> None:
    book = mapping.to_position_book([payload(name)], INSTRUMENTS, MarginMode.CROSS)
    assert (book.positions, book.not_covered) == ([], [])


def test_a_position_on_two_pages_counts_once_as_last_seen() -> None:
    later = payload("positions")
    later["result"]["list"][0]["size"] = "0.300"
    book = mapping.to_position_book([payload("positions"), later], INSTRUMENTS, MarginMode.CROSS)
    assert [position.quantity for position in book.positions] == [Decimal("0.300"), Decimal(40000)]


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("positions_flat_one_way", PositionMode.ONE_WAY),
        ("positions_flat_hedge", PositionMode.HEDGE),
        ("positions_hedge_legs", PositionMode.HEDGE),
    ],
)
def test_the_legs_of_a_symbol_tell_the_position_mode(name: str, mode: PositionMode) -> None:
    assert mapping.to_position_mode(payload(name)) is mode


def test_open_symbols_of_anything() -> None:
    assert mapping.to_open_symbols([payload("positions_inverse"), payload("order_none")]) == ["ETHUSD"]


def test_balances_are_what_is_held_less_what_is_borrowed() -> None:
    assert mapping.to_balances(payload("wallet")) == [
        Balance(
            asset="USDT",
            total=Decimal("24583.48125"),
            unrealized_pnl=Decimal("507.01875"),
            equity_usd=Decimal("25085.48"),
            updated_at=STAMP,
        ),
        Balance(asset="BTC", total=Decimal("0.20012"), unrealized_pnl=Decimal(0), equity_usd=Decimal("19213.56"), updated_at=STAMP),
        Balance(asset="USDC", total=Decimal("-2.5"), unrealized_pnl=Decimal(0), equity_usd=Decimal("-2.5"), updated_at=STAMP),
    ]


def test_the_account_is_told_in_usd() -> None:
    account = mapping.to_account(payload("wallet"), PositionMode.ONE_WAY)
    assert (account.equity_usd, account.equity_basis) == (Decimal("44296.98"), "totalEquity")
    assert (account.available_usd, account.unrealized_pnl_usd) == (Decimal("41539.25"), Decimal("507.01"))
    assert (account.initial_margin_usd, account.maintenance_margin_usd) == (Decimal("2660.85"), Decimal("130.22"))
    assert (account.position_mode, account.updated_at) == (PositionMode.ONE_WAY, STAMP)


def test_totals_that_isolated_margin_does_not_have_are_absent() -> None:
    account = mapping.to_account(payload("wallet_isolated"), PositionMode.ONE_WAY)
    assert (account.equity_usd, account.available_usd, account.initial_margin_usd) == (Decimal("44296.98"), None, None)
    assert [balance.total for balance in mapping.to_balances(payload("wallet_isolated"))] == [Decimal("24583.48125")]


@pytest.mark.parametrize(
    ("name", "mode"),
    [("REGULAR_MARGIN", MarginMode.CROSS), ("PORTFOLIO_MARGIN", MarginMode.CROSS), ("ISOLATED_MARGIN", MarginMode.ISOLATED)],
)
def test_margin_modes(name: str, mode: MarginMode) -> None:
    assert mapping.to_margin_mode(result(marginMode=name)) is mode


def test_marks_are_of_covered_instruments_that_have_one() -> None:
    marks = mapping.to_marks(payload("tickers"), INSTRUMENTS)
    assert [(mark.symbol, mark.mark_price, mark.index_price, mark.updated_at) for mark in marks] == [
        ("BTCUSDT", Decimal("96010.20"), Decimal("96002.77"), STAMP),
        ("1000PEPEUSDT", Decimal("0.0129875"), Decimal("0.0129880"), STAMP),
    ]


def test_klines_are_oldest_first_and_the_running_one_is_open() -> None:
    klines = mapping.to_klines(payload("klines"), BTC, "1m", now_ms=1_795_500_000_123)
    assert [kline.open_time for kline in klines] == [moment(1_795_499_880_000), moment(1_795_499_940_000), moment(1_795_500_000_000)]
    assert [kline.is_closed for kline in klines] == [True, True, False]
    newest = klines[-1]
    assert newest.close_time == moment(1_795_500_060_000)
    assert (newest.open, newest.high, newest.low, newest.close) == (
        Decimal("96010.2"),
        Decimal(96040),
        Decimal("96001.1"),
        Decimal("96022.5"),
    )
    assert (newest.volume, newest.turnover) == (Decimal("12.345"), Decimal("1185392.7"))


def test_klines_of_another_symbol_are_no_answer() -> None:
    with pytest.raises(BadVenueResponse):
        answered(mapping.to_klines, payload("klines"), INSTRUMENTS["ETHUSDT"], "1m", 0)


def test_resting_orders() -> None:
    limit, partial, foreign, dated = orders.to_open_orders([payload("open_orders_plain")], INSTRUMENTS)
    assert (limit.symbol, limit.client_order_id, limit.status, limit.side) == ("BTCUSDT", "cba1", OrderStatus.NEW, OrderSide.BUY)
    assert (limit.order_type, limit.price, limit.average_price, limit.quantity) == (
        OrderType.LIMIT,
        Decimal("95000.50"),
        None,
        Decimal("0.250"),
    )
    assert (limit.created_at, limit.updated_at) == (moment(1_795_499_000_100), moment(1_795_499_000_105))
    assert limit.raw_response["orderLinkId"] == "cba1"
    assert (partial.status, partial.filled_quantity, partial.average_price) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal(25000),
        Decimal("0.0131"),
    )
    assert (partial.time_in_force, partial.reduce_only, partial.side) == (TimeInForce.GTX, True, OrderSide.SELL)
    assert (foreign.position_side, foreign.time_in_force, foreign.client_order_id) == (PositionSide.LONG, TimeInForce.GTX, "web-9")
    assert dated.symbol == "BTCUSDT-25DEC26"


def test_conditional_orders_are_never_invisible() -> None:
    found = orders.to_open_orders([payload("open_orders_conditional")], INSTRUMENTS)
    assert [order.order_type for order in found] == [
        OrderType.STOP_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT_LIMIT,
        OrderType.TAKE_PROFIT_MARKET,
        OrderType.STOP_LIMIT,
        OrderType.TRAILING_STOP_MARKET,
        None,
    ]
    assert {order.status for order in found} == {OrderStatus.NEW}
    assert [order.price for order in found] == [None, Decimal("98100.00"), Decimal("99100.00"), None, Decimal("91900.00"), None, None]


def test_orders_that_ended_meanwhile_are_not_open() -> None:
    assert orders.to_open_orders([payload("order_filled_market")], INSTRUMENTS) == []


def test_a_filled_market_order_has_no_price_of_its_own() -> None:
    order = order_in("order_filled_market", "f1")
    assert (order.status, order.order_type, order.price) == (OrderStatus.FILLED, OrderType.MARKET, None)
    assert (order.filled_quantity, order.average_price, order.reason) == (Decimal("0.250"), Decimal("96012.44"), "")


@pytest.mark.parametrize(
    ("name", "order_id", "status", "filled", "reason"),
    [
        ("order_post_only_canceled", "p1", OrderStatus.CANCELED, "0.000", "EC_PostOnlyWillTakeLiquidity"),
        ("order_canceled_after_part", "p2", OrderStatus.CANCELED, "0.100", "EC_PerCancelRequest"),
        ("order_canceled_by_reduce_only", "p3", OrderStatus.CANCELED, "0.000", "CancelByReduceOnly"),
        ("order_rejected_after_part", "p4", OrderStatus.REJECTED, "0.050", "EC_ReachRiskPriceLimit"),
    ],
)
def test_an_order_that_ended_keeps_what_was_filled_and_why_it_ended(
    name: str, order_id: str, status: OrderStatus, filled: str, reason: str
) -> None:
    order = order_in(name, order_id)
    assert (order.status, order.filled_quantity, order.reason) == (status, Decimal(filled), reason)


@pytest.mark.parametrize(
    ("venue_status", "status"),
    [
        ("New", OrderStatus.NEW),
        ("Untriggered", OrderStatus.NEW),
        ("Triggered", OrderStatus.NEW),
        ("PartiallyFilled", OrderStatus.PARTIALLY_FILLED),
        ("PartiallyFilledCanceled", OrderStatus.CANCELED),
        ("Filled", OrderStatus.FILLED),
        ("Cancelled", OrderStatus.CANCELED),
        ("Deactivated", OrderStatus.CANCELED),
        ("Rejected", OrderStatus.REJECTED),
    ],
)
def test_order_states(venue_status: str, status: OrderStatus) -> None:
    envelope = payload("order_filled_market")
    envelope["result"]["list"][0]["orderStatus"] = venue_status
    order = orders.to_order(envelope, "orderId", "f1", BTC)
    assert order is not None
    assert order.status is status


def test_a_plain_conditional_order_without_direction_has_no_type() -> None:
    envelope = payload("open_orders_conditional")
    envelope["result"]["list"][0]["triggerDirection"] = 0
    assert orders.to_open_orders([envelope], INSTRUMENTS)[0].order_type is None


def test_fills_alone_tell_an_order_whose_end_is_not_sure() -> None:
    envelope = payload("executions_part")
    del envelope["result"]["list"][0]
    order = orders.to_order_from_executions([envelope], "cblost1", BTC)
    assert order is not None
    assert (order.status, order.confirmed) == (OrderStatus.PARTIALLY_FILLED, False)
    assert (order.quantity, order.filled_quantity, order.average_price) == (Decimal("0.300"), Decimal("0.100"), Decimal("96004"))
    assert (order.side, order.order_type, order.price) == (OrderSide.SELL, OrderType.MARKET, None)
    assert orders.to_order_from_executions([payload("order_none")], "cblost1", BTC) is None
