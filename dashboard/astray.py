"""Requests that cannot be carried out where they arrive: an address that only takes forms was opened, or a form was sent after its session
had ended. Whoever sent them reads what became of it and where to go on."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from dashboard.api.errors import PREFIX

_TOO_LATE = "You had been signed out, so this was not carried out. Sign in and repeat it."


def shown_the_way(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, for the pages: programs get the bare answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path.startswith(PREFIX):
            return response
        if response.status_code == 405 and request.method == "GET":
            page = render(request, "405.html", status=405)
            page["Allow"] = response["Allow"]
            return page
        if request.method == "POST" and _asks_to_sign_in(response):
            return _back_to_the_form(request)
        return response

    return middleware


def _asks_to_sign_in(response: HttpResponse) -> bool:
    there = urlsplit(response.headers.get("Location", ""))
    return response.status_code == 302 and there.path == resolve_url(settings.LOGIN_URL) and there.query.startswith("next=")


def _back_to_the_form(request: HttpRequest) -> HttpResponse:
    """Django would go on to where the form was sent to, which shows nothing."""
    if not request.headers.get("HX-Request"):
        messages.add_message(request, messages.INFO, _TOO_LATE, extra_tags="warning")
    came_from = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came_from, allowed_hosts={request.get_host()}):
        return redirect_to_login("/")
    there = urlsplit(came_from)
    return redirect_to_login(f"{there.path}?{there.query}" if there.query else there.path)
