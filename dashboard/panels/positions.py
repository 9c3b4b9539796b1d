"""Open positions, largest first."""

from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import ZERO, age_cell, empty_message, freshness_of, side_tone, signed_cell
from dashboard.presentation import Cell, Column, Panel, Row
from exchanges.domain import PositionSide
from portfolio.models import Position
from portfolio.valuation import distance_ratio, notional_usd, pnl_ratio, signed


def positions_panel(book: Book) -> Panel:
    columns = (
        Column("account", "Account", "text"),
        Column("symbol", "Symbol", "text"),
        Column("quantity", "Quantity"),
        Column("entry", "Entry"),
        Column("mark", "Mark"),
        Column("liquidation", "Liquidation"),
        Column("margin", "Margin"),
        Column("pnl", "Unrealised PnL"),
        Column("age", "Age", "age"),
        Column("actions", "", "actions"),
    )
    ordered = sorted(book.positions, key=lambda position: (-notional_usd(position.quantity, position.mark_price), position.pk))
    rows = tuple(_position_row(book, position) for position in ordered)
    footer = (
        Cell("account", "Total"),
        Cell("quantity", "", detail=f"{numbers.money(book.exposure.gross_usd)} USD"),
        Cell("margin", numbers.money(_sum_or_none([position.margin for position in ordered]))),
        signed_cell("pnl", book.exposure.unrealized_pnl_usd),
    )
    return Panel("positions", "Positions", columns, rows, footer if rows else (), empty_message(book, rows, "No open positions."))


def _position_row(book: Book, position: Position) -> Row:
    steps = book.steps_of(position.account, position.symbol)
    tick, lot = (steps.tick, steps.lot) if steps else (None, None)
    side = PositionSide(position.side)
    value = notional_usd(position.quantity, position.mark_price)
    liquidation = position.liquidation_price
    leverage = f" {numbers.quantity(position.leverage, None)}x" if position.leverage is not None else ""
    ratio = pnl_ratio(position.unrealized_pnl, position.entry_price, position.quantity)
    contracts = _contracts(position.quantity, steps.contract_size if steps else Decimal(1))
    distance = _distance(position.mark_price, liquidation)
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
            ),
            Cell("entry", numbers.price(position.entry_price, tick)),
            Cell("mark", numbers.price(position.mark_price, tick)),
            Cell("liquidation", numbers.price(liquidation, tick), detail=distance, title="" if distance else "The exchange names no price"),
            Cell("margin", numbers.money(position.margin)),
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
    )


def _distance(mark_price: Decimal, liquidation_price: Decimal | None) -> str:
    """How far the mark is from liquidation; beyond double its price the figure says nothing more."""
    if liquidation_price is None:
        return ""
    ratio = distance_ratio(mark_price, liquidation_price)
    return "> 100 % away" if ratio is not None and ratio > 1 else f"{numbers.percent(ratio)} away"


def _contracts(quantity: Decimal, contract_size: Decimal) -> str:
    return "" if contract_size == 1 else f" · {_plain(quantity / contract_size)} contracts"


def _plain(number: Decimal) -> str:
    return numbers.grouped(number, min(4, numbers.places_of(number)))


def _side_mark(side: PositionSide) -> str:
    return "▼ S" if side is PositionSide.SHORT else "▲ L"


def _sum_or_none(amounts: list[Decimal | None]) -> Decimal | None:
    """A total that lacks a part is not a total."""
    return None if None in amounts else sum((amount for amount in amounts if amount is not None), ZERO)
