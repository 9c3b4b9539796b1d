"""The catalogue of a venue's instruments: asked once an hour, shared, and never lost to a failed reload."""

import asyncio
from decimal import Decimal

import pytest

from exchanges.domain import Instrument, InstrumentStatus
from exchanges.errors import BadVenueResponse, ExchangeUnavailable, UnknownSymbol
from exchanges.instruments import RELOAD_AFTER_S, RETRY_AFTER_S, InstrumentCatalogue, split_multiplier


def instrument(symbol: str, venue_symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        venue_symbol=venue_symbol,
        underlying=symbol.removesuffix("USDT"),
        tick=Decimal("0.1"),
        lot=Decimal("0.01"),
        min_quantity=Decimal("0.01"),
        status=InstrumentStatus.TRADING,
    )


BTC, ETH = instrument("BTCUSDT", "BTC-USDT-SWAP"), instrument("ETHUSDT", "ETH-USDT-SWAP")


class Venue:
    """Lists `listed`, or fails; counts how often it was asked. `now` is the clock of the catalogue."""

    def __init__(self) -> None:
        self.listed = [BTC]
        self.is_up = True
        self.asked = 0
        self.now = 1_000.0

    async def load(self) -> list[Instrument]:
        self.asked += 1
        await asyncio.sleep(0)
        if not self.is_up:
            raise ExchangeUnavailable("down for a moment")
        return self.listed

    def catalogue(self) -> InstrumentCatalogue:
        return InstrumentCatalogue(self.load, monotonic=lambda: self.now)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("BTC", ("BTC", 1)),
        ("1000PEPE", ("PEPE", 1000)),
        ("10000LADYS", ("LADYS", 10_000)),
        ("1000000MOG", ("MOG", 1_000_000)),
        ("1MBABYDOGE", ("BABYDOGE", 1_000_000)),
        ("1INCH", ("1INCH", 1)),
        ("1000", ("1000", 1)),
        ("1000000", ("1000000", 1)),
        ("10000000AIDOGE", ("AIDOGE", 10_000_000)),
        ("1000SATS", ("SATS", 1000)),
        ("1000X", ("X", 1000)),
        ("1001DOGS", ("1001DOGS", 1)),
        ("100DOGS", ("100DOGS", 1)),
        ("PEPE1000", ("PEPE1000", 1)),
    ],
)
def test_a_multiplier_is_read_from_the_name_of_the_base(base: str, expected: tuple[str, int]) -> None:
    assert split_multiplier(base) == expected


async def test_nothing_is_asked_before_the_first_question() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    assert venue.asked == 0
    assert await catalogue.by_symbol("BTCUSDT") is BTC
    assert await catalogue.by_venue_symbol() == {"BTC-USDT-SWAP": BTC}
    assert await catalogue.all() == [BTC]
    assert venue.asked == 1


async def test_many_first_questions_ask_the_venue_once() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    assert await asyncio.gather(*(catalogue.by_symbol("BTCUSDT") for _ in range(50))) == [BTC] * 50
    assert venue.asked == 1


async def test_an_unlisted_symbol_is_unknown() -> None:
    with pytest.raises(UnknownSymbol, match="was XYZUSDT") as refusal:
        await Venue().catalogue().by_symbol("XYZUSDT")
    assert refusal.value.field == "symbol"


async def test_after_an_hour_the_venue_is_asked_again() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.listed = [BTC, ETH]
    venue.now += RELOAD_AFTER_S - 1
    assert await catalogue.all() == [BTC]
    venue.now += 1
    assert await catalogue.all() == [BTC, ETH]
    assert venue.asked == 2


async def test_what_is_delisted_is_gone_after_a_reload() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.listed = [ETH]
    assert await catalogue.reload() == [ETH]
    with pytest.raises(UnknownSymbol):
        await catalogue.by_symbol("BTCUSDT")


async def test_a_reload_that_fails_leaves_what_was_known() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.is_up = False
    with pytest.raises(ExchangeUnavailable):
        await catalogue.reload()
    assert await catalogue.by_symbol("BTCUSDT") is BTC


async def test_a_list_that_is_suddenly_empty_is_no_list() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.listed = []
    with pytest.raises(BadVenueResponse):
        await catalogue.reload()
    venue.now += RELOAD_AFTER_S
    assert await catalogue.by_venue_symbol() == {"BTC-USDT-SWAP": BTC}


async def test_a_venue_that_lists_nothing_yet_is_asked_again_soon() -> None:
    venue = Venue()
    venue.listed = []
    catalogue = venue.catalogue()
    assert await catalogue.by_venue_symbol() == {}
    venue.listed = [BTC]
    venue.now += RETRY_AFTER_S - 1
    assert await catalogue.by_venue_symbol() == {}
    venue.now += 1
    assert await catalogue.by_venue_symbol() == {"BTC-USDT-SWAP": BTC}
    assert venue.asked == 2


async def test_an_hour_later_a_venue_that_is_down_does_not_take_the_catalogue_away() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.is_up = False
    venue.now += RELOAD_AFTER_S
    assert await catalogue.by_symbol("BTCUSDT") is BTC


async def test_a_first_load_that_fails_says_so_and_the_next_question_asks_again() -> None:
    venue = Venue()
    venue.is_up = False
    catalogue = venue.catalogue()
    with pytest.raises(ExchangeUnavailable):
        await catalogue.by_symbol("BTCUSDT")
    venue.is_up = True
    assert await catalogue.by_symbol("BTCUSDT") is BTC


async def test_a_venue_that_stays_down_is_not_asked_by_every_question() -> None:
    venue = Venue()
    catalogue = venue.catalogue()
    await catalogue.all()
    venue.is_up = False
    venue.now += RELOAD_AFTER_S
    for _ in range(3):
        await catalogue.all()
    assert venue.asked == 2
    venue.now += RETRY_AFTER_S
    await catalogue.all()
    assert venue.asked == 3
