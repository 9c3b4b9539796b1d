from decimal import Decimal

from exchanges.domain import OrderRequest, OrderSide, OrderType
from portfolio.execution.place import Intent, place
from portfolio.models import Origin
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.simulated import Sandbox


def market(symbol: str, quantity: str) -> OrderRequest:
    return OrderRequest(symbol=symbol, side=OrderSide.BUY, order_type=OrderType.MARKET, quantity=Decimal(quantity))


def test_a_market_order_is_filled_and_kept_on_every_exchange(cast: Cast, sandbox: Sandbox) -> None:
    for account in cast.accounts:
        order, is_replay = place(Intent(cast.alice, account, market("ETHUSDT", "0.1"), Origin.API))
        assert (order.state, order.filled_quantity, is_replay) == (OrderState.FILLED, Decimal("0.1"), False)
        attempt = order.attempts.get()
        assert attempt.ended_at is not None
        creates = sandbox.ledger(account.exchange, cast.name)["orders"]
        assert len(creates) == 1
