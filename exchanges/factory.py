"""From a configuration to a client: the one place that knows which adapter serves which exchange."""

from collections.abc import Callable

from exchanges.adapters.binance import exchange as binance
from exchanges.adapters.bybit import exchange as bybit
from exchanges.adapters.okx import exchange as okx
from exchanges.domain import ExchangeConfig, ExchangeType
from exchanges.protocol import Capabilities, IExchangeClient
from exchanges.venue import VenueContext, VenueRegistry, private_venue

_ADAPTERS: dict[ExchangeType, Callable[[ExchangeConfig, VenueContext], IExchangeClient]] = {
    ExchangeType.BINANCE: binance.BinanceExchange,
    ExchangeType.BYBIT: bybit.BybitExchange,
    ExchangeType.OKX: okx.OkxExchange,
}

_CAPABILITIES: dict[ExchangeType, Capabilities] = {
    ExchangeType.BINANCE: binance.CAPABILITIES,
    ExchangeType.BYBIT: bybit.CAPABILITIES,
    ExchangeType.OKX: okx.CAPABILITIES,
}


def capabilities_of(exchange: ExchangeType) -> Capabilities:
    """What the adapter of `exchange` carries out today."""
    return _CAPABILITIES[exchange]


def get_exchange_client(config: ExchangeConfig, registry: VenueRegistry | None = None) -> IExchangeClient:
    """A client for one account. Makes no request. Clients that share a `registry` share connections, clock and instruments; without one
    the client has its own, which its aclose() closes. Use it on one event loop. Raises ValueError for an environment or region that does
    not exist."""
    venue = registry.venue(config) if registry else private_venue(config)
    return _ADAPTERS[config.exchange_type](config, venue)
