"""What became of what a person did, in one sentence: of an order that was sent, and of one that was not."""

from dashboard import sentences, ticket
from dashboard.toasts import ToastTone
from exchanges.errors import ExchangeAPIError
from exchanges.models import Credential
from exchanges.vault import VaultError
from portfolio.access import NotPermitted
from portfolio.execution.refusals import Refused
from portfolio.models import Order
from portfolio.states import OrderState

FAILURES = (Refused, ExchangeAPIError, NotPermitted, VaultError, Credential.DoesNotExist, TimeoutError)


def words_of(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "The exchange did not answer in time; nothing was sent."
    if isinstance(error, Credential.DoesNotExist):
        return "account must have keys, this one has none"
    return error.message_of_read if isinstance(error, ExchangeAPIError) else sentences.for_people(str(error))


def outcome_of(order: Order) -> tuple[str, ToastTone]:
    """What became of a sent order, in one sentence."""
    what = named(order)
    if order.state in (OrderState.UNKNOWN, OrderState.SUBMITTING):
        return f"{what}: outcome unknown, the exchange is being asked. Do not repeat it. Open orders will show it.", "warning"
    if order.state in (OrderState.REJECTED, OrderState.NOT_SENT, OrderState.NOT_PLACED):
        return f"{what} {state_of(order)}: {order.reason}", "danger"
    is_filled = order.filled_quantity == order.quantity
    tone: ToastTone = "ok" if order.is_open or is_filled else "warning"  # canceled or expired at once: not all of it was traded
    if order.filled_quantity:
        price = f" at {ticket.grouped(order.average_price)}" if order.average_price is not None else ""
        rest = "" if is_filled else f", the rest is {'open' if order.is_open else state_of(order)}"
        return f"{what}: {ticket.grouped(order.filled_quantity)} filled{price}{rest}.", tone
    return f"{what}: {state_of(order)}. {order.reason}".strip(), tone


def named(order: Order) -> str:
    """`Buy 0.05 BTCUSDT at 101,000 on OKX · Demo`."""
    price = f" at {ticket.grouped(order.price)}" if order.price is not None else ""
    return f"{order.side.capitalize()} {ticket.grouped(order.quantity)} {order.symbol}{price} on {order.account}"


def state_of(order: Order) -> str:
    return "open" if order.state == OrderState.NEW else order.get_state_display().lower().replace("_", " ")
