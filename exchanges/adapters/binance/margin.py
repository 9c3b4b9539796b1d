"""Leverage, margin mode and position mode of a Binance USD-M account, wire to domain and domain to wire. Pure.

Source: Binance USD-M futures REST documentation, Symbol Configuration, Change Margin Type, Notional and Leverage Brackets.
"""

from collections.abc import Collection
from decimal import Decimal
from itertools import pairwise

from exchanges.adapters.binance.errors import SUCCESS_CODE, to_code
from exchanges.adapters.binance.mapping import MARGIN_MODES, Row, SymbolConfig, rows_of
from exchanges.decimals import to_decimal
from exchanges.domain import LeverageBracket, MarginMode, PositionMode, SymbolSettings

MARGIN_TYPES = {MarginMode.CROSS: "CROSSED", MarginMode.ISOLATED: "ISOLATED"}
DUAL_SIDE = {PositionMode.HEDGE: "true", PositionMode.ONE_WAY: "false"}
# What the last bracket of some symbols says in place of "no end": the largest 64-bit number.
_NO_END = Decimal(2**63 - 1_000)


def to_symbol_configs(answer: object, symbols: Collection[str]) -> dict[str, SymbolConfig]:
    """symbolConfig, for `symbols` alone: the venue lists several hundred."""
    return {
        row["symbol"]: SymbolConfig(to_decimal(row["leverage"]), MARGIN_MODES[row["marginType"].upper()])
        for row in rows_of(answer)
        if row["symbol"] in symbols
    }


def to_symbol_settings(answer: object, symbol: str) -> SymbolSettings:
    config = to_symbol_configs(answer, {symbol})[symbol]
    return SymbolSettings(symbol, config.margin_mode, config.leverage, config.leverage)


def to_position_mode(body: Row) -> PositionMode:
    """KeyError for anything but true and false."""
    return {True: PositionMode.HEDGE, False: PositionMode.ONE_WAY}[body["dualSidePosition"]]


def is_leverage_set(body: Row, *, symbol: str, leverage: int) -> bool:
    if body["symbol"] != symbol:
        raise ValueError("another symbol than was asked about")
    return to_decimal(body["leverage"]) == leverage


def is_changed(body: Row) -> bool:
    """The answer to a change of margin or position mode. ValueError for one that does not say success."""
    if to_code(body["code"]) != SUCCESS_CODE:
        raise ValueError("no success")
    return True


def to_leverage_brackets(answer: object, symbol: str) -> list[LeverageBracket]:
    """Of leverageBracket: a list also for one symbol, or that symbol's object alone, as the documentation says both."""
    rows = [answer] if isinstance(answer, dict) else rows_of(answer)
    (row,) = [row for row in rows if row["symbol"] == symbol]
    brackets = sorted(_bracket(each) for each in rows_of(row["brackets"]))
    if not brackets or any(lower.cap_usd != upper.floor_usd for lower, upper in pairwise(brackets)):
        raise ValueError("brackets with a gap")
    return brackets


def _bracket(row: Row) -> LeverageBracket:
    cap = _number(row["notionalCap"])
    return LeverageBracket(
        floor_usd=_number(row["notionalFloor"]),
        cap_usd=None if cap >= _NO_END else cap,
        max_leverage=_number(row["initialLeverage"]),
        maintenance_rate=_number(row["maintMarginRatio"]),
        maintenance_amount_usd=_number(row["cum"]),
    )


def _number(value: object) -> Decimal:
    """This endpoint alone writes rates as JSON numbers; their shortest notation is what the venue wrote."""
    return to_decimal(repr(value) if isinstance(value, float) else value)
