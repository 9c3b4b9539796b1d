"""Leverage, brackets and position mode of an OKX account, wire to domain and domain to wire. Pure; sizes leave here in USD.

From OKX's API documentation of the trading account and of position tiers, read November 2026.
"""

from collections.abc import Iterable
from decimal import Decimal

from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.mapping import POSITION_MODES, to_mark_prices
from exchanges.adapters.okx.wire import EXACT, MARGIN_MODES, Row
from exchanges.decimals import to_decimal
from exchanges.domain import Instrument, LeverageBracket, MarginMode, PositionMode, PositionSide, SymbolSettings
from exchanges.errors import UnsupportedField

POSITION_MODES_TO_WIRE = {mode: word for word, mode in POSITION_MODES.items()}


def to_leverage(rows: list[Row], venue_symbol: str) -> Decimal:
    """The leverage that the venue now uses; rows of both legs must agree."""
    if any(row["instId"] != venue_symbol for row in rows):
        raise ValueError("the answer is about another instrument")
    (leverage,) = {to_decimal(row["lever"]) for row in rows}
    return leverage


def to_symbol_settings(rows: list[Row], instrument: Instrument, margin_mode: MarginMode) -> SymbolSettings:
    """Of leverage-info: one row for a net position, one for each leg in long/short mode."""
    by_leg: dict[str, Decimal] = {}
    for row in rows:
        if (row["instId"], MARGIN_MODES[row["mgnMode"]]) != (instrument.venue_symbol, margin_mode):
            raise ValueError("the answer is about another instrument or margin mode")
        by_leg[row["posSide"]] = to_decimal(row["lever"])
    if "net" in by_leg:
        return SymbolSettings(instrument.symbol, margin_mode, by_leg["net"], by_leg["net"])
    return SymbolSettings(instrument.symbol, margin_mode, by_leg["long"], by_leg["short"])


def refuse_leg_of_cross(margin_mode: MarginMode | None, position_side: PositionSide | None) -> None:
    """Raises UnsupportedField: what is asked for one leg must not change the other."""
    if position_side in (PositionSide.LONG, PositionSide.SHORT) and margin_mode is not MarginMode.ISOLATED:
        raise UnsupportedField(
            "position_side must be left out: both legs have one leverage in cross margin", exchange=EXCHANGE, field="position_side"
        )


def legs_to_set(margin_mode: MarginMode, position_mode: PositionMode, position_side: PositionSide | None) -> tuple[str, ...]:
    """The posSide of each request that setting a leverage takes: under isolated margin in long/short mode each leg has its own, else the
    field is left empty."""
    if margin_mode is MarginMode.CROSS or position_mode is PositionMode.ONE_WAY:
        return ("",)
    return ("long", "short") if position_side in (None, PositionSide.BOTH) else (position_side.value.lower(),)


def to_position_mode(rows: list[Row]) -> PositionMode:
    (row,) = rows
    return POSITION_MODES[row["posMode"]]


def to_leverage_brackets(rows: Iterable[Row], marks: Iterable[Row], instrument: Instrument) -> list[LeverageBracket]:
    """Of position-tiers, whose sizes are contracts: worth what the mark price in `marks` makes of them. The venue's smallest size of a tier
    lies a lot above the largest of the tier below; here a bracket starts where the one below ends. Its rate holds for all of a position."""
    (mark,) = to_mark_prices(marks, {instrument.venue_symbol: instrument})
    contract_usd = EXACT.multiply(instrument.contract_size, mark.mark_price)
    brackets: list[LeverageBracket] = []
    floor = Decimal(0)
    for contracts, row in sorted(((to_decimal(row["maxSz"]), row) for row in rows), key=lambda each: each[0]):
        cap = EXACT.multiply(contracts, contract_usd)
        if cap <= floor:
            raise ValueError("two tiers that end alike")
        brackets.append(LeverageBracket(floor, cap, to_decimal(row["maxLever"]), to_decimal(row["mmr"]), Decimal(0)))
        floor = cap
    if not brackets:
        raise ValueError("an instrument without tiers")
    return brackets
