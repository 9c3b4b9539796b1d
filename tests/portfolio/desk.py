"""What the tests of orders share: orders of a sensible size, what the venue really knows, and time that passes at once."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import urllib3
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F

from exchanges import accounts
from exchanges.decimals import round_down
from exchanges.domain import ExchangeType, OrderRequest, OrderResult, OrderSide, OrderType, TimeInForce
from exchanges.models import ExchangeAccount, Instrument, MarkPrice
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from portfolio import reconcile
from portfolio.execution.place import Idempotency, Intent, place
from portfolio.models import Order, Origin, SubmitAttempt
from tests.conftest import Cast
from tests.exchanges.contract.wire import WIRES, no_answer
from tests.simulated import Sandbox

T = TypeVar("T")

SYMBOL = "ETHUSDT"
DEADLINE_S = 5.0
ROUND_DEADLINE_S = 15.0
_TIMES = ("looked_up_at", "missing_since", "updated_at", "created_at")


def now() -> datetime:
    return datetime.now(UTC)


def market(quantity: str = "0.1", side: OrderSide = OrderSide.BUY, symbol: str = SYMBOL, *, reduce_only: bool = False) -> OrderRequest:
    return OrderRequest(symbol=symbol, side=side, order_type=OrderType.MARKET, quantity=Decimal(quantity), reduce_only=reduce_only)


def resting(
    account: ExchangeAccount, quantity: str = "0.1", side: OrderSide = OrderSide.BUY, ratio: str = "0.7", **fields: Any
) -> OrderRequest:
    """A limit order 30 percent away from the mark, which no test will see filled."""
    venue = {"exchange": account.exchange, "environment": account.environment, "symbol": SYMBOL}
    price = round_down(MarkPrice.objects.get(**venue).mark_price * Decimal(ratio), Instrument.objects.get(**venue).tick)
    return OrderRequest(
        symbol=SYMBOL,
        side=side,
        order_type=OrderType.LIMIT,
        quantity=Decimal(quantity),
        price=price,
        time_in_force=fields.pop("time_in_force", TimeInForce.GTC),
        **fields,
    )


def too_large_to_fill(account: ExchangeAccount) -> OrderRequest:
    """A buy of LTC for 400,000 USD a tenth of a percent above the mark: far more than stands there, and within the margin at tenfold."""
    marks = asked(account, lambda client: client.get_mark_prices())
    instrument = Instrument.objects.get(exchange=account.exchange, environment=account.environment, symbol="LTCUSDT")
    mark = next(each.mark_price for each in marks if each.symbol == instrument.symbol)
    price = round_down(mark * Decimal("1.001"), instrument.tick)
    quantity = round_down(Decimal(400_000) / price, instrument.lot)
    return OrderRequest(symbol=instrument.symbol, side=OrderSide.BUY, order_type=OrderType.LIMIT, quantity=quantity, price=price)


def placed(cast: Cast, account: ExchangeAccount, request: OrderRequest, *, by: User | None = None, key: str = "") -> Order:
    idempotency = Idempotency.of(key, {"order": request.model_dump(mode="json")})
    return place(Intent(by or cast.alice, account, request, Origin.API, idempotency))[0]


def client_of(account: ExchangeAccount) -> IExchangeClient:
    return accounts.client_for(ExchangeAccount.objects.select_related("credential").get(pk=account.pk))


def asked(account: ExchangeAccount, question: Callable[[IExchangeClient], Any]) -> Any:
    """What the venue answers somebody who uses the account's keys elsewhere."""
    return runtime().run(question(client_of(account)), deadline_s=10)


def placed_elsewhere(account: ExchangeAccount, request: OrderRequest) -> OrderResult:
    result = asked(account, lambda client: client.place_order(request))
    assert isinstance(result, OrderResult)
    return result


def canceled_elsewhere(order: Order) -> None:
    asked(order.account, lambda client: client.cancel_order(order.symbol, order.exchange_order_id))


def orders_at(sandbox: Sandbox, account: ExchangeAccount, name: str) -> list[dict[str, Any]]:
    """The venue's own orders, oldest first; none where it has not opened the account yet."""
    answer = urllib3.request("GET", f"{sandbox.url}/_sim/ledger?venue={account.exchange}&account={name}", timeout=10)
    if answer.status == 404:
        return []
    return sorted(answer.json()["orders"], key=lambda row: row["id"])


def creates_sent(sandbox: Sandbox, account: ExchangeAccount, name: str) -> int:
    """How many requests to create an order arrived."""
    route = WIRES[ExchangeType(account.exchange)].create
    seen = sandbox.control("GET", f"requests?venue={account.exchange}")["requests"]
    return sum(each["account"] == name and (each["method"], each["path"]) == route for each in seen)


def requests_sent(sandbox: Sandbox, account: ExchangeAccount, name: str) -> int:
    seen = sandbox.control("GET", f"requests?venue={account.exchange}")["requests"]
    return sum(each["account"] == name for each in seen)


def fault(sandbox: Sandbox, account: ExchangeAccount, route: str, kind: str, *, stage: str = "before", times: int | None = 1) -> None:
    """`route`: create, cancel, confirm, positions; `kind`: hang, or one of the contract's answers that are none."""
    venue = ExchangeType(account.exchange)
    method, path = getattr(WIRES[venue], route)
    action = {"kind": "hang"} if kind == "hang" else no_answer(kind, venue)
    sandbox.fault(account.exchange, action, stage=stage, times=times, method=method, path=path)


def let_pass(order: Order, seconds: float) -> None:
    """As if everything that is stored of this order had happened that much earlier."""
    past = timedelta(seconds=seconds)
    Order.objects.filter(pk=order.pk).update(**{name: F(name) - past for name in _TIMES if getattr(order, name) is not None})
    attempt = SubmitAttempt.objects.filter(order=order).first()
    if attempt is not None:
        attempt.signed_at, attempt.fence_at, attempt.started_at = (
            attempt.signed_at - past,
            attempt.fence_at - past,
            attempt.started_at - past,
        )
        attempt.save()
    order.refresh_from_db()


def tick(at: datetime) -> int:
    """One round of a keeper, all answers awaited; how many orders were looked up."""
    keeper = reconcile.Keeper()
    asked = keeper.ask(at)
    keeper.conclude(within_s=ROUND_DEADLINE_S)
    return asked


def ticked(order: Order, rounds: int = 1) -> Order:
    """The order after that many rounds of the keeper, each three seconds after the other."""
    for _ in range(rounds):
        order.refresh_from_db()
        let_pass(order, 3)
        tick(now())
    order.refresh_from_db()
    return order


def in_thread(work: Callable[[], T]) -> T:
    """`work`, and afterwards the database connection of its thread is closed."""
    try:
        return work()
    finally:
        connection.close()


def eventually(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        time.sleep(0.02)


def waits_for_a_lock() -> bool:
    """Whether anybody in this PostgreSQL database waits for somebody else's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction the first look is kept
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
        return bool(cursor.fetchone()[0])
