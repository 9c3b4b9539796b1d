"""Payloads of others, read from ../shared/fixtures where that folder is there, against an independent reading of them."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.adapters.bybit import mapping, orders
from exchanges.adapters.bybit.errors import error_from_code
from exchanges.domain import (
    Instrument,
    MarginMode,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    TimeInForce,
)
from exchanges.errors import AccountRateLimited, BadParameter, BadSignature, InsufficientMargin
from tests.exchanges.bybit.recording import payload, result

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "bybit"
INSTRUMENTS = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}
BTC = INSTRUMENTS["BTCUSDT"]


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1_000, UTC)


TOPICS = (
    "balance",
    "error",
    "instruments",
    "klines",
    "leverage",
    "mark_price",
    "open_orders",
    "order_cancel",
    "order_create",
    "order_history",
    "order_query",
    "position_mode",
    "positions",
)
OUT_OF_SCOPE = {
    "error__legacy-insufficient.json": "the envelope of the API before V5 (ret_code): refused as no answer",
    "klines__BTCUSDT-hiro.json": "spot, rewritten as objects; the venue sends arrays",
    "leverage__risk-limit.json": "risk limits of an inverse contract, not asked for",
    "leverage__trading-stop.json": "take-profit of a position, a later piece",
    "order_cancel__batch.json": "batches are not sent",
    "order_cancel__cancel-all.json": "cancel-all is not sent",
    "order_create__amend.json": "amends are not sent",
    "order_create__batch.json": "batches are not sent",
    "positions__closed-pnl.json": "closed positions, a later piece",
}
ETH = INSTRUMENTS["ETHUSDT"]


def foreign(name: str) -> dict[str, Any]:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"no foreign payloads at {FIXTURES}")
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


def listed(symbol: str) -> Instrument:
    return BTC.model_copy(update={"symbol": symbol, "venue_symbol": symbol, "underlying": symbol.removesuffix("USDT")})


def assert_order_agrees(order: OrderResult, expected: dict[str, Any]) -> None:
    """ccxt's reading in its words. It calls a market order's protective limit its price and gives conditional orders their plain type."""
    status = {"open": {"NEW", "PARTIALLY_FILLED"}, "closed": {"FILLED"}, "canceled": {"CANCELED"}, "rejected": {"REJECTED"}}
    assert order.status in status[expected["status"]]
    assert (order.order_id, order.client_order_id) == (expected["id"], expected.get("clientOrderId", ""))
    assert order.side is OrderSide(expected["side"].upper())
    assert order.quantity == Decimal(str(expected["amount"]))
    assert order.filled_quantity == Decimal(str(expected["filled"]))
    assert order.average_price == (Decimal(str(expected["average"])) if "average" in expected else None)
    assert order.time_in_force == expected["timeInForce"]
    assert order.reduce_only is expected["reduceOnly"]
    assert (order.created_at, order.updated_at) == (moment(expected["timestamp"]), moment(expected["lastUpdateTimestamp"]))
    assert order.order_type is not None
    assert order.order_type.value.lower().endswith(expected["type"])
    if expected["type"] == "limit":
        assert order.price == Decimal(str(expected["price"]))
    else:
        assert order.price is None


def read_orders(name: str) -> list[OrderResult]:
    found = []
    for row in foreign(name)["payload"]["result"]["list"]:
        order = orders.to_order(result(list=[row]), "orderId", row["orderId"], listed(row["symbol"]))
        assert order is not None
        found.append(order)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "open_orders__tp-sl-untriggered.json",
        "order_history__ccxt-filled-market-buy.json",
        "order_history__duplicate-rows.json",
        "order_query__partially-filled-rejected.json",
    ],
)
def test_foreign_orders(name: str) -> None:
    found = read_orders(name)
    expected = foreign(name)["expected"]
    assert len(found) == len(expected)
    for order, reading in zip(found, expected, strict=True):
        assert_order_agrees(order, reading)


def test_a_foreign_spot_order_with_an_unknown_kind_of_trigger_has_no_type() -> None:
    (order,) = read_orders("order_query__order-ccxt.json")
    assert (order.order_type, order.status, order.price) == (None, OrderStatus.CANCELED, Decimal(1000))


def test_foreign_documented_orders() -> None:
    (resting,) = orders.to_open_orders([foreign("open_orders__docs.json")["payload"]], INSTRUMENTS)
    assert (resting.symbol, resting.position_side, resting.price, resting.average_price) == (
        "ETHUSDT",
        PositionSide.LONG,
        Decimal(1600),
        None,
    )
    assert (resting.order_type, resting.reason) == (OrderType.LIMIT, "")
    (canceled,) = read_orders("order_history__docs.json")
    assert (canceled.status, canceled.reason, canceled.time_in_force) == (
        OrderStatus.CANCELED,
        "EC_PostOnlyWillTakeLiquidity",
        TimeInForce.GTX,
    )


def test_foreign_positions() -> None:
    fixture = foreign("positions__list-ccxt.json")
    (position,) = mapping.to_position_book([fixture["payload"]], {"XRPUSDT": listed("XRPUSDT")}, MarginMode.CROSS).positions
    (expected,) = fixture["expected"]
    assert (position.side.value.lower(), position.quantity) == (expected["side"], Decimal(str(expected["contracts"])))
    assert position.entry_price == Decimal(str(expected["entryPrice"]))
    assert position.mark_price == Decimal(str(expected["markPrice"]))
    assert position.liquidation_price == Decimal(str(expected["liquidationPrice"]))
    assert position.unrealized_pnl == Decimal(str(expected["unrealizedPnl"]))
    assert (position.leverage, position.margin) == (Decimal(str(expected["leverage"])), Decimal(str(expected["initialMargin"])))
    assert position.updated_at == moment(expected["lastUpdateTimestamp"])
    assert position.realized_pnl is None


def test_a_foreign_inverse_position_is_counted_not_valued() -> None:
    book = mapping.to_position_book([foreign("positions__docs.json")["payload"]], INSTRUMENTS, MarginMode.CROSS)
    assert (book.positions, book.not_covered) == ([], ["BTCUSD"])


def test_foreign_balances() -> None:
    fixture = foreign("balance__ccxt-uta-usdt.json")
    (usdt,) = mapping.to_balances(fixture["payload"])
    assert (usdt.asset, usdt.total) == ("USDT", Decimal("3322.25896609"))
    assert float(usdt.total) == fixture["expected"]["USDT"]["total"]
    assert usdt.updated_at == moment(fixture["expected"]["timestamp"])
    # ccxt works out what is free of one coin; in a unified account margin is shared, and the venue does not say.
    assert usdt.available is None
    assert mapping.to_account(fixture["payload"], PositionMode.ONE_WAY).equity_usd == Decimal("92255.96988644")
    documented = foreign("balance__uta-docs.json")["payload"]
    assert mapping.to_balances(documented) == []
    assert mapping.to_account(documented, PositionMode.ONE_WAY).available_usd == Decimal("3.00326056")
    assert mapping.to_margin_mode(foreign("balance__account-info.json")["payload"]) is MarginMode.CROSS


def test_foreign_instruments() -> None:
    (btc,) = mapping.to_instruments([foreign("instruments__linear-docs.json")["payload"]])
    assert (btc.tick, btc.lot, btc.max_market_quantity, btc.min_notional) == (Decimal("0.1"), Decimal("0.001"), Decimal(500), Decimal(5))
    rows = foreign("instruments__linear-full.json")["payload"]["list"]
    instruments = mapping.to_instruments([result(list=rows)])
    assert len(instruments) == len([row for row in rows if row["settleCoin"] == "USDT"]) == 193
    assert all(instrument.symbol == instrument.venue_symbol for instrument in instruments)
    scaled = {instrument.underlying: instrument.multiplier for instrument in instruments if instrument.multiplier != 1}
    thousand = dict.fromkeys(("BONK", "BTT", "FLOKI", "LUNC", "XEC", "SHIB"), Decimal(1000))
    assert scaled == thousand | {"NFT": Decimal(10_000)}


def test_foreign_marks_and_klines() -> None:
    fixture = foreign("mark_price__ccxt-tickers-mark.json")
    (mark,) = mapping.to_marks(fixture["payload"], INSTRUMENTS)
    assert mark.mark_price == Decimal(str(fixture["expected"]["markPrice"]))
    assert mark.index_price == Decimal(str(fixture["expected"]["indexPrice"]))
    candles = foreign("klines__linear-array.json")
    (kline,) = mapping.to_klines(candles["payload"], BTC, "1m", 0)
    (expected,) = candles["expected"]
    assert (kline.open_time, kline.is_closed) == (moment(expected[0]), False)
    read = [kline.open, kline.high, kline.low, kline.close, kline.volume]
    assert read == [Decimal(str(number)) for number in expected[1:]]


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("error__insufficient-margin.json", InsufficientMargin),
        ("error__params-error.json", BadParameter),
        ("error__rate-limit.json", AccountRateLimited),
        ("error__ws-invalid-sign.json", BadSignature),
    ],
)
def test_foreign_errors(name: str, error_class: type[Exception]) -> None:
    refused = foreign(name)["payload"]
    assert type(error_from_code(refused["retCode"], refused["retMsg"], is_write=True)) is error_class


def test_a_foreign_position_mode_answer_is_a_success_without_a_result() -> None:
    answer = foreign("position_mode__switch.json")["payload"]
    assert (answer["retCode"], answer["result"]) == (0, {})


def test_every_foreign_payload_of_our_topics_is_read_or_named_with_its_reason() -> None:
    if not FIXTURES.exists():
        pytest.skip(f"no foreign payloads at {FIXTURES}")
    names = {path.name for path in FIXTURES.glob("*.json") if path.name.partition("__")[0] in TOPICS}
    text = Path(__file__).read_text()
    assert {name for name in names if f'"{name}"' not in text} == set()
    assert set(OUT_OF_SCOPE) <= names
