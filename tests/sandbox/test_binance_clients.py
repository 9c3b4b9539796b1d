"""The simulated Binance through other people's clients: python-binance and ccxt, unmodified but for their addresses."""

from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from tests.sandbox.binance_venue import BTC, Served, serve_binance

LIVE_HOSTS = ("https://fapi.binance.com", "https://api.binance.com", "https://dapi.binance.com")
UNIFIED_BTC = "BTC/USDT:USDT"


@pytest.fixture
async def venue() -> AsyncIterator[Served]:
    async with serve_binance() as served:
        yield served


@pytest.fixture
async def sdk(venue: Served) -> AsyncIterator[Any]:
    class Pointed(AsyncClient):  # type: ignore[misc]
        API_URL = f"{venue.base}/api"
        FUTURES_URL = f"{venue.base}/fapi"
        FUTURES_DATA_URL = f"{venue.base}/futures/data"
        MARGIN_API_URL = f"{venue.base}/sapi"

    client = await Pointed.create("sandbox-sdk", "sandbox-sdk-secret")
    yield client
    await client.close_connection()
    await client.ws_future.close()


@pytest.fixture
async def unified(venue: Served) -> AsyncIterator[Any]:
    exchange = ccxt.binanceusdm({"apiKey": "sandbox-ccxt", "secret": "sandbox-ccxt-secret", "enableRateLimit": False})
    exchange.urls["api"] = {name: _pointed(address, venue.base) for name, address in exchange.urls["api"].items()}
    yield exchange
    await exchange.close()


def _pointed(address: Any, base: str) -> Any:
    for host in LIVE_HOSTS:
        if isinstance(address, str):
            address = address.replace(host, base)
    return address


async def test_python_binance_reads_the_market(sdk: Any) -> None:
    assert (await sdk.futures_time())["serverTime"] > 0
    assert len((await sdk.futures_exchange_info())["symbols"]) == 12
    book = await sdk.futures_order_book(symbol=BTC, limit=5)
    assert float(book["bids"][0][0]) < float(book["asks"][0][0])
    assert (await sdk.futures_mark_price(symbol=BTC))["symbol"] == BTC
    assert len(await sdk.futures_mark_price()) == len(await sdk.futures_ticker()) == len(await sdk.futures_orderbook_ticker()) == 12
    assert (await sdk.futures_symbol_ticker(symbol=BTC))["symbol"] == BTC
    assert len(await sdk.futures_funding_rate(symbol=BTC, limit=3)) == 3
    assert await sdk.futures_aggregate_trades(symbol=BTC, limit=1000)


@pytest.mark.parametrize("interval", ["1m", "5m", "1h", "4h", "1d", "3d", "1w", "1M"])
async def test_python_binance_reads_klines(sdk: Any, interval: str) -> None:
    asked_at = (await sdk.futures_time())["serverTime"]
    newest = await sdk.futures_klines(symbol=BTC, interval=interval, limit=4)
    assert [row[0] for row in newest] == sorted(row[0] for row in newest)
    assert [row[6] + 1 for row in newest[:-1]] == [row[0] for row in newest[1:]]
    assert newest[-1][6] > asked_at, "the last bar is the open one"
    forward = await sdk.futures_klines(symbol=BTC, interval=interval, startTime=newest[0][0], limit=2)
    assert [row[:5] for row in forward] == [row[:5] for row in newest[:2]]
    backward = await sdk.futures_klines(symbol=BTC, interval=interval, endTime=newest[2][0], limit=2)
    assert [row[0] for row in backward] == [row[0] for row in newest[1:3]]
    marks = await sdk.futures_mark_price_klines(symbol=BTC, interval=interval, endTime=newest[3][0], limit=2)
    assert [row[0] for row in marks] == [row[0] for row in newest[2:]]


async def test_python_binance_klines_outside_the_listing_are_empty(sdk: Any) -> None:
    assert await sdk.futures_klines(symbol=BTC, interval="1m", startTime=1, endTime=2) == []
    start = 1_700_000_030_000
    rows = await sdk.futures_klines(symbol=BTC, interval="1m", startTime=start, limit=1500)
    assert (len(rows), rows[0][0]) == (1500, 1_700_000_040_000)


