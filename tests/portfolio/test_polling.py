"""Many accounts are asked at once, each succeeds or fails alone; what is missing from the open orders is asked about."""

import asyncio
import gc
from typing import Any

import pytest

from exchanges.domain import Environment, ExchangeConfig, ExchangeType, OrderStatus
from exchanges.errors import BadApiKey, BadVenueResponse, ExchangeUnavailable
from exchanges.factory import get_exchange_client
from exchanges.protocol import IExchangeClient
from exchanges.venue import VenueRegistry
from portfolio import polling
from portfolio.polling import FOLLOW_UP_ORDERS, KnownOrder, ask_all, fetch_holdings, fetch_orders
from tests.exchanges.contract.desk import Desk, open_desk
from tests.simulated import Sandbox

VENUES = list(ExchangeType)


@pytest.fixture
async def registry(sandbox: Sandbox) -> Any:
    registry = VenueRegistry()
    yield registry
    await registry.aclose()


@pytest.fixture
def clients(sandbox: Sandbox, registry: VenueRegistry) -> dict[int, IExchangeClient]:
    return {number: open_desk(venue, sandbox, registry).client for number, venue in enumerate(VENUES)}


async def name_of(_account_id: int, client: IExchangeClient) -> str:
    return client.get_exchange_name()


async def test_every_account_answers_under_its_own_id(clients: dict[int, IExchangeClient]) -> None:
    answers = await ask_all(clients, name_of)
    assert {number: answer.content for number, answer in answers.items()} == dict(enumerate(VENUES))
    assert all(answer.error is None and answer.sent_at <= answer.received_at for answer in answers.values())


async def test_one_accounts_error_is_its_own(clients: dict[int, IExchangeClient]) -> None:
    async def question(account_id: int, client: IExchangeClient) -> str:
        if account_id == 1:
            raise BadApiKey("wrong key", exchange="bybit")
        return client.get_exchange_name()

    answers = await ask_all(clients, question)
    assert isinstance(answers[1].error, BadApiKey)
    assert (answers[1].content, answers[0].content, answers[2].content) == (None, "binance", "okx")


async def test_a_defect_that_one_account_brings_to_light_is_its_own_too(
    clients: dict[int, IExchangeClient], caplog: pytest.LogCaptureFixture
) -> None:
    defect: dict[str, str] = {}

    async def question(account_id: int, client: IExchangeClient) -> str:
        return client.get_exchange_name() if account_id else defect["a field that a venue renamed"]

    answers = await ask_all(clients, question)
    assert isinstance(answers[0].error, BadVenueResponse)
    assert "KeyError" in answers[0].error.message
    assert (answers[1].content, answers[2].content) == ("bybit", "okx")
    assert "a field that a venue renamed" in caplog.text


async def test_an_account_that_does_not_answer_is_given_up(clients: dict[int, IExchangeClient]) -> None:
    async def question(account_id: int, client: IExchangeClient) -> str:
        if account_id == 2:
            await asyncio.Event().wait()
        return client.get_exchange_name()

    answers = await ask_all(clients, question, deadline_s=0.5)
    assert isinstance(answers[2].error, ExchangeUnavailable)
    assert answers[2].error.message == "no complete answer within 0.5 s"
    assert answers[0].content == "binance"


async def test_no_more_are_asked_at_once_than_allowed(clients: dict[int, IExchangeClient]) -> None:
    running, most = 0, 0

    async def question(_account_id: int, _client: IExchangeClient) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    many = {number: clients[number % 3] for number in range(20)}
    assert len(await ask_all(many, question, concurrent=4)) == 20
    assert most <= 4


@pytest.mark.filterwarnings("error")
async def test_a_venue_that_is_down_is_an_error_and_leaves_no_question_open(sandbox: Sandbox, clients: dict[int, IExchangeClient]) -> None:
    sandbox.control("POST", "venue", {"venue": "okx", "up": False})
    asked = []

    async def question(account_id: int, client: IExchangeClient) -> str:
        asked.append(account_id)
        return client.get_exchange_name()

    answers = await ask_all(clients, question)
    gc.collect()
    assert isinstance(answers[2].error, ExchangeUnavailable)
    assert sorted(asked) == [0, 1]


async def test_the_clock_is_measured_once_a_minute(sandbox: Sandbox, clients: dict[int, IExchangeClient]) -> None:
    await ask_all(clients, name_of)
    before = [sandbox.control("GET", f"requests?venue={venue}")["count"] for venue in VENUES]
    await ask_all(clients, name_of)
    assert [sandbox.control("GET", f"requests?venue={venue}")["count"] for venue in VENUES] == before


@pytest.mark.parametrize("venue", VENUES)
async def test_holdings_are_positions_balances_and_equity(sandbox: Sandbox, registry: VenueRegistry, venue: ExchangeType) -> None:
    desk = open_desk(venue, sandbox, registry)
    await desk.market("ETHUSDT")
    holdings = await fetch_holdings(desk.client)
    assert [position.symbol for position in holdings.book.positions] == ["ETHUSDT"]
    assert "USDT" in [balance.asset for balance in holdings.balances]
    assert holdings.summary.equity_usd is not None


@pytest.mark.parametrize("venue", VENUES)
async def test_orders_that_are_gone_are_followed_up(sandbox: Sandbox, registry: VenueRegistry, venue: ExchangeType) -> None:
    desk: Desk = open_desk(venue, sandbox, registry)
    still, canceled = await desk.rest(), await desk.rest()
    await desk.client.cancel_order("BTCUSDT", canceled.order_id)
    known = [KnownOrder("BTCUSDT", still.order_id), KnownOrder("BTCUSDT", canceled.order_id), KnownOrder("BTCUSDT", "123456789")]
    found = await fetch_orders(desk.client, known)
    assert [order.order_id for order in found.resting] == [still.order_id]
    assert [(order.order_id, order.status) for order in found.settled] == [(canceled.order_id, OrderStatus.CANCELED)]
    assert found.asked == known[1:]


async def test_at_most_ten_are_followed_up_at_a_time(sandbox: Sandbox, registry: VenueRegistry) -> None:
    desk = open_desk(ExchangeType.BINANCE, sandbox, registry)
    known = [KnownOrder("BTCUSDT", str(number)) for number in range(1, 31)]
    found = await fetch_orders(desk.client, known)
    assert found.asked == known[:FOLLOW_UP_ORDERS]
    assert polling.FOLLOW_UP_ORDERS == 10


async def test_an_order_id_of_another_symbol_is_another_order(sandbox: Sandbox, registry: VenueRegistry) -> None:
    """Binance counts each symbol's orders apart: the same number may rest in one symbol and be gone in the other."""
    desk = open_desk(ExchangeType.BINANCE, sandbox, registry)
    resting = await desk.rest()
    found = await fetch_orders(desk.client, [KnownOrder("ETHUSDT", resting.order_id)])
    assert found.asked == [KnownOrder("ETHUSDT", resting.order_id)]


async def test_a_wrong_key_fails_the_whole_answer(sandbox: Sandbox, registry: VenueRegistry) -> None:
    config = ExchangeConfig.model_validate(
        {"exchange_type": "bybit", "environment": Environment.SANDBOX, "api_key": "sandbox-x", "api_secret": "not-the-secret"}
    )
    answers = await ask_all({7: get_exchange_client(config, registry)}, lambda _id, client: fetch_holdings(client))
    assert answers[7].content is None
    assert answers[7].error is not None
