"""What an OKX key may do, and whose it is. Pure.

From OKX's API documentation of the account configuration, read November 2026. A key that is bound to no address and may trade or withdraw
ends after fourteen days without a request: no date that could be told.
"""

from exchanges.adapters import account_ids
from exchanges.adapters.okx.wire import Row, to_text
from exchanges.domain import KeyPermissions


def to_key_permissions(rows: list[Row]) -> KeyPermissions:
    """`perm` is a list of words, `ip` a list of addresses, empty for a key that is bound to none."""
    (config,) = rows
    words = [word.strip() for word in to_text(config["perm"]).split(",")]
    if not all(words):
        raise ValueError("a key without a permission")
    return KeyPermissions(
        can_read="read_only" in words or "trade" in words,
        can_trade="trade" in words,
        can_withdraw="withdraw" in words,
        is_ip_bound=to_text(config["ip"]) != "",
    )


def to_account_id(rows: list[Row]) -> str:
    """`uid` is the sub-account's own where the key is of one; `mainUid` is its owner's."""
    (config,) = rows
    return account_ids.to_account_id(config["uid"])
