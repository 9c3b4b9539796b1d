"""Which keys can be sent at all: a header takes plain characters, and of others the transport would make an error that names no key."""

import re

from exchanges.errors import BadApiKey

_fits_a_header = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch


def refuse_unusable_keys(exchange: str, api_secret: str, *in_headers: str) -> None:
    """`in_headers`: what travels as it is, the API key and where there is one the passphrase. Raises BadApiKey before anything is sent."""
    if not api_secret or not all(map(_fits_a_header, in_headers)):
        raise BadApiKey("the account's key or secret is empty or holds characters that no key has", exchange=exchange)
