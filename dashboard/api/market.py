"""Markets as the exchanges tell them now (candles, tickers, books, funding), equity over time, and what decides about margin."""

import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Annotated, Any, Literal, TypeVar

from django.http import HttpRequest
from ninja import Router
from pydantic import BeforeValidator, Field

from dashboard.api import limits
from dashboard.api import market_schemas as shapes
from dashboard.api.auth import caller_of
from dashboard.api.parsing import ascii_digits
from dashboard.api.portfolios import portfolio_of
from dashboard.api.schemas import ErrorOut, PortfolioId, SymbolText
from exchanges.domain import KLINE_INTERVALS_S, ExchangeType
from exchanges.errors import ExchangeAPIError
from exchanges.models import ExchangeAccount
from exchanges.protocol import IExchangeClient
from portfolio import access, equity, market_data
from portfolio.execution import margin
from portfolio.execution.selection import account_for

logger = logging.getLogger(__name__)

router = Router(tags=["market"])

T = TypeVar("T")

Interval = Literal[tuple(KLINE_INTERVALS_S)]  # type: ignore[valid-type]  # one list of intervals, for adapters and API
_ERRORS = dict.fromkeys((401, 403, 404, 409, 413, 415, 422, 502, 503), ErrorOut)


@router.get("/klines", response={200: shapes.KlinesOut, **_ERRORS}, summary="Candles of one symbol, oldest first", throttle=limits.ASKING)
def get_klines(
    request: HttpRequest,
    exchange: ExchangeType,
    symbol: SymbolText,
    interval: Interval,  # type: ignore[valid-type]
    limit: Annotated[int, Field(ge=1, le=1_000), BeforeValidator(ascii_digits)] = 500,
    start: shapes.Moment | None = None,
    end: shapes.Moment | None = None,
    portfolio: PortfolioId | None = None,
) -> shapes.KlinesOut:
    """Those that open in [start, end]; the newest `limit`, or the oldest where only `start` is given."""
    account = market_data.reader_for(caller_of(request), exchange, portfolio)
    found = market_data.ask(account, lambda client: client.get_klines(symbol.upper(), str(interval), limit, start, end))
    return shapes.KlinesOut(
        exchange=exchange,
        symbol=symbol.upper(),
        interval=str(interval),
        items=[shapes.KlineOut.model_validate(each, from_attributes=True) for each in found],
    )


@router.get("/orderbook", response={200: shapes.OrderBookOut, **_ERRORS}, summary="The order book of one symbol", throttle=limits.ASKING)
def get_order_book(
    request: HttpRequest,
    exchange: ExchangeType,
    symbol: SymbolText,
    depth: Annotated[int, Field(ge=1, le=200), BeforeValidator(ascii_digits)] = 50,
    portfolio: PortfolioId | None = None,
) -> shapes.OrderBookOut:
    account = market_data.reader_for(caller_of(request), exchange, portfolio)
    found = market_data.ask(account, lambda client: client.get_order_book(symbol.upper(), depth))
    sides = {
        side: [shapes.LevelOut(price=each.price, quantity=each.quantity) for each in getattr(found, side)] for side in ("bids", "asks")
    }
    return shapes.OrderBookOut(exchange=exchange, symbol=found.symbol, as_of=found.as_of, **sides)


@router.get(
    "/tickers", response={200: shapes.TickersOut, **_ERRORS}, summary="Last price, bid, ask, mark and 24 h figures", throttle=limits.ASKING
)
def get_tickers(
    request: HttpRequest, exchange: ExchangeType | None = None, symbol: SymbolText | None = None, portfolio: PortfolioId | None = None
) -> shapes.TickersOut:
    """Of every exchange where you have an account, unless one is named; one that does not answer is in `missing`."""
    wanted = symbol.upper() if symbol else None
    accounts = _readers(request, exchange, portfolio)
    found, missing = _ask_each(accounts, lambda client: client.get_tickers(wanted), raises=exchange is not None)
    return shapes.TickersOut(items=[_of(shapes.TickerOut, *each) for each in found], missing=missing)


@router.get(
    "/funding",
    response={200: shapes.FundingRatesOut, **_ERRORS},
    summary="Funding rates and when they are paid next",
    throttle=limits.ASKING,
)
def get_funding(
    request: HttpRequest, exchange: ExchangeType | None = None, symbol: SymbolText | None = None, portfolio: PortfolioId | None = None
) -> shapes.FundingRatesOut:
    """As tickers: of every exchange where you have an account, unless one is named."""
    wanted = symbol.upper() if symbol else None
    accounts = _readers(request, exchange, portfolio)
    found, missing = _ask_each(accounts, lambda client: client.get_funding_rates(wanted), raises=exchange is not None)
    return shapes.FundingRatesOut(items=[_of(shapes.FundingOut, *each) for each in found], missing=missing)


