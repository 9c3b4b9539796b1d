"""The market's next second may begin between any two looks at the clock that one request takes: what it brings then is never an error."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from exchanges.sandbox.model import Leg, MarginMode, Venue
from tests.sandbox.binance_wire import BinanceWire
from tests.sandbox.bybit_wire import BybitWire
from tests.sandbox.conservation import Venues
from tests.sandbox.exchange import Clock
from tests.sandbox.okx_wire import OkxWire
from tests.sandbox.wires import Order, Wire

LOOKS = range(1, 40)  # more than what is asked here takes


class Turning(Clock):
    """Goes on by a second once it has been looked at so many times."""

    looks = 0

    def __call__(self) -> int:
        if self.looks:
            self.looks -= 1
            self.ms += 0 if self.looks else 1_000
        return self.ms


@pytest.fixture
async def venues(tmp_path: Path) -> AsyncIterator[Venues]:
    venues = Venues(tmp_path / "ledger.jsonl")
    venues.clock = Turning()
    await venues.start()
    yield venues
    await venues.stop()


async def resting(venues: Venues, wire: Wire) -> Decimal:
    """Two buys, the nearer of which is filled when the next second begins; returns its price."""
    listing = venues.engine.listing(wire.venue, "BTCUSDT")
    mark = venues.engine.mark(wire.venue, "BTCUSDT")
    near, far = (mark * Decimal(share) // listing.tick * listing.tick for share in ("0.999", "0.98"))
    for price in (near, far):
        assert await wire.order(Order("BTC", True, Decimal("0.01"), price, Leg.NET, MarginMode.CROSS, reduce_only=False))
    venues.engine.shock("BTCUSDT", Decimal("0.99"))
    return near


@pytest.mark.parametrize(("venue", "kind"), [(Venue.BINANCE, BinanceWire), (Venue.BYBIT, BybitWire), (Venue.OKX, OkxWire)])
async def test_cancel_all_leaves_no_order_behind(venues: Venues, venue: Venue, kind: type[BinanceWire | BybitWire | OkxWire]) -> None:
    assert isinstance(venues.clock, Turning)
    outcomes = set()
    async with aiohttp.ClientSession() as http:
        for looks in LOOKS:
            wire = kind(http, f"{venues.url}/{venue}", f"someone{looks}")
            await resting(venues, wire)
            venues.clock.looks = looks
            answered = await wire.cancel_all("BTC")
            account = venues.engine.account(venue, wire.name)
            outcomes.add(bool(account.positions))
            assert venues.engine.open_orders(account) == []
            assert answered or (venue is Venue.OKX and account.positions)  # a batch there, which says that one of them was filled
            venues.clock.looks = 0
            venues.engine.shock("BTCUSDT", 1 / Decimal("0.99"))
            venues.clock.ms += 1_000
    assert outcomes == {True, False}


@pytest.mark.parametrize("gives_up", ["true", "false"])
async def test_an_order_that_fills_while_it_is_amended_or_canceled_is_gone(venues: Venues, gives_up: str) -> None:
    assert isinstance(venues.clock, Turning)
    async with aiohttp.ClientSession() as http:
        for looks in LOOKS:
            wire = OkxWire(http, f"{venues.url}/okx", f"someone{looks}")
            price = await resting(venues, wire)
            near = next(row for row in (await wire.client.get("/api/v5/trade/orders-pending")).data if Decimal(row["px"]) == price)
            named = {"instId": "BTC-USDT-SWAP", "ordId": near["ordId"]}
            venues.clock.looks = looks
            amended = await wire.client.post("/api/v5/trade/amend-order", named | {"newSz": "2", "cxlOnFail": gives_up})
            assert amended.row["sCode"] in ("0", "51503")
            canceled = await wire.client.post("/api/v5/trade/cancel-order", named)
            assert canceled.row["sCode"] in ("0", "51400")
            venues.clock.looks = 0
            venues.engine.shock("BTCUSDT", 1 / Decimal("0.99"))
            venues.clock.ms += 1_000
