"""Arbitrary JSON and arbitrary bytes in place of an answer raise declared errors only: never a crash, never a number out of nothing."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from exchanges.adapters.okx import keys, mapping, margin, orders, quotes
from exchanges.adapters.okx.client import judge
from exchanges.adapters.okx.wire import answered
from exchanges.domain import MarginMode
from exchanges.errors import BadVenueResponse, ExchangeAPIError
from exchanges.transport import Response
from tests.exchanges.okx.rows import BTC, instruments, request, rows

KNOWN = instruments()
CONFIG = mapping.to_account_config(rows("account_config"))
MAPPINGS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "instruments": (mapping.to_instruments, ()),
    "positions": (mapping.to_position_book, (KNOWN,)),
    "balance": (mapping.to_balances, ()),
    "balance_futures_mode": (mapping.to_account, (CONFIG,)),
    "account_config": (mapping.to_account_config, ()),
    "order_live": (orders.to_order, (BTC, "910000000000000001")),
    "orders_pending": (orders.to_orders, (KNOWN,)),
    "algo_conditional": (orders.to_algo_orders, (KNOWN,)),
    "order_ack": (orders.to_acknowledgement, (request(),)),
    "cancel_ack": (orders.to_cancel_result, ("BTCUSDT", "910000000000000001")),
    "leverage": (margin.to_leverage, ("BTC-USDT-SWAP",)),
    "leverage_info": (margin.to_symbol_settings, (BTC, MarginMode.CROSS)),
    "leverage_info_legs": (margin.to_symbol_settings, (BTC, MarginMode.ISOLATED)),
    "position_tiers": (margin.to_leverage_brackets, (rows("mark_prices")[:1], BTC)),
    "position_mode": (margin.to_position_mode, ()),
    "account_config_hedge": (lambda data: (keys.to_key_permissions(data), keys.to_account_id(data)), ()),
    "order_book": (quotes.to_order_book, (BTC, 5)),
    "tickers": (quotes.to_tickers, (rows("mark_prices"), rows("index_tickers"), KNOWN)),
    "funding_rates": (quotes.to_funding_rates, (rows("mark_prices"), KNOWN)),
    "mark_prices": (mapping.to_mark_prices, (KNOWN,)),
    "klines": (mapping.to_klines, ("BTCUSDT", "1m")),
    "server_time": (mapping.to_server_time_ms, ()),
}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["NaN", "1e400", "-1", "", "0", "Infinity"])
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=8
)


@pytest.mark.parametrize("name", MAPPINGS)
@given(data=st.lists(anything, max_size=3))
def test_rows_of_arbitrary_json(name, data):
    to_domain, arguments = MAPPINGS[name]
    with suppress(BadVenueResponse):
        answered(to_domain, data, *arguments)


@pytest.mark.parametrize("name", MAPPINGS)
@given(data=st.data())
def test_a_real_row_with_one_field_replaced_or_lost(name, data):
    row = data.draw(st.sampled_from(rows(name)))
    key = data.draw(st.sampled_from(list(row) if isinstance(row, dict) else list(range(len(row)))))
    changed = row.copy()
    if data.draw(st.booleans()):
        del changed[key]
    else:
        changed[key] = data.draw(anything)
    to_domain, arguments = MAPPINGS[name]
    with suppress(BadVenueResponse):
        answered(to_domain, [changed], *arguments)


def response(body: bytes, status: int = 200) -> Response:
    return Response(status, CIMultiDictProxy(CIMultiDict()), body)


envelopes = st.fixed_dictionaries(
    {}, optional={"code": st.sampled_from(["0", "1", "2", "51008", "50011", "77777", ""]) | scalars, "msg": scalars, "data": anything}
)


@given(body=st.binary(max_size=40) | (envelopes | anything).map(lambda value: json.dumps(value).encode()), is_write=st.booleans())
def test_any_body_is_judged(body, is_write):
    with suppress(ExchangeAPIError):
        assert isinstance(judge(response(body), is_write=is_write), list)


@given(
    status=st.integers(200, 599).filter(lambda status: status != 200),
    body=st.sampled_from([b"", b"<html>", b'{"code":"0","data":[]}', b"[]"]),
)
def test_no_status_but_200_is_a_success(status, body):
    with pytest.raises(ExchangeAPIError):
        judge(response(body, status), is_write=True)


def test_json_that_is_too_deep_is_refused():
    with pytest.raises(BadVenueResponse):
        judge(response(b"[" * 100_000), is_write=True)
