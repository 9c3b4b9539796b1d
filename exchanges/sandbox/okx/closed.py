"""What became of positions: one row for each that was closed, in whole or in part, told from the fills that made it and from what the
statement charged or paid it while it was held."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.model import ZERO, Entry, EntryKind, Fill, Listing, PositionKey, Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.instruments import SWAP, TYPES, family, instrument_code, selected
from exchanges.sandbox.okx.liquidations import liquidations
from exchanges.sandbox.okx.modes import MARGIN_MODES
from exchanges.sandbox.okx.statement import entry_key
from exchanges.sandbox.okx.wire import contracts, plain, position_id, ratio
from exchanges.sandbox.path import DAY_MS
from exchanges.sandbox.positions import opening_fee

PAGE = 100
KEPT_MS = 90 * DAY_MS
_PARTIALLY_CLOSED, _CLOSED, _LIQUIDATED = "1", "2", "3"


@dataclass(slots=True)
class Episode:
    """A position from the fill that opened it on, in base units; `held` is signed. A fill's fee is shared between what it closed and
    what it opened."""

    opening: Fill
    last: Fill
    held: Decimal = ZERO
    largest: Decimal = ZERO
    opened: Decimal = ZERO
    opened_value: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO
    pnl: Decimal = ZERO
    fees: Decimal = ZERO
    is_long: bool = True

    @property
    def updated_ms(self) -> int:
        return self.last.time_ms


def episodes(fills: Iterable[Fill]) -> Iterator[Episode]:
    """Of one position's fills, oldest first, that began flat. A fill that turns the position around ends one episode and opens the next."""
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
            current = current or Episode(fill, fill, is_long=change > 0)
            _open(current, fill, opening)
    if current:
        yield current


def _since_flat(fills: Sequence[Fill], held: Decimal) -> Sequence[Fill]:
    """Those of a position's fills, oldest first, that came after it was flat for the first time: where the oldest were forgotten,
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
    episode.fees += fill.fee - opening_fee(fill.fee, quantity, fill.quantity)
    episode.last = fill


def _open(episode: Episode, fill: Fill, quantity: Decimal) -> None:
    episode.held += quantity if episode.is_long else -quantity
    episode.largest = max(episode.largest, abs(episode.held))
    episode.opened += quantity
    episode.opened_value += quantity * fill.price
    episode.fees += opening_fee(fill.fee, fill.quantity - quantity, fill.quantity)
    episode.last = fill


def positions_history(call: PrivateCall) -> list[Row]:
    """Newest first by the time of their last change; `after` and `before` are such times."""
    parameters = call.parameters
    kind = parameters.choice("instType", (*TYPES, ""), default="")
    mode = parameters.choice("mgnMode", (*MARGIN_MODES, ""), default="")
    wanted, named = parameters.text("type"), parameters.text("posId")
    after, before = parameters.integer("after"), parameters.integer("before")
    limit = parameters.limit(default=PAGE, maximum=PAGE)
    listings = {listing.symbol: listing for listing in selected(call, type_required=False)} if kind in ("", SWAP) else {}
    since_ms, forced = call.engine.now_ms() - KEPT_MS, liquidations(call)
    found = [
        (episode.last, row)
        for key, fills in _by_position(call).items()
        if key.symbol in listings and mode in ("", key.margin_mode)
        for episode in episodes(_since_flat(fills, _held(call, key)))
        if episode.closed and episode.updated_ms >= since_ms
        for row in [_row(call, listings[key.symbol], episode, forced)]
        if wanted in ("", row["type"]) and named in ("", row["posId"])
    ]
    chosen = [each for each in found if (after is None or each[0].time_ms < after) and (before is None or each[0].time_ms > before)]
    chosen.sort(key=lambda each: (each[0].time_ms, each[0].id), reverse=True)
    return [row for _, row in chosen[:limit]]


def _by_position(call: PrivateCall) -> dict[PositionKey, list[Fill]]:
    """Oldest first."""
    found: dict[PositionKey, list[Fill]] = {}
    for fill in reversed(call.engine.fills(call.account)):
        found.setdefault(fill.key, []).append(fill)
    return found


def _held(call: PrivateCall, key: PositionKey) -> Decimal:
    position = call.account.positions.get(key)
    return position.quantity if position else ZERO


def _row(call: PrivateCall, listing: Listing, episode: Episode, forced: frozenset[int]) -> Row:
    key, entry = episode.opening.key, episode.opened_value / episode.opened
    leverage = call.engine.leverage(call.account, key.symbol, key.margin_mode, key.leg)
    funding, penalty = _cash(call, episode, EntryKind.FUNDING), _cash(call, episode, EntryKind.LIQUIDATION_FEE)
    realized = episode.pnl - episode.fees + funding + penalty
    is_liquidated = episode.last.order_id in forced
    mark = call.engine.mark(Venue.OKX, key.symbol, episode.updated_ms)
    return {
        "cTime": str(episode.opening.time_ms),
        "ccy": "USDT",
        "closeAvgPx": ratio(episode.closed_value / episode.closed),
        "closeTotalPos": contracts(listing, episode.closed),
        "direction": "long" if episode.is_long else "short",
        "fee": ratio(-episode.fees),
        "fundingFee": plain(funding),
        "instId": listing.venue_symbol,
        "instType": SWAP,
        "lever": f"{leverage}.0",
        "liqPenalty": plain(penalty),
        "mgnMode": key.margin_mode.value,
        "nonSettleAvgPx": "",
        "openAvgPx": ratio(entry),
        "openMaxPos": contracts(listing, episode.largest),
        "pnl": plain(episode.pnl),
        "pnlRatio": ratio(realized * leverage / (entry * episode.largest)),
        "posId": position_id(instrument_code(call.engine.listings(Venue.OKX), listing), key),
        "posSide": key.leg.value,
        "realizedPnl": ratio(realized),
        "settledPnl": "",
        "triggerPx": plain(mark) if is_liquidated else "",
        "type": _LIQUIDATED if is_liquidated else _PARTIALLY_CLOSED if episode.held else _CLOSED,
        "uTime": str(episode.updated_ms),
        "uly": family(listing),
    }


def _cash(call: PrivateCall, episode: Episode, kind: EntryKind) -> Decimal:
    """What the statement charged or paid while the position was held."""

    def is_its_own(entry: Entry) -> bool:
        of_its_fill = entry.fill_id == episode.last.id
        return entry.id > episode.opening.id and (episode.held != 0 or entry.id < episode.last.id or of_its_fill)

    key = episode.opening.key
    entries = call.engine.statement(call.account, {kind}, key.symbol)
    return sum((entry.amount for entry in entries if entry_key(entry) == key and is_its_own(entry)), ZERO)
