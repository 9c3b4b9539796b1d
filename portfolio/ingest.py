"""Apply what a venue said to the rows of one account: idempotent, ordered, all or nothing.

An answer or an error counts only if its request was sent after the one applied last, so whatever order they arrive in, the one that was
sent last stays; a position is flat only by its absence from a complete answer. An error changes no figure.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from exchanges import domain, pauses
from exchanges.instruments import split_multiplier
from exchanges.models import ExchangeAccount
from portfolio import publish, rate_limits
from portfolio.models import AccountState, Balance, Position
from portfolio.polling import Answer, Holdings

logger = logging.getLogger(__name__)

POLL = "poll"

_POSITION_FIGURES = (
    "side",
    "quantity",
    "entry_price",
    "mark_price",
    "liquidation_price",
    "unrealized_pnl",
    "realized_pnl",
    "leverage",
    "margin",
)
_BALANCE_FIGURES = ("total", "available", "unrealized_pnl", "equity_usd")


def apply_holdings(account: ExchangeAccount, answer: Answer[Holdings]) -> bool:
    """Store one answer of the holdings poll, or its error. True when figures were applied, False when it came too late or failed."""
    rate_limits.note_venue(account, answer.error, answer.received_at)
    with transaction.atomic():
        state = _locked_state(account)
        if state.positions_as_of is not None and answer.sent_at <= state.positions_as_of:
            return False
        if answer.content is None:
            _note_error(state, answer)
            return False
        _apply_positions(account, answer.content.book.positions, answer.sent_at)
        _apply_balances(account, answer.content.balances, answer.sent_at)
        _apply_summary(state, answer.content, answer.sent_at)
        publish.book_changed([account.pk])
        return True


def note_pause(account: ExchangeAccount, answer: Answer[Any]) -> None:
    """The error of another poll of this account: where it says when to come back, every poll of the account waits."""
    if answer.error is None or pauses.until(answer.error, answer.received_at) is None:
        return
    rate_limits.note_venue(account, answer.error, answer.received_at)
    with transaction.atomic():
        _note_error(_locked_state(account), answer)


def note_orders_error(account: ExchangeAccount, answer: Answer[Any]) -> None:
    """The list of resting orders could not be read: say so beside its age until one can, unless a newer one was read already."""
    if answer.error is None:
        return
    with transaction.atomic():
        state = _locked_state(account)
        if any(at is not None and answer.sent_at < at for at in (state.orders_as_of, state.orders_error_at)):
            return
        state.orders_error, state.orders_error_at = answer.error.message_of_read[:600], answer.sent_at
        state.save(update_fields=["orders_error", "orders_error_at"])
        publish.book_changed([account.pk])


def note_failure(account: ExchangeAccount, error: Exception, at: datetime) -> None:
    """An account that could not even be asked (its keys do not open): say so, change no figure."""
    with transaction.atomic():
        state = _locked_state(account)
        state.error_class, state.error_message, state.error_at = type(error).__name__, str(error)[:600], at
        state.save(update_fields=["error_class", "error_message", "error_at"])
        publish.book_changed([account.pk])


def _locked_state(account: ExchangeAccount) -> AccountState:
    AccountState.objects.get_or_create(account=account)
    return AccountState.objects.select_for_update().get(account=account)


def _note_error(state: AccountState, answer: Answer[Any]) -> None:
    error = answer.error
    assert error is not None  # noqa: S101  (an answer holds content or an error)
    if state.error_at is not None and answer.sent_at < state.error_at:
        return
    state.error_class, state.error_message, state.error_at = type(error).__name__, error.message_of_read[:600], answer.sent_at
    state.paused_until = pauses.until(error, answer.received_at)
    state.save(update_fields=["error_class", "error_message", "error_at", "paused_until"])
    publish.book_changed([state.account_id])


def _apply_summary(state: AccountState, holdings: Holdings, sent_at: datetime) -> None:
    summary = holdings.summary
    state.positions_as_of = state.balances_as_of = sent_at
    state.equity_usd, state.equity_basis = summary.equity_usd, summary.equity_basis
    state.available_usd = summary.available_usd
    state.initial_margin_usd, state.maintenance_margin_usd = summary.initial_margin_usd, summary.maintenance_margin_usd
    state.position_mode = summary.position_mode.value
    state.not_covered = list(holdings.book.not_covered)
    if state.error_at is None or sent_at > state.error_at:
        state.error_class = state.error_message = ""
        state.error_at = state.paused_until = None
    state.save()


def _apply_positions(account: ExchangeAccount, positions: Sequence[domain.Position], sent_at: datetime) -> None:
    known = {(row.symbol, row.position_side, row.margin_mode): row for row in Position.objects.filter(account=account)}
    new: list[Position] = []
    changed: list[Position] = []
    for position in positions:
        row = known.pop((position.symbol, position.position_side.value, position.margin_mode.value), None)
        figures = {name: getattr(position, name) for name in _POSITION_FIGURES} | {"side": position.side.value}
        if row is None:
            new.append(_new_position(account, position, figures, sent_at))
        elif _differs(row, figures):
            row.as_of = sent_at
            changed.append(row)
    Position.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    Position.objects.filter(account=account).update(as_of=sent_at, source=POLL)
    Position.objects.bulk_update(changed, _POSITION_FIGURES)
    Position.objects.bulk_create(new)


def _new_position(account: ExchangeAccount, position: domain.Position, figures: dict[str, Any], sent_at: datetime) -> Position:
    underlying, multiplier = split_multiplier(position.symbol.removesuffix("USDT"))
    return Position(
        account=account,
        symbol=position.symbol,
        venue_symbol=position.venue_symbol,
        underlying=underlying,
        multiplier=multiplier,
        position_side=position.position_side.value,
        margin_mode=position.margin_mode.value,
        as_of=sent_at,
        source=POLL,
        **figures,
    )


def _apply_balances(account: ExchangeAccount, balances: Sequence[domain.Balance], sent_at: datetime) -> None:
    known = {row.asset: row for row in Balance.objects.filter(account=account)}
    new: list[Balance] = []
    changed: list[Balance] = []
    for balance in balances:
        row = known.pop(balance.asset, None)
        figures = {name: getattr(balance, name) for name in _BALANCE_FIGURES}
        if row is None:
            new.append(Balance(account=account, asset=balance.asset, as_of=sent_at, source=POLL, **figures))
        elif _differs(row, figures):
            changed.append(row)
    Balance.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    Balance.objects.filter(account=account).update(as_of=sent_at, source=POLL)
    Balance.objects.bulk_update(changed, _BALANCE_FIGURES)
    Balance.objects.bulk_create(new)


def _differs(row: Position | Balance, figures: dict[str, Any]) -> bool:
    """Set what differs on the row; True when anything did."""
    differing = {name: value for name, value in figures.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)
