"""Open orders, unresolved ones among them, and for a while those that came to nothing."""

from datetime import datetime

from django.conf import settings

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import age_cell, empty_message
from dashboard.presentation import Cell, Column, Freshness, Panel, Row, Tone
from portfolio.models import Order
from portfolio.states import OrderState

_ORDER_STATES: dict[str, tuple[str, Tone]] = {
    OrderState.SUBMITTING: ("Sending", "warning"),
    OrderState.SUBMITTED: ("Acknowledged", "warning"),
    OrderState.UNKNOWN: ("Unknown: asking the exchange", "warning"),
    OrderState.NEW: ("Open", ""),
    OrderState.PARTIALLY_FILLED: ("Partly filled", ""),
    OrderState.REJECTED: ("Rejected", "danger"),
    OrderState.NOT_SENT: ("Not sent", "danger"),
    OrderState.NOT_PLACED: ("Not placed", "danger"),
    OrderState.GONE: ("Gone: how it ended is not known", "warning"),
}
_LIFETIMES = {"GTX": "post-only"}


def orders_panel(book: Book) -> Panel:
    columns = (
        Column("account", "Account", "text"),
        Column("symbol", "Symbol", "text"),
        Column("side", "Side", "text"),
        Column("type", "Type", "text"),
        Column("quantity", "Quantity"),
        Column("price", "Price"),
        Column("state", "State", "text"),
        Column("entered", "Entered (UTC)", "age"),
        Column("age", "Age", "age", "How long ago the exchange was last asked about it"),
        Column("actions", "", "actions"),
    )
    rows = tuple(_order_row(book, order) for order in book.orders)
    return Panel(
        "orders",
        "Open orders",
        columns,
        rows,
        message=empty_message(book, rows, "No open orders."),
        late_after_s=settings.ORDER_POLL_PERIOD_S + settings.POLL_PERIOD_S,
        stale_after_s=settings.ORDERS_STALE_AFTER_S,
    )


def _order_row(book: Book, order: Order) -> Row:
    steps = book.steps_of(order.account, order.symbol)
    tick, lot = (steps.tick, steps.lot) if steps else (None, None)
    words, tone = _ORDER_STATES.get(order.state, (order.state, ""))
    buys = order.side == "BUY"
    as_of = _as_of(book, order)
    lifetime = _LIFETIMES.get(order.time_in_force, order.time_in_force)
    flags = " · ".join(flag for flag in (lifetime, "reduce-only" if order.reduce_only else "") if flag)
    value = f"{numbers.money(order.quantity * order.price)} USD" if order.price is not None else ""
    filled = f"{numbers.quantity(order.filled_quantity, lot)} filled" if order.filled_quantity else ""
    price = numbers.price(order.price, tick) if order.price is not None else "Market"
    is_external = order.origin == "external"
    return Row(
        key=str(order.pk),
        cells=(
            Cell("account", str(order.account)),
            Cell(
                "symbol",
                order.symbol,
                detail="external" if is_external else "",
                title="Placed outside Crossbook" if is_external else "",
            ),
            Cell("side", "▲ Buy" if buys else "▼ Sell", "long" if buys else "short"),
            Cell("type", (order.order_type or "CONDITIONAL").replace("_", " ").capitalize(), detail=flags),
            Cell("quantity", numbers.quantity(order.quantity, lot), detail=" · ".join(filter(None, (value, filled)))),
            Cell("price", price),
            Cell("state", words, tone, detail=order.reason),
            Cell("entered", _moment(order.created_at, book.now), title=f"{order.created_at:%Y-%m-%d %H:%M:%S} UTC"),
            age_cell(book, as_of),
        ),
        freshness="unknown" if order.is_unresolved else _order_freshness(book, order, as_of),
        id=order.pk,
        can_cancel=_can_cancel(order),
    )


def _moment(at: datetime, now: datetime) -> str:
    """The time of today, the date of an earlier day; both UTC."""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%d %b}"


def _can_cancel(order: Order) -> bool:
    """Conditional orders of other programs are shown; canceling them comes with conditional orders of our own."""
    return order.is_open and bool(order.exchange_order_id) and order.account.is_trading_enabled and order.order_type in ("MARKET", "LIMIT")


def _as_of(book: Book, order: Order) -> datetime:
    """A list of open orders speaks of those that it holds: not of one whose outcome is not known, and not of one that it lacks."""
    state = book.state_of(order.account)
    if state is None or state.orders_as_of is None or order.is_unresolved or order.missing_since is not None:
        return order.updated_at
    return max(order.updated_at, state.orders_as_of)


def _order_freshness(book: Book, order: Order, as_of: datetime) -> Freshness:
    """Of its own reading alone: positions that are read well say nothing of the orders."""
    state = book.state_of(order.account)
    cannot_be_read = state is not None and state.orders_error != ""
    return "stale" if cannot_be_read or (book.now - as_of).total_seconds() > settings.ORDERS_STALE_AFTER_S else "fresh"
