"""What a key of the simulated venues may do, told by the end of its name: `-withdraw` may also withdraw, `-readonly` may not trade, `-ip`
is bound to this machine's address. Every other key reads and trades from anywhere. What stands before such an end names the account: `nina`
and `nina-ip` are two keys of one."""

from dataclasses import dataclass
from hashlib import sha256

BOUND_TO = "127.0.0.1"
_ENDS = ("-withdraw", "-readonly", "-ip")


@dataclass(frozen=True, slots=True)
class KeyRights:
    can_trade: bool
    can_withdraw: bool
    is_ip_bound: bool


def rights_of(key_name: str) -> KeyRights:
    return KeyRights(
        can_trade=not key_name.endswith("-readonly"),
        can_withdraw=key_name.endswith("-withdraw"),
        is_ip_bound=key_name.endswith("-ip"),
    )


def account_behind(key_name: str) -> str:
    end = next((end for end in _ENDS if key_name.endswith(end)), "")
    return key_name.removesuffix(end) or key_name


def number_of(account_name: str) -> int:
    """48 bits by which a venue knows the account: the same after a restart, another one for another account."""
    return int(sha256(account_name.encode()).hexdigest()[:12], 16)
