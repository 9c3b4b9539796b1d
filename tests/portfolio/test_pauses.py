"""Nothing is sent to a venue that limits this server's address, whoever wants it; the others go on (L3)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges import listing
from exchanges.domain import ExchangeType
from exchanges.errors import RateLimited
from exchanges.models import ExchangeAccount, MarkPrice, VenuePause
from portfolio import rounds
from portfolio.execution.cancel import cancel, order_for
from portfolio.execution.close import close, position_for
from portfolio.execution.place import Intent, place
from portfolio.models import Order, Origin, Position
from portfolio.states import OrderState
from tests.conftest import Cast
from tests.exchanges.contract.wire import address_limit
from tests.portfolio.desk import market, now, placed, placed_elsewhere, requests_sent, resting
from tests.simulated import Sandbox

EXCHANGES = ["binance", "bybit", "okx"]


def pause(account: ExchangeAccount, seconds: int = 60) -> None:
    VenuePause.objects.create(exchange=account.exchange, environment=account.environment, until=now() + timedelta(seconds=seconds))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_a_person_wants_waits_too_and_says_until_when(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account))
    placed_elsewhere(account, market("0.5"))
    rounds.poll_holdings([account.pk])
    position = position_for(book.alice, Position.objects.get(account=account).pk)
    pause(account)
    sent = requests_sent(sandbox, account, book.name)
    for attempt in (
        lambda: place(Intent(book.alice, account, market("0.1"), Origin.API)),
        lambda: cancel(book.alice, order_for(book.alice, order.pk)),
        lambda: close(book.alice, position, Decimal(1), origin=Origin.PAGE),
    ):
        with pytest.raises(RateLimited, match=r"nothing was sent: everything waits until \d\d:\d\d:\d\d UTC") as refusal:
            attempt()
        assert refusal.value.retry_after_s is not None
        assert 55 < refusal.value.retry_after_s <= 60
    assert requests_sent(sandbox, account, book.name) == sent
    assert Order.objects.get().cancel_requested_at is None


def test_the_other_exchanges_go_on(book: Cast) -> None:
    pause(book.okx)
    for account in (book.binance, book.bybit):
        assert placed(book, account, market("0.1")).state == OrderState.FILLED


def test_a_pause_that_is_over_is_none(book: Cast) -> None:
    pause(book.okx, seconds=-1)
    assert placed(book, book.okx, market("0.1")).state == OrderState.FILLED


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_marks_and_instruments_are_not_asked_for_meanwhile(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    venue = (account.exchange, account.environment)
    marks = MarkPrice.objects.filter(exchange=exchange)
    before = marks.get(symbol="ETHUSDT").as_of
    pause(account)
    for read in (listing.read_marks, listing.read_instruments):
        read(*venue)
    assert marks.get(symbol="ETHUSDT").as_of == before
    VenuePause.objects.all().delete()
    listing.read_marks(*venue)
    assert marks.get(symbol="ETHUSDT").as_of > before


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_limit_that_the_reading_of_marks_meets_holds_for_all(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    sandbox.fault(exchange, address_limit(ExchangeType(exchange), 30), times=None)
    listing.read_marks(account.exchange, account.environment)
    assert account.pk not in [each for shard in rounds.shards(now()) for each in shard]
    assert VenuePause.objects.get().exchange == exchange


def limited(sandbox: Sandbox, account: ExchangeAccount) -> None:
    sandbox.fault(account.exchange, address_limit(ExchangeType(account.exchange), 30), times=None)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_limit_that_an_order_meets_holds_for_all(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    limited(sandbox, getattr(book, exchange))
    assert placed(book, getattr(book, exchange), market("0.1")).state == OrderState.NOT_SENT
    assert VenuePause.objects.get().exchange == exchange


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_limit_that_a_cancel_meets_holds_for_all(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    order = placed(book, account, resting(account))
    limited(sandbox, account)
    with pytest.raises(RateLimited):
        cancel(book.alice, order_for(book.alice, order.pk))
    assert VenuePause.objects.get().exchange == exchange


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_limit_that_a_close_meets_holds_for_all(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    placed_elsewhere(account, market("0.5"))
    rounds.poll_holdings([account.pk])
    position = position_for(book.alice, Position.objects.get(account=account).pk)
    limited(sandbox, account)
    with pytest.raises(RateLimited):
        close(book.alice, position, Decimal(1), origin=Origin.PAGE)
    assert VenuePause.objects.get().exchange == exchange
