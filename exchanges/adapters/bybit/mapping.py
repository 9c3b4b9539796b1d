"""Bybit's positions, balances, account, instruments and marks -> domain. Pure. Orders are in orders.py, candles in candles.py.

Each function takes the venue's envelope (retCode 0) and may raise whatever a malformed one causes; `wire.answered` makes that one error.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from pydantic import TypeAdapter

from exchanges.adapters.bybit.wire import (
    EPOCH,
    LEGS,
    MILLISECOND,
    NO_TIME,
    Row,
    to_milliseconds,
    to_moment,
    to_price_or_none,
    to_rows,
    to_text,
)
from exchanges.decimals import to_decimal, to_decimal_or_none
from exchanges.domain import (
    KLINE_INTERVALS_S,
    AccountSummary,
    Balance,
    Instrument,
    InstrumentStatus,
    Kline,
    MarginMode,
    MarkPrice,
    Position,
    PositionBook,
    PositionMode,
    PositionSide,
)
from exchanges.instruments import split_multiplier

EQUITY_BASIS = "totalEquity"
UNDERSCALED_BASES = {"SHIB1000": ("SHIB", 1000)}

_POSITIONS = TypeAdapter(list[Position])
_MARKS = TypeAdapter(list[MarkPrice])
_KLINES = TypeAdapter(list[Kline])
_DIRECTIONS = {"Buy": PositionSide.LONG, "Sell": PositionSide.SHORT}
_MARGIN_MODES = {
    "REGULAR_MARGIN": MarginMode.CROSS,
    "PORTFOLIO_MARGIN": MarginMode.CROSS,
    "ISOLATED_MARGIN": MarginMode.ISOLATED,
}


def to_position_book(envelopes: Iterable[Row], instruments: Mapping[str, Instrument], margin_mode: MarginMode) -> PositionBook:
    """Open positions of all pages; one listed on two pages counts once, as last seen. What is no linear USDT perpetual is named."""
    rows = {(row["symbol"], row["positionIdx"]): row for envelope in envelopes for row in to_rows(envelope) if is_open(row)}
    covered, not_covered = [], []
    for (venue_symbol, _), row in rows.items():
        instrument = instruments.get(venue_symbol)
        if instrument is None:
            not_covered.append(to_text(venue_symbol))
        else:
            covered.append(_position_fields(row, instrument.symbol, margin_mode))
    return PositionBook(positions=_POSITIONS.validate_python(covered), not_covered=not_covered)


def to_open_symbols(envelopes: Iterable[Row]) -> list[str]:
    """The venue symbols of open positions, whatever they are."""
    return sorted({to_text(row["symbol"]) for envelope in envelopes for row in to_rows(envelope) if is_open(row)})


def is_open(row: Row) -> bool:
    """Bybit lists closed legs with size "0", "0.000" or "". Whether anything else is a number is found out where it is read."""
    size: str = row["size"]
    return size.strip("0.") != ""


def to_position_mode(envelope: Row) -> PositionMode:
    """From the rows of one symbol: Bybit lists its legs also where nothing is open, one with idx 0 or two with idx 1 and 2."""
    legs = {LEGS[row["positionIdx"]] for row in to_rows(envelope)}
    if not legs:
        raise ValueError("no row tells the position mode")
    return PositionMode.ONE_WAY if legs == {PositionSide.BOTH} else PositionMode.HEDGE


def to_margin_mode(envelope: Row) -> MarginMode:
    """Bybit keeps one mode for the account; the tradeMode of a position row is deprecated and always 0."""
    return _MARGIN_MODES[envelope["result"]["marginMode"]]


def to_balances(envelope: Row) -> list[Balance]:
    """Coins that are held or owed. Margin is shared by all coins, so what is available is told for the account only."""
    updated_at = to_moment(envelope["time"])
    balances = []
    for row in _wallet(envelope)["coin"]:
        own = to_decimal(row["walletBalance"]) - (to_decimal_or_none(row.get("spotBorrow")) or Decimal(0))
        if own == 0 and not to_price_or_none(row.get("equity")):
            continue
        balances.append(
            Balance(
                asset=to_text(row["coin"]),
                total=own,
                unrealized_pnl=to_decimal_or_none(row.get("unrealisedPnl")),
                equity_usd=to_decimal_or_none(row.get("usdValue")),
                updated_at=updated_at,
            )
        )
    return balances


def to_account(envelope: Row, position_mode: PositionMode) -> AccountSummary:
    """Totals in USD as the venue converts them; under isolated margin it leaves the account-wide ones empty."""
    wallet = _wallet(envelope)
    return AccountSummary(
        equity_usd=to_decimal_or_none(wallet["totalEquity"]),
        equity_basis=EQUITY_BASIS,
        available_usd=to_decimal_or_none(wallet.get("totalAvailableBalance")),
        unrealized_pnl_usd=to_decimal_or_none(wallet.get("totalPerpUPL")),
        initial_margin_usd=to_decimal_or_none(wallet.get("totalInitialMargin")),
        maintenance_margin_usd=to_decimal_or_none(wallet.get("totalMaintenanceMargin")),
        position_mode=position_mode,
        updated_at=to_moment(envelope["time"]),
    )


def to_instruments(envelopes: Iterable[Row]) -> list[Instrument]:
    """Linear USDT perpetuals only: the list also holds USDC contracts and dated futures."""
    rows = {to_text(row["symbol"]): row for envelope in envelopes for row in to_rows(envelope)}
    return [_to_instrument(row) for row in rows.values() if _is_covered(row)]


def to_marks(envelope: Row, instruments: Mapping[str, Instrument]) -> list[MarkPrice]:
    """Marks of covered instruments; one that the venue has no mark for is left out."""
    updated_at = to_moment(envelope["time"])
    marks = []
    for row in to_rows(envelope):
        instrument = instruments.get(row["symbol"])
        mark = to_price_or_none(row["markPrice"]) if instrument else None
        if instrument is None or mark is None:
            continue
        index = to_price_or_none(row.get("indexPrice"))
        marks.append({"symbol": instrument.symbol, "mark_price": mark, "index_price": index, "updated_at": updated_at})
    return _MARKS.validate_python(marks)


def to_klines(envelope: Row, instrument: Instrument, interval: str, now_ms: int) -> list[Kline]:
    """Oldest first; the venue sends the newest first. A candle is closed when its interval is over on the venue's clock."""
    if envelope["result"]["symbol"] != instrument.venue_symbol:
        raise ValueError("candles of another symbol")
    length = timedelta(seconds=KLINE_INTERVALS_S[interval])
    now = EPOCH + now_ms * MILLISECOND
    klines = []
    for row in reversed(to_rows(envelope)):
        open_time = to_moment(row[0])
        klines.append(
            {
                "symbol": instrument.symbol,
                "interval": interval,
                "open_time": open_time,
                "close_time": open_time + length,
                "open": to_decimal(row[1]),
                "high": to_decimal(row[2]),
                "low": to_decimal(row[3]),
                "close": to_decimal(row[4]),
                "volume": to_decimal(row[5]),
                "turnover": to_decimal(row[6]),
                "is_closed": open_time + length <= now,
            }
        )
    return _KLINES.validate_python(klines)


