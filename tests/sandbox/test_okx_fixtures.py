"""Every answer of the OKX dialect against the recorded or documented payload of the same endpoint: no field less, no type else."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.okx_venue import BTC, Answer, Client, serve_okx

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures" / "okx"

# Fields that a recorded row has and this account's rows rightly lack.
JUSTIFIED = {
    # an inverse dated future's closing orders: this account has none, its list is empty
    ("positions__futures-long-docs.json", "data[].closeOrderAlgo[]"),
}

Ask = Callable[[Client], Awaitable[Answer]]


async def _filled(client: Client) -> Answer:
    return await client.order(clOrdId="filled", tag="made")


async def _rejected(client: Client) -> Answer:
    return await client.order(posSide="long")


async def _canceled(client: Client) -> Answer:
    placed = await client.order(ordType="limit", px=str(round(await client.price() * 0.97)))
    return await client.post("/api/v5/trade/cancel-order", {"instId": BTC, "ordId": placed.row["ordId"]})


async def _closed(client: Client) -> Answer:
    assert (await client.order(side="sell")).code == "0"
    return await client.get("/api/v5/account/positions-history", instType="SWAP")


def _get(path: str, **parameters: object) -> Ask:
    return lambda client: client.get(f"/api/v5/{path}", **parameters)


def _post(path: str, body: object) -> Ask:
    return lambda client: client.post(f"/api/v5/{path}", body)


_BATCH = [{"instId": BTC, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1", "clOrdId": name} for name in ("a1", "a2")]
_ALGO = {"instId": BTC, "tdMode": "cross", "side": "sell", "ordType": "conditional", "sz": "1", "slTriggerPx": "1", "slOrdPx": "-1"}

CASES: dict[str, Ask] = {
    "balance__account-config.json": _get("account/config"),
    "balance__account-config-docs.json": _get("account/config"),
    "balance__docs.json": _get("account/balance"),
    "error__close-position-failed.json": _rejected,
    "fees__trade-fee-docs.json": _get("account/trade-fee", instType="SWAP", instFamily="BTC-USDT"),
    "fees__trade-fee-spot.json": _get("account/trade-fee", instType="SPOT", instId="BTC-USDT"),
    "fills__docs.json": _get("trade/fills", instType="SWAP"),
    "fills__fills-history.json": _get("trade/fills-history", instType="SWAP"),
    "funding__history.json": _get("public/funding-rate-history", instId=BTC),
    "funding__rate-docs.json": _get("public/funding-rate", instId=BTC),
    "instruments__swap-2025.json": _get("public/instruments", instType="SWAP"),
    "klines__docs.json": _get("market/candles", instId=BTC, bar="1m"),
    "klines__candles-zero-confirm.json": _get("market/candles", instId=BTC, bar="1D"),
    "leverage__set.json": _post("account/set-leverage", {"instId": BTC, "lever": "5", "mgnMode": "cross"}),
    "mark_price__index.json": _get("market/index-tickers", instId="BTC-USDT"),
    "order_cancel__ok.json": _canceled,
    "order_create__ccxt-market-buy-attached-sl.json": _filled,
    "order_create__batch-ok.json": _post("trade/batch-orders", _BATCH),
    "order_create__algo-error.json": _post("trade/order-algo", _ALGO),
    "order_cancel__algo-batch.json": _post("trade/cancel-algos", [{"instId": BTC, "algoId": "1"}]),
    "order_history__ccxt-hedge-market-filled.json": _get("trade/orders-history", instType="SWAP"),
    "order_history__history-docs.json": _get("trade/orders-history-archive", instType="SWAP"),
    "orderbook__books.json": _get("market/books", instId=BTC, sz="5"),
    "position_mode__net.json": _post("account/set-position-mode", {"posMode": "net_mode"}),
    "positions__ccxt-hedge-long.json": _get("account/positions", instType="SWAP"),
    "positions__futures-long-docs.json": _get("account/positions", instId=BTC),
    "positions__swap-long-handmade.json": _get("account/positions"),
    "positions__closed-history.json": _closed,
    "positions__position-risk.json": _get("account/account-position-risk"),
    "ticker__docs.json": _get("market/ticker", instId=BTC),
}


def _payload(name: str) -> Any:
    if not FIXTURES.is_dir():
        pytest.skip(f"recorded payloads are not at {FIXTURES}")
    payload = json.loads((FIXTURES / name).read_text())["payload"]
    return json.loads(payload) if isinstance(payload, str) else payload


def differences(recorded: Any, answered: Any, where: str = "") -> list[str]:
    """What the recorded value has that the answered one lacks, and where the two differ in type. Lists are compared by first items."""
    if type(recorded) is not type(answered):
        return [f"{where}: {type(answered).__name__} instead of {type(recorded).__name__}"]
    if isinstance(recorded, dict):
        missing = [f"{where}.{name}: missing".removeprefix(".") for name in recorded.keys() - answered.keys()]
        return missing + [
            found
            for name in recorded.keys() & answered.keys()
            for found in differences(recorded[name], answered[name], f"{where}.{name}".removeprefix("."))
        ]
    if isinstance(recorded, list) and recorded:
        if not answered:
            return [f"{where}[]: nothing answered to compare with"]
        if not isinstance(recorded[0], dict | list) and len(recorded) != len(answered):
            return [f"{where}: {len(answered)} items instead of {len(recorded)}"] if where.endswith("[]") else []
        return differences(recorded[0], answered[0], f"{where}[]")
    return []


@pytest.mark.parametrize("name", CASES)
async def test_an_answer_has_every_field_and_type_of_the_recorded_one(name: str) -> None:
    recorded = _payload(name)
    async with serve_okx() as venue:
        client = venue.client()
        assert (await client.order()).code == "0"

        answered = await CASES[name](client)

        found = differences(recorded, answered.body)
    unexplained = [each for each in found if (name, each.split(":")[0]) not in JUSTIFIED]
    assert not unexplained


async def test_a_currency_row_has_every_field_of_the_recorded_one() -> None:
    recorded = _payload("balance__detail-new-fields.json")
    async with serve_okx() as venue:
        answered = (await venue.client().get("/api/v5/account/balance")).row["details"][0]
    assert not differences(recorded, answered)


async def test_a_rejected_row_has_every_field_of_the_recorded_one() -> None:
    recorded = _payload("error__insufficient-row.json")
    async with serve_okx() as venue:
        answered = await venue.client().order(sz="12000", instId="ETH-USDT-SWAP")
    assert answered.verdict == ("1", "51008")
    assert not differences(recorded, answered.row)


def test_the_comparison_sees_a_missing_field_and_a_wrong_type() -> None:
    recorded = {"data": [{"a": "1", "b": [["x", "y"]]}]}
    assert differences(recorded, {"data": [{"a": "1", "b": [["x", "y"]]}]}) == []
    assert differences(recorded, {"data": [{"b": [["x", "y"]]}]}) == ["data[].a: missing"]
    assert differences(recorded, {"data": [{"a": 1, "b": [["x", "y"]]}]}) == ["data[].a: int instead of str"]
    assert differences(recorded, {"data": [{"a": "1", "b": [["x"]]}]}) == ["data[].b[]: 1 items instead of 2"]
