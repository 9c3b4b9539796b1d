"""Client order ids that all three venues take and that never repeat: letters and digits, a letter first, at most 32."""

import base64
import re

import uuid_utils

PREFIX = "cb"
_OURS = re.compile(PREFIX + r"[a-z2-7]{26}00")


def new_client_order_id() -> str:
    """`cb`, 26 characters of a time-ordered uuid7 in base 32, `00` for the first leg."""
    text = base64.b32encode(uuid_utils.uuid7().bytes).decode().rstrip("=").lower()
    return f"{PREFIX}{text}00"


def is_made_here(client_order_id: str) -> bool:
    """Whether the id has the form that new_client_order_id gives."""
    return _OURS.fullmatch(client_order_id) is not None
