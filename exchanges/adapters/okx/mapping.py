"""OKX V5 wire dictionaries -> domain types: instruments, positions, balances, account, prices, candles. Pure: no request, no clock.

From OKX's API documentation, read November 2026. Orders have a file of their own beside this one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter

from exchanges.adapters.okx.wire import (
    EXACT,
    LEGS,
    MARGIN_MODES,
    Row,
    to_base_units,
    to_base_units_or_none,
    to_milliseconds,
    to_moment,
    to_moment_or_none,
    to_price_or_none,
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

# Candles of six hours and more open at UTC+8 unless their name says utc.
_UTC_BARS = {"6h": "6Hutc", "12h": "12Hutc", "1d": "1Dutc", "1w": "1Wutc"}
BARS = {"1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H"} | _UTC_BARS

# Asking the Enum class for a member takes half as long as reading a Decimal.
_BOTH, _LONG, _SHORT = PositionSide.BOTH, PositionSide.LONG, PositionSide.SHORT
_CROSS = MarginMode.CROSS
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}

_INSTRUMENTS = TypeAdapter(list[Instrument])


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """`is_single_currency`: OKX's Futures mode, where margin figures exist per currency only, not for the account."""

    position_mode: PositionMode
    is_single_currency: bool


def to_instruments(rows: Iterable[Row]) -> list[Instrument]:
    """The linear USDT perpetuals that are listed. Not yet opened and test listings are left out: some of their figures are empty."""
    return _INSTRUMENTS.validate_python([_instrument(row) for row in rows if _is_covered(row)])


def _is_covered(row: Row) -> bool:
    base, *rest = row["instId"].split("-")
    is_linear_usdt = row["ctType"] == "linear" and row["settleCcy"] == "USDT" and rest == ["USDT", "SWAP"] and row["ctValCcy"] == base
    return is_linear_usdt and row["state"] not in ("preopen", "test")


def _instrument(row: Row) -> Row:
    base = row["instId"].split("-")[0]
    contract_size = EXACT.multiply(to_decimal(row["ctVal"]), to_decimal(row["ctMult"]))
    underlying, multiplier = split_multiplier(base)
    return {
        "symbol": f"{base}USDT",
        "venue_symbol": row["instId"],
        "underlying": underlying,
        "multiplier": multiplier,
        "tick": to_decimal(row["tickSz"]),
        "lot": to_base_units(row["lotSz"], contract_size),
        "min_quantity": to_base_units(row["minSz"], contract_size),
        "max_quantity": to_base_units_or_none(row.get("maxLmtSz"), contract_size),
        "max_market_quantity": to_base_units_or_none(row.get("maxMktSz"), contract_size),
        "contract_size": contract_size,
        "max_leverage": to_decimal_or_none(row.get("lever")),
        "status": InstrumentStatus.TRADING if row["state"] == "live" else InstrumentStatus.HALTED,
    }


def to_listing_time_ms(rows: list[Row]) -> int:
    (row,) = rows
    return to_milliseconds(row["listTime"])


def to_position_book(rows: Iterable[Row], instruments: Mapping[str, Instrument]) -> PositionBook:
    positions: list[Position] = []
    not_covered: list[str] = []
    for row in rows:
        contracts = to_decimal_or_none(row["pos"])
        if not contracts:
            continue
        instrument = instruments.get(row["instId"]) if row["instType"] == "SWAP" else None
        if instrument is None:
            not_covered.append(to_text(row["instId"]))
        else:
            positions.append(_position(row, contracts, instrument))
    return PositionBook(positions, not_covered)


def _position(row: Row, contracts: Decimal, instrument: Instrument) -> Position:
    """In net mode the sign of pos is the direction; in long/short mode posSide is, and pos is positive."""
    leg = LEGS[row["posSide"]]
    side = leg
    if leg is _BOTH:
        side = _LONG if contracts > 0 else _SHORT
    elif contracts < 0:
        raise ValueError(f"a {row['posSide']} leg with pos {row['pos']}")
    margin_mode = MARGIN_MODES[row["mgnMode"]]
    margin = row.get("imr" if margin_mode is _CROSS else "margin")
    entry_price, mark_price, unrealized_pnl, liquidation_price, realized_pnl, leverage, margin = to_decimals_or_none(
        (row["avgPx"], row["markPx"], row["upl"], row.get("liqPx"), row.get("realizedPnl"), row.get("lever"), margin)
    )
    if entry_price is None or mark_price is None or unrealized_pnl is None:
        raise ValueError("a position without a price")
    # By place: names cost a fifth of the whole mapping of a hundred positions.
    return Position(
        instrument.symbol,
        instrument.venue_symbol,
        side,
        EXACT.multiply(abs(contracts), instrument.contract_size),
        entry_price,
        mark_price,
        unrealized_pnl,
        margin_mode,
        leg,
        liquidation_price if liquidation_price is not None and liquidation_price > 0 else None,
        realized_pnl,
        leverage,
        margin,
        to_moment_or_none(row.get("uTime")),
    )


