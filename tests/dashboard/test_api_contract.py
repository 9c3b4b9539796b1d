"""The literal contract of /api/v1: paths, field sets, lists, decimals."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.test.utils import override_settings

from dashboard.api import api
from exchanges.models import Exchange
from portfolio.models import Role
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

PATHS = {
    "/api/v1/health": {"get"},
    "/api/v1/exchanges": {"get"},
    "/api/v1/exchanges/routing": {"get"},
    "/api/v1/exchanges/routing/resolve": {"get"},
    "/api/v1/exchanges/routing/{symbol}": {"put", "delete"},
    "/api/v1/accounts": {"get", "post"},
    "/api/v1/accounts/test": {"post"},
    "/api/v1/accounts/{account_id}/disable": {"post"},
    "/api/v1/accounts/{account_id}/enable": {"post"},
    "/api/v1/accounts/{account_id}/leverage": {"put"},
    "/api/v1/accounts/{account_id}/margin-mode": {"put"},
    "/api/v1/klines": {"get"},
    "/api/v1/orderbook": {"get"},
    "/api/v1/tickers": {"get"},
    "/api/v1/funding": {"get"},
    "/api/v1/equity": {"get"},
    "/api/v1/positions": {"get"},
    "/api/v1/positions/{position_id}/close": {"post"},
    "/api/v1/balances": {"get"},
    "/api/v1/exposure": {"get"},
    "/api/v1/orders": {"get", "post"},
    "/api/v1/orders/{order_id}": {"get", "delete"},
    "/api/v1/instruments": {"get"},
}
LISTS = ("exchanges", "accounts", "positions", "balances", "orders", "instruments")

ORDER_IN = {
    *("symbol", "side", "order_type", "quantity", "price", "stop_price", "time_in_force", "reduce_only", "position_side"),
    *("client_order_id", "leverage", "margin_mode", "take_profit_price", "stop_loss_price", "trailing_stop_pct"),
    *("account", "exchange", "portfolio"),
}
ORDER_OUT = {
    *("id", "client_order_id", "exchange_order_id", "account", "exchange", "symbol", "side", "order_type", "quantity"),
    *("filled_quantity", "price", "average_price", "state", "reason", "routing", "created_at"),
}
EXPOSURE = {
    *("as_of", "complete", "incomplete_reasons", "equity_usd", "gross_usd", "net_usd", "long_usd", "short_usd"),
    *("unrealized_pnl_usd", "assets", "accounts"),
}
ASSET = {"asset", "net_quantity", "net_usd", "gross_usd", "long_usd", "short_usd", "by_exchange", "oldest_as_of"}
EXPOSURE_ACCOUNT = {"id", "exchange", "label", "environment", "status", "as_of", "age_s", "stale", "error"}
POSITION = {
    *("id", "account", "exchange", "symbol", "underlying", "side", "quantity", "entry_price", "mark_price", "liquidation_price"),
    *("unrealized_pnl", "realized_pnl", "leverage", "margin", "margin_mode", "notional_usd", "as_of", "source", "stale"),
}
FIXED = re.compile(r"^-?\d+(\.\d+)?$")


@pytest.fixture
def client(desk: Desk) -> Client:
    return desk.client(desk.alice)


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_every_path_and_method_of_the_contract_is_described_and_no_other() -> None:
    described = api.get_openapi_schema()["paths"]
    assert {path: set(methods) for path, methods in described.items()} == PATHS


def test_health_asks_nobody_who_they_are(client: Client) -> None:
    answer = Client().get("/api/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_how_many_there_are_beside_its_items(client: Client, name: str) -> None:
    answer = get(client, name)
    assert set(answer) == {"items", "count"}
    assert answer["count"] == len(answer["items"]) > 0


@pytest.mark.parametrize("name", LISTS)
def test_limit_and_offset_cut_the_items_and_leave_the_count(client: Client, name: str) -> None:
    whole = get(client, name)
    part = get(client, name, limit=1, offset=whole["count"] - 1)
    clocks = {"age_s": ""}  # the only figure that changes by itself
    assert [item | clocks for item in part["items"]] == [item | clocks for item in whole["items"][-1:]]
    assert part["count"] == whole["count"]
    assert get(client, name, offset=10_000)["items"] == []


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("query", ["limit=201", "limit=0", "offset=-1", "offset=10001"])
def test_a_page_is_at_most_200_long_and_not_endlessly_far(client: Client, name: str, query: str) -> None:
    answer = client.get(f"/api/v1/{name}?{query}")
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (422, query.split("=")[0])


def test_the_fields_of_an_order_going_in_are_those_of_the_contract() -> None:
    assert set(api.get_openapi_schema()["components"]["schemas"]["OrderIn"]["properties"]) == ORDER_IN


def test_the_fields_of_an_order_are_those_of_the_contract(client: Client, desk: Desk) -> None:
    [listed] = get(client, "orders")["items"]
    assert set(listed) == ORDER_OUT
    assert get(client, f"orders/{desk.order.pk}") == listed
    assert listed | {"created_at": ""} == {
        "id": desk.order.pk,
        "client_order_id": desk.order.client_order_id,
        "exchange_order_id": desk.order.exchange_order_id,
        "account": desk.binance.pk,
        "exchange": "binance",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": "0.010",
        "filled_quantity": "0",
        "price": "90000.0",
        "average_price": None,
        "state": "NEW",
        "reason": "",
        "routing": None,
        "created_at": "",
    }


def test_the_fields_of_the_exposure_are_those_of_the_contract(client: Client) -> None:
    exposure = get(client, "exposure")
    assert set(exposure) == EXPOSURE
    assert [set(asset) for asset in exposure["assets"]] == [ASSET]
    assert [set(account) for account in exposure["accounts"]] == [EXPOSURE_ACCOUNT] * 3
    assert exposure["assets"][0]["by_exchange"] == {"binance": "47500.0", "okx": "-19000.0"}
    assert (exposure["complete"], exposure["incomplete_reasons"]) == (True, [])
    figures = [exposure[name] for name in ("equity_usd", "gross_usd", "net_usd", "long_usd", "short_usd", "unrealized_pnl_usd")]
    assert [Decimal(figure) for figure in figures] == [300_000, 66_500, 28_500, 47_500, 19_000, 5_000]


def test_totals_are_null_until_an_account_has_answered(db: None) -> None:
    nina = rows.person("nina")
    book = rows.portfolio("New", {nina: Role.MANAGER})
    first, second = rows.account(book), rows.account(book, Exchange.OKX)
    client = Client()
    client.force_login(nina)
    totals = ("gross_usd", "net_usd", "long_usd", "short_usd", "unrealized_pnl_usd")
    exposure = get(client, "exposure")
    assert [exposure[name] for name in ("as_of", "equity_usd", *totals)] == [None] * 7
    assert len(exposure["incomplete_reasons"]) == 2
    rows.state(first)
    exposure = get(client, "exposure")
    assert [exposure[name] for name in totals] == ["0"] * 5
    assert (exposure["complete"], exposure["incomplete_reasons"]) == (False, [f"{second} has not answered yet"])


def test_the_fields_of_a_position_are_those_of_the_contract(client: Client, desk: Desk) -> None:
    listed = get(client, "positions")["items"]
    assert [set(position) for position in listed] == [POSITION] * 2
    first = listed[0]
    assert (first["id"], first["side"], first["quantity"], first["notional_usd"]) == (desk.position.pk, "LONG", "0.5", "47500.0")
    assert (first["leverage"], first["liquidation_price"], first["realized_pnl"], first["stale"]) == ("10", "81000", None, False)


def test_an_account_says_how_it_stands(client: Client, desk: Desk) -> None:
    rows.state(rows.account(desk.portfolio, label="Waiting", is_default=False), equity=None, error_message="The key is refused.")
    listed = {account["label"] + account["exchange"]: account for account in get(client, "accounts")["items"]}
    assert set(listed["Mainokx"]) > EXPOSURE_ACCOUNT
    assert listed["Mainokx"]["status"] == "ok"
    assert FIXED.match(listed["Mainokx"]["age_s"])
    assert (listed["Waitingbinance"]["status"], listed["Waitingbinance"]["equity_usd"]) == ("error", None)


def test_exchanges_name_their_order_types_and_the_callers_accounts(client: Client, desk: Desk) -> None:
    by_name = {row["exchange"]: row for row in get(client, "exchanges")["items"]}
    assert {name: row["accounts"] for name, row in by_name.items()} == {
        "binance": [desk.binance.pk],
        "bybit": [desk.bybit.pk],
        "okx": [desk.okx.pk],
    }
    assert [name for name, row in by_name.items() if row["is_default"]] == ["binance"]
    assert {"LIMIT", "MARKET"} <= set(by_name["okx"]["order_types"])


def test_every_decimal_is_a_string_in_fixed_notation(client: Client, desk: Desk) -> None:
    tiny, huge = Decimal("1E-8"), Decimal("1E+20")
    names = ("entry_price", "mark_price", "liquidation_price", "unrealized_pnl", "realized_pnl", "leverage", "margin")
    figures: dict[str, Any] = dict.fromkeys(names, tiny)
    rows.position(desk.bybit, "PEPEUSDT", quantity="1E-8", **figures)
    rows.position(desk.bybit, "SHIBUSDT", quantity="1E+20", **figures)
    rows.balance(desk.okx, "PEPE", "1E-8", available=tiny, unrealized_pnl=-tiny, equity_usd=huge)
    rows.order(desk.okx, quantity=huge, price=tiny, filled_quantity=tiny, average_price=tiny)
    rows.instrument(Exchange.OKX, "PEPEUSDT", tick=tiny, lot=huge, min_quantity=tiny, max_quantity=huge, contract_size=huge)
    for name in (*LISTS, "exposure"):
        content = client.get(f"/api/v1/{name}").content.decode()
        assert not re.search(r'"-?\d[\d.]*[eE][+-]?\d+"', content), name
        # The only bare numbers are ids and counts.
        assert all(isinstance(number, int) for number in numbers_in(json.loads(content))), name
    asset = next(asset for asset in get(client, "exposure")["assets"] if asset["asset"] == "PEPE")
    assert asset["by_exchange"] == {"bybit": "0.0000000000000001"}


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from numbers_in(part)
    elif isinstance(value, int | float):
        yield value


def test_filters_narrow_the_lists(client: Client, desk: Desk) -> None:
    rows.order(desk.okx, symbol="ETHUSDT", state="FILLED")
    assert get(client, "orders", state="FILLED")["count"] == 1
    assert get(client, "orders", account=desk.binance.pk)["count"] == 1
    assert get(client, "orders", symbol="ethusdt")["count"] == 1
    assert get(client, "positions", account=desk.okx.pk)["count"] == 1
    assert get(client, "positions", symbol="ETHUSDT")["count"] == 0
    assert get(client, "balances", account=desk.okx.pk)["count"] == 0
    assert get(client, "instruments", exchange="okx", symbol="btcusdt")["count"] == 1


def test_an_external_order_whose_kind_has_no_name_here_is_listed_with_none(client: Client, desk: Desk) -> None:
    rows.order(desk.okx, order_type="", origin="external")
    assert get(client, "orders")["items"][0]["order_type"] is None


def test_a_stale_account_makes_the_exposure_incomplete_and_says_why(client: Client, desk: Desk) -> None:
    with override_settings(STALE_AFTER_S=-1):
        exposure = get(client, "exposure")
    assert exposure["complete"] is False
    assert len(exposure["incomplete_reasons"]) == 3
    assert all(account["stale"] and account["status"] == "stale" for account in exposure["accounts"])


def test_whoever_has_several_portfolios_must_name_one(desk: Desk) -> None:
    other = rows.portfolio("Second", {desk.alice: Role.TRADER})
    client = desk.client(desk.alice)
    answer = client.get("/api/v1/exposure")
    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous_portfolio")
    assert answer.json()["details"][0]["field"] == "portfolio"
    assert get(client, "exposure", portfolio=other.pk)["accounts"] == []
    body = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.01"}
    placed = client.post("/api/v1/orders", body, content_type="application/json")
    assert (placed.status_code, placed.json()["code"], placed.json()["details"][0]["field"]) == (422, "ambiguous_portfolio", "account")


def test_answers_are_kept_by_no_cache(client: Client) -> None:
    for path in ("exposure", "orders", "nothing", "orders/99999"):
        assert "no-store" in client.get(f"/api/v1/{path}").headers["Cache-Control"], path
