"""What an id of an account looks like, whichever venue tells it: it is kept and compared, never computed with."""

import re

_fits = re.compile(r"[!-~]{1,64}").fullmatch


def to_account_id(value: object) -> str:
    """Raises ValueError for what is none: two accounts whose ids were both read as "" would be taken for one."""
    if not isinstance(value, str) or not _fits(value):
        raise ValueError("an account without an id")
    return value
