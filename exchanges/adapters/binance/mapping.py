"""Binance USD-M wire to domain: account, positions, market data. Pure; orders are in orders.py.

Quantities on the wire are base units and a symbol is its own venue symbol, so nothing is converted. A number that is zero where zero means
"none" becomes None. Source: Binance USD-M futures REST documentation.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, ParamSpec, TypeVar

from pydantic import TypeAdapter, ValidationError

from exchanges.adapters.binance.errors import EXCHANGE
from exchanges.decimals import to_decimal, to_decimal_or_none, to_decimals, to_decimals_or_none
from exchanges.domain import (
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
from exchanges.errors import BadVenueResponse
from exchanges.instruments import split_multiplier

T = TypeVar("T")
P = ParamSpec("P")
Row = Mapping[str, Any]
Holding = tuple[Row, Decimal]

MAX_MS = 10**14
_moment = datetime.fromtimestamp
# Asking the Enum class for a member takes half as long as reading a Decimal.
_BOTH, _LONG, _SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT
_CROSS, _ISOLATED = MarginMode.CROSS, MarginMode.ISOLATED
_POSITION_SIDES = {side.value: side for side in PositionSide}
MARGIN_MODES = {"CROSSED": MarginMode.CROSS, "CROSS": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
_PERPETUALS = frozenset({"PERPETUAL", "TRADIFI_PERPETUAL", "PERPETUAL_DELIVERING"})

_INSTRUMENTS = TypeAdapter(list[Instrument])


class SymbolConfig(NamedTuple):
    leverage: Decimal
    margin_mode: MarginMode


def read(what: str, to_x: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`to_x(...)`; whatever is malformed in the answer becomes a BadVenueResponse that names the place, not the value."""
    try:
        return to_x(*args, **kwargs)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise BadVenueResponse(
            f"the exchange's answer cannot be read ({what}: {_place(error)})", exchange=EXCHANGE, original_error=error
        ) from error


def rows_of(answer: object) -> list[Any]:
    """The list that an answer is. An empty object or text is not an empty list: it would read as "no positions"."""
    if not isinstance(answer, list):
        raise TypeError("not a list")
    return answer


def to_holdings(answer: object) -> list[Holding]:
    """The rows of positionRisk that hold something, each with its signed amount."""
    rows = rows_of(answer)
    amounts = to_decimals([row["positionAmt"] for row in rows])
    return [(row, amount) for row, amount in zip(rows, amounts, strict=True) if amount]


def without_leverage(holdings: Sequence[Holding]) -> set[str]:
    """The symbols of rows that do not say their leverage themselves, as v3 does not."""
    return {row["symbol"] for row, _ in holdings if "leverage" not in row}


def to_position_book(
    holdings: Sequence[Holding], *, instruments: Mapping[str, Instrument], settings: Mapping[str, SymbolConfig | None]
) -> PositionBook:
    """Positions of `instruments` (by venue symbol), with leverage and margin mode of `settings`, of which a symbol may be missing."""
    positions: list[Position] = []
    not_covered: dict[str, None] = {}
    for row, amount in holdings:
        venue_symbol = row["symbol"]
        instrument = instruments.get(venue_symbol)
        if instrument is None:
            not_covered[to_text(venue_symbol)] = None
        else:
            positions.append(_position(row, amount, instrument.symbol, settings.get(venue_symbol)))
    return PositionBook(positions, list(not_covered))


def to_balances(body: Row) -> list[Balance]:
    """Assets of account v3 that hold something. Only USDT is valued: it counts as 1 USD."""
    return [balance for row in rows_of(body["assets"]) if (balance := _balance_or_none(row))]


def _balance_or_none(row: Row) -> Balance | None:
    is_usd = row["asset"] == "USDT"
    total, unrealized_pnl, equity, available = to_decimals_or_none(
        (row["walletBalance"], row["unrealizedProfit"], row["marginBalance"] if is_usd else "", row.get("availableBalance", ""))
    )
    if total is None or unrealized_pnl is None or (is_usd and equity is None):
        raise ValueError("an asset without a balance")
    if not (total or unrealized_pnl):
        return None
    return Balance(
        asset=to_text(row["asset"]),
        total=total,
        available=available,
        unrealized_pnl=unrealized_pnl,
        equity_usd=equity,
        updated_at=to_time(row.get("updateTime")),
    )


def to_wallet(body: Row, mode: PositionMode) -> Wallet:
    return Wallet(to_balances(body), to_account(body, mode))


def to_account(body: Row, mode: PositionMode) -> AccountSummary:
    """Totals of account v3, in USD by the venue's own conversion (in single-asset mode it counts USDT alone)."""
    return AccountSummary(
        equity_usd=to_decimal(body["totalMarginBalance"]),
        equity_basis="totalMarginBalance",
        available_usd=to_decimal(body["availableBalance"]),
        unrealized_pnl_usd=to_decimal(body["totalUnrealizedProfit"]),
        initial_margin_usd=to_decimal(body["totalInitialMargin"]),
        maintenance_margin_usd=to_decimal(body["totalMaintMargin"]),
        position_mode=mode,
        updated_at=max(filter(None, (to_time(row.get("updateTime")) for row in rows_of(body["assets"]))), default=None),
    )


def to_klines(answer: object, *, symbol: str, interval: str, now_ms: int) -> list[Kline]:
    """Rows of klines, oldest first. The venue's close time is the last millisecond of the candle, ours the first after."""
    rows = rows_of(answer)
    if any(later[0] <= earlier[0] for earlier, later in pairwise(rows)):
        raise ValueError("candles out of order")
    return [_kline(row, symbol, interval, now_ms) for row in rows]


