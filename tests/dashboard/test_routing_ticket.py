"""The ticket along the route: it says where the order will go and why, and sends what was confirmed or nothing."""

import re

import pytest
from django.test import Client

from exchanges.domain import ExchangeType
from exchanges.models import Exchange, ExchangeAccount, Instrument, RoutingRule
from exchanges.routing import RuleTerms, rules
from exchanges.routing.rules import Author
from portfolio.models import Order, Role
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.ticket_page import Browser, hidden_fields, html_of, toast_of
from tests.simulated import Sandbox

BINANCE, BYBIT, OKX = ExchangeType


def put(pattern: str, *targets: ExchangeType, note: str = "") -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets, note=note), by=Author())


class RouteBrowser(Browser):
    """At the ticket as it stands at first: the account is for the route to choose."""

    def fields(self, **changes: str) -> dict[str, str]:
        return super().fields(**{"account": "route", "order_type": "MARKET", **changes})


@pytest.fixture(params=[True, False], ids=["htmx", "plain"])
def browser(request: pytest.FixtureRequest, floor: Cast) -> RouteBrowser:
    return RouteBrowser(floor.alice, floor.binance, htmx=request.param)


@pytest.fixture
def htmx(floor: Cast) -> RouteBrowser:
    return RouteBrowser(floor.alice, floor.binance)


def route_of(html: str) -> str:
    found = re.search(r'<span class="route"[^>]*>(.*?)</span>', html)
    return found[1] if found else ""


def test_the_page_starts_with_the_route(floor: Cast) -> None:
    put("*USDT", OKX)
    client = Client()
    client.force_login(floor.alice)
    html = html_of(client.get("/"))
    assert re.search(r'<option value="route" selected>Route: by rule</option>', html)
    assert route_of(html) == f"Goes to {floor.okx}: rule *USDT."
    assert f'name="portfolio" value="{floor.portfolio.pk}"' in html


def test_the_facts_say_where_it_goes_and_why(htmx: RouteBrowser, floor: Cast) -> None:
    assert route_of(html_of(htmx.refresh())) == f"Goes to {floor.binance}: no rule matches."
    put("BTCUSDT", BYBIT, OKX)
    html = html_of(htmx.refresh(symbol=" btcusdt"))
    assert route_of(html) == f"Goes to {floor.bybit}: rule BTCUSDT."
    assert re.search(r"BTCUSDT mark [\d,.]+ · Bybit, \d+ s ago", html)
    ExchangeAccount.objects.filter(pk=floor.bybit.pk).update(is_trading_enabled=False)
    words = f"Goes to {floor.okx}: rule BTCUSDT. Bybit was passed over: the default account there is read-only."
    assert route_of(html_of(htmx.refresh())) == words
    assert route_of(html_of(htmx.refresh(account=str(floor.binance.pk)))) == ""


def test_a_route_that_leads_nowhere_is_said_and_not_confirmed(htmx: RouteBrowser) -> None:
    put("BTCUSDT", BYBIT)
    Instrument.objects.filter(exchange=BYBIT, symbol="BTCUSDT").delete()
    words = "symbol must be one that an account can take: rule BTCUSDT leads BTCUSDT to Bybit (it does not list this symbol)"
    assert words in route_of(html_of(htmx.refresh()))
    html = html_of(htmx.preview(), 422)
    assert f'id="ticket-symbol-error">{words}</p>' in html
    assert "Send order" not in html


def test_an_order_along_the_route_goes_where_the_confirmation_says(browser: RouteBrowser, sandbox: Sandbox, floor: Cast) -> None:
    rule = put("BTCUSDT", OKX, BYBIT)
    html = html_of(browser.preview())
    assert f"Buy 0.01 BTCUSDT at market on {floor.okx}" in html
    assert f"<dt>Account</dt><dd>{floor.okx} (Sandbox)</dd>" in html
    assert "<dt>Route</dt><dd>Rule BTCUSDT names OKX, then Bybit. " in html
    for _ in range(2):
        answer = browser.post("/orders/new", hidden_fields(html))
        assert answer.status_code == (200 if browser.htmx else 302)
    order = Order.objects.get()
    assert (order.account, order.state) == (floor.okx, "FILLED")
    assert len(sandbox.ledger("okx", floor.name)["orders"]) == 1
    assert order.routing == {
        "named_by_sender": "",
        "rule": rule.pk,
        "version": 1,
        "pattern": "BTCUSDT",
        "targets": ["okx", "bybit"],
        "portfolio": floor.portfolio.pk,
        "exchange": "okx",
        "account": floor.okx.pk,
        "reasons": ["Rule BTCUSDT names OKX, then Bybit.", f"{floor.okx} is the default account of Alice's book there."],
    }


