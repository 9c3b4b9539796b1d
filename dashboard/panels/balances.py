"""What is held in which account."""

from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import age_cell, amount, empty_message, freshness_of, signed_cell
from dashboard.presentation import Cell, Column, Panel, Row
from portfolio.models import Balance

_DOLLARS = ("USD", "USDT", "USDC", "FDUSD")


def balances_panel(book: Book) -> Panel:
    columns = (
        Column("account", "Account", "text"),
        Column("asset", "Asset", "text"),
        Column("total", "Wallet"),
        Column("available", "Available"),
        Column("pnl", "Unrealised PnL", title="In the asset of the row"),
        Column("age", "Age", "age"),
    )
    rows = tuple(
        Row(
            key=str(balance.pk),
            cells=(
                Cell("account", str(balance.account)),
                Cell("asset", balance.asset),
                Cell("total", _held(balance, balance.total)),
                _available(balance),
                signed_cell("pnl", balance.unrealized_pnl),
                age_cell(book, balance.as_of),
            ),
            freshness=freshness_of(book, balance.as_of),
        )
        for balance in book.balances
    )
    return Panel("balances", "Balances", columns, rows, (), empty_message(book, rows, "No balances."))


def _held(balance: Balance, number: Decimal) -> str:
    """Dollars as money, coins to the last digit that counts."""
    return numbers.money(number) if balance.asset in _DOLLARS else amount(number, least_places=2)


def _available(balance: Balance) -> Cell:
    if balance.available is None:
        return Cell("available", numbers.MISSING, "muted", "not given", "The exchange does not say it for this asset")
    return Cell("available", _held(balance, balance.available))
