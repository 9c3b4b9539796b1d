"""Accounts: listed for every member; for managers to connect, try keys for, switch on and off. Secrets come in and never go out; an error
about a body that holds them repeats nothing of it."""

from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables
from ninja import Query, Router, Schema
from ninja.responses import Status
from pydantic import ConfigDict, Field, SecretStr

from dashboard.account_rows import permissions_of
from dashboard.api import answers, limits
from dashboard.api.auth import BearerOrSession, caller_of
from dashboard.api.schemas import AccountDetail, ErrorOut, Fixed, PageOf, Paging, Strict
from exchanges.domain import Environment, ExchangeType, KeyPermissions, PositionMode
from exchanges.models import ExchangeAccount
from portfolio import access, connecting, tokens
from portfolio.connecting import MAX_LABEL_LENGTH, Place
from portfolio.execution.refusals import NotFound, Refused
from portfolio.key_check import MAX_SECRET_LENGTH, Findings, Keys, warnings_of
from portfolio.models import AccountState, Portfolio

router = Router(tags=["accounts"], auth=BearerOrSession(write_scope=tokens.ADMIN))

_ERRORS = dict.fromkeys((401, 403, 404, 413, 415, 422, 502, 503), ErrorOut)
_MAX_ID = 2**53
Secret = Annotated[SecretStr, Field(min_length=1, max_length=MAX_SECRET_LENGTH)]


class KeysIn(Strict):
    """`portfolio` may be left out by whoever manages one alone. `region` is "" for an exchange's global site."""

    model_config = ConfigDict(hide_input_in_errors=True)

    portfolio: Annotated[int, Field(ge=1, le=_MAX_ID, strict=True)] | None = None
    exchange: ExchangeType
    environment: Environment
    region: Annotated[str, Field(max_length=16)] = ""
    api_key: Secret
    api_secret: Secret
    passphrase: Secret | None = None

    @property
    def place(self) -> Place:
        return Place(self.exchange, self.environment, self.region)

    @property
    def keys(self) -> Keys:
        return Keys(self.api_key, self.api_secret, self.passphrase)


class AccountIn(KeysIn):
    label: Annotated[str, Field(max_length=MAX_LABEL_LENGTH)]


class KeyOut(Schema):
    """`is_ip_bound` is null where the exchange does not say, `expires_at` where it does not or the key never does."""

    can_read: bool
    can_trade: bool
    can_withdraw: bool
    is_ip_bound: bool | None
    expires_at: datetime | None
    warnings: list[str]


class FindingsOut(Schema):
    """`clock_offset_ms` is the exchange's time minus this server's."""

    key: KeyOut
    position_mode: PositionMode
    equity_usd: Fixed | None
    equity_basis: str
    clock_offset_ms: int


class ConnectedOut(AccountDetail):
    """`key` is null until the exchange has said what the key may do; `key_hint` is all of it that is ever shown."""

    enabled: bool
    key_hint: str
    key: KeyOut | None


@router.get("/accounts", response={200: PageOf[AccountDetail], **_ERRORS}, summary="Accounts with equity and health")
def list_accounts(request: HttpRequest, paging: Query[Paging]) -> PageOf[AccountDetail]:
    accounts = access.accounts_for(caller_of(request)).select_related("portfolio_link")
    rows = list(accounts[paging.offset : paging.offset + paging.limit])
    states = {state.account_id: state for state in AccountState.objects.filter(account__in=[row.pk for row in rows])}
    now = datetime.now(UTC)
    return PageOf(items=[answers.account_detail(row, states.get(row.pk), now) for row in rows], count=accounts.count())


@router.post(
    "/accounts",
    response={201: ConnectedOut, **_ERRORS},
    summary="Connect an account with keys that are tried first",
    throttle=limits.ASKING,
)
@sensitive_variables()
def post_account(request: HttpRequest, body: AccountIn) -> Status[ConnectedOut]:
    """422 with the reason where the keys are refused, by the exchange or by us because they may withdraw or because the portfolio holds
    their account already; nothing is stored then."""
    user = caller_of(request)
    account, _ = connecting.connect(user, _portfolio(request, body.portfolio), body.place, body.label, body.keys)
    return Status(201, _connected(request, account.pk))


@router.post("/accounts/test", response={200: FindingsOut, **_ERRORS}, summary="Try keys and store nothing", throttle=limits.ASKING)
@sensitive_variables()
def test_keys(request: HttpRequest, body: KeysIn) -> FindingsOut:
    findings = connecting.try_out(caller_of(request), _portfolio(request, body.portfolio), body.place, body.keys)
    return _findings(findings)


@router.post("/accounts/{int:account_id}/disable", response={200: ConnectedOut, **_ERRORS}, summary="Neither read nor trade an account")
def disable_account(request: HttpRequest, account_id: int) -> ConnectedOut:
    return _switch(request, account_id, is_enabled=False)


@router.post("/accounts/{int:account_id}/enable", response={200: ConnectedOut, **_ERRORS}, summary="Read an account again")
def enable_account(request: HttpRequest, account_id: int) -> ConnectedOut:
    return _switch(request, account_id, is_enabled=True)


def _switch(request: HttpRequest, account_id: int, *, is_enabled: bool) -> ConnectedOut:
    user = caller_of(request)
    connecting.set_enabled(user, connecting.managed_account(user, account_id), is_enabled=is_enabled)
    return _connected(request, account_id)


def _portfolio(request: HttpRequest, portfolio_id: int | None) -> Portfolio:
    """The one that is named, of those that the caller sees (whether they manage it is asked where they act), else the only managed one."""
    user = caller_of(request)
    if portfolio_id is not None:
        named = access.portfolios_for(user).filter(pk=portfolio_id).first()
        if named is None:
            raise NotFound("portfolio")
        return named
    managed = list(access.managed_portfolios_for(user)[:2])
    if not managed:
        raise access.NotPermitted("This needs the role of manager in a portfolio.")
    if len(managed) > 1:
        raise Refused("ambiguous_portfolio", "portfolio must be named: you manage several portfolios", "portfolio")
    return managed[0]


def _connected(request: HttpRequest, account_id: int) -> ConnectedOut:
    account = connecting.account_for(caller_of(request), account_id)
    state = AccountState.objects.filter(account=account).first()
    now = datetime.now(UTC)
    detail = answers.account_detail(account, state, now).model_dump()
    return ConnectedOut(**detail, enabled=account.is_enabled, key_hint=_hint(account), key=_key(account, now))


def _hint(account: ExchangeAccount) -> str:
    credential = getattr(account, "credential", None)
    return credential.key_hint if credential else ""


def _key(account: ExchangeAccount, now: datetime) -> KeyOut | None:
    credential = getattr(account, "credential", None)
    permissions = permissions_of(credential) if credential else None
    return None if permissions is None else _key_out(permissions, warnings_of(permissions, now))


def _findings(findings: Findings) -> FindingsOut:
    return FindingsOut(
        key=_key_out(findings.permissions, findings.warnings),
        position_mode=findings.account.position_mode,
        equity_usd=findings.equity_usd,
        equity_basis=findings.account.equity_basis,
        clock_offset_ms=findings.clock_offset_ms,
    )


def _key_out(permissions: KeyPermissions, warnings: list[str]) -> KeyOut:
    return KeyOut(
        can_read=permissions.can_read,
        can_trade=permissions.can_trade,
        can_withdraw=permissions.can_withdraw,
        is_ip_bound=permissions.is_ip_bound,
        expires_at=permissions.expires_at,
        warnings=warnings,
    )
