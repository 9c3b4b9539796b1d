"""Foreign text in a real browser (S38, S39, S41): forty hostile texts in every field that somebody else fills, on every page, panel, push,
toast, in the admin and as JSON. Nothing of it runs, nothing becomes an element, nobody else is asked, and no page breaks its own policy."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect

from exchanges.domain import ExchangeType
from exchanges.models import Exchange, ExchangeAccount, RoutingRule
from exchanges.routing import RuleTerms, rules
from portfolio import publish
from portfolio.models import ApiToken, Membership, Order, Portfolio, Position, Role, UserSession
from tests.dashboard import rows
from tests.journeys.chromium import Complaints, opened, running_browser
from tests.security.conftest import fresh_client
from tests.security.payloads import PAYLOADS
from tests.security.site import running_site

ALIVE = """() => ({
  hit: window.hit ?? null,
  made: [...document.querySelectorAll("[data-evil], [DATA-EVIL], base, iframe")].map((each) => each.outerHTML.slice(0, 200)),
  handlers: [...document.querySelectorAll("*")].filter((each) => [...each.attributes].some((one) => /^(on|hx-on)/i.test(one.name)))
    .map((each) => each.outerHTML.slice(0, 200)),
  addresses: [...document.querySelectorAll("[href], [src], [action], [hx-get], [hx-post]")]
    .flatMap((each) => ["href", "src", "action", "hx-get", "hx-post"].map((name) => each.getAttribute(name) ?? ""))
    .filter((address) => { const url = new URL(address, location); return url.origin !== location.origin || url.pathname === "/evil"; }),
})"""
SHOWN = """(text) => document.body.textContent.includes(text)
  || [...document.querySelectorAll("[title]")].some((each) => each.title.includes(text))"""
NOTHING: dict[str, object] = {"hit": None, "made": [], "handlers": [], "addresses": []}


@dataclass(frozen=True, slots=True)
class Filled:
    """A book whose every foreign text is hostile; the ids of what single pages are about."""

    portfolio: Portfolio
    account: ExchangeAccount
    position: Position
    order: Order
    rule: RoutingRule
    alice: User
    root: User


@pytest.fixture
def filled(transactional_db: None) -> Filled:
    assert len(PAYLOADS) == 40
    alice = rows.person("alice")
    root = rows.person("root", is_staff=True, is_superuser=True)
    portfolio = rows.portfolio(PAYLOADS[0], {alice: Role.MANAGER})
    Portfolio.objects.bulk_create([Portfolio(name=text[:60], environment="sandbox") for text in PAYLOADS[1:]])
    others = Portfolio.objects.exclude(pk=portfolio.pk)
    Membership.objects.bulk_create([Membership(portfolio=each, user=alice, role=Role.MANAGER) for each in others])
    people = User.objects.bulk_create([User(username=text[:150], first_name=text[:150], email=text[:250]) for text in PAYLOADS])
    Membership.objects.bulk_create([Membership(portfolio=portfolio, user=each, role=Role.VIEWER) for each in people])
    for number, text in enumerate(PAYLOADS):
        fill(portfolio, alice, number, text)
    rows.instrument(Exchange.BINANCE)
    account = portfolio.account_links.order_by("pk")[0].account
    return Filled(
        portfolio=portfolio,
        account=account,
        position=rows.position(account, "BTCUSDT", margin_mode=PAYLOADS[0][:16]),
        order=Order.objects.order_by("pk")[0],
        rule=RoutingRule.objects.order_by("pk")[0],
        alice=alice,
        root=root,
    )


def fill(portfolio: Portfolio, alice: User, number: int, text: str) -> None:
    exchange = list(Exchange)[number % 3]
    account = rows.account(portfolio, exchange, label=text[:60], is_default=number < 3)
    rows.state(account, error_message=text, equity_basis=text[:40], not_covered=[text], position_mode=text[:16])
    rows.position(account, text[:32], underlying=text[:24], margin_mode=text[:16])
    rows.balance(account, text[:24])
    rows.order(account, symbol=text[:32], reason=text, time_in_force=text[:8], client_order_id=text[:40], actor=alice)
    rules.put(f"A{number}USDT", RuleTerms((ExchangeType(exchange.value),), True, text[:200]), by=rules.Author(alice))
    ApiToken.objects.create(user=alice, name=text[:60], prefix=f"{number:08x}", digest="0" * 64, scopes=["read"])
    browser = fresh_client()
    browser.force_login(alice)
    browser.get("/password")
    UserSession.objects.filter(session_key=browser.cookies["sessionid"].value).update(user_agent=text[:255])


@pytest.fixture
def site(filled: Filled, tmp_path: Path) -> Iterator[str]:
    with running_site(tmp_path) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module", autouse=True)
def _beside_the_browsers_loop() -> Iterator[None]:
    """Playwright keeps a loop in this thread, which Django takes for a coroutine's; nothing runs in it while the database is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture(scope="module")
def browser(_beside_the_browsers_loop: None) -> Iterator[Browser]:
    with running_browser() as started:
        yield started


def sign_in(context: BrowserContext, site: str, user: User) -> None:
    client = fresh_client()
    client.force_login(user)
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])


