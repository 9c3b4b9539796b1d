"""What the account's wallets hold coin by coin. All money is USDT in the unified account; the other account types are empty."""

from exchanges.sandbox.bybit import wire
from exchanges.sandbox.bybit.account import known_coins, user_id
from exchanges.sandbox.bybit.errors import bad_parameter
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.model import ZERO

_ACCOUNT_TYPES = ("UNIFIED", "FUND", "CONTRACT", "SPOT", "INVESTMENT", "OPTION")


def coins_balance(call: Call) -> Reply:
    kind = call.params.choice("accountType", _ACCOUNT_TYPES)
    asked = call.params.text("coin").split(",") if call.params.text("coin") else [wire.QUOTE]
    rows = [_balance(call, kind, coin) for coin in asked]
    return Reply({"memberId": user_id(call), "accountType": kind, "balance": rows}, message="success")


def coin_balance(call: Call) -> Reply:
    kind = call.params.choice("accountType", _ACCOUNT_TYPES)
    row = _balance(call, kind, call.params.required("coin"))
    number = user_id(call)
    return Reply({"accountType": kind, "bizType": 1, "accountId": number, "memberId": number, "balance": row}, message="success")


def _balance(call: Call, kind: str, coin: str) -> dict[str, object]:
    """Profit that is not realised yet backs positions but cannot be transferred."""
    if coin not in known_coins(call):
        raise bad_parameter("coin")
    held = free = ZERO
    if kind == "UNIFIED" and coin == wire.QUOTE:
        view = call.engine.view(call.account)
        held, free = view.wallet, max(ZERO, min(view.available, view.available - view.cross_unrealized_pnl))
    return {"coin": coin, "walletBalance": wire.money(held), "transferBalance": wire.money(free), "bonus": ""}
