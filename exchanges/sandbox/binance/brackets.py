"""Leverage brackets: how much leverage a position of which size may have, and the margin it must keep."""

from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.binance.numbers import bare, plain
from exchanges.sandbox.brackets import largest_notional
from exchanges.sandbox.model import Account, Bracket, Listing

Row = dict[str, object]


def leverage_bracket(call: Call, _: Account) -> Json:
    """One symbol's row where one was asked for is an object in a list, as all are."""
    return [_row(listing) for listing in call.chosen_listings()]


def most_notional(listing: Listing, leverage: int) -> str:
    """What a position may be worth at most at a leverage."""
    return plain(largest_notional(listing.brackets, leverage))


def _row(listing: Listing) -> Row:
    return {"symbol": listing.venue_symbol, "brackets": [_bracket(rank, each) for rank, each in enumerate(listing.brackets, start=1)]}


def _bracket(rank: int, bracket: Bracket) -> Row:
    return {
        "bracket": rank,
        "initialLeverage": bracket.leverage,
        "notionalCap": int(bracket.cap),
        "notionalFloor": int(bracket.floor),
        "maintMarginRatio": bare(bracket.maintenance_rate),
        "cum": bare(bracket.maintenance_amount),
    }


ENDPOINTS = (Private("GET", "/fapi/v1/leverageBracket", leverage_bracket),)
