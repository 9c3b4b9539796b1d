"""Every answer of the Bybit dialect beside a recorded or documented one of the same endpoint: all its fields, with the same JSON types.

What differs is listed with its reason; a reason that no longer applies fails the test.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.bybit_venue import BTC, LIMIT_BUY, MARKET_BUY, Client, price_of, serving

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "bybit"
LINEAR = "category=linear&symbol=BTCUSDT"

pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason=f"recorded answers are not here: {FIXTURES}")

CASES = {
    "balance__account-info": ("/v5/account/info", ""),
    "balance__ccxt-uta-usdt": ("/v5/account/wallet-balance", "accountType=UNIFIED"),
    "balance__uta-docs": ("/v5/account/wallet-balance", "accountType=UNIFIED&coin=BTC"),
    "fees__ccxt": ("/v5/account/fee-rate", LINEAR),
    "fills__ccxt-funding-row": ("/v5/execution/list", "category=linear"),
    "fills__docs": ("/v5/execution/list", "category=linear"),
    "fills__executions-ccxt": ("/v5/execution/list", "category=linear"),
    "funding__history-BTCUSDT": ("/v5/market/funding/history", LINEAR),
    "funding__history-docs": ("/v5/market/funding/history", LINEAR),
    "instruments__linear-docs": ("/v5/market/instruments-info", LINEAR),
    "instruments__linear-full": ("/v5/market/instruments-info", "category=linear"),
    "klines__linear-array": ("/v5/market/kline", f"{LINEAR}&interval=1"),
    "leverage__risk-limit": ("/v5/market/risk-limit", LINEAR),
    "mark_price__ccxt-tickers-mark": ("/v5/market/tickers", LINEAR),
    "open_orders__docs": ("/v5/order/realtime", LINEAR),
    "open_orders__tp-sl-untriggered": ("/v5/order/realtime", LINEAR),
    "order_history__ccxt-filled-market-buy": ("/v5/order/history", "category=linear"),
    "order_history__docs": ("/v5/order/history", "category=linear"),
    "order_history__duplicate-rows": ("/v5/order/history", "category=linear"),
    "order_query__order-ccxt": ("/v5/order/history", "category=linear"),
    "order_query__partially-filled-rejected": ("/v5/order/realtime", f"{LINEAR}&openOnly=1"),
    "orderbook__ccxt-2": ("/v5/market/orderbook", f"{LINEAR}&limit=2"),
    "positions__closed-pnl": ("/v5/position/closed-pnl", "category=linear"),
    "positions__docs": ("/v5/position/list", "category=linear&settleCoin=USDT"),
    "positions__list-ccxt": ("/v5/position/list", LINEAR),
    "ticker__tickers-majors": ("/v5/market/tickers", "category=linear"),
}
DIFFERENCES = {
    "fills__ccxt-funding-row": {"result.list.0.nextPageCursor": "an old wire's field; the documentation has no cursor in the rows"},
    "mark_price__ccxt-tickers-mark": {"result.list.0.timestamp": "added by ccxt to what it stores; the venue sends it in the envelope"},
    "order_history__ccxt-filled-market-buy": {"result.list.0.cumFeeDetail.USDT": "the newest order here was canceled without a fill"},
    "open_orders__docs": {"result.list.0.cumFeeDetail.MNT": "fees are paid in USDT here"},
    "order_history__docs": {"result.list.0.cumFeeDetail.MNT": "fees are paid in USDT here"},
    "positions__docs": {
        "result.list.0.mmrSysUpdateTime": "the documentation's table and other recordings say mmrSysUpdatedTime, which is sent"
    },
}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """An account with something in every list."""
    with serving() as url:
        client = Client(url, "shapes")
        client.order(**MARKET_BUY)
        client.order(**{**MARKET_BUY, "qty": "0.005", "side": "Sell"}, reduceOnly=True)
        client.post("/v5/order/cancel", {**BTC, "orderId": client.order(**LIMIT_BUY, price=price_of(client, "0.97"))})
        client.order(**LIMIT_BUY, price=price_of(client, "0.96"))
        yield client


@pytest.mark.parametrize("name", CASES)
def test_answers_have_the_fields_and_types_of_recorded_ones(client: Client, name: str) -> None:
    fixture, (path, query) = json.loads((FIXTURES / f"{name}.json").read_text()), CASES[name]
    answer = client.get(path, query).json()
    if "retCode" not in fixture["payload"]:
        answer = answer["result"]  # recorded without its envelope

    found = set(compared(fixture["payload"], answer))

    assert found == set(DIFFERENCES.get(name, {}))


def test_acknowledgements_have_the_fields_of_recorded_ones(client: Client) -> None:
    def lacking(name: str, answer: dict[str, Any]) -> list[str]:
        return compared(json.loads((FIXTURES / f"{name}.json").read_text())["payload"], answer)

    order = {name: value for name, value in LIMIT_BUY.items() if name != "category"} | {"price": price_of(client, "0.97")}
    batch = client.post("/v5/order/create-batch", {"category": "linear", "request": [order | {"qty": "9999"}, order]}).json()
    placed = [{"symbol": "BTCUSDT", "orderId": row["orderId"]} for row in batch["result"]["list"] if row["orderId"]]
    canceled = client.post("/v5/order/cancel-batch", {"category": "linear", "request": placed}).json()
    client.order(**{**LIMIT_BUY, "price": price_of(client, "0.97")})
    all_canceled = client.post("/v5/order/cancel-all", {**BTC, "baseCoin": "BTC"}).json()
    order_id = client.order(**LIMIT_BUY, price=price_of(client, "0.96"), orderLinkId="amended")
    single = client.post("/v5/order/amend", {**BTC, "orderId": order_id, "qty": "0.02"}).json()

    assert lacking("order_create__batch", batch) == []
    assert lacking("order_cancel__batch", canceled) == []
    assert lacking("order_cancel__cancel-all", all_canceled) == []
    assert lacking("order_create__amend", single) == []


def test_refusals_are_those_that_were_recorded(client: Client) -> None:
    recorded = json.loads((FIXTURES / "error__insufficient-margin.json").read_text())["payload"]

    answer = client.post("/v5/order/create", {**LIMIT_BUY, "qty": "900", "price": price_of(client, "0.97")}).json()

    assert answer | {"time": recorded["time"]} == recorded


def test_numbers_are_in_fixed_notation(client: Client) -> None:
    for path, query in CASES.values():
        for text in _texts(client.get(path, query).json()["result"]):
            if text[:1].isdigit() and text.replace(".", "").replace("-", "").replace("E", "").isdigit():
                assert "E" not in text, (path, text)
    small = client.rows("/v5/market/instruments-info", "category=linear&symbol=1000PEPEUSDT")[0]
    assert (small["baseCoin"], small["priceFilter"]["tickSize"], small["priceScale"]) == ("1000PEPE", "0.0000001", "7")
    assert Decimal(small["lotSizeFilter"]["qtyStep"]) == 100


def compared(recorded: dict[str, Any], ours: Any) -> list[str]:
    """Some recordings were kept with every number as a string; their own retCode tells."""
    return list(differences(recorded, ours, stored_numbers_as_text=isinstance(recorded.get("retCode"), str)))


def differences(recorded: Any, ours: Any, *, stored_numbers_as_text: bool, path: str = "") -> Iterator[str]:
    """Paths where a recorded field is missing from ours or of another JSON type. A recorded null or empty list says nothing of types."""
    if recorded is None or recorded == []:
        return
    if isinstance(recorded, dict) and isinstance(ours, dict):
        for name, value in recorded.items():
            below = f"{path}.{name}".lstrip(".")
            if name not in ours:
                yield below
            else:
                yield from differences(value, ours[name], stored_numbers_as_text=stored_numbers_as_text, path=below)
    elif isinstance(recorded, list) and isinstance(ours, list) and ours:
        yield from differences(recorded[0], ours[0], stored_numbers_as_text=stored_numbers_as_text, path=f"{path}.0")
    elif type(recorded) is not type(ours) and not (stored_numbers_as_text and isinstance(recorded, str) and type(ours) is int):
        yield path


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
