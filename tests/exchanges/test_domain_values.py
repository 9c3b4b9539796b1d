"""Making the values that travel between venues and the book: what they hold, what they fill in, what they refuse."""

from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from exchanges.domain import (
    Balance,
    MarginMode,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    Position,
    PositionSide,
    TimeInForce,
)

D = Decimal


def test_order_request_creation() -> None:
    request = OrderRequest.model_validate(
        {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010", "price": "90000.5"}
    )
    assert (request.symbol, request.side, request.order_type) == ("BTCUSDT", OrderSide.BUY, OrderType.LIMIT)
    assert (str(request.quantity), request.price) == ("0.010", D("90000.5"))
    assert (request.reduce_only, request.position_side) == (False, PositionSide.BOTH)
    assert (request.time_in_force, request.client_order_id, request.leverage, request.margin_mode) == (None, None, None, None)
    with pytest.raises(ValidationError):
        OrderRequest.model_validate({"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.010"})


@pytest.mark.parametrize("written", ["BTCUSDT", "btcusdt", "BtcUsdt", " btcusdt "])
def test_symbol_uppercase_validator(written: str) -> None:
    request = OrderRequest.model_validate({"symbol": written, "side": "SELL", "order_type": "MARKET", "quantity": "1"})
    assert request.symbol == "BTCUSDT"


def test_order_result_creation() -> None:
    words: dict[str, Any] = {"status": "PARTIALLY_FILLED", "side": "SELL", "order_type": "LIMIT", "time_in_force": "GTX"}
    order = OrderResult(symbol="ETHUSDT", order_id="7", client_order_id="c1", quantity=D(2), filled_quantity=D("0.5"), **words)
    assert (order.status, order.side, order.order_type, order.time_in_force) == (
        OrderStatus.PARTIALLY_FILLED,
        OrderSide.SELL,
        OrderType.LIMIT,
        TimeInForce.GTX,
    )
    assert order.status.is_open
    assert (order.confirmed, order.position_side, order.average_price, order.raw_response) == (True, PositionSide.BOTH, None, {})
    with pytest.raises(FrozenInstanceError):
        order.order_id = "8"  # type: ignore[misc]
    with pytest.raises(ValueError, match="SOMEHOW"):
        OrderResult(symbol="ETHUSDT", order_id="7", client_order_id="", status="SOMEHOW")  # type: ignore[arg-type]


def test_position_creation() -> None:
    position = Position(
        symbol="PEPEUSDT",
        venue_symbol="PEPE-USDT-SWAP",
        side=PositionSide.SHORT,
        quantity=D(10_000_000),
        entry_price=D("0.000004"),
        mark_price=D("0.0000041"),
        unrealized_pnl=D("-1.0"),
        margin_mode=MarginMode.ISOLATED,
        position_side=PositionSide.SHORT,
    )
    assert (position.side, position.position_side, position.margin_mode) == (PositionSide.SHORT, PositionSide.SHORT, MarginMode.ISOLATED)
    assert position.quantity > 0, "the direction is in `side`"
    assert (position.liquidation_price, position.realized_pnl, position.leverage, position.margin, position.updated_at) == (None,) * 5
    with pytest.raises(AttributeError):
        position.quantity = D(1)  # type: ignore[misc]


def test_balance_creation() -> None:
    balance = Balance(asset="USDT", total=D("100.25"), available=D(80), unrealized_pnl=D("-3.5"), equity_usd=D("96.75"))
    assert (balance.asset, balance.total, balance.available, balance.equity_usd) == ("USDT", D("100.25"), D(80), D("96.75"))
    assert Balance(asset="BTC", total=D(1)) == Balance("BTC", D(1), None, None, None, None), "what a venue does not say is None, never 0"
