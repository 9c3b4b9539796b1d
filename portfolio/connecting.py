"""Everything that a manager does with accounts: connect, renew keys, switch on and off, rename, retire. The page, the REST API and the
commands call these functions and no others.

Keys are tried at the exchange before they are stored, and who may do this is asked again when the exchange has answered. A refusal says in
one sentence what to change; nothing is stored then."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.views.decorators.debug import sensitive_variables

from exchanges import listing
from exchanges.accounts import store_credential
from exchanges.domain import Environment, ExchangeType
from exchanges.errors import ExchangeUnavailable
from exchanges.models import Credential, ExchangeAccount, Instrument
from portfolio import access, key_check, key_watch, publish, refresh
from portfolio.execution.refusals import NotFound, Refused
from portfolio.key_check import Findings, Keys
from portfolio.models import AccountState, EquityPoint, Order, Portfolio, PortfolioAccount
from portfolio.states import OrderState

logger = logging.getLogger(__name__)

MAX_LABEL_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where an account is: of which exchange, in which of its worlds, at which of its sites ("" the global one)."""

    exchange: ExchangeType
    environment: Environment
    region: str = ""


def account_for(user: User, account_id: int) -> ExchangeAccount:
    """One that `user` may see, with its portfolio and credential. Raises NotFound for a missing one, a stranger's and an archived one."""
    found = access.accounts_for(user).filter(pk=account_id).select_related("credential", "portfolio_link__portfolio").first()
    if found is None:
        raise NotFound("account")
    return found


def managed_account(user: User, account_id: int) -> ExchangeAccount:
    """As account_for; raises NotPermitted where `user` may see it and is no manager."""
    account = account_for(user, account_id)
    access.require_managing_role(user, account.portfolio_link.portfolio)
    return account


def try_out(actor: User, portfolio: Portfolio, place: Place, keys: Keys) -> Findings:
    """What the exchange says of these keys; stores nothing. Raises NotPermitted, Refused or ExchangeAPIError."""
    access.require_managing_role(actor, portfolio)
    _refuse_other_environment(portfolio, place)
    return key_check.try_keys(place.exchange, place.environment, place.region, keys)


@sensitive_variables()
def connect(actor: User, portfolio: Portfolio, place: Place, label: str, keys: Keys) -> tuple[ExchangeAccount, Findings]:
    """Try the keys and store exactly these. The first account of its exchange is the portfolio's default there. Trading is on where the key
    and the environment let it: live accounts are read-only. Raises as `try_out`, Refused for an account that the portfolio holds already
    under another label, and VaultError."""
    label = _clean_label(portfolio, place.exchange, label)
    findings = try_out(actor, portfolio, place, keys)
    with _portfolio_held(actor, portfolio):
        _clean_label(portfolio, place.exchange, label)
        _refuse_connected_already(portfolio, place, findings.venue_account_id)
        can_trade = findings.permissions.can_trade and place.environment is not Environment.LIVE
        account = ExchangeAccount.objects.create(
            exchange=place.exchange,
            environment=place.environment,
            region=place.region,
            label=label,
            venue_account_id=findings.venue_account_id,
            is_trading_enabled=can_trade,
        )
        _store(account, keys, findings)
        has_default = portfolio.account_links.filter(exchange=place.exchange, is_default=True).exists()
        PortfolioAccount.objects.create(portfolio=portfolio, account=account, is_default=not has_default)
        _say(actor, account, "connected")
    _read_instruments_of_new_venue(account)
    return account, findings


@sensitive_variables()
def renew_keys(actor: User, account: ExchangeAccount, keys: Keys) -> Findings:
    """Try the new keys and put them in the place of the old ones; open clients renew themselves. Trading stays as it is switched, unless
    the new key may not trade. Raises as `connect`, and Refused for keys of another account: its positions and history are not these."""
    place = Place(ExchangeType(account.exchange), Environment(account.environment), account.region)
    portfolio = account.portfolio_link.portfolio
    findings = try_out(actor, portfolio, place, keys)
    with _account_held(actor, account):
        if not account.venue_account_id:
            _refuse_connected_already(portfolio, place, findings.venue_account_id)
            _set(account, venue_account_id=findings.venue_account_id)
        elif findings.venue_account_id not in ("", account.venue_account_id):
            words = f"keys must be of the same {place.exchange.value} account, these are of another one: connect it under its own label"
            raise Refused("another_account", words, "api_key")
        _store(account, keys, findings)
        if not findings.permissions.can_trade:
            _set(account, is_trading_enabled=False)
        _say(actor, account, "given new keys")
    return findings