def to_balances(rows: list[Row]) -> list[Balance]:
    """cashBal is the wallet before unrealised PnL; a currency with neither cash nor equity is not held."""
    (account,) = rows
    return [balance for row in account["details"] if (balance := _balance_or_none(row))]


def _balance_or_none(detail: Row) -> Balance | None:
    total, equity, available_equity, available, unrealized_pnl, equity_usd = to_decimals_or_none(
        (detail["cashBal"], detail.get("eq"), detail.get("availEq"), detail.get("availBal"), detail.get("upl"), detail.get("eqUsd"))
    )
    if total is None:
        raise ValueError("a currency without cashBal")
    if not (total or equity):
        return None
    return Balance(
        asset=to_text(detail["ccy"]),
        total=total,
        available=available if available_equity is None else available_equity,
        unrealized_pnl=unrealized_pnl,
        equity_usd=equity_usd,
        updated_at=to_moment_or_none(detail.get("uTime")),
    )


def to_wallet(rows: list[Row], config: AccountConfig) -> Wallet:
    return Wallet(to_balances(rows), to_account(rows, config))


def to_account_config(rows: list[Row]) -> AccountConfig:
    (config,) = rows
    return AccountConfig(position_mode=POSITION_MODES[config["posMode"]], is_single_currency=config["acctLv"] == "2")


def to_account(rows: list[Row], config: AccountConfig) -> AccountSummary:
    """In Futures mode OKX leaves the account's margin figures empty. USDT's own stand for them as long as nothing else is margined."""
    (account,) = rows
    figures = {name: to_decimal_or_none(account.get(name)) for name in ("availEq", "upl", "imr", "mmr")}
    if config.is_single_currency:
        usdt = {name: to_decimal_or_none(value) for name, value in _sole_margin(account["details"]).items() if name in figures}
        figures = {name: usdt.get(name) if value is None else value for name, value in figures.items()}
    return AccountSummary(
        equity_usd=to_decimal_or_none(account["totalEq"]),
        equity_basis="totalEq",
        available_usd=figures["availEq"],
        unrealized_pnl_usd=figures["upl"],
        initial_margin_usd=figures["imr"],
        maintenance_margin_usd=figures["mmr"],
        position_mode=config.position_mode,
        updated_at=to_moment_or_none(account.get("uTime")),
    )


def _sole_margin(details: list[Row]) -> Row:
    """USDT's row where no other currency carries margin, else nothing: amounts of several currencies do not add up to USD."""
    others_are_free = not any(to_decimal_or_none(detail.get("imr")) for detail in details if detail["ccy"] != "USDT")
    return next((detail for detail in details if detail["ccy"] == "USDT" and others_are_free), {})


def to_mark_prices(rows: Iterable[Row], instruments: Mapping[str, Instrument]) -> list[MarkPrice]:
    """Covered instruments that have a mark price; a halted one may have none."""
    prices: list[MarkPrice] = []
    for row in rows:
        instrument = instruments.get(row["instId"])
        if instrument is None:
            continue
        mark_price, updated_at = to_price_or_none(row["markPx"]), to_moment(row["ts"])
        if mark_price is not None:
            prices.append(MarkPrice(symbol=instrument.symbol, mark_price=mark_price, updated_at=updated_at))
    return prices


def to_klines(rows: Iterable[list[Any]], symbol: str, interval: str) -> list[Kline]:
    """Candles in the venue's order, newest first. Fields: ts, o, h, l, c, vol (contracts), volCcy (base), volCcyQuote, confirm."""
    length = timedelta(seconds=KLINE_INTERVALS_S[interval])
    return [_kline(row, symbol, interval, length) for row in rows]


def _kline(row: list[Any], symbol: str, interval: str, length: timedelta) -> Kline:
    opened, *prices, _contracts, base, quote, confirm = row[:9]
    opens_at = to_moment(opened)
    first, high, low, last, volume, turnover = to_decimals((*prices, base, quote))
    return Kline(
        symbol=symbol,
        interval=interval,
        open_time=opens_at,
        close_time=opens_at + length,
        open=first,
        high=high,
        low=low,
        close=last,
        volume=volume,
        turnover=turnover,
        is_closed={"0": False, "1": True}[confirm],
    )


def to_server_time_ms(rows: list[Row]) -> int:
    (row,) = rows
    return to_milliseconds(row["ts"])
