"""Client libraries that were written for the venue itself, pointed at the sandbox by their URL and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt
import pytest
from okx.Account import AccountAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI

from tests.sandbox.okx_venue import BTC, PEPE, Venue, serve_okx

# python-okx 0.4.4 asks datetime for a naive UTC now and posts its body by httpx's deprecated parameter.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx() as served:
        yield served


@pytest.fixture
async def exchange(venue: Venue) -> AsyncIterator[Any]:
    client = ccxt.okx(
        {"apiKey": "sandbox-ccxt", "secret": "sandbox-ccxt-secret", "password": "sandbox-ccxt-passphrase", "enableRateLimit": False}
    )
    client.urls["api"]["rest"] = venue.base
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


class Sdk:
    """python-okx as shipped: synchronous, so its calls run in a thread while the venue answers on the loop."""

    def __init__(self, base: str, name: str) -> None:
        key = f"sandbox-{name}"
        arguments: dict[str, Any] = {"flag": "0", "domain": base}
        signed = (key, f"{key}-secret", f"{key}-passphrase")
        self.trade = TradeAPI(*signed, **arguments)
        self.account = AccountAPI(*signed, **arguments)
        self.market = MarketAPI(**arguments)
        self.public = PublicAPI(**arguments)

    async def ask(self, method: Callable[..., Any], *args: object, **fields: object) -> list[Any]:
        """The rows of the answer; the test fails unless the call and each of its items succeeded."""
        answer = await asyncio.to_thread(method, *args, **fields)
        assert answer["code"] == "0", answer
        assert all(row.get("sCode", "0") == "0" for row in answer["data"] if isinstance(row, dict)), answer
        return list(answer["data"])

    def close(self) -> None:
        for api in (self.trade, self.account, self.market, self.public):
            api.close()


@pytest.fixture
async def sdk(venue: Venue) -> AsyncIterator[Sdk]:
    made = await asyncio.to_thread(Sdk, venue.base, "sdk")
    yield made
    made.close()


async def test_the_sdk_reads_the_market(sdk: Sdk) -> None:
    instruments = await sdk.ask(sdk.public.get_instruments, "SWAP")
    assert len(instruments) == 12
    assert {"ctVal": "0.01", "lotSz": "0.01", "tickSz": "0.1", "settleCcy": "USDT"}.items() <= next(
        row for row in instruments if row["instId"] == BTC
    ).items()
    assert next(row for row in instruments if row["instId"] == PEPE)["ctVal"] == "10000000"
    assert await sdk.ask(sdk.public.get_instruments, "SPOT") == []
    assert (await sdk.ask(sdk.public.get_system_time))[0]["ts"].isdigit()
    assert len(await sdk.ask(sdk.public.get_mark_price, "SWAP", instId=BTC)) == 1
    assert (await sdk.ask(sdk.public.get_funding_rate, BTC))[0]["instId"] == BTC
    assert len(await sdk.ask(sdk.public.funding_rate_history, BTC, limit="3")) == 3
    tiers = await sdk.ask(sdk.public.get_position_tiers, "SWAP", "cross", uly="BTC-USDT")
    assert [row["tier"] for row in tiers] == [str(number) for number in range(1, len(tiers) + 1)]
    assert await sdk.ask(sdk.public.get_underlying, "SWAP")
    assert await sdk.ask(sdk.public.get_open_interest, "SWAP", instId=BTC)
    assert await sdk.ask(sdk.public.get_price_limit, BTC)
    assert len(await sdk.ask(sdk.market.get_tickers, "SWAP")) == 12
    assert await sdk.ask(sdk.market.get_index_tickers, instId="BTC-USDT")
    assert len((await sdk.ask(sdk.market.get_orderbook, BTC, sz="20"))[0]["bids"]) == 20
    assert len(await sdk.ask(sdk.market.get_candlesticks, BTC, bar="1H", limit="24")) == 24
    assert len(await sdk.ask(sdk.market.get_history_candlesticks, BTC, bar="1D")) == 100
    assert len(await sdk.ask(sdk.market.get_mark_price_candlesticks, BTC, bar="1m", limit="5")) == 5
    assert len(await sdk.ask(sdk.market.get_index_candlesticks, "BTC-USDT", bar="1m", limit="5")) == 5
    assert await sdk.ask(sdk.market.get_trades, BTC)


async def test_the_sdk_trades_from_flat_to_flat(sdk: Sdk) -> None:
    bought = await sdk.ask(sdk.trade.place_order, BTC, "cross", "buy", "market", "2", clOrdId="first1")
    assert bought[0]["ordId"].isdigit()
    assert len(bought[0]["ordId"]) == 19
    order = (await sdk.ask(sdk.trade.get_order, BTC, clOrdId="first1"))[0]
    assert (order["state"], order["accFillSz"], order["ordId"]) == ("filled", "2", bought[0]["ordId"])
    assert Decimal(order["fee"]) < 0
    fills = await sdk.ask(sdk.trade.get_fills, instType="SWAP")
    assert sum(Decimal(fill["fillSz"]) for fill in fills) == 2
    position = (await sdk.ask(sdk.account.get_positions, "SWAP"))[0]
    assert (position["pos"], position["posSide"], position["mgnMode"]) == ("2", "net", "cross")
    assert position["avgPx"] == order["avgPx"]

    away = str(round(Decimal((await sdk.ask(sdk.market.get_ticker, BTC))[0]["last"]) * Decimal("0.97")))
    resting = (await sdk.ask(sdk.trade.place_order, BTC, "cross", "buy", "limit", "1", px=away, posSide="net"))[0]
    assert [row["ordId"] for row in await sdk.ask(sdk.trade.get_order_list, instType="SWAP")] == [resting["ordId"]]
    await sdk.ask(sdk.trade.cancel_order, BTC, ordId=resting["ordId"])
    assert await sdk.ask(sdk.trade.get_order_list) == []
    assert await sdk.ask(sdk.trade.order_algos_list, ordType="conditional,oco") == []

    closed = await sdk.ask(sdk.trade.close_positions, BTC, "cross", posSide="net", autoCxl="true", clOrdId="close1")
    assert closed == [{"clOrdId": "close1", "instId": BTC, "posSide": "net", "tag": ""}]
    assert await sdk.ask(sdk.account.get_positions) == []
    history = await sdk.ask(sdk.trade.get_orders_history, "SWAP")
    assert [row["state"] for row in history] == ["filled", "canceled", "filled"]


async def test_the_sdk_amends_orders(sdk: Sdk) -> None:
    away = round(Decimal((await sdk.ask(sdk.market.get_ticker, BTC))[0]["last"]) * Decimal("0.97"))
    placed = (await sdk.ask(sdk.trade.place_order, BTC, "cross", "buy", "limit", "1", px=str(away), clOrdId="moved1"))[0]
    amended = (await sdk.ask(sdk.trade.amend_order, BTC, ordId=placed["ordId"], newSz="2", newPx=str(away - 100)))[0]
    assert amended["ordId"] == placed["ordId"]
    await sdk.ask(sdk.trade.amend_multiple_orders, [{"instId": BTC, "clOrdId": "moved1", "newSz": "3"}])
    order = (await sdk.ask(sdk.trade.get_order, BTC, clOrdId="moved1"))[0]
    assert (order["sz"], order["px"], order["state"]) == ("3", str(away - 100), "live")


async def test_the_sdk_reads_and_sets_the_account(sdk: Sdk) -> None:
    config = (await sdk.ask(sdk.account.get_account_config))[0]
    assert (config["acctLv"], config["posMode"], config["perm"]) == ("2", "net_mode", "read_only,trade")
    assert (await sdk.ask(sdk.account.get_account_balance))[0]["totalEq"] == "100000"
    assert (await sdk.ask(sdk.account.set_leverage, "7", "cross", instId=BTC))[0]["lever"] == "7"
    assert (await sdk.ask(sdk.account.get_leverage, "cross", instId=BTC))[0]["lever"] == "7"
    assert await sdk.ask(sdk.account.set_position_mode, "net_mode") == [{"posMode": "net_mode"}]
    assert (await sdk.ask(sdk.trade.place_order, BTC, "isolated", "buy", "market", "2"))[0]["ordId"]
    margin = (await sdk.ask(sdk.account.adjustment_margin, BTC, "net", "add", "10"))[0]
    assert (margin["amt"], margin["ccy"], margin["posSide"]) == ("10", "USDT", "net")
    assert Decimal((await sdk.ask(sdk.account.get_fee_rates, "SWAP", instFamily="BTC-USDT"))[0]["takerU"]) < 0
    assert Decimal((await sdk.ask(sdk.account.get_max_order_size, BTC, "cross"))[0]["maxBuy"]) > 0
    assert [bill["type"] for bill in await sdk.ask(sdk.account.get_account_bills)][::-1] == ["1", "2", "6"]


async def test_the_demo_account_starts_with_positions_and_resting_orders(venue: Venue) -> None:
    demo = await asyncio.to_thread(Sdk, venue.base, "demo")
    try:
        assert await demo.ask(demo.account.get_positions)
        assert await demo.ask(demo.trade.get_order_list, instType="SWAP")
    finally:
        demo.close()


async def test_ccxt_loads_the_markets(exchange: Any) -> None:
    market = exchange.market("BTC/USDT:USDT")
    assert (market["id"], market["contractSize"], market["linear"], market["active"]) == (BTC, 0.01, True, True)
    assert len(exchange.markets) == 12
    assert "USDT" in exchange.currencies
    assert await exchange.fetch_time()


async def test_ccxt_reads_the_market(exchange: Any) -> None:
    symbol = "PEPE/USDT:USDT"
    book = await exchange.fetch_order_book(symbol, 10)
    ticker = await exchange.fetch_ticker(symbol)
    # The market may move between two requests, never within one.
    assert book["bids"][0][0] < book["asks"][0][0]
    assert ticker["bid"] <= ticker["last"] <= ticker["ask"]
    assert len(await exchange.fetch_tickers([symbol, "BTC/USDT:USDT"])) == 2
    assert (await exchange.fetch_funding_rate(symbol))["fundingRate"] is not None
    assert len(await exchange.fetch_funding_rate_history(symbol, limit=5)) == 5
    assert await exchange.fetch_trades(symbol)
    assert (await exchange.fetch_mark_price(symbol))["markPrice"] > 0
    assert await exchange.fetch_open_interest(symbol)
    assert await exchange.fetch_market_leverage_tiers(symbol)


@pytest.mark.parametrize("timeframe", ["1m", "4h", "6h", "1d", "1w", "1M", "3M"])
async def test_ccxt_reads_candles(exchange: Any, timeframe: str) -> None:
    now = await exchange.fetch_time()
    since = now - 20 * exchange.parse_timeframe(timeframe) * 1000
    recent = await exchange.fetch_ohlcv("BTC/USDT:USDT", timeframe, limit=10)
    ranged = await exchange.fetch_ohlcv("BTC/USDT:USDT", timeframe, since=since, limit=10)
    assert len(recent) == 10
    assert since <= ranged[0][0] < ranged[-1][0] < recent[-1][0]
    for opened, first, high, low, last, _ in recent:
        assert opened <= now
        assert low <= min(first, last) <= max(first, last) <= high


async def test_ccxt_trades_from_flat_to_flat(exchange: Any) -> None:
    symbol = "ETH/USDT:USDT"
    await exchange.set_leverage(5, symbol, {"mgnMode": "cross"})
    placed = await exchange.create_order(symbol, "market", "sell", 3)
    order = await exchange.fetch_order(placed["id"], symbol)
    assert (order["status"], order["filled"]) == ("closed", 3)
    assert order["fee"]["cost"] > 0
    (position,) = await exchange.fetch_positions([symbol])
    assert (position["side"], position["contracts"], position["leverage"], position["marginMode"]) == ("short", 3, 5, "cross")
    assert (await exchange.fetch_my_trades(symbol))[0]["order"] == placed["id"]
    price = (await exchange.fetch_ticker(symbol))["last"]
    resting = await exchange.create_order(symbol, "limit", "buy", 1, price * 0.97, {"reduceOnly": True})
    assert [each["id"] for each in await exchange.fetch_open_orders(symbol)] == [resting["id"]]
    await exchange.cancel_order(resting["id"], symbol)
    assert [each["id"] for each in await exchange.fetch_canceled_orders(symbol)] == [resting["id"]]
    await exchange.create_order(symbol, "market", "buy", 3, None, {"reduceOnly": True})
    assert await exchange.fetch_positions([symbol]) == []
    balance = await exchange.fetch_balance()
    assert 99_000 < balance["USDT"]["total"] < 100_000
    assert balance["USDT"]["free"] == balance["USDT"]["total"]


async def test_ccxt_trades_isolated_legs(exchange: Any) -> None:
    symbol, isolated = "ETH/USDT:USDT", {"marginMode": "isolated"}
    await exchange.set_position_mode(True)
    assert (await exchange.fetch_position_mode(symbol))["hedged"] is True
    await exchange.set_leverage(4, symbol, isolated | {"posSide": "long"})
    assert (await exchange.fetch_leverage(symbol, isolated))["longLeverage"] == 4
    for leg, side in (("long", "buy"), ("short", "sell")):
        await exchange.create_order(symbol, "market", side, 2, None, isolated | {"posSide": leg})
    before = {each["side"]: each for each in await exchange.fetch_positions([symbol])}
    assert {side: (each["leverage"], each["marginMode"], each["hedged"]) for side, each in before.items()} == {
        "long": (4, "isolated", True),
        "short": (10, "isolated", True),
    }
    assert before["long"]["liquidationPrice"] < before["long"]["entryPrice"] < before["short"]["liquidationPrice"]
    added = await exchange.add_margin(symbol, 25, {"posSide": "short"})
    assert (added["amount"], added["type"], added["status"]) == (25, "add", "ok")
    (adjustment,) = await exchange.fetch_margin_adjustment_history(symbol, "add")
    assert (adjustment["amount"], adjustment["marginMode"]) == (25, "isolated")
    await exchange.close_position(symbol, "buy", isolated)
    (left,) = await exchange.fetch_positions([symbol])
    assert (left["side"], left["collateral"] > before["short"]["collateral"]) == ("short", True)
    assert {each["type"] for each in await exchange.fetch_ledger(params={"instType": "SWAP"})} == {"trade", "transfer"}
    tiers = await exchange.fetch_market_leverage_tiers(symbol)
    assert [tier["maxLeverage"] for tier in tiers] == sorted((tier["maxLeverage"] for tier in tiers), reverse=True)


async def test_ccxt_edits_orders_and_reads_deeper(exchange: Any) -> None:
    symbol = "ETH/USDT:USDT"
    price = (await exchange.fetch_ticker(symbol))["last"]
    placed = await exchange.create_order(symbol, "limit", "buy", 1, price * 0.97)
    edited = await exchange.edit_order(placed["id"], symbol, "limit", "buy", 2, price * 0.96)
    assert edited["id"] == placed["id"]
    assert (await exchange.fetch_order(placed["id"], symbol))["amount"] == 2
    for side in ("buy", "sell"):
        await exchange.create_order(symbol, "market", side, 1)
    (closed,) = await exchange.fetch_positions_history([symbol])
    assert (closed["symbol"], closed["info"]["direction"]) == (symbol, "long")
    assert len((await exchange.fetch_order_book(symbol, 500))["bids"]) == 500


async def test_ccxt_is_told_what_went_wrong(exchange: Any) -> None:
    symbol = "BTC/USDT:USDT"
    with pytest.raises(ccxt.InsufficientFunds):
        await exchange.create_order(symbol, "market", "buy", 12_000)
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.cancel_order("2900000000000099999", symbol)
    with pytest.raises(ccxt.OrderNotFound):
        await exchange.fetch_order("2900000000000099999", symbol)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="50113"):
        await exchange.fetch_balance()