def set_enabled(actor: User, account: ExchangeAccount, *, is_enabled: bool) -> None:
    """A disabled account is neither read nor traded, and counts in no total."""
    with _account_held(actor, account):
        _set(account, is_enabled=is_enabled)
        _say(actor, account, "enabled" if is_enabled else "disabled")


def set_trading(actor: User, account: ExchangeAccount, *, is_enabled: bool) -> None:
    """Switched on only where the stored key, asked at this moment, may trade and not withdraw."""
    if is_enabled:
        access.require_managing_role(actor, account.portfolio_link.portfolio)
        if account.environment == Environment.LIVE:
            words = "trading cannot be switched on for a live account yet: live accounts are read-only"
            raise Refused("live_is_read_only", words, "account")
        _refuse_trading_with(check_now(actor, account))
    with _account_held(actor, account):
        if is_enabled:
            _refuse_trading_with(_credential_of(account))
        _set(account, is_trading_enabled=is_enabled)
        _say(actor, account, "opened to trading" if is_enabled else "closed to trading")


def check_now(actor: User, account: ExchangeAccount) -> Credential:
    """Ask the exchange about the stored key, as the daily check does, and return what is known of it then. Raises ExchangeUnavailable where
    it did not say."""
    access.require_managing_role(actor, account.portfolio_link.portfolio)
    before = _credential_of(account)
    key_watch.check_keys([account.pk], datetime.now(UTC))
    account.refresh_from_db(fields=["is_trading_enabled"])
    now = _credential_of(account)
    if now.checked_at == before.checked_at:
        raise ExchangeUnavailable("the key could not be checked now; what is known of it stays", exchange=account.exchange)
    return now


def set_default(actor: User, account: ExchangeAccount) -> None:
    """Orders for its exchange go there from now on, unless they name another account."""
    with _account_held(actor, account):
        links = PortfolioAccount.objects.filter(portfolio=account.portfolio_link.portfolio, exchange=account.exchange)
        links.filter(is_default=True).exclude(account=account).update(is_default=False)
        links.filter(account=account).update(is_default=True)
        _say(actor, account, "made the default")


def rename(actor: User, account: ExchangeAccount, label: str) -> None:
    with _account_held(actor, account):
        label = _clean_label(account.portfolio_link.portfolio, ExchangeType(account.exchange), label, except_for=account)
        _say(actor, account, f"renamed to {label!r}")
        _set(account, label=label)


def archive(actor: User, account: ExchangeAccount, typed_label: str) -> bool:
    """Erase the keys and take the account out of the book for good. True where its row is kept, because orders or equity refer to it.
    What is open at the exchange stays open there."""
    with _polls_held(account), _account_held(actor, account):
        if typed_label.strip() != account.label:
            raise Refused("label_mismatch", f"label must be typed as it is, {account.label}, was {typed_label.strip()[:80]!r}", "label")
        if Order.objects.filter(account=account, state=OrderState.SUBMITTING).exists():
            raise Refused(
                "order_under_way", "account must have no order that is being sent at this moment; try again in a minute", "account"
            )
        Credential.objects.filter(account=account).delete()
        _say(actor, account, "archived")
        is_kept = Order.objects.filter(account=account).exists() or EquityPoint.objects.filter(account=account).exists()
        if is_kept:
            PortfolioAccount.objects.filter(account=account).update(is_default=False)
            account.positions.all().delete()
            account.balances.all().delete()
            _set(account, is_enabled=False, is_trading_enabled=False, archived_at=datetime.now(UTC))
        else:
            account.delete()
    return is_kept


@contextmanager
def _portfolio_held(actor: User, portfolio: Portfolio) -> Iterator[None]:
    """A transaction in which nobody else changes the accounts of `portfolio`, and `actor` is still its manager."""
    with transaction.atomic():
        Portfolio.objects.select_for_update().get(pk=portfolio.pk)
        access.require_managing_role(actor, portfolio)
        yield


