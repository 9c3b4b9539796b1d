"""How an account trades a symbol: leverage with its brackets, margin mode, position mode; read from the exchange as the page is opened."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboard import numbers
from dashboard.margin_forms import MARGIN_MODES, POSITION_MODES, LeverageForm, MarginModeForm, PositionModeForm, first_error
from dashboard.outcomes import FAILURES, words_of
from dashboard.requests import HtmxHttpRequest, symbol_in
from exchanges.domain import ExchangeType, LeverageBracket, MarginMode, PositionMode, SymbolSettings
from exchanges.factory import capabilities_of
from exchanges.models import ExchangeAccount, Instrument
from exchanges.protocol import IExchangeClient, MarginModeScope
from portfolio import access, market_data
from portfolio.access import NotPermitted
from portfolio.execution import margin
from portfolio.execution.margin import SettingUnconfirmed
from portfolio.execution.place import instrument_for
from portfolio.execution.refusals import NotFound, Refused
from portfolio.execution.selection import account_for
from portfolio.models import Position

_START = "BTCUSDT"
_FAILURES = (*FAILURES, SettingUnconfirmed)


@dataclass(frozen=True, slots=True)
class AsSet:
    """`isolated` is apart where the exchange keeps a leverage for each margin mode."""

    settings: SymbolSettings
    isolated: SymbolSettings | None
    brackets: list[LeverageBracket]
    position_mode: PositionMode


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def account_margin(request: HtmxHttpRequest, account_id: int) -> HttpResponse:
    try:
        account = account_for(request.user, account_id)
    except NotFound:
        raise Http404 from None
    symbol = _symbol(request, account)
    trouble = ""
    if request.method == "POST":
        try:
            access.require_trading_role(request.user, account)
            _require_listed(account, symbol)
            said, trouble = _change(request, account, symbol)
        except NotPermitted:
            raise PermissionDenied from None
        except _FAILURES as error:
            trouble = words_of(error)
        if not trouble:
            messages.add_message(request, messages.INFO, said, extra_tags="ok")
            return redirect(f"{reverse('account_margin', args=[account.pk])}?symbol={symbol}")
    return _page(request, account, symbol, trouble)


def _symbol(request: HtmxHttpRequest, account: ExchangeAccount) -> str:
    """What is asked for, else the largest position's, else bitcoin."""
    asked = request.POST.get("symbol") or request.GET.get("symbol") or ""
    if asked:
        return asked.strip().upper() if asked.isascii() else asked.strip()
    held = Position.objects.filter(account=account)
    largest = max(held, key=lambda row: row.quantity * row.mark_price, default=None)
    return largest.symbol if largest else _START


def _require_listed(account: ExchangeAccount, symbol: str) -> None:
    """What is no symbol of its exchange is not worth a question there. Raises Refused."""
    try:
        instrument_for(account, symbol_in(symbol))
    except ValueError as error:
        raise Refused("invalid_symbol", str(error), "symbol") from None


def _change(request: HtmxHttpRequest, account: ExchangeAccount, symbol: str) -> tuple[str, str]:
    """What was done, or what is wrong with the form, in a sentence. Raises what portfolio.execution.margin raises."""
    changes: dict[str, tuple[Any, Callable[[Any], str]]] = {
        "leverage": (LeverageForm, lambda values: _set_leverage(request, account, symbol, values)),
        "margin_mode": (MarginModeForm, lambda values: _set_margin_mode(request, account, symbol, values)),
        "position_mode": (PositionModeForm, lambda values: _set_position_mode(request, account, values)),
    }
    wanted = request.POST.get("setting", "")
    if wanted not in changes:
        return "", f"setting must be one of {', '.join(changes)}."
    form_class, carry_out = changes[wanted]
    form = form_class(request.POST)
    return ("", first_error(form)) if not form.is_valid() else (carry_out(form.cleaned_data), "")


def _set_leverage(request: HtmxHttpRequest, account: ExchangeAccount, symbol: str, values: dict[str, Any]) -> str:
    mode = MarginMode(values["margin_mode"]) if values["margin_mode"] else None
    found = margin.set_leverage(request.user, account, symbol, values["leverage"], margin_mode=mode)
    return f"{symbol} has leverage {leverage_in_words(found)} ({found.margin_mode.value}) at {account}."


def _set_margin_mode(request: HtmxHttpRequest, account: ExchangeAccount, symbol: str, values: dict[str, Any]) -> str:
    found = margin.set_margin_mode(request.user, account, symbol, MarginMode(values["margin_mode"]))
    return f"{symbol} is in {found.margin_mode.value} margin at {account}."


def _set_position_mode(request: HtmxHttpRequest, account: ExchangeAccount, values: dict[str, Any]) -> str:
    found = margin.set_position_mode(request.user, account, PositionMode(values["position_mode"]))
    return f"{account} is in {found.value.replace('_', '-')} mode."


def _page(request: HtmxHttpRequest, account: ExchangeAccount, symbol: str, trouble: str) -> HttpResponse:
    portfolio = account.portfolio_link.portfolio
    scope = capabilities_of(ExchangeType(account.exchange)).margin_mode_scope
    listed = Instrument.objects.filter(exchange=account.exchange, environment=account.environment).order_by("symbol")
    context: dict[str, Any] = {
        "account": account,
        "symbol": symbol,
        "symbols": list(listed.values_list("symbol", flat=True)),
        "can_change": access.can_trade_in(request.user, portfolio) and account.is_trading_enabled and account.is_enabled,
        "trouble": trouble,
        "scope": scope.value,
        "margin_modes": MARGIN_MODES,
        "position_modes": POSITION_MODES,
    }
    try:
        _require_listed(account, symbol)
        as_set = market_data.ask(account, lambda client: _read(client, symbol, scope))
    except _FAILURES as error:
        context["unread"] = words_of(error)
    else:
        context |= {
            "settings": as_set.settings,
            "leverage": leverage_in_words(as_set.settings),
            "isolated_leverage": leverage_in_words(as_set.isolated) if as_set.isolated else "",
            "position_mode": as_set.position_mode.value,
            "brackets": [_bracket(each) for each in as_set.brackets],
        }
    return render(request, "pages/account_margin.html", context, status=422 if trouble else 200)


async def _read(client: IExchangeClient, symbol: str, scope: MarginModeScope) -> AsSet:
    settings, brackets, summary = await asyncio.gather(
        client.get_symbol_settings(symbol), client.get_leverage_brackets(symbol), client.get_account()
    )
    isolated = await client.get_symbol_settings(symbol, MarginMode.ISOLATED) if scope is MarginModeScope.ORDER else None
    return AsSet(settings, isolated, brackets, summary.position_mode)


def leverage_in_words(settings: SymbolSettings) -> str:
    """One figure where both legs have the same."""
    long, short = (
        numbers.MISSING if each is None else f"{each.normalize():f}x" for each in (settings.leverage_long, settings.leverage_short)
    )
    return long if long == short else f"long {long}, short {short}"


def _bracket(bracket: LeverageBracket) -> dict[str, str]:
    """In whole dollars: an exchange that counts contracts has its limits at whatever they are worth now."""
    return {
        "floor": numbers.grouped(bracket.floor_usd, 0),
        "cap": numbers.grouped(bracket.cap_usd, 0) if bracket.cap_usd is not None else "no end",
        "leverage": f"{bracket.max_leverage.normalize():f}x",
        "maintenance": numbers.percent(bracket.maintenance_rate),
    }
