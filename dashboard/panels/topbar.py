"""The top bar: environment, totals, age of the oldest figure, a health chip per account."""

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import age_cell, freshness_of, signed_cell
from dashboard.presentation import Cell, Chip, Figure, Freshness, TopBar
from exchanges.domain import Environment
from exchanges.models import ExchangeAccount


def top_bar(book: Book) -> TopBar:
    exposure = book.exposure
    figures = (
        Figure("equity", "Equity", Cell("equity", numbers.money(exposure.equity_usd), title=_equity_basis(book))),
        Figure("net", "Net exposure", signed_cell("net", exposure.net_usd)),
        Figure("gross", "Gross exposure", Cell("gross", numbers.money(exposure.gross_usd), title="Long plus short, in USD")),
        Figure("pnl", "Unrealised PnL", signed_cell("pnl", exposure.unrealized_pnl_usd)),
        Figure("age", "Oldest figure", age_cell(book, exposure.as_of)),
    )
    return TopBar(
        environment=Environment(book.portfolio.environment),
        portfolio=book.portfolio.name,
        figures=figures,
        chips=tuple(_chip(book, account) for account in book.accounts),
        is_complete=exposure.is_complete,
        incomplete_reasons=exposure.incomplete_reasons,
    )


def _chip(book: Book, account: ExchangeAccount) -> Chip:
    state = book.state_of(account)
    as_of = state.as_of if state else None
    reason = state.error_message if state else ""
    freshness: Freshness = "error" if reason else freshness_of(book, as_of)
    if as_of is None and not reason:
        reason = f"Waiting for the first answer from {account.get_exchange_display()}"
    return Chip(str(account.pk), account.get_exchange_display(), account.label, freshness, age_cell(book, as_of), reason)


def _equity_basis(book: Book) -> str:
    names = sorted(
        {f"{account.get_exchange_display()} {state.equity_basis}" for account in book.accounts if (state := book.state_of(account))}
    )
    return f"The exchanges' own totals in USD ({', '.join(names)}); USDT counts as one USD" if names else ""
