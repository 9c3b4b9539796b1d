"""(exchange, environment, region) -> base URLs, from a fixed list: never text that a person can edit.

Sources: the venues' API documentation, read November 2026. The sandbox's address is this installation's own (SANDBOX_URL).
"""

import os
from dataclasses import dataclass

from exchanges.domain import Environment, ExchangeType

SANDBOX_URL_VARIABLE = "SANDBOX_URL"
DEFAULT_SANDBOX_URL = "http://127.0.0.1:9100"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`rest` has no trailing slash and no API path. `is_paper` marks a venue that tells demo trading by a header, not by its host (OKX).
    `wallet` is where Binance tells what a key may do: its futures host cannot, and its demo has no such host."""

    rest: str
    is_paper: bool = False
    wallet: str = ""


_TABLE: dict[tuple[ExchangeType, Environment, str], Endpoints] = {
    (ExchangeType.BINANCE, Environment.LIVE, ""): Endpoints("https://fapi.binance.com", wallet="https://api.binance.com"),
    (ExchangeType.BINANCE, Environment.DEMO, ""): Endpoints("https://demo-fapi.binance.com"),
    (ExchangeType.BYBIT, Environment.LIVE, ""): Endpoints("https://api.bybit.com"),
    (ExchangeType.BYBIT, Environment.LIVE, "eu"): Endpoints("https://api.bybit.eu"),
    (ExchangeType.BYBIT, Environment.DEMO, ""): Endpoints("https://api-demo.bybit.com"),
    (ExchangeType.OKX, Environment.LIVE, ""): Endpoints("https://www.okx.com"),
    (ExchangeType.OKX, Environment.LIVE, "eea"): Endpoints("https://eea.okx.com"),
    (ExchangeType.OKX, Environment.LIVE, "us"): Endpoints("https://us.okx.com"),
    (ExchangeType.OKX, Environment.DEMO, ""): Endpoints("https://www.okx.com", is_paper=True),
    (ExchangeType.OKX, Environment.DEMO, "eea"): Endpoints("https://eea.okx.com", is_paper=True),
    (ExchangeType.OKX, Environment.DEMO, "us"): Endpoints("https://us.okx.com", is_paper=True),
}


def regions_for(exchange: ExchangeType, environment: Environment) -> list[str]:
    """The regions that exist for an exchange and environment; "" is the global one."""
    if environment is Environment.SANDBOX:
        return [""]
    return [region for (venue, world, region) in _TABLE if (venue, world) == (exchange, environment)]


def endpoints_for(exchange: ExchangeType, environment: Environment, region: str = "") -> Endpoints:
    """Raises ValueError naming what does not exist."""
    if environment is Environment.SANDBOX:
        if region:
            raise ValueError(f"region must be empty in the sandbox, was {region!r}")
        base = (os.environ.get(SANDBOX_URL_VARIABLE) or DEFAULT_SANDBOX_URL).rstrip("/")
        rest = f"{base}/{exchange.value}"
        return Endpoints(rest, wallet=rest if exchange is ExchangeType.BINANCE else "")
    try:
        return _TABLE[exchange, environment, region]
    except KeyError:
        known = ", ".join(repr(name) for name in regions_for(exchange, environment)) or "none"
        raise ValueError(f"region must be one of {known} for {exchange.value} {environment.value}, was {region!r}") from None
