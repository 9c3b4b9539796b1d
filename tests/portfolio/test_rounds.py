"""One poll round over accounts of three exchanges: each is stored or marked alone, those that must wait are left out (I1, L3, F39)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import LazySettings

from exchanges.accounts import store_credential
from exchanges.domain import ExchangeType, OrderSide
from exchanges.errors import BadApiKey, RateLimited
from exchanges.models import Credential, Exchange, ExchangeAccount, VenuePause
from portfolio import ingest, polling, rounds
from portfolio.models import AccountState, Balance, EquityPoint, Order, Portfolio, Position
from portfolio.polling import Answer, Holdings
from portfolio.states import OrderState
from tests.conftest import Cast, connect_account
from tests.exchanges.contract.wire import NO_ANSWER_KINDS, address_limit, rate_limit
from tests.portfolio.desk import (
    SYMBOL,
    asked,
    canceled_elsewhere,
    client_of,
    fault,
    market,
    now,
    placed,
    placed_elsewhere,
    requests_sent,
    resting,
)
from tests.simulated import Sandbox

EXCHANGES = ["binance", "bybit", "okx"]


def ids(book: Cast) -> list[int]:
    return [account.pk for account in book.accounts]


def state_of(account: ExchangeAccount) -> AccountState:
    return AccountState.objects.get(account=account)


def test_a_round_reads_every_account(book: Cast) -> None:
    for account in book.accounts:
        placed_elsewhere(account, market("0.1"))
    before = now()
    rounds.poll_holdings(ids(book))
    for account in book.accounts:
        state = state_of(account)
        assert state.as_of is not None
        assert before <= state.as_of <= now()
        assert (state.error_class, state.position_mode) == ("", "one_way")
        assert state.equity_usd is not None
        assert abs(state.equity_usd - 100_000) < 100
        position = Position.objects.get(account=account)
        assert (position.symbol, position.side, position.quantity) == (SYMBOL, "LONG", Decimal("0.1"))
        assert Balance.objects.filter(account=account, asset="USDT").exists()
    assert Portfolio.objects.get().version > 1


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_what_was_traded_elsewhere_at_once_is_seen_as_a_position(book: Cast, exchange: str) -> None:
    """O12: an order that fills between two polls is in no list of open orders; what it made is held, counts, and goes again."""
    account: ExchangeAccount = getattr(book, exchange)
    for side, held in ((OrderSide.BUY, [Decimal("0.1")]), (OrderSide.SELL, [])):
        placed_elsewhere(account, market("0.1", side))
        rounds.poll_orders([account.pk])
        rounds.poll_holdings([account.pk])
        assert list(Position.objects.values_list("quantity", flat=True)) == held
    assert not Order.objects.exists()


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_venue_that_is_down_marks_its_account_and_no_other(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    placed_elsewhere(getattr(book, exchange), market("0.1"))
    rounds.poll_holdings(ids(book))
    first = {account.exchange: state_of(account).as_of for account in book.accounts}
    sandbox.control("POST", "venue", {"venue": exchange, "up": False})
    rounds.poll_holdings(ids(book))
    for account in book.accounts:
        state = state_of(account)
        if account.exchange == exchange:
            assert (state.error_class, state.as_of) == ("ExchangeUnavailable", first[exchange])
            assert Position.objects.filter(account=account).count() == 1
        else:
            assert state.error_class == ""
            assert state.as_of != first[account.exchange]
    sandbox.control("POST", "venue", {"venue": exchange, "up": True})
    rounds.poll_holdings(ids(book))
    assert state_of(getattr(book, exchange)).error_class == ""


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_answer_that_is_none_never_reads_as_flat(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    placed_elsewhere(account, market("0.1"))
    rounds.poll_holdings([account.pk])
    as_of = state_of(account).as_of
    for kind in NO_ANSWER_KINDS:
        fault(sandbox, account, "positions", kind)
        rounds.poll_holdings([account.pk])
        state = state_of(account)
        assert (bool(state.error_class), state.as_of) == (True, as_of), kind
        assert "Do not repeat" not in state.error_message
        assert Position.objects.filter(account=account).count() == 1, kind
    rounds.poll_holdings([account.pk])
    assert state_of(account).error_class == ""


def test_a_wrong_key_marks_its_account_pauses_it_and_recovers(book: Cast) -> None:
    store_credential(book.bybit, api_key=f"sandbox-{book.name}", api_secret="not the secret")
    Credential.objects.filter(account=book.bybit).update(version=500_001)
    rounds.poll_holdings(ids(book))
    state = state_of(book.bybit)
    assert (state.error_class, state.as_of) == ("BadSignature", None)
    assert state.paused_until is not None
    assert timedelta(seconds=50) < state.paused_until - now() <= timedelta(seconds=60)
    assert all(state_of(account).as_of for account in (book.binance, book.okx))
    store_credential(book.bybit, api_key=f"sandbox-{book.name}", api_secret=f"sandbox-{book.name}-secret")
    Credential.objects.filter(account=book.bybit).update(version=500_002)
    AccountState.objects.update(paused_until=now())
    rounds.poll_holdings(ids(book))
    assert (state_of(book.bybit).error_class, state_of(book.bybit).paused_until) == ("", None)


@pytest.mark.parametrize("trouble", ["no keys", "another vault"])
def test_an_account_whose_keys_do_not_open_is_marked_and_the_others_are_read(book: Cast, trouble: str) -> None:
    keys = Credential.objects.filter(account=book.okx)
    if trouble == "no keys":
        keys.delete()
    else:
        keys.update(ciphertext=Credential.objects.get(account=book.binance).ciphertext, version=500_003)
    rounds.poll_holdings(ids(book))
    assert state_of(book.okx).error_class == ("RelatedObjectDoesNotExist" if trouble == "no keys" else "VaultError")
    assert all(state_of(account).as_of for account in (book.binance, book.bybit))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_nothing_is_sent_inside_the_window_that_a_venue_named(book: Cast, sandbox: Sandbox, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    client_of(account)
    rounds.poll_holdings([account.pk])
    sandbox.fault(exchange, rate_limit(ExchangeType(exchange), 7), account=book.name)
    rounds.poll_holdings([account.pk])
    state = state_of(account)
    assert state.error_class == ("RateLimited" if exchange == "binance" else "AccountRateLimited")
    assert state.paused_until is not None
    assert timedelta(seconds=1) < state.paused_until - now() <= timedelta(seconds=8)
    sent = requests_sent(sandbox, account, book.name)
    assert account.pk not in [each for shard in rounds.shards(now()) for each in shard]
    rounds.poll_holdings([account.pk])
    rounds.poll_orders([account.pk])
    assert requests_sent(sandbox, account, book.name) == sent
    assert [account.pk] in rounds.shards(now() + timedelta(seconds=10))


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("poll", [rounds.poll_holdings, rounds.poll_orders])
def test_a_limit_counted_by_address_stops_every_account_of_that_exchange(
    book: Cast, sandbox: Sandbox, exchange: str, poll: Callable[[list[int]], None]
) -> None:
    """L3: no request of any account inside the window; the other exchanges go on."""
    account: ExchangeAccount = getattr(book, exchange)
    name = f"{book.name}x"
    second = connect_account(book.portfolio, Exchange(exchange), name, is_default=False)
    unread = connect_account(book.portfolio, Exchange(exchange), f"{name}x", is_default=False)
    rounds.poll_holdings([*ids(book), second.pk])
    as_of = state_of(second).as_of
    sandbox.fault(exchange, address_limit(ExchangeType(exchange), 7), account=book.name)
    poll([account.pk])
    sent = requests_sent(sandbox, second, name)
    rounds.poll_holdings([*ids(book), second.pk, unread.pk])
    rounds.poll_orders([second.pk, unread.pk])
    assert (requests_sent(sandbox, second, name), requests_sent(sandbox, unread, f"{name}x")) == (sent, 0)
    assert [each for shard in rounds.shards(now()) for each in shard] == [each.pk for each in book.accounts if each.exchange != exchange]
    waiting = state_of(second)
    assert (waiting.as_of, waiting.error_class) == (as_of, "Banned" if exchange == "bybit" else "RateLimited")
    assert "another account" in waiting.error_message
    VenuePause.objects.update(until=now())
    rounds.poll_holdings([second.pk])
    assert (state_of(second).error_class, requests_sent(sandbox, second, name) > sent) == ("", True)


@pytest.mark.parametrize("exchange", ["bybit", "okx"])
@pytest.mark.parametrize("poll", [rounds.poll_holdings, rounds.poll_orders])
def test_a_limit_counted_by_account_lets_the_others_go_on(
    book: Cast, sandbox: Sandbox, exchange: str, poll: Callable[[list[int]], None]
) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    second = connect_account(book.portfolio, Exchange(exchange), f"{book.name}x", is_default=False)
    rounds.poll_holdings([*ids(book), second.pk])
    sandbox.fault(exchange, rate_limit(ExchangeType(exchange), 7), account=book.name)
    poll([account.pk])
    due = [each for shard in rounds.shards(now()) for each in shard]
    assert (account.pk in due, second.pk in due) == (False, True)
    assert (state_of(second).error_class, VenuePause.objects.count()) == ("", 0)


def test_answers_that_were_on_their_way_do_not_end_the_wait(book: Cast) -> None:
    """Of many accounts that were asked at once one met the limit; the others' figures count, and all wait."""
    second = connect_account(book.portfolio, Exchange.BYBIT, f"{book.name}x", is_default=False)
    limited: Answer[Holdings] = Answer(now(), now(), error=RateLimited("slow down", retry_after_s=30))
    content, sent_at = asked(book.bybit, polling.fetch_holdings), now()
    ingest.apply_holdings(book.bybit, limited)
    ingest.apply_holdings(second, Answer(sent_at, now(), content=content))
    assert state_of(second).positions_as_of == sent_at
    assert [each for shard in rounds.shards(now()) for each in shard] == [book.binance.pk, book.okx.pk]


