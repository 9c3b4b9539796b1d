"""What came of an action, told once: a toast beside the fragment where htmx asked, a message on the next page otherwise."""

import json
from typing import Literal

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from dashboard.requests import HtmxHttpRequest

ToastTone = Literal["ok", "warning", "danger"]


def finish(
    request: HtmxHttpRequest, text: str, tone: ToastTone, *, fragment: HttpResponse | None = None, status: int = 204
) -> HttpResponse:
    """The answer to a finished action. `fragment` is what htmx puts in place; without one the answer is empty."""
    if not request.htmx:
        messages.add_message(request, messages.INFO, text, extra_tags=tone)
        return redirect("home")
    response = fragment if fragment is not None else HttpResponse(status=status)
    response["HX-Trigger"] = json.dumps({"toast": {"text": text, "tone": tone}})
    return response
