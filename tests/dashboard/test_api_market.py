"""Markets, equity and margin settings over REST: the simulated exchanges' own figures, and what is said where one does not answer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from exchanges.models import ExchangeAccount, MarkPrice
from portfolio.models import EquityPoint
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.conftest import Desk
from tests.simulated import Sandbox

D = Decimal
EXCHANGES = ("binance", "bybit", "okx")


class Caller:
    def __init__(self, client: Client) -> None:
        self._client = client

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = self._client.get(f"/api/v1/{path}", query)
        assert answer.status_code == status, answer.content
        return answer.json()

    def put(self, path: str, status: int = 200, **body: Any) -> Any:
        answer = self._client.put(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json()


@pytest.fixture
def caller(floor: Cast) -> Caller:
    client = Client()
    client.force_login(floor.alice)
    return Caller(client)


def mark(exchange: str) -> Decimal:
    return MarkPrice.objects.get(exchange=exchange, symbol="ETHUSDT").mark_price


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_candles_are_told_oldest_first(caller: Caller, exchange: str) -> None:
    answer = caller.get("klines", exchange=exchange, symbol="ethusdt", interval="1m", limit=3)
    opens = [datetime.fromisoformat(each["open_time"]) for each in answer["items"]]
    assert (answer["exchange"], answer["symbol"], answer["interval"]) == (exchange, "ETHUSDT", "1m")
    assert opens == [opens[0] + timedelta(minutes=count) for count in range(3)]
    assert [each["is_closed"] for each in answer["items"][:2]] == [True, True]
    for each in answer["items"]:
        assert D(each["low"]) <= min(D(each["open"]), D(each["close"])) <= max(D(each["open"]), D(each["close"])) <= D(each["high"])
    again = caller.get("klines", exchange=exchange, symbol="ETHUSDT", interval="1m", limit=1, start=answer["items"][0]["open_time"])
    assert again["items"] == answer["items"][:1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"interval": "7m"}, "interval"),
        ({"exchange": "kraken"}, "exchange"),
        ({"limit": "1001"}, "limit"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-11-24T12:00:00"}, "start"),
        ({"start": "1795521600"}, "start"),
        ({"start": "1795521600000"}, "start"),
        ({"end": "-1"}, "end"),
        ({"end": "2026-11-24"}, "end"),
        ({"end": "2026-13-24T12:00:00Z"}, "end"),
        ({"symbol": "BTC-USDT"}, "symbol"),
    ],
)
def test_a_wrong_parameter_is_named(caller: Caller, change: dict[str, str], says: str) -> None:
    answer = caller.get("klines", 422, **{"exchange": "binance", "symbol": "ETHUSDT", "interval": "1m", **change})
    assert [detail["field"] for detail in answer["details"]] == [says]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_symbol_that_the_exchange_does_not_list_is_refused(caller: Caller, exchange: str) -> None:
    answer = caller.get("orderbook", 422, exchange=exchange, symbol="NOPEUSDT")
    assert (answer["code"], answer["details"][0]["field"]) == ("unknown_symbol", "symbol")


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_book_is_told_best_first_on_both_sides_of_the_mark(caller: Caller, exchange: str) -> None:
    answer = caller.get("orderbook", exchange=exchange, symbol="ETHUSDT", depth=5)
    bids, asks = ([D(each["price"]) for each in answer[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (5, 5)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert abs(bids[0] / mark(exchange) - 1) < D("0.02")


def test_tickers_and_funding_come_from_every_exchange_that_one_has(caller: Caller) -> None:
    tickers, funding = caller.get("tickers", symbol="ETHUSDT"), caller.get("funding", symbol="ETHUSDT")
    assert [each["exchange"] for each in tickers["items"]] == list(EXCHANGES)
    assert [each["exchange"] for each in funding["items"]] == list(EXCHANGES)
    assert tickers["missing"] == funding["missing"] == []
    for ticker, rate in zip(tickers["items"], funding["items"], strict=True):
        assert D(ticker["bid_price"]) < D(ticker["ask_price"])
        assert abs(D(rate["funding_rate"])) < D("0.01")
        assert datetime.fromisoformat(rate["next_funding_at"]) > datetime.now(UTC)
    assert len(caller.get("funding", exchange="okx")["items"]) > 5


def test_an_exchange_that_does_not_answer_is_named_and_the_others_are_told(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.control("POST", "venue", {"venue": "bybit", "up": False})
    answer = caller.get("tickers", symbol="ETHUSDT")
    assert [each["exchange"] for each in answer["items"]] == ["binance", "okx"]
    (missing,) = answer["missing"]
    assert missing["exchange"] == "bybit"
    assert missing["message"]
    caller.get("tickers", 503, exchange="bybit", symbol="ETHUSDT")


def test_a_stranger_has_no_account_to_ask_with(floor: Cast) -> None:
    client = Client()
    client.force_login(floor.stella)
    stella = Caller(client)
    assert stella.get("tickers", 422)["code"] == "no_account"
    assert stella.get("klines", 404, exchange="okx", symbol="ETHUSDT", interval="1m", portfolio=floor.portfolio.pk)["code"] == "not_found"
    assert stella.get("equity", 404, portfolio=floor.portfolio.pk) == stella.get("equity", 404, portfolio=99_999_999)


def test_equity_is_told_by_the_minute(desk: Desk) -> None:
    caller = Caller(desk.client(desk.victor))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for minute, account, usd in ((0, desk.binance, "10.5"), (0, desk.okx, "1E+2"), (1, desk.binance, "11")):
        EquityPoint.objects.create(account=account, minute=noon + timedelta(minutes=minute), equity_usd=D(usd), is_stale=False)
    EquityPoint.objects.create(account=desk.foreign_account, minute=noon, equity_usd=D(7), is_stale=False)
    answer = caller.get("equity")
    assert answer["portfolio"] == desk.portfolio.pk
    assert [(each["equity_usd"], each["accounts"], each["complete"]) for each in answer["items"]] == [("110.5", 2, True), ("11", 1, False)]
    assert caller.get("equity", start="2026-11-24T12:01:00Z")["items"] == answer["items"][1:]


@pytest.mark.parametrize("ended", [{"is_enabled": False}, {"is_enabled": False, "archived_at": datetime(2026, 11, 24, 13, tzinfo=UTC)}])
def test_the_equity_of_the_past_stays_when_an_account_ends(desk: Desk, ended: dict[str, Any]) -> None:
    caller = Caller(desk.client(desk.victor))
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    for minute, account, usd in ((0, desk.binance, "10"), (0, desk.okx, "100"), (1, desk.binance, "11")):
        EquityPoint.objects.create(account=account, minute=noon + timedelta(minutes=minute), equity_usd=D(usd), is_stale=False)
    ExchangeAccount.objects.filter(pk=desk.okx.pk).update(**ended)
    items = caller.get("equity")["items"]
    assert [(each["equity_usd"], each["accounts"], each["complete"]) for each in items] == [("110", 2, True), ("11", 1, True)]


def settings_of(caller: Caller, account: ExchangeAccount, path: str = "leverage", status: int = 200, **body: Any) -> Any:
    return caller.put(f"accounts/{account.pk}/{path}", status, symbol="ETHUSDT", **body)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_leverage_is_set_and_told_as_the_exchange_has_it(floor: Cast, caller: Caller, exchange: str) -> None:
    account: ExchangeAccount = getattr(floor, exchange)
    for leverage in (7, 7, 3):
        answer = settings_of(caller, account, leverage=leverage)
        assert (answer["account"], answer["symbol"], answer["margin_mode"]) == (account.pk, "ETHUSDT", "cross")
        assert (D(answer["leverage_long"]), D(answer["leverage_short"])) == (D(leverage), D(leverage))


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_leverage_beyond_what_the_exchange_allows_is_refused(floor: Cast, caller: Caller, exchange: str) -> None:
    answer = settings_of(caller, getattr(floor, exchange), status=422, leverage=200)
    assert answer["details"][0]["field"] == "leverage"


def test_a_setting_whose_answer_was_lost_is_read_back(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    sandbox.fault("binance", {"kind": "reset"}, stage="after", path="/fapi/v1/leverage")
    assert D(settings_of(caller, floor.binance, leverage=4)["leverage_long"]) == 4


def test_a_setting_that_never_arrived_is_not_taken_for_made(floor: Cast, caller: Caller, sandbox: Sandbox) -> None:
    settings_of(caller, floor.binance, leverage=9)
    sandbox.fault("binance", {"kind": "reset"}, path="/fapi/v1/leverage")
    assert settings_of(caller, floor.binance, status=503, leverage=4)["code"] == "setting_unconfirmed"


def test_who_only_watches_changes_no_setting(floor: Cast) -> None:
    for user, status in ((floor.victor, 403), (floor.stella, 404)):
        client = Client()
        client.force_login(user)
        settings_of(Caller(client), floor.binance, status=status, leverage=5)
        settings_of(Caller(client), floor.binance, path="margin-mode", status=status, margin_mode="isolated")


def test_a_program_that_only_reads_changes_no_setting(floor: Cast) -> None:
    headers = rows.bearer(floor.alice, "read")
    path = f"/api/v1/accounts/{floor.binance.pk}/leverage"
    answer = Client().put(path, {"symbol": "ETHUSDT", "leverage": 5}, content_type="application/json", **headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
