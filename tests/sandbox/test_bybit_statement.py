"""The transaction log, executions and closed PnL of the Bybit dialect where time brings funding and liquidations: shapes and sums."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.bybit_venue import (
    BTC,
    LIMIT_BUY,
    LONG,
    MARKET_BUY,
    SHORT,
    Client,
    hedged,
    isolated,
    positions_of,
    price_of,
    serving,
    usdt_of,
)
from tests.sandbox.exchange import HOUR_MS, NOW_MS, Clock
from tests.sandbox.test_bybit_shapes import FIXTURES, compared

FUNDING_MS = (NOW_MS // (8 * HOUR_MS) + 1) * 8 * HOUR_MS  # the next one of the symbols of 8 h, and of those of 4 h
CLOCK = Clock()
ADA_BUY = {**MARKET_BUY, "symbol": "ADAUSDT", "qty": "1000"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(CLOCK) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    """An account of its own, at the same hour for every test."""
    CLOCK.ms = NOW_MS
    yield Client(url, uuid4().hex)
    CLOCK.ms = NOW_MS


def log_of(client: Client, query: str = "") -> list[Any]:
    """The log of the days around, oldest first."""
    window = f"category=linear&startTime={NOW_MS - HOUR_MS}&endTime={NOW_MS + 6 * 24 * HOUR_MS}&limit=50"
    return client.rows("/v5/account/transaction-log", f"{window}{query}")[::-1]


def executions_of(client: Client, query: str = "") -> list[Any]:
    return client.rows("/v5/execution/list", f"category=linear&limit=100{query}")


def check_log(client: Client) -> list[Any]:
    """What must hold of a whole log."""
    rows, balance = log_of(client), Decimal(0)
    for row in rows:
        flow, funding, fee = (Decimal(row[name] or 0) for name in ("cashFlow", "funding", "fee"))
        assert Decimal(row["change"]) == flow + funding - fee
        balance += Decimal(row["change"])
        assert Decimal(row["cashBalance"]) == balance
    assert balance == usdt_of(client)["walletBalance"]
    assert usdt_of(client)["cumRealisedPnl"] == balance - 100_000
    return rows


def test_funding_is_in_the_log_and_among_the_executions(client: Client) -> None:
    hedged(client).order(**MARKET_BUY, **LONG)
    client.order(**{**MARKET_BUY, "side": "Sell", "qty": "0.03"}, **SHORT)
    CLOCK.ms = FUNDING_MS + 1_000
    settled = [row for row in check_log(client) if row["type"] == "SETTLEMENT"]
    (market,) = client.rows("/v5/market/funding/history", "category=linear&symbol=BTCUSDT&limit=1")
    rate = Decimal(market["fundingRate"])

    assert {row["transactionTime"] for row in settled} == {market["fundingRateTimestamp"]} == {str(FUNDING_MS)}
    assert [(row["side"], row["qty"], row["size"]) for row in settled] == [("Buy", "0.01", "0.01"), ("Sell", "0.03", "-0.03")]
    assert [Decimal(row["feeRate"]) for row in settled] == [rate, -rate]
    for row in settled:
        value = Decimal(row["qty"]) * Decimal(row["tradePrice"])
        assert abs(Decimal(row["funding"]) + value * Decimal(row["feeRate"])) < Decimal("0.01")
    executed = executions_of(client, "&execType=Funding")[::-1]
    assert [(row["execId"], row["orderId"]) for row in executed] == [(row["tradeId"], row["orderId"]) for row in settled]
    assert [Decimal(row["execFee"]) for row in executed] == [-Decimal(row["funding"]) for row in settled]
    assert {(row["orderType"], row["closedSize"], row["orderQty"]) for row in executed} == {("UNKNOWN", "0", "0")}


def test_positions_count_the_funding_they_paid(client: Client) -> None:
    client.order(**MARKET_BUY)
    before = positions_of(client)[0]
    CLOCK.ms = FUNDING_MS + 1_000
    after, paid = positions_of(client)[0], Decimal(log_of(client, "&type=SETTLEMENT")[0]["funding"])

    assert paid != 0
    assert Decimal(after["curRealisedPnl"]) == Decimal(before["curRealisedPnl"]) + paid
    assert Decimal(after["cumRealisedPnl"]) == Decimal(before["cumRealisedPnl"]) + paid
    moved = Decimal(before["breakEvenPrice"]) - Decimal(after["breakEvenPrice"])
    assert moved * paid > 0


def test_one_symbol_is_funded_every_four_hours_and_says_so(client: Client) -> None:
    client.order(**ADA_BUY)
    client.order(**MARKET_BUY)
    CLOCK.ms = FUNDING_MS + 4 * HOUR_MS + 1_000
    instruments = client.rows("/v5/market/instruments-info", "category=linear")
    hours = {row["symbol"]: row["fundingInterval"] // 60 for row in instruments if row["symbol"] in ("ADAUSDT", "BTCUSDT")}
    times = {symbol: [int(row["transactionTime"]) for row in log_of(client, f"&type=SETTLEMENT&baseCoin={symbol[:3]}")] for symbol in hours}

    assert hours == {"ADAUSDT": 4, "BTCUSDT": 8}
    assert times["BTCUSDT"] == [FUNDING_MS]
    assert times["ADAUSDT"][-2:] == [FUNDING_MS, FUNDING_MS + 4 * HOUR_MS]
    history = client.rows("/v5/market/funding/history", "category=linear&symbol=ADAUSDT&limit=3")
    assert [int(row["fundingRateTimestamp"]) for row in history] == [FUNDING_MS + hour * HOUR_MS for hour in (4, 0, -4)]
    check_log(client)


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="recorded answers are not here")
def test_funding_among_the_executions_has_the_fields_of_a_recorded_one(client: Client) -> None:
    client.order(**MARKET_BUY)
    CLOCK.ms = FUNDING_MS + 1_000
    recorded = json.loads((FIXTURES / "fills__ccxt-funding-row.json").read_text())["payload"]
    answer = client.get("/v5/execution/list", "category=linear&limit=1").json()

    assert compared(recorded, answer) == ["result.list.0.nextPageCursor"]  # an old wire's field
    assert answer["result"]["list"][0]["execType"] == recorded["result"]["list"][0]["execType"]


def liquidated(client: Client) -> dict[str, Any]:
    """Two legs at the highest leverage, whose margin a day's prices use up, and the first order that the venue made."""
    hedged(isolated(client))
    client.post("/v5/position/set-leverage", {**BTC, "buyLeverage": "100", "sellLeverage": "100"})
    client.order(**{**MARKET_BUY, "qty": "0.5"}, **LONG)
    client.order(**{**MARKET_BUY, "qty": "0.5", "side": "Sell"}, **SHORT)
    for side, leg, share in (("Buy", LONG, "0.951"), ("Sell", SHORT, "1.3")):
        client.order(**{**LIMIT_BUY, "side": side}, price=price_of(client, share), **leg)
    CLOCK.ms = NOW_MS + 24 * HOUR_MS
    orders = client.rows("/v5/order/history", f"category=linear&startTime={NOW_MS}")
    return dict(next(row for row in orders[::-1] if row["createType"] == "CreateByLiq"))


