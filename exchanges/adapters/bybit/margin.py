"""Leverage, margin mode and position mode of a Bybit account, wire to domain and domain to wire. Pure.

Source: the V5 documentation of Get Risk Limit, Get Position Info, Set Margin Mode and Switch Position Mode, read November 2026.
"""

from collections.abc import Collection, Iterable
from decimal import Decimal

from exchanges.adapters.bybit.errors import EXCHANGE
from exchanges.adapters.bybit.wire import LEGS, Row, to_rows
from exchanges.decimals import plain, to_decimal, to_decimal_or_none
from exchanges.domain import Instrument, LeverageBracket, MarginMode, OrderResult, Position, PositionMode, PositionSide, SymbolSettings
from exchanges.errors import UnsupportedField

MARGIN_MODES_TO_WIRE = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}
POSITION_MODES_TO_WIRE = {PositionMode.ONE_WAY: 0, PositionMode.HEDGE: 3}
_LEGS_SET = {
    PositionSide.BOTH: (PositionSide.LONG, PositionSide.SHORT),
    PositionSide.LONG: (PositionSide.LONG,),
    PositionSide.SHORT: (PositionSide.SHORT,),
}


def to_symbol_settings(envelope: Row, instrument: Instrument, margin_mode: MarginMode) -> SymbolSettings:
    """From the position rows of one symbol, which Bybit lists also where nothing is open; under portfolio margin they tell no leverage."""
    rows = to_rows(envelope)
    if not rows or any(row["symbol"] != instrument.venue_symbol for row in rows):
        raise ValueError("not the rows of the symbol")
    leverages = {leg: to_decimal_or_none(row["leverage"]) for row in rows for leg in _LEGS_SET[LEGS[row["positionIdx"]]]}
    return SymbolSettings(instrument.symbol, margin_mode, leverages[PositionSide.LONG], leverages[PositionSide.SHORT])


def from_leverage(leverage: int, position_side: PositionSide | None, settings: SymbolSettings | None) -> dict[str, str]:
    """Bybit sets both sides at once: a leg that is not meant keeps what it has in `settings`. Raises UnsupportedField for a leg under
    cross margin, where both have the same."""
    buy = sell = Decimal(leverage)
    if settings is not None:
        if settings.margin_mode is MarginMode.CROSS:
            raise UnsupportedField(
                "position_side must be left out: both legs have one leverage in cross margin", exchange=EXCHANGE, field="position_side"
            )
        if position_side is PositionSide.LONG:
            sell = settings.leverage_short or sell
        else:
            buy = settings.leverage_long or buy
    return {"buyLeverage": plain(buy), "sellLeverage": plain(sell)}


def is_mode_set(envelope: Row) -> bool:
    """The answer to a change of the margin mode: a success that still names reasons is none."""
    return not envelope["result"].get("reasons")


def symbols_in_another_mode(found: Iterable[Position | OrderResult], symbols: Collection[str], mode: PositionMode) -> list[str]:
    """Which of `symbols` have a position or an order that belongs to the other mode than `mode`."""
    is_hedge = mode is PositionMode.HEDGE
    return sorted({each.symbol for each in found if each.symbol in symbols and (each.position_side is PositionSide.BOTH) is is_hedge})


def to_leverage_brackets(envelopes: Iterable[Row], instrument: Instrument) -> list[LeverageBracket]:
    """Of risk-limit, whose rows each name where their bracket ends. Rates are ratios. Where the deduction is left empty, as for all of some
    symbols, it is what keeps the margin from jumping at the floor."""
    rows = [row for envelope in envelopes for row in to_rows(envelope) if row["symbol"] == instrument.venue_symbol]
    if not rows:
        raise ValueError("no risk limit of the symbol")
    brackets: list[LeverageBracket] = []
    floor, lower_rate, deduction = Decimal(0), Decimal(0), Decimal(0)
    for cap, rate, row in sorted(((to_decimal(row["riskLimitValue"]), _rate(row), row) for row in rows), key=lambda each: each[0]):
        published = to_decimal_or_none(row.get("mmDeduction"))
        deduction = deduction + floor * (rate - lower_rate) if published is None else published
        brackets.append(LeverageBracket(floor, cap, to_decimal(row["maxLeverage"]), rate, deduction))
        floor, lower_rate = cap, rate
    if any(bracket.cap_usd == bracket.floor_usd for bracket in brackets):
        raise ValueError("two brackets that end alike")
    return brackets


def _rate(row: Row) -> Decimal:
    rate = to_decimal(row["maintenanceMargin"])
    if not 0 < rate < 1:
        raise ValueError("a maintenance rate that is no ratio")
    return rate
