"""Bybit's positions, balances, account, instruments and marks -> domain. Pure. Orders are in orders.py, candles in candles.py.

Each function takes the venue's envelope (retCode 0) and may raise whatever a malformed one causes; `wire.answered` makes that one error.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

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
from exchanges.decimals import to_decimal, to_decimal_or_none, to_decimals, to_decimals_or_none
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
    Wallet,
)
from exchanges.instruments import split_multiplier

EQUITY_BASIS = "totalEquity"
UNDERSCALED_BASES = {"SHIB1000": ("SHIB", 1000)}

_DIRECTIONS = {"Buy": PositionSide.LONG, "Sell": PositionSide.SHORT}
_MARGIN_MODES = {
    "REGULAR_MARGIN": MarginMode.CROSS,
    "PORTFOLIO_MARGIN": MarginMode.CROSS,
    "ISOLATED_MARGIN": MarginMode.ISOLATED,
}


def to_position_book(envelopes: Iterable[Row], instruments: Mapping[str, Instrument], margin_mode: MarginMode) -> PositionBook:
    """Open positions of all pages; one listed on two pages counts once, as last seen. What is no linear USDT perpetual is named."""
    rows = {(row["symbol"], row["positionIdx"]): row for envelope in envelopes for row in to_rows(envelope) if is_open(row)}
    covered: list[Position] = []
    not_covered: list[str] = []
    for (venue_symbol, _), row in rows.items():
        instrument = instruments.get(venue_symbol)
        if instrument is None:
            not_covered.append(to_text(venue_symbol))
        else:
            covered.append(_position(row, instrument.symbol, margin_mode))
    return PositionBook(covered, not_covered)


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
    return [balance for row in _wallet(envelope)["coin"] if (balance := _balance_or_none(row, updated_at))]


def _balance_or_none(row: Row, updated_at: datetime) -> Balance | None:
    total, borrowed, equity, unrealized_pnl, equity_usd = to_decimals_or_none(
        (row["walletBalance"], row.get("spotBorrow", ""), row.get("equity", ""), row.get("unrealisedPnl", ""), row.get("usdValue", ""))
    )
    if total is None:
        raise ValueError("a coin without walletBalance")
    own = total - borrowed if borrowed else total
    if not (own or equity):
        return None
    return Balance(asset=to_text(row["coin"]), total=own, unrealized_pnl=unrealized_pnl, equity_usd=equity_usd, updated_at=updated_at)


def to_wallet(envelope: Row, position_mode: PositionMode) -> Wallet:
    return Wallet(to_balances(envelope), to_account(envelope, position_mode))


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
    marks: list[MarkPrice] = []
    for row in to_rows(envelope):
        instrument = instruments.get(row["symbol"])
        mark = to_price_or_none(row["markPrice"]) if instrument else None
        if instrument is None or mark is None:
            continue
        index = to_price_or_none(row.get("indexPrice"))
        if mark < 0:
            raise ValueError("a mark price below zero")
        marks.append(MarkPrice(symbol=instrument.symbol, mark_price=mark, updated_at=updated_at, index_price=index))
    return marks


def to_klines(envelope: Row, instrument: Instrument, interval: str, now_ms: int) -> list[Kline]:
    """Oldest first; the venue sends the newest first. A candle is closed when its interval is over on the venue's clock."""
    if envelope["result"]["symbol"] != instrument.venue_symbol:
        raise ValueError("candles of another symbol")
    length = timedelta(seconds=KLINE_INTERVALS_S[interval])
    now = EPOCH + now_ms * MILLISECOND
    return [_kline(row, instrument.symbol, interval, length, now) for row in reversed(to_rows(envelope))]


def _kline(row: list[Any], symbol: str, interval: str, length: timedelta, now: datetime) -> Kline:
    open_time = to_moment(row[0])
    first, high, low, last, volume, turnover = to_decimals(row[1:7])
    return Kline(
        symbol=symbol,
        interval=interval,
        open_time=open_time,
        close_time=open_time + length,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        turnover=turnover,
        is_closed=open_time + length <= now,
    )


def to_server_time_ms(envelope: Row) -> int:
    return to_milliseconds(envelope["result"]["timeNano"]) // 1_000_000


def _position(row: Row, symbol: str, margin_mode: MarginMode) -> Position:
    updated = row["updatedTime"]
    if not isinstance(updated, str):
        raise TypeError("a time that is no text")
    quantity, entry_price, mark_price, unrealized_pnl, liquidation_price, leverage, margin, realized_pnl = to_decimals_or_none(
        (
            *(row["size"], row["avgPrice"], row["markPrice"], row["unrealisedPnl"]),
            *(row["liqPrice"], row["leverage"], row["positionIM"], row.get("curRealisedPnl") or ""),
        ),
        only_text=True,
    )
    if quantity is None or quantity <= 0 or entry_price is None or mark_price is None or unrealized_pnl is None:
        raise ValueError("a position without a quantity or a price")
    # By place: names cost a fifth of the whole mapping of a hundred positions.
    return Position(
        symbol,
        row["symbol"],
        _DIRECTIONS[row["side"]],
        quantity,
        entry_price,
        mark_price,
        unrealized_pnl,
        margin_mode,
        LEGS[row["positionIdx"]],
        liquidation_price or None,
        realized_pnl,
        leverage,
        margin,
        None if updated in NO_TIME else EPOCH + int(updated) * MILLISECOND,
    )


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