def to_server_time_ms(envelope: Row) -> int:
    return to_milliseconds(envelope["result"]["timeNano"]) // 1_000_000


def _position_fields(row: Row, symbol: str, margin_mode: MarginMode) -> Row:
    """Numbers stay strings here: the one validation of the whole list makes them Decimal."""
    size, entry, mark, unrealized, updated = row["size"], row["avgPrice"], row["markPrice"], row["unrealisedPnl"], row["updatedTime"]
    liquidation, leverage, margin, realized = row["liqPrice"], row["leverage"], row["positionIM"], row.get("curRealisedPnl") or ""
    # Joining refuses whatever is no string, a JSON number above all: validation would take a float for a Decimal.
    "".join((size, entry, mark, unrealized, updated, liquidation, leverage, margin, realized))
    return {
        "symbol": symbol,
        "venue_symbol": row["symbol"],
        "side": _DIRECTIONS[row["side"]],
        "quantity": size,
        "entry_price": entry,
        "mark_price": mark,
        "liquidation_price": liquidation or None,
        "unrealized_pnl": unrealized,
        "realized_pnl": realized or None,
        "leverage": leverage or None,
        "margin": margin or None,
        "margin_mode": margin_mode,
        "position_side": LEGS[row["positionIdx"]],
        "updated_at": None if updated in NO_TIME else EPOCH + int(updated) * MILLISECOND,
    }


def _wallet(envelope: Row) -> Row:
    wallets: list[Row] = [row for row in to_rows(envelope) if row["accountType"] == "UNIFIED"]
    if len(wallets) != 1:
        raise ValueError(f"{len(wallets)} unified wallets")
    return wallets[0]


def _is_covered(row: Row) -> bool:
    kind = (row["contractType"], row["quoteCoin"], row["settleCoin"])
    return kind == ("LinearPerpetual", "USDT", "USDT") and row["status"] != "Closed"


def _to_instrument(row: Row) -> Instrument:
    base = to_text(row["baseCoin"])
    underlying, multiplier = UNDERSCALED_BASES.get(base) or split_multiplier(base)
    lots, prices = row["lotSizeFilter"], row["priceFilter"]
    return Instrument(
        symbol=f"{base}USDT",
        venue_symbol=row["symbol"],
        underlying=underlying,
        multiplier=Decimal(multiplier),
        tick=to_decimal(prices["tickSize"]),
        lot=to_decimal(lots["qtyStep"]),
        min_quantity=to_decimal(lots["minOrderQty"]),
        max_quantity=to_decimal_or_none(lots.get("maxOrderQty")),
        max_market_quantity=to_decimal_or_none(lots.get("maxMktOrderQty")),
        min_notional=to_decimal_or_none(lots.get("minNotionalValue")),
        max_leverage=to_decimal_or_none(row["leverageFilter"].get("maxLeverage")),
        status=InstrumentStatus.TRADING if row["status"] == "Trading" else InstrumentStatus.HALTED,
    )
