"""Open positions, largest first."""

from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import (
    ZERO,
    age_cell,
    empty_message,
    figure_cell,
    freshness_of,
    nearness,
    percent_up_to_all,
    side_tone,
    signed_cell,
)
from dashboard.presentation import Cell, Column, Panel, Row
from exchanges.domain import PositionSide
from portfolio.models import Position
from portfolio.valuation import distance_ratio, notional_usd, pnl_ratio, signed

_NO_BREAK = "\u00a0"


def positions_panel(book: Book) -> Panel:
    columns = (
        Column("account", "Account", "text"),
        Column("symbol", "Symbol", "text"),
        Column("quantity", "Quantity"),
        Column("entry", "Entry"),
        Column("mark", "Mark"),
        Column("liquidation", "Liquidation"),
        Column("margin", "Margin USD"),
        Column("pnl", "Unrealised PnL USD", title="Beneath it: percent of the entry value"),
        Column("age", "Age", "age"),
        Column("actions", "", "actions"),
    )
    ordered = sorted(book.positions, key=lambda position: (-notional_usd(position.quantity, position.mark_price), position.pk))
    rows = tuple(_position_row(book, position) for position in ordered)
    footer = (
        Cell("account", "Total"),
        Cell("quantity", numbers.money(book.exposure.gross_usd), detail="gross USD"),
        figure_cell("margin", numbers.money(_sum_or_none([position.margin for position in ordered]))),
        signed_cell("pnl", book.exposure.unrealized_pnl_usd),
    )
    return Panel("positions", "Positions", columns, rows, footer if rows else (), empty_message(book, rows, "No open positions."))


def _position_row(book: Book, position: Position) -> Row:
    steps = book.steps_of(position.account, position.symbol)
    tick, lot = (steps.tick, steps.lot) if steps else (None, None)
    side = PositionSide(position.side)
    value = notional_usd(position.quantity, position.mark_price)
    leverage = f" {numbers.quantity(position.leverage, None)}x" if position.leverage is not None else ""
    ratio = pnl_ratio(position.unrealized_pnl, position.entry_price, position.quantity)
    contracts = _contracts(position.quantity, steps.contract_size if steps else Decimal(1))
    return Row(
        key=str(position.pk),
        cells=(
            Cell("account", str(position.account)),
            Cell("symbol", position.symbol, side_tone(side), detail=f"{_side_mark(side)} {position.margin_mode}{leverage}"),
            Cell(
                "quantity",
                numbers.quantity(signed(position.quantity, side), lot),
                side_tone(side),
                detail=f"{numbers.money(signed(value, side))} USD{contracts}",
                title=f"{_plain(steps.contract_size)} {position.underlying} per contract" if steps and contracts else "",
            ),
            Cell("entry", numbers.price(position.entry_price, tick)),
            Cell("mark", numbers.price(position.mark_price, tick)),
            _liquidation_cell(position, tick),
            figure_cell("margin", numbers.money(position.margin)),
            Cell(
                "pnl",
                numbers.signed_money(position.unrealized_pnl),
                numbers.tone(position.unrealized_pnl),
                numbers.signed_percent(ratio),
                title="Percent of the entry value",
            ),
            age_cell(book, position.as_of),
        ),
        freshness=freshness_of(book, position.as_of),
        id=position.pk,
        can_close=position.account.is_trading_enabled,
        asset=position.underlying,
    )


def _liquidation_cell(position: Position, tick: Decimal | None) -> Cell:
    if position.liquidation_price is None:
        return Cell("liquidation", numbers.MISSING, "muted", "none given", "The exchange names no price")
    ratio = distance_ratio(position.mark_price, position.liquidation_price)
    return Cell("liquidation", numbers.price(position.liquidation_price, tick), nearness(ratio), f"{percent_up_to_all(ratio)} away")


def _contracts(quantity: Decimal, contract_size: Decimal) -> str:
    return "" if contract_size == 1 else f" · {_plain(quantity / contract_size)}{_NO_BREAK}contracts"


def _plain(number: Decimal) -> str:
    return numbers.grouped(number, min(4, numbers.places_of(number)))


def _side_mark(side: PositionSide) -> str:
    return "▼ S" if side is PositionSide.SHORT else "▲ L"


def _sum_or_none(amounts: list[Decimal | None]) -> Decimal | None:
    """A total that lacks a part is not a total."""
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), ZERO)
