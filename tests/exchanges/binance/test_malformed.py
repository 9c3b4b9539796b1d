"""Anything else in place of an answer: only declared errors come of it, and nothing malformed reads as empty."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.adapters.binance import keys, mapping, margin, orders, quotes
from exchanges.adapters.binance.errors import refusal_in, to_code, to_error
from exchanges.adapters.binance.mapping import read
from exchanges.domain import PositionMode, Ticker
from exchanges.errors import BadVenueResponse, ExchangeAPIError
from tests.exchanges.binance.rows import INSTRUMENTS, OWN, SETTINGS, own, to_book


@pytest.mark.parametrize("answer", [{}, "", None, 0, [None], [[]], [{}], {"symbols": {}}, {"assets": ""}])
def test_nothing_malformed_reads_as_empty(answer: object) -> None:
    for to_x, arguments in ANSWERS:
        with pytest.raises(BadVenueResponse):
            read("answer", to_x, answer, **arguments)


def to_tickers(answer: Any) -> list[Ticker]:
    return quotes.to_tickers(answer, answer, answer, INSTRUMENTS)


def to_one_ticker(answer: Any) -> list[Ticker]:
    return quotes.to_tickers(answer, answer, answer, INSTRUMENTS, asked="ETHUSDT")


ANSWERS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (orders.to_order, {"symbol": "SOLUSDT"}),
    (orders.to_conditional_order, {"symbol": "ETHUSDT"}),
    (orders.to_orders, {}),
    (orders.to_conditional_orders, {}),
    (orders.to_canceled_client_id, {"order_id": "algo-1"}),
    (to_book, {"instruments": INSTRUMENTS, "settings": SETTINGS}),
    (margin.to_symbol_configs, {"symbols": {"ETHUSDT"}}),
    (margin.to_position_mode, {}),
    (margin.is_leverage_set, {"symbol": "ETHUSDT", "leverage": 5}),
    (margin.is_changed, {}),
    (margin.to_leverage_brackets, {"symbol": "ETHUSDT"}),
    (margin.to_symbol_settings, {"symbol": "ETHUSDT"}),
    (keys.to_key_permissions, {}),
    (keys.to_demo_permissions, {}),
    (keys.to_account_id, {}),
    (quotes.to_order_book, {"symbol": "ETHUSDT", "depth": 5}),
    (to_one_ticker, {}),
    (to_tickers, {}),
    (quotes.to_funding_rates, {"intervals_h": {}, "instruments": INSTRUMENTS}),
    (quotes.to_funding_intervals, {}),
    (mapping.to_balances, {}),
    (mapping.to_account, {"mode": PositionMode.ONE_WAY}),
    (mapping.to_klines, {"symbol": "SOLUSDT", "interval": "1m", "now_ms": 0}),
    (mapping.to_mark_prices, {"instruments": INSTRUMENTS}),
    (mapping.to_instruments, {}),
    (mapping.to_server_time_ms, {}),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PAYLOADS = [own(path.stem) for path in sorted(OWN.glob("*.json"))]


@st.composite
def mutated_payloads(draw: st.DrawFn) -> Any:
    """One of our payloads with some of its values replaced by any JSON or taken away."""

    def mutate(value: Any) -> Any:
        if draw(st.integers(0, 12)) == 0:
            return draw(JSON)
        if isinstance(value, dict):
            return {key: mutate(inner) for key, inner in value.items() if draw(st.integers(0, 40))}
        return [mutate(inner) for inner in value] if isinstance(value, list) else value

    return mutate(json.loads(json.dumps(draw(st.sampled_from(PAYLOADS)))))


@settings(max_examples=250, deadline=None)
@given(answer=JSON | mutated_payloads())
def test_arbitrary_json_raises_only_declared_errors(answer: Any) -> None:
    for to_x, arguments in ANSWERS:
        with suppress(BadVenueResponse):
            read("answer", to_x, answer, **arguments)


@settings(max_examples=250, deadline=None)
@given(body=JSON, status=st.integers(200, 599), is_write=st.booleans(), header=st.none() | st.text(max_size=10))
def test_arbitrary_refusals_become_errors(body: Any, status: int, is_write: bool, header: str | None) -> None:
    refusal = refusal_in(body) or {}
    error = to_error(status=status, code=to_code(refusal.get("code")), message=str(body), is_write=is_write, retry_after=header, now_ms=0)
    assert isinstance(error, ExchangeAPIError)
