"""What all accounts of one venue and environment share: base URLs, transport, clock offset, instruments."""

from collections.abc import Awaitable, Callable, Sequence

from exchanges.clock import VenueClock
from exchanges.domain import Environment, ExchangeConfig, ExchangeType, Instrument
from exchanges.endpoints import Endpoints, endpoints_for
from exchanges.instruments import InstrumentCatalogue
from exchanges.transport import Transport


class VenueContext:
    """`is_private` marks the venue of one client alone, which ends with it."""

    def __init__(self, endpoints: Endpoints, transport: Transport, *, is_private: bool = False) -> None:
        self._is_private = is_private
        self.endpoints = endpoints
        self.transport = transport
        self.clock = VenueClock()
        self._catalogue: InstrumentCatalogue | None = None

    def catalogue(self, load: Callable[[], Awaitable[Sequence[Instrument]]]) -> InstrumentCatalogue:
        """The shared catalogue; the first account's `load` (a public endpoint) serves all of them."""
        if self._catalogue is None:
            self._catalogue = InstrumentCatalogue(load)
        return self._catalogue

    async def aclose(self) -> None:
        """Called by each client of the venue when it is closed. Shared connections stay open: they are the registry's to close."""
        if self._is_private:
            await self.transport.aclose()


class VenueRegistry:
    """Holds one VenueContext per (exchange, environment, region) and the transport under them all. One per event loop."""

    def __init__(self) -> None:
        self._transport = Transport()
        self._venues: dict[tuple[ExchangeType, Environment, str], VenueContext] = {}

    def venue(self, config: ExchangeConfig) -> VenueContext:
        """Raises ValueError where the combination does not exist."""
        key = (config.exchange_type, config.environment, config.region)
        if key not in self._venues:
            self._venues[key] = VenueContext(endpoints_for(*key), self._transport)
        return self._venues[key]

    async def aclose(self) -> None:
        await self._transport.aclose()


def private_venue(config: ExchangeConfig) -> VenueContext:
    """The venue of a client that shares nothing. Raises ValueError where the combination does not exist."""
    endpoints = endpoints_for(config.exchange_type, config.environment, config.region)
    return VenueContext(endpoints, Transport(), is_private=True)
