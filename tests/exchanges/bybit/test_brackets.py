"""Leverage brackets: what is asked for and what the documented answers mean."""

from decimal import Decimal

import pytest

from exchanges.adapters.bybit import mapping, margin
from exchanges.adapters.bybit.exchange import BybitExchange
from exchanges.adapters.bybit.wire import answered
from exchanges.domain import LeverageBracket
from exchanges.errors import BadVenueResponse
from tests.exchanges.bybit.recording import RecordingVenue, payload

D = Decimal
BTC = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments([payload("instruments")])}["BTCUSDT"]


def test_brackets_are_sorted_and_an_empty_deduction_is_worked_out() -> None:
    """At 4,000,000 USD the second rate asks 30,000 and the third, with its deduction, the same."""
    assert margin.to_leverage_brackets([payload("risk_limit")], BTC) == [
        LeverageBracket(D(0), D(2_000_000), D("100.00"), D("0.005"), D(0)),
        LeverageBracket(D(2_000_000), D(4_000_000), D("60.00"), D("0.01"), D(10_000)),
        LeverageBracket(D(4_000_000), D(6_000_000), D("50.00"), D("0.015"), D(30_000)),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"maintenanceMargin": "0.5000", "riskLimitValue": "2000000"},
        {"maintenanceMargin": "1"},
        {"maintenanceMargin": "0"},
        {"maxLeverage": ""},
    ],
)
def test_brackets_that_make_no_sense_are_no_answer(fields: dict[str, str]) -> None:
    """A rate of 1 and more is the percentage that the venue once wrote."""
    answer = payload("risk_limit")
    answer["result"]["list"][0] |= fields
    with pytest.raises(BadVenueResponse):
        answered(margin.to_leverage_brackets, [answer], BTC)


async def test_brackets_are_asked_for_the_one_symbol(venue: RecordingVenue, exchange: BybitExchange) -> None:
    venue.answer("/v5/market/risk-limit", payload("risk_limit"))
    assert len(await exchange.get_leverage_brackets("BTCUSDT")) == 3
    assert venue.lines() == [("GET", "/v5/market/risk-limit?category=linear&symbol=BTCUSDT", "")]
    venue.answer("/v5/market/risk-limit", payload("order_none"))
    with pytest.raises(BadVenueResponse):
        await exchange.get_leverage_brackets("BTCUSDT")
