"""Leverage brackets: each symbol has one, since the engine asks one maintenance rate of every position, however large."""

from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.binance.numbers import bare
from exchanges.sandbox.model import Account, Listing

LARGEST_NOTIONAL = 1_000_000_000


def leverage_bracket(call: Call, _: Account) -> Json:
    """One symbol's row where one was asked for is an object in a list, as all are."""
    return [_row(listing) for listing in call.chosen_listings()]


def _row(listing: Listing) -> dict[str, object]:
    return {
        "symbol": listing.venue_symbol,
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": listing.max_leverage,
                "notionalCap": LARGEST_NOTIONAL,
                "notionalFloor": 0,
                "maintMarginRatio": bare(listing.maintenance_rate),
                "cum": 0.0,
            }
        ],
    }


ENDPOINTS = (Private("GET", "/fapi/v1/leverageBracket", leverage_bracket),)
