"""The listings against the instruments the venues published, where a recording of them has the symbol."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.sandbox.listings import listings_of
from exchanges.sandbox.model import Listing, Venue

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"
ASSETS = {"BTC", "ETH", "SOL", "ADA", "XRP", "DOGE", "BNB", "AVAX", "LINK", "LTC", "DOT", "PEPE"}


def recorded(name: str) -> Any:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"no recorded payloads at {path}")
    payload = json.loads(path.read_text())["payload"]
    return json.loads(payload) if isinstance(payload, str) else payload


def by_symbol(venue: Venue) -> dict[str, Listing]:
    return {listing.venue_symbol: listing for listing in listings_of(venue)}


@pytest.mark.parametrize("venue", list(Venue))
def test_each_venue_lists_the_twelve_assets_with_possible_steps(venue: Venue) -> None:
    every = listings_of(venue)
    assert {listing.base.removeprefix("1000") for listing in every} == ASSETS
    assert len({listing.symbol for listing in every}) == len({listing.venue_symbol for listing in every}) == 12
    for listing in every:
        assert listing.min_quantity >= listing.lot > 0
        assert listing.max_quantity >= listing.max_market_quantity > listing.min_quantity
        assert all(quantity % listing.lot == 0 for quantity in (listing.min_quantity, listing.max_quantity, listing.max_market_quantity))
        assert listing.maintenance_rate < 1 / Decimal(listing.max_leverage)


def test_binance_filters_are_those_recorded() -> None:
    listings, seen = by_symbol(Venue.BINANCE), 0
    for row in recorded("binance/instruments__exchangeInfo-full.json")["symbols"]:
        if (listing := listings.get(row["symbol"])) is None:
            continue
        filters = {each["filterType"]: each for each in row["filters"]}
        assert (listing.tick, listing.lot) == (Decimal(filters["PRICE_FILTER"]["tickSize"]), Decimal(filters["LOT_SIZE"]["stepSize"]))
        assert listing.min_price == Decimal(filters["PRICE_FILTER"]["minPrice"])
        assert listing.max_price == Decimal(filters["PRICE_FILTER"]["maxPrice"])
        assert listing.min_quantity == Decimal(filters["LOT_SIZE"]["minQty"])
        assert listing.max_quantity == Decimal(filters["LOT_SIZE"]["maxQty"])
        assert listing.max_market_quantity == Decimal(filters["MARKET_LOT_SIZE"]["maxQty"])
        assert listing.min_notional == Decimal(filters["MIN_NOTIONAL"]["notional"])
        assert listing.price_band == Decimal(filters["PERCENT_PRICE"]["multiplierUp"]) - 1
        seen += 1
    assert seen == 12


def test_bybit_filters_are_those_recorded() -> None:
    listings, seen = by_symbol(Venue.BYBIT), 0
    for row in recorded("bybit/instruments__linear-full.json")["list"]:
        if (listing := listings.get(row["symbol"])) is None:
            continue
        prices, lots = row["priceFilter"], row["lotSizeFilter"]
        assert (listing.tick, listing.lot) == (Decimal(prices["tickSize"]), Decimal(lots["qtyStep"]))
        assert (listing.min_price, listing.max_price) == (Decimal(prices["minPrice"]), Decimal(prices["maxPrice"]))
        assert listing.min_quantity == Decimal(lots["minOrderQty"])
        assert listing.max_market_quantity == Decimal(lots["maxOrderQty"])
        assert listing.max_quantity == Decimal(lots["postOnlyMaxOrderQty"])
        assert listing.max_leverage == Decimal(row["leverageFilter"]["maxLeverage"])
        seen += 1
    assert seen >= 10


def test_okx_contracts_are_those_recorded() -> None:
    listings, seen = by_symbol(Venue.OKX), 0
    for row in recorded("okx/instruments__swap-2025.json")["data"]:
        if (listing := listings.get(row["instId"])) is None:
            continue
        size = Decimal(row["ctVal"])
        assert (listing.contract_size, listing.tick) == (size, Decimal(row["tickSz"]))
        assert (listing.lot, listing.min_quantity) == (Decimal(row["lotSz"]) * size, Decimal(row["minSz"]) * size)
        assert listing.max_quantity == Decimal(row["maxLmtSz"]) * size
        assert listing.max_market_quantity == Decimal(row["maxMktSz"]) * size
        assert listing.max_leverage == int(row["lever"])
        seen += 1
    assert seen == 2