async def test_python_binance_trades(venue: Served, sdk: Any) -> None:
    order = {"symbol": BTC, "side": "BUY", "quantity": "0.010"}
    filled = await sdk.futures_create_order(**order, type="MARKET", newOrderRespType="RESULT", newClientOrderId="my-1")
    assert filled["status"] == "FILLED"
    resting = await sdk.futures_create_order(**order, type="LIMIT", price=venue.price("0.96"), timeInForce="GTX")
    assert resting["status"] == "NEW"
    assert (await sdk.futures_get_order(symbol=BTC, origClientOrderId="my-1"))["orderId"] == filled["orderId"]
    assert [each["orderId"] for each in await sdk.futures_get_open_orders()] == [resting["orderId"]]
    assert (await sdk.futures_cancel_order(symbol=BTC, orderId=resting["orderId"]))["status"] == "CANCELED"

    (position,) = await sdk.futures_position_information()
    assert position["positionAmt"] == "0.010"
    assert (await sdk.futures_account_balance())[0]["asset"] == "USDT"
    assert len((await sdk.futures_account())["positions"]) == 12
    assert len((await sdk.futures_account(version=3))["positions"]) == 1
    assert len(await sdk.futures_account_trades(symbol=BTC)) >= 1
    assert len(await sdk.futures_get_all_orders(symbol=BTC)) == 2
    closed = await sdk.futures_create_order(**order | {"side": "SELL"}, type="MARKET", reduceOnly=True, newOrderRespType="RESULT")
    assert closed["status"] == "FILLED"


