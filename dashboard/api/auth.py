"""Who is calling: a bearer token, or a signed-in browser with its CSRF token. An Authorization header decides alone."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from dashboard.addresses import client_address
from dashboard.api.parsing import require_json
from portfolio import tokens
from portfolio.models import TokenOwner

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class MissingScope(Exception):
    """The token is valid but may not do this."""


class CsrfRefused(Exception):
    """A browser's request without its CSRF token."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is who portfolio.access is asked for: with a token its owner, who sees no more than the token names."""

    user: User
    scopes: frozenset[str]


class BearerOrSession(AuthBase):
    """`openapi_*` and `csrf` tell the description and its page what to send."""

    openapi_type = "http"
    openapi_scheme = "bearer"
    csrf = True

    def __init__(self, *, write_scope: str = tokens.TRADE) -> None:
        """`write_scope`: what a token needs for whatever is not merely read."""
        super().__init__()
        self._write_scope = write_scope

    def __call__(self, request: HttpRequest) -> Caller:
        """Raises AuthenticationError, MissingScope for a write with a token that only reads, or CsrfRefused."""
        header = request.headers.get("Authorization")
        caller = _from_session(request) if header is None else _from_token(header, client_address(request))
        needed = tokens.READ if request.method in SAFE_METHODS else self._write_scope
        if needed not in caller.scopes:
            raise MissingScope(f"This token lacks the scope {needed}.")
        return caller


def caller_of(request: HttpRequest) -> User:
    """The user of an authenticated request, to be handed on as it is: read anew it would be the user without the token's limits."""
    caller: Caller = request.auth  # type: ignore[attr-defined]  # set by ninja from what authenticate returned
    return caller.user


def _from_token(header: str, address: str) -> Caller:
    scheme, _, text = header.partition(" ")
    token = tokens.owner_of(text.strip(), datetime.now(UTC), address) if scheme.lower() == "bearer" else None
    if token is None:
        raise AuthenticationError
    scopes = set(token.scopes)
    # Whoever may change something must be able to see what became of it.
    return Caller(TokenOwner.of(token), frozenset(scopes | ({tokens.READ} if scopes else set())))


def _from_session(request: HttpRequest) -> Caller:
    if not isinstance(request.user, User):
        raise AuthenticationError
    if request.method == "POST":
        require_json(request)  # the CSRF check would look for its token in a form and use the body up
    if request.method not in SAFE_METHODS and check_csrf(request) is not None:
        raise CsrfRefused("The CSRF token is missing or wrong; programs use a bearer token instead.")
    return Caller(request.user, frozenset(tokens.SCOPES))
