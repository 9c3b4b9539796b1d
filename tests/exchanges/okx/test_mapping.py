"""OKX answers -> domain: account, positions and market data, over the project's own payloads, with literal expected values."""

from decimal import Decimal

import pytest

from exchanges.adapters.okx import mapping, margin
from exchanges.adapters.okx.wire import answered
from exchanges.domain import (
    KLINE_INTERVALS_S,
    AccountSummary,
    Balance,
    Instrument,
    InstrumentStatus,
    Kline,
    MarginMode,
    MarkPrice,
    Position,
    PositionMode,
    PositionSide,
)
from exchanges.errors import BadVenueResponse
from tests.exchanges.okx.rows import at, instruments, rows

D = Decimal


def test_instruments_are_the_listed_linear_usdt_perpetuals_in_base_units():
    found = instruments()
    assert list(found) == ["BTC-USDT-SWAP", "ETH-USDT-SWAP", "PEPE-USDT-SWAP", "1000RATS-USDT-SWAP", "DOGE-USDT-SWAP"]
    assert found["BTC-USDT-SWAP"] == Instrument(
        symbol="BTCUSDT",
        venue_symbol="BTC-USDT-SWAP",
        underlying="BTC",
        tick=D("0.1"),
        lot=D("0.0001"),
        min_quantity=D("0.0001"),
        max_quantity=D("500"),
        max_market_quantity=D("120"),
        contract_size=D("0.01"),
        max_leverage=D("100"),
        status=InstrumentStatus.TRADING,
    )


def test_an_instrument_of_large_contracts_and_one_with_a_multiplier():
    pepe, rats = instruments()["PEPE-USDT-SWAP"], instruments()["1000RATS-USDT-SWAP"]
    assert (pepe.symbol, pepe.underlying, pepe.multiplier) == ("PEPEUSDT", "PEPE", D(1))
    assert (pepe.contract_size, pepe.lot) == (D(10_000_000), D(1_000_000))
    assert (pepe.max_quantity, pepe.max_market_quantity) == (D(80_000_000_000), None)
    assert (rats.symbol, rats.underlying, rats.multiplier) == ("1000RATSUSDT", "RATS", D(1000))
    assert (rats.contract_size, rats.lot) == (D(100), D(100)), "ctVal times ctMult"


def test_a_suspended_instrument_is_halted():
    assert instruments()["DOGE-USDT-SWAP"].status is InstrumentStatus.HALTED


def test_positions_in_base_units_with_what_is_not_covered_by_name():
    book = mapping.to_position_book(rows("positions"), instruments())
    assert book.positions == [
        Position(
            symbol="BTCUSDT",
            venue_symbol="BTC-USDT-SWAP",
            side=PositionSide.LONG,
            quantity=D("0.125"),
            entry_price=D("64000.5"),
            mark_price=D("64100.2"),
            unrealized_pnl=D("1.25"),
            realized_pnl=D("-0.4"),
            leverage=D("10"),
            margin=D("80.1"),
            margin_mode=MarginMode.CROSS,
            updated_at=at(1763900001234),
        ),
        Position(
            symbol="ETHUSDT",
            venue_symbol="ETH-USDT-SWAP",
            side=PositionSide.SHORT,
            quantity=D("3"),
            entry_price=D("3200.25"),
            mark_price=D("3199"),
            liquidation_price=D("4100.5"),
            unrealized_pnl=D("3.75"),
            realized_pnl=D("0"),
            leverage=D("5"),
            margin=D("193.4"),
            margin_mode=MarginMode.ISOLATED,
            updated_at=at(1763900002345),
        ),
        Position(
            symbol="PEPEUSDT",
            venue_symbol="PEPE-USDT-SWAP",
            side=PositionSide.LONG,
            quantity=D("3000000"),
            entry_price=D("0.00000412"),
            mark_price=D("0.000004119"),
            unrealized_pnl=D("-0.003"),
            margin_mode=MarginMode.CROSS,
            updated_at=at(1763900001234),
        ),
    ]
    assert book.not_covered == ["BTC-USD-SWAP", "BTC-USDT-261225", "BTC-USD-261225-70000-C", "SOL-USDT", "JUSTLISTED-USDT-SWAP"]


