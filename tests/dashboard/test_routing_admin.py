"""The rules in the admin: the same writes, the same people, the same history; and the file that is applied at each start."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from dashboard import environment
from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import RuleTerms, rules
from exchanges.routing.history import versions
from exchanges.routing.rules import Author
from tests.dashboard.conftest import Desk

BINANCE, BYBIT, OKX = ExchangeType
LIST = "/admin/exchanges/routingrule/"


def put(pattern: str, *targets: ExchangeType) -> RoutingRule:
    return rules.put(pattern, RuleTerms(targets), by=Author())


@pytest.fixture
def staff(desk: Desk) -> Client:
    User.objects.filter(pk=desk.alice.pk).update(is_staff=True)
    desk.alice.user_permissions.add(Permission.objects.get(codename="change_routingrule"))
    return desk.client(desk.alice)


def test_a_rule_is_added_and_changed_as_everywhere(staff: Client) -> None:
    fields = {"pattern": "solusdt", "targets": "Bybit, okx", "note": "why", "is_enabled": "on", "seen_version": 0}
    assert staff.post(f"{LIST}add/", fields).status_code == 302
    rule = RoutingRule.objects.get()
    assert rules.present() == {"SOLUSDT": RuleTerms((BYBIT, OKX), note="why")}
    html = staff.get(f"{LIST}{rule.pk}/change/").content.decode()
    assert 'value="bybit, okx"' in html
    assert staff.post(f"{LIST}{rule.pk}/change/", {"targets": "okx", "note": "", "seen_version": 1}).status_code == 302
    assert rules.present() == {"SOLUSDT": RuleTerms((OKX,), is_enabled=False)}
    assert [(each.version, each.who, each.door) for each in versions("SOLUSDT")[0]] == [
        (2, "alice", "in the admin"),
        (1, "alice", "in the admin"),
    ]
    history = staff.get(f"{LIST}{rule.pk}/history/").content.decode()
    assert "Bybit, then OKX" in history
    assert "in the admin" in history
    assert "Bybit" not in staff.get(LIST).content.decode()


def test_what_the_rules_refuse_is_said_beside_its_field(desk: Desk, staff: Client) -> None:
    put("ADAUSDT", OKX)
    desk.bybit.portfolio_link.delete()
    for fields, words in (
        ({"pattern": "SOL"}, "pattern must be a symbol such as SOLUSDT"),
        ({"pattern": "adausdt"}, "already exists"),
        ({"targets": "mtgox"}, "targets must be of binance, bybit, okx, one was &#x27;mtgox&#x27;"),
        ({"targets": "okx okx"}, "targets must name each exchange once"),
        ({"targets": "bybit"}, "bybit in SOLUSDT is none"),
        ({"note": "a\u202eb"}, "note must be one line of text"),
    ):
        answer = staff.post(f"{LIST}add/", {"pattern": "SOLUSDT", "targets": "okx", "is_enabled": "on", "seen_version": 0, **fields})
        assert answer.status_code == 200
        assert words in answer.content.decode(), fields
    assert list(rules.present()) == ["ADAUSDT"]


def test_what_was_changed_meanwhile_is_not_written_over(staff: Client) -> None:
    rule = put("SOLUSDT", BYBIT)
    put("SOLUSDT", OKX)
    answer = staff.post(f"{LIST}{rule.pk}/change/", {"targets": "binance", "seen_version": 1}, follow=True)
    assert "Nothing was changed: The rule SOLUSDT was changed meanwhile" in answer.content.decode()
    assert rules.present()["SOLUSDT"].targets == (OKX,)


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_deletion_is_signed(staff: Client, way: str) -> None:
    rule = put("SOLUSDT", BYBIT)
    if way == "page":
        staff.post(f"{LIST}{rule.pk}/delete/", {"post": "yes"})
    else:
        staff.post(LIST, {"action": "delete_selected", "_selected_action": rule.pk, "post": "yes"})
    assert not RoutingRule.objects.exists()
    assert (versions()[0][0].what, versions()[0][0].who) == ("deleted", "alice")


def test_staff_without_the_permission_change_nothing(desk: Desk) -> None:
    rule = put("SOLUSDT", BYBIT)
    User.objects.filter(pk=desk.victor.pk).update(is_staff=True)
    client = desk.client(desk.victor)
    for path in (LIST, f"{LIST}add/", f"{LIST}{rule.pk}/change/", f"{LIST}{rule.pk}/history/", f"{LIST}{rule.pk}/delete/"):
        assert client.get(path).status_code == 403, path
    desk.victor.user_permissions.add(Permission.objects.get(codename="view_routingrule"))
    assert client.get(f"{LIST}{rule.pk}/history/").status_code == 200
    for path in (f"{LIST}{rule.pk}/change/", f"{LIST}{rule.pk}/delete/", f"{LIST}add/"):
        assert client.post(path, {"targets": "okx", "pattern": "ADAUSDT", "seen_version": 1, "post": "yes"}).status_code == 403
    assert versions()[1] == 1


def prepared(monkeypatch: pytest.MonkeyPatch, path: Path | None) -> str:
    monkeypatch.setattr(settings, "ROUTING_POLICY", path)
    out = io.StringIO()
    call_command("prepare", stdout=out)
    return out.getvalue()


def test_a_start_applies_the_file_that_routing_policy_names(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "routing.yaml"
    file.write_text("symbol_exchange_mapping: {SOLUSDT: bybit}\n")
    put("ADAUSDT", OKX)
    put("*USDT", OKX)
    first, link = prepared(monkeypatch, file).splitlines()
    assert first == f"2 routing rules changed, as {file} says"
    assert link.startswith("/login/")
    assert rules.present() == {"*USDT": RuleTerms((OKX,)), "SOLUSDT": RuleTerms((BYBIT,))}
    assert versions("SOLUSDT")[0][0].door == "ROUTING_POLICY at the start"
    assert len(prepared(monkeypatch, file).splitlines()) == 1
    assert len(prepared(monkeypatch, None).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [("symbol_exchange_mapping:\n  SOLUSDT: nyse\n", "line 2: SOLUSDT: exchange must be one of"), (None, "cannot be read (No such file")],
)
def test_a_wrong_file_ends_the_start_in_one_sentence(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, words: str
) -> None:
    file = tmp_path / "routing.yaml"
    if content:
        file.write_text(content)
    put("ADAUSDT", OKX)
    with pytest.raises(CommandError) as refusal:
        prepared(monkeypatch, file)
    assert str(refusal.value).startswith(f"ROUTING_POLICY {file} is wrong (")
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert list(rules.present()) == ["ADAUSDT"]


def test_the_variable_names_a_file_or_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for text, path in (("", None), (" ", None), ("/etc/routing.yaml", Path("/etc/routing.yaml")), ("a.yaml", environment.ROOT / "a.yaml")):
        monkeypatch.setenv("ROUTING_POLICY", text)
        assert environment.routing_policy() == path
    monkeypatch.delenv("ROUTING_POLICY")
    assert environment.routing_policy() is None
