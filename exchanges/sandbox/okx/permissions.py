"""What the calling key may do: `perm` and `ip` of the account's configuration ("Get account configuration", read November 2026). A key that
is bound to no address has an empty list of them."""

from exchanges.sandbox.keys import BOUND_TO, rights_of
from exchanges.sandbox.okx.endpoint import Row


def permissions(key_name: str) -> Row:
    rights = rights_of(key_name)
    granted = ["read_only", *(["withdraw"] if rights.can_withdraw else []), *(["trade"] if rights.can_trade else [])]
    return {"perm": ",".join(granted), "ip": BOUND_TO if rights.is_ip_bound else ""}
