"""Accounts as the pages show them: what a key may do, how the account stands, since when that is known. Texts only; nothing of a secret."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from dashboard import numbers
from dashboard.book import stale_after
from exchanges.domain import KeyPermissions
from exchanges.models import Credential, ExchangeAccount
from portfolio.exposure import is_stale
from portfolio.key_check import Findings, warnings_of
from portfolio.models import AccountState, Portfolio

PlateTone = Literal["", "ok", "warning", "danger"]


@dataclass(frozen=True, slots=True)
class Plate:
    text: str
    tone: PlateTone = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """`trouble` is what is wrong with the key, `health_detail` what is wrong with reading the account."""

    account: ExchangeAccount
    is_default: bool
    key: str
    permissions: tuple[Plate, ...]
    warnings: tuple[str, ...]
    trouble: str
    checked: str
    position_mode: str
    equity: str
    equity_detail: str
    health: Plate
    health_detail: str


@dataclass(frozen=True, slots=True)
class Section:
    portfolio: Portfolio
    can_manage: bool
    rows: tuple[AccountRow, ...]


def row_of(account: ExchangeAccount, now: datetime) -> AccountRow:
    """Of an account fetched with credential, state and portfolio_link."""
    credential: Credential | None = getattr(account, "credential", None)
    state: AccountState | None = getattr(account, "state", None)
    permissions = permissions_of(credential) if credential else None
    health, detail = _health(account, state, credential, now)
    return AccountRow(
        account=account,
        is_default=account.portfolio_link.is_default,
        key=f"…{credential.key_hint}" if credential and credential.key_hint else numbers.MISSING,
        permissions=_plates(account, permissions),
        warnings=tuple(warnings_of(permissions, now)) if permissions else (),
        trouble=credential.trouble if credential else "",
        checked=_moment(credential.checked_at) if credential and credential.checked_at else "not yet",
        position_mode=_words(state.position_mode) if state and state.position_mode else numbers.MISSING,
        equity=numbers.money(state.equity_usd if state else None),
        equity_detail=f"USD as of {_moment(state.balances_as_of)}"
        if state and state.balances_as_of and state.equity_usd is not None
        else "",
        health=health,
        health_detail=detail,
    )


def sections_of(portfolios: Iterable[tuple[Portfolio, bool]], accounts: Iterable[ExchangeAccount], now: datetime) -> list[Section]:
    """One for each portfolio, also without accounts; the default of an exchange before its others."""
    rows = [row_of(account, now) for account in accounts]
    rows.sort(key=lambda row: (row.account.exchange, not row.is_default, row.account.label.casefold()))
    return [
        Section(portfolio, can_manage, tuple(row for row in rows if row.account.portfolio_link.portfolio_id == portfolio.pk))
        for portfolio, can_manage in portfolios
    ]


def permissions_of(credential: Credential) -> KeyPermissions | None:
    """As stored; None until the exchange has said it once."""
    if credential.can_trade is None or credential.can_withdraw is None:
        return None
    return KeyPermissions(
        can_read=True,
        can_trade=credential.can_trade,
        can_withdraw=credential.can_withdraw,
        is_ip_bound=credential.is_ip_bound,
        expires_at=credential.expires_at,
    )


def facts_of(findings: Findings) -> list[tuple[str, str]]:
    """What the exchange said of keys that are tried, line by line."""
    permissions, offset = findings.permissions, findings.clock_offset_ms
    bound = {True: "yes", False: "no", None: "the exchange does not say"}[permissions.is_ip_bound]
    equity = numbers.money(findings.equity_usd)
    return [
        ("The key may", "read and trade; not withdraw" if permissions.can_trade else "read only; neither trade nor withdraw"),
        ("Bound to IP addresses", bound),
        ("Expires", f"{permissions.expires_at:%Y-%m-%d}" if permissions.expires_at else "never, or the exchange does not say"),
        ("Position mode", _words(findings.account.position_mode.value)),
        ("Equity", f"{equity} USD" if equity != numbers.MISSING else "the exchange does not say"),
        (
            "Its clock",
            f"{abs(offset)} ms {'ahead of' if offset > 0 else 'behind'} this server's" if offset else "the same as this server's",
        ),
    ]


def _plates(account: ExchangeAccount, permissions: KeyPermissions | None) -> tuple[Plate, ...]:
    if permissions is None:
        return (Plate("not checked yet"),)
    plates = [Plate("reads and trades" if permissions.can_trade else "reads only")]
    if permissions.can_withdraw:
        plates.append(Plate("can withdraw", "danger"))
    bound = {True: Plate("bound to IP", "ok"), False: Plate("any IP", "warning")}
    if permissions.is_ip_bound is not None:
        plates.append(bound[permissions.is_ip_bound])
    if not account.is_trading_enabled:
        plates.append(Plate("trading off"))
    return tuple(plates)


def _health(account: ExchangeAccount, state: AccountState | None, credential: Credential | None, now: datetime) -> tuple[Plate, str]:
    if not account.is_enabled:
        return Plate("disabled"), "Neither read nor traded; counts in no total."
    if credential is None:
        return Plate("no keys", "danger"), "Give it keys, or archive it."
    if state is not None and state.trouble:
        return Plate("error", "danger"), state.trouble
    as_of = state.as_of if state else None
    if as_of is None:
        return Plate("waiting"), f"Waiting for the first answer from {account.get_exchange_display()}."
    if is_stale(as_of, now=now, stale_after=stale_after()):
        return Plate("stale", "warning"), f"Last read {_moment(as_of)}."
    return Plate("ok", "ok"), f"Last read {_moment(as_of)}."


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _words(name: str) -> str:
    return name.replace("_", "-")
