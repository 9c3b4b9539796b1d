"""Other people's payloads in ../shared/fixtures/okx, read by this adapter and compared with the independent reading beside them.

Theirs count contracts, ours base units, so sizes are compared after multiplying by the contract size.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from exchanges import errors
from exchanges.adapters.okx import mapping, margin, orders
from exchanges.adapters.okx.client import judge
from exchanges.domain import Instrument, InstrumentStatus, OrderRequest, OrderStatus, OrderType, PositionMode
from exchanges.transport import Response
from tests.exchanges.okx.venue import envelope

FOLDER = Path(__file__).parents[4] / "shared" / "fixtures" / "okx"
TOPICS = (
    "balance",
    "error",
    "instruments",
    "klines",
    "leverage",
    "mark_price",
    "open_orders",
    "order_cancel",
    "order_create",
    "order_history",
    "order_query",
    "position_mode",
    "positions",
)
NOT_READ = {
    "instruments__ws-instruments": "a stream event; streams have their own piece",
    "mark_price__index": "index-tickers, which this adapter does not ask for",
    "order_history__algo-history-docs": "orders-algo-history, which this adapter does not ask for",
    "order_query__algo-conditional": "order-algo, which this adapter does not ask for",
    "order_query__algo-docs": "order-algo, which this adapter does not ask for",
    "positions__closed-history": "positions-history, which this adapter does not ask for",
    "positions__position-risk": "account-position-risk, which this adapter does not ask for",
}
D = Decimal


def instrument(base: str, contract_size: str) -> Instrument:
    return Instrument(
        symbol=f"{base}USDT",
        venue_symbol=f"{base}-USDT-SWAP",
        underlying=base,
        tick=D("0.1"),
        lot=D(contract_size) / 100,
        min_quantity=D(contract_size) / 100,
        contract_size=D(contract_size),
        status=InstrumentStatus.TRADING,
    )


# The contract of LTC is 0.001 on the demo venue that the recordings come from, 1 on the live one.
KNOWN = {known.venue_symbol: known for known in (instrument("BTC", "0.01"), instrument("ETH", "0.1"), instrument("LTC", "0.001"))}


def judged(payload: Any, *, is_write: bool = False) -> list[Any]:
    body = json.dumps(payload).encode()
    return judge(Response(200, CIMultiDictProxy(CIMultiDict()), body), is_write=is_write)


def refused(payload: Any) -> errors.ExchangeAPIError:
    with pytest.raises(errors.ExchangeAPIError) as caught:
        judged(payload, is_write=True)
    return caught.value


def same(ours: Decimal | None, theirs: float | None) -> bool:
    return ours == (None if theirs is None else D(str(theirs)))


def check_balance(payload, expected):
    """Their total is OKX's eq, which holds unrealised PnL and what bots use; ours is cashBal, the wallet."""
    (usdt,) = mapping.to_balances(judged(payload))
    assert (usdt.asset, usdt.total, usdt.unrealized_pnl) == ("USDT", D("4850.435693622894"), D("-7.545600000000006"))
    assert same(usdt.available, expected["USDT"]["free"])
    account = mapping.to_account(judged(payload), mapping.AccountConfig(PositionMode.ONE_WAY, is_single_currency=False))
    assert (account.equity_usd, account.initial_margin_usd, account.available_usd) == (D("55837.43556134779"), D("8.57068529"), None)


def check_balance_row(payload, _expected):
    (usdt,) = mapping.to_balances(judged(envelope({"details": [payload]})))
    assert (usdt.total, usdt.available, usdt.equity_usd, usdt.unrealized_pnl) == (D(100), D(100), D(100), D(0))


def check_refusal(error_class) -> Callable[[Any, Any], None]:
    def check(payload, _expected):
        assert type(refused(payload if "code" in payload else envelope(payload, code="1"))) is error_class

    return check


def check_instruments(payload, expected):
    found = {known.venue_symbol: known for known in mapping.to_instruments(judged(payload))}
    theirs = {row["id"]: row for row in expected.values() if row["linear"]}
    assert set(found) == set(theirs)
    for venue_symbol, row in theirs.items():
        ours = found[venue_symbol]
        assert same(ours.contract_size, row["contractSize"])
        assert same(ours.tick, row["precision"]["price"])
        assert same(ours.lot / ours.contract_size, row["precision"]["amount"])
        assert same(ours.min_quantity / ours.contract_size, row["limits"]["amount"]["min"])
        assert same(ours.max_leverage, row["limits"]["leverage"]["max"])


def check_klines(payload, _expected):
    rows = judged(payload)
    for kline, row in zip(mapping.to_klines(rows, "BTCUSDT", "1m"), rows, strict=True):
        assert [kline.open, kline.high, kline.low, kline.close] == [D(text) for text in row[1:5]]
        assert (kline.volume, kline.turnover, kline.is_closed) == (D(row[6]), D(row[7]), False)


def check_leverage(payload, _expected):
    assert margin.to_leverage(judged(payload, is_write=True), "BTC-USDT-SWAP") == 5


def check_algo_orders(order_type: OrderType | None, quantity: str | None) -> Callable[[Any, Any], None]:
    def check(payload, expected):
        (order,) = orders.to_algo_orders(judged(payload), KNOWN)
        (theirs,) = expected
        assert (order.order_id, order.side, order.status) == (theirs["id"], theirs["side"].upper(), OrderStatus.NEW)
        assert same(order.price, theirs.get("price"))
        assert order.reduce_only is theirs["reduceOnly"]
        assert (order.order_type, order.quantity) == (order_type, quantity if quantity is None else D(quantity))

    return check


