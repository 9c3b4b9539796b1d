"""From rows and the book to the shapes of the REST API."""

from datetime import datetime
from decimal import Decimal

from dashboard.api import schemas
from dashboard.book import Book, stale_after
from exchanges.domain import Environment, ExchangeType, OrderSide, OrderType, PositionSide
from exchanges.models import ExchangeAccount
from portfolio.exposure import is_stale
from portfolio.models import AccountState, Balance, Order, Position
from portfolio.states import OrderState
from portfolio.valuation import notional_usd


def account(row: ExchangeAccount, state: AccountState | None, now: datetime) -> schemas.AccountOut:
    as_of = state.as_of if state else None
    stale = is_stale(as_of, now=now, stale_after=stale_after())
    error = state.trouble if state else ""
    status = "error" if error else "waiting" if as_of is None else "stale" if stale else "ok"
    age = None if as_of is None else Decimal(max(0, round((now - as_of).total_seconds() * 10))) / 10
    return schemas.AccountOut(
        id=row.pk,
        exchange=ExchangeType(row.exchange),
        label=row.label,
        environment=Environment(row.environment),
        status=status,
        as_of=as_of,
        age_s=age,
        stale=stale,
        error=error,
    )


def account_detail(row: ExchangeAccount, state: AccountState | None, now: datetime) -> schemas.AccountDetail:
    return schemas.AccountDetail(
        **account(row, state, now).model_dump(),
        is_default=row.portfolio_link.is_default,
        trading_enabled=row.is_trading_enabled,
        equity_usd=state.equity_usd if state else None,
        equity_basis=state.equity_basis if state else "",
        available_usd=state.available_usd if state else None,
        initial_margin_usd=state.initial_margin_usd if state else None,
        maintenance_margin_usd=state.maintenance_margin_usd if state else None,
        position_mode=state.position_mode if state else "",
    )


def position(row: Position, now: datetime) -> schemas.PositionOut:
    return schemas.PositionOut(
        id=row.pk,
        account=row.account_id,
        exchange=ExchangeType(row.account.exchange),
        symbol=row.symbol,
        underlying=row.underlying,
        side=PositionSide(row.side),
        quantity=row.quantity,
        entry_price=row.entry_price,
        mark_price=row.mark_price,
        liquidation_price=row.liquidation_price,
        unrealized_pnl=row.unrealized_pnl,
        realized_pnl=row.realized_pnl,
        leverage=row.leverage,
        margin=row.margin,
        margin_mode=row.margin_mode,
        notional_usd=notional_usd(row.quantity, row.mark_price),
        as_of=row.as_of,
        source=row.source,
        stale=is_stale(row.as_of, now=now, stale_after=stale_after()),
    )


def balance(row: Balance, now: datetime) -> schemas.BalanceOut:
    return schemas.BalanceOut(
        account=row.account_id,
        exchange=ExchangeType(row.account.exchange),
        asset=row.asset,
        total=row.total,
        available=row.available,
        unrealized_pnl=row.unrealized_pnl,
        equity_usd=row.equity_usd,
        as_of=row.as_of,
        source=row.source,
        stale=is_stale(row.as_of, now=now, stale_after=stale_after()),
    )


def order(row: Order) -> schemas.OrderOut:
    return schemas.OrderOut(
        id=row.pk,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        account=row.account_id,
        exchange=ExchangeType(row.account.exchange),
        symbol=row.symbol,
        side=OrderSide(row.side),
        order_type=OrderType(row.order_type) if row.order_type else None,
        quantity=row.quantity,
        filled_quantity=row.filled_quantity,
        price=row.price,
        average_price=row.average_price,
        state=OrderState(row.state),
        reason=row.reason,
        routing=schemas.RoutingOut.model_validate(row.routing) if row.routing else None,
        created_at=row.created_at,
    )


def exposure(book: Book) -> schemas.ExposureOut:
    total = book.exposure
    return schemas.ExposureOut(
        as_of=total.as_of,
        complete=total.is_complete,
        incomplete_reasons=list(total.incomplete_reasons),
        equity_usd=total.equity_usd,
        gross_usd=total.gross_usd if total.is_known else None,
        net_usd=total.net_usd if total.is_known else None,
        long_usd=total.long_usd if total.is_known else None,
        short_usd=total.short_usd if total.is_known else None,
        unrealized_pnl_usd=total.unrealized_pnl_usd if total.is_known else None,
        assets=[
            schemas.AssetOut(
                asset=asset.asset,
                net_quantity=asset.net_quantity,
                net_usd=asset.net_usd,
                gross_usd=asset.gross_usd,
                long_usd=asset.long_usd,
                short_usd=asset.short_usd,
                by_exchange=asset.by_exchange,
                oldest_as_of=asset.oldest_as_of,
            )
            for asset in total.assets
        ],
        accounts=[account(row, book.state_of(row), book.now) for row in book.accounts],
    )
