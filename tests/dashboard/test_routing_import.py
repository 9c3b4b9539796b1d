"""Rules as a file in the page: what would change is shown first, what was shown is what is done, and what goes out comes back in."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from exchanges.domain import ExchangeType
from exchanges.models import RoutingRule
from exchanges.routing import RuleTerms, policy, rules
from exchanges.routing.history import versions
from tests.dashboard.conftest import Desk
from tests.dashboard.test_routing_page import allow, html_of, put, said_after

BINANCE, BYBIT, OKX = ExchangeType
POLICY = 'symbol_exchange_mapping:\n  SOLUSDT: bybit\n  "*USDT": [okx, binance]\n'


@pytest.fixture
def editor(desk: Desk) -> Client:
    allow(desk.alice)
    return desk.client(desk.alice)


@pytest.fixture
def viewer(desk: Desk) -> Client:
    return desk.client(desk.victor)


def plan_in(html: str) -> dict[str, str]:
    """What the form that confirms an import sends, as a browser would."""
    text = re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', html, re.S)
    agreed = re.search(r'name="agreed" value="(\w+)"', html)
    assert text
    assert agreed
    return {"text": text[1].replace("\n", "\r\n"), "agreed": agreed[1]}


@pytest.mark.parametrize("way", ["text", "file"])
def test_an_import_shows_its_changes_and_is_carried_out_once_confirmed(editor: Client, way: str) -> None:
    put("ADAUSDT", OKX)
    put("SOLUSDT", OKX)
    given: dict[str, Any] = {"text": POLICY} if way == "text" else {"file": SimpleUploadedFile("policy.yaml", POLICY.encode()), "text": ""}
    html = html_of(editor.post("/routing/import", given))
    assert re.findall(r'<li data-change="(\w+)">(.*?)</li>', html) == [
        ("new", "+ *USDT: OKX, then Binance"),
        ("gone", "- ADAUSDT: OKX"),
        ("changed", "~ SOLUSDT: OKX -> Bybit"),
    ]
    assert set(rules.present()) == {"ADAUSDT", "SOLUSDT"}
    assert said_after(editor, editor.post("/routing/import", plan_in(html))) == "Imported: 3 of the rules changed."
    assert rules.present() == {"*USDT": RuleTerms((OKX, BINANCE)), "SOLUSDT": RuleTerms((BYBIT,))}
    assert {(each.who, each.door) for each in versions("*USDT")[0]} == {("alice", "import in the page")}
    assert "The rules say all of this already." in html_of(editor.post("/routing/import", {"text": POLICY}))


def test_an_import_whose_changes_are_others_by_now_is_shown_anew(editor: Client) -> None:
    confirmed = plan_in(html_of(editor.post("/routing/import", {"text": POLICY})))
    put("ADAUSDT", OKX)
    html = html_of(editor.post("/routing/import", confirmed), 422)
    assert "Nothing was changed: the rules are not those that were shown." in html
    assert "- ADAUSDT: OKX" in html
    assert set(rules.present()) == {"ADAUSDT"}
    editor.post("/routing/import", plan_in(html))
    assert set(rules.present()) == {"SOLUSDT", "*USDT"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            POLICY.encode() + b"  ADAUSDT: nyse\n  SOLUSDT: okx\n",
            ["line 4: ADAUSDT: exchange must be one of", "line 5: SOLUSDT must be there once"],
        ),
        (b"\xff\xfe", ["line 1: the file must be UTF-8 text"]),
        (b"x" * 50_000, ["the file must have at most 48 KB"]),
        (b"", ["line 1: the file must be a mapping with the key symbol_exchange_mapping"]),
    ],
)
def test_a_wrong_file_is_told_line_by_line_and_changes_nothing(editor: Client, content: bytes, words: list[str]) -> None:
    html = html_of(editor.post("/routing/import", {"file": SimpleUploadedFile("x.yaml", content), "text": ""}), 422)
    assert [word for word in words if word not in html] == []
    assert "Show what would change" in html
    assert not RoutingRule.objects.exists()


def test_an_import_leads_nowhere_where_its_author_may_not_trade(desk: Desk, editor: Client) -> None:
    desk.bybit.portfolio_link.delete()
    html = html_of(editor.post("/routing/import", {"text": POLICY}), 422)
    assert "targets must be exchanges where you may trade an account, bybit in SOLUSDT is none" in html
    assert 'name="agreed"' not in html


def test_an_export_is_a_file_that_imports_to_the_same(viewer: Client, editor: Client) -> None:
    put("SOLUSDT", BYBIT, note='"quoted" and {{ more }}')
    put("*USDT", OKX, BINANCE, is_enabled=False)
    answer = viewer.get("/routing/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="routing.yaml"'
    assert answer.headers["Content-Type"].startswith("application/yaml")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert policy.read_policy(answer.content) == rules.present()
    assert "Nothing to change" in html_of(editor.post("/routing/import", {"text": answer.content.decode()}))
