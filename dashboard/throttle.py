"""How often a sign-in may fail: ten times in 15 minutes for an account and for an address (S23). django-axes counts, this says what.

An account is locked for devices it does not know. A device that was signed in before as that person, or is now, is known by a signed
cookie and counted by person and address alone: strangers elsewhere cannot lock it out. One-time links and bearer tokens are no sign-ins.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_client_username
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

COOKIE = "device"
COOKIE_AGE = timedelta(days=180)

# Of sign-ins that come at once each would be let through before the failure of another is counted; and each hash takes 100 MB.
one_at_a_time = Lock()


def remember_device(response: HttpResponse, user: User) -> None:
    """This browser is one of `user`'s from now on, until the password is changed."""
    response.set_signed_cookie(
        COOKIE,
        "known",
        salt=_salt(user),
        max_age=COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def lockout_parameters(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> list[str | list[str]]:
    """What failures are counted by; django-axes refuses where any of these has had too many."""
    name = get_client_username(request, dict(credentials) if credentials else None)
    return [["username", "ip_address"]] if _is_known(request, name) else ["username", "ip_address"]


def refused(request: HttpRequest, *_details: object) -> HttpResponse:
    """The page instead of the answer, the same whether the account is there or not."""
    # The middleware of django-axes 8.3 hands its details over in another order under ASGI: they are taken from the request.
    now = timezone.now()
    until = _free_again_at(request, getattr(request, "axes_credentials", None), now)
    wait = max(timedelta(seconds=1), until - now)
    context = {"until": until, "minutes": -(-wait // timedelta(minutes=1)), "failures": settings.AXES_FAILURE_LIMIT}
    response = render(request, "pages/login_refused.html", context, status=429)
    response["Retry-After"] = str(-(-wait // timedelta(seconds=1)))
    return response


def _is_known(request: HttpRequest, name: str | None) -> bool:
    present = getattr(request, "user", None)
    if isinstance(present, User) and present.get_username() == name:
        return True
    if not name or COOKIE not in request.COOKIES:
        return False
    user = User.objects.filter(username=name).first()
    return user is not None and request.get_signed_cookie(COOKIE, None, salt=_salt(user), max_age=COOKIE_AGE) is not None


def _salt(user: User) -> str:
    return f"dashboard.throttle:{user.pk}:{user.password}"


def _free_again_at(request: HttpRequest, credentials: Mapping[str, Any] | None, now: datetime) -> datetime:
    """When enough failures have grown old, by each of what they are counted by."""
    latest = now
    for attempts in AxesProxyHandler.get_implementation().get_user_attempts(request, credentials):
        rows = list(attempts.order_by("attempt_time"))
        left = sum(row.failures_since_start for row in rows)
        for row in rows:
            if left < settings.AXES_FAILURE_LIMIT:
                break
            left -= row.failures_since_start
            latest = max(latest, row.attempt_time + settings.AXES_COOLOFF_TIME)
    return latest
