"""What a Binance key may do. Pure.

Source: Binance Wallet documentation, Get API Key Permission, and USD-M futures documentation, Futures Account Configuration, read
November 2026. The flags of the futures account (canTrade, canWithdraw) are the account's: they say nothing of the key, so they stand in
only in the demo world, which has no wallet API and from which no money can leave.
"""

from exchanges.adapters.binance.mapping import Row
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


def _flag(body: Row, name: str) -> bool:
    value = body[name]
    if not isinstance(value, bool):
        raise TypeError("not a flag")
    return value
