"""Leverage, margin mode, position mode and orders of a leg: what is sent, and what the documented answers mean."""

from decimal import Decimal

import pytest

from exchanges.adapters.okx import mapping, margin
from exchanges.adapters.okx.wire import answered
from exchanges.domain import LeverageBracket, MarginMode, OrderRequest, PositionMode, PositionSide, SymbolSettings
from exchanges.errors import (
    BadVenueResponse,
    LeverageUnconfirmed,
    OpenOrdersInTheWay,
    OutcomeUnknown,
    PositionInTheWay,
    PositionModeMismatch,
    ReduceOnlyRejected,
    SettingRefused,
    UnsupportedField,
)
from tests.exchanges.okx.rows import BTC, instruments, rows
from tests.exchanges.okx.venue import RESET, Raw, envelope, payload

D = Decimal
ORDER, LEVERAGE, CONFIG = "/api/v5/trade/order", "/api/v5/account/set-leverage", "/api/v5/account/config"
MODE, POSITIONS, INFO = "/api/v5/account/set-position-mode", "/api/v5/account/positions", "/api/v5/account/leverage-info"
TIERS, MARK = "/api/v5/public/position-tiers", "/api/v5/public/mark-price"
PLACE, QUERY = f"POST {ORDER}", f"GET {ORDER}"
CROSS, ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED


def limit_order(**fields) -> OrderRequest:
    defaults = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": "0.025",
        "price": "64000.1",
        "client_order_id": "cb0001",
    }
    return OrderRequest.model_validate(defaults | fields)


def took(leverage: str, leg: str = "", mode: str = "cross"):
    return envelope({"instId": "BTC-USDT-SWAP", "lever": leverage, "mgnMode": mode, "posSide": leg})


def mark(price: str):
    return [rows("mark_prices")[0] | {"markPx": price}]


@pytest.fixture
def placing(venue):
    """A venue that takes every order and does not show it yet."""
    venue.script |= {
        PLACE: lambda request: envelope({"ordId": "5", "clOrdId": request.json["clOrdId"], "sCode": "0"}),
        QUERY: payload("order_unknown"),
        CONFIG: payload("account_config_hedge"),
    }
    return venue


def sent(venue, path=ORDER):
    return [request.json for request in venue.sent_to(path, "POST")]


def test_tiers_are_worth_what_the_mark_makes_of_their_contracts():
    """1,000 contracts of 0.01 BTC at 64,100 USD. A tier starts where the one below ends, not a lot above."""
    assert margin.to_leverage_brackets(rows("position_tiers"), mark("64100"), BTC) == [
        LeverageBracket(D(0), D(641_000), D(100), D("0.004"), D(0)),
        LeverageBracket(D(641_000), D(3_205_000), D(50), D("0.01"), D(0)),
    ]


@pytest.mark.parametrize("tiers", [[], [rows("position_tiers")[0]] * 2, [rows("position_tiers")[0] | {"maxSz": "0"}]])
def test_tiers_that_make_no_sense_are_no_answer(tiers):
    with pytest.raises(BadVenueResponse):
        answered(margin.to_leverage_brackets, tiers, mark("64100"), BTC)


async def test_tiers_are_asked_for_by_family_with_the_mark(venue, exchange):
    venue.script |= {TIERS: payload("position_tiers"), MARK: envelope(rows("mark_prices")[0])}
    brackets = await exchange.get_leverage_brackets("BTCUSDT")
    assert [bracket.cap_usd for bracket in brackets] == [D(641_002), D(3_205_010)]
    assert venue.sent_to(TIERS)[0].query == {"instType": "SWAP", "tdMode": "cross", "instFamily": "BTC-USDT"}
    for answer in (envelope(), envelope(*mark("")), envelope(rows("mark_prices")[1])):
        venue.script[MARK] = answer
        with pytest.raises(BadVenueResponse):
            await exchange.get_leverage_brackets("BTCUSDT")


async def test_the_settings_of_a_symbol_are_those_of_an_order_that_names_no_mode(venue, exchange):
    venue.script[INFO] = payload("leverage_info")
    assert await exchange.get_symbol_settings("BTCUSDT") == SymbolSettings("BTCUSDT", CROSS, D(7), D(7))
    assert venue.sent_to(INFO)[0].query == {"instId": "BTC-USDT-SWAP", "mgnMode": "cross"}


