"""The home page and its panels: all of it read from our own database at one version of the book."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from dashboard import numbers, ticket
from dashboard.book import Book, read_book
from dashboard.forms import OrderTicket
from dashboard.panels import PANELS, top_bar
from dashboard.requests import HtmxHttpRequest, id_from
from portfolio import access
from portfolio.models import Portfolio

LATE_AFTER_PERIODS = 2


@never_cache
@login_required
@require_GET
def home(request: HtmxHttpRequest) -> HttpResponse:
    if not access.portfolios_for(request.user).exists():
        return render(request, "pages/no_portfolio.html")
    return render(request, "pages/home.html", home_context(request))


@never_cache
@login_required
@require_GET
def panel(request: HtmxHttpRequest, name: str) -> HttpResponse:
    portfolios = list(access.portfolios_for(request.user))
    portfolio = _chosen(portfolios, request)
    book = read_book(portfolio.pk)
    if name == "topbar":
        context = {"topbar": top_bar(book), "portfolio_id": portfolio.pk, "portfolios": portfolios}
        return render(request, "panels/topbar.html", context)
    if name not in PANELS:
        raise Http404
    context = {"panel": PANELS[name](book), "can_trade": access.can_trade_in(request.user, portfolio), "portfolio_id": portfolio.pk}
    return render(request, f"panels/{name}.html", context)


def _chosen(mine: Sequence[Portfolio], request: HtmxHttpRequest) -> Portfolio:
    """The one that the request names, else the first; a foreign one is as missing as one that does not exist."""
    named = request.GET.get("portfolio", "")
    wanted = id_from(named)
    portfolio = next((each for each in mine if not named or each.pk == wanted), None)
    if portfolio is None:
        raise Http404
    return portfolio


def home_context(request: HtmxHttpRequest, order_ticket: OrderTicket | None = None) -> dict[str, Any]:
    """`order_ticket`: the ticket as filled in, where the page is shown again because of it."""
    portfolios = list(access.portfolios_for(request.user))
    portfolio = (order_ticket.shown_portfolio if order_ticket else None) or _chosen(portfolios, request)
    book = read_book(portfolio.pk)
    can_trade = access.can_trade_in(request.user, portfolio)
    if can_trade and order_ticket is None:
        order_ticket = OrderTicket(request.user, portfolio=portfolio, initial={"symbol": _largest_symbol(book)})
        ticket.describe(order_ticket)
    return {
        "topbar": top_bar(book),
        "panels": {name: build(book) for name, build in PANELS.items()},
        "ticket": order_ticket if can_trade and order_ticket and order_ticket.accounts else None,
        "can_trade": can_trade,
        "version": book.version,
        "portfolio_id": portfolio.pk,
        "portfolios": portfolios,
        "has_password": request.user.has_usable_password(),
        "only_asset": _chosen_asset(request, book),
        "late_after_s": LATE_AFTER_PERIODS * settings.POLL_PERIOD_S,
        "stale_after_s": settings.STALE_AFTER_S,
        "server_now_ms": numbers.epoch_ms(datetime.now(UTC)),
    }


def _chosen_asset(request: HtmxHttpRequest, book: Book) -> str:
    """The asset whose positions alone are asked for; empty where there is none such in the book."""
    named = request.GET.get("asset", "")
    return named if any(asset.asset == named for asset in book.exposure.assets) else ""


def _largest_symbol(book: Book) -> str:
    """What the ticket starts with: the largest position's symbol, else bitcoin."""
    largest = max(book.positions, key=lambda position: position.quantity * position.mark_price, default=None)
    return largest.symbol if largest else "BTCUSDT"
