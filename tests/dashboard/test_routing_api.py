"""Routing over REST: rules to read, to set and to delete, and where an order for a symbol would go."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from dashboard.api import api
from exchanges.domain import ExchangeType
from exchanges.models import Exchange, ExchangeAccount, RoutingRule
from exchanges.routing import RuleTerms, rules
from exchanges.routing.history import versions
from exchanges.routing.rules import Author
from portfolio.models import Order, Role
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.answers import error_of
from tests.dashboard.conftest import Desk

BINANCE, BYBIT, OKX = ExchangeType
JSON = "application/json"
PATH = "/api/v1/exchanges/routing"


def put(pattern: str, *targets: ExchangeType, note: str = "") -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets, note=note), by=Author())


def allow(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_routingrule"))


class Caller:
    """A program of somebody's with a token of these scopes."""

    def __init__(self, user: User, *scopes: str) -> None:
        self._client = Client(**rows.bearer(user, *scopes))  # type: ignore[arg-type]

    def get(self, path: str = "", **query: Any) -> Any:
        return self._client.get(PATH + path, query)

    def put(self, symbol: str, body: object) -> Any:
        return self._client.put(f"{PATH}/{symbol}", body, content_type=JSON)

    def delete(self, symbol: str) -> Any:
        return self._client.delete(f"{PATH}/{symbol}")


@pytest.fixture
def editor(desk: Desk) -> Caller:
    allow(desk.alice)
    return Caller(desk.alice, "read", "admin")


def test_rules_are_listed_in_pages(desk: Desk) -> None:
    rule = put("SOLUSDT", BYBIT, OKX, note="why")
    put("*USDT", OKX)
    listed = Caller(desk.victor, "read").get().json()
    assert listed["count"] == 2
    assert listed["items"][1] == {
        "id": rule.pk,
        "pattern": "SOLUSDT",
        "targets": ["bybit", "okx"],
        "version": 1,
        "is_enabled": True,
        "note": "why",
        "updated_at": listed["items"][1]["updated_at"],
    }
    assert [item["pattern"] for item in Caller(desk.victor, "read").get(limit=1, offset=1).json()["items"]] == ["SOLUSDT"]
    assert error_of(Caller(desk.victor, "read").get(limit=201), 422)["details"][0]["field"] == "limit"


def test_a_rule_is_put_once_however_often_it_is_sent(desk: Desk, editor: Caller) -> None:
    answers = [editor.put(symbol, {"targets": ["bybit", "okx"], "note": "why"}) for symbol in ("solusdt", "SOLUSDT")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["pattern"], answers[0].json()["version"]) == ("SOLUSDT", 1)
    changed = editor.put("SOLUSDT", {"targets": ["okx"], "is_enabled": False}).json()
    assert (changed["version"], changed["targets"], changed["is_enabled"], changed["note"]) == (2, ["okx"], False, "")
    assert [(each.who, each.door) for each in versions("SOLUSDT")[0]] == [("alice", "over REST")] * 2


@pytest.mark.parametrize("symbol", ["*USDT", "%2AUSDT", "sol*"])
def test_a_pattern_is_put_and_deleted_as_a_symbol_is(editor: Caller, symbol: str) -> None:
    assert editor.put(symbol, {"targets": ["okx"]}).status_code == 200
    assert RoutingRule.objects.get().pattern == symbol.replace("%2A", "*").upper()
    assert editor.delete(symbol).status_code == 204
    assert not RoutingRule.objects.exists()
    assert error_of(editor.delete(symbol), 404)["message"] == "There is no such rule."


def test_what_is_no_symbol_and_no_pattern_is_refused(editor: Caller) -> None:
    for symbol in ("SOL", "BTC-USDT", "***", "RESOLVE", "A" * 21 + "USDT", "%00", "%E2%80%AE", "１USDT", " "):
        for answer in (editor.put(symbol, {"targets": ["okx"]}), editor.delete(symbol)):
            error = error_of(answer, 422)
            assert (error["code"], error["details"][0]["field"]) == ("invalid_rule", "pattern")
            assert error["message"].startswith("pattern must be a symbol such as SOLUSDT, or letters, digits and at most 2 separate *")
    for answer in (editor.put("resolve", {"targets": ["okx"]}), editor.delete("resolve")):
        assert error_of(answer, 405)["code"] == "method_not_allowed"
    assert not RoutingRule.objects.exists()


