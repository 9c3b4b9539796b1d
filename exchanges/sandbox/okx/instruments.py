"""What the venue lists: instruments, underlyings, tiers, currencies. Perpetual swaps alone exist here; other types answer empty."""

from collections.abc import Iterator
from decimal import Decimal

from exchanges.sandbox.model import Listing, Venue
from exchanges.sandbox.okx import errors
from exchanges.sandbox.okx.endpoint import PublicCall, Row
from exchanges.sandbox.okx.wire import blank, contracts, plain, whole_lots

TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
SWAP = "SWAP"
_FIRST_CODE = 10_459
_UNUSED_INSTRUMENT_FIELDS = blank(
    "alias auctionEndTime baseCcy contTdSwTime expTime maxMktAmt maxPlatOILmt openType optType posLmtAmt posLmtPct preMktSwTime "
    "quoteCcy stk"
)
_UNUSED_CHAIN_FIELDS = blank(
    "burningFeeRate ctAddr depEstOpenTime depQuotaFixed depQuoteDailyLayer2 logoLink maxFeeForCtAddr minFeeForCtAddr usedDepQuotaFixed "
    "wdEstOpenTime"
)


def family(listing: Listing) -> str:
    """The instrument family, which is its underlying and its index too: BTC-USDT."""
    return listing.venue_symbol.removesuffix(f"-{SWAP}")


def instrument_code(listings: tuple[Listing, ...], listing: Listing) -> int:
    return _FIRST_CODE + listings.index(listing)


def selected(call: PublicCall, *, type_required: bool = True) -> list[Listing]:
    """The listings that instType, instId, instFamily and uly leave over. Raises Refused for an unknown instId."""
    kind = call.parameters.choice("instType", TYPES, default=None if type_required else SWAP)
    if kind != SWAP:
        return []
    chosen = [call.listing] if call.parameters.text("instId") else call.engine.listings(Venue.OKX)
    families = {call.parameters.text("instFamily"), call.parameters.text("uly")} - {""}
    return [listing for listing in chosen if not families or families == {family(listing)}]


def selected_or_named(call: PublicCall) -> list[Listing]:
    """As above, for the endpoints where instId alone will do: the documents ask for instType, the venue then does not."""
    return selected(call, type_required=not call.parameters.text("instId"))


def instruments(call: PublicCall) -> list[Row]:
    listings = call.engine.listings(Venue.OKX)
    return [_instrument_row(listing, instrument_code(listings, listing)) for listing in selected(call)]


def underlyings(call: PublicCall) -> list[list[str]]:
    if call.parameters.choice("instType", ("SWAP", "FUTURES", "OPTION")) != SWAP:
        return [[]]
    return [[family(listing) for listing in call.engine.listings(Venue.OKX)]]


def position_tiers(call: PublicCall) -> list[Row]:
    """Tiers are told in contracts; the engine's end at notionals, so they are worth what the mark makes of them now."""
    call.parameters.choice("tdMode", ("cross", "isolated", "cash"))
    kind = call.parameters.choice("instType", TYPES)
    if kind == SWAP and not (call.parameters.text("instFamily") or call.parameters.text("uly")):
        raise errors.either("uly", "instFamily")
    wanted = call.parameters.text("tier")
    rows = [row for listing in selected(call) for row in _tier_rows(listing, call.engine.mark(Venue.OKX, listing.symbol))]
    return [row for row in rows if wanted in ("", row["tier"])]


def currencies(call: PublicCall) -> list[Row]:
    wanted = call.parameters.text("ccy")
    if wanted and "USDT" not in wanted.split(","):
        return []
    return [_chain_row("USDT-TRC20", "1.5"), _chain_row("USDT-ERC20", "4")]


def _instrument_row(listing: Listing, code: int) -> Row:
    largest = contracts(listing, listing.max_quantity)
    largest_market = contracts(listing, listing.max_market_quantity)
    return {
        **_UNUSED_INSTRUMENT_FIELDS,
        "category": "1",
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": plain(listing.contract_size),
        "ctValCcy": listing.base,
        "futureSettlement": False,
        "groupId": "4",
        "instFamily": family(listing),
        "instId": listing.venue_symbol,
        "instIdCode": code,
        "instType": SWAP,
        "lever": str(listing.max_leverage),
        "listTime": str(listing.listed_at_ms),
        "lotSz": contracts(listing, listing.lot),
        "maxIcebergSz": largest,
        "maxLmtAmt": "20000000",
        "maxLmtSz": largest,
        "maxMktSz": largest_market,
        "maxStopSz": largest_market,
        "maxTriggerSz": largest,
        "maxTwapSz": largest,
        "minSz": contracts(listing, listing.min_quantity),
        "ruleType": "normal",
        "settleCcy": "USDT",
        "state": "live",
        "tickSz": plain(listing.tick),
        "tradeQuoteCcyList": [],
        "uly": family(listing),
    }


def _tier_rows(listing: Listing, mark: Decimal) -> Iterator[Row]:
    """Each begins one lot above the one before it."""
    smallest = Decimal(0)
    for number, bracket in enumerate(listing.brackets, 1):
        largest = whole_lots(listing, bracket.cap / mark)
        yield {
            "baseMaxLoan": "",
            "imr": plain(round(Decimal(1) / bracket.leverage, 8)),
            "instFamily": family(listing),
            "instId": "",
            "maxLever": str(bracket.leverage),
            "maxSz": contracts(listing, largest),
            "minSz": contracts(listing, smallest),
            "mmr": plain(bracket.maintenance_rate),
            "optMgnFactor": "0",
            "quoteMaxLoan": "",
            "tier": str(number),
            "uly": family(listing),
        }
        smallest = largest + listing.lot


def _chain_row(chain: str, fee: str) -> Row:
    return {
        **_UNUSED_CHAIN_FIELDS,
        "canDep": True,
        "canInternal": True,
        "canWd": True,
        "ccy": "USDT",
        "chain": chain,
        "fee": fee,
        "mainNet": False,
        "maxFee": fee,
        "maxWd": "8852150",
        "minDep": "0.01",
        "minDepArrivalConfirm": "38",
        "minFee": fee,
        "minInternal": "1",
        "minWd": "2",
        "minWdUnlockConfirm": "38",
        "name": "Tether",
        "needTag": False,
        "usedWdQuota": "0",
        "wdQuota": "10000000",
        "wdTickSz": "6",
    }
