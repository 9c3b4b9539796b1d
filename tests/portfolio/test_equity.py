"""Equity over time: sums by the minute that say what they lack."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.models import Exchange, ExchangeAccount
from portfolio import equity
from portfolio.models import EquityPoint, Role
from tests.dashboard import rows

D = Decimal
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def accounts(db: None) -> list[ExchangeAccount]:
    book = rows.portfolio("Alice's book", {rows.person("alice"): Role.TRADER})
    return [rows.account(book, exchange) for exchange in (Exchange.BINANCE, Exchange.OKX)]


def keep(account: ExchangeAccount, minute: int, usd: str, *, is_stale: bool = False) -> None:
    EquityPoint.objects.create(account=account, minute=NOON + timedelta(minutes=minute), equity_usd=D(usd), is_stale=is_stale)


def shown(accounts: list[ExchangeAccount], limit: int = 100, start: int | None = None, end: int | None = None) -> list[tuple[int, D, bool]]:
    start_at, end_at = (None if minute is None else NOON + timedelta(minutes=minute) for minute in (start, end))
    found = equity.series(accounts, start=start_at, end=end_at, limit=limit)
    return [((each.minute - NOON).seconds // 60, each.equity_usd, each.is_complete) for each in found]


def test_the_accounts_of_a_minute_are_summed(accounts: list[ExchangeAccount]) -> None:
    binance, okx = accounts
    for minute in (0, 1):
        keep(binance, minute, "100.10")
        keep(okx, minute, "50.05")
    assert shown(accounts) == [(0, D("150.15"), True), (1, D("150.15"), True)]


def test_a_minute_that_lacks_an_account_or_has_an_old_figure_is_not_complete(accounts: list[ExchangeAccount]) -> None:
    binance, okx = accounts
    keep(binance, 0, "100")
    keep(okx, 0, "50")
    keep(binance, 1, "100")
    keep(binance, 2, "100")
    keep(okx, 2, "50", is_stale=True)
    assert shown(accounts) == [(0, D(150), True), (1, D(100), False), (2, D(150), False)]


def test_before_an_account_was_connected_it_lacks_in_no_sum(accounts: list[ExchangeAccount]) -> None:
    binance, okx = accounts
    keep(binance, 0, "100")
    keep(binance, 5, "100")
    keep(okx, 5, "50")
    assert shown(accounts) == [(0, D(100), True), (5, D(150), True)]


@pytest.mark.parametrize("ended", [{"is_enabled": False}, {"is_enabled": False, "archived_at": NOON}])
def test_what_an_account_had_stays_in_the_sums_of_its_time(accounts: list[ExchangeAccount], ended: dict[str, Any]) -> None:
    binance, okx = accounts
    for minute in (0, 1, 2, 3):
        keep(binance, minute, "100")
    keep(okx, 0, "50")
    keep(okx, 2, "50")
    for name, value in ended.items():
        setattr(okx, name, value)
    assert shown(accounts) == [(0, D(150), True), (1, D(100), False), (2, D(150), True), (3, D(100), True)]


def test_the_newest_minutes_are_shown_and_the_oldest_from_a_start_on(accounts: list[ExchangeAccount]) -> None:
    for minute in range(6):
        keep(accounts[0], minute, str(minute + 1))
    assert [minute for minute, *_ in shown(accounts, limit=2)] == [4, 5]
    assert [minute for minute, *_ in shown(accounts, limit=2, start=1)] == [1, 2]
    assert [minute for minute, *_ in shown(accounts, limit=2, start=1, end=4)] == [3, 4]
    assert [minute for minute, *_ in shown(accounts, end=1)] == [0, 1]


def test_other_accounts_count_for_nothing(accounts: list[ExchangeAccount]) -> None:
    keep(accounts[0], 0, "100")
    keep(accounts[1], 0, "50")
    assert shown(accounts[:1]) == [(0, D(100), True)]
    assert shown([]) == []
