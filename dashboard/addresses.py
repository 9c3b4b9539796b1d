"""Where a request comes from. What headers say of that is believed only of the proxy that HTTPS=1 says is there."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_IPV6_OF_ONE_CUSTOMER = 64


def client_address(request: HttpRequest) -> str:
    """Behind the proxy the last entry of X-Forwarded-For: that one it wrote itself, the others came from outside. "" where nobody knows."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    if settings.HTTPS:
        forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
        return _plain(forwarded) or _plain(peer)
    return _plain(peer)


def throttled_address(request: HttpRequest) -> str | None:
    """What counts as one address for failed sign-ins: of IPv6 the network that one customer has at least, or each guess would come from
    a new one."""
    address = client_address(request)
    if ":" not in address:
        return address or None
    return str(ip_network((address, _IPV6_OF_ONE_CUSTOMER), strict=False).network_address)


def _plain(text: str) -> str:
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