WRONG: list[tuple[dict[str, object], str]] = [
    ({}, "targets"),
    ({"targets": []}, "targets"),
    ({"targets": "okx"}, "targets"),
    ({"targets": ["okx", "okx"]}, "targets"),
    ({"targets": ["okx", "bybit", "binance", "okx"]}, "targets"),
    ({"targets": ["mtgox"]}, "targets.0"),
    ({"targets": ["okx"], "note": "a\nb"}, "note"),
    ({"targets": ["okx"], "note": "\u202e"}, "note"),
    ({"targets": ["okx"], "note": "x" * 201}, "note"),
    ({"targets": ["okx"], "is_enabled": "yes"}, "is_enabled"),
    ({"targets": ["okx"], "version": 1}, "version"),
    ({"targets": ["okx"], "pattern": "X"}, "pattern"),
]


def test_a_wrong_rule_names_its_field_and_changes_nothing(editor: Caller) -> None:
    for body, field in WRONG:
        assert [detail["field"] for detail in error_of(editor.put("SOLUSDT", body), 422)["details"]] == [field], body
    assert not RoutingRule.objects.exists()


def test_all_that_is_wrong_with_a_rule_is_said_at_once(editor: Caller) -> None:
    error = error_of(editor.put("SOL", {"targets": ["okx", "okx"], "note": "a\tb"}), 422)
    assert [detail["field"] for detail in error["details"]] == ["pattern", "targets", "note"]


def test_who_may_change_rules(desk: Desk) -> None:
    desk.portfolio.memberships.filter(user=desk.alice).update(role=Role.MANAGER)
    body = {"targets": ["okx"]}
    for scopes in (["read"], ["read", "trade"]):
        for answer in (Caller(desk.alice, *scopes).put("SOLUSDT", body), Caller(desk.alice, *scopes).delete("SOLUSDT")):
            assert error_of(answer, 403)["message"] == "This token lacks the scope admin."
    manager = Caller(desk.alice, "admin")
    for answer in (manager.put("SOLUSDT", body), manager.delete("SOLUSDT"), manager.put("no symbol", body), manager.delete("no symbol")):
        assert error_of(answer, 403)["code"] == "not_permitted"
    allow(desk.victor)
    assert error_of(Caller(desk.victor, "admin").put("SOLUSDT", body), 422)["details"][0]["field"] == "targets"  # he only watches
    assert not RoutingRule.objects.exists()
    User.objects.filter(pk=desk.alice.pk).update(is_superuser=True)
    assert manager.put("SOLUSDT", body).status_code == 200


def test_no_rule_leads_to_an_exchange_where_its_author_may_trade_nothing(desk: Desk) -> None:
    allow(desk.stella)  # one account, at Binance
    hers = Caller(desk.stella, "admin")
    error = error_of(hers.put("SOLUSDT", {"targets": ["binance", "okx"]}), 422)
    assert error["message"] == "targets must be exchanges where you may trade an account, okx in SOLUSDT is none"
    assert hers.put("SOLUSDT", {"targets": ["binance"]}).status_code == 200


def test_a_browser_needs_its_csrf_token(desk: Desk) -> None:
    allow(desk.alice)
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    answers = [
        client.put(f"{PATH}/SOLUSDT", {"targets": ["okx"]}, content_type=JSON),
        client.delete(f"{PATH}/SOLUSDT"),
    ]
    assert [error_of(answer, 403)["code"] for answer in answers] == ["csrf_failed"] * 2


def test_where_an_order_would_go_is_answered_in_words(desk: Desk) -> None:
    caller = Caller(desk.victor, "read")
    assert caller.get("/resolve", symbol="btcusdt").json() == {
        "symbol": "BTCUSDT",
        "portfolio": desk.portfolio.pk,
        "exchange": "binance",
        "account": desk.binance.pk,
        "account_label": "Main",
        "rule": None,
        "targets": ["binance"],
        "reasons": ["No rule matches BTCUSDT: the default is Binance.", "Binance · Main is the default account of Alice's book there."],
    }
    rule = put("BTC*", OKX, BYBIT)
    ExchangeAccount.objects.filter(pk=desk.okx.pk).update(is_enabled=False)
    answer = caller.get("/resolve", symbol="BTCUSDT").json()
    assert (answer["exchange"], answer["account"], answer["targets"]) == ("bybit", desk.bybit.pk, ["okx", "bybit"])
    assert answer["rule"] == {"id": rule.pk, "version": 1, "pattern": "BTC*"}
    assert answer["reasons"][1] == "OKX was passed over: the default account there is switched off."