def test_hedge_legs_keep_their_side_and_name_it():
    long, short = mapping.to_position_book(rows("positions_hedge"), instruments()).positions
    assert (long.side, long.position_side, long.quantity) == (PositionSide.LONG, PositionSide.LONG, D("0.05"))
    assert (short.side, short.position_side, short.quantity) == (PositionSide.SHORT, PositionSide.SHORT, D("0.0225"))


def test_a_hedge_leg_with_a_negative_size_is_no_position():
    (row, _) = rows("positions_hedge")
    with pytest.raises(BadVenueResponse):
        answered(mapping.to_position_book, [row | {"pos": "-5"}], instruments())


def test_balances_that_are_held_with_the_wallet_before_unrealised_pnl():
    assert mapping.to_balances(rows("balance")) == [
        Balance(
            asset="USDT",
            total=D("8015.5"),
            available=D("6900.25"),
            unrealized_pnl=D("-15.5"),
            equity_usd=D("7999.2"),
            updated_at=at(1763900002000),
        ),
        Balance(
            asset="BTC",
            total=D("0.035"),
            available=D("0.035"),
            unrealized_pnl=D("0"),
            equity_usd=D("2235.3678"),
            updated_at=at(1763900001000),
        ),
    ]


def test_account_summary_is_the_venues_own_total():
    assert mapping.to_account(rows("balance"), mapping.to_account_config(rows("account_config"))) == AccountSummary(
        equity_usd=D("10234.5678"),
        equity_basis="totalEq",
        available_usd=D("9000.75"),
        unrealized_pnl_usd=D("-15.5"),
        initial_margin_usd=D("300.2"),
        maintenance_margin_usd=D("12.3"),
        position_mode=PositionMode.ONE_WAY,
        updated_at=at(1763900003000),
    )


def test_in_futures_mode_the_margin_figures_are_those_of_usdt():
    config = mapping.to_account_config(rows("account_config_hedge"))
    account = mapping.to_account(rows("balance_futures_mode"), config)
    assert (account.equity_usd, account.available_usd, account.unrealized_pnl_usd) == (D("5120.4"), D("4790.5"), D("10"))
    assert (account.initial_margin_usd, account.maintenance_margin_usd) == (D("210.5"), D("8.4"))
    assert account.position_mode is PositionMode.HEDGE


def test_in_futures_mode_margin_in_two_currencies_is_unknown_rather_than_half():
    (account_row,) = rows("balance_futures_mode")
    account_row["details"][1]["imr"] = "5"
    account = mapping.to_account([account_row], mapping.to_account_config(rows("account_config_hedge")))
    assert (account.initial_margin_usd, account.maintenance_margin_usd, account.available_usd) == (None, None, None)
    assert account.equity_usd == D("5120.4")


def test_mark_prices_of_covered_instruments_that_have_one():
    assert mapping.to_mark_prices(rows("mark_prices"), instruments()) == [
        MarkPrice(symbol="BTCUSDT", mark_price=D("64100.2"), updated_at=at(1763900005001)),
        MarkPrice(symbol="PEPEUSDT", mark_price=D("0.000004119"), updated_at=at(1763900005002)),
    ]


def test_candle_volume_is_in_base_units():
    running, closed = mapping.to_klines(rows("klines"), "BTCUSDT", "1m")
    assert closed == Kline(
        symbol="BTCUSDT",
        interval="1m",
        open_time=at(1763900040000),
        close_time=at(1763900100000),
        open=D("64000"),
        high=D("64030"),
        low=D("63990.2"),
        close=D("64010"),
        volume=D("10"),
        turnover=D("640100.75"),
        is_closed=True,
    )
    assert not running.is_closed


def test_server_time_and_leverage():
    assert mapping.to_server_time_ms(rows("server_time")) == 1763900006789
    assert margin.to_leverage(rows("leverage"), "BTC-USDT-SWAP") == 7
    with pytest.raises(BadVenueResponse):
        answered(margin.to_leverage, rows("leverage"), "ETH-USDT-SWAP")
    with pytest.raises(BadVenueResponse):
        answered(margin.to_leverage, [], "BTC-USDT-SWAP")


def test_intervals_of_six_hours_and_more_open_at_utc():
    bars = [mapping.BARS[name] for name in ("1m", "4h", "6h", "12h", "1d", "1w")]
    assert bars == ["1m", "4H", "6Hutc", "12Hutc", "1Dutc", "1Wutc"]
    assert mapping.BARS.keys() == KLINE_INTERVALS_S.keys()
