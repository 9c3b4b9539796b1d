"""The OKX dialect's position and margin modes: legs side by side, isolated positions with their margin, and leverage of each."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.sandbox.okx_venue import BTC, Answer, Client, serve_okx

MODE = "/api/v5/account/set-position-mode"
LEVERAGE = "/api/v5/account/set-leverage"
MARGIN = "/api/v5/account/position/margin-balance"
CLOSE = "/api/v5/trade/close-position"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with serve_okx() as venue:
        yield venue.client()


async def _hedge(client: Client) -> None:
    assert (await client.post(MODE, {"posMode": "long_short_mode"})).data == [{"posMode": "long_short_mode"}]


async def _done(asked: Answer) -> None:
    assert asked.code == "0", asked.body


async def _positions(client: Client) -> dict[tuple[str, str], str]:
    rows = (await client.get("/api/v5/account/positions", instId=BTC)).data
    return {(row["mgnMode"], row["posSide"]): row["pos"] for row in rows}


async def _resting(client: Client, **fields: object) -> Answer:
    return await client.order(ordType="limit", px=str(round(await client.price() * 0.97)), **fields)


# -- position mode --


async def test_the_position_mode_is_told_and_may_be_set_again(client: Client) -> None:
    for mode in ("net_mode", "long_short_mode", "long_short_mode", "net_mode"):
        assert (await client.post(MODE, {"posMode": mode})).row == {"posMode": mode}
        assert (await client.get("/api/v5/account/config")).row["posMode"] == mode
    assert (await client.post(MODE, {"posMode": "both"})).code == "51000"
    assert (await client.post(MODE, {})).code == "50014"


async def test_positions_and_orders_stand_in_the_way_of_another_mode(client: Client) -> None:
    resting = await _resting(client)
    assert (await client.post(MODE, {"posMode": "long_short_mode"})).code == "59000"
    assert (await client.post(MODE, {"posMode": "net_mode"})).code == "0"
    await _done(await client.post("/api/v5/trade/cancel-order", {"instId": BTC, "ordId": resting.row["ordId"]}))
    await _hedge(client)
    await _done(await client.order(posSide="short", side="sell"))
    assert (await client.post(MODE, {"posMode": "net_mode"})).code == "59000"
    await _done(await client.post(CLOSE, {"instId": BTC, "mgnMode": "cross", "posSide": "short"}))
    assert (await client.post(MODE, {"posMode": "net_mode"})).code == "0"


async def test_an_order_must_name_a_leg_of_the_accounts_mode(client: Client) -> None:
    for leg in ("long", "short", "both"):
        assert (await client.order(posSide=leg)).verdict == ("1", "51000")
    await _hedge(client)
    for leg in ("", "net", "both"):
        refused = await client.order(posSide=leg)
        assert (refused.verdict, refused.row["sMsg"]) == (("1", "51000"), "Parameter posSide error ")
        assert (await client.post(CLOSE, {"instId": BTC, "mgnMode": "cross", "posSide": leg})).code == "51000"
    assert await _positions(client) == {}


# -- hedge mode --


async def test_both_legs_are_held_side_by_side_and_closed_one_by_one(client: Client) -> None:
    await _hedge(client)
    await _done(await client.order(posSide="long", side="buy", sz="3", clOrdId="opened"))
    await _done(await client.order(posSide="short", side="sell", sz="2"))
    assert await _positions(client) == {("cross", "long"): "3", ("cross", "short"): "2"}
    await _done(await client.order(posSide="long", side="sell", sz="1"))
    assert await _positions(client) == {("cross", "long"): "2", ("cross", "short"): "2"}
    order = (await client.get("/api/v5/trade/order", instId=BTC, clOrdId="opened")).row
    assert (order["posSide"], order["tdMode"], order["reduceOnly"]) == ("long", "cross", "false")
    fills = (await client.get("/api/v5/trade/fills")).data
    assert [(row["posSide"], row["side"], row["subType"]) for row in fills] == [
        ("long", "sell", "5"),
        ("short", "sell", "4"),
        ("long", "buy", "3"),
    ]
    closed = await client.post(CLOSE, {"instId": BTC, "mgnMode": "cross", "posSide": "short"})
    assert closed.row["posSide"] == "short"
    assert await _positions(client) == {("cross", "long"): "2"}
    assert [row["subType"] for row in (await client.get("/api/v5/trade/fills", subType="6")).data] == ["6"]


async def test_a_closing_order_is_cut_to_its_leg_and_refused_without_one(client: Client) -> None:
    await _hedge(client)
    assert (await client.order(posSide="long", side="sell")).verdict == ("1", "51169")
    await _done(await client.order(posSide="long", side="buy", sz="2"))
    await _done(await client.order(posSide="long", side="sell", sz="5", clOrdId="more"))
    order = (await client.get("/api/v5/trade/order", instId=BTC, clOrdId="more")).row
    assert (order["sz"], order["accFillSz"], order["state"]) == ("2", "2", "filled")
    assert await _positions(client) == {}


async def test_reduce_only_means_nothing_in_long_short_mode(client: Client) -> None:
    await _hedge(client)
    await _done(await client.order(posSide="long", side="buy", reduceOnly="true"))
    assert await _positions(client) == {("cross", "long"): "1"}


async def test_only_the_closing_orders_of_a_leg_hinder_its_close(client: Client) -> None:
    await _hedge(client)
    for leg, side in (("long", "buy"), ("short", "sell")):
        await _done(await client.order(posSide=leg, side=side))
    await _done(await _resting(client, posSide="short", side="buy"))
    body = {"instId": BTC, "mgnMode": "cross"}
    assert (await client.post(CLOSE, body | {"posSide": "short"})).code == "51115"
    await _done(await client.post(CLOSE, body | {"posSide": "long"}))
    await _done(await client.post(CLOSE, body | {"posSide": "short", "autoCxl": True}))
    assert (await client.get("/api/v5/trade/orders-pending")).data == []


# -- isolated margin --


async def test_cross_and_isolated_positions_of_one_instrument_stand_side_by_side(client: Client) -> None:
    await _done(await client.order(sz="3"))
    await _done(await client.order(sz="2", side="sell", tdMode="isolated", clOrdId="apart"))
    assert await _positions(client) == {("cross", "net"): "3", ("isolated", "net"): "-2"}
    assert (await client.get("/api/v5/trade/order", instId=BTC, clOrdId="apart")).row["tdMode"] == "isolated"
    isolated, cross = (await client.get("/api/v5/account/positions")).data
    assert isolated["posId"] != cross["posId"]
    assert (isolated["imr"], cross["margin"]) == ("", "")
    entry_value = Decimal(isolated["avgPx"]) * Decimal("0.02")
    assert Decimal(isolated["margin"]) == entry_value / 10
    assert Decimal(isolated["avgPx"]) < Decimal(isolated["liqPx"]) < Decimal(isolated["avgPx"]) * Decimal("1.1")
    assert abs(Decimal(isolated["mgnRatio"]) * Decimal(isolated["mmr"]) - Decimal(isolated["margin"]) - Decimal(isolated["upl"])) < 1
    await _done(await client.post(CLOSE, {"instId": BTC, "mgnMode": "isolated"}))
    assert await _positions(client) == {("cross", "net"): "3"}
    assert (await client.post(CLOSE, {"instId": BTC, "mgnMode": "isolated"})).code == "51023"


async def test_the_margin_of_isolated_positions_is_set_aside_from_the_cash(client: Client) -> None:
    await _done(await client.order(sz="2", tdMode="isolated"))
    await _done(await client.order(sz="2", side="sell"))
    margin, wallet = await _margin(client), Decimal(100_000)
    for fill in (await client.get("/api/v5/trade/fills")).data:
        wallet += Decimal(fill["fee"]) + Decimal(fill["fillPnl"])
    account = (await client.get("/api/v5/account/balance")).row
    money = account["details"][0]
    assert Decimal(money["cashBal"]) + margin == wallet
    assert Decimal(money["isoEq"]) == margin + Decimal(money["isoUpl"]) == Decimal(account["isoEq"])
    cross_upl = Decimal(money["upl"]) - Decimal(money["isoUpl"])
    assert Decimal(money["eq"]) == Decimal(money["cashBal"]) + Decimal(money["isoEq"]) + cross_upl == Decimal(account["totalEq"])


async def test_margin_is_added_and_taken_out_within_its_limits(client: Client) -> None:
    body = {"instId": BTC, "posSide": "net", "type": "add", "amt": "50"}
    assert (await client.post(MARGIN, body)).code == "59300"
    await _done(await client.order(sz="2", tdMode="isolated"))
    before = await _margin(client)
    added = (await client.post(MARGIN, body)).row
    assert (added["amt"], added["type"], added["posSide"], added["instId"]) == ("50", "add", "net", BTC)
    assert 0 < Decimal(added["leverage"]) < 10
    assert await _margin(client) == before + 50
    await _done(await client.post(MARGIN, body | {"type": "reduce", "amt": "20"}))
    assert await _margin(client) == before + 30
    for wrong, code in (
        ({"type": "reduce", "amt": str(before)}, "59301"),
        ({"amt": "100000"}, "59301"),
        ({"amt": "0.0000000001"}, "51000"),
        ({"amt": "-1"}, "51000"),
        ({"amt": ""}, "50014"),
        ({"type": "double"}, "51000"),
        ({"posSide": "long"}, "51000"),
        ({"instId": "NOPE-USDT-SWAP"}, "51001"),
    ):
        assert (await client.post(MARGIN, body | wrong)).code == code
    assert await _margin(client) == before + 30


async def test_each_leg_has_its_own_margin(client: Client) -> None:
    await _hedge(client)
    for leg, side in (("long", "buy"), ("short", "sell")):
        await _done(await client.order(posSide=leg, side=side, tdMode="isolated"))
    before = await _margins(client)
    await _done(await client.post(MARGIN, {"instId": BTC, "posSide": "short", "type": "add", "amt": "5"}))
    assert await _margins(client) == {"long": before["long"], "short": before["short"] + 5}
    assert (await client.post(MARGIN, {"instId": BTC, "type": "add", "amt": "5"})).code == "51000"


async def _margin(client: Client) -> Decimal:
    return (await _margins(client))["net"]


async def _margins(client: Client) -> dict[str, Decimal]:
    rows = (await client.get("/api/v5/account/positions", instId=BTC)).data
    return {row["posSide"]: Decimal(row["margin"]) for row in rows if row["mgnMode"] == "isolated"}
