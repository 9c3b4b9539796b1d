"""Leverage, margin mode and position mode of an account at its venue: what risk the next order takes on, so it needs the role that trades.

Setting one is safe to repeat. Where the answer is lost the venue is asked once how it stands; only then is it not known.
"""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import F

from exchanges.domain import MarginMode, PositionMode, PositionSide, SymbolSettings
from exchanges.errors import ExchangeAPIError, OutcomeUnknown
from exchanges.models import ExchangeAccount
from exchanges.protocol import IExchangeClient
from portfolio import access, market_data, refresh
from portfolio.execution.place import instrument_for, refuse_without_trading
from portfolio.execution.refusals import Refused
from portfolio.models import AccountState

logger = logging.getLogger(__name__)

T = TypeVar("T")


class SettingUnconfirmed(Exception):
    """The venue may or may not have changed a setting, and could not be asked."""


def set_leverage(
    user: User,
    account: ExchangeAccount,
    symbol: str,
    leverage: int,
    *,
    margin_mode: MarginMode | None = None,
    position_side: PositionSide | None = None,
) -> SymbolSettings:
    """How the symbol stands at the venue afterwards. `margin_mode` and `position_side` where the venue keeps a leverage for each.

    Raises access.NotPermitted, Refused, what the venue refuses with, SettingUnconfirmed."""
    _require(user, account, symbol)
    maximum = instrument_for(account, symbol).max_leverage
    if maximum is not None and leverage > maximum:
        raise Refused("leverage_too_high", f"leverage must be at most {maximum:f} for {symbol}, was {leverage}", "leverage")

    async def change(client: IExchangeClient) -> object:
        return await client.set_leverage(symbol, leverage, margin_mode=margin_mode, position_side=position_side)

    def has_it(settings: SymbolSettings) -> bool:
        kept = {PositionSide.LONG: (settings.leverage_long,), PositionSide.SHORT: (settings.leverage_short,)}
        both = (settings.leverage_long, settings.leverage_short)
        return all(each == leverage for each in kept.get(position_side or PositionSide.BOTH, both))

    return _changed(account, symbol, change, has_it, margin_mode)


def set_margin_mode(user: User, account: ExchangeAccount, symbol: str, margin_mode: MarginMode) -> SymbolSettings:
    """As set_leverage(). Some venues keep one margin mode for the whole account: then every symbol of it changes."""
    _require(user, account, symbol)

    async def change(client: IExchangeClient) -> object:
        return await client.set_margin_mode(symbol, margin_mode)

    return _changed(account, symbol, change, lambda settings: settings.margin_mode is margin_mode)


def set_position_mode(user: User, account: ExchangeAccount, mode: PositionMode) -> PositionMode:
    """Of the whole account; how it stands at the venue afterwards. Raises as set_leverage()."""
    access.require_trading_role(user, account)
    refuse_without_trading(account)

    async def change(client: IExchangeClient) -> object:
        return await client.set_position_mode(mode)

    async def read(client: IExchangeClient) -> PositionMode:
        return (await client.get_account()).position_mode

    found = _confirmed(account, "its position mode", change, read, lambda found: found is mode)
    # The next order must name a leg, or none, from now on and not from the next poll on.
    AccountState.objects.filter(account=account).update(position_mode=found.value)
    return found


def _require(user: User, account: ExchangeAccount, symbol: str) -> None:
    access.require_trading_role(user, account)
    refuse_without_trading(account)
    instrument_for(account, symbol)


def _changed(
    account: ExchangeAccount,
    symbol: str,
    change: Callable[[IExchangeClient], Coroutine[Any, Any, object]],
    has_it: Callable[[SymbolSettings], bool],
    margin_mode: MarginMode | None = None,
) -> SymbolSettings:
    async def read(client: IExchangeClient) -> SymbolSettings:
        return await client.get_symbol_settings(symbol, margin_mode)

    return _confirmed(account, symbol, change, read, has_it)


def _confirmed(
    account: ExchangeAccount,
    what: str,
    change: Callable[[IExchangeClient], Coroutine[Any, Any, object]],
    read: Callable[[IExchangeClient], Coroutine[Any, Any, T]],
    has_it: Callable[[T], bool],
) -> T:
    lost: Exception | None = None
    try:
        market_data.ask(account, change)
    except (OutcomeUnknown, TimeoutError) as error:
        logger.warning("%s: whether %s was changed is not known: %s", account, what, error or "no answer in time")
        lost = error
    # No process goes on with what its client remembers of the account.
    ExchangeAccount.objects.filter(pk=account.pk).update(settings_version=F("settings_version") + 1)
    account.settings_version += 1
    refresh.soon(account.pk)
    try:
        found = market_data.ask(account, read)
    except (ExchangeAPIError, TimeoutError) as error:
        if lost is None:
            raise SettingUnconfirmed(f"{account} took the change of {what} and could not be asked how it stands now.") from error
        raise SettingUnconfirmed(f"It is not known whether {account} changed {what}. Read it again before you trade.") from lost
    if lost is not None and not has_it(found):
        raise SettingUnconfirmed(f"{account} did not change {what} so far. Read it again before you trade.") from lost
    return found
