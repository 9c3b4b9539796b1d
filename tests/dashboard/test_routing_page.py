"""The routing pages: what everyone sees, what editors change, and that whatever was shown is what is done."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import RuleTerms, rules
from exchanges.routing.history import versions
from exchanges.routing.rules import Author
from portfolio.models import Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk
from tests.dashboard.test_foreign_text import PAYLOADS, assert_harmless

BINANCE, BYBIT, OKX = ExchangeType


def put(pattern: str, *targets: ExchangeType, is_enabled: bool = True, note: str = "") -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets, is_enabled, note), by=Author())


def allow(user: User) -> None:
    user.user_permissions.add(Permission.objects.get(codename="change_routingrule"))


@pytest.fixture
def editor(desk: Desk) -> Client:
    allow(desk.alice)
    return desk.client(desk.alice)


@pytest.fixture
def viewer(desk: Desk) -> Client:
    return desk.client(desk.victor)


def html_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return unescape(answer.content.decode())


def said_after(client: Client, answer: Any) -> str:
    """What the rules page says after a form that was carried out."""
    assert (answer.status_code, answer.headers["Location"]) == (302, "/routing")
    found = re.search(r'<ul class="messages".*?<li[^>]*>(.*?)</li>', html_of(client.get("/routing")), re.S)
    return found[1] if found else ""


def test_without_rules_the_page_says_where_orders_go(viewer: Client) -> None:
    html = html_of(viewer.get("/routing"))
    assert "No rule yet: every order goes to Binance" in html
    assert 'href="/routing" aria-current="page"' in html


def test_everyone_sees_the_rules_and_who_changed_them(desk: Desk, editor: Client, viewer: Client) -> None:
    editor.post(
        "/routing/new", {"pattern": "solusdt", "target_1": "bybit", "target_2": "okx", "note": "why", "is_enabled": "on", "version": 0}
    )
    put("*USDT", OKX, is_enabled=False)
    html = html_of(viewer.get("/routing"))
    row = html[html.index("SOLUSDT") : html.index("SOLUSDT") + 900]
    assert 'Bybit<span class="then">, then </span>OKX' in row
    assert "UTC by alice</small><small>in the page</small>" in row
    assert '<td data-label="Note" class="said">why</td>' in row
    assert '<strong>*USDT</strong> <span class="plate" data-tone="warning">off</span>' in html
    for sign in ("Add a rule", "/switch", "/delete", "/routing/import", "Edit<"):
        assert sign not in html
        assert sign in html_of(editor.get("/routing"))


def test_what_only_editors_do_is_refused_to_everyone_else(desk: Desk, viewer: Client) -> None:
    rule = put("SOLUSDT", BYBIT)
    desk.portfolio.memberships.update(role=Role.MANAGER)
    for path in ("/routing/new", f"/routing/{rule.pk}", f"/routing/{rule.pk}/delete", "/routing/import"):
        assert [viewer.get(path).status_code, viewer.post(path, {"version": 1}).status_code] == [403, 403], path
    assert viewer.post(f"/routing/{rule.pk}/switch", {"is_enabled": "0"}).status_code == 403
    for path in ("/routing", "/routing/history", "/routing/export"):
        assert viewer.get(path).status_code == 200
        assert Client().get(path).headers["Location"].startswith("/login")
    assert versions()[1] == 1


def test_a_form_without_its_csrf_token_changes_nothing(desk: Desk) -> None:
    rule = put("SOLUSDT", BYBIT)
    allow(desk.alice)
    client = Client(enforce_csrf_checks=True)
    client.force_login(desk.alice)
    for path in ("/routing/new", f"/routing/{rule.pk}", f"/routing/{rule.pk}/switch", f"/routing/{rule.pk}/delete", "/routing/import"):
        assert client.post(path, {"version": 1}).status_code == 403
    assert versions()[1] == 1


def test_nothing_is_changed_by_looking(editor: Client) -> None:
    rule = put("SOLUSDT", BYBIT)
    paths = ("", "/new", f"/{rule.pk}", f"/{rule.pk}/delete", "/import", "/export", "/history")
    assert [editor.get(f"/routing{path}").status_code for path in paths] == [200] * len(paths)
    assert editor.get(f"/routing/{rule.pk}/switch").status_code == 405
    assert versions()[1] == 1


def test_a_rule_is_edited_and_keeps_its_pattern(desk: Desk, editor: Client) -> None:
    rule = put("SOLUSDT", BYBIT, note="old")
    html = html_of(editor.get(f"/routing/{rule.pk}"))
    assert re.search(r'name="target_1">.*?<option value="bybit" selected>', html, re.S)
    assert 'name="version" value="1"' in html
    assert 'name="pattern"' not in html
    fields = {"target_1": "okx", "target_3": "binance", "note": "new", "version": 1, "pattern": "ADAUSDT"}
    answer = editor.post(f"/routing/{rule.pk}", fields)
    assert said_after(editor, answer) == "Orders for SOLUSDT now follow this rule: OKX, then Binance, switched off (new)."
    assert rules.present() == {"SOLUSDT": RuleTerms((OKX, BINANCE), is_enabled=False, note="new")}


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"pattern": "SOL"}, "pattern", "pattern must be a symbol such as SOLUSDT"),
        ({"pattern": ""}, "pattern", "pattern must be a symbol such as SOLUSDT"),
        ({"target_1": ""}, "target_1", "targets must name at least one exchange"),
        ({"target_2": "bybit"}, "target_1", "targets must name each exchange once, bybit was there twice"),
        ({"note": "x" * 201}, "note", "note must have at most 200 characters, had 201"),
        ({"note": "a\u202eb"}, "note", "note must be one line of text"),
        ({"target_1": "okx"}, "target_1", "targets must be exchanges where you may trade an account, okx in SOLUSDT is none"),
    ],
)
def test_an_error_stands_beside_its_field_and_what_was_typed_is_still_there(
    desk: Desk, editor: Client, fields: dict[str, str], field: str, words: str
) -> None:
    if fields == {"target_1": "okx"}:
        desk.okx.portfolio_link.delete()
    typed = {"pattern": "SOLUSDT", "target_1": "bybit", "note": "typed", "is_enabled": "on", "version": "0", **fields}
    html = html_of(editor.post("/routing/new", typed), 422)
    error = re.search(rf'id="rule-{field}-error">(.*?)</p>', html)
    assert error, html
    assert error[1].startswith(words)
    assert f'name="note" value="{typed["note"]}"' in html
    assert not RoutingRule.objects.exists()


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_form_without_the_version_that_was_looked_at_changes_nothing(editor: Client, version: str) -> None:
    rule = put("SOLUSDT", BYBIT)
    html = html_of(editor.post(f"/routing/{rule.pk}", {"target_1": "okx", "version": version}), 422)
    assert 'role="alert"' in html
    assert rules.present()["SOLUSDT"].targets == (BYBIT,)


def test_what_somebody_changed_meanwhile_is_not_written_over(editor: Client) -> None:
    rule = put("SOLUSDT", BYBIT)
    put("SOLUSDT", OKX)
    html = html_of(editor.post(f"/routing/{rule.pk}", {"target_1": "binance", "version": 1}), 422)
    assert "The rule SOLUSDT was changed meanwhile: it is at version 2. Nothing was changed" in html
    html = html_of(editor.post("/routing/new", {"pattern": "SOLUSDT", "target_1": "binance", "version": 0}), 422)
    assert "There is a rule SOLUSDT already." in html
    answer = editor.post(f"/routing/{rule.pk}/delete", {"version": 1})
    assert said_after(editor, answer).startswith("Nothing was deleted: The rule SOLUSDT was changed meanwhile")
    assert rules.present()["SOLUSDT"].targets == (OKX,)


def test_a_rule_is_switched_off_and_on_again(desk: Desk, editor: Client) -> None:
    rule = put("SOLUSDT", BYBIT, note="kept")
    for _ in range(2):  # a second click changes nothing
        assert said_after(editor, editor.post(f"/routing/{rule.pk}/switch", {"is_enabled": "0"})) == "The rule SOLUSDT is switched off."
    assert rules.present()["SOLUSDT"] == RuleTerms((BYBIT,), is_enabled=False, note="kept")
    assert versions()[1] == 2
    desk.bybit.portfolio_link.delete()
    answer = editor.post(f"/routing/{rule.pk}/switch", {"is_enabled": "1"})
    assert said_after(editor, answer).startswith("Nothing was changed: targets must be exchanges where you may trade")


def test_a_rule_is_deleted_after_a_question_and_its_history_stays(editor: Client, viewer: Client) -> None:
    rule = put("SOLUSDT", BYBIT, OKX, note="why")
    html = html_of(editor.get(f"/routing/{rule.pk}/delete"))
    assert "Delete the rule SOLUSDT?" in html
    assert "<dd>Bybit, then OKX</dd>" in html
    assert said_after(editor, editor.post(f"/routing/{rule.pk}/delete", {"version": 1})) == "The rule SOLUSDT is deleted."
    assert editor.get(f"/routing/{rule.pk}").status_code == 404
    html = html_of(viewer.get("/routing/history", {"pattern": "solusdt"}))
    assert html.index("deleted") < html.index("added")
    assert '<td data-label="Who">alice<small>in the page</small></td>' in html
    assert html.count("Bybit, then OKX") == 2
    assert "There has never been a rule ADAUSDT." in html_of(viewer.get("/routing/history", {"pattern": "ADAUSDT"}))


@pytest.mark.parametrize("query", [{"page": "9" * 18}, {"page": "-1"}, {"page": "x"}, {"pattern": "\x00"}, {"pattern": "<b>"}])
def test_whatever_is_asked_of_the_history_breaks_nothing(viewer: Client, query: dict[str, str]) -> None:
    put("SOLUSDT", BYBIT)
    assert viewer.get("/routing/history", query).status_code == 200
    assert viewer.get("/routing", query).status_code == 200


def test_a_symbol_is_tried(desk: Desk, viewer: Client) -> None:
    put("BTC*", OKX)
    html = html_of(viewer.get("/routing", {"symbol": "btcusdt"}))
    assert "An order for BTCUSDT goes to <strong>OKX · Main</strong>." in html
    assert "<li>Rule BTC* matches BTCUSDT and names OKX.</li><li>OKX · Main is the default account of Alice's book there.</li>" in html
    html = html_of(viewer.get("/routing", {"symbol": "ETHUSDT"}))
    assert "symbol must be one that Binance lists, was ETHUSDT" in html
    assert "<li>No rule matches ETHUSDT: the default is Binance.</li>" in html
    html = html_of(viewer.get("/routing", {"symbol": "ETH"}))
    assert "symbol must be one such as BTCUSDT, was 'ETH'" in html
    html = html_of(desk.client(rows.person("nina")).get("/routing", {"symbol": "BTCUSDT"}))
    assert "you are a member of no portfolio" in html
    assert "Rule BTC* matches BTCUSDT and names OKX." in html


def test_a_symbol_is_tried_in_a_portfolio_of_ones_own(desk: Desk, viewer: Client) -> None:
    second = rows.portfolio("Second", {desk.victor: Role.VIEWER})
    there = rows.account(second, label="There")
    assert "account must be named, or portfolio" in html_of(viewer.get("/routing", {"symbol": "BTCUSDT"}))
    html = html_of(viewer.get("/routing", {"symbol": "BTCUSDT", "portfolio": str(second.pk)}))
    assert f"goes to <strong>{there}</strong>" in html
    assert f'<option value="{second.pk}" selected>Second</option>' in html
    html = html_of(viewer.get("/routing", {"symbol": "BTCUSDT", "portfolio": str(desk.foreign_portfolio.pk)}))
    assert "Foreign" not in html
    assert "Stella" not in html


def test_the_page_says_that_exact_rules_come_from_a_file(viewer: Client, editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "at each start" not in html_of(viewer.get("/routing"))
    monkeypatch.setattr(settings, "ROUTING_POLICY", Path("/etc/routing.yaml"))
    assert "Exact rules come from <code>/etc/routing.yaml</code> at each start of the site" in html_of(editor.get("/routing"))
    assert "Exact rules come from <code>routing.yaml</code> at each start of the site" in html_of(viewer.get("/routing"))


def test_a_page_of_rules_costs_the_same_however_many_there_are(
    desk: Desk, viewer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(120):
        put(f"A{number}USDT", BYBIT, OKX)
    with django_assert_max_num_queries(14):
        html = html_of(viewer.get("/routing"))
    assert html.count('<td data-label="Goes to">') == 100
    assert "Page 1 of 2" in html
    assert html_of(viewer.get("/routing?page=2")).count('<td data-label="Goes to">') == 20
    with django_assert_max_num_queries(14):
        assert "Older" in html_of(viewer.get("/routing/history"))


@pytest.mark.parametrize("payload", [PAYLOADS[number] for number in (1, 2, 4, 6)])
def test_notes_are_text_wherever_they_are_shown(desk: Desk, editor: Client, payload: str) -> None:
    if not payload.isprintable():
        html = editor.post("/routing/new", {"pattern": "SOLUSDT", "target_1": "okx", "note": payload, "version": 0})
        assert html.status_code == 422
        return
    rule = put("SOLUSDT", BYBIT, note=payload)
    User.objects.filter(pk=desk.alice.pk).update(is_staff=True)
    for path in (
        *("/routing", "/routing/history", f"/routing/{rule.pk}", f"/routing/{rule.pk}/delete"),
        *("/admin/exchanges/routingrule/", f"/admin/exchanges/routingrule/{rule.pk}/change/"),
        f"/admin/exchanges/routingrule/{rule.pk}/history/",
    ):
        assert_harmless(editor.get(path).content.decode(), payload)
    answer = editor.post("/routing/import", {"text": "symbol_exchange_mapping: {}\n"})
    assert_harmless(answer.content.decode(), payload)
    typed = {"pattern": payload, "target_1": payload, "note": payload, "version": payload, "text": payload}
    for path in ("/routing/new", f"/routing/{rule.pk}", "/routing/import"):
        assert_harmless(editor.post(path, typed).content.decode(), payload)
    for path in ("/routing", "/routing/history"):
        assert_harmless(editor.get(path, {"symbol": payload, "pattern": payload}).content.decode(), payload)
