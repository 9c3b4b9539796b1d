"""What a key of the simulated venues may do, told by the end of its account's name: `-withdraw` may also withdraw, `-readonly` may not
trade, `-ip` is bound to this machine's address. Every other key reads and trades from anywhere."""

from dataclasses import dataclass

BOUND_TO = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class KeyRights:
    can_trade: bool
    can_withdraw: bool
    is_ip_bound: bool


def rights_of(account_name: str) -> KeyRights:
    return KeyRights(
        can_trade=not account_name.endswith("-readonly"),
        can_withdraw=account_name.endswith("-withdraw"),
        is_ip_bound=account_name.endswith("-ip"),
    )
