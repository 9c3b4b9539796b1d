"""The ticket before it sends anything: its facts, its errors beside their fields, the sentence to confirm."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.models import MarkPrice
from portfolio.models import AccountState, Order
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.ticket_page import KEY, Browser, hidden_fields, html_of


def test_a_good_order_is_shown_as_a_sentence_to_confirm_and_nothing_is_sent(browser: Browser) -> None:
    html = html_of(browser.preview())
    price = Decimal(browser.price("0.98"))
    assert f"Buy 0.01 BTCUSDT at {price:,} limit on {browser.account}" in html
    assert f"<dd>{browser.account} (Sandbox)</dd>" in html
    assert "USDT at the limit price" in html
    assert "<dt>Time in force</dt><dd>Good till canceled</dd>" in html
    assert "Contracts" not in html
    assert "Send order" in html
    assert ("<html" in html) is not browser.htmx
    assert not Order.objects.exists()


def test_what_is_confirmed_is_what_was_typed(htmx: Browser) -> None:
    for changes in ({}, {"reduce_only": "on", "time_in_force": "GTX"}, {"order_type": "MARKET", "price": ""}):
        typed = htmx.fields(**changes)
        sent = hidden_fields(html_of(htmx.post("/ticket/preview", typed)))
        assert {name: value for name, value in sent.items() if value} == {name: value for name, value in typed.items() if value}


def test_a_box_left_empty_comes_back_empty(htmx: Browser) -> None:
    assert "reduce_only" not in hidden_fields(html_of(htmx.preview()))
    assert "reduce-only" not in html_of(htmx.preview())
    assert ", reduce-only, on" in html_of(htmx.preview(reduce_only="on"))


def test_a_market_order_names_the_mark_it_was_valued_at(htmx: Browser) -> None:
    html = html_of(htmx.preview(order_type="MARKET", side="SELL"))  # a price left over in the box is not sent
    assert f"Sell 0.01 BTCUSDT at market on {htmx.account}" in html
    assert re.search(r"USDT at the mark [\d,.]+, \d+ s old", html)
    assert "Time in force" not in html


def test_okx_shows_its_contracts(floor: Cast) -> None:
    browser = Browser(floor.alice, floor.okx)
    html = html_of(browser.preview(quantity="0.012"))
    assert "<dt>Contracts</dt><dd>= 1.2 contracts x 0.01 BTC</dd>" in html
    assert "= 1.2 contracts x 0.01 BTC" in html_of(browser.refresh(quantity="0.012"))


@pytest.mark.parametrize("quantity", ["1e30", "9" * 40, "1e-30", "-5", "0", "NaN", "x", "", "１", "\x00"])
def test_contracts_of_whatever_was_typed_break_nothing(floor: Cast, quantity: str) -> None:
    browser = Browser(floor.alice, floor.okx)
    html_of(browser.refresh(quantity=quantity))
    assert browser.preview(quantity=quantity).status_code in (200, 422)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"quantity": "0.0001"}, "quantity", "quantity must be a multiple of 0.001, was 0.0001"),
        ({"quantity": "-1"}, "quantity", "quantity must be greater than 0, was -1"),
        ({"quantity": "much"}, "quantity", "quantity must be a number, was much"),
        ({"quantity": ""}, "quantity", "quantity is required"),
        ({"quantity": "1000000"}, "quantity", "quantity must be at most "),
        ({"quantity": "0.001", "price": "100"}, "quantity", "quantity times price must be at least "),
        ({"price": "90000.001"}, "price", "price must be a multiple of 0.1, was 90000.001"),
        ({"price": ""}, "price", "price is required for a LIMIT order"),
        ({"price": "cheap"}, "price", "price must be a number, was cheap"),
        ({"symbol": "NOPEUSDT"}, "symbol", "symbol must be one that Binance lists, was NOPEUSDT"),
        ({"symbol": "BTC-USD"}, "symbol", "symbol must be one such as BTCUSDT, was 'BTC-USD'"),
        ({"symbol": ""}, "symbol", "symbol is required"),
        ({"symbol": "X" * 33}, "symbol", "symbol must have at most 32 characters, had 33"),
        ({"quantity": "1" * 51}, "quantity", "quantity must have at most 50 characters, had 51"),
    ],
)
def test_an_error_stands_beside_its_field(browser: Browser, changes: dict[str, str], field: str, words: str) -> None:
    html = html_of(browser.preview(**changes), 422)
    error = re.search(rf'id="ticket-{field}-error">(.*?)</p>', html)
    assert error, html[:3000]
    assert error[1].startswith(words)
    assert re.search(rf'id="ticket-{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="ticket-{field}-error"', html)
    assert "Send order" not in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": "999999"}, "account must be one of those offered, was 999999"),
        ({"side": "HOLD"}, "side must be one of those offered, was HOLD"),
        ({"time_in_force": "DAY"}, "time in force must be one of those offered, was DAY"),
        ({"leverage": "5"}, "leverage must be left out: it is not a field of this ticket"),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(htmx: Browser, changes: dict[str, str], words: str) -> None:
    assert words in html_of(htmx.preview(**changes), 422)
    assert words in html_of(htmx.send(**changes), 422)
    assert not Order.objects.exists()


def test_what_was_typed_is_still_there_after_an_error(htmx: Browser) -> None:
    html = html_of(htmx.preview(quantity="0.0001", time_in_force="GTX", reduce_only="on"), 422)
    assert 'value="0.0001"' in html
    assert re.findall(r'id="([\w-]+)"[^>]*autofocus', html) == ["ticket-quantity"]
    assert '<option value="GTX" selected>' in html
    assert re.search(r'name="reduce_only" checked', html)
    assert f'value="{KEY}"' in html


def test_a_refresh_brings_fresh_facts_and_no_judgement(browser: Browser) -> None:
    html = html_of(browser.refresh(quantity="0.0001", price="", symbol="ethusdt"))
    assert "field-error" not in html
    assert "aria-invalid" not in html
    assert re.search(r"ETHUSDT mark [\d,.]+ · Binance, \d+ s ago", html)
    assert re.search(r"tick [\d.]+ · lot [\d.]+ · min [\d.]+ USDT", html)
    assert "autofocus" not in html
    assert '<small id="ticket-unit">ETH</small>' in html
    assert "NOPE is not listed at Binance" in html_of(browser.refresh(symbol="nope"))


def test_the_ticket_says_what_is_held_and_what_is_left_to_trade_with(htmx: Browser) -> None:
    AccountState.objects.filter(account=htmx.account).delete()
    assert "position " not in html_of(htmx.refresh())
    rows.state(htmx.account, available_usd=Decimal("92797.05"))
    assert "position none · available 92,797.05 USD<" in html_of(htmx.refresh())
    rows.position(htmx.account, side="SHORT", quantity="0.1805")
    assert "position short 0.1805 · available 92,797.05 USD<" in html_of(htmx.refresh())
    AccountState.objects.update(balances_as_of=rows.now() - timedelta(minutes=4))
    assert "position short 0.1805 · available 92,797.05 USD · 4 min old<" in html_of(htmx.refresh())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Short 0.1805 → Short 0.1705 if all of it fills"),
        ({"side": "SELL"}, "Short 0.1805 → Short 0.1905 if all of it fills"),
        ({"quantity": "1"}, "Short 0.1805 → Long 0.8195 if all of it fills"),
        ({"reduce_only": "on"}, ""),
    ],
)
def test_the_confirmation_says_what_the_position_becomes(htmx: Browser, changes: dict[str, str], words: str) -> None:
    AccountState.objects.filter(account=htmx.account).delete()
    rows.state(htmx.account)
    rows.position(htmx.account, side="SHORT", quantity="0.1805")
    found = re.search(r"<dt>Position</dt><dd>(.*?)</dd>", html_of(htmx.preview(**changes)))
    assert (found[1] if found else "") == words


@pytest.mark.parametrize("account", ["", "²", "１", "x", "-1", "9" * 5000])
def test_a_refresh_with_a_broken_account_breaks_nothing(htmx: Browser, account: str) -> None:
    html_of(htmx.refresh(account=account))
    html_of(htmx.preview(account=account), 422)


def test_back_keeps_everything_and_the_key(htmx: Browser) -> None:
    confirmation = hidden_fields(html_of(htmx.preview(reduce_only="on")))
    html = html_of(htmx.post("/ticket/preview", {**confirmation, "refresh": "1"}))
    for sign in ('value="0.010"', f'value="{KEY}"', 'name="reduce_only" checked', 'value="LIMIT" checked'):
        assert sign in html, sign


def test_an_old_mark_an_unresolved_order_and_a_far_price_are_warned_of(htmx: Browser) -> None:
    assert "data-tone" not in html_of(htmx.preview())
    assert "The price is 50.00 % below the mark." in html_of(htmx.preview(price=htmx.price("0.5")))
    assert re.search(r"The price is 1\d\.\d\d % above the mark\.", html_of(htmx.preview(price=htmx.price("1.1"))))
    rows.order(htmx.account, state="UNKNOWN")
    assert "is still unresolved. Sending another may double it." in html_of(htmx.preview())
    MarkPrice.objects.update(as_of=rows.now() - timedelta(minutes=4))
    assert "The mark price is 4 min old: the value above may be wrong." in html_of(htmx.preview())
    MarkPrice.objects.all().delete()
    assert "The mark price is not known" in html_of(htmx.preview(price="90000"))
