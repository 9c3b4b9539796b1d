"""What a person sees to for themselves: where they are signed in, and the tokens of their programs."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from dashboard import sessions
from dashboard.people_forms import TokenForm
from dashboard.requests import HtmxHttpRequest
from portfolio import access, tokens
from portfolio.models import ApiToken


@dataclass(frozen=True, slots=True)
class ShownToken:
    """`state` is active, expired or revoked; `accounts` in words, empty for all of them."""

    token: ApiToken
    state: str
    accounts: list[str]


@never_cache
@login_required
@require_GET
def settings(request: HtmxHttpRequest) -> HttpResponse:
    return _page(request, TokenForm(request.user))


@never_cache
@login_required
@require_POST
def token_create(request: HtmxHttpRequest) -> HttpResponse:
    """The page that this answers with is the only one that ever shows the token: nothing keeps it for another request."""
    form = TokenForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    text = form.make(datetime.now(UTC))
    return _page(request, TokenForm(request.user), fresh=text)


@never_cache
@login_required
@require_POST
def token_revoke(request: HtmxHttpRequest, token_id: int) -> HttpResponse:
    found = ApiToken.objects.filter(user=request.user, pk=token_id)
    if not found.exists():
        raise Http404
    revoked = tokens.revoke(found, datetime.now(UTC))
    _say(request, "The token is revoked: it opens nothing any more." if revoked else "The token had been revoked before.")
    return redirect("settings")


@never_cache
@login_required
@require_POST
def session_end(request: HtmxHttpRequest, handle: str) -> HttpResponse:
    is_this_one = any(device.is_this_one and device.handle == handle for device in _devices(request))
    if not sessions.end(request.user, handle):
        _say(request, "That device had been signed out before.")
    elif is_this_one:
        logout(request)
        return redirect("login")
    else:
        _say(request, "The device is signed out.")
    return redirect("settings")


@never_cache
@login_required
@require_POST
def sessions_end_others(request: HtmxHttpRequest) -> HttpResponse:
    count = sessions.end_others(request.user, request.session.session_key)
    _say(request, f"Signed out: {count} other {'device' if count == 1 else 'devices'}.")
    return redirect("settings")


def _page(request: HtmxHttpRequest, form: TokenForm, *, fresh: str = "", status: int = 200) -> HttpResponse:
    devices = _devices(request)
    context = {
        "devices": devices,
        "has_others": any(not device.is_this_one for device in devices),
        "tokens": _tokens_of(request.user),
        "form": form,
        "fresh": fresh,
        "has_password": request.user.has_usable_password(),
    }
    return render(request, "pages/settings.html", context, status=status)


def _devices(request: HtmxHttpRequest) -> list[sessions.Device]:
    return sessions.devices_of(request.user, request.session.session_key)


def _tokens_of(user: User) -> list[ShownToken]:
    """What still opens something first, then the newest."""
    now = datetime.now(UTC)
    names = {account.pk: str(account) for account in access.accounts_for(user)}
    shown = [
        ShownToken(
            token,
            "revoked" if token.revoked_at else "expired" if token.expires_at and token.expires_at <= now else "active",
            [names.get(number, f"account {number}, gone") for number in token.account_ids or []],
        )
        for token in ApiToken.objects.filter(user=user).order_by("-created_at")
    ]
    return sorted(shown, key=lambda each: each.state != "active")


def _say(request: HtmxHttpRequest, sentence: str) -> None:
    messages.add_message(request, messages.INFO, sentence, extra_tags="ok")
