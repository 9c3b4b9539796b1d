"""Bearer tokens of programs: made once and shown once, kept as a keyed hash, found by their prefix, compared in constant time."""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from portfolio.models import ApiToken

READ = "read"
TRADE = "trade"
ADMIN = "admin"
SCOPES = (READ, TRADE, ADMIN)

MARK = "cbk"
MAX_ADDRESSES = 20
_PREFIX_CHARACTERS = 8
_LAST_USED_PRECISION = timedelta(minutes=1)


def create(
    user: User,
    name: str,
    scopes: Sequence[str],
    *,
    expires_at: datetime | None = None,
    account_ids: Collection[int] | None = None,
    addresses: Sequence[str] = (),
) -> str:
    """Returns the token, which cannot be shown again. `account_ids`: None for all accounts of `user`, now and later; `addresses` as
    networks_in() returns them. Raises ValueError for what check() refuses."""
    check(scopes, account_ids)
    prefix = secrets.token_hex(_PREFIX_CHARACTERS // 2)
    secret = secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=_digest(secret, settings.SECRET_KEY),
        scopes=list(scopes),
        expires_at=expires_at,
        account_ids=None if account_ids is None else sorted(account_ids),
        addresses=list(addresses),
    )
    return f"{MARK}_{prefix}_{secret}"


def check(scopes: Sequence[str], account_ids: Collection[int] | None) -> None:
    """Raises ValueError, with a sentence for people, for what no token can be."""
    if ADMIN in scopes and account_ids is not None:
        raise ValueError("scopes must leave out admin for a token of single accounts: what a manager does concerns the whole portfolio")
    if account_ids is not None and not account_ids:
        raise ValueError("accounts must name at least one account, or all")


def networks_in(text: str) -> list[str]:
    """IP addresses and networks separated by commas or white space, each in its usual form. Raises ValueError with a sentence."""
    found = []
    for word in text.replace(",", " ").split():
        try:
            network = ipaddress.ip_network(word)
        except ValueError:
            raise ValueError(f"addresses must be IP addresses or networks such as 192.0.2.7 or 192.0.2.0/24, one was {word[:60]}") from None
        found.append(str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network))
    if len(found) > MAX_ADDRESSES:
        raise ValueError(f"addresses must be at most {MAX_ADDRESSES}, were {len(found)}")
    return list(dict.fromkeys(found))


def revoke(found: QuerySet[ApiToken], now: datetime) -> int:
    """From now on they open nothing. Returns how many did until now; when one was revoked before is kept."""
    return found.filter(revoked_at=None).update(revoked_at=now)


def owner_of(text: str, now: datetime, address: str = "") -> ApiToken | None:
    """The valid token that `text` is, with its user; None for anything else. `address` is where it came from, "" where nobody knows."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first() if mark == MARK else None
    if token is None or not any(hmac.compare_digest(token.digest, _digest(secret, key)) for key in _keys()):
        return None
    if token.revoked_at or (token.expires_at and token.expires_at <= now) or not token.user.is_active:
        return None
    if token.addresses and not _is_within(address, token.addresses):
        return None
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _is_within(address: str, networks: Sequence[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in ipaddress.ip_network(network) for network in networks)


def _keys() -> list[str]:
    """The newest first: a key that is on its way out goes on opening what was made with it."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _digest(secret: str, key: str) -> str:
    return hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest()
