from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from exchanges.accounts import config_for
from exchanges.models import Credential, ExchangeAccount
from portfolio.models import Membership, Portfolio, PortfolioAccount, Role
from tests.simulated import Sandbox


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_KEY", "sandbox-nina")
    monkeypatch.setenv("EXCHANGE_SECRET", "sandbox-nina-secret")
    monkeypatch.setenv("EXCHANGE_PASSPHRASE", "sandbox-nina-passphrase")


def add(exchange: str = "okx", **options: str) -> str:
    out = StringIO()
    given = {"exchange": exchange, "environment": "sandbox", "portfolio": "Nina's book", "user": "nina", **options}
    call_command("add_account", stdout=out, **given)
    return out.getvalue()


@pytest.mark.parametrize("exchange", ["binance", "bybit", "okx"])
def test_an_account_is_tried_and_stored_encrypted(transactional_db: None, sandbox: Sandbox, keys: None, exchange: str) -> None:
    nina = User.objects.create_user("nina")
    assert "is connected (one-way mode, equity 100,000.00 USD, the key reads and trades)" in add(exchange)
    account = ExchangeAccount.objects.select_related("credential").get()
    assert account.portfolio_link.is_default
    assert Membership.objects.get(user=nina).role == Role.MANAGER
    assert config_for(account).api_key.get_secret_value() == "sandbox-nina"
    assert "nina" not in account.credential.ciphertext


def test_a_second_account_of_an_exchange_is_not_the_default(
    transactional_db: None, sandbox: Sandbox, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("nina")
    add("okx", label="One")
    add("bybit", label="One")
    with pytest.raises(CommandError, match=r"^not stored: account must be new in Nina's book, .* connected already as 'One'"):
        add("okx", label="Two")
    for variable, end in (("KEY", ""), ("SECRET", "-secret"), ("PASSPHRASE", "-passphrase")):
        monkeypatch.setenv(f"EXCHANGE_{variable}", f"sandbox-nora{end}")
    add("okx", label="Two")
    links = PortfolioAccount.objects.order_by("account_id").values_list("exchange", "account__label", "is_default")
    assert list(links) == [("okx", "One", True), ("bybit", "One", True), ("okx", "Two", False)]
    ids = ExchangeAccount.objects.values_list("venue_account_id", flat=True)
    assert (len(set(ids)), "" in ids) == (3, False)


def test_a_wrong_secret_is_not_stored(transactional_db: None, sandbox: Sandbox, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    User.objects.create_user("nina")
    monkeypatch.setenv("EXCHANGE_SECRET", "wrong")
    with pytest.raises(CommandError, match="not stored"):
        add("binance")
    assert not ExchangeAccount.objects.exists()
    assert not Credential.objects.exists()
    assert not Portfolio.objects.exists()


def test_a_key_that_can_withdraw_is_not_stored(
    transactional_db: None, sandbox: Sandbox, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.create_user("nina")
    monkeypatch.setenv("EXCHANGE_KEY", "sandbox-nina-withdraw")
    monkeypatch.setenv("EXCHANGE_SECRET", "sandbox-nina-withdraw-secret")
    with pytest.raises(CommandError, match=r"^not stored: The key may withdraw money"):
        add("bybit")
    assert not ExchangeAccount.objects.exists()
    assert not Portfolio.objects.exists()


def test_environments_are_not_mixed_and_labels_are_unique(transactional_db: None, sandbox: Sandbox, keys: None) -> None:
    nina = User.objects.create_user("nina")
    real = Portfolio.objects.create(name="Real money", environment="live")
    with pytest.raises(CommandError, match="needs the role of manager"):
        add(portfolio="Real money")
    Membership.objects.create(portfolio=real, user=nina, role=Role.MANAGER)
    with pytest.raises(CommandError, match="environment must be live"):
        add(portfolio="Real money")
    add(label="One")
    with pytest.raises(CommandError, match="label must be new"):
        add(label="One")
    with pytest.raises(CommandError, match="region must be one of"):
        add(region="moon")
    with pytest.raises(CommandError, match="there is no user"):
        add(user="nobody", portfolio="Another")