def test_of_two_waits_the_longer_one_counts(book: Cast) -> None:
    for seconds in (30, 5):
        ingest.apply_holdings(book.okx, Answer(now(), now(), error=RateLimited("slow down", retry_after_s=seconds)))
    later = [shard for shard in rounds.shards(now() + timedelta(seconds=20)) if book.okx.pk in shard]
    assert (later, VenuePause.objects.count()) == ([], 1)


def test_a_short_wait_makes_no_alarm_of_the_others(book: Cast) -> None:
    rounds.poll_holdings(ids(book))
    second = connect_account(book.portfolio, Exchange.OKX, f"{book.name}x", is_default=False)
    rounds.poll_holdings([second.pk])
    ingest.apply_holdings(book.okx, Answer(now(), now(), error=RateLimited("slow down", retry_after_s=2)))
    assert (state_of(book.okx).error_class, state_of(second).error_class) == ("RateLimited", "")


def test_a_limit_met_in_one_environment_stops_no_other(book: Cast) -> None:
    demo = ExchangeAccount.objects.create(exchange="okx", environment="demo", label="Demo")
    ingest.apply_holdings(book.okx, Answer(now(), now(), error=RateLimited("slow down", retry_after_s=30)))
    assert demo.pk in [each for shard in rounds.shards(now()) for each in shard]


