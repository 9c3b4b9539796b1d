"""Bearer tokens of programs: made once and shown once, kept as a keyed hash, found by their prefix, compared in constant time."""

import hashlib
import hmac
import secrets
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
_PREFIX_CHARACTERS = 8
_LAST_USED_PRECISION = timedelta(minutes=1)


def create(user: User, name: str, scopes: list[str], *, expires_at: datetime | None = None) -> str:
    """Returns the token, which cannot be shown again."""
    prefix = secrets.token_hex(_PREFIX_CHARACTERS // 2)
    secret = secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, name=name, prefix=prefix, digest=_digest(secret), scopes=scopes, expires_at=expires_at)
    return f"{MARK}_{prefix}_{secret}"


def revoke(found: QuerySet[ApiToken], now: datetime) -> int:
    """From now on they open nothing. Returns how many did until now; when one was revoked before is kept."""
    return found.filter(revoked_at=None).update(revoked_at=now)


def owner_of(text: str, now: datetime) -> ApiToken | None:
    """The valid token that `text` is, with its user; None for anything else."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first() if mark == MARK else None
    if token is None or not hmac.compare_digest(token.digest, _digest(secret)):
        return None
    if token.revoked_at or (token.expires_at and token.expires_at <= now) or not token.user.is_active:
        return None
    if token.last_used_at is None or now - token.last_used_at > _LAST_USED_PRECISION:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _digest(secret: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), hashlib.sha256).hexdigest()
