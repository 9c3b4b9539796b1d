"""Which account an order goes to: the one that is named, or the first of the route that can take it, and why in words."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from exchanges.domain import ExchangeType
from exchanges.models import Exchange, ExchangeAccount, Instrument, RoutingRule
from exchanges.routing import RuleTerms, WrongRules, rules
from exchanges.routing.rules import Author, Door
from portfolio import routing
from portfolio.access import NotPermitted
from portfolio.execution.place import Intent, place
from portfolio.execution.refusals import Refused
from portfolio.execution.selection import Routed, select_account
from portfolio.models import Membership, Order, Origin, Portfolio, PortfolioAccount, Role
from tests.conftest import Cast
from tests.dashboard import rows
from tests.portfolio.desk import market

pytestmark = pytest.mark.postgresql

BINANCE, BYBIT, OKX = ExchangeType
SYMBOL = "SOLUSDT"


class Book:
    """Alice trades and victor watches; one default account on each exchange, all of which list SOLUSDT."""

    def __init__(self) -> None:
        self.alice, self.victor, self.stella = (rows.person(name) for name in ("alice", "victor", "stella"))
        self.portfolio = rows.portfolio("Ours", {self.alice: Role.TRADER, self.victor: Role.VIEWER})
        self.accounts = {ExchangeType(exchange): rows.account(self.portfolio, exchange, label="Main") for exchange in Exchange}
        for exchange in Exchange:
            rows.instrument(exchange, SYMBOL)

    def select(self, symbol: str = SYMBOL, **named: Any) -> Routed:
        return select_account(self.alice, symbol=symbol, **named)

    def refusal(self, symbol: str = SYMBOL, **named: Any) -> Refused:
        with pytest.raises(Refused) as refusal:
            self.select(symbol, **named)
        return refusal.value


@pytest.fixture
def ours(db: None) -> Book:
    return Book()


def put(pattern: str, *targets: ExchangeType) -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets), by=Author())


def change(account: ExchangeAccount, **fields: Any) -> None:
    ExchangeAccount.objects.filter(pk=account.pk).update(**fields)


def test_the_account_that_is_named_takes_it_whatever_the_rules_say(ours: Book) -> None:
    put(SYMBOL, BYBIT)
    second = rows.account(ours.portfolio, Exchange.OKX, label="Second", is_default=False)
    routed = ours.select(account_id=second.pk)
    assert (routed.account, routed.named, routed.rule, routed.reasons) == (second, "account", None, ("The sender named OKX · Second.",))


def test_at_the_exchange_that_is_named_the_default_account_takes_it(ours: Book) -> None:
    put(SYMBOL, BYBIT)
    rows.account(ours.portfolio, Exchange.OKX, label="Second", is_default=False)
    routed = ours.select(exchange=OKX)
    assert (routed.account, routed.named, routed.rule) == (ours.accounts[OKX], "exchange", None)
    assert routed.reasons == ("The sender named OKX.", "OKX · Main is the default account of Ours there.")


def test_along_the_route_the_first_exchange_takes_it(ours: Book) -> None:
    rule = put("SOL*", OKX, BYBIT)
    routed = ours.select("solusdt")
    assert (routed.account, routed.exchange, routed.named) == (ours.accounts[OKX], OKX, "")
    assert routed.reasons == ("Rule SOL* matches SOLUSDT and names OKX, then Bybit.", "OKX · Main is the default account of Ours there.")
    assert routed.rule is not None
    assert (routed.rule.id, routed.rule.version, routed.rule.pattern) == (rule.pk, 1, "SOL*")


def test_without_a_rule_the_default_exchange_takes_it(ours: Book) -> None:
    routed = ours.select()
    assert (routed.account, routed.rule, routed.passed_over) == (ours.accounts[BINANCE], None, ())
    assert routed.reasons[0] == "No rule matches SOLUSDT: the default is Binance."


@pytest.mark.parametrize(
    ("obstacle", "words"),
    [
        ("gone", "there is no default account there"),
        ("other", "there is no default account there"),
        ("off", "the default account there is switched off"),
        ("read-only", "the default account there is read-only"),
        ("unlisted", "it does not list this symbol"),
    ],
)
def test_an_exchange_that_cannot_take_it_is_passed_over_in_words(ours: Book, obstacle: str, words: str) -> None:
    put(SYMBOL, BYBIT, OKX)
    first = ours.accounts[BYBIT]
    if obstacle == "gone":
        change(first, archived_at=rows.now())
    elif obstacle == "other":
        PortfolioAccount.objects.filter(account=first).update(is_default=False)
    elif obstacle == "off":
        change(first, is_enabled=False)
    elif obstacle == "read-only":
        change(first, is_trading_enabled=False)
    else:
        Instrument.objects.filter(exchange=BYBIT).update(symbol="ADAUSDT")
    routed = ours.select()
    assert routed.account == ours.accounts[OKX]
    assert routed.passed_over == (f"Bybit was passed over: {words}.",)
    assert routed.reasons == (
        "Rule SOLUSDT names Bybit, then OKX.",
        *routed.passed_over,
        "OKX · Main is the default account of Ours there.",
    )


def test_what_is_not_known_yet_is_no_reason_to_go_elsewhere(ours: Book) -> None:
    put(SYMBOL, BYBIT, OKX)
    Instrument.objects.filter(exchange=BYBIT).delete()
    assert ours.select().account == ours.accounts[BYBIT]


def test_where_nobody_can_take_it_each_is_named(ours: Book) -> None:
    put(SYMBOL, BYBIT, OKX)
    change(ours.accounts[BYBIT], is_enabled=False)
    Instrument.objects.filter(exchange=OKX).update(symbol="ADAUSDT")
    refusal = ours.refusal()
    assert (refusal.code, refusal.field) == ("no_route", "symbol")
    assert refusal.message == (
        "symbol must be one that an account can take: rule SOLUSDT leads SOLUSDT to Bybit (the default account there is switched off), "
        "OKX (it does not list this symbol)"
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"is_enabled": False}, "account_disabled"), ({"is_trading_enabled": False}, "trading_disabled"), ({"archived_at": rows.now()}, "")],
)
def test_the_default_exchange_has_nobody_behind_it(ours: Book, fields: dict[str, Any], code: str) -> None:
    change(ours.accounts[BINANCE], **fields)
    assert ours.refusal().code == (code or "no_default_account")
    assert ours.refusal("NOPEUSDT", exchange=None).code == (code or "no_default_account")


def test_a_symbol_that_the_default_exchange_does_not_list_is_unknown(ours: Book) -> None:
    refusal = ours.refusal("NOPEUSDT")
    assert (refusal.code, refusal.message) == ("unknown_symbol", "symbol must be one that Binance lists, was NOPEUSDT")


@pytest.mark.parametrize(
    ("named", "code", "field"),
    [
        ({"account_id": 999_999}, "unknown_account", "account"),
        ({"account_id": "own", "exchange": OKX}, "account_mismatch", "exchange"),
        ({"account_id": "own", "portfolio_id": "second"}, "account_mismatch", "portfolio"),
        ({"account_id": "foreign"}, "unknown_account", "account"),
        ({"portfolio_id": 999_999}, "unknown_portfolio", "portfolio"),
        ({"portfolio_id": "foreign"}, "unknown_portfolio", "portfolio"),
        ({"account_id": "own", "portfolio_id": "foreign"}, "unknown_portfolio", "portfolio"),
        ({"portfolio_id": "second", "exchange": OKX}, "no_default_account", "account"),
        ({}, "ambiguous_portfolio", "account"),
        ({"exchange": OKX}, "ambiguous_portfolio", "account"),
    ],
)
def test_what_cannot_be_chosen_is_said(ours: Book, named: dict[str, Any], code: str, field: str) -> None:
    second = rows.portfolio("Second", {ours.alice: Role.TRADER})
    foreign = rows.portfolio("Hers", {ours.stella: Role.MANAGER})
    words = {
        ("account_id", "own"): ours.accounts[BINANCE].pk,
        ("account_id", "foreign"): rows.account(foreign).pk,
        ("portfolio_id", "second"): second.pk,
        ("portfolio_id", "foreign"): foreign.pk,
    }
    refusal = ours.refusal(**{name: words.get((name, value), value) for name, value in named.items()})
    assert (refusal.code, refusal.field) == (code, field)


def test_who_has_several_portfolios_names_one_and_who_has_none_is_told(ours: Book) -> None:
    second = rows.portfolio("Second", {ours.alice: Role.TRADER})
    there = rows.account(second, Exchange.BINANCE, label="There")
    assert ours.select(portfolio_id=second.pk).account == there
    assert ours.select(portfolio_id=ours.portfolio.pk).account == ours.accounts[BINANCE]
    with pytest.raises(Refused, match="a member of no portfolio"):
        select_account(rows.person("nobody"), symbol=SYMBOL)


def test_an_order_keeps_how_it_was_routed(book: Cast) -> None:
    rule = put("ETHUSDT", BYBIT)
    put("ETHUSDT", OKX, BYBIT)
    routed = select_account(book.alice, symbol="ETHUSDT")
    order, _ = place(Intent(book.alice, routed.account, market(), Origin.API, routing=routed.to_json()))
    kept = Order.objects.get(pk=order.pk).routing
    assert (kept["rule"], kept["version"], kept["pattern"], kept["targets"]) == (rule.pk, 2, "ETHUSDT", ["okx", "bybit"])
    assert (kept["account"], kept["exchange"], kept["named_by_sender"]) == (book.okx.pk, "okx", "")
    named = select_account(book.alice, symbol="ETHUSDT", account_id=book.bybit.pk)
    order, _ = place(Intent(book.alice, named.account, market(), Origin.API, routing=named.to_json()))
    assert (order.routing["named_by_sender"], order.routing["rule"]) == ("account", None)


@pytest.fixture
def editor(ours: Book) -> User:
    ours.alice.user_permissions.add(Permission.objects.get(codename="change_routingrule"))
    return User.objects.get(pk=ours.alice.pk)


def test_a_rule_is_changed_with_the_permission_alone(ours: Book, editor: User) -> None:
    terms = RuleTerms((OKX,))
    Membership.objects.filter(user=ours.victor).update(role=Role.MANAGER)
    with pytest.raises(NotPermitted, match="needs the permission to change routing rules"):
        routing.put(ours.victor, Door.PAGE, SYMBOL, terms)
    routing.put(editor, Door.PAGE, SYMBOL, terms)
    with pytest.raises(NotPermitted):
        routing.delete(ours.victor, Door.PAGE, SYMBOL)
    with pytest.raises(NotPermitted):
        routing.apply(ours.victor, Door.IMPORT, {}, agreed=rules.plan({}))
    assert rules.present() == {SYMBOL: terms}


def test_no_rule_leads_where_its_author_may_not_trade(ours: Book, editor: User) -> None:
    only = rows.portfolio("Bybit alone", {})
    PortfolioAccount.objects.filter(account=ours.accounts[OKX]).update(portfolio=only)
    words = "targets must be exchanges where you may trade an account, okx in SOLUSDT is none"
    for membership in (None, Role.VIEWER):
        if membership:
            Membership.objects.create(portfolio=only, user=editor, role=membership)
        with pytest.raises(WrongRules, match=words):
            routing.put(editor, Door.PAGE, SYMBOL, RuleTerms((BYBIT, OKX)))
        mapping = {SYMBOL: RuleTerms((OKX,))}
        with pytest.raises(WrongRules, match=words):
            routing.apply(editor, Door.IMPORT, mapping, agreed=rules.plan(mapping))
    assert not RoutingRule.objects.exists()
    put(SYMBOL, OKX)
    routing.put(editor, Door.PAGE, SYMBOL, RuleTerms((OKX,), is_enabled=False))  # a rule that is off leads nowhere
    with pytest.raises(WrongRules):
        routing.put(editor, Door.PAGE, SYMBOL, RuleTerms((OKX,)))
    Membership.objects.filter(portfolio=only, user=editor).update(role=Role.TRADER)
    routing.put(editor, Door.PAGE, SYMBOL, RuleTerms((OKX,)))


def test_a_superuser_without_a_portfolio_leads_nobody_anywhere(db: None) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    with pytest.raises(WrongRules):
        routing.put(root, Door.PAGE, SYMBOL, RuleTerms((OKX,)))
    assert not Portfolio.objects.exists()
