"""Payloads to domain: the project's own, with literal values."""

from decimal import Decimal

import pytest

from exchanges.adapters.binance import mapping, orders
from exchanges.adapters.binance.mapping import SymbolConfig, read
from exchanges.domain import (
    AccountSummary,
    Balance,
    Instrument,
    InstrumentStatus,
    MarginMode,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import BadParameter, BadVenueResponse
from tests.exchanges.binance.rows import INSTRUMENTS, SETTINGS, at, own, to_book


def test_instruments_are_the_linear_usdt_perpetuals_with_their_filters() -> None:
    assert list(INSTRUMENTS) == ["ETHUSDT", "1000PEPEUSDT", "XAUUSDT"]
    assert INSTRUMENTS["ETHUSDT"] == Instrument(
        symbol="ETHUSDT",
        venue_symbol="ETHUSDT",
        underlying="ETH",
        tick=Decimal("0.01"),
        lot=Decimal("0.001"),
        market_lot=Decimal("0.005"),
        min_quantity=Decimal("0.002"),
        max_quantity=Decimal(10_000),
        max_market_quantity=Decimal(2_000),
        min_notional=Decimal(20),
        status=InstrumentStatus.TRADING,
    )
    pepe = INSTRUMENTS["1000PEPEUSDT"]
    assert (pepe.underlying, pepe.multiplier, pepe.status) == ("PEPE", Decimal(1_000), InstrumentStatus.HALTED)
    assert (pepe.market_lot, pepe.max_market_quantity, pepe.min_notional) == (None, None, None)


def test_positions_take_their_side_from_the_sign_and_their_leverage_from_the_settings() -> None:
    book = to_book(own("positions"), instruments=INSTRUMENTS, settings=SETTINGS)
    assert book.positions == [
        Position(
            symbol="ETHUSDT",
            venue_symbol="ETHUSDT",
            side=PositionSide.SHORT,
            quantity=Decimal("2.500"),
            entry_price=Decimal("2991.04"),
            mark_price=Decimal("2950.10000000"),
            liquidation_price=Decimal("5120.77"),
            unrealized_pnl=Decimal("102.35"),
            leverage=Decimal(20),
            margin=Decimal("368.7625"),
            margin_mode=MarginMode.CROSS,
            updated_at=at(1_763_990_300_000),
        ),
        Position(
            symbol="1000PEPEUSDT",
            venue_symbol="1000PEPEUSDT",
            side=PositionSide.LONG,
            quantity=Decimal(300_000),
            entry_price=Decimal("0.0091"),
            mark_price=Decimal("0.009312"),
            unrealized_pnl=Decimal("63.6"),
            leverage=Decimal(8),
            margin=Decimal(150),
            margin_mode=MarginMode.ISOLATED,
            updated_at=at(1_763_990_301_000),
        ),
    ]
    assert book.not_covered == ["BTCUSDC"]


def test_without_settings_a_position_has_no_leverage_and_the_margin_mode_its_row_shows() -> None:
    book = to_book(own("positions"), instruments=INSTRUMENTS, settings={"ETHUSDT": None})
    assert [(position.leverage, position.margin_mode) for position in book.positions] == [
        (None, MarginMode.CROSS),
        (None, MarginMode.ISOLATED),
    ]


def test_an_isolated_position_outweighs_settings_from_before_it_was_opened() -> None:
    old = {"1000PEPEUSDT": SymbolConfig(Decimal(8), MarginMode.CROSS)}
    book = to_book(own("positions"), instruments=INSTRUMENTS, settings=old)
    assert book.positions[1].margin_mode is MarginMode.ISOLATED


def test_hedge_legs_are_two_positions() -> None:
    book = to_book(own("positions_hedge"), instruments=INSTRUMENTS, settings=SETTINGS)
    assert [(position.position_side, position.side, position.quantity) for position in book.positions] == [
        (PositionSide.LONG, PositionSide.LONG, Decimal(1)),
        (PositionSide.SHORT, PositionSide.SHORT, Decimal("0.4")),
    ]


def test_a_leg_whose_sign_contradicts_it_is_refused() -> None:
    rows = own("positions_hedge")
    rows[1]["positionAmt"] = "0.400"
    with pytest.raises(BadVenueResponse):
        read("positions", to_book, rows, instruments=INSTRUMENTS, settings=SETTINGS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[(name, value) for name in ("entryPrice", "markPrice", "unRealizedProfit") for value in (2991.04, 2991, None, "", "x", "NaN")],
        *[("positionAmt", value) for value in (-2.5, None, "", "Infinity", True)],
        *[(name, value) for name in ("liquidationPrice", "isolatedWallet", "positionInitialMargin") for value in (1.5, 7, "-x")],
        *[("positionSide", value) for value in ("LONG", "NET", None)],
        *[("updateTime", value) for value in ("soon", 1.5, -1)],
    ],
)
def test_a_malformed_position_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadVenueResponse):
        read("positions", to_book, [own("positions")[0] | {field: value}], instruments=INSTRUMENTS, settings=SETTINGS)


