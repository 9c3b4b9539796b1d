"""Listen keys: one per account, valid for an hour from its creation or last renewal. Knows no streams."""

import secrets

_VALID_MS = 60 * 60 * 1000


class ListenKeys:
    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, int]] = {}

    def obtain(self, account: str, wall_ms: int) -> str:
        """The account's key, made anew where it has none; its hour starts again."""
        key = self._valid(account, wall_ms) or secrets.token_hex(32)
        self._keys[account] = (key, wall_ms + _VALID_MS)
        return key

    def renew(self, account: str, wall_ms: int) -> str | None:
        """None where the account has no valid key to renew."""
        return self.obtain(account, wall_ms) if self._valid(account, wall_ms) else None

    def drop(self, account: str) -> None:
        self._keys.pop(account, None)

    def _valid(self, account: str, wall_ms: int) -> str | None:
        key, expires_ms = self._keys.get(account, ("", 0))
        return key if wall_ms < expires_ms else None
