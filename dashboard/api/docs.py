"""The description of the API and the page that shows it: for whoever may call the API and for nobody else (S86). The page is Swagger from
ninja's own static files, so that it needs no other host."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Swagger
from ninja.errors import AuthenticationError
from ninja.openapi.views import openapi_view

from dashboard.api.auth import BearerOrSession, MissingScope

_who_calls = BearerOrSession()


class Docs(Swagger):
    def __init__(self) -> None:
        # Without this Swagger has the description judged by a badge from its makers' host.
        super().__init__({"validatorUrl": None})

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Its style sheet draws arrows from data: URLs; scripts and styles stay as strict as everywhere."""
        render = csp_update({"img-src": [SELF, "data:"]})(super().render_page)
        page: HttpResponse = render(request, api, **kwargs)
        return page


def for_callers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Around ninja's views of the description, which ask nobody who they are. A browser that comes to the page is sent to sign in."""

    assert isinstance(view, partial)  # noqa: S101  (as ninja 1.7 hands them over: with the API that they are of)

    @require_safe
    @wraps(view.func)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            _who_calls(request)
        except (AuthenticationError, MissingScope) as error:
            if view.func is openapi_view and "Authorization" not in request.headers:
                return redirect_to_login(request.get_full_path())
            api: NinjaAPI = view.keywords["api"]
            return api.on_exception(request, error)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return guarded