def test_a_position_in_json_numbers_is_refused() -> None:
    numbers = {"entryPrice": 2991.04, "markPrice": 2950.1, "unRealizedProfit": 102.35}
    with pytest.raises(BadVenueResponse):
        read("positions", to_book, [own("positions")[0] | numbers], instruments=INSTRUMENTS, settings=SETTINGS)


def test_a_filled_market_order_has_an_average_price_and_no_price() -> None:
    order = orders.to_order(own("order_filled"), symbol="SOLUSDT", client_order_id="cb7f3a1")
    assert order.order_id == "9007199254740993"
    assert (order.status, order.side, order.order_type) == (OrderStatus.FILLED, OrderSide.BUY, OrderType.MARKET)
    assert (order.quantity, order.filled_quantity, order.price, order.average_price) == (Decimal(14), Decimal(14), None, Decimal("183.427"))
    assert (order.confirmed, order.created_at, order.updated_at) == (True, None, at(1_763_990_100_123))
    assert order.raw_response == own("order_filled")


def test_a_canceled_order_keeps_what_was_filled_and_its_average() -> None:
    order = orders.to_order(own("order_canceled_partly"), symbol="SOLUSDT", order_id="88120034")
    assert (order.status, order.time_in_force, order.reduce_only) == (OrderStatus.CANCELED, TimeInForce.GTX, True)
    assert (order.filled_quantity, order.average_price, order.price) == (Decimal(3), Decimal("183.2"), Decimal("183.2"))


@pytest.mark.parametrize("asked", [{"symbol": "ETHUSDT"}, {"order_id": "1"}, {"client_order_id": "other"}])
def test_an_order_that_was_not_asked_about_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(BadVenueResponse):
        read("order", orders.to_order, own("order_filled"), **{"symbol": "SOLUSDT", **asked})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("orderId", value) for value in (None, "", 0, -1, 1.5, True, "x", "1e99999999")],
        *[("status", value) for value in ("PENDING_CANCEL", "", None, ["NEW"])],
        *[("executedQty", value) for value in (1.5, "-1", "NaN", "Infinity", "", None, "9" * 100, True)],
        *[("origQty", value) for value in ("-14", 14.0)],
        *[("updateTime", value) for value in ("later", -5, 1.5, 10**20, "1e99999999")],
        *[("side", value) for value in ("LONG", None)],
    ],
)
def test_a_malformed_order_is_refused(field: str, value: object) -> None:
    with pytest.raises(BadVenueResponse):
        read("order", orders.to_order, own("order_filled") | {field: value}, symbol="SOLUSDT")


@pytest.mark.parametrize("field", ["orderId", "symbol", "status", "clientOrderId", "executedQty", "origQty", "price", "side", "type"])
def test_an_order_lacking_a_field_is_refused(field: str) -> None:
    row = own("order_filled")
    del row[field]
    with pytest.raises(BadVenueResponse):
        read("order", orders.to_order, row, symbol="SOLUSDT")


def test_an_order_that_met_its_own_account_is_expired_with_the_reason() -> None:
    order = orders.to_order(own("order_filled") | {"status": "EXPIRED_IN_MATCH"}, symbol="SOLUSDT")
    assert (order.status, order.reason) == (OrderStatus.EXPIRED, "self-trade prevention")


