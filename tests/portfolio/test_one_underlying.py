"""The same asset under two names: what is long on one exchange and short on another is nothing in sum."""

from decimal import Decimal

from dashboard.book import read_book
from dashboard.panels import PANELS
from exchanges.domain import OrderSide
from portfolio import rounds
from portfolio.models import Position
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.portfolio.desk import market, placed

D = Decimal


def test_a_thousandfold_long_and_a_single_short_of_the_same_coin_net_to_nothing(book: Cast) -> None:
    """2,000 contracts of 1000PEPE at Binance are 2,000,000 PEPE, as are 0.2 contracts of 10,000,000 PEPE at OKX."""
    bought = placed(book, book.binance, market("2000", symbol="1000PEPEUSDT"))
    sold = placed(book, book.okx, market("2000000", OrderSide.SELL, symbol="PEPEUSDT"))
    assert (bought.state, sold.state) == (OrderState.FILLED, OrderState.FILLED)
    rounds.poll_holdings([account.pk for account in book.accounts])
    held = {row.account_id: (row.venue_symbol, row.underlying, row.side, row.quantity * row.multiplier) for row in Position.objects.all()}
    assert held == {
        book.binance.pk: ("1000PEPEUSDT", "PEPE", "LONG", D(2_000_000)),
        book.okx.pk: ("PEPE-USDT-SWAP", "PEPE", "SHORT", D(2_000_000)),
    }

    known = read_book(book.portfolio.pk)

    (pepe,) = known.exposure.assets
    assert (pepe.asset, pepe.net_quantity) == ("PEPE", D(0))
    # Each venue values its own position at its own mark: what is left of the value is the basis between the two, not a position.
    marks = {row.account_id: row.mark_price / row.multiplier for row in known.positions}
    assert pepe.net_usd == D(2_000_000) * (marks[book.binance.pk] - marks[book.okx.pk])
    assert abs(pepe.net_usd) < pepe.gross_usd / 200
    (row,) = PANELS["exposure"](known).rows
    assert next(cell.text for cell in row.cells if cell.column == "quantity") == "0 PEPE"