def test_what_no_account_can_take_is_422_as_the_order_would_be(desk: Desk) -> None:
    caller = Caller(desk.alice, "read")
    put("ETHUSDT", OKX)
    assert error_of(caller.get("/resolve", symbol="ETHUSDT"), 422)["code"] == "no_route"
    assert error_of(caller.get("/resolve", symbol="NOPEUSDT"), 422)["code"] == "unknown_symbol"
    for symbol in ("", "BTC", "BTC-USDT", "*USDT", "\x00", "１USDT", "A" * 40, "BTCUSDT\n"):
        assert error_of(caller.get("/resolve", symbol=symbol), 422)["details"][0]["field"] == "symbol"
    assert error_of(caller.get("/resolve"), 422)["details"][0]["field"] == "symbol"


def test_a_route_is_resolved_among_the_callers_own_accounts(desk: Desk) -> None:
    second = rows.portfolio("Second", {desk.alice: Role.VIEWER})
    there = rows.account(second, Exchange.BINANCE, label="There")
    caller = Caller(desk.alice, "read")
    assert error_of(caller.get("/resolve", symbol="BTCUSDT"), 422)["code"] == "ambiguous_portfolio"
    assert caller.get("/resolve", symbol="BTCUSDT", portfolio=second.pk).json()["account"] == there.pk
    answers = [caller.get("/resolve", symbol="BTCUSDT", portfolio=number) for number in (desk.foreign_portfolio.pk, 987_654)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert error_of(Caller(rows.person("nina"), "read").get("/resolve", symbol="BTCUSDT"), 404)


def test_an_order_over_rest_follows_the_route_and_says_so(floor: Cast) -> None:
    client = Client(**rows.bearer(floor.alice, "trade"))  # type: ignore[arg-type]
    rule = put("ETHUSDT", BYBIT)
    body = {"symbol": "ethusdt", "side": "BUY", "order_type": "MARKET", "quantity": "0.1"}
    answer = client.post("/api/v1/orders", body, content_type=JSON, headers={"Idempotency-Key": "one"})
    order = answer.json()
    assert (answer.status_code, order["exchange"], order["account"], order["state"]) == (201, "bybit", floor.bybit.pk, "FILLED")
    assert order["routing"] == {
        "named_by_sender": "",
        "rule": rule.pk,
        "version": 1,
        "pattern": "ETHUSDT",
        "targets": ["bybit"],
        "portfolio": floor.portfolio.pk,
        "exchange": "bybit",
        "account": floor.bybit.pk,
        "reasons": ["Rule ETHUSDT names Bybit.", f"{floor.bybit} is the default account of Alice's book there."],
    }
    # The same request again finds its order, also where the route has ended nowhere meanwhile.
    put("ETHUSDT", OKX)
    ExchangeAccount.objects.filter(pk=floor.okx.pk).update(is_enabled=False)
    again = client.post("/api/v1/orders", body, content_type=JSON, headers={"Idempotency-Key": "one"})
    assert (again.status_code, again.json()["id"], again.headers["Idempotent-Replayed"]) == (201, order["id"], "true")
    assert error_of(client.post("/api/v1/orders", body, content_type=JSON), 422)["code"] == "no_route"
    named = client.post("/api/v1/orders", {**body, "exchange": "binance"}, content_type=JSON).json()
    assert (named["account"], named["routing"]["named_by_sender"], named["routing"]["rule"]) == (floor.binance.pk, "exchange", None)


def test_an_order_names_its_portfolio_where_its_sender_has_several(floor: Cast) -> None:
    second = rows.portfolio("Second", {floor.alice: Role.TRADER})
    client = Client(**rows.bearer(floor.alice, "trade"))  # type: ignore[arg-type]
    body = {"symbol": "ETHUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.1"}

    def answer(**more: object) -> Any:
        return client.post("/api/v1/orders", {**body, **more}, content_type=JSON)

    assert error_of(answer(), 422)["code"] == "ambiguous_portfolio"
    assert error_of(answer(portfolio=second.pk), 422)["code"] == "no_default_account"
    assert error_of(answer(portfolio=987_654), 422)["code"] == "unknown_portfolio"
    assert error_of(answer(portfolio="1"), 422)["details"][0]["field"] == "portfolio"
    assert not Order.objects.exists()
    assert answer(portfolio=floor.portfolio.pk).json()["account"] == floor.binance.pk


def test_the_description_knows_the_paths_in_this_order() -> None:
    paths = [path for path in api.get_openapi_schema()["paths"] if path.startswith(PATH)]
    assert paths == [PATH, f"{PATH}/resolve", f"{PATH}/{{symbol}}"]