def check_cancel(payload, _expected):
    result = orders.to_cancel_result(judged(payload, is_write=True), "BTCUSDT", "317251910906576896")
    assert not result.confirmed


def check_rows_are_accepted(payload, _expected):
    assert judged(payload, is_write=True) == payload["data"]


def check_acknowledgement(payload, expected):
    request = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "1", "client_order_id": "x"}
    sent = OrderRequest.model_validate(request).model_copy(update={"client_order_id": expected["clientOrderId"]})
    order = orders.to_acknowledgement(judged(payload, is_write=True), sent)
    assert (order.order_id, order.client_order_id, order.confirmed) == (expected["id"], expected["clientOrderId"], False)


def check_history(payload, expected):
    """Theirs calls a market order IOC and gives it the average as its price; a market order has neither for us."""
    (order,) = orders.to_orders(judged(payload), KNOWN)
    (theirs,) = expected
    assert (order.order_id, order.client_order_id, order.side) == (theirs["id"], theirs["clientOrderId"], theirs["side"].upper())
    assert (order.status, order.order_type, order.time_in_force, order.price) == (OrderStatus.FILLED, OrderType.MARKET, None, None)
    assert same(order.average_price, theirs["average"])
    assert (order.quantity, order.filled_quantity) == (D("0.001"), D("0.001"))
    assert order.reduce_only is theirs["reduceOnly"]


def check_nothing_covered(payload, _expected):
    assert orders.to_orders(judged(payload), KNOWN) == []


def check_positions(contract_size: str) -> Callable[[Any, Any], None]:
    def check(payload, expected):
        (position,) = mapping.to_position_book(judged(payload), KNOWN).positions
        (theirs,) = expected
        assert (position.side.lower(), position.margin_mode) == (theirs["side"], theirs["marginMode"])
        assert position.quantity == D(str(theirs["contracts"])) * D(contract_size)
        assert same(position.entry_price, theirs["entryPrice"])
        assert same(position.mark_price, theirs["markPrice"])
        assert same(position.unrealized_pnl, theirs["unrealizedPnl"])
        assert same(position.margin, theirs["initialMargin"])
        assert same(position.leverage, theirs["leverage"])
        assert same(position.liquidation_price, theirs.get("liquidationPrice"))

    return check


def check_not_covered(payload, _expected):
    book = mapping.to_position_book(judged(payload), KNOWN)
    assert (book.positions, book.not_covered) == ([], ["ETH-USD-210430"])


def check_config(mode: PositionMode, *, is_single_currency: bool) -> Callable[[Any, Any], None]:
    def check(payload, _expected):
        assert mapping.to_account_config(judged(payload)) == mapping.AccountConfig(mode, is_single_currency=is_single_currency)

    return check


CHECKS: dict[str, Callable[[Any, Any], None]] = {
    "balance__account-config": check_config(PositionMode.HEDGE, is_single_currency=True),
    "balance__account-config-docs": check_config(PositionMode.ONE_WAY, is_single_currency=False),
    "balance__detail-new-fields": check_balance_row,
    "balance__docs": check_balance,
    "error__close-position-failed": check_refusal(errors.PositionModeMismatch),
    "error__inline-4088": check_refusal(errors.UnmappedVenueError),
    "error__inline-51010": check_refusal(errors.PermissionDenied),
    "error__insufficient-row": check_refusal(errors.InsufficientMargin),
    "instruments__swap-2025": check_instruments,
    "klines__candles-zero-confirm": check_klines,
    "klines__docs": check_klines,
    "leverage__set": check_leverage,
    "open_orders__algo-ccxt": check_algo_orders(None, "0.01"),
    "open_orders__algo-close-fraction": check_algo_orders(OrderType.STOP_MARKET, None),
    "open_orders__algo-oco": check_algo_orders(None, "0.001"),
    "order_cancel__algo-batch": check_rows_are_accepted,
    "order_cancel__ok": check_cancel,
    "order_create__algo-error": check_refusal(errors.BadParameter),
    "order_create__algo-ok": check_rows_are_accepted,
    "order_create__algo-rejected-code0": check_refusal(errors.BadParameter),
    "order_create__batch-ok": check_rows_are_accepted,
    "order_create__ccxt-market-buy-attached-sl": check_acknowledgement,
    "order_history__ccxt-hedge-market-filled": check_history,
    "order_history__history-docs": check_nothing_covered,
    "position_mode__net": check_rows_are_accepted,
    "positions__ccxt-hedge-long": check_positions("0.001"),
    "positions__futures-long-docs": check_not_covered,
    "positions__swap-long-handmade": check_positions("0.01"),
}


def require_folder() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"{FOLDER} is not there: payloads of others are read where it is")


def test_every_payload_of_a_topic_in_scope_is_read_or_named():
    require_folder()
    in_scope = {path.stem for path in FOLDER.glob("*.json") if path.stem.split("__")[0] in TOPICS}
    assert in_scope == CHECKS.keys() | NOT_READ.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_a_payload_reads_as_expected(name):
    require_folder()
    fixture = json.loads((FOLDER / f"{name}.json").read_text())
    payload = fixture["payload"]
    CHECKS[name](json.loads(payload) if isinstance(payload, str) else payload, fixture["expected"])
