"""The home page and its panels: what is on it for whom, one markup through every door, a fixed number of queries."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from dashboard.panels import PANELS
from exchanges.models import Environment, Exchange
from portfolio.models import Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

HOME_QUERIES = 23
PANEL_QUERIES = 11


def page(client: Client, path: str = "/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def without_clocks(html: str) -> str:
    """CSRF tokens and seconds differ between two answers; nothing else may."""
    html = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html)
    return re.sub(r">\d+ s<", "><", html)


def panel_in(html: str, name: str) -> str:
    found = re.search(rf'<section class="(?:panel|topbar)" id="panel-{name}".*?</section>', html, re.S)
    assert found, name
    return found[0].strip()


@pytest.mark.parametrize("name", [*PANELS, "topbar"])
@pytest.mark.parametrize("who", ["alice", "victor"])
def test_a_panel_served_alone_is_the_panel_of_the_page(desk: Desk, name: str, who: str) -> None:
    client = desk.client(getattr(desk, who))
    alone = page(client, f"/panel/{name}?portfolio={desk.portfolio.pk}")
    assert without_clocks(alone.strip()) == without_clocks(panel_in(page(client), name))


def test_a_panel_asks_for_itself_in_its_own_portfolio(desk: Desk) -> None:
    second = rows.portfolio("Second", {desk.alice: Role.TRADER})
    rows.position(rows.account(second), "SOLUSDT")
    client = desk.client(desk.alice)
    html = page(client, f"/?portfolio={second.pk}")
    assert "SOLUSDT" in panel_in(html, "positions")
    assert "BTCUSDT" not in panel_in(html, "positions")
    for name in (*PANELS, "topbar"):
        address = re.search(r'hx-get="([^"]+)"', panel_in(html, name))
        assert address
        assert without_clocks(page(client, address[1]).strip()) == without_clocks(panel_in(html, name)), name


@pytest.mark.parametrize("path", ["/", "/panel/positions", "/panel/exposure", "/panel/topbar"])
def test_queries_do_not_grow_with_the_book(desk: Desk, path: str, django_assert_max_num_queries: Any) -> None:
    client = desk.client(desk.alice)
    limit = HOME_QUERIES if path == "/" else PANEL_QUERIES
    with django_assert_max_num_queries(limit) as few:
        page(client, path)
    for number in range(60):
        rows.position(desk.accounts[number % 3], f"COIN{number}USDT", side=("LONG", "SHORT")[number % 2])
        rows.order(desk.accounts[number % 3], symbol=f"COIN{number}USDT")
        rows.balance(desk.accounts[number % 3], f"COIN{number}")
    with django_assert_max_num_queries(len(few)) as many:
        html = page(client, path)
    assert len(many) == len(few)
    assert path == "/panel/topbar" or "COIN59" in html


def test_an_asset_of_the_exposure_leads_to_its_positions_alone(desk: Desk) -> None:
    rows.position(desk.bybit, "ETHUSDT")
    client = desk.client(desk.alice)
    html = page(client)
    address = f"/?portfolio={desk.portfolio.pk}&amp;asset=ETH"
    assert f'href="{address}" data-asset="ETH"' in panel_in(html, "exposure")
    assert " hidden>" not in panel_in(html, "positions").split("<tbody>")[1]
    only = page(client, address.replace("&amp;", "&"))
    shown = re.findall(r'<tr data-row="\d+" data-freshness="fresh" data-asset="(\w+)"( hidden)?>', panel_in(only, "positions"))
    assert sorted(set(shown)) == [("BTC", " hidden"), ("ETH", "")]
    assert '<p class="filter" data-filter="ETH">' in only
    assert 'data-asset="ETH" title="Show the positions in ETH" aria-current="true"' in only


@pytest.mark.parametrize("named", ["", "NOPE", "btc", "%22%3E", "%00"])
def test_an_asset_that_is_not_in_the_book_hides_nothing(desk: Desk, named: str) -> None:
    html = page(desk.client(desk.alice), f"/?asset={named}")
    assert 'data-filter="" hidden' in html
    assert " hidden>" not in panel_in(html, "positions").split("<tbody>")[1]


def test_a_trader_sees_the_ticket_and_the_buttons(desk: Desk) -> None:
    html = page(desk.client(desk.alice))
    assert 'id="ticket"' in html
    assert f'action="/orders/{desk.order.pk}/cancel"' in html
    assert f'href="/positions/{desk.position.pk}/close"' in html
    assert 'value="BTCUSDT"' in html  # the largest position's symbol is where the ticket starts


def test_a_viewers_page_holds_no_way_to_trade(desk: Desk) -> None:
    html = page(desk.client(desk.victor))
    assert "BTCUSDT" in html
    for sign in ('id="ticket', "/ticket/", "/orders/", "/close", "/cancel", "Buy / Long", 'name="side"', "Send order", ">Trade<"):
        assert sign not in html, sign
    assert re.findall(r'<form[^>]*action="([^"]+)"', html) == ["/logout"]


def test_an_account_that_does_not_trade_offers_no_buttons(desk: Desk) -> None:
    for account in desk.accounts:
        account.is_trading_enabled = False
        account.save()
    html = page(desk.client(desk.alice))
    assert "/close" not in html
    assert "/cancel" not in html


def test_the_ticket_offers_only_accounts_its_user_may_trade(desk: Desk) -> None:
    watched = rows.portfolio("Watched", {desk.alice: Role.VIEWER})
    rows.account(watched, Exchange.BYBIT, label="Only watched")
    html = page(desk.client(desk.alice))
    options = re.findall(r'<option value="(\d+)"', html)
    assert sorted(options) == sorted(str(account.pk) for account in desk.accounts)
    assert "Only watched" not in html


def test_a_page_offers_accounts_of_its_own_portfolio_alone(desk: Desk) -> None:
    """The frame says which environment the page is in; an account of another one in the ticket would make that a lie."""
    live = rows.portfolio("Second", {desk.alice: Role.TRADER}, Environment.LIVE)
    client = desk.client(desk.alice)
    assert 'id="ticket' not in page(client, f"/?portfolio={live.pk}")
    demo = rows.portfolio("Third", {desk.alice: Role.TRADER}, Environment.DEMO)
    account = rows.account(demo, Exchange.BYBIT, label="Demo trading")
    html = page(client, f"/?portfolio={demo.pk}")
    assert re.findall(r'<option value="(\d+)"', html) == [str(account.pk)]
    assert "Demo trading" not in page(client)


def test_the_ticket_describes_the_account_that_it_shows_first(desk: Desk) -> None:
    book = rows.portfolio("Second", {desk.alice: Role.TRADER})
    for exchange, price in ((Exchange.OKX, "70000"), (Exchange.BINANCE, "80000")):
        rows.account(book, exchange)
        rows.mark(exchange, "ETHUSDT", price)
        rows.instrument(exchange, "ETHUSDT")
    rows.position(book.account_links.get(account__exchange="okx").account, "ETHUSDT")
    html = page(desk.client(desk.alice), f"/?portfolio={book.pk}")
    assert re.findall(r'<optgroup label="(\w+)"', html) == ["Binance", "OKX"]
    assert "ETHUSDT mark 80,000.0 · Binance" in html


def test_whoever_has_several_portfolios_finds_each_of_them(desk: Desk) -> None:
    one = page(desk.client(desk.alice), "/")
    assert '<details class="portfolios">' not in one
    live = rows.portfolio("Real money", {desk.alice: Role.MANAGER}, environment=Environment.LIVE)
    for path in ("/", "/panel/topbar"):
        html = page(desk.client(desk.alice), path)
        assert f'<a href="/?portfolio={desk.portfolio.pk}" aria-current="page">' in html
        assert f'<a href="/?portfolio={live.pk}">Real money <small>Live</small></a>' in html
        assert "Stella" not in html


def test_without_htmx_the_ticket_comes_back_on_the_page_of_its_portfolio(desk: Desk) -> None:
    demo = rows.portfolio("Third", {desk.alice: Role.TRADER}, Environment.DEMO)
    account = rows.account(demo, Exchange.BYBIT, label="Demo trading")
    fields = {"account": str(account.pk), "symbol": "BTCUSDT", "refresh": "1"}
    html = desk.client(desk.alice).post("/ticket/preview", fields).content.decode()
    assert "<title>Third · Crossbook</title>" in html
    assert 'class="home" data-environment="demo"' in html
    assert re.findall(r'<option value="(\d+)"', html) == [str(account.pk)]


def test_somebody_without_a_portfolio_is_told_so(desk: Desk) -> None:
    client = desk.client(rows.person("nina"))
    assert "not a member of any portfolio" in page(client)
    assert client.get("/panel/positions").status_code == 404


@pytest.mark.parametrize("named", ["{foreign}", "999999", "abc", "-1", "²", "１", "9" * 30, "9" * 6000, "%00", "1.0", " 1"])
@pytest.mark.parametrize("path", ["/", "/panel/positions", "/panel/topbar"])
def test_a_portfolio_that_is_not_ones_own_is_missing(desk: Desk, path: str, named: str) -> None:
    client = desk.client(desk.alice)
    answer = client.get(f"{path}?portfolio={named.format(foreign=desk.foreign_portfolio.pk)}")
    assert answer.status_code == 404
    assert b"Nothing here" in answer.content


@pytest.mark.parametrize("name", ["nothing", "ticket", "Positions", "position_close"])
def test_a_panel_that_does_not_exist_is_missing(desk: Desk, name: str) -> None:
    assert desk.client(desk.alice).get(f"/panel/{name}").status_code == 404


def test_nothing_of_another_book_is_on_the_page(desk: Desk) -> None:
    html = page(desk.client(desk.alice))
    assert "Foreign" not in html
    assert "Stella" not in html


def test_pages_are_read_by_get_alone(desk: Desk) -> None:
    client = desk.client(desk.alice)
    for path in ("/", "/panel/positions"):
        assert client.post(path).status_code == 405
    for path in ("/ticket/preview", "/orders/new", f"/orders/{desk.order.pk}/cancel"):
        assert client.get(path).status_code == 405


def test_a_missing_figure_is_a_dash_and_never_a_zero(desk: Desk) -> None:
    desk.position.liquidation_price = desk.position.margin = None
    desk.position.save()
    html = panel_in(page(desk.client(desk.alice)), "positions")
    row = next(part for part in html.split("<tr") if f'data-row="{desk.position.pk}"' in part)
    for column in ("liquidation", "margin"):
        cell = re.search(rf'data-cell="{column}".*?</td>', row, re.S)
        assert cell
        assert '<span class="value">—</span>' in cell[0]
    assert "The exchange names no price" in row
    total = html.split("<tfoot>")[1]
    assert re.search(r'data-cell="margin"[^>]*><span class="value">—', total)


def test_a_book_of_which_nothing_is_known_shows_no_zero(desk: Desk) -> None:
    book = rows.portfolio("Empty", {desk.alice: Role.TRADER})
    client = desk.client(desk.alice)
    account = rows.account(book, Exchange.OKX)
    assert "0.00" not in panel_in(page(client, f"/?portfolio={book.pk}"), "topbar")
    rows.state(account)
    assert panel_in(page(client, f"/?portfolio={book.pk}"), "topbar").count(">0.00<") == 3


def test_an_unknown_equity_is_no_total(desk: Desk) -> None:
    desk.okx.state.equity_usd = None
    desk.okx.state.save()
    bar = panel_in(page(desk.client(desk.alice)), "topbar")
    figure = re.search(r'data-figure="equity".*?</div>', bar, re.S)
    assert figure
    assert "—" in figure[0]
    assert "300,000" not in figure[0]
    assert "OKX · Main reports no equity in USD" in bar


def test_a_stale_book_says_so_in_the_row_in_the_chip_and_in_the_total(desk: Desk) -> None:
    old = rows.now() - timedelta(minutes=4)
    desk.okx.positions.update(as_of=old)
    desk.okx.state.positions_as_of = old
    desk.okx.state.save()
    html = page(desk.client(desk.alice))
    assert "Totals incomplete</strong>" in html
    assert "OKX · Main is 4 min old" in html
    assert f'data-chip="{desk.okx.pk}" data-freshness="stale"' in html
    assert html.count('data-freshness="stale"') >= 2
    assert '<p class="incomplete" data-incomplete role="status">' in html


def test_a_refused_key_is_named_where_it_matters(desk: Desk) -> None:
    desk.bybit.state.error_message = "The exchange does not accept this API key."
    desk.bybit.state.save()
    bar = panel_in(page(desk.client(desk.alice)), "topbar")
    assert f'data-chip="{desk.bybit.pk}" data-freshness="error"' in bar
    assert "The exchange does not accept this API key." in bar


def test_an_empty_book_says_what_it_waits_for(desk: Desk) -> None:
    book = rows.portfolio("Empty", {desk.alice: Role.TRADER})
    client = desk.client(desk.alice)
    assert "No account yet. ./run manage add_account connects one; its book then shows here." in page(client, f"/?portfolio={book.pk}")
    account = rows.account(book, Exchange.OKX)
    assert "Waiting for the first answer from OKX." in page(client, f"/?portfolio={book.pk}")
    rows.state(account)
    html = page(client, f"/?portfolio={book.pk}")
    for words in ("No open positions.", "No open orders.", "No balances.", "No exposure: every position is flat."):
        assert words in html


def test_figures_no_market_has_do_not_break_the_page(desk: Desk) -> None:
    for symbol, figure in (("TINYUSDT", "1E-18"), ("HUGEUSDT", "1E+30"), ("LONGUSDT", "1.123456789012345678901234567")):
        number = Decimal(figure)
        rows.position(desk.okx, symbol, quantity=figure, entry_price=number, mark_price=number, unrealized_pnl=-number, margin=number)
        rows.balance(desk.okx, symbol, figure, available=number, unrealized_pnl=number)
        rows.order(desk.okx, symbol=symbol, quantity=number, price=number)
    client = desk.client(desk.alice)
    assert "HUGEUSDT" in page(client)
    assert client.get("/api/v1/exposure").status_code == 200


def test_messages_of_the_last_action_stand_on_the_next_page_once(desk: Desk) -> None:
    client = desk.client(desk.victor)
    client.force_login(desk.alice)
    done = rows.order(desk.binance, state="FILLED")
    assert client.post(f"/orders/{done.pk}/cancel").headers["Location"] == "/"
    html = page(client)
    assert '<li class="note" data-tone="danger">Not canceled: order must be open to be canceled, it is FILLED</li>' in html
    assert "Not canceled" not in page(client)