def test_a_liquidation_is_an_order_of_the_venue(client: Client) -> None:
    order = liquidated(client)
    orders = client.rows("/v5/order/history", f"category=linear&startTime={NOW_MS}")
    ended = [row for row in orders if row["cancelType"] == "CancelByPrepareLiq"]
    (execution,) = executions_of(client, f"&orderId={order['orderId']}")
    (closed,) = [row for row in client.rows("/v5/position/closed-pnl", "category=linear") if row["orderId"] == order["orderId"]]

    assert (order["orderType"], order["orderStatus"], order["orderLinkId"]) == ("Market", "Filled", "")
    assert order["positionIdx"] == {"Sell": 1, "Buy": 2}[order["side"]]
    assert order["positionIdx"] in {row["positionIdx"] for row in ended}
    assert {row["orderStatus"] for row in ended} == {"Cancelled"}
    assert (execution["execType"], execution["createType"]) == ("BustTrade", "CreateByLiq")
    assert (execution["execQty"], execution["closedSize"]) == (order["qty"], order["qty"])
    assert (closed["execType"], closed["leverage"]) == ("BustTrade", "100")
    assert Decimal(execution["execFee"]) == Decimal(order["cumExecFee"]) == Decimal(closed["closeFee"])
    busts = executions_of(client, "&execType=BustTrade")
    assert order["orderId"] in {row["orderId"] for row in busts}
    assert {row["createType"] for row in executions_of(client, "&execType=Trade")} == {"CreateByUser"}


