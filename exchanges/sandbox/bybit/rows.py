"""Position rows of an account: a symbol's, with or without a position in it, and all open ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.bybit import legs, wire_account
from exchanges.sandbox.bybit.errors import bad_parameter
from exchanges.sandbox.bybit.serving import Call
from exchanges.sandbox.model import ZERO, EntryKind, Leg, Listing, Venue
from exchanges.sandbox.views import PositionView

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Records:
    """What positions have earned by symbol and leg since the account was opened (net of fees, funding included), and the number of each
    symbol's latest fill."""

    earned: Mapping[tuple[str, Leg], Decimal]
    latest: Mapping[str, int]


def of_symbol(call: Call, listing: Listing) -> list[Row]:
    """One row, or the two of hedge mode."""
    views, records = call.engine.view(call.account).positions, _records(call)
    by_leg = {view.position.leg: view for view in views if view.position.symbol == listing.symbol}
    return [
        _opened(call, by_leg[leg], records) if leg in by_leg else _flat(call, listing, leg, records)
        for leg in legs.legs_of(call.account, listing.symbol)
    ]


def opened(call: Call, views: list[PositionView]) -> list[Row]:
    records = _records(call)
    return [_opened(call, view, records) for view in views]


def linear_listing(call: Call) -> Listing:
    """Of the symbol that a request must name."""
    if not call.is_listed():
        raise bad_parameter("category")
    return call.engine.listing_by_venue_symbol(Venue.BYBIT, call.params.required("symbol"))


def _opened(call: Call, view: PositionView, records: _Records) -> Row:
    symbol, leg, _ = view.position.key
    return wire_account.from_position(
        view,
        call.engine.listing(Venue.BYBIT, symbol),
        all_time_pnl=records.earned.get((symbol, leg), ZERO),
        sequence=records.latest.get(symbol, -1),
    )


def _flat(call: Call, listing: Listing, leg: Leg, records: _Records) -> Row:
    account, engine = call.account, call.engine
    return wire_account.flat_position(
        listing,
        leg=leg,
        leverage=engine.leverage(account, listing.symbol, account.margin_mode_of(listing.symbol), leg),
        mark=engine.mark(Venue.BYBIT, listing.symbol),
        all_time_pnl=records.earned.get((listing.symbol, leg), ZERO),
        sequence=records.latest.get(listing.symbol, -1),
    )


def _records(call: Call) -> _Records:
    earned: dict[tuple[str, Leg], Decimal] = {}
    for entry in call.engine.statement(call.account):
        if entry.kind is not EntryKind.DEPOSIT:
            earned[entry.symbol, entry.leg] = earned.get((entry.symbol, entry.leg), ZERO) + entry.amount
    latest = {fill.symbol: fill.id for fill in reversed(call.engine.fills(call.account))}
    return _Records(earned, latest)