class Watched:
    """One tab, and whatever a page did that it must not."""

    def __init__(self, context: BrowserContext, complaints: Complaints, site: str) -> None:
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self._complaints, self._site = complaints, site
        self.page.on("dialog", self._refuse)
        context.on("request", lambda request: self._hear(request.url))

    def _refuse(self, dialog: Dialog) -> None:
        self.wrong.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _hear(self, url: str) -> None:
        if not url.startswith(self._site) or "/evil" in url:
            self.wrong.append(f"asked for {url}")

    def look(self, path: str, *, expects: str = "") -> None:
        answer = self.page.goto(f"{self._site}{path}")
        assert answer is not None
        assert answer.status < 400, (path, answer.status)
        self.judge(path)
        if expects:
            assert expects in self.page.content() or expects in self.page.inner_text("body"), f"{path} does not show {expects!r}"

    def judge(self, what: str) -> None:
        """The admin's pages name no icon, and a browser asks for one at the usual place."""
        found = self.page.evaluate(ALIVE)
        if found != NOTHING:
            self.wrong.append(f"{what}: {found}")
        self.wrong += [f"{what}: {each}" for each in self._complaints if "/favicon.ico" not in each]
        self._complaints.clear()


def test_hostile_text_lies_still_wherever_it_is_shown(filled: Filled, site: str, browser: Browser) -> None:
    with opened(browser) as (context, complaints):
        watched = Watched(context, complaints, site)
        page = watched.page
        page.goto(f"{site}/login")
        page.fill("[name=username]", PAYLOADS[3])
        page.fill("[name=password]", "wrong")
        page.press("[name=password]", "Enter")
        page.wait_for_load_state()
        watched.judge("the sign-in that failed")
        sign_in(context, site, filled.alice)
        for path in pages(filled):
            watched.look(path, expects=PAYLOADS[9] if path in ("/accounts", "/members", "/settings", "/routing") else "")
        for path in ("positions", "orders", "balances", "exposure", "topbar"):
            watched.look(f"/panel/{path}?portfolio={filled.portfolio.pk}")
        for path in ("accounts", "orders", "positions", "balances", f"exposure?portfolio={filled.portfolio.pk}", "exchanges/routing"):
            watched.look(f"/api/v1/{path}")
        watched.look(f"/?portfolio={filled.portfolio.pk}")
        pushed(watched, filled)
        toasted(watched)
        assert not watched.wrong, watched.wrong[:5]
        planted(watched, complaints, site)
    with opened(browser) as (context, complaints):
        sign_in(context, site, filled.root)
        watched = Watched(context, complaints, site)
        for path in admin_pages(filled):
            watched.look(f"/admin/{path}")
        assert not watched.wrong


def pages(filled: Filled) -> list[str]:
    return [
        "/",
        f"/?portfolio={filled.portfolio.pk}",
        "/accounts",
        "/accounts/new",
        f"/accounts/{filled.account.pk}",
        f"/accounts/{filled.account.pk}/margin",
        f"/accounts/{filled.account.pk}/margin?symbol=%3Cimg%20data-evil%20src=x%20onerror=window.hit=1%3E",
        f"/members?portfolio={filled.portfolio.pk}",
        "/settings",
        "/password",
        "/routing",
        "/routing/history",
        "/routing?symbol=%3Cimg%20data-evil%20src=x%20onerror=window.hit=1%3E",
        "/routing/history?pattern=%3Cimg%20data-evil%20src=x%3E",
        f"/positions/{filled.position.pk}/close",
        "/api/v1/docs",
    ]


def pushed(watched: Watched, filled: Filled) -> None:
    """What the live socket brings is set as text."""
    for number in (0, 1, 3, 6, 13, 16):
        text = f"{PAYLOADS[number]} pushed {number}"
        with transaction.atomic():
            Order.objects.filter(pk=filled.order.pk).update(reason=text)
            Position.objects.filter(pk=filled.position.pk).update(mark_price=90_000 + number, margin_mode=PAYLOADS[number][:16])
            publish.book_changed([filled.account.pk])
        watched.page.wait_for_function(SHOWN, arg=f"pushed {number}", timeout=30_000)
        watched.judge(f"push {number}")


def toasted(watched: Watched) -> None:
    for text in PAYLOADS:
        watched.page.evaluate(
            "(text) => document.body.dispatchEvent(new CustomEvent('toast', {detail: {text, tone: 'danger'}, bubbles: true}))", text
        )
    expect(watched.page.locator("#toasts .toast")).to_have_count(len(PAYLOADS))
    watched.judge("toasts")


def admin_pages(filled: Filled) -> list[str]:
    user = User.objects.get(username=PAYLOADS[0])
    return [
        "",
        "exchanges/exchangeaccount/",
        f"exchanges/exchangeaccount/{filled.account.pk}/change/",
        "exchanges/routingrule/",
        f"exchanges/routingrule/{filled.rule.pk}/change/",
        f"exchanges/routingrule/{filled.rule.pk}/history/",
        f"exchanges/routingrule/{filled.rule.pk}/delete/",
        "portfolio/portfolio/",
        f"portfolio/portfolio/{filled.portfolio.pk}/change/",
        f"portfolio/portfolio/{filled.portfolio.pk}/delete/",
        "portfolio/order/",
        f"portfolio/order/{filled.order.pk}/change/",
        "portfolio/apitoken/",
        "auth/user/",
        f"auth/user/{user.pk}/change/",
        f"auth/user/{user.pk}/delete/",
    ]


def planted(watched: Watched, complaints: Complaints, site: str) -> None:
    """Where everything else failed, the policy holds; and the listener of this test hears it."""
    watched.look("/settings")
    watched.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img data-evil src=x onerror=window.hit=1><b style='color:red'>x</b>");
          const tag = document.createElement("script");
          tag.textContent = "window.hit=2";
          document.body.append(tag);
        }"""
    )
    watched.page.wait_for_function("() => document.querySelector('img[data-evil]').complete")
    assert watched.page.evaluate("() => window.hit ?? null") is None
    assert any("CSP violation: script-src" in each for each in complaints), list(complaints)
    assert any("CSP violation: style-src" in each for each in complaints), list(complaints)
    watched.judge("planted")
    assert watched.wrong
