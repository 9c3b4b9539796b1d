"""What a Binance key may do, and whose it is. Pure.

Source: Binance Wallet documentation, Get API Key Permission, and USD-M futures documentation, Futures Account Configuration and Futures
Account Balance V3, read November 2026. The flags of the futures account (canTrade, canWithdraw) are the account's: they say nothing of the
key, so they stand in only in the demo world, which has no wallet API and from which no money can leave.
"""

from exchanges.adapters import account_ids
from exchanges.adapters.binance.mapping import Row, rows_of
from exchanges.domain import KeyPermissions


def to_key_permissions(body: Row) -> KeyPermissions:
    """Of apiRestrictions. Its tradingAuthorityExpirationTime is about spot and margin trading, so no expiry is told."""
    return KeyPermissions(
        can_read=_flag(body, "enableReading"),
        can_trade=_flag(body, "enableFutures"),
        can_withdraw=_flag(body, "enableWithdrawals"),
        is_ip_bound=_flag(body, "ipRestrict"),
    )


def to_demo_permissions(body: Row) -> KeyPermissions:
    """Of accountConfig: it answered, so the key reads."""
    return KeyPermissions(can_read=True, can_trade=_flag(body, "canTrade"), can_withdraw=False)


def to_account_id(answer: object) -> str:
    """Of balance: each row, one for every asset, repeats the account's own code. Rows that differ name no account, and no rows none."""
    rows = rows_of(answer)
    if not rows:
        return ""
    (code,) = {row["accountAlias"] for row in rows}
    return account_ids.to_account_id(code)


def _flag(body: Row, name: str) -> bool:
    value = body[name]
    if not isinstance(value, bool):
        raise TypeError("not a flag")
    return value
