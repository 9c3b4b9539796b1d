"""Isolated positions of the Bybit dialect: what they, the wallet and the risk tiers say, and moving margin, over real HTTP."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

import pytest

from tests.sandbox.bybit_venue import (
    BTC,
    CLOSE_ALL,
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

ADD, AUTO = "/v5/position/add-margin", "/v5/position/set-auto-add-margin"
ACCOUNT_WIDE = (
    "accountIMRate",
    "accountMMRate",
    "totalMarginBalance",
    "totalInitialMargin",
    "totalMaintenanceMargin",
    "totalAvailableBalance",
)


CLOCK = Clock()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(CLOCK) as address:
        yield address


@pytest.fixture
def client(url: str) -> Client:
    """An account of its own, at the same hour for every test."""
    CLOCK.ms = NOW_MS
    return Client(url, uuid4().hex)


def transferable(client: Client) -> Decimal:
    answer = client.get("/v5/asset/transfer/query-account-coins-balance", "accountType=UNIFIED&coin=USDT").json()
    return Decimal(answer["result"]["balance"][0]["transferBalance"])


def added(client: Client, margin: str, **more: object) -> Decimal:
    """The initial margin after it."""
    answer = client.post(ADD, {**BTC, "margin": margin, **more}).json()
    assert answer["retCode"] == 0, answer
    return Decimal(answer["result"]["positionIM"])


def test_an_isolated_position_shows_its_wallet_and_a_cross_one_what_it_binds(client: Client) -> None:
    client.order(**MARKET_BUY)
    (cross,) = positions_of(client)
    client.order(**CLOSE_ALL, side="Sell")
    isolated(client).order(**MARKET_BUY)
    (alone,) = positions_of(client)

    assert cross["positionBalance"] == "0"
    assert Decimal(cross["positionIM"]) == Decimal("0.01") * Decimal(cross["markPrice"]) / 10
    assert alone["positionIM"] == alone["positionIMByMp"] == alone["positionBalance"]
    assert Decimal(alone["positionIM"]) == Decimal(alone["positionValue"]) / 10
    assert (alone["tradeMode"], alone["bustPrice"], alone["autoAddMargin"]) == (0, "", 0)
    assert cross["liqPrice"] == ""  # no price of this symbol would do it
    assert 0 < Decimal(alone["liqPrice"]) < Decimal(alone["avgPrice"])


def test_the_liquidation_price_is_where_the_wallet_meets_the_maintenance_margin(client: Client) -> None:
    isolated(client).order(**MARKET_BUY)
    (row,) = positions_of(client)
    size, entry, price = (Decimal(row[name]) for name in ("size", "avgPrice", "liqPrice"))
    rate = Decimal(client.rows("/v5/market/risk-limit", "category=linear&symbol=BTCUSDT")[0]["maintenanceMargin"])

    left = Decimal(row["positionIM"]) + size * (price - entry) - size * price * rate

    assert abs(left) <= size * Decimal("0.1")  # a tick


def test_the_wallet_of_isolated_margin_has_no_figures_of_the_whole_account(client: Client) -> None:
    cross = client.rows("/v5/account/wallet-balance", "accountType=UNIFIED")[0]
    hedged(isolated(client)).order(**{**MARKET_BUY, "qty": "0.5"}, **LONG)
    client.order(**{**MARKET_BUY, "side": "Sell", "qty": "0.2"}, **SHORT)
    client.order(**LIMIT_BUY, price=price_of(client, "0.97"), **LONG)
    total, usdt = client.rows("/v5/account/wallet-balance", "accountType=UNIFIED")[0], usdt_of(client)

    assert all(cross[name] for name in ACCOUNT_WIDE)
    assert {total[name] for name in ACCOUNT_WIDE} == {""}
    assert Decimal(total["totalEquity"]) == Decimal(total["totalWalletBalance"]) + Decimal(total["totalPerpUPL"]) == usdt["equity"]
    rows = positions_of(client)
    assert usdt["totalPositionIM"] == sum(Decimal(row["positionIM"]) for row in rows)
    assert usdt["totalPositionMM"] == sum(Decimal(row["positionMM"]) for row in rows)
    assert usdt["unrealisedPnl"] == sum(Decimal(row["unrealisedPnl"]) for row in rows)
    assert transferable(client) == usdt["walletBalance"] - usdt["totalPositionIM"] - usdt["totalOrderIM"]


def test_neither_profit_nor_loss_of_isolated_positions_changes_what_is_free(client: Client) -> None:
    hedged(isolated(client)).order(**{**MARKET_BUY, "qty": "0.2"}, **LONG)
    other = hedged(isolated(Client(client.url, uuid4().hex)))
    other.order(**{**MARKET_BUY, "side": "Sell", "qty": "0.2"}, **SHORT)
    before = [transferable(client), transferable(other)]
    CLOCK.ms = NOW_MS + HOUR_MS

    assert usdt_of(client)["unrealisedPnl"] * usdt_of(other)["unrealisedPnl"] < 0
    assert [transferable(client), transferable(other)] == before


def test_a_liquidation_price_that_the_symbol_cannot_have_is_not_told(client: Client) -> None:
    isolated(client)
    client.post("/v5/position/set-leverage", {**BTC, "buyLeverage": "2", "sellLeverage": "2"})
    client.order(**{**MARKET_BUY, "side": "Sell", "qty": "0.1"})
    within = Decimal(positions_of(client)[0]["liqPrice"])
    highest = Decimal(client.rows("/v5/market/instruments-info", "category=linear&symbol=BTCUSDT")[0]["priceFilter"]["maxPrice"])

    added(client, str((highest - within) / 10 + 1000))

    assert 0 < within < highest
    assert positions_of(client)[0]["liqPrice"] == ""


def test_margin_is_added_and_taken_out_without_a_change_of_cash(client: Client) -> None:
    isolated(client).order(**MARKET_BUY)
    before, wallet = positions_of(client)[0], usdt_of(client)["walletBalance"]

    more = added(client, "12.3456")
    after = positions_of(client)[0]
    less = added(client, "-10", positionIdx=0)

    assert more == Decimal(before["positionIM"]) + Decimal("12.3456") == Decimal(after["positionIM"])
    assert Decimal(after["liqPrice"]) < Decimal(before["liqPrice"])
    assert less == more - 10
    assert usdt_of(client)["walletBalance"] == wallet
    assert [row["type"] for row in client.rows("/v5/account/transaction-log", "category=linear")] == ["TRADE", "TRANSFER_IN"]


def test_margin_goes_to_the_leg_that_is_named(client: Client) -> None:
    hedged(isolated(client)).order(**MARKET_BUY, **LONG)
    client.order(**{**MARKET_BUY, "side": "Sell"}, **SHORT)
    before = [Decimal(row["positionIM"]) for row in positions_of(client)]

    assert added(client, "5", **SHORT) == before[1] + 5
    assert [Decimal(row["positionIM"]) for row in positions_of(client)] == [before[0], before[1] + 5]
    assert client.refusal(ADD, {**BTC, "margin": "5"}) == (10001, "position idx not match position mode")


@pytest.mark.parametrize(
    ("margin", "code", "words"),
    [
        ("0", 110027, "Margin has not been modified."),
        ("1000000", 110014, "Insufficient available balance to add additional margin."),
        ("-50", 110078, "Added margin more than max can reduce margin"),
        ("1.00001", 10001, "params error: margin invalid"),
        ("1e2", 10001, "params error: margin invalid"),
        (5, 10001, "params error: margin invalid"),
        ("", 10001, "params error: margin invalid"),
    ],
)
def test_moves_of_margin_are_refused_with_the_venues_codes(client: Client, margin: object, code: int, words: str) -> None:
    isolated(client).order(**MARKET_BUY)
    before = positions_of(client)

    assert client.refusal(ADD, {**BTC, "margin": margin}) == (code, words)
    assert positions_of(client) == before


def test_there_must_be_an_isolated_position_to_move_margin(client: Client) -> None:
    client.order(**MARKET_BUY)
    assert client.refusal(ADD, {**BTC, "margin": "1"}) == (110015, "The position is in cross margin mode.")
    client.order(**CLOSE_ALL, side="Sell")
    assert client.refusal(ADD, {**BTC, "margin": "1"}) == (110033, "You can't set margin without an open position")


def test_margin_is_never_added_by_itself(client: Client) -> None:
    off = {**BTC, "autoAddMargin": 0}
    assert client.refusal(AUTO, off) == (110076, "Only isolated mode can set auto-add-margin")
    isolated(client)
    assert client.refusal(AUTO, off) == (0, "OK")
    assert client.refusal(AUTO, {**BTC, "autoAddMargin": 1}) == (10001, "params error: autoAddMargin invalid")
    assert client.refusal(AUTO, {**off, **LONG}) == (10001, "position idx not match position mode")


def test_the_risk_tiers_join_and_go_down_to_a_leverage_of_one(client: Client) -> None:
    tiers = client.rows("/v5/market/risk-limit", "category=linear&symbol=ETHUSDT")

    assert [tier["id"] for tier in tiers] == list(range(1, len(tiers) + 1))
    assert [tier["isLowestRisk"] for tier in tiers] == [1] + [0] * (len(tiers) - 1)
    assert (tiers[0]["maxLeverage"], tiers[0]["mmDeduction"], tiers[-1]["maxLeverage"]) == ("100.00", "", "1.00")
    for lower, upper in pairwise(tiers):
        border = Decimal(lower["riskLimitValue"])
        kept = [border * Decimal(tier["maintenanceMargin"]) - Decimal(tier["mmDeduction"] or 0) for tier in (lower, upper)]
        assert kept[0] == kept[1]
    everything = client.get("/v5/market/risk-limit", "category=linear").json()["result"]
    assert (len({tier["symbol"] for tier in everything["list"]}), everything["nextPageCursor"]) == (12, "")


def test_leverages_of_two_legs_change_both_or_none_where_one_could_not_be_set_back(client: Client) -> None:
    """What the long was given by hand is all that keeps it: at its present leverage anew it would be liquidated."""
    hedged(isolated(client)).order(**{**MARKET_BUY, "qty": "2"}, **LONG)
    added(client, "30000", **LONG)
    client.order(**{**MARKET_BUY, "side": "Sell", "qty": "3.5"}, **SHORT)
    client.post("/shocked", {"ratio": "0.88"})
    CLOCK.ms += 1_000
    before = [(row["leverage"], row["positionIM"]) for row in positions_of(client)]

    asked = {**BTC, "buyLeverage": "5", "sellLeverage": "2"}
    assert client.refusal("/v5/position/set-leverage", asked) == (110044, "Available margin is insufficient.")

    assert [(row["leverage"], row["positionIM"]) for row in positions_of(client)] == before
    client.post("/shocked", {"ratio": str(1 / Decimal("0.88"))})