@contextmanager
def _account_held(actor: User, account: ExchangeAccount) -> Iterator[None]:
    """As above; raises NotFound where the account was archived meanwhile. Whoever looks at the portfolio is told afterwards."""
    with _portfolio_held(actor, account.portfolio_link.portfolio):
        if not ExchangeAccount.objects.select_for_update().filter(pk=account.pk, archived_at=None).exists():
            raise NotFound("account")
        account.refresh_from_db(fields=["label", "venue_account_id", "is_enabled", "is_trading_enabled"])
        publish.book_changed([account.pk])
        yield


@contextmanager
def _polls_held(account: ExchangeAccount) -> Iterator[None]:
    """A transaction in which no answer of `account` is stored. Begun before anything else is held: whoever stores one holds this state
    first and the portfolio last."""
    with transaction.atomic():
        AccountState.objects.select_for_update().filter(account=account).first()
        yield


def _store(account: ExchangeAccount, keys: Keys, findings: Findings) -> None:
    passphrase = keys.passphrase.get_secret_value() if keys.passphrase else ""
    account.credential = store_credential(
        account, api_key=keys.api_key.get_secret_value(), api_secret=keys.api_secret.get_secret_value(), passphrase=passphrase
    )
    key_watch.keep(account, findings.permissions, findings.checked_at)


def _set(account: ExchangeAccount, **values: object) -> None:
    for name, value in values.items():
        setattr(account, name, value)
    account.save(update_fields=list(values))


def _say(actor: User, account: ExchangeAccount, what: str) -> None:
    logger.info("account %s (%s) was %s by %s", account.pk, account, what, actor.get_username())
    refresh.soon(account.pk)


def _clean_label(portfolio: Portfolio, exchange: ExchangeType, label: str, *, except_for: ExchangeAccount | None = None) -> str:
    """Labels tell the accounts of one exchange in one portfolio apart; what strangers call theirs is nobody's business."""
    label = label.strip()
    if not 0 < len(label) <= MAX_LABEL_LENGTH or not label.isprintable():
        raise Refused("invalid_label", f"label must be 1 to {MAX_LABEL_LENGTH} printable characters, was {label[:80]!r}", "label")
    taken = ExchangeAccount.objects.filter(portfolio_link__portfolio=portfolio, exchange=exchange, archived_at=None, label__iexact=label)
    if except_for is not None:
        taken = taken.exclude(pk=except_for.pk)
    if taken.exists():
        raise Refused("label_taken", f"label must be new among the {exchange.value} accounts of {portfolio}, was {label!r}", "label")
    return label


def _refuse_connected_already(portfolio: Portfolio, place: Place, venue_account_id: str) -> None:
    """Under two labels its exposure and equity would count twice. What is disabled is here all the same: it can be enabled. An id that is
    not known yet is nobody's."""
    if not venue_account_id:
        return
    here = ExchangeAccount.objects.filter(portfolio_link__portfolio=portfolio, exchange=place.exchange, environment=place.environment)
    known = here.filter(archived_at=None, venue_account_id=venue_account_id).first()
    if known is not None:
        words = f"account must be new in {portfolio}, that of these keys is connected already as {known.label!r}"
        raise Refused("account_connected_already", words, "api_key")


def _refuse_other_environment(portfolio: Portfolio, place: Place) -> None:
    if place.environment != portfolio.environment:
        raise Refused(
            "environment_mismatch",
            f"environment must be {portfolio.environment}, as the rest of {portfolio}, was {place.environment.value}",
            "environment",
        )


def _credential_of(account: ExchangeAccount) -> Credential:
    credential = Credential.objects.filter(account=account).first()
    if credential is None:
        raise Refused("no_credential", "account must have keys, this one has none", "account")
    return credential


def _refuse_trading_with(credential: Credential) -> None:
    if credential.trouble:
        raise Refused("key_unfit", credential.trouble, "account")
    if not credential.can_trade:
        raise Refused("key_cannot_trade", "The key may not trade: give it that permission at the exchange.", "account")


def _read_instruments_of_new_venue(account: ExchangeAccount) -> None:
    """Without them its first orders would be refused until the hourly reading."""
    if not Instrument.objects.filter(exchange=account.exchange, environment=account.environment).exists():
        listing.read_instruments(account.exchange, account.environment)