async def test_python_binance_batches_are_signed_as_they_are_sent(sdk: Any) -> None:
    order = {"symbol": "LTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "60.00", "timeInForce": "GTC"}
    first, second = await sdk.futures_place_batch_order(batchOrders=[dict(order), order | {"price": "60.001"}])
    assert (first["status"], second["code"]) == ("NEW", -1111)
    (canceled,) = await sdk.futures_cancel_orders(symbol="LTCUSDT", orderidlist=[first["orderId"]])
    assert canceled["status"] == "CANCELED"


async def test_python_binance_amends_orders(venue: Served, sdk: Any) -> None:
    order = {"symbol": BTC, "side": "BUY", "quantity": "0.010", "price": venue.price("0.96")}
    placed = await sdk.futures_create_order(**order, type="LIMIT", timeInForce="GTC")
    amended = await sdk.futures_modify_order(**order | {"quantity": "0.020"}, orderId=placed["orderId"])
    assert (amended["orderId"], amended["origQty"], amended["status"]) == (placed["orderId"], "0.020", "NEW")
    (change,) = await sdk.futures_v1_get_order_amendment(symbol=BTC, orderId=placed["orderId"])
    assert change["amendment"]["origQty"] == {"before": "0.010", "after": "0.020"}


async def test_python_binance_reads_statistics(sdk: Any) -> None:
    assert float((await sdk.futures_open_interest(symbol=BTC))["openInterest"]) > 0
    assert len(await sdk.futures_open_interest_hist(symbol=BTC, period="1h", limit=3)) == 3
    assert len(await sdk.futures_taker_longshort_ratio(symbol=BTC, period="1h", limit=3)) == 3
    assert len(await sdk.futures_index_price_klines(pair=BTC, interval="1h", limit=3)) == 3
    assert await sdk.futures_historical_trades(symbol=BTC, limit=100)


async def test_python_binance_sets_and_reads_settings(sdk: Any) -> None:
    assert (await sdk.futures_change_leverage(symbol=BTC, leverage=20))["leverage"] == 20
    assert (await sdk.futures_get_position_mode()) == {"dualSidePosition": False}
    assert (await sdk.futures_get_multi_assets_mode()) == {"multiAssetsMargin": False}
    assert (await sdk.futures_leverage_bracket(symbol=BTC))[0]["symbol"] == BTC
    assert (await sdk.futures_commission_rate(symbol=BTC))["takerCommissionRate"] == "0.0005"
    assert len(await sdk.futures_stream_get_listen_key()) == 64
    with pytest.raises(BinanceAPIException) as refused:
        await sdk.futures_change_position_mode(dualSidePosition="false")
    assert refused.value.code == -4059


async def test_python_binance_trades_both_legs_and_isolated(sdk: Any) -> None:
    assert (await sdk.futures_change_position_mode(dualSidePosition="true"))["code"] == 200
    assert (await sdk.futures_change_margin_type(symbol=BTC, marginType="ISOLATED"))["msg"] == "success"
    order = {"symbol": BTC, "type": "MARKET", "quantity": "0.010"}
    await sdk.futures_create_order(**order, side="BUY", positionSide="LONG")
    await sdk.futures_create_order(**order, side="SELL", positionSide="SHORT")
    assert (await sdk.futures_change_position_margin(symbol=BTC, positionSide="LONG", amount="5", type=1))["amount"] == 5
    assert (await sdk.futures_position_margin_history(symbol=BTC))[-1]["amount"] == "5.00000000"
    assert [row["positionSide"] for row in await sdk.futures_position_information()] == ["LONG", "SHORT"]
    assert len((await sdk.futures_account())["positions"]) == 24
    assert {row["incomeType"] for row in await sdk.futures_income_history()} == {"TRANSFER", "COMMISSION"}
    with pytest.raises(BinanceAPIException) as refused:
        await sdk.futures_create_order(**order, side="SELL", positionSide="LONG", reduceOnly="true")
    assert refused.value.code == -1106


async def test_python_binance_conditional_orders_are_refused(sdk: Any) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        await sdk.futures_create_order(symbol=BTC, side="SELL", type="STOP_MARKET", quantity="0.010", triggerPrice="40000")
    assert refused.value.code == -1116
    assert await sdk.futures_get_open_orders(conditional=True) == []
    assert (await sdk.futures_cancel_all_open_orders(symbol=BTC, conditional=True))["code"] == 200


async def test_ccxt_loads_markets_and_reads(unified: Any) -> None:
    markets = await unified.load_markets()
    assert len(markets) == 12
    bitcoin = markets[UNIFIED_BTC]
    assert (bitcoin["precision"]["price"], bitcoin["precision"]["amount"], bitcoin["limits"]["cost"]["min"]) == (0.1, 0.001, 100.0)
    assert (bitcoin["swap"], bitcoin["linear"], bitcoin["active"]) == (True, True, True)
    assert len(await unified.fetch_ohlcv(UNIFIED_BTC, "1h", limit=5)) == 5
    assert (await unified.fetch_ticker(UNIFIED_BTC))["last"] > 0
    assert len(await unified.fetch_tickers()) == len(await unified.fetch_bids_asks()) == 12
    assert len((await unified.fetch_order_book(UNIFIED_BTC, 5))["bids"]) == 5
    assert await unified.fetch_trades(UNIFIED_BTC, limit=1000)
    assert (await unified.fetch_funding_rate(UNIFIED_BTC))["markPrice"] > 0
    assert len(await unified.fetch_funding_rate_history(UNIFIED_BTC, limit=3)) == 3
    assert (await unified.fetch_status())["status"] == "ok"


async def test_ccxt_trades(venue: Served, unified: Any) -> None:
    await unified.load_markets()
    bought = await unified.create_order(UNIFIED_BTC, "market", "buy", 0.01)
    assert (bought["status"], bought["filled"]) == ("closed", 0.01)
    resting = await unified.create_order(UNIFIED_BTC, "limit", "buy", 0.01, float(venue.price("0.96")), {"postOnly": True})
    assert (resting["status"], resting["postOnly"]) == ("open", True)
    assert [order["id"] for order in await unified.fetch_open_orders(UNIFIED_BTC)] == [resting["id"]]
    assert (await unified.fetch_order(bought["id"], UNIFIED_BTC))["average"] == bought["average"]
    assert (await unified.cancel_order(resting["id"], UNIFIED_BTC))["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        await unified.cancel_order(resting["id"], UNIFIED_BTC)

    (position,) = await unified.fetch_positions()
    assert (position["symbol"], position["side"], position["contracts"]) == (UNIFIED_BTC, "long", 0.01)
    assert (await unified.fetch_balance())["USDT"]["total"] < 100_000
    assert len(await unified.fetch_my_trades(UNIFIED_BTC)) >= 1
    assert len(await unified.fetch_orders(UNIFIED_BTC)) == 2
    sold = await unified.create_order(UNIFIED_BTC, "market", "sell", 0.01, None, {"reduceOnly": True})
    assert (sold["status"], sold["reduceOnly"]) == ("closed", True)
    assert await unified.fetch_positions() == []


async def test_ccxt_edits_orders_and_reads_statistics(venue: Served, unified: Any) -> None:
    await unified.load_markets()
    placed = await unified.create_order(UNIFIED_BTC, "limit", "buy", 0.01, float(venue.price("0.96")))
    edited = await unified.edit_order(placed["id"], UNIFIED_BTC, "limit", "buy", 0.02, float(venue.price("0.95")))
    assert (edited["id"], edited["amount"], edited["status"]) == (placed["id"], 0.02, "open")
    assert (await unified.fetch_open_interest(UNIFIED_BTC))["openInterestAmount"] > 0
    assert len(await unified.fetch_open_interest_history(UNIFIED_BTC, "1h", limit=3)) == 3
    assert len(await unified.fetch_index_ohlcv(UNIFIED_BTC, "1h", limit=3)) == 3
    assert await unified.fetch_my_liquidations(UNIFIED_BTC) == []


async def test_ccxt_batches_and_settings(unified: Any) -> None:
    await unified.load_markets()
    litecoin = {"symbol": "LTC/USDT:USDT", "type": "limit", "side": "buy", "amount": 1, "price": 60}
    placed = await unified.create_orders([litecoin, litecoin])
    canceled = await unified.cancel_orders([order["id"] for order in placed], "LTC/USDT:USDT")
    assert [order["status"] for order in canceled] == ["canceled", "canceled"]
    assert (await unified.set_leverage(5, UNIFIED_BTC))["leverage"] == 5
    assert (await unified.fetch_leverages())[UNIFIED_BTC]["longLeverage"] == 5
    assert (await unified.fetch_position_mode())["hedged"] is False
    assert (await unified.set_margin_mode("cross", UNIFIED_BTC))["code"] == -4046
    assert (await unified.fetch_leverage_tiers())[UNIFIED_BTC][0]["maxLeverage"] == 125
    assert (await unified.fetch_trading_fee(UNIFIED_BTC))["taker"] == 0.0005
    # ccxt knows this venue's own codes by the live host's name only; elsewhere it quotes them
    with pytest.raises(ccxt.ExchangeError, match="-2019"):
        await unified.create_order(UNIFIED_BTC, "market", "buy", 100)


async def test_ccxt_trades_both_legs_and_isolated(unified: Any) -> None:
    await unified.load_markets()
    await unified.set_position_mode(True)
    await unified.set_margin_mode("isolated", UNIFIED_BTC)
    for side in ("buy", "sell"):
        await unified.create_order(UNIFIED_BTC, "market", side, 0.01, None, {"hedged": True})
    await unified.add_margin(UNIFIED_BTC, 5, {"positionSide": "SHORT"})

    long, short = await unified.fetch_positions()
    assert [(row["side"], row["hedged"], row["marginMode"]) for row in (long, short)] == [
        ("long", True, "isolated"),
        ("short", True, "isolated"),
    ]
    assert long["liquidationPrice"] < long["markPrice"] < short["liquidationPrice"]
    assert short["collateral"] > long["collateral"] > 0
    assert (await unified.fetch_leverages())[UNIFIED_BTC]["marginMode"] == "isolated"
    (added,) = [row for row in await unified.fetch_margin_adjustment_history(UNIFIED_BTC) if row["amount"] == 5]
    assert added["type"] == "add"
    assert {row["info"]["positionSide"] for row in await unified.fetch_my_trades(UNIFIED_BTC)} == {"LONG", "SHORT"}
    closed = await unified.create_order(UNIFIED_BTC, "market", "sell", 0.01, None, {"hedged": True, "reduceOnly": True})
    assert closed["info"]["positionSide"] == "LONG"
    assert [row["side"] for row in await unified.fetch_positions()] == ["short"]


async def test_ccxt_with_a_wrong_secret_is_refused(unified: Any) -> None:
    unified.secret = "sandbox-ccxt"
    with pytest.raises(ccxt.AuthenticationError):
        await unified.fetch_balance()
