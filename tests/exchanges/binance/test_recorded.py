"""Payloads that others recorded or documented: what they are read as agrees with what their collectors expected, where that is right."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.adapters.binance import mapping, margin, orders
from exchanges.adapters.binance.errors import refusal_in, to_code, to_error
from exchanges.domain import InstrumentStatus, MarginMode, OrderStatus, PositionMode, PositionSide, TimeInForce
from exchanges.errors import (
    ClockSkew,
    ExchangeAPIError,
    FilterViolation,
    InsufficientMargin,
    UnknownOrder,
    UnknownSymbol,
    WouldTriggerImmediately,
)
from tests.exchanges.binance.rows import INSTRUMENTS, at, to_book

RECORDED = Path(__file__).parents[4] / "shared" / "fixtures" / "binance"

TOPICS = (
    *("balance", "error", "instruments", "klines", "leverage", "mark_price", "open_orders", "order_cancel", "order_create"),
    *("order_history", "order_query", "position_mode", "positions"),
)

DIFFERENT: dict[str, dict[str, Any]] = {
    # A market order has no price; the expectation repeats the average there.
    "order_history__ccxt-hedge-market-filled.json": {"price": None},
    # Their words for types are "market" and "limit" alone.
    "open_orders__docs.json": {"type": "trailing_stop_market"},
    "order_query__trailing-docs.json": {"type": "trailing_stop_market"},
    # Ids of conditional orders are told apart from those of plain ones here.
    "order_create__algo-take-profit.json": {"id": "algo-2146760", "type": "take_profit_limit"},
}
"""Where `expected` says something else than we mean, and what we mean. Beyond these, `used` and `free` of a balance are no fields of ours,
and a flat position is listed there and left out here."""

ERRORS: dict[str, type[ExchangeAPIError]] = {
    "error__balance-insufficient.json": InsufficientMargin,
    "error__invalid-symbol.json": UnknownSymbol,
    "error__margin-insufficient.json": InsufficientMargin,
    "error__order-does-not-exist.json": UnknownOrder,
    "error__qty-too-big.json": FilterViolation,
    "error__timestamp-outside-recvwindow.json": ClockSkew,
    "error__unknown-order-cancel.json": UnknownOrder,
    "error__would-trigger.json": WouldTriggerImmediately,
}


class Recording:
    def __init__(self, name: str) -> None:
        self.name = name
        text = (RECORDED / name).read_text()
        self.payload = json.loads(text)["payload"]
        self.expected = json.loads(text, parse_float=Decimal)["expected"]

    @property
    def rows(self) -> list[Any]:
        return self.payload if isinstance(self.payload, list) else [self.payload]


def check_orders(recording: Recording) -> None:
    expectations = recording.expected if isinstance(recording.expected, list) else [recording.expected] * len(recording.rows)
    for row, expected in zip(recording.rows, expectations, strict=True):
        if refusal_in(row):
            assert recording.name == "order_create__batch-one-rejected.json"
            assert isinstance(error_of(row), FilterViolation)
            continue
        if "algoId" in row:
            order = orders.to_conditional_order(row, symbol=row["symbol"])
            assert order.status is OrderStatus(row["algoStatus"])
        else:
            order = orders.to_order(row, symbol=row["symbol"])
        assert order.raw_response == row
        if expected:
            compare_order(order, expected | DIFFERENT.get(recording.name, {}))


def compare_order(order: Any, expected: dict[str, Any]) -> None:
    status = {"open": OrderStatus.NEW, "closed": OrderStatus.FILLED}[expected["status"]]
    time_in_force = TimeInForce.GTX if expected["timeInForce"] == "PO" else TimeInForce(expected["timeInForce"])
    assert (order.order_id, order.client_order_id) == (expected["id"], expected["clientOrderId"])
    assert (order.symbol, order.side.value) == (expected["symbol"].split(":")[0].replace("/", ""), expected["side"].upper())
    assert (order.status, order.order_type.value, order.time_in_force) == (status, expected["type"].upper(), time_in_force)
    assert (order.quantity, order.filled_quantity) == (expected["amount"], expected["filled"])
    assert (order.price, order.average_price) == (expected.get("price"), expected.get("average"))
    assert order.reduce_only is expected.get("reduceOnly", False)
    assert order.updated_at == at(expected["lastUpdateTimestamp"])
    if order.created_at is not None:
        assert order.created_at == at(expected["timestamp"])


def error_of(row: Any, is_write: bool = True) -> ExchangeAPIError:
    return to_error(status=400, code=to_code(row["code"]), message=row["msg"], is_write=is_write, retry_after=None, now_ms=0)


def check_error(recording: Recording) -> None:
    error = error_of(recording.payload)
    assert type(error) is ERRORS[recording.name]
    assert (error.code, error.message) == (str(recording.payload["code"]), recording.payload["msg"])


def check_balance(recording: Recording) -> None:
    balances = {balance.asset: balance for balance in mapping.to_balances(recording.payload)}
    account = mapping.to_account(recording.payload, PositionMode.ONE_WAY)
    assert account.equity_usd == Decimal(recording.payload["totalMarginBalance"])
    if recording.expected:
        assert {asset: balance.total for asset, balance in balances.items()} == recording.expected["total"]
        assert {asset: balance.available for asset, balance in balances.items()} == recording.expected["free"]
    else:
        assert {asset: balance.total for asset, balance in balances.items()} == {
            "USDT": Decimal("23.72469206"),
            "USDC": Decimal("103.12345678"),
        }


def check_klines(recording: Recording) -> None:
    klines = mapping.to_klines(recording.payload, symbol="LTCUSDT", interval="5m", now_ms=2**41)
    expected = [[at(row[0]), *row[1:]] for row in recording.expected]
    assert [
        [kline.open_time, kline.open, kline.high, kline.low, kline.close, kline.volume] for kline in klines[: len(expected)]
    ] == expected
    assert all((kline.close_time - kline.open_time).total_seconds() == 300 for kline in klines)


def check_mark_price(recording: Recording) -> None:
    bitcoin = INSTRUMENTS["ETHUSDT"].model_copy(update={"symbol": "BTCUSDT", "venue_symbol": "BTCUSDT"})
    [mark] = mapping.to_mark_prices(recording.rows, {"BTCUSDT": bitcoin})
    assert (mark.mark_price, mark.index_price) == (recording.expected["markPrice"], recording.expected["indexPrice"])
    assert mark.updated_at == at(recording.expected["timestamp"])


def check_instruments(recording: Recording) -> None:
    instruments = mapping.to_instruments(recording.payload)
    if recording.name == "instruments__exchangeInfo-full.json":
        assert len(instruments) == 249
        assert sum(instrument.status is InstrumentStatus.TRADING for instrument in instruments) == 240
        [bitcoin] = [instrument for instrument in instruments if instrument.symbol == "BTCUSDT"]
        assert (bitcoin.tick, bitcoin.lot, bitcoin.min_notional) == (Decimal("0.10"), Decimal("0.001"), Decimal(100))
        # Everything here relies on it: a symbol is the venue's own.
        base = {row["symbol"]: row["baseAsset"] for row in recording.payload["symbols"]}
        assert all(instrument.symbol == f"{base[instrument.venue_symbol]}USDT" for instrument in instruments)
    else:
        [coin] = instruments
        assert (coin.symbol, coin.lot, coin.max_market_quantity) == ("BLZUSDT", Decimal(1), Decimal(590_119))


def check_leverage(recording: Recording) -> None:
    if "leverage" in recording.payload:
        assert margin.is_leverage_set(recording.payload, symbol="BTCUSDT", leverage=21)
        assert not margin.is_leverage_set(recording.payload, symbol="BTCUSDT", leverage=20)
    else:
        assert refusal_in(recording.payload) is None


def check_cancel(recording: Recording) -> None:
    if "algoId" in recording.payload:
        check_orders(recording)
        assert orders.to_canceled_client_id(recording.payload, order_id="algo-3000000000003505") == "0Xkl1p621E4EryvufmYre1"
    else:
        assert refusal_in(recording.payload) is None


def check_position_mode(recording: Recording) -> None:
    assert margin.to_position_mode(recording.payload) is PositionMode.HEDGE


def check_positions(recording: Recording) -> None:
    if recording.name == "positions__symbol-config.json":
        assert margin.to_symbol_configs(recording.payload, {"BTCUSDT", "ETHUSDT"}) == {
            "ETHUSDT": (Decimal(20), MarginMode.CROSS),
            "BTCUSDT": (Decimal(25), MarginMode.ISOLATED),
        }
        return
    bitcoin = INSTRUMENTS["ETHUSDT"].model_copy(update={"symbol": "BTCUSDT", "venue_symbol": "BTCUSDT"})
    book = to_book(recording.payload, instruments={"BTCUSDT": bitcoin}, settings={})
    if recording.name == "positions__oneway-flat.json":
        assert book.positions == []
        assert [row["contracts"] for row in recording.expected] == [0]
        return
    [position] = book.positions
    assert (position.side, position.position_side, position.quantity) == (PositionSide.LONG, PositionSide.LONG, Decimal("0.001"))
    assert (position.entry_price, position.unrealized_pnl) == (Decimal("22185.2"), Decimal("-1.06214947"))
    assert (position.liquidation_price, position.leverage, position.margin_mode) == (
        Decimal("19731.45529116"),
        Decimal(4),
        MarginMode.CROSS,
    )


CHECKS: dict[str, Callable[[Recording], None]] = {
    "balance": check_balance,
    "error": check_error,
    "instruments": check_instruments,
    "klines": check_klines,
    "leverage": check_leverage,
    "mark_price": check_mark_price,
    "open_orders": check_orders,
    "order_cancel": check_cancel,
    "order_create": check_orders,
    "order_history": check_orders,
    "order_query": check_orders,
    "position_mode": check_position_mode,
    "positions": check_positions,
}
RECORDINGS = [path.name for topic in TOPICS for path in sorted(RECORDED.glob(f"{topic}__*.json"))]


@pytest.mark.skipif(not RECORDINGS, reason=f"no recorded payloads at {RECORDED}")
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_payload_reads_as_expected(name: str) -> None:
    CHECKS[name.split("__")[0]](Recording(name))
