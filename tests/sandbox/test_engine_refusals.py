"""What the engine refuses: filters, margin, leverage, used client ids, too many orders."""

from decimal import Decimal

from exchanges.sandbox.model import Reason, Status, Venue
from exchanges.sandbox.opening import OPENING_WALLET
from exchanges.sandbox.trading import MAX_OPEN_ORDERS
from tests.sandbox.exchange import BUY, SELL, away, exchange, limit, market, refusal


def test_filters_refuse_with_their_reasons_and_change_nothing() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    mark = engine.mark(Venue.BINANCE, "BTCUSDT")
    cases = [
        (lambda: market(engine, account, BUY, "0.1", symbol="NOPEUSDT"), Reason.UNKNOWN_SYMBOL),
        (lambda: market(engine, account, BUY, "0.0005"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "0"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "-1"), Reason.BELOW_MINIMUM),
        (lambda: market(engine, account, BUY, "0.0015"), Reason.BAD_LOT),
        (lambda: market(engine, account, BUY, "121"), Reason.ABOVE_MAXIMUM),
        (lambda: limit(engine, account, BUY, "1001", mark), Reason.ABOVE_MAXIMUM),
        (lambda: limit(engine, account, BUY, "0.01", mark + Decimal("0.05")), Reason.BAD_TICK),
        (lambda: limit(engine, account, BUY, "0.01", mark * 2), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, SELL, "0.01", mark // 2), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, BUY, "0.01", Decimal("500")), Reason.PRICE_OUT_OF_BAND),
        (lambda: limit(engine, account, BUY, "0.001", Decimal("90000")), Reason.BELOW_NOTIONAL),
        (lambda: market(engine, account, BUY, "100"), Reason.INSUFFICIENT_MARGIN),
        (lambda: limit(engine, account, BUY, "100", Decimal("60000")), Reason.INSUFFICIENT_MARGIN),
        (lambda: engine.cancel(account, symbol="BTCUSDT", order_id=1), Reason.UNKNOWN_ORDER),
        (lambda: engine.set_leverage(account, "BTCUSDT", 126), Reason.LEVERAGE_TOO_HIGH),
        (lambda: engine.set_leverage(account, "BTCUSDT", 0), Reason.LEVERAGE_TOO_HIGH),
    ]
    for call, reason in cases:
        assert refusal(call) is reason
    assert engine.order_history(account) == []
    assert account.wallet == OPENING_WALLET


def test_closing_needs_no_margin_and_reduce_only_no_minimum_notional() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "9.2")
    assert refusal(market, engine, account, BUY, "0.5") is Reason.INSUFFICIENT_MARGIN
    assert market(engine, account, SELL, "9.2").status is Status.FILLED
    market(engine, account, BUY, "0.010", symbol="ETHUSDT")
    market(engine, account, SELL, "0.009", symbol="ETHUSDT", reduce_only=True)
    assert refusal(market, engine, account, SELL, "0.001", symbol="ETHUSDT") is Reason.BELOW_NOTIONAL
    assert market(engine, account, SELL, "0.001", symbol="ETHUSDT", reduce_only=True).status is Status.FILLED


def test_order_margin_counts_the_larger_side_and_only_what_opens() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BYBIT, "someone")
    listing = engine.listing(Venue.BYBIT, "BTCUSDT")
    low, high = away(engine, listing, "0.9"), away(engine, listing, "1.1")
    limit(engine, account, BUY, "1", low)
    limit(engine, account, SELL, "1", high)
    assert engine.view(account).order_margin == high / 10
    market(engine, account, BUY, "1")
    assert engine.view(account).order_margin == low / 10
    engine.set_leverage(account, "BTCUSDT", 20)
    assert engine.view(account).order_margin == low / 20


def test_leverage_cannot_be_lowered_below_what_the_account_can_bind() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    assert engine.leverage(account, "BTCUSDT") == 10
    market(engine, account, BUY, "5")
    assert refusal(engine.set_leverage, account, "BTCUSDT", 2) is Reason.INSUFFICIENT_MARGIN
    assert engine.leverage(account, "BTCUSDT") == 10
    engine.set_leverage(account, "BTCUSDT", 50)
    assert engine.leverage(account, "BTCUSDT") == 50


def test_client_ids_are_unique_for_ever_except_on_binance() -> None:
    engine, _ = exchange()
    for venue in Venue:
        account = engine.account(venue, "someone")
        price = away(engine, engine.listing(venue, "BTCUSDT"), "0.9")
        first = limit(engine, account, BUY, "0.01", price, client_id="mine")
        assert refusal(limit, engine, account, BUY, "0.01", price, client_id="mine") is Reason.DUPLICATE_CLIENT_ID
        assert engine.cancel(account, symbol="BTCUSDT", client_id="mine") is first
        assert refusal(engine.cancel, account, symbol="BTCUSDT", client_id="mine") is Reason.ALREADY_FINAL
        if venue is Venue.BINANCE:
            second = market(engine, account, BUY, "0.01", client_id="mine")
            assert engine.order(account, client_id="mine") is second
        else:
            assert refusal(market, engine, account, BUY, "0.01", client_id="mine") is Reason.DUPLICATE_CLIENT_ID
        assert engine.order(account, symbol="ETHUSDT", client_id="mine") is None


def test_a_symbol_takes_two_hundred_open_orders() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    price = away(engine, engine.listing(Venue.BINANCE, "BTCUSDT"), "0.9")
    for _ in range(MAX_OPEN_ORDERS):
        limit(engine, account, BUY, "0.002", price)
    assert refusal(limit, engine, account, BUY, "0.002", price) is Reason.TOO_MANY_ORDERS
    assert market(engine, account, BUY, "0.002").status is Status.FILLED