def test_the_next_order_follows_the_route_again(htmx: RouteBrowser) -> None:
    html = html_of(htmx.post("/orders/new", hidden_fields(html_of(htmx.preview()))))
    assert '<option value="route" selected>' in html
    html = html_of(htmx.send(account=str(htmx.account.pk), idempotency_key="another"))
    assert f'<option value="{htmx.account.pk}" selected>' in html
    assert Order.objects.latest("id").routing["named_by_sender"] == "account"


@pytest.mark.parametrize("change", ["other exchange", "same exchange, other words", "rule deleted", "account read-only"])
def test_a_route_that_changed_meanwhile_is_shown_anew_and_nothing_is_sent(htmx: RouteBrowser, floor: Cast, change: str) -> None:
    put("BTCUSDT", OKX, BYBIT)
    confirmed = hidden_fields(html_of(htmx.preview()))
    if change == "other exchange":
        put("BTCUSDT", BYBIT)
    elif change == "same exchange, other words":
        put("BTCUSDT", OKX, BYBIT, note="looked at again")
    elif change == "rule deleted":
        rules.delete("BTCUSDT", by=Author())
    else:
        ExchangeAccount.objects.filter(pk=floor.okx.pk).update(is_trading_enabled=False)
    html = html_of(htmx.post("/orders/new", confirmed), 422)
    assert "Nothing was sent: the route is not the one that was shown. Read it here and confirm." in html
    assert not Order.objects.exists()
    again = hidden_fields(html)
    assert again["agreed"] != confirmed["agreed"]
    htmx.post("/orders/new", again)
    now = {"other exchange": floor.bybit, "same exchange, other words": floor.okx, "rule deleted": floor.binance}
    assert Order.objects.get().account == now.get(change, floor.bybit)


def test_a_route_that_was_never_shown_is_not_followed(htmx: RouteBrowser) -> None:
    for agreed in ("-", "0", "x" * 80, "\u202e"):
        html = html_of(htmx.send(agreed=agreed), 422)
        assert "the route is not the one that was shown" in html
    assert not Order.objects.exists()


def test_a_second_click_answers_the_first_also_where_the_route_has_changed(htmx: RouteBrowser, sandbox: Sandbox, floor: Cast) -> None:
    put("BTCUSDT", OKX)
    confirmed = hidden_fields(html_of(htmx.preview()))
    first = toast_of(htmx.post("/orders/new", confirmed))
    put("BTCUSDT", BYBIT)
    assert toast_of(htmx.post("/orders/new", confirmed)) == first
    assert Order.objects.count() == 1


def test_the_route_stays_in_the_portfolio_that_is_shown(floor: Cast) -> None:
    second = rows.portfolio("Second", {floor.alice: Role.TRADER})
    there = rows.account(second, Exchange.BYBIT, label="There")
    browser = RouteBrowser(floor.alice, floor.binance)
    put("BTCUSDT", BYBIT)
    assert route_of(html_of(browser.refresh(portfolio=str(floor.portfolio.pk)))) == f"Goes to {floor.bybit}: rule BTCUSDT."
    html = html_of(browser.refresh(portfolio=str(second.pk)))
    assert route_of(html) == f"Goes to {there}: rule BTCUSDT."
    assert str(floor.binance) not in html
    hers = rows.portfolio("Stella's book", {floor.stella: Role.TRADER})
    rows.account(hers, Exchange.BYBIT, label="Hers")
    for portfolio in ("-", "", str(hers.pk), "999999", "x"):
        html = html_of(browser.preview(portfolio=portfolio), 422)
        assert "portfolio must be one of yours where you may trade" in html
        assert "Hers" not in html
