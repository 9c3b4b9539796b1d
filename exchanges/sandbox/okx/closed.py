"""What became of positions: one row for each that was closed, in whole or in part, told from the fills that made it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.model import ZERO, Fill, Listing, Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.instruments import SWAP, TYPES, family, instrument_code, selected
from exchanges.sandbox.okx.wire import contracts, plain, position_id, ratio
from exchanges.sandbox.path import DAY_MS

PAGE = 100
KEPT_MS = 90 * DAY_MS
_PARTIALLY_CLOSED, _CLOSED = "1", "2"


@dataclass(slots=True)
class Episode:
    """A position from the fill that opened it on, in base units; `held` is signed. A fill's fee is shared between what it closed and
    what it opened."""

    opened_ms: int
    updated_ms: int = 0
    held: Decimal = ZERO
    largest: Decimal = ZERO
    opened: Decimal = ZERO
    opened_value: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    is_long: bool = True


def episodes(fills: Iterable[Fill]) -> Iterator[Episode]:
    """Of one symbol's fills, oldest first, that began flat. A fill that turns the position around ends one episode and opens the next."""
    current: Episode | None = None
    for fill in fills:
        change = fill.side.sign * fill.quantity
        closing = min(fill.quantity, abs(current.held)) if current and current.held * change < 0 else ZERO
        if current and closing:
            _close(current, fill, closing)
            if not current.held:
                yield current
                current = None
        if opening := fill.quantity - closing:
            current = current or Episode(fill.time_ms, is_long=change > 0)
            _open(current, fill, opening)
    if current:
        yield current


def _since_flat(fills: Sequence[Fill], held: Decimal) -> Sequence[Fill]:
    """Those of a symbol's fills, oldest first, that came after the account was flat for the first time: where the oldest were forgotten,
    what was held before them has no known entry. `held` is what the last one left."""
    before = held - sum((fill.side.sign * fill.quantity for fill in fills), ZERO)
    for place, fill in enumerate(fills):
        if not before:
            return fills[place:]
        before += fill.side.sign * fill.quantity
    return ()


def _close(episode: Episode, fill: Fill, quantity: Decimal) -> None:
    episode.held -= quantity if episode.is_long else -quantity
    episode.closed += quantity
    episode.closed_value += quantity * fill.price
    episode.pnl += fill.realized_pnl
    episode.fees += fill.fee * quantity / fill.quantity
    episode.updated_ms = fill.time_ms


def _open(episode: Episode, fill: Fill, quantity: Decimal) -> None:
    episode.held += quantity if episode.is_long else -quantity
    episode.largest = max(episode.largest, abs(episode.held))
    episode.opened += quantity
    episode.opened_value += quantity * fill.price
    episode.fees += fill.fee * quantity / fill.quantity
    episode.updated_ms = fill.time_ms


def positions_history(call: PrivateCall) -> list[Row]:
    """Newest first by the time of their last change; `after` and `before` are such times."""
    parameters = call.parameters
    kind = parameters.choice("instType", (*TYPES, ""), default="")
    mode = parameters.choice("mgnMode", ("cross", "isolated", ""), default="")
    wanted, named = parameters.text("type"), parameters.text("posId")
    after, before = parameters.integer("after"), parameters.integer("before")
    limit = parameters.limit(default=PAGE, maximum=PAGE)
    listings = selected(call, type_required=False) if kind in ("", SWAP) and mode != "isolated" else []
    since_ms = call.engine.now_ms() - KEPT_MS
    found = [
        (episode.updated_ms, row)
        for listing in listings
        for episode in episodes(_since_flat(call.engine.fills(call.account, listing.symbol)[::-1], _held(call, listing)))
        if episode.closed and episode.updated_ms >= since_ms
        for row in [_row(call, listing, episode)]
        if wanted in ("", row["type"]) and named in ("", row["posId"])
    ]
    chosen = [each for each in found if (after is None or each[0] < after) and (before is None or each[0] > before)]
    chosen.reverse()  # of two in one millisecond the later one comes first
    chosen.sort(key=lambda each: each[0], reverse=True)
    return [row for _, row in chosen[:limit]]


def _held(call: PrivateCall, listing: Listing) -> Decimal:
    position = call.account.positions.get(listing.symbol)
    return position.quantity if position else ZERO


def _row(call: PrivateCall, listing: Listing, episode: Episode) -> Row:
    entry = episode.opened_value / episode.opened
    leverage = call.engine.leverage(call.account, listing.symbol)
    realized = episode.pnl - episode.fees
    return {
        "cTime": str(episode.opened_ms),
        "ccy": "USDT",
        "closeAvgPx": ratio(episode.closed_value / episode.closed),
        "closeTotalPos": contracts(listing, episode.closed),
        "direction": "long" if episode.is_long else "short",
        "fee": ratio(-episode.fees),
        "fundingFee": "0",
        "instId": listing.venue_symbol,
        "instType": SWAP,
        "lever": str(leverage),
        "liqPenalty": "0",
        "mgnMode": "cross",
        "nonSettleAvgPx": "",
        "openAvgPx": ratio(entry),
        "openMaxPos": contracts(listing, episode.largest),
        "pnl": plain(episode.pnl),
        "pnlRatio": ratio(realized * leverage / (entry * episode.largest)),
        "posId": position_id(instrument_code(call.engine.listings(Venue.OKX), listing)),
        "posSide": "net",
        "realizedPnl": ratio(realized),
        "settledPnl": "",
        "triggerPx": "",
        "type": _PARTIALLY_CLOSED if episode.held else _CLOSED,
        "uTime": str(episode.updated_ms),
        "uly": family(listing),
    }
