"""Money and positions of an account, before and after trades."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges.domain import ExchangeType, MarginMode, OrderSide, Position, PositionMode, PositionSide
from exchanges.errors import ReduceOnlyRejected, UnknownSymbol
from exchanges.protocol import IExchangeClient
from tests.exchanges.contract.desk import BTC, OPENING_BALANCE, USD, ZERO, Desk, lots_worth

EQUITY_BASES = {ExchangeType.BINANCE: "totalMarginBalance", ExchangeType.BYBIT: "totalEquity", ExchangeType.OKX: "totalEq"}
CENT = Decimal("0.01")


async def the_position(desk: Desk, symbol: str) -> Position:
    [position] = await desk.client.get_open_positions(symbol)
    return position


async def test_a_fresh_account_holds_its_opening_balance_and_nothing_else(client: IExchangeClient) -> None:
    account = await client.get_account()
    assert (account.equity_usd, account.unrealized_pnl_usd, account.available_usd) == (OPENING_BALANCE, ZERO, OPENING_BALANCE)
    assert (account.initial_margin_usd, account.maintenance_margin_usd) == (ZERO, ZERO)
    [balance] = await client.get_balances()
    assert (balance.asset, balance.total) == ("USDT", OPENING_BALANCE)
    assert balance.available in (OPENING_BALANCE, None)  # Bybit's unified accounts tell it for the whole account alone
    assert await client.get_open_positions() == []
    assert await client.get_open_orders() == []
    book = await client.get_position_book()
    assert (book.positions, book.not_covered) == ([], [])


async def test_equity_is_the_venues_own_total_by_name(desk: Desk) -> None:
    account = await desk.client.get_account()
    assert account.equity_basis == EQUITY_BASES[desk.exchange]
    assert account.position_mode is PositionMode.ONE_WAY


async def test_balances_are_filtered_by_asset(client: IExchangeClient) -> None:
    assert [each.asset for each in await client.get_balances("USDT")] == ["USDT"]
    assert await client.get_balances("XYZ") == []


async def test_figures_say_how_old_they_are_where_the_venue_does(desk: Desk) -> None:
    await desk.market("BTCUSDT", quantity=BTC)
    moments = [(await desk.client.get_account()).updated_at, (await the_position(desk, "BTCUSDT")).updated_at]
    moments += [each.updated_at for each in await desk.client.get_balances()]
    for moment in moments:
        assert moment is None or abs(datetime.now(UTC) - moment) < timedelta(seconds=10)


async def test_a_bought_position_is_long_with_the_orders_figures(desk: Desk) -> None:
    order = await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    position = await the_position(desk, "BTCUSDT")
    instrument = await desk.instrument("BTCUSDT")
    assert (position.side, position.quantity, position.position_side) == (PositionSide.LONG, BTC, PositionSide.BOTH)
    assert (position.symbol, position.venue_symbol) == ("BTCUSDT", instrument.venue_symbol)
    assert abs(position.entry_price - (order.average_price or 0)) < instrument.tick
    assert abs(position.unrealized_pnl - (position.mark_price - position.entry_price) * BTC) < CENT
    assert (position.margin_mode, position.leverage) == (MarginMode.CROSS, Decimal(10))
    assert position.liquidation_price is None or position.liquidation_price < position.mark_price


async def test_a_sold_position_is_short_with_a_positive_quantity(desk: Desk) -> None:
    await desk.market("ETHUSDT", OrderSide.SELL, quantity=Decimal("0.1"))
    position = await the_position(desk, "ETHUSDT")
    assert (position.side, position.quantity) == (PositionSide.SHORT, Decimal("0.1"))
    assert abs(position.unrealized_pnl - (position.entry_price - position.mark_price) * position.quantity) < CENT
    assert position.liquidation_price is None or position.liquidation_price > position.mark_price


async def test_positions_of_several_symbols_come_together_and_by_symbol(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    await desk.market("SOLUSDT", OrderSide.SELL, quantity=Decimal(3))
    positions = await desk.client.get_open_positions()
    assert {(each.symbol, each.side) for each in positions} == {("BTCUSDT", PositionSide.LONG), ("SOLUSDT", PositionSide.SHORT)}
    assert [each.symbol for each in await desk.client.get_open_positions("SOLUSDT")] == ["SOLUSDT"]
    assert await desk.client.get_open_positions("XRPUSDT") == []
    book = await desk.client.get_position_book()
    assert sorted(each.symbol for each in book.positions) == ["BTCUSDT", "SOLUSDT"]


async def test_adding_averages_the_entry_and_turning_flips_the_side(desk: Desk) -> None:
    first = await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    second = await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    doubled = await the_position(desk, "BTCUSDT")
    mean = ((first.average_price or ZERO) + (second.average_price or ZERO)) / 2
    assert doubled.quantity == 2 * BTC
    assert abs(doubled.entry_price - mean) < CENT
    await desk.market("BTCUSDT", OrderSide.SELL, quantity=3 * BTC)
    turned = await the_position(desk, "BTCUSDT")
    assert (turned.side, turned.quantity) == (PositionSide.SHORT, BTC)


async def test_a_flat_position_is_no_position(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    await desk.market("BTCUSDT", OrderSide.SELL, quantity=BTC)
    assert await desk.client.get_open_positions() == []
    assert await desk.client.get_open_positions("BTCUSDT") == []


async def test_pepe_is_comparable_in_units_of_the_underlying(desks: dict[ExchangeType, Desk]) -> None:
    """1000PEPE on Binance and Bybit, contracts of ten million on OKX: the same money buys the same number of PEPE."""
    units: list[Decimal] = []
    for desk in desks.values():
        [pepe] = [each for each in await desk.client.get_instruments() if each.underlying == "PEPE"]
        await desk.market(pepe.symbol, OrderSide.BUY, usd=Decimal(1_000))
        position = await the_position(desk, pepe.symbol)
        units.append(position.quantity * pepe.multiplier)
        assert Decimal(950) < position.quantity * position.mark_price < Decimal(1_100)
    assert max(units) / min(units) < Decimal("1.03")


async def test_money_follows_a_trade(desk: Desk) -> None:
    """The fee leaves the wallet, margin is bound, and equity is wallet and unrealised PnL."""
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=100 * BTC)
    [balance] = await desk.client.get_balances("USDT")
    account = await desk.client.get_account()
    position = await the_position(desk, "BTCUSDT")
    notional = position.quantity * position.entry_price
    assert Decimal(100_000) - notional * Decimal("0.0006") <= balance.total <= Decimal(100_000) - notional * Decimal("0.0004")
    assert abs((account.equity_usd or ZERO) - balance.total - (account.unrealized_pnl_usd or ZERO)) < CENT
    assert account.initial_margin_usd is not None
    assert account.maintenance_margin_usd is not None
    assert abs(account.initial_margin_usd / (notional / 10) - 1) < Decimal("0.02")
    assert 0 < account.maintenance_margin_usd < account.initial_margin_usd
    assert account.available_usd is not None
    assert abs((account.equity_usd or ZERO) - account.initial_margin_usd - account.available_usd) < 1


async def test_the_ledger_of_the_venue_says_the_same(desk: Desk) -> None:
    await desk.market("ETHUSDT", OrderSide.SELL, quantity=Decimal("0.2"))
    [row] = desk.ledger()["positions"]
    position = await the_position(desk, "ETHUSDT")
    assert (row["symbol"], Decimal(row["quantity"])) == ("ETHUSDT", -position.quantity)
    [balance] = await desk.client.get_balances("USDT")
    assert abs(balance.total - Decimal(desk.ledger()["wallet"])) < CENT


async def test_closing_a_long_position_sells_all_of_it_reduce_only(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    order = await desk.settled(await desk.client.close_position("BTCUSDT"))
    assert (order.side, order.filled_quantity) == (OrderSide.SELL, BTC)
    assert await desk.client.get_open_positions() == []
    last = desk.orders_in_ledger()[-1]
    assert (last["side"], last["kind"], last["reduce_only"], last["status"]) == ("sell", "market", True, "filled")


async def test_closing_a_short_position_buys_all_of_it_back(desk: Desk) -> None:
    await desk.market("ADAUSDT", OrderSide.SELL, quantity=Decimal(500))
    order = await desk.settled(await desk.client.close_position("ADAUSDT"))
    assert (order.side, order.filled_quantity) == (OrderSide.BUY, Decimal(500))
    assert await desk.client.get_open_positions() == []


async def test_closing_leaves_other_positions_alone(desk: Desk) -> None:
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    await desk.market("ETHUSDT", OrderSide.BUY, quantity=Decimal("0.1"))
    await desk.settled(await desk.client.close_position("ETHUSDT"))
    assert [each.symbol for each in await desk.client.get_open_positions()] == ["BTCUSDT"]


async def test_closing_nothing_is_refused_and_sends_no_order(desk: Desk) -> None:
    with pytest.raises(ReduceOnlyRejected):
        await desk.client.close_position("BTCUSDT")
    assert desk.requests(desk.wire.create) == []


async def test_leverage_is_set_and_shows_in_the_position(desk: Desk) -> None:
    assert await desk.client.set_leverage("BTCUSDT", 7) is True
    await desk.market("BTCUSDT", quantity=BTC)
    assert (await the_position(desk, "BTCUSDT")).leverage == 7
    assert await desk.client.set_leverage("BTCUSDT", 20) is True
    assert (await the_position(desk, "BTCUSDT")).leverage == 20


async def test_setting_the_leverage_that_is_set_already_succeeds(client: IExchangeClient) -> None:
    assert await client.set_leverage("ETHUSDT", 9) is True
    assert await client.set_leverage("ETHUSDT", 9) is True


CALLS_BY_SYMBOL: dict[str, Callable[[IExchangeClient], Awaitable[object]]] = {
    "close_position": lambda client: client.close_position("NOSUCHUSDT"),
    "set_leverage": lambda client: client.set_leverage("NOSUCHUSDT", 5),
}


@pytest.mark.parametrize("call", CALLS_BY_SYMBOL)
async def test_an_unlisted_symbol_can_neither_be_closed_nor_levered(client: IExchangeClient, call: str) -> None:
    with pytest.raises((UnknownSymbol, ReduceOnlyRejected)):
        await CALLS_BY_SYMBOL[call](client)


async def test_accounts_of_one_venue_do_not_see_each_other(desk: Desk) -> None:
    other = desk.another_client(f"{desk.name}b")
    await desk.market("BTCUSDT", quantity=BTC)
    await desk.rest()
    assert await other.get_open_positions() == []
    assert await other.get_open_orders() == []
    assert [each.total for each in await other.get_balances()] == [OPENING_BALANCE]


async def test_reads_at_the_same_time_do_not_mix(desk: Desk) -> None:
    await desk.market("BTCUSDT", quantity=BTC)
    client = desk.client
    for _ in range(3):
        positions, orders, balances, account = await asyncio.gather(
            client.get_open_positions(), client.get_open_orders(), client.get_balances(), client.get_account()
        )
        assert ([each.symbol for each in positions], orders, [each.asset for each in balances]) == (["BTCUSDT"], [], ["USDT"])
        assert account.equity_usd is not None


async def test_sizes_are_exact_for_every_symbol(desk: Desk) -> None:
    """What was ordered is what is held, to the last digit, also where the venue counts contracts."""
    marks = {each.symbol: each.mark_price for each in await desk.client.get_mark_prices()}
    wanted = {each.symbol: lots_worth(each, marks[each.symbol], USD) + each.lot for each in await desk.client.get_instruments()}
    await asyncio.gather(*(desk.market(symbol, quantity=quantity) for symbol, quantity in wanted.items()))
    assert {each.symbol: each.quantity for each in await desk.client.get_open_positions()} == wanted
    assert {row["symbol"]: Decimal(row["quantity"]) for row in desk.ledger()["positions"]} == wanted
