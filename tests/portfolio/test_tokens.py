"""Bearer tokens: shown once, kept as a hash, valid for exactly as long as they should be (A3, S27, S28)."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from exchanges.models import Environment, Exchange, ExchangeAccount
from portfolio import tokens
from portfolio.models import ApiToken, Membership, Portfolio, PortfolioAccount, Role

pytestmark = pytest.mark.postgresql

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create(username="alice")


def test_a_token_finds_its_owner_and_scopes(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    other = tokens.create(alice, "other", list(tokens.SCOPES))
    found = tokens.owner_of(text, NOW)
    assert found is not None
    assert (found.user, found.name, found.scopes) == (alice, "bot", ["read"])
    assert tokens.owner_of(other, NOW) != found


def test_what_is_kept_does_not_hold_the_secret(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    mark, prefix, secret = text.split("_", 2)
    assert (mark, len(prefix), len(secret) >= 43) == ("cbk", 8, True)
    (row,) = ApiToken.objects.values()
    assert row["prefix"] == prefix
    assert secret not in str(row)
    assert text not in repr(ApiToken.objects.get())


def test_the_hash_is_keyed(alice: User, settings: LazySettings) -> None:
    """A copy of the database alone checks no guess."""
    text = tokens.create(alice, "bot", [tokens.READ])
    settings.SECRET_KEY = "another key, as long as the one before it was"
    assert tokens.owner_of(text, NOW) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "cbk",
        lambda text: "cbk_",
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.upper(),
        lambda text: text.replace("cbk_", "abc_"),
        lambda text: text.replace("cbk_", "cbk_x"),
        lambda text: text.rpartition("_")[0] + "_",
        lambda text: " " + text,
        lambda text: text.replace("_", "", 1),
        lambda text: text[:13] + "é" * 43,
        lambda text: text[:13] + "%' OR 1=1 --",
    ],
)
def test_anything_else_is_no_token(alice: User, change: Callable[[str], str]) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    assert tokens.owner_of(change(text), NOW) is None


def test_a_secret_fits_its_own_prefix_alone(alice: User) -> None:
    first, second = (tokens.create(alice, name, [tokens.READ]) for name in ("one", "two"))
    assert tokens.owner_of(first[:13] + second[13:], NOW) is None


def test_a_revoked_token_is_none_at_once(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    ApiToken.objects.update(revoked_at=NOW)
    assert tokens.owner_of(text, NOW) is None


def test_revoking_counts_what_was_valid_and_keeps_when_it_was_revoked_first(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    assert tokens.revoke(ApiToken.objects.all(), NOW) == 1
    assert tokens.owner_of(text, NOW) is None
    assert tokens.revoke(ApiToken.objects.all(), NOW + timedelta(days=1)) == 0
    assert ApiToken.objects.get().revoked_at == NOW


@pytest.mark.parametrize(("rights", "is_revoked"), [(["view_apitoken", "change_apitoken"], True), (["view_apitoken"], False)])
def test_the_admin_revokes_for_those_who_may_change_tokens(alice: User, rights: list[str], is_revoked: bool) -> None:
    tokens.create(alice, "bot", [tokens.READ])
    staff = User.objects.create(username="staff", is_staff=True)
    ApiToken.objects.update(user=staff)
    staff.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(staff)
    page = reverse("admin:portfolio_apitoken_changelist")
    assert (b'value="revoke"' in client.get(page).content) == is_revoked
    client.post(page, {"action": "revoke", "_selected_action": [ApiToken.objects.get().pk]})
    assert (ApiToken.objects.get().revoked_at is not None) == is_revoked


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" 192.0.2.7,, 2001:DB8::/32 ", ["192.0.2.7", "2001:db8::/32"]),
        ("192.0.2.0/24 192.0.2.7/32", ["192.0.2.0/24", "192.0.2.7"]),
    ],
)
def test_addresses_are_kept_in_their_usual_form(text: str, found: list[str]) -> None:
    assert tokens.networks_in(text) == found


@pytest.mark.parametrize("text", ["192.0.2.7/24", "192.0.2", "example.org", "192.0.2.7;192.0.2.8", "1" * 5_000, "١.1.1.1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="addresses must be IP addresses"):
        tokens.networks_in(text)


def made_by_command(**options: str) -> ApiToken:
    call_command("create_api_token", user="alice", name="bot", stdout=io.StringIO(), **options)
    return ApiToken.objects.get()


def test_the_command_narrows_a_token_too(alice: User) -> None:
    portfolio = Portfolio.objects.create(name="Ours", environment=Environment.SANDBOX)
    account = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="Main")
    PortfolioAccount.objects.create(portfolio=portfolio, account=account)
    foreign = {"accounts": str(account.pk)}
    with pytest.raises(CommandError, match="accounts must be ids of accounts that alice may see"):
        made_by_command(**foreign)
    Membership.objects.create(portfolio=portfolio, user=alice, role=Role.TRADER)
    for wrong, words in (
        ({"addresses": "here"}, "one was here"),
        ({"accounts": "x"}, "one was 'x'"),
        ({**foreign, "scopes": "admin"}, "leave out admin"),
    ):
        with pytest.raises(CommandError, match=words):
            made_by_command(**wrong)
    token = made_by_command(**foreign, addresses="192.0.2.7, 198.51.100.0/24")
    assert (token.account_ids, token.addresses) == ([account.pk], ["192.0.2.7", "198.51.100.0/24"])


def test_a_token_ends_when_it_expires(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    ApiToken.objects.update(expires_at=NOW)
    assert tokens.owner_of(text, NOW - timedelta(microseconds=1)) is not None
    assert tokens.owner_of(text, NOW) is None


def test_a_disabled_user_has_no_token(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    User.objects.update(is_active=False)
    assert tokens.owner_of(text, NOW) is None


def test_the_last_use_is_kept_to_the_minute(alice: User) -> None:
    """A bot with a hundred requests a second must not write a hundred times."""
    text = tokens.create(alice, "bot", [tokens.READ])
    seen = []
    for seconds in (0, 1, 60, 61, 100, 122):
        tokens.owner_of(text, NOW + timedelta(seconds=seconds))
        last_used_at = ApiToken.objects.get().last_used_at
        assert last_used_at is not None
        seen.append((last_used_at - NOW).total_seconds())
    assert seen == [0, 0, 0, 61, 61, 122]
    with CaptureQueriesContext(connection) as queries:
        tokens.owner_of(text, NOW + timedelta(seconds=125))
    assert len(queries) == 1


def test_what_is_refused_is_no_use(alice: User) -> None:
    text = tokens.create(alice, "bot", [tokens.READ])
    tokens.owner_of(text[:-1], NOW)
    ApiToken.objects.update(revoked_at=NOW)
    tokens.owner_of(text, NOW)
    assert ApiToken.objects.get().last_used_at is None


def test_a_key_on_its_way_out_goes_on_opening_what_it_made(alice: User, settings: LazySettings) -> None:
    before = settings.SECRET_KEY
    made = tokens.create(alice, "bot", ["read"])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [before]
    assert tokens.owner_of(made, datetime.now(UTC)) is not None
    settings.SECRET_KEY_FALLBACKS = []
    assert tokens.owner_of(made, datetime.now(UTC)) is None
