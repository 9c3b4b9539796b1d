"""What is held in which account."""

from dashboard.book import Book
from dashboard.panels.cells import age_cell, amount, empty_message, freshness_of, signed_cell
from dashboard.presentation import Cell, Column, Panel, Row


def balances_panel(book: Book) -> Panel:
    columns = (
        Column("account", "Account", "text"),
        Column("asset", "Asset", "text"),
        Column("total", "Wallet"),
        Column("available", "Available"),
        Column("pnl", "Unrealised PnL"),
        Column("age", "Age", "age"),
    )
    rows = tuple(
        Row(
            key=str(balance.pk),
            cells=(
                Cell("account", str(balance.account)),
                Cell("asset", balance.asset),
                Cell("total", amount(balance.total, least_places=2)),
                Cell("available", amount(balance.available, least_places=2)),
                signed_cell("pnl", balance.unrealized_pnl),
                age_cell(book, balance.as_of),
            ),
            freshness=freshness_of(book, balance.as_of),
        )
        for balance in book.balances
    )
    return Panel("balances", "Balances", columns, rows, (), empty_message(book, rows, "No balances."))
