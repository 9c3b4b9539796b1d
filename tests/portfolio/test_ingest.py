"""Answers become rows: once, in order of their sending, all or nothing; an error changes no figure (D1, D2, F39)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchanges import domain, errors
from exchanges.models import Environment, Exchange, ExchangeAccount
from exchanges.vault import VaultError
from portfolio import ingest
from portfolio.models import AccountState, Balance, Portfolio, PortfolioAccount, Position
from portfolio.polling import Answer, Holdings

pytestmark = pytest.mark.postgresql

D = Decimal
START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def account(db: None) -> ExchangeAccount:
    portfolio = Portfolio.objects.create(name="Book", environment=Environment.SANDBOX)
    account = ExchangeAccount.objects.create(exchange=Exchange.BINANCE, environment=Environment.SANDBOX, label="Main")
    PortfolioAccount.objects.create(portfolio=portfolio, account=account)
    return account


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def position(symbol: str = "BTCUSDT", quantity: str = "0.5", **changed: Any) -> domain.Position:
    usual: dict[str, Any] = {
        "symbol": symbol,
        "venue_symbol": symbol,
        "side": domain.PositionSide.LONG,
        "quantity": D(quantity),
        "entry_price": D("90000.1"),
        "mark_price": D("95000"),
        "unrealized_pnl": D("2499.95"),
        "margin_mode": domain.MarginMode.CROSS,
    }
    return domain.Position(**usual | changed)


def holdings(
    *positions: domain.Position, balances: dict[str, str] | None = None, equity: str | None = "1000", not_covered: tuple[str, ...] = ()
) -> Holdings:
    held = {"USDT": "1000"} if balances is None else balances
    return Holdings(
        domain.PositionBook(positions=list(positions), not_covered=list(not_covered)),
        [domain.Balance(asset=asset, total=D(total)) for asset, total in held.items()],
        domain.AccountSummary(
            equity_usd=None if equity is None else D(equity), equity_basis="totalEquity", position_mode=domain.PositionMode.ONE_WAY
        ),
    )


def answer(content: "Holdings | errors.ExchangeAPIError", sent: float, received: float | None = None) -> Answer[Holdings]:
    received_at = at(sent + 0.1 if received is None else received)
    if isinstance(content, Holdings):
        return Answer(at(sent), received_at, content=content)
    return Answer(at(sent), received_at, error=content)


def rows(account: ExchangeAccount) -> Any:
    """All that is stored of the account but the row ids of its state."""
    positions = (
        Position.objects.filter(account=account)
        .order_by("symbol", "position_side", "margin_mode")
        .values_list("symbol", "side", "quantity", "mark_price", "as_of")
    )
    balances = Balance.objects.filter(account=account).order_by("asset").values_list("asset", "total", "as_of")
    state = AccountState.objects.filter(account=account).values("positions_as_of", "equity_usd", "error_class", "error_at", "paused_until")
    return list(positions), list(balances), list(state)


def version(account: ExchangeAccount) -> int:
    return Portfolio.objects.get(account_links__account=account).version


def test_an_answer_becomes_rows(account: ExchangeAccount) -> None:
    held = position(liquidation_price=D("81000.25"), realized_pnl=None, leverage=D(10), margin=D("4750"))
    pepe = position("1000PEPEUSDT", "3000", side=domain.PositionSide.SHORT)
    assert ingest.apply_holdings(account, answer(holdings(held, pepe, not_covered=("BTCUSD_PERP",)), sent=1))
    btc, thousand_pepe = Position.objects.filter(account=account).order_by("-symbol")
    assert (btc.symbol, btc.side, btc.quantity, btc.entry_price, btc.liquidation_price) == (
        "BTCUSDT",
        "LONG",
        D("0.5"),
        D("90000.1"),
        D("81000.25"),
    )
    assert (btc.realized_pnl, btc.margin_mode, btc.position_side, btc.as_of, btc.source) == (None, "cross", "BOTH", at(1), "poll")
    assert (thousand_pepe.underlying, thousand_pepe.multiplier, thousand_pepe.side) == ("PEPE", D(1000), "SHORT")
    state = AccountState.objects.get(account=account)
    assert (state.as_of, state.equity_usd, state.equity_basis, state.position_mode) == (at(1), D(1000), "totalEquity", "one_way")
    assert state.not_covered == ["BTCUSD_PERP"]


def test_the_same_answer_twice_changes_nothing(account: ExchangeAccount) -> None:
    again = answer(holdings(position()), sent=1)
    assert ingest.apply_holdings(account, again)
    before = rows(account), version(account), Position.objects.get().pk
    assert not ingest.apply_holdings(account, again)
    assert (rows(account), version(account), Position.objects.get().pk) == before


def test_a_newer_answer_changes_the_row_it_is_about(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(holdings(position(quantity="0.5"), position("ETHUSDT", "2")), sent=1))
    ids = dict(Position.objects.values_list("symbol", "pk"))
    flipped = position(quantity="0.25", side=domain.PositionSide.SHORT, liquidation_price=D(99999))
    ingest.apply_holdings(account, answer(holdings(flipped, position("ETHUSDT", "2")), sent=2))
    btc, eth = Position.objects.order_by("symbol")
    assert {btc.symbol: btc.pk, eth.symbol: eth.pk} == ids
    assert (btc.side, btc.quantity, btc.liquidation_price) == ("SHORT", D("0.25"), D(99999))
    assert btc.as_of == eth.as_of == at(2)


def test_two_legs_and_two_margin_modes_of_a_symbol_are_four_positions(account: ExchangeAccount) -> None:
    legs = [
        position(position_side=side, side=side, margin_mode=mode)
        for side in (domain.PositionSide.LONG, domain.PositionSide.SHORT)
        for mode in domain.MarginMode
    ]
    ingest.apply_holdings(account, answer(holdings(*legs), sent=1))
    ingest.apply_holdings(account, answer(holdings(*legs[1:]), sent=2))
    assert Position.objects.count() == 3


def test_absence_flattens_on_success_alone(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(holdings(position(), balances={"USDT": "1", "BTC": "2"}), sent=1))
    assert not ingest.apply_holdings(account, answer(errors.ExchangeUnavailable("gone"), sent=2))
    assert (Position.objects.count(), Balance.objects.count()) == (1, 2)
    assert ingest.apply_holdings(account, answer(holdings(balances={"USDT": "1"}), sent=3))
    assert (Position.objects.count(), Balance.objects.get().asset) == (0, "USDT")


def test_another_accounts_rows_are_left_alone(account: ExchangeAccount) -> None:
    other = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="Other")
    ingest.apply_holdings(other, answer(holdings(position()), sent=1))
    ingest.apply_holdings(account, answer(holdings(), sent=2))
    assert Position.objects.get().account == other


def test_an_error_leaves_the_figures_and_says_why(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(holdings(position()), sent=1))
    figures, balances, _ = rows(account)
    seen = version(account)
    error = errors.ExchangeUnavailable("down", exchange="binance")
    ingest.apply_holdings(account, answer(error, sent=2, received=5))
    assert rows(account)[:2] == (figures, balances)
    state = AccountState.objects.get(account=account)
    assert (state.equity_usd, state.as_of) == (D(1000), at(1))
    assert (state.error_class, state.error_message) == ("ExchangeUnavailable", error.user_message)
    assert (state.error_at, state.paused_until) == (at(2), None)
    assert version(account) > seen


def test_a_read_that_fails_speaks_of_no_order(account: ExchangeAccount) -> None:
    """A malformed answer to a write means "do not repeat the order"; a poll sent none."""
    ingest.apply_holdings(account, answer(errors.BadVenueResponse("the answer is not JSON"), sent=1))
    assert AccountState.objects.get(account=account).error_message == "the answer is not JSON"


@pytest.mark.parametrize(
    ("error", "pause_s"),
    [
        (errors.RateLimited("slow down", retry_after_s=7), 7),
        (errors.RateLimited("slow down"), 10),
        (errors.Banned("banned", retry_after_s=120), 120),
        (errors.BadApiKey("wrong key"), 60),
        (errors.IpNotAllowed("not from here"), 60),
        (errors.ExchangeUnavailable("down"), None),
        (errors.BadVenueResponse("html"), None),
    ],
)
def test_an_error_pauses_for_as_long_as_it_says(account: ExchangeAccount, error: errors.ExchangeAPIError, pause_s: int | None) -> None:
    ingest.apply_holdings(account, answer(error, sent=1, received=2))
    paused_until = AccountState.objects.get(account=account).paused_until
    assert paused_until == (None if pause_s is None else at(2 + pause_s))


def test_recovery_clears_the_error_and_the_pause(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(errors.BadApiKey("wrong key"), sent=1))
    ingest.apply_holdings(account, answer(holdings(), sent=2))
    state = AccountState.objects.get(account=account)
    assert (state.error_class, state.error_message, state.error_at, state.paused_until) == ("", "", None, None)


def test_an_error_that_arrives_after_a_newer_success_changes_nothing(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(holdings(position()), sent=2))
    before = rows(account), version(account)
    ingest.apply_holdings(account, answer(errors.BadApiKey("the key before this one"), sent=1, received=9))
    assert (rows(account), version(account)) == before


def test_a_success_that_was_sent_before_an_error_does_not_end_its_pause(account: ExchangeAccount) -> None:
    """Nothing may be sent inside the window that a venue named, even if a slow answer still comes in (L3)."""
    ingest.apply_holdings(account, answer(errors.RateLimited("slow down", retry_after_s=60), sent=5))
    assert ingest.apply_holdings(account, answer(holdings(position()), sent=1, received=8))
    state = AccountState.objects.get(account=account)
    assert (state.error_class, state.paused_until) == ("RateLimited", at(5.1 + 60))
    assert (state.positions_as_of, Position.objects.count()) == (at(1), 1)


@pytest.mark.parametrize("is_pause", [True, False])
def test_a_pause_that_another_poll_was_told_holds_for_the_account(account: ExchangeAccount, is_pause: bool) -> None:
    error = errors.RateLimited("slow down", retry_after_s=30) if is_pause else errors.ExchangeUnavailable("no")
    ingest.note_pause(account, answer(error, sent=1, received=2))
    state = AccountState.objects.filter(account=account).first()
    assert (state.paused_until if state else None) == (at(32) if is_pause else None)


def test_an_account_that_cannot_be_asked_says_why(account: ExchangeAccount) -> None:
    ingest.apply_holdings(account, answer(holdings(position()), sent=1))
    ingest.note_failure(account, VaultError("The vault key is missing."), at(3))
    state = AccountState.objects.get(account=account)
    assert (state.error_class, state.error_message, state.error_at) == ("VaultError", "The vault key is missing.", at(3))
    assert (state.as_of, Position.objects.count()) == (at(1), 1)


contents = st.one_of(
    st.builds(
        lambda held, usdt, equity: holdings(
            *[position(symbol, quantity) for symbol, quantity in held.items()], balances={"USDT": usdt}, equity=equity
        ),
        st.dictionaries(st.sampled_from(["BTCUSDT", "ETHUSDT", "SOLUSDT"]), st.sampled_from(["0.1", "0.25", "3"])),
        st.sampled_from(["1000", "0.5"]),
        st.sampled_from(["1000", "2000.75", None]),
    ),
    st.sampled_from([errors.ExchangeUnavailable("down"), errors.RateLimited("slow", retry_after_s=9), errors.BadApiKey("key")]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(contents, min_size=1, max_size=5), st.data())
def test_whatever_the_order_of_arrival_the_answer_sent_last_stays(account: ExchangeAccount, sent: list[Any], data: st.DataObject) -> None:
    """`sent[n]` was sent at second n; they arrive in any order, some of them twice."""
    arrivals = data.draw(st.permutations(range(len(sent))))
    repeated = data.draw(st.lists(st.sampled_from(arrivals), max_size=2))
    answers = [answer(content, sent=n, received=n + 20) for n, content in enumerate(sent)]
    with transaction.atomic():
        for n in [*arrivals, *repeated]:
            ingest.apply_holdings(account, answers[n])
        found = rows(account)
        transaction.set_rollback(True)
    with transaction.atomic():
        for each in answers:
            ingest.apply_holdings(account, each)
        expected = rows(account)
        transaction.set_rollback(True)
    assert found == expected
    successes = [n for n, content in enumerate(sent) if isinstance(content, Holdings)]
    (state,) = found[2]
    assert state["positions_as_of"] == (at(successes[-1]) if successes else None)
    assert bool(state["error_class"]) == (not isinstance(sent[-1], Holdings))
