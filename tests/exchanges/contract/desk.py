"""One fresh sandbox account at one venue, the client under test for it, and orders of a sensible size for every symbol."""

import asyncio
import itertools
import os
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any
from uuid import uuid4

import urllib3

from exchanges.decimals import round_down
from exchanges.domain import (
    Environment,
    ExchangeConfig,
    ExchangeType,
    Instrument,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderType,
    TimeInForce,
)
from exchanges.factory import get_exchange_client
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from tests.exchanges.contract.wire import WIRES, Wire
from tests.simulated import Sandbox

OPENING_BALANCE = Decimal(100_000)
ZERO = Decimal(0)
USD = Decimal(130)  # above every venue's smallest notional
# Of BTC, a size that is a whole number of lots on every venue and above every minimum, also of a resting order.
BTC = Decimal("0.004")
_DEADLINE_S = 5.0
_numbers = itertools.count(1)


def new_client_id() -> str:
    return f"c{uuid4().hex[:31]}"


def sandbox_config(exchange: ExchangeType, name: str, **changed: str) -> ExchangeConfig:
    """`changed`: another api_key, api_secret or passphrase than the right one."""
    key = f"sandbox-{name}"
    secrets = {"api_key": key, "api_secret": f"{key}-secret"}
    if exchange is ExchangeType.OKX:
        secrets["passphrase"] = f"{key}-passphrase"
    return ExchangeConfig.model_validate({"exchange_type": exchange, "environment": Environment.SANDBOX, **secrets, **changed})


@dataclass(frozen=True, slots=True)
class Desk:
    exchange: ExchangeType
    name: str
    sandbox: Sandbox
    registry: VenueRegistry
    client: IExchangeClient

    @property
    def wire(self) -> Wire:
        return WIRES[self.exchange]

    def another_client(self, name: str | None = None, **changed: str) -> IExchangeClient:
        """Of the same venue context; for the same account unless `name` says otherwise."""
        return get_exchange_client(sandbox_config(self.exchange, name or self.name, **changed), self.registry)

    def fault(self, action: dict[str, Any], route: tuple[str, str] | None = None, *, stage: str = "before", times: int | None = 1) -> None:
        match = {"method": route[0], "path": route[1]} if route else {}
        self.sandbox.fault(self.exchange, action, stage=stage, times=times, **match)

    def ledger(self) -> Any:
        """What the venue really knows; the account must have been used before."""
        return self.sandbox.ledger(self.exchange, self.name)

    def orders_in_ledger(self) -> list[dict[str, Any]]:
        """Oldest first; none for an account that the venue has not opened yet."""
        answer = urllib3.request("GET", f"{self.sandbox.url}/_sim/ledger?venue={self.exchange}&account={self.name}", timeout=10)
        if answer.status == 404:
            return []
        assert answer.status == 200, answer.data
        return sorted(answer.json()["orders"], key=lambda row: row["id"])

    def requests(self, route: tuple[str, str] | None = None) -> list[dict[str, Any]]:
        """What arrived for this account, optionally at one route."""
        seen = self.sandbox.control("GET", f"requests?venue={self.exchange}")["requests"]
        return [each for each in seen if each["account"] == self.name and route in (None, (each["method"], each["path"]))]

    def count_of_all_requests(self) -> int:
        """That arrived at this venue, also with a key that is nobody's."""
        return int(self.sandbox.control("GET", f"requests?venue={self.exchange}")["count"])

    async def instrument(self, symbol: str) -> Instrument:
        return next(each for each in await self.client.get_instruments() if each.symbol == symbol)

    async def mark(self, symbol: str) -> Decimal:
        return next(each.mark_price for each in await self.client.get_mark_prices() if each.symbol == symbol)

    async def market(self, symbol: str, side: OrderSide = OrderSide.BUY, *, usd: Decimal = USD, **fields: Any) -> OrderResult:
        """Places a market order of about `usd`, or of `quantity`, and waits until the venue says that it is filled."""
        quantity = fields.pop("quantity", None) or lots_worth(await self.instrument(symbol), await self.mark(symbol), usd)
        request = OrderRequest(symbol=symbol, side=side, order_type=OrderType.MARKET, quantity=quantity, **fields)
        return await self.settled(await self.client.place_order(request))

    async def resting_request(self, symbol: str, side: OrderSide = OrderSide.BUY, **fields: Any) -> OrderRequest:
        """A limit order 30 percent away from the mark, which no test will see filled."""
        instrument, mark = await self.instrument(symbol), await self.mark(symbol)
        price = round_down(mark * (Decimal("0.7") if side is OrderSide.BUY else Decimal("1.3")), instrument.tick)
        usual = {"quantity": lots_worth(instrument, price, USD), "price": price, "client_order_id": new_client_id()}
        return OrderRequest.model_validate({"symbol": symbol, "side": side, "order_type": OrderType.LIMIT, **usual, **fields})

    async def rest(self, symbol: str = "BTCUSDT", side: OrderSide = OrderSide.BUY, **fields: Any) -> OrderResult:
        return await self.client.place_order(await self.resting_request(symbol, side, **fields))

    async def crossing_request(self, symbol: str, time_in_force: TimeInForce, *, usd: Decimal) -> OrderRequest:
        """A buy a tenth of a percent above the mark: it takes what stands there, which for thin books is far below 100,000 USD."""
        instrument, mark = await self.instrument(symbol), await self.mark(symbol)
        price = round_down(mark * Decimal("1.001"), instrument.tick)
        return OrderRequest(
            symbol=symbol,
            side=OrderSide.BUY,
            order_type=OrderType.LIMIT,
            quantity=lots_worth(instrument, price, usd),
            price=price,
            time_in_force=time_in_force,
            client_order_id=new_client_id(),
        )

    async def settled(self, order: OrderResult) -> OrderResult:
        """The order once it is final, with a deadline: an acknowledgement may come before the state."""
        async with asyncio.timeout(_DEADLINE_S):
            while order.status.is_open or not order.confirmed:
                await asyncio.sleep(0.02)
                order = await self.client.get_order_status(order.symbol, order.order_id)
        return order


def lots_worth(instrument: Instrument, price: Decimal, usd: Decimal) -> Decimal:
    """The fewest lots that are worth at least `usd`."""
    lot = max(instrument.lot, instrument.market_lot or instrument.lot)
    lots = (usd / price / lot).to_integral_value(rounding=ROUND_CEILING)
    return max(lots * lot, instrument.min_quantity)


def open_desk(exchange: ExchangeType, sandbox: Sandbox, registry: VenueRegistry) -> Desk:
    name = f"c{os.getpid()}n{next(_numbers)}"
    return Desk(exchange, name, sandbox, registry, get_exchange_client(sandbox_config(exchange, name), registry))
