"""Secrets with bytes that nothing else has, and every form in which they could be found again."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from redis import Redis

_SHORTEST_HALF = 10


def forms_of(secret: str) -> set[bytes]:
    """Raw, halved, reversed, hexadecimal, escaped for an address, and base64 wherever in a longer text it stands."""
    raw = secret.encode()
    half = len(raw) // 2
    parts = [raw, raw[:half], raw[half:]] if half >= _SHORTEST_HALF else [raw]
    found = {variant for part in parts for variant in (part, part[::-1])}
    found |= {binascii.hexlify(raw), binascii.hexlify(raw).upper(), quote(secret, safe="").encode(), quote_plus(secret).encode()}
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Only the middle: what stands before and after decides on the characters at the ends.
            found.add(encode(b"\0" * before + raw + b"\0" * ((3 - (before + len(raw)) % 3) % 3))[4 if before else 0 : -4])
    return found


@dataclass(frozen=True, slots=True)
class Canary:
    """`secrets` are whole values: an API key, its secret, a passphrase."""

    secrets: tuple[str, ...]

    def found_in(self, content: bytes | str) -> list[str]:
        """The forms in which any of them is in `content`."""
        text = content.encode(errors="surrogateescape") if isinstance(content, str) else content
        return [form.decode(errors="replace") for secret in self.secrets for form in forms_of(secret) if form in text]


def everything_in(client: Redis) -> Iterator[bytes]:
    """Every key of a Valkey and what it holds, a task's message unpacked as well."""
    for key in client.scan_iter(count=1_000):
        yield key
        yield from _values_of(client, key)


def _values_of(client: Any, key: bytes) -> list[bytes]:
    kind = client.type(key)
    if kind == b"string":
        return [client.get(key) or b""]
    if kind == b"list":
        return list(client.lrange(key, 0, -1))
    if kind == b"hash":
        return [part for pair in client.hgetall(key).items() for part in pair]
    return list(client.smembers(key) if kind == b"set" else client.zrange(key, 0, -1))
