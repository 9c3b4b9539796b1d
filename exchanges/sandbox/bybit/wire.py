"""Numbers and market data as the venue writes them: strings for amounts and times, integers where the venue has integers. Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from exchanges.sandbox.model import Listing, Side
from exchanges.sandbox.views import Book, Candle, Level, Ticker

QUOTE = "USDT"
FUNDING_CAP = "0.003"

_CENT = Decimal("0.01")
_RATIO = Decimal("0.000001")
_MONEY = Decimal("0.00000001")


def plain(value: Decimal) -> str:
    """Fixed notation without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def scaled(value: Decimal, step: Decimal) -> str:
    """With as many decimals as the step has: 0.1 at a step of 0.001 is "0.100"."""
    return format(value.quantize(step, rounding=ROUND_HALF_EVEN), "f")


def money(value: Decimal) -> str:
    """USDT to eight decimals."""
    return plain(value.quantize(_MONEY, rounding=ROUND_HALF_EVEN))


def ratio(value: Decimal) -> str:
    return scaled(value, _RATIO)


def side(value: Side) -> str:
    return "Buy" if value is Side.BUY else "Sell"


def from_listing(listing: Listing, symbol_id: int) -> dict[str, object]:
    """One entry of instruments-info."""
    tick, lot = listing.tick, listing.lot
    return {
        "symbol": listing.venue_symbol,
        "symbolId": symbol_id,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": listing.base,
        "quoteCoin": QUOTE,
        "launchTime": str(listing.listed_at_ms),
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(max(0, -int(tick.as_tuple().exponent))),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": scaled(Decimal(listing.max_leverage), _CENT), "leverageStep": "1"},
        "priceFilter": {
            "minPrice": scaled(listing.min_price, tick),
            "maxPrice": scaled(listing.max_price, tick),
            "tickSize": scaled(tick, tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": scaled(listing.max_quantity, lot),
            "minOrderQty": scaled(listing.min_quantity, lot),
            "qtyStep": scaled(lot, lot),
            "postOnlyMaxOrderQty": scaled(listing.max_quantity, lot),
            "maxMktOrderQty": scaled(listing.max_market_quantity, lot),
            "minNotionalValue": plain(listing.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": listing.funding_interval_h * 60,
        "settleCoin": QUOTE,
        "copyTrading": "none",
        "upperFundingRate": FUNDING_CAP,
        "lowerFundingRate": f"-{FUNDING_CAP}",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": plain(listing.price_band), "priceLimitRatioY": plain(listing.price_band * 2)},
        "symbolType": "",
    }


def from_ticker(listing: Listing, ticker: Ticker, *, price_1h_ago: Decimal, open_interest: Decimal) -> dict[str, object]:
    tick, lot = listing.tick, listing.lot
    return {
        "symbol": listing.venue_symbol,
        "lastPrice": scaled(ticker.last, tick),
        "indexPrice": scaled(ticker.index, tick),
        "markPrice": scaled(ticker.mark, tick),
        "prevPrice24h": scaled(ticker.open_24h, tick),
        "price24hPcnt": ratio(ticker.last / ticker.open_24h - 1),
        "highPrice24h": scaled(ticker.high_24h, tick),
        "lowPrice24h": scaled(ticker.low_24h, tick),
        "prevPrice1h": scaled(price_1h_ago, tick),
        "openInterest": scaled(open_interest, lot),
        "openInterestValue": scaled(open_interest * ticker.mark, _CENT),
        "turnover24h": plain(ticker.turnover_24h),
        "volume24h": plain(ticker.volume_24h),
        "fundingRate": plain(ticker.funding_rate),
        "nextFundingTime": str(ticker.next_funding_ms),
        "predictedDeliveryPrice": "",
        "basisRate": "",
        "deliveryFeeRate": "",
        "deliveryTime": "0",
        "ask1Size": plain(ticker.ask.quantity),
        "bid1Price": scaled(ticker.bid.price, tick),
        "ask1Price": scaled(ticker.ask.price, tick),
        "bid1Size": plain(ticker.bid.quantity),
        "basis": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": str(listing.funding_interval_h),
        "basisRateYear": "",
        "fundingCap": FUNDING_CAP,
    }


def from_book(listing: Listing, book: Book, wall_ms: int) -> dict[str, object]:
    return {
        "s": listing.venue_symbol,
        "b": _levels(book.bids, listing),
        "a": _levels(book.asks, listing),
        "ts": wall_ms,
        "u": book.sequence,
        "seq": book.sequence,
        "cts": book.time_ms,
    }


def from_candle(listing: Listing, candle: Candle, *, with_volume: bool) -> list[str]:
    """Mark and index candles have no volumes."""
    prices = [scaled(price, listing.tick) for price in (candle.open, candle.high, candle.low, candle.close)]
    volumes = [plain(candle.volume), plain(candle.turnover)] if with_volume else []
    return [str(candle.open_ms), *prices, *volumes]


def from_brackets(listing: Listing) -> list[dict[str, object]]:
    """The risk tiers of a symbol, smallest positions first. Rates are fractions; the first tier has no deduction."""
    return [
        {
            "id": number,
            "symbol": listing.venue_symbol,
            "riskLimitValue": plain(bracket.cap),
            "maintenanceMargin": plain(bracket.maintenance_rate),
            "initialMargin": plain((Decimal(1) / bracket.leverage).quantize(_RATIO)),
            "isLowestRisk": 1 if number == 1 else 0,
            "maxLeverage": scaled(Decimal(bracket.leverage), _CENT),
            "mmDeduction": plain(bracket.maintenance_amount) if bracket.maintenance_amount else "",
        }
        for number, bracket in enumerate(listing.brackets, start=1)
    ]


def _levels(levels: Sequence[Level], listing: Listing) -> list[list[str]]:
    return [[scaled(level.price, listing.tick), plain(level.quantity)] for level in levels]
