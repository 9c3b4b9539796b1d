"""Between the network and the site: whose word is taken for where a request comes from, what machines may ask without knowing the site's
name, and the headers that Django does not send by itself."""

import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse

from dashboard import operation
from dashboard.operation import Network

_OF_A_PROXY = (b"forwarded", b"x-forwarded-", b"x-real-ip")
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "encrypted-media", "geolocation"),
        *("gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment", "serial", "usb"),
        *("xr-spatial-tracking",),
    )
)

Scope = dict[str, Any]
Application = Callable[[Scope, Any, Any], Awaitable[None]]


def behind_proxy(application: Application, proxies: Iterable[Network]) -> Application:
    """What proxies say (X-Forwarded-For, -Proto, -Host and the like) reaches the site only from these (S18)."""
    networks = list(proxies)

    async def filtered(scope: Scope, receive: Any, send: Any) -> None:
        if "headers" in scope and not _is_within(scope.get("client"), networks):
            kept = [(name, value) for name, value in scope["headers"] if not name.lower().startswith(_OF_A_PROXY)]
            scope = {**scope, "headers": kept}
        await application(scope, receive, send)

    return filtered


def for_machines(application: Application, host: str) -> Application:
    """Puts the site's own name in place of whatever address a probe or a scraper used."""

    async def named(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in operation.FOR_MACHINES:
            others = [(name, value) for name, value in scope["headers"] if name.lower() != b"host"]
            scope = {**scope, "headers": [*others, (b"host", host.encode())]}
        await application(scope, receive, send)

    return named


def with_policies(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: the site asks a browser for none of its devices, and nothing that it shows may."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def _is_within(client: Any, networks: Iterable[Network]) -> bool:
    try:
        address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(client[0])
    except (TypeError, IndexError, ValueError):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
