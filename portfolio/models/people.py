"""How people and their programs come in: the sessions of browsers and the bearer tokens of programs."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class UserSession(AbstractBaseSession):
    """One browser that somebody signed in with. The key opens the site to whoever holds it: it is shown nowhere. `address` and
    `user_agent` are those of the last visit, which is kept to the minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="sessions")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")
    signed_in_at = models.DateTimeField(null=True)
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"session of {self.user}"


class ApiToken(models.Model):
    """A program's key to the REST API. Only its hash is kept; `prefix` finds it. Scopes: read, trade, admin. `account_ids` are the only
    accounts that it opens, None for all of its user's: a list whose accounts are gone opens nothing. `addresses` are the IP addresses and
    networks that it is taken from, none for any."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=list)
    account_ids = models.JSONField(null=True, blank=True)
    addresses = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_token_per_name", fields=["user", "name"])]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class TokenOwner(User):
    """A user as one of their tokens lets a program be them: a user everywhere, with no other accounts than the token names.

    portfolio.access looks at `account_ids`, so it must be handed this user and not one that was read anew."""

    account_ids: frozenset[int] | None = None

    class Meta:
        proxy = True
        default_permissions: ClassVar = ()

    @classmethod
    def of(cls, token: ApiToken) -> "TokenOwner":
        fields = [field.attname for field in User._meta.concrete_fields]
        owner = cls.from_db(token._state.db, fields, [getattr(token.user, name) for name in fields])
        owner.account_ids = None if token.account_ids is None else frozenset(token.account_ids)
        return owner
