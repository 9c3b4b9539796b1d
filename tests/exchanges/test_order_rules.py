"""The checks before anything is stored or sent: each names field, rule and value, and none rounds."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.decimals import is_multiple
from exchanges.domain import ExchangeType, Instrument, InstrumentStatus, OrderRequest, OrderType, PositionSide, TimeInForce
from exchanges.errors import FilterViolation, MarketNotTrading, UnsupportedField, WriteEffect
from exchanges.factory import capabilities_of
from exchanges.order_rules import refuse_off_filter, refuse_unsupported
from exchanges.protocol import Capabilities

BTC = Instrument(
    symbol="BTCUSDT",
    venue_symbol="BTCUSDT",
    underlying="BTC",
    tick=Decimal("0.1"),
    lot=Decimal("0.001"),
    market_lot=Decimal("0.01"),
    min_quantity=Decimal("0.002"),
    max_quantity=Decimal(1000),
    max_market_quantity=Decimal(120),
    min_notional=Decimal(100),
    status=InstrumentStatus.TRADING,
)
MARK = Decimal(90_000)


def order(**changed: Any) -> OrderRequest:
    values = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.01", "price": "90000", **changed}
    return OrderRequest.model_validate(values)


def market(**changed: Any) -> OrderRequest:
    return order(order_type="MARKET", price=None, **changed)


@pytest.mark.parametrize(
    "request_",
    [
        order(),
        order(quantity="1000"),
        order(quantity="0.002", price="50000"),
        order(price="89999.9"),
        order(quantity="0.0020", price="50000.00"),
        market(quantity="120"),
        market(quantity="0.01"),
    ],
)
def test_an_order_within_the_filters_passes(request_: OrderRequest) -> None:
    refuse_off_filter(request_, BTC, MARK)


@pytest.mark.parametrize(
    ("request_", "field", "words"),
    [
        (order(quantity="0.0105"), "quantity", "quantity must be a multiple of 0.001, was 0.0105"),
        (order(price="90000.05"), "price", "price must be a multiple of 0.1, was 90000.05"),
        (order(quantity="0.001", price="200000"), "quantity", "quantity must be at least 0.002, was 0.001"),
        (order(quantity="1000.001"), "quantity", "quantity must be at most 1000, was 1000.001"),
        (order(quantity="0.002", price="49999.9"), "quantity", "quantity times price must be at least 100 USDT, was 99.9998"),
        (market(quantity="0.015"), "quantity", "quantity must be a multiple of 0.01, was 0.015"),
        (market(quantity="120.01"), "quantity", "quantity must be at most 120, was 120.01"),
    ],
)
def test_an_order_off_a_filter_is_refused_with_the_rule_and_the_value(request_: OrderRequest, field: str, words: str) -> None:
    with pytest.raises(FilterViolation) as refusal:
        refuse_off_filter(request_, BTC, MARK)
    assert (refusal.value.message, refusal.value.field) == (words, field)
    assert refusal.value.write_effect is WriteEffect.NONE


def test_a_market_order_is_valued_at_the_mark_and_left_to_the_venue_without_one() -> None:
    small = market(quantity="0.01")
    with pytest.raises(FilterViolation, match="at least 100 USDT, was 99"):
        refuse_off_filter(small, BTC, Decimal(9_900))
    refuse_off_filter(small, BTC, None)


def test_a_reduce_only_order_may_be_worth_less_than_the_smallest_notional() -> None:
    refuse_off_filter(order(quantity="0.002", price="100", reduce_only=True), BTC, MARK)


def test_where_the_venue_has_no_such_filter_none_is_applied() -> None:
    bare = BTC.model_copy(update={"market_lot": None, "max_quantity": None, "max_market_quantity": None, "min_notional": None})
    refuse_off_filter(market(quantity="5000.001"), bare, MARK)
    refuse_off_filter(order(quantity="0.002", price="0.1"), bare, MARK)


def test_a_halted_instrument_takes_no_order() -> None:
    with pytest.raises(MarketNotTrading, match="BTCUSDT is halted") as refusal:
        refuse_off_filter(order(), BTC.model_copy(update={"status": InstrumentStatus.HALTED}), MARK)
    assert refusal.value.field == "symbol"


@given(
    lots=st.integers(min_value=1, max_value=2_000_000),
    dust=st.sampled_from([Decimal(0), Decimal("0.0001"), Decimal("1E-18")]),
    ticks=st.integers(min_value=1, max_value=5_000_000),
)
def test_whatever_passes_is_on_every_step_and_within_every_bound(lots: int, dust: Decimal, ticks: int) -> None:
    request = order(quantity=lots * BTC.lot + dust, price=ticks * BTC.tick)
    try:
        refuse_off_filter(request, BTC, MARK)
    except FilterViolation:
        return
    assert is_multiple(request.quantity, BTC.lot)
    assert BTC.min_quantity <= request.quantity <= (BTC.max_quantity or 0)
    assert request.quantity * (request.price or 0) >= (BTC.min_notional or 0)


CAPABILITIES = capabilities_of(ExchangeType.BINANCE)


def refusal_of(request: OrderRequest, capabilities: Capabilities) -> UnsupportedField:
    with pytest.raises(UnsupportedField) as refusal:
        refuse_unsupported(request, capabilities)
    assert refusal.value.exchange == capabilities.exchange
    return refusal.value


@pytest.mark.parametrize("exchange", ExchangeType)
@pytest.mark.parametrize(
    ("field", "value"),
    [("stop_price", "1"), ("take_profit_price", "1"), ("stop_loss_price", "1"), ("trailing_stop_pct", "1")],
)
def test_a_field_that_no_adapter_carries_is_refused_by_name(exchange: ExchangeType, field: str, value: object) -> None:
    error = refusal_of(order(**{field: value}), capabilities_of(exchange))
    assert error.field == field
    assert error.message == f"{field} is not supported yet and must be left out, was {value}"


def test_a_value_is_written_without_an_exponent() -> None:
    assert "was 0.00000001" in refusal_of(order(stop_price="1E-8"), CAPABILITIES).message


def test_a_leg_needs_hedge_mode() -> None:
    request = order(position_side=PositionSide.SHORT)
    assert refusal_of(request, replace(CAPABILITIES, supports_hedge_mode=False)).field == "position_side"
    refuse_unsupported(request, CAPABILITIES)


@pytest.mark.parametrize("exchange", ExchangeType)
def test_an_order_names_its_margin_mode_where_that_is_a_field_of_orders(exchange: ExchangeType) -> None:
    request = order(margin_mode="isolated")
    if exchange is ExchangeType.OKX:
        refuse_unsupported(request, capabilities_of(exchange))
    else:
        assert refusal_of(request, capabilities_of(exchange)).field == "margin_mode"


def test_types_and_times_in_force_are_those_of_the_adapter() -> None:
    narrow = replace(CAPABILITIES, order_types=frozenset({OrderType.MARKET}), times_in_force=frozenset({TimeInForce.IOC}))
    assert refusal_of(order(), narrow).message == "order_type must be one of MARKET on binance, was LIMIT"
    wider = replace(narrow, order_types=frozenset(OrderType))
    assert refusal_of(order(time_in_force="GTX"), wider).field == "time_in_force"
    refuse_unsupported(order(time_in_force="IOC"), wider)


def test_a_field_left_at_its_default_is_no_wish() -> None:
    bare = replace(CAPABILITIES, order_fields=frozenset({"symbol", "side", "order_type", "quantity", "price"}))
    refuse_unsupported(order(), bare)
    assert refusal_of(order(reduce_only=True), bare).field == "reduce_only"
    assert refusal_of(order(client_order_id="abc"), bare).field == "client_order_id"