def test_each_leg_has_its_leverage():
    assert margin.to_symbol_settings(rows("leverage_info_legs"), BTC, ISOLATED) == SymbolSettings("BTCUSDT", ISOLATED, D(12), D(3))


@pytest.mark.parametrize("answer", [[], rows("leverage_info_legs")[:1], rows("leverage_info")])
def test_settings_of_one_leg_or_another_mode_are_no_answer(answer):
    with pytest.raises(BadVenueResponse):
        answered(margin.to_symbol_settings, answer, BTC, ISOLATED)


@pytest.mark.parametrize(
    ("config", "arguments", "legs"),
    [
        ("account_config", {}, [("cross", "")]),
        ("account_config", {"margin_mode": CROSS}, [("cross", "")]),
        ("account_config", {"margin_mode": ISOLATED}, [("isolated", "")]),
        ("account_config", {"margin_mode": ISOLATED, "position_side": PositionSide.BOTH}, [("isolated", "")]),
        ("account_config_hedge", {"margin_mode": CROSS}, [("cross", "")]),
        ("account_config_hedge", {"margin_mode": ISOLATED}, [("isolated", "long"), ("isolated", "short")]),
        ("account_config_hedge", {"margin_mode": ISOLATED, "position_side": PositionSide.LONG}, [("isolated", "long")]),
        ("account_config_hedge", {"margin_mode": ISOLATED, "position_side": PositionSide.SHORT}, [("isolated", "short")]),
    ],
)
async def test_leverage_is_set_by_margin_mode_and_for_each_isolated_leg(venue, exchange, config, arguments, legs):
    venue.script |= {CONFIG: payload(config), LEVERAGE: took("5")}
    assert await exchange.set_leverage("BTCUSDT", 5, **arguments) is True
    assert [(body["mgnMode"], body["posSide"], body["lever"]) for body in sent(venue, LEVERAGE)] == [(*leg, "5") for leg in legs]


async def test_leverage_that_one_leg_did_not_take_is_not_set(venue, exchange):
    venue.script |= {CONFIG: payload("account_config_hedge"), LEVERAGE: [took("5", "long", "isolated"), took("4", "short", "isolated")]}
    assert await exchange.set_leverage("BTCUSDT", 5, margin_mode=ISOLATED) is False


@pytest.mark.parametrize("mode", [None, CROSS])
async def test_in_cross_margin_a_leg_has_no_leverage_of_its_own(venue, exchange, mode):
    with pytest.raises(UnsupportedField) as refusal:
        await exchange.set_leverage("BTCUSDT", 5, margin_mode=mode, position_side=PositionSide.LONG)
    assert refusal.value.field == "position_side"
    assert venue.sent_to(LEVERAGE) == []


@pytest.mark.parametrize(
    ("code", "error_class"),
    [("59100", PositionInTheWay), ("59101", OpenOrdersInTheWay), ("59107", OpenOrdersInTheWay), ("59112", OpenOrdersInTheWay)],
)
async def test_what_keeps_the_leverage_is_named(venue, exchange, code, error_class):
    venue.script[LEVERAGE] = envelope(code=code, msg="cannot be changed")
    with pytest.raises(error_class):
        await exchange.set_leverage("BTCUSDT", 5)


@pytest.mark.parametrize(("mode", "word"), [(PositionMode.HEDGE, "long_short_mode"), (PositionMode.ONE_WAY, "net_mode")])
async def test_a_position_mode_is_set_and_asked_for_again(venue, exchange, mode, word):
    before, after = ("account_config", "account_config_hedge")[:: 1 if mode is PositionMode.HEDGE else -1]
    venue.script |= {
        "/api/v5/account/balance": payload("balance"),
        CONFIG: [payload(before), payload(after)],
        MODE: envelope({"posMode": word}),
    }
    assert (await exchange.get_account()).position_mode is not mode
    assert await exchange.set_position_mode(mode) is True
    assert sent(venue, MODE) == [{"posMode": word}]
    assert (await exchange.get_account()).position_mode is mode


async def test_a_position_mode_that_was_not_taken_is_not_set(venue, exchange):
    venue.script[MODE] = payload("position_mode")
    assert await exchange.set_position_mode(PositionMode.ONE_WAY) is False
    venue.script[MODE] = envelope(code="59000", msg="Cancel any open orders, close positions, and stop trading bots first.")
    with pytest.raises(SettingRefused, match="Cancel any open orders, close positions"):
        await exchange.set_position_mode(PositionMode.HEDGE)
    venue.script[MODE] = RESET
    with pytest.raises(OutcomeUnknown):
        await exchange.set_position_mode(PositionMode.HEDGE)


