"""The page that describes the API: Swagger from ninja's own static files, so that it needs no other host."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger


class Docs(Swagger):
    def __init__(self) -> None:
        # Without this Swagger has the description judged by a badge from its makers' host.
        super().__init__({"validatorUrl": None})

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Its style sheet draws arrows from data: URLs; scripts and styles stay as strict as everywhere."""
        render = csp_update({"img-src": [SELF, "data:"]})(super().render_page)
        page: HttpResponse = render(request, api, **kwargs)
        return page
