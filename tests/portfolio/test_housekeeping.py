from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from exchanges.models import ExchangeAccount
from portfolio.housekeeping import tidy
from portfolio.models import EquityPoint, IdempotencyKey, Order, Origin

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


@pytest.fixture
def account(db: None) -> ExchangeAccount:
    return ExchangeAccount.objects.create(exchange="okx", environment="sandbox", label="Main")


def test_equity_is_thinned_to_hours_after_thirty_days(account: ExchangeAccount) -> None:
    old, young = NOW - timedelta(days=31), NOW - timedelta(days=29)
    moments = [old.replace(minute=minute) for minute in (0, 1, 59)] + [young.replace(minute=minute) for minute in (0, 1)]
    for moment in moments:
        EquityPoint.objects.create(account=account, minute=moment, equity_usd="1", is_stale=False)
    tidy(NOW)
    tidy(NOW)
    assert set(EquityPoint.objects.values_list("minute", flat=True)) == {moments[0], moments[3], moments[4]}


def test_idempotency_keys_are_kept_for_seven_days_and_orders_for_good(account: ExchangeAccount) -> None:
    user = User.objects.create_user("alice")
    order = Order.objects.create(
        account=account, client_order_id="a", symbol="BTCUSDT", side="BUY", order_type="MARKET", quantity="1", state="FILLED",
        origin=Origin.API, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    for key, age in (("old", timedelta(days=7, minutes=1)), ("young", timedelta(days=6))):
        IdempotencyKey.objects.create(actor=user, key=key, body_digest="x", order=order)
        IdempotencyKey.objects.filter(key=key).update(created_at=NOW - age)
    tidy(NOW)
    assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["young"]
    assert Order.objects.count() == 1
