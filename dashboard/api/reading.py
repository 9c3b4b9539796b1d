"""What programs read: exchanges, positions, balances, exposure, instruments."""

from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Query, Router

from dashboard.api import answers, schemas
from dashboard.api.auth import caller_of
from dashboard.api.portfolios import portfolio_of
from dashboard.api.schemas import AccountId, ErrorOut, PageOf, Paging, PortfolioId, SymbolText
from dashboard.book import read_book
from exchanges.domain import ExchangeType
from exchanges.factory import capabilities_of
from exchanges.models import Exchange, Instrument
from exchanges.routing import DEFAULT_EXCHANGE
from portfolio import access
from portfolio.models import Balance, Position

router = Router(tags=["book"])

M = TypeVar("M", bound=Model)
_ERRORS = {401: ErrorOut, 403: ErrorOut, 404: ErrorOut, 422: ErrorOut}


@router.get("/exchanges", response={200: PageOf[schemas.ExchangeOut], **_ERRORS}, summary="Exchanges and what each carries out")
def list_exchanges(request: HttpRequest, paging: Query[Paging]) -> PageOf[schemas.ExchangeOut]:
    accounts = access.accounts_for(caller_of(request))
    items = [
        schemas.ExchangeOut(
            exchange=exchange,
            name=Exchange(exchange.value).label,
            is_default=exchange is DEFAULT_EXCHANGE,
            order_types=sorted(capabilities_of(exchange).order_types),
            times_in_force=sorted(capabilities_of(exchange).times_in_force),
            accounts=[account.pk for account in accounts if account.exchange == exchange],
        )
        for exchange in ExchangeType
    ]
    return PageOf(items=items[paging.offset : paging.offset + paging.limit], count=len(items))


@router.get("/positions", response={200: PageOf[schemas.PositionOut], **_ERRORS}, summary="Open positions")
def list_positions(
    request: HttpRequest, paging: Query[Paging], account: AccountId | None = None, symbol: SymbolText | None = None
) -> PageOf[schemas.PositionOut]:
    found: QuerySet[Position] = access.positions_for(caller_of(request)).select_related("account").order_by("id")
    if account is not None:
        found = found.filter(account_id=account)
    if symbol is not None:
        found = found.filter(symbol=symbol.upper())
    rows, count = _page(found, paging)
    now = datetime.now(UTC)
    return PageOf(items=[answers.position(row, now) for row in rows], count=count)


@router.get("/balances", response={200: PageOf[schemas.BalanceOut], **_ERRORS}, summary="Balances by account and asset")
def list_balances(request: HttpRequest, paging: Query[Paging], account: AccountId | None = None) -> PageOf[schemas.BalanceOut]:
    found = Balance.objects.filter(account__in=access.accounts_for(caller_of(request))).select_related("account").order_by("id")
    if account is not None:
        found = found.filter(account_id=account)
    rows, count = _page(found, paging)
    now = datetime.now(UTC)
    return PageOf(items=[answers.balance(row, now) for row in rows], count=count)


@router.get("/exposure", response={200: schemas.ExposureOut, **_ERRORS}, summary="Totals and exposure by asset")
def get_exposure(request: HttpRequest, portfolio: PortfolioId | None = None) -> schemas.ExposureOut:
    """`portfolio` must be named by whoever is a member of several."""
    user = caller_of(request)
    return answers.exposure(read_book(portfolio_of(request, portfolio), within=access.accounts_for(user)))


@router.get("/instruments", response={200: PageOf[schemas.InstrumentOut], **_ERRORS}, summary="What can be traded, with its steps")
def list_instruments(
    request: HttpRequest, paging: Query[Paging], exchange: ExchangeType | None = None, symbol: SymbolText | None = None
) -> PageOf[schemas.InstrumentOut]:
    environments = access.portfolios_for(caller_of(request)).values("environment")
    found = Instrument.objects.filter(environment__in=environments).order_by("symbol", "exchange")
    if exchange is not None:
        found = found.filter(exchange=exchange)
    if symbol is not None:
        found = found.filter(symbol=symbol.upper())
    rows, count = _page(found, paging)
    return PageOf(items=[schemas.InstrumentOut.model_validate(row, from_attributes=True) for row in rows], count=count)


def _page(found: QuerySet[M], paging: Paging) -> tuple[list[M], int]:
    return list(found[paging.offset : paging.offset + paging.limit]), found.count()
