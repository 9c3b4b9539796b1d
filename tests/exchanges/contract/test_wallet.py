"""Balances and account of one reading: what the two readings apart say, for the price of one request."""

from dataclasses import replace

from exchanges.domain import ExchangeType, OrderSide
from tests.exchanges.contract.desk import BTC, Desk

READ_AT: dict[ExchangeType, tuple[str, str]] = {
    ExchangeType.BINANCE: ("GET", "/fapi/v3/account"),
    ExchangeType.BYBIT: ("GET", "/v5/account/wallet-balance"),
    ExchangeType.OKX: ("GET", "/api/v5/account/balance"),
}


async def test_a_wallet_is_what_balances_and_account_say(desk: Desk) -> None:
    wallet = await desk.client.get_wallet()
    balances, account = await desk.client.get_balances(), await desk.client.get_account()
    assert [replaced._replace(updated_at=None) for replaced in wallet.balances] == [each._replace(updated_at=None) for each in balances]
    assert replace(wallet.account, updated_at=None) == replace(account, updated_at=None)


async def test_both_parts_of_a_wallet_are_of_one_moment(desk: Desk) -> None:
    """With a position open the figures move between two readings; those of one reading agree to the last digit."""
    await desk.market("BTCUSDT", OrderSide.BUY, quantity=BTC)
    wallet = await desk.client.get_wallet()
    [balance] = wallet.balances
    assert balance.unrealized_pnl == wallet.account.unrealized_pnl_usd


async def test_a_wallet_takes_one_request(desk: Desk) -> None:
    await desk.client.get_wallet()  # settings are remembered from here on
    before = len(desk.requests())
    await desk.client.get_wallet()
    assert [(each["method"], each["path"]) for each in desk.requests()[before:]] == [READ_AT[desk.exchange]]