def test_open_orders_include_those_of_instruments_that_are_not_covered() -> None:
    pepe, dated = orders.to_orders(own("open_orders"))
    assert (pepe.symbol, pepe.status, pepe.filled_quantity) == ("1000PEPEUSDT", OrderStatus.PARTIALLY_FILLED, Decimal(12_000))
    assert (pepe.average_price, pepe.created_at) == (Decimal("0.009312"), at(1_763_990_000_000))
    assert (dated.symbol, dated.time_in_force, dated.average_price) == ("BTCUSDT_260327", None, None)


def test_conditional_orders_have_ids_of_their_own_kind() -> None:
    stop, take_profit = orders.to_conditional_orders(own("open_conditional_orders"))
    assert (stop.order_id, stop.client_order_id, stop.status) == ("algo-3000000000004711", "web_stop1", OrderStatus.NEW)
    assert (stop.order_type, stop.quantity, stop.price, stop.reduce_only) == (OrderType.STOP_MARKET, None, None, True)
    assert (take_profit.order_type, take_profit.quantity, take_profit.price) == (
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal("1.25"),
        Decimal("3299.5"),
    )
    assert orders.from_order_id("ETHUSDT", stop.order_id) == {"algoId": "3000000000004711"}
    assert orders.from_order_id("ETHUSDT", "4711") == {"symbol": "ETHUSDT", "orderId": "4711"}


@pytest.mark.parametrize("order_id", ["", "x", "-1", "algo-", "algo-x", "١٢", "1&side=SELL"])
def test_a_text_that_is_no_order_id_is_refused(order_id: str) -> None:
    with pytest.raises(BadParameter):
        orders.from_order_id("ETHUSDT", order_id)


def test_balances_are_the_assets_that_hold_something() -> None:
    assert mapping.to_balances(own("account")) == [
        Balance(
            asset="USDT",
            total=Decimal("9740.5"),
            available=Decimal("9184.0875"),
            unrealized_pnl=Decimal("165.95"),
            equity_usd=Decimal("9906.45"),
            updated_at=at(1_763_990_400_000),
        ),
        Balance(
            asset="USDC",
            total=Decimal(500),
            available=Decimal(500),
            unrealized_pnl=Decimal(0),
            equity_usd=None,
            updated_at=at(1_763_990_390_000),
        ),
    ]


def test_the_account_is_valued_by_the_venues_own_total() -> None:
    assert mapping.to_account(own("account"), PositionMode.HEDGE) == AccountSummary(
        equity_usd=Decimal("10406.45"),
        equity_basis="totalMarginBalance",
        available_usd=Decimal("9684.0875"),
        unrealized_pnl_usd=Decimal("165.95"),
        initial_margin_usd=Decimal("508.4425"),
        maintenance_margin_usd=Decimal("64.78"),
        position_mode=PositionMode.HEDGE,
        updated_at=at(1_763_990_400_000),
    )


def test_candles_close_where_the_next_opens_and_the_running_one_is_open() -> None:
    klines = mapping.to_klines(own("klines"), symbol="SOLUSDT", interval="1m", now_ms=1_763_990_050_000)
    assert [kline.close_time for kline in klines[:-1]] == [kline.open_time for kline in klines[1:]]
    assert [kline.is_closed for kline in klines] == [True, True, False]
    assert (klines[0].open, klines[0].high, klines[0].low, klines[0].close) == tuple(map(Decimal, ("183.10", "183.55", "183.02", "183.40")))
    assert (klines[0].volume, klines[0].turnover) == (Decimal(1_520), Decimal("278650.1"))


def test_candles_out_of_order_are_refused() -> None:
    with pytest.raises(BadVenueResponse):
        read("klines", mapping.to_klines, own("klines")[::-1], symbol="SOLUSDT", interval="1m", now_ms=0)


def test_mark_prices_are_those_of_covered_instruments_that_have_one() -> None:
    [mark] = mapping.to_mark_prices(own("mark_prices"), INSTRUMENTS)
    assert (mark.symbol, mark.mark_price, mark.index_price) == ("ETHUSDT", Decimal("2950.1"), Decimal("2951.02345"))
    assert mark.updated_at == at(1_763_990_410_000)
