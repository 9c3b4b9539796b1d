"""The OKX dialect's leverage: what it is set for in each mode, what its tiers allow, and what is refused."""

from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise

import pytest

from exchanges.sandbox.market import HOUR_MS
from exchanges.sandbox.model import Venue as Exchange
from tests.sandbox.exchange import NOW_MS
from tests.sandbox.okx_venue import BTC, Client, Venue, serve_okx

LEVERAGE = "/api/v5/account/set-leverage"


@pytest.fixture
async def venue() -> AsyncIterator[Venue]:
    async with serve_okx(NOW_MS) as served:
        yield served


@pytest.fixture
def client(venue: Venue) -> Client:
    return venue.client()


async def _set(client: Client, lever: str, mode: str, **fields: str) -> str:
    return (await client.post(LEVERAGE, {"instId": BTC, "lever": lever, "mgnMode": mode, **fields})).code


async def _levers(client: Client, mode: str) -> dict[str, str]:
    rows = (await client.get("/api/v5/account/leverage-info", instId=BTC, mgnMode=mode)).data
    return {row["posSide"]: row["lever"] for row in rows}


async def test_each_margin_mode_has_its_own_leverage_in_net_mode(client: Client) -> None:
    answer = await client.post(LEVERAGE, {"instId": BTC, "lever": "5", "mgnMode": "cross"})
    assert answer.row == {"instId": BTC, "lever": "5", "mgnMode": "cross", "posSide": ""}
    answer = await client.post(LEVERAGE, {"instId": BTC, "lever": "20", "mgnMode": "isolated", "posSide": "net"})
    assert answer.row == {"instId": BTC, "lever": "20", "mgnMode": "isolated", "posSide": "net"}
    assert (await _levers(client, "cross"), await _levers(client, "isolated")) == ({"net": "5"}, {"net": "20"})
    for mode, lever in (("cross", "5"), ("isolated", "20")):
        await client.order(tdMode=mode, clOrdId=mode)
        assert (await client.get("/api/v5/trade/order", instId=BTC, clOrdId=mode)).row["lever"] == lever
    rows = (await client.get("/api/v5/account/positions")).data
    assert {row["mgnMode"]: row["lever"] for row in rows} == {"cross": "5", "isolated": "20"}


async def test_isolated_legs_have_their_own_leverage_and_cross_legs_share_theirs(client: Client) -> None:
    await client.post("/api/v5/account/set-position-mode", {"posMode": "long_short_mode"})
    assert await _set(client, "7", "cross") == "0"
    assert await _levers(client, "cross") == {"long": "7", "short": "7"}
    assert await _set(client, "8", "isolated") == await _set(client, "8", "isolated", posSide="net") == "51000"
    assert await _set(client, "8", "isolated", posSide="short") == "0"
    assert await _levers(client, "isolated") == {"long": "10", "short": "8"}


async def test_pending_isolated_orders_and_the_position_stand_in_the_way(client: Client) -> None:
    low = str(round(await client.price() * 0.97))
    resting = await client.order(ordType="limit", px=low, tdMode="isolated")
    assert (await _set(client, "5", "isolated"), await _set(client, "5", "cross")) == ("59101", "0")
    await client.post("/api/v5/trade/cancel-order", {"instId": BTC, "ordId": resting.row["ordId"]})
    assert (await client.order(sz="10", tdMode="isolated")).code == "0"
    margin = Decimal((await client.get("/api/v5/account/positions")).row["margin"])
    assert await _set(client, "5", "isolated") == "0"
    assert abs(Decimal((await client.get("/api/v5/account/positions")).row["margin"]) - 2 * margin) < Decimal("0.00000002")
    assert (await client.order(sz="400")).code == "0"
    assert await _set(client, "1", "cross") == "59108"


async def test_leverage_is_not_raised_to_where_the_loss_would_liquidate(venue: Venue, client: Client) -> None:
    assert await _set(client, "2", "isolated") == "0"
    assert (await client.order(sz="10", tdMode="isolated")).code == "0"
    entry, now_ms = Decimal((await client.get("/api/v5/account/positions")).row["avgPx"]), venue.clock()
    falls = (hours for hours in range(1, 2_000) if _price(venue, now_ms + hours * HOUR_MS) < entry * Decimal("0.98"))
    venue.clock.ahead_ms += next(falls) * HOUR_MS
    assert await _set(client, "100", "isolated") == "59109"


def _price(venue: Venue, at_ms: int) -> Decimal:
    return venue.engine.mark(Exchange.OKX, "BTCUSDT", at_ms)


async def test_tiers_are_contiguous_and_told_in_contracts(client: Client) -> None:
    path, asked = "/api/v5/public/position-tiers", {"instType": "SWAP", "tdMode": "isolated", "instFamily": "BTC-USDT"}
    tiers = (await client.get(path, **asked)).data
    assert (tiers[0]["minSz"], tiers[0]["maxLever"]) == ("0", "100")
    for number, (lower, upper) in enumerate(pairwise(tiers), 1):
        assert lower["tier"] == str(number)
        assert Decimal(upper["minSz"]) == Decimal(lower["maxSz"]) + Decimal("0.01")
        assert int(upper["maxLever"]) < int(lower["maxLever"])
        assert Decimal(upper["mmr"]) > Decimal(lower["mmr"])
    assert [row["tier"] for row in (await client.get(path, tier="2", **asked)).data] == ["2"]


async def test_an_order_beyond_the_tier_of_its_leverage_is_refused_with_its_size(client: Client) -> None:
    assert await _set(client, "100", "cross") == "0"
    tier = (await client.get("/api/v5/public/position-tiers", instType="SWAP", tdMode="cross", instFamily="BTC-USDT", tier="1")).row
    refused = await client.order(sz=str(round(Decimal(tier["maxSz"]) * 2)))
    assert refused.verdict == ("1", "51004")
    assert "buy/sell mode of BTC-USDT-SWAP" in refused.row["sMsg"]
    assert "current leverage: 100×" in refused.row["sMsg"]
    largest = (await client.get("/api/v5/account/max-size", instId=BTC, tdMode="cross")).row["maxBuy"]
    assert 0 < Decimal(largest) <= Decimal(tier["maxSz"]) * Decimal("1.01")


async def test_the_largest_order_of_each_mode_is_accepted(client: Client) -> None:
    await client.post("/api/v5/account/set-position-mode", {"posMode": "long_short_mode"})
    for mode, leg, side, name in (("isolated", "long", "buy", "maxBuy"), ("cross", "short", "sell", "maxSell")):
        size = Decimal((await client.get("/api/v5/account/max-size", instId="ETH-USDT-SWAP", tdMode=mode)).row[name]) / 2
        placed = await client.order(instId="ETH-USDT-SWAP", tdMode=mode, posSide=leg, side=side, sz=str(round(size)))
        assert placed.code == "0", placed.body
    assert (await client.get("/api/v5/account/max-size", instId=BTC, tdMode="cash")).code == "51000"
