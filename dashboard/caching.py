"""Whatever a view answers is for one person at one moment: no browser and no proxy keeps it (S43). Static files do not come this way."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, patch_vary_headers


def never_kept(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "no-store" not in response.get("Cache-Control", ""):
            del response["Cache-Control"]
            add_never_cache_headers(response)
        # The same address answers with a page or with a fragment of one.
        patch_vary_headers(response, ["HX-Request", "Cookie"])
        return response

    return middleware