@router.get("/equity", response={200: shapes.EquityOut, **_ERRORS}, summary="Equity of a portfolio by the minute, oldest first")
def get_equity(
    request: HttpRequest,
    portfolio: PortfolioId | None = None,
    limit: Annotated[int, Field(ge=1, le=1_000), BeforeValidator(ascii_digits)] = 500,
    start: shapes.Moment | None = None,
    end: shapes.Moment | None = None,
) -> shapes.EquityOut:
    """Minutes are kept for 30 days, then hours; what an account had that is disabled or archived now stays in the sums of its time.
    `portfolio` must be named by whoever is a member of several."""
    chosen = portfolio_of(request, portfolio)
    accounts = access.accounts_ever_for(caller_of(request)).filter(portfolio_link__portfolio=chosen)
    points = equity.series(accounts, start=start, end=end, limit=limit)
    items = [
        shapes.EquityPointOut(minute=each.minute, equity_usd=each.equity_usd, accounts=each.accounts, complete=each.is_complete)
        for each in points
    ]
    return shapes.EquityOut(portfolio=chosen, items=items)


@router.put(
    "/accounts/{int:account_id}/leverage",
    response={200: shapes.SymbolSettingsOut, **_ERRORS},
    summary="Set a symbol's leverage",
    throttle=limits.ASKING,
)
def put_leverage(request: HttpRequest, account_id: int, body: shapes.LeverageIn) -> shapes.SymbolSettingsOut:
    """Safe to repeat. Answers how the symbol stands at the exchange afterwards; 503 `setting_unconfirmed` where that is not known."""
    user = caller_of(request)
    account = account_for(user, account_id)
    settings = margin.set_leverage(
        user, account, body.symbol, body.leverage, margin_mode=body.margin_mode, position_side=body.position_side
    )
    return _settings(account, settings)


@router.put(
    "/accounts/{int:account_id}/margin-mode",
    response={200: shapes.SymbolSettingsOut, **_ERRORS},
    summary="Set a symbol's margin mode",
    throttle=limits.ASKING,
)
def put_margin_mode(request: HttpRequest, account_id: int, body: shapes.MarginModeIn) -> shapes.SymbolSettingsOut:
    """Safe to repeat. Bybit keeps one mode for the whole account; OKX takes the mode with each order and refuses this."""
    user = caller_of(request)
    account = account_for(user, account_id)
    return _settings(account, margin.set_margin_mode(user, account, body.symbol, body.margin_mode))


def _readers(request: HttpRequest, exchange: ExchangeType | None, portfolio: int | None) -> list[ExchangeAccount]:
    user = caller_of(request)
    return market_data.readers_for(user, portfolio) if exchange is None else [market_data.reader_for(user, exchange, portfolio)]


def _ask_each(
    accounts: Iterable[ExchangeAccount], question: Callable[[IExchangeClient], Coroutine[Any, Any, list[T]]], *, raises: bool
) -> tuple[list[tuple[ExchangeType, T]], list[shapes.MissingOut]]:
    """What each venue answers. A venue that fails is named, so that its silence is not taken for an empty market; where it alone was asked
    (`raises`) its error is the answer."""
    found: list[tuple[ExchangeType, T]] = []
    missing = []
    for account in accounts:
        exchange = ExchangeType(account.exchange)
        try:
            found += [(exchange, each) for each in market_data.ask(account, question)]
        except (ExchangeAPIError, TimeoutError) as error:
            if raises:
                raise
            logger.warning("%s: %s", exchange.value, error or "no answer in time")
            words = error.message_of_read if isinstance(error, ExchangeAPIError) else "The exchange did not answer in time."
            missing.append(shapes.MissingOut(exchange=exchange, message=words))
    return found, missing


def _of(shape: Any, exchange: ExchangeType, row: Any) -> Any:
    return shape(exchange=exchange, **row._asdict())


def _settings(account: ExchangeAccount, settings: Any) -> shapes.SymbolSettingsOut:
    return shapes.SymbolSettingsOut(
        account=account.pk,
        exchange=ExchangeType(account.exchange),
        symbol=settings.symbol,
        margin_mode=settings.margin_mode,
        leverage_long=settings.leverage_long,
        leverage_short=settings.leverage_short,
    )
