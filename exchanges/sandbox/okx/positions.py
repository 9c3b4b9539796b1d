"""Positions as the account holds them: one row for each leg and margin mode of an instrument, the newest first."""

from decimal import Decimal

from exchanges.sandbox.model import ZERO, Fill, Position, Venue
from exchanges.sandbox.okx import rows
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.instruments import SWAP, TYPES, instrument_code
from exchanges.sandbox.okx.wire import plain, ratio
from exchanges.sandbox.positions import opening_fee
from exchanges.sandbox.views import AccountView, PositionView


def positions(call: PrivateCall) -> list[Row]:
    kind = call.parameters.choice("instType", (*TYPES, ""), default="")
    named = [name for name in call.parameters.text("instId").split(",") if name]
    listings = [call.engine.listing_by_venue_symbol(Venue.OKX, name) for name in named]
    view = call.engine.view(call.account)
    if kind not in ("", SWAP):
        return []
    found = _position_rows(call, view, {listing.symbol for listing in listings})
    wanted = call.parameters.text("posId")
    return [row for row in found if not wanted or row["posId"] in wanted.split(",")]


def position_risk(call: PrivateCall) -> list[Row]:
    kind = call.parameters.choice("instType", (*TYPES, ""), default="")
    view = call.engine.view(call.account)
    names = ("baseBal", "ccy", "instId", "instType", "mgnMode", "notionalUsd", "pos", "posCcy", "posId", "posSide", "quoteBal")
    held = [
        {**{name: row[name] for name in names}, "notionalCcy": plain(abs(each.position.quantity))}
        for row, each in zip(_position_rows(call, view, set()), _newest_first(view), strict=True)
    ]
    return [
        {
            "adjEq": "",
            "balData": [{"ccy": "USDT", "disEq": ratio(view.equity), "eq": ratio(view.equity)}],
            "posData": held if kind in ("", SWAP) else [],
            "ts": str(call.engine.now_ms()),
        }
    ]


def _position_rows(call: PrivateCall, view: AccountView, symbols: set[str]) -> list[Row]:
    listings = call.engine.listings(Venue.OKX)
    found = []
    for each in _newest_first(view):
        if symbols and each.position.symbol not in symbols:
            continue
        listing = call.engine.listing(Venue.OKX, each.position.symbol)
        quote = call.engine.ticker(Venue.OKX, listing.symbol)
        last_fill, fees = _since_opened(call, each.position)
        held = rows.Held(each, last_fill, fees, rows.margin_ratio(view.cross_equity, view.cross_maintenance_margin))
        found.append(rows.position_row(listing, instrument_code(listings, listing), held, quote))
    return found


def _newest_first(view: AccountView) -> list[PositionView]:
    return sorted(view.positions, key=lambda each: each.position.opened_ms, reverse=True)


def _since_opened(call: PrivateCall, position: Position) -> tuple[Fill | None, Decimal]:
    """The newest of the fills that made the position what it is, and what fees they cost: back to the one that found it flat or turned it
    around, of which the part counts that opened it."""
    last, fees, held = None, ZERO, position.quantity
    for fill in call.engine.fills(call.account, position.symbol):
        if fill.key != position.key:
            continue
        last, held = last or fill, held - fill.side.sign * fill.quantity
        if held * position.quantity <= 0:
            return last, fees + opening_fee(fill.fee, abs(held), fill.quantity)
        fees += fill.fee
    return last, fees