@pytest.mark.parametrize("mode", [None, CROSS, ISOLATED])
@pytest.mark.parametrize("leg", [PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT])
async def test_an_order_names_its_margin_mode_and_its_leg(placing, exchange, mode, leg):
    await exchange.place_order(limit_order(margin_mode=mode, position_side=leg))
    [body] = sent(placing)
    assert (body["tdMode"], body["posSide"]) == ((mode or CROSS).value, "net" if leg is PositionSide.BOTH else leg.value.lower())


@pytest.mark.parametrize(("side", "leg"), [("SELL", "LONG"), ("BUY", "SHORT")])
async def test_a_leg_is_reduced_without_a_flag_that_the_venue_ignores(placing, exchange, side, leg):
    order = await exchange.place_order(limit_order(side=side, position_side=leg, reduce_only=True))
    assert order.reduce_only
    assert [body["reduceOnly"] for body in sent(placing)] == ["false"]


@pytest.mark.parametrize(("side", "leg"), [("BUY", "LONG"), ("SELL", "SHORT")])
async def test_a_reduce_only_order_that_would_open_its_leg_is_not_sent(placing, exchange, side, leg):
    with pytest.raises(ReduceOnlyRejected) as refusal:
        await exchange.place_order(limit_order(side=side, position_side=leg, reduce_only=True))
    assert refusal.value.field == "reduce_only"
    assert placing.requests == []


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({}, [("cross", "")]),
        ({"position_side": "LONG"}, [("cross", "")]),
        ({"margin_mode": "isolated", "position_side": "SHORT"}, [("isolated", "short")]),
    ],
)
async def test_the_leverage_of_an_order_is_set_first_in_its_own_mode_and_leg(placing, exchange, fields, settings):
    placing.script[LEVERAGE] = took("5")
    await exchange.place_order(limit_order(leverage=5, **fields))
    assert [(body["mgnMode"], body["posSide"]) for body in sent(placing, LEVERAGE)] == settings
    assert [request.path for request in placing.requests if request.method == "POST"] == [LEVERAGE, ORDER]


@pytest.mark.parametrize("answer", [RESET, Raw("", 502), took("4"), envelope(), envelope(code="77777", msg="new")])
async def test_without_its_leverage_an_order_is_not_sent(placing, exchange, answer):
    placing.script[LEVERAGE] = answer
    with pytest.raises(LeverageUnconfirmed):
        await exchange.place_order(limit_order(leverage=5))
    assert sent(placing) == []


def test_legs_may_be_held_in_different_modes():
    book = mapping.to_position_book(rows("positions_isolated_legs"), instruments())
    assert [(each.position_side, each.side, each.quantity, each.margin_mode, each.margin, each.leverage) for each in book.positions] == [
        (PositionSide.LONG, PositionSide.LONG, D("0.05"), ISOLATED, D("640.01"), D(5)),
        (PositionSide.SHORT, PositionSide.SHORT, D("0.0225"), CROSS, D("144.2"), D(10)),
    ]


@pytest.mark.parametrize(
    ("leg", "expected"), [(PositionSide.LONG, ("sell", "long", "isolated", "5")), (PositionSide.SHORT, ("buy", "short", "cross", "2.25"))]
)
async def test_the_named_leg_is_closed_in_its_own_margin_mode(placing, exchange, leg, expected):
    placing.script[POSITIONS] = payload("positions_isolated_legs")
    order = await exchange.close_position("BTCUSDT", leg)
    assert (order.position_side, order.reduce_only) == (leg, True)
    [body] = sent(placing)
    assert (body["side"], body["posSide"], body["tdMode"], body["sz"]) == expected


async def test_two_positions_of_one_leg_cannot_be_told_apart(placing, exchange):
    """One isolated and one cross: which is meant must not be guessed."""
    legs = [row | {"posSide": "long", "pos": "1"} for row in rows("positions_isolated_legs")]
    placing.script[POSITIONS] = envelope(*legs)
    with pytest.raises(PositionModeMismatch, match="isolated LONG and cross LONG"):
        await exchange.close_position("BTCUSDT", PositionSide.LONG)
    assert sent(placing) == []
