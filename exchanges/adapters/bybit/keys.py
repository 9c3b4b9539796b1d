"""What a Bybit key may do, and whose it is. Pure.

Source: the V5 documentation of Get API Key Information, read November 2026; any key may ask about itself.
"""

from datetime import datetime

from exchanges.adapters import account_ids
from exchanges.adapters.bybit.wire import EPOCH, Row
from exchanges.domain import KeyPermissions

_READ_ONLY = {0: False, 1: True}
_ANY_ADDRESS = ["*"]


def to_key_permissions(envelope: Row) -> KeyPermissions:
    """`readOnly` goes before the list of permissions, which names areas. Contracts of a unified account are ContractTrade, on older keys
    Derivatives. Transfers between wallets of the same owner are no withdrawal."""
    key = envelope["result"]
    is_read_only = _READ_ONLY[key["readOnly"]]
    permissions = key["permissions"]
    trades = "Order" in _area(permissions, "ContractTrade") or "DerivativesTrade" in _area(permissions, "Derivatives")
    return KeyPermissions(
        can_read=True,
        can_trade=trades and not is_read_only,
        can_withdraw="Withdraw" in _area(permissions, "Wallet") and not is_read_only,
        is_ip_bound=_texts(key["ips"]) not in ([], _ANY_ADDRESS),
        expires_at=_expiry(key.get("expiredAt")),
    )


def to_account_id(envelope: Row) -> str:
    """`userID`, a number, is that of the sub-account for a key of one; `id` is the key's own."""
    number = envelope["result"]["userID"]
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError("an account without an id")
    return account_ids.to_account_id(str(number))


def _area(permissions: Row, name: str) -> list[str]:
    return _texts(permissions.get(name) or [])


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("not a list of texts")
    return value


def _expiry(value: object) -> datetime | None:
    """A key that is bound to an address does not expire: the venue then says 1970, or nothing."""
    if value in ("", None):
        return None
    if not isinstance(value, str):
        raise TypeError("not a time")
    moment = datetime.fromisoformat(value)
    return moment if moment > EPOCH else None
