"""A read that gets no proper answer raises a transient error: it never crashes, and never says that there is nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from exchanges.domain import ExchangeType, OrderResult
from exchanges.errors import BadVenueResponse, ExchangeAPIError, ExchangeUnavailable, NotSent, RateLimited, Scope
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from tests.exchanges.contract.desk import BTC, OPENING_BALANCE, Desk, open_desk
from tests.exchanges.contract.wire import NO_ANSWER_KINDS, address_limit, no_answer, rate_limit
from tests.isolation import free_port
from tests.simulated import Sandbox

Read = Callable[[IExchangeClient, OrderResult], Awaitable[object]]
READS: dict[str, Read] = {
    "instruments": lambda client, _: client.get_instruments(),
    "marks": lambda client, _: client.get_mark_prices(),
    "server time": lambda client, _: client.get_server_time_ms(),
    "candles": lambda client, order: client.get_klines(order.symbol, "1h", limit=5),
    "account": lambda client, _: client.get_account(),
    "balances": lambda client, _: client.get_balances(),
    "positions": lambda client, _: client.get_open_positions(),
    "positions of a symbol": lambda client, order: client.get_open_positions(order.symbol),
    "position book": lambda client, _: client.get_position_book(),
    "open orders": lambda client, _: client.get_open_orders(),
    "open orders of a symbol": lambda client, order: client.get_open_orders(order.symbol),
    "order status": lambda client, order: client.get_order_status(order.symbol, order.order_id),
    "look-up by client id": lambda client, order: client.find_order(order.symbol, order.client_order_id),
}


async def outcomes_of_all_reads(desk: Desk, order: OrderResult) -> dict[str, object]:
    """What each read gave or raised."""
    outcomes: dict[str, object] = {}
    for name, read in READS.items():
        try:
            outcomes[name] = await read(desk.client, order)
        except ExchangeAPIError as error:
            outcomes[name] = error
    return outcomes


async def desk_with_holdings(desk: Desk) -> OrderResult:
    """A position and a resting order, so that an empty answer would be a lie; and everything that is remembered, remembered."""
    await desk.market("BTCUSDT", quantity=BTC)
    order = await desk.rest()
    for read in READS.values():
        await read(desk.client, order)
    return order


@pytest.mark.parametrize("kind", NO_ANSWER_KINDS)
async def test_an_answer_that_is_none_is_a_transient_error_of_every_read(desk: Desk, kind: str) -> None:
    order = await desk_with_holdings(desk)
    desk.fault(no_answer(kind, desk.exchange), times=None)
    for name, outcome in (await outcomes_of_all_reads(desk, order)).items():
        assert isinstance(outcome, ExchangeUnavailable | BadVenueResponse), (name, outcome)
        assert (outcome.is_transient, outcome.exchange) == (True, desk.exchange), (name, outcome)
        assert "<html" not in outcome.message, (name, outcome)


@pytest.mark.parametrize("kind", ["reset", "bad gateway", "truncated"])
async def test_a_read_is_sent_once_and_works_again_afterwards(desk: Desk, kind: str) -> None:
    order = await desk_with_holdings(desk)
    before = len(desk.requests(desk.wire.confirm))
    desk.fault(no_answer(kind, desk.exchange), desk.wire.confirm, times=None)
    with pytest.raises(ExchangeAPIError):
        await desk.client.get_order_status(order.symbol, order.order_id)
    assert len(desk.requests(desk.wire.confirm)) == before + 1
    desk.sandbox.clear()
    assert (await desk.client.get_order_status(order.symbol, order.order_id)).order_id == order.order_id


async def test_a_rate_limit_says_when_to_come_back(desk: Desk) -> None:
    order = await desk_with_holdings(desk)
    desk.fault(rate_limit(desk.exchange, 7), times=None)
    for name, outcome in (await outcomes_of_all_reads(desk, order)).items():
        assert isinstance(outcome, RateLimited), (name, outcome)
        assert outcome.retry_after_s is not None, name
        assert 6 <= outcome.retry_after_s <= 7, (name, outcome.retry_after_s)
        # Binance counts by address, the others what needs a key by account.
        counted_by = Scope.ADDRESS if desk.exchange is ExchangeType.BINANCE else Scope.ACCOUNT
        assert (outcome.is_transient, outcome.scope) == (True, counted_by)


async def test_a_limit_on_the_address_is_told_from_one_on_the_account(desk: Desk) -> None:
    order = await desk_with_holdings(desk)
    desk.fault(address_limit(desk.exchange, 7), times=None)
    for name, outcome in (await outcomes_of_all_reads(desk, order)).items():
        assert isinstance(outcome, RateLimited), (name, outcome)
        assert (outcome.is_transient, outcome.scope) == (True, Scope.ADDRESS), name
        assert outcome.retry_after_s == (600 if desk.exchange is ExchangeType.BYBIT else 7), name


async def test_a_venue_that_is_down_takes_no_other_with_it(desk: Desk, desks: dict[ExchangeType, Desk]) -> None:
    order = await desk_with_holdings(desk)
    desk.sandbox.control("POST", "venue", {"venue": desk.exchange, "up": False})
    for name, outcome in (await outcomes_of_all_reads(desk, order)).items():
        assert isinstance(outcome, ExchangeUnavailable | NotSent), (name, outcome)
        assert (outcome.scope, outcome.exchange) == (Scope.VENUE, desk.exchange)
    for exchange, other in desks.items():
        if exchange is not desk.exchange:
            assert (await other.client.get_account()).equity_usd == OPENING_BALANCE
    desk.sandbox.control("POST", "venue", {"venue": desk.exchange, "up": True})
    assert [each.order_id for each in await desk.client.get_open_orders()] == [order.order_id]


@pytest.mark.parametrize("exchange", ExchangeType)
async def test_where_nobody_listens_nothing_was_sent(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, exchange: ExchangeType) -> None:
    monkeypatch.setenv("SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    registry = VenueRegistry()
    desk = open_desk(exchange, sandbox, registry)
    for call in (desk.client.get_server_time_ms, desk.client.get_instruments, desk.client.get_account, desk.client.get_open_positions):
        with pytest.raises(NotSent) as failure:
            await call()
        assert failure.value.write_effect == "none"
    await registry.aclose()


async def test_a_read_that_is_never_answered_is_given_up_after_ten_seconds(desks: dict[ExchangeType, Desk]) -> None:
    async def hang(desk: Desk) -> None:
        await desk.client.get_balances()
        desk.fault({"kind": "hang"}, times=None)
        started = time.monotonic()
        with pytest.raises(ExchangeUnavailable, match="deadline"):
            await desk.client.get_balances()
        assert 9 < time.monotonic() - started < 20

    await asyncio.gather(*(hang(desk) for desk in desks.values()))