def test_a_key_that_is_refused_stops_its_own_account_alone(book: Cast) -> None:
    second = connect_account(book.portfolio, Exchange.OKX, "second", is_default=False)
    ingest.apply_holdings(book.okx, Answer(now(), now(), error=BadApiKey("wrong key")))
    assert second.pk in [each for shard in rounds.shards(now()) for each in shard]


def test_a_limit_met_by_the_order_poll_holds_for_all_polls(book: Cast, sandbox: Sandbox) -> None:
    rounds.poll_holdings([book.okx.pk])
    sandbox.fault("okx", rate_limit(ExchangeType.OKX, 7), account=book.name)
    rounds.poll_orders([book.okx.pk])
    sent = requests_sent(sandbox, book.okx, book.name)
    rounds.poll_holdings([book.okx.pk])
    assert requests_sent(sandbox, book.okx, book.name) == sent


def test_shards_hold_one_venue_each_and_are_not_too_large(book: Cast, settings: LazySettings) -> None:
    settings.POLL_SHARD_ACCOUNTS = 2
    more = [connect_account(book.portfolio, Exchange.BINANCE, f"more {number}", is_default=False) for number in range(4)]
    ExchangeAccount.objects.filter(pk=more[0].pk).update(is_enabled=False)
    ExchangeAccount.objects.filter(pk=more[1].pk).update(archived_at=now())
    AccountState.objects.create(account=more[2], paused_until=now() + timedelta(seconds=5))
    AccountState.objects.create(account=more[3], paused_until=now() - timedelta(seconds=5))
    found = sorted(rounds.shards(now()))
    assert found == sorted([[book.binance.pk, more[3].pk], [book.bybit.pk], [book.okx.pk]])
    settings.POLL_SHARD_ACCOUNTS = 1
    assert len(rounds.shards(now())) == 4


def test_an_account_that_was_switched_off_meanwhile_is_not_asked(book: Cast, sandbox: Sandbox) -> None:
    ExchangeAccount.objects.filter(pk=book.binance.pk).update(is_enabled=False)
    rounds.poll_holdings(ids(book))
    assert requests_sent(sandbox, book.binance, book.name) == 0
    assert not AccountState.objects.filter(account=book.binance).exists()


def test_the_order_poll_follows_up_what_is_gone(book: Cast) -> None:
    orders = [placed(book, account, resting(account)) for account in book.accounts]
    for order in orders:
        canceled_elsewhere(order)
    rounds.poll_orders(ids(book))
    assert set(Order.objects.values_list("state", flat=True)) == {OrderState.CANCELED}
    assert all(state_of(account).orders_as_of for account in book.accounts)


def test_equity_is_kept_once_a_minute(book: Cast) -> None:
    at = datetime(2026, 11, 24, 12, 0, 31, 5, tzinfo=UTC)
    AccountState.objects.create(account=book.binance, equity_usd=Decimal("100.5"), balances_as_of=at - timedelta(seconds=2))
    AccountState.objects.create(account=book.bybit, equity_usd=Decimal("200"), balances_as_of=at - timedelta(minutes=5))
    AccountState.objects.create(account=book.okx, equity_usd=None, balances_as_of=at)
    rounds.record_equity(at)
    rounds.record_equity(at + timedelta(seconds=20))
    kept = EquityPoint.objects.order_by("account_id").values_list("account_id", "minute", "equity_usd", "is_stale")
    minute = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert list(kept) == [(book.binance.pk, minute, Decimal("100.5"), False), (book.bybit.pk, minute, Decimal(200), True)]
    rounds.record_equity(at + timedelta(seconds=30))
    assert EquityPoint.objects.count() == 4


def test_equity_of_accounts_that_are_off_is_not_kept(book: Cast) -> None:
    AccountState.objects.create(account=book.binance, equity_usd=Decimal(1), balances_as_of=now())
    ExchangeAccount.objects.filter(pk=book.binance.pk).update(is_enabled=False)
    rounds.record_equity(now())
    assert not EquityPoint.objects.exists()
