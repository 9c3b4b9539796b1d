"""Positions, balances, settings, closing and marks over a scripted local server: what is asked, in which order, what an answer means."""

from decimal import Decimal

import pytest

from exchanges.domain import OrderStatus, PositionSide
from exchanges.errors import (
    BadParameter,
    BadVenueResponse,
    ExchangeUnavailable,
    PositionModeMismatch,
    RateLimited,
    ReduceOnlyRejected,
    UnknownSymbol,
)
from tests.exchanges.okx.venue import RESET, Raw, envelope, payload

ORDER = "/api/v5/trade/order"
PLACE, QUERY = f"POST {ORDER}", f"GET {ORDER}"
POSITIONS = "/api/v5/account/positions"


async def test_positions_of_all_types_are_asked_for(venue, exchange):
    venue.script[POSITIONS] = payload("positions")
    book = await exchange.get_position_book()
    assert (len(book.positions), len(book.not_covered)) == (3, 5)
    assert venue.sent_to(POSITIONS)[0].target == POSITIONS
    assert [position.symbol for position in await exchange.get_open_positions("ETHUSDT")] == ["ETHUSDT"]
    assert len(await exchange.get_open_positions()) == 3
    with pytest.raises(UnknownSymbol):
        await exchange.get_open_positions("NOSUCHUSDT")


@pytest.mark.parametrize("answer", [RESET, Raw("<html>"), Raw("", 204), envelope(code="50011")], ids=["reset", "html", "204", "limit"])
async def test_positions_that_could_not_be_read_are_not_flat(venue, exchange, answer):
    venue.script[POSITIONS] = answer
    with pytest.raises((ExchangeUnavailable, BadVenueResponse, RateLimited)):
        await exchange.get_position_book()


async def test_balances_and_account(venue, exchange):
    venue.script |= {"/api/v5/account/balance": payload("balance"), "/api/v5/account/config": payload("account_config")}
    assert [balance.asset for balance in await exchange.get_balances()] == ["USDT", "BTC"]
    assert [balance.asset for balance in await exchange.get_balances("btc")] == ["BTC"]
    for _ in range(2):
        assert (await exchange.get_account()).equity_usd == Decimal("10234.5678")
    assert len(venue.sent_to("account/config")) == 1, "settings are kept for a minute"


async def test_account_settings_are_asked_for_again_when_they_are_old(venue, exchange, monkeypatch):
    venue.script |= {"/api/v5/account/balance": payload("balance"), "/api/v5/account/config": payload("account_config")}
    await exchange.get_account()
    monkeypatch.setattr("exchanges.adapters.okx.settings.REMEMBERED_S", -1.0)
    await exchange.get_account()
    assert len(venue.sent_to("account/config")) == 2


async def test_set_leverage(venue, exchange):
    venue.script["/api/v5/account/set-leverage"] = payload("leverage")
    assert await exchange.set_leverage("BTCUSDT", 7) is True
    assert venue.sent_to("set-leverage")[0].json == {
        "lever": "7",
        "mgnMode": "cross",
        "instId": "BTC-USDT-SWAP",
        "ccy": "",
        "posSide": "",
    }
    assert await exchange.set_leverage("BTCUSDT", 9) is False, "the venue answered that it uses 7"
    with pytest.raises(BadParameter):
        await exchange.set_leverage("BTCUSDT", 0)


def closing(venue):
    (request,) = venue.sent_to(ORDER, "POST")
    return {name: request.json[name] for name in ("side", "ordType", "sz", "tdMode", "posSide", "reduceOnly")}


async def test_close_a_long_in_one_way_mode(venue, exchange):
    row = payload("positions")["data"][0]
    ack = envelope({"ordId": "910000000000000001", "clOrdId": "", "sCode": "0"})
    venue.script |= {POSITIONS: envelope(row), PLACE: ack, QUERY: payload("order_filled")}
    assert (await exchange.close_position("BTCUSDT")).status is OrderStatus.FILLED
    assert closing(venue) == {
        "side": "sell",
        "ordType": "market",
        "sz": "12.5",
        "tdMode": "cross",
        "posSide": "net",
        "reduceOnly": "true",
    }
    assert venue.sent_to(POSITIONS)[0].query == {"instType": "SWAP", "instId": "BTC-USDT-SWAP"}


async def test_close_an_isolated_short(venue, exchange):
    row = payload("positions")["data"][1]
    venue.script |= {
        POSITIONS: envelope(row),
        PLACE: envelope({"ordId": "5", "clOrdId": "", "sCode": "0"}),
        QUERY: payload("order_unknown"),
    }
    order = await exchange.close_position("ETHUSDT")
    assert (order.order_id, order.quantity, order.confirmed) == ("5", Decimal("3"), False)
    assert closing(venue) == {
        "side": "buy",
        "ordType": "market",
        "sz": "30",
        "tdMode": "isolated",
        "posSide": "net",
        "reduceOnly": "true",
    }


async def test_close_the_only_leg_in_hedge_mode(venue, exchange):
    row = payload("positions_hedge")["data"][1]
    venue.script |= {
        POSITIONS: envelope(row),
        PLACE: envelope({"ordId": "5", "clOrdId": "", "sCode": "0"}),
        QUERY: payload("order_unknown"),
    }
    order = await exchange.close_position("BTCUSDT")
    assert order.position_side is PositionSide.SHORT
    assert closing(venue) == {
        "side": "buy",
        "ordType": "market",
        "sz": "2.25",
        "tdMode": "cross",
        "posSide": "short",
        "reduceOnly": "false",
    }


async def test_close_with_two_legs_or_none_sends_nothing(venue, exchange):
    venue.script[POSITIONS] = [payload("positions_hedge"), envelope()]
    with pytest.raises(PositionModeMismatch):
        await exchange.close_position("BTCUSDT")
    with pytest.raises(ReduceOnlyRejected):
        await exchange.close_position("BTCUSDT")
    assert venue.sent_to(ORDER) == []


async def test_mark_prices_and_server_time(venue, exchange):
    venue.script |= {"/api/v5/public/mark-price": payload("mark_prices"), "/api/v5/public/time": payload("server_time")}
    assert [price.symbol for price in await exchange.get_mark_prices()] == ["BTCUSDT", "PEPEUSDT"]
    assert venue.sent_to("mark-price")[0].query == {"instType": "SWAP"}
    assert await exchange.get_server_time_ms() == 1763900006789


async def test_the_catalogue_is_asked_for_once(venue, exchange):
    for _ in range(3):
        await exchange.get_mark_prices()
    assert len(venue.sent_to("public/instruments")) == 1