def _kline(row: Sequence[Any], symbol: str, interval: str, now_ms: int) -> Kline:
    first, high, low, last, volume, turnover = to_decimals((*row[1:6], row[7]))
    opened_ms, last_ms = _ms(row[0]), _ms(row[6])
    return Kline(
        symbol=symbol,
        interval=interval,
        open_time=_moment(opened_ms / 1_000, UTC),
        close_time=_moment((last_ms + 1) / 1_000, UTC),
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        turnover=turnover,
        is_closed=last_ms < now_ms,
    )


def to_mark_prices(answer: object, instruments: Mapping[str, Instrument]) -> list[MarkPrice]:
    """Rows of premiumIndex for `instruments` (by venue symbol). A market that is not open yet has a mark of 0, which is none."""
    return [
        MarkPrice(
            symbol=instruments[row["symbol"]].symbol,
            mark_price=_positive(mark_price),
            updated_at=_moment(_ms(row["time"]) / 1_000, UTC),
            index_price=to_decimal_or_none(row.get("indexPrice")) or None,
        )
        for row in rows_of(answer)
        if row["symbol"] in instruments and (mark_price := to_decimal(row["markPrice"]))
    ]


def to_instruments(body: Row) -> list[Instrument]:
    """Linear USDT perpetuals of exchangeInfo, those on shares and metals (TRADIFI_PERPETUAL) included."""
    return _INSTRUMENTS.validate_python([_instrument_fields(row) for row in rows_of(body["symbols"]) if _is_covered(row)])


def to_server_time_ms(body: Row) -> int:
    return _ms(body["serverTime"])


def to_time(value: object) -> datetime | None:
    """Wire milliseconds, None for 0 and null."""
    if type(value) is int and 0 < value < MAX_MS:  # as nearly always
        return _moment(value / 1_000, UTC)
    return None if value in (None, 0, "0", "") else _moment(_ms(value) / 1_000, UTC)


def to_moment(value: object) -> datetime:
    """Wire milliseconds that must be there."""
    return _moment(_ms(value) / 1_000, UTC)


def to_text(value: object) -> str:
    """A symbol, an asset, a client order id: all are text."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _position(row: Row, amount: Decimal, symbol: str, settings: SymbolConfig | None) -> Position:
    leg = _POSITION_SIDES[row["positionSide"]]
    side = _LONG if amount > 0 else _SHORT
    if leg is not side and leg is not _BOTH:
        raise ValueError("the sign of a position contradicts its leg")
    isolated_margin = row.get("isolatedWallet")
    if not isolated_margin or not isolated_margin.strip("-0."):
        isolated_margin = row.get("isolatedMargin")
        if isolated_margin and not isolated_margin.strip("-0."):
            isolated_margin = None
    margin_mode = _margin_mode(row, isolated_margin, settings)
    margin = isolated_margin if margin_mode is _ISOLATED else row.get("positionInitialMargin")
    entry_price, mark_price, unrealized_pnl, liquidation_price, margin = to_decimals_or_none(
        (row["entryPrice"], row["markPrice"], row["unRealizedProfit"], row.get("liquidationPrice") or "", margin or ""),
        only_text=True,
    )
    if entry_price is None or mark_price is None or unrealized_pnl is None:
        raise ValueError("a position without a price")
    leverage = to_decimal_or_none(row["leverage"]) if "leverage" in row else None
    # By place: names cost a fifth of the whole mapping of a hundred positions.
    return Position(
        symbol,
        row["symbol"],
        side,
        abs(amount),
        entry_price,
        mark_price,
        unrealized_pnl,
        margin_mode,
        leg,
        liquidation_price or None,
        None,
        leverage or (settings.leverage if settings else None),
        margin or None,
        to_time(row.get("updateTime")),
    )


def _margin_mode(row: Row, isolated_margin: str | None, settings: SymbolConfig | None) -> MarginMode:
    """What the row itself says goes before the settings, which may be a minute old."""
    if "marginType" in row:
        return MARGIN_MODES[row["marginType"].upper()]
    if isolated_margin or row.get("isolated") is True:
        return _ISOLATED
    return settings.margin_mode if settings else _CROSS


def _is_covered(row: Row) -> bool:
    return row["contractType"] in _PERPETUALS and row["quoteAsset"] == "USDT" and row["marginAsset"] == "USDT"


def _instrument_fields(row: Row) -> dict[str, Any]:
    filters = {rule["filterType"]: rule for rule in row["filters"]}
    price, lot, market = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", {})
    underlying, multiplier = split_multiplier(row["baseAsset"])
    return {
        "symbol": row["symbol"],
        "venue_symbol": row["symbol"],
        "underlying": underlying,
        "multiplier": multiplier,
        "tick": to_decimal(price["tickSize"]),
        "lot": to_decimal(lot["stepSize"]),
        "market_lot": to_decimal_or_none(market.get("stepSize")) or None,
        "min_quantity": to_decimal(lot["minQty"]),
        "max_quantity": to_decimal(lot["maxQty"]) or None,
        "max_market_quantity": to_decimal_or_none(market.get("maxQty")) or None,
        "min_notional": to_decimal_or_none(filters.get("MIN_NOTIONAL", {}).get("notional")),
        "status": InstrumentStatus.TRADING if row["status"] == "TRADING" else InstrumentStatus.HALTED,
    }


def _ms(value: object) -> int:
    """Wire milliseconds as a number; ValueError for what is none."""
    number = value if type(value) is int else to_decimal(value)
    if not 0 < number < MAX_MS or number % 1:
        raise ValueError("not a time in milliseconds")
    return int(number)


def _positive(number: Decimal) -> Decimal:
    if number <= 0:
        raise ValueError("a price that is not above zero")
    return number


def _place(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))} {first['type']}"
    return f"no {error}" if isinstance(error, KeyError) else type(error).__name__
