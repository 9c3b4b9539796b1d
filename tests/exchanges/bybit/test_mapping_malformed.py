"""Malformed answers: whatever a venue, a proxy or a bug sends in place of an answer is read right or refused, never a crash."""

import copy
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.adapters.bybit import keys, mapping, margin, orders, quotes
from exchanges.adapters.bybit.wire import answered, to_cursor
from exchanges.domain import MarginMode, PositionMode
from exchanges.errors import BadVenueResponse
from tests.exchanges.bybit.recording import PAYLOADS, payload

INSTRUMENTS = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}
BTC = INSTRUMENTS["BTCUSDT"]

READERS: dict[str, Callable[[Any], object]] = {
    "positions": lambda answer: mapping.to_position_book([answer], INSTRUMENTS, MarginMode.CROSS),
    "positions_inverse": lambda answer: mapping.to_open_symbols([answer]),
    "positions_flat_hedge": mapping.to_position_mode,
    "account_info": mapping.to_margin_mode,
    "wallet": lambda answer: (mapping.to_balances(answer), mapping.to_account(answer, PositionMode.ONE_WAY)),
    "instruments": lambda answer: mapping.to_instruments([answer]),
    "tickers": lambda answer: (
        mapping.to_marks(answer, INSTRUMENTS),
        quotes.to_tickers(answer, INSTRUMENTS),
        quotes.to_funding_rates(answer, INSTRUMENTS),
    ),
    "order_book": lambda answer: quotes.to_order_book(answer, BTC, 5),
    "risk_limit": lambda answer: margin.to_leverage_brackets([answer], BTC),
    "positions_hedge_legs": lambda answer: margin.to_symbol_settings(answer, BTC, MarginMode.CROSS),
    "margin_mode_set": margin.is_mode_set,
    "key_information": lambda answer: (keys.to_key_permissions(answer), keys.to_account_id(answer)),
    "klines": lambda answer: mapping.to_klines(answer, BTC, "1m", 0),
    "server_time": mapping.to_server_time_ms,
    "open_orders_plain": lambda answer: (orders.to_open_orders([answer], INSTRUMENTS), to_cursor(answer)),
    "open_orders_conditional": lambda answer: orders.to_open_orders([answer], INSTRUMENTS),
    "order_filled_market": lambda answer: orders.to_order(answer, "orderId", "f1", BTC),
    "executions_part": lambda answer: orders.to_order_from_executions([answer], "cblost1", BTC),
    "order_create": lambda answer: orders.to_acknowledgement(
        answer, {"orderLinkId": "cbnew1", "side": "Buy", "orderType": "Market", "positionIdx": 0}, BTC, Decimal(1)
    ),
    "order_cancel": lambda answer: orders.to_cancel_result(answer, "BTCUSDT", "7d3e51c0-1f0a-4a52-9a1b-000000000001"),
}

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["NaN", "1e400", "-1", "0", "", "1_0"]),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in items for place in places_in(child, (*path, key)))]


PLACES = {name: places_in(payload(name))[1:] for name in READERS}


def with_replaced(envelope: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(envelope)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed


def test_every_payload_is_read_by_a_test() -> None:
    read_elsewhere = {
        "set_leverage",
        "order_none",
        "margin_mode_refused",
        "positions_flat_one_way",
        "positions_portfolio_margin",
        "wallet_isolated",
        "order_post_only_canceled",
        "order_canceled_after_part",
        "order_canceled_by_reduce_only",
        "order_rejected_after_part",
    }
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(READERS) | read_elsewhere


@pytest.mark.parametrize("name", READERS)
def test_the_unchanged_payload_can_be_read(name: str) -> None:
    answered(READERS[name], payload(name))


@given(name=st.sampled_from(sorted(READERS)), answer=JSON)
@settings(max_examples=200, deadline=None)
def test_anything_in_place_of_an_answer_is_a_bad_answer_or_none(name: str, answer: object) -> None:
    for envelope in (answer, {"result": answer, "time": 1}, {"result": {"list": answer}, "time": 1}, {"result": {"list": [answer]}}):
        with suppress(BadVenueResponse):
            answered(READERS[name], envelope)


@given(data=st.data(), name=st.sampled_from(sorted(READERS)), value=JSON)
@settings(max_examples=400, deadline=None)
def test_anything_in_place_of_a_part_of_an_answer_is_read_or_refused(data: st.DataObject, name: str, value: object) -> None:
    place = data.draw(st.sampled_from(PLACES[name]))
    with suppress(BadVenueResponse):
        answered(READERS[name], with_replaced(payload(name), place, value))


@pytest.mark.parametrize("value", [0.25, "NaN", "Infinity", "abc", " ", None, True, [], {}])
@pytest.mark.parametrize("field", ["size", "avgPrice", "markPrice", "unrealisedPnl"])
def test_a_position_figure_that_is_no_number_is_refused(field: str, value: object) -> None:
    envelope = payload("positions")
    envelope["result"]["list"][0][field] = value
    with pytest.raises(BadVenueResponse):
        answered(READERS["positions"], envelope)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("positions", ("result", "list", 0, "side"), ""),
        ("positions", ("result", "list", 0, "size"), "-0.250"),
        ("positions", ("result", "list", 0, "positionIdx"), 3),
        ("positions", ("result", "list", 0, "liqPrice"), 51250.3),
        ("order_filled_market", ("result", "list", 0, "orderStatus"), "WEIRD"),
        ("order_filled_market", ("result", "list", 0, "orderId"), "f2"),
        ("order_filled_market", ("result", "list", 0, "symbol"), "ETHUSDT"),
        ("order_filled_market", ("result", "list", 0, "reduceOnly"), "false"),
        ("order_filled_market", ("result", "list", 0, "cumExecQty"), 0.25),
        ("order_filled_market", ("result", "list", 0, "createdTime"), "9" * 30),
        ("wallet", ("result", "list"), []),
        ("wallet", ("result", "list", 0, "totalEquity"), 44296.98),
        ("instruments", ("result", "list", 2, "lotSizeFilter", "qtyStep"), "0"),
        ("instruments", ("result", "list", 2, "priceFilter", "tickSize"), ""),
        ("tickers", ("result", "list", 0, "markPrice"), "-1"),
        ("klines", ("result", "list", 0), ["1795500000000", "1", "2"]),
        ("account_info", ("result", "marginMode"), "NEW_MARGIN"),
        ("positions_flat_hedge", ("result", "list"), []),
        ("open_orders_plain", ("result", "nextPageCursor"), "a b"),
        ("executions_part", ("result", "list", 0, "execQty"), "NaN"),
        ("executions_part", ("result", "list", 0, "orderLinkId"), "another"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, path: tuple[Any, ...], value: object) -> None:
    with pytest.raises(BadVenueResponse):
        answered(READERS[name], with_replaced(payload(name), path, value))
