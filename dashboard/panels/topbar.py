"""The top bar: environment, totals, what could hurt first, age of the oldest figure, a health chip per account."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import age_cell, figure_cell, freshness_of, nearness, percent_up_to_all, signed_cell
from dashboard.presentation import Cell, Chip, Figure, Freshness, Tone, TopBar
from exchanges.domain import Environment
from exchanges.models import ExchangeAccount
from portfolio.models import AccountState
from portfolio.valuation import distance_ratio

_USD = "USD"
_HIGH_RATIO = Decimal("0.5")
_VERY_HIGH_RATIO = Decimal("0.8")
_MORE_THAN_ALL = Decimal(2)


def top_bar(book: Book) -> TopBar:
    """Sums of which nothing is known yet are missing, not zero."""
    exposure = book.exposure
    is_known = exposure.is_known
    gross = exposure.gross_usd if is_known else None
    accounts_at = Counter(account.exchange for account in book.accounts)
    equity = figure_cell("equity", numbers.money(exposure.equity_usd))
    figures = (
        Figure("equity", "Equity", _with(equity, _USD, _equity_basis(book))),
        Figure("pnl", "Unrealised PnL", _with(signed_cell("pnl", exposure.unrealized_pnl_usd if is_known else None), _USD)),
        Figure("net", "Net exposure", _with(signed_cell("net", exposure.net_usd if is_known else None), _USD, "Long minus short")),
        Figure(
            "gross",
            "Gross exposure",
            _with(
                figure_cell("gross", numbers.money(gross)),
                _gross_detail(book),
                "Long plus short, and how many times the equity that is",
            ),
        ),
        Figure("margin", "Worst margin ratio", _margin_cell(book)),
        Figure("liquidation", "Nearest liquidation", _liquidation_cell(book)),
        Figure("age", "Oldest figure", age_cell(book, exposure.as_of)),
    )
    return TopBar(
        environment=Environment(book.portfolio.environment),
        portfolio=book.portfolio.name,
        figures=figures,
        chips=tuple(_chip(book, account, is_only=accounts_at[account.exchange] == 1) for account in book.accounts),
        is_complete=exposure.is_complete,
        incomplete_reasons=exposure.incomplete_reasons,
    )


def _with(cell: Cell, detail: str, title: str = "") -> Cell:
    return replace(cell, detail="" if cell.text == numbers.MISSING else detail, title=title)


def _chip(book: Book, account: ExchangeAccount, *, is_only: bool) -> Chip:
    state = book.state_of(account)
    as_of = state.as_of if state else None
    reason = state.trouble if state else ""
    freshness: Freshness = "error" if reason else freshness_of(book, as_of)
    if as_of is None and not reason:
        reason = f"Waiting for the first answer from {account.get_exchange_display()}"
    return Chip(str(account.pk), account.get_exchange_display(), account.label, freshness, age_cell(book, as_of), reason, is_only)


def _gross_detail(book: Book) -> str:
    equity = book.exposure.equity_usd
    return f"{_USD} · {numbers.grouped(book.exposure.gross_usd / equity, 2)}x" if equity and equity > 0 else _USD


def _margin_cell(book: Book) -> Cell:
    """The account closest to what its exchange demands; an account that does not say cannot be the worst, and is named."""
    ratios = {account: ratio for account in book.accounts if (ratio := _margin_ratio(book.state_of(account))) is not None}
    title = "Maintenance margin as a share of equity; near 100 % an exchange liquidates"
    silent = [str(account) for account in book.accounts if account not in ratios]
    if silent:
        title += f". Not given by {', '.join(silent)}"
    if not ratios:
        return Cell("margin", numbers.MISSING, "muted", title=title)
    worst = max(ratios, key=lambda account: ratios[account])
    return Cell("margin", percent_up_to_all(ratios[worst]), _margin_tone(ratios[worst]), worst.get_exchange_display(), f"{worst}: {title}")


def _margin_ratio(state: AccountState | None) -> Decimal | None:
    """None where it is not known; with no equity left any demand is more than there is."""
    if state is None or state.maintenance_margin_usd is None or state.equity_usd is None:
        return None
    if state.equity_usd <= 0:
        return _MORE_THAN_ALL if state.maintenance_margin_usd else Decimal(0)
    return state.maintenance_margin_usd / state.equity_usd


def _margin_tone(ratio: Decimal) -> Tone:
    if ratio < _HIGH_RATIO:
        return ""
    return "danger" if ratio >= _VERY_HIGH_RATIO else "warning"


def _liquidation_cell(book: Book) -> Cell:
    """Of the positions whose exchange names a price, the one whose mark has the shortest way to it."""
    known = {
        position: ratio
        for position in book.positions
        if position.liquidation_price is not None and (ratio := distance_ratio(position.mark_price, position.liquidation_price)) is not None
    }
    if not known:
        reason = "No exchange names a liquidation price" if book.positions else "No open position"
        return Cell("liquidation", numbers.MISSING, "muted", title=reason)
    nearest = min(known, key=lambda position: known[position])
    title = f"How far the mark of {nearest.symbol} on {nearest.account} is from its liquidation price"
    return Cell("liquidation", percent_up_to_all(known[nearest]), nearness(known[nearest]), nearest.symbol, title)


def _equity_basis(book: Book) -> str:
    names = sorted(
        {f"{account.get_exchange_display()} {state.equity_basis}" for account in book.accounts if (state := book.state_of(account))}
    )
    return f"The exchanges' own totals in USD ({', '.join(names)}); USDT counts as one USD" if names else ""