def test_the_log_of_a_liquidated_account_adds_up(client: Client) -> None:
    order = liquidated(client)

    rows = check_log(client)

    (loss,) = [row for row in rows if row["orderId"] == order["orderId"] and row["type"] == "LIQUIDATION" and row["tradeId"]]
    assert Decimal(loss["cashFlow"]) < 0 < Decimal(loss["fee"]) == Decimal(order["cumExecFee"])
    assert (loss["side"], loss["size"]) == (order["side"], "0")
    spent = Decimal(loss["change"]) + sum(
        Decimal(row["change"]) for row in rows if row["orderId"] == order["orderId"] and not row["tradeId"]
    )
    opened = [row for row in executions_of(client) if row["execType"] == "Trade" and row["side"] != order["side"]]
    margin = sum((Decimal(row["execValue"]) for row in opened), Decimal(0)) / 100
    assert 0 < -spent <= margin + Decimal("0.000001")  # no more than its own margin


def test_what_the_venue_puts_in_is_a_line_of_its_own() -> None:
    CLOCK.ms = NOW_MS
    with serving(CLOCK) as address:
        client = isolated(Client(address, "insured"))
        client.order(**MARKET_BUY)
        paid = Decimal(positions_of(client)[0]["positionIM"]) - log_change(client)
        assert client.refusal("/shocked", {"ratio": "0.8"}) == (0, "OK")
        CLOCK.ms = NOW_MS + 2_000

        lost, insured = check_log(client)[-2:]

        assert positions_of(client, "settleCoin=USDT") == []
        assert (lost["type"], lost["side"], insured["type"], insured["side"]) == ("LIQUIDATION", "Sell", "LIQUIDATION", "None")
        assert Decimal(lost["change"]) < 0 < Decimal(insured["cashFlow"]) == Decimal(insured["change"])
        assert (insured["orderId"], insured["tradeId"], insured["fee"]) == (lost["orderId"], "", "0")
        assert usdt_of(client)["walletBalance"] == 100_000 - paid  # the fee to open it and its own margin


def log_change(client: Client) -> Decimal:
    """What trading changed until now."""
    return sum((Decimal(row["change"]) for row in log_of(client, "&type=TRADE")), Decimal(0))


def test_the_log_is_filtered_and_paged(client: Client) -> None:
    client.order(**MARKET_BUY)
    client.order(**ADA_BUY)
    CLOCK.ms = FUNDING_MS + 1_000

    path = "/v5/account/transaction-log"
    assert [row["type"] for row in log_of(client, "&type=TRANSFER_IN")] == ["TRANSFER_IN"]
    assert {row["type"] for row in client.rows(path, f"startTime={FUNDING_MS}")} == {"SETTLEMENT"}
    assert all(int(row["transactionTime"]) < FUNDING_MS for row in client.rows(path, f"endTime={FUNDING_MS - 1}"))
    assert client.get(path, f"startTime=0&endTime={FUNDING_MS}").json()["retCode"] == 10001
    assert {row["symbol"] for row in log_of(client, "&type=TRADE&baseCoin=ADA")} == {"ADAUSDT"}
    assert {row["symbol"] for row in executions_of(client, "&symbol=ADAUSDT")} == {"ADAUSDT"}
    assert [row["execType"] for row in executions_of(client, "&symbol=ADAUSDT")][-1] == "Trade"
    assert log_of(client, "&type=INTEREST") == log_of(client, "&transSubType=movePosition") == log_of(client, "&currency=BTC") == []
    assert executions_of(client, "&execType=AdlTrade") == []
    assert client.get("/v5/execution/list", "category=linear&execType=Rebate").json()["retCode"] == 10001
    found, cursor = list[str](), ""
    while True:
        query = f"startTime={NOW_MS - HOUR_MS}&endTime={FUNDING_MS + HOUR_MS}&limit=2&cursor={cursor}"
        answer = client.get(path, query).json()["result"]
        found += [row["id"] for row in answer["list"]]
        if not (cursor := answer["nextPageCursor"]):
            break
    assert found == [row["id"] for row in log_of(client)][::-1]
