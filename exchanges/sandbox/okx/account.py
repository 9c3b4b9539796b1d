"""The account's money, positions and settings: USDT under single-currency margin ("Futures mode"), net positions, cross margin."""

from decimal import Decimal
from hashlib import sha256

from exchanges.sandbox.model import AccountView, Fill, Position, PositionView, Reason, Refused, Venue
from exchanges.sandbox.okx import rows
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.errors import (
    LEVERAGE_BELOW_ONE,
    LEVERAGE_TOO_LOW,
    POSITIONS_IN_THE_WAY,
    UNSUPPORTED_MODE,
    Rejected,
    invalid,
)
from exchanges.sandbox.okx.instruments import SWAP, TYPES, family, instrument_code, selected
from exchanges.sandbox.okx.wire import blank, plain, ratio

_UNUSED_DETAIL_FIELDS = blank(
    "accAvgPx borrowFroz clSpotInUseAmt crossLiab interest isoLiab liab maxLoan maxSpotInUseAmt openAvgPx spotBal spotInUseAmt spotUpl "
    "spotUplRatio totalPnl totalPnlRatio uplLiab"
)
# What a single-currency account shows per currency it leaves empty for the whole account.
_UNUSED_ACCOUNT_FIELDS = blank("adjEq availEq borrowFroz imr mgnRatio mmr notionalUsd notionalUsdForBorrow ordFroz upl")


def config(call: PrivateCall) -> list[Row]:
    number = str(10**17 + int(sha256(call.account.name.encode()).hexdigest()[:12], 16))
    return [
        {
            "acctLv": "2",
            "acctStpMode": "cancel_maker",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "feeType": "0",
            "greeksType": "PA",
            "ip": "",
            "kycLv": "3",
            "label": call.account.name,
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": number,
            "mgnIsoMode": "automatic",
            "opAuth": "1",
            "perm": "read_only,trade",
            "posMode": "net_mode",
            "roleType": "0",
            "settleCcy": "USDT",
            "settleCcyList": ["USDT"],
            "spotBorrowAutoRepay": False,
            "spotOffsetType": "",
            "spotRoleType": "0",
            "spotTraderInsts": [],
            "traderInsts": [],
            "type": "0",
            "uid": number,
        }
    ]


def balance(call: PrivateCall) -> list[Row]:
    view = call.engine.view(call.account)
    wanted = call.parameters.text("ccy")
    details = [_currency_row(call, view)] if not wanted or "USDT" in wanted.split(",") else []
    return [
        {
            **_UNUSED_ACCOUNT_FIELDS,
            "details": details,
            "isoEq": "0",
            "totalEq": ratio(view.equity),
            "uTime": str(call.engine.now_ms()),
        }
    ]


def funding_balances(_: PrivateCall) -> list[Row]:
    """The funding account holds nothing: all the money is in the trading account."""
    return []


def positions(call: PrivateCall) -> list[Row]:
    kind = call.parameters.choice("instType", (*TYPES, ""), default="")
    named = [name for name in call.parameters.text("instId").split(",") if name]
    listings = [call.engine.listing_by_venue_symbol(Venue.OKX, name) for name in named]
    view = call.engine.view(call.account)
    if kind not in ("", SWAP):
        return []
    found = _position_rows(call, view, {listing.symbol for listing in listings})
    wanted = call.parameters.text("posId")
    return [row for row in found if not wanted or row["posId"] in wanted.split(",")]


def position_risk(call: PrivateCall) -> list[Row]:
    kind = call.parameters.choice("instType", (*TYPES, ""), default="")
    view = call.engine.view(call.account)
    names = ("baseBal", "ccy", "instId", "instType", "mgnMode", "notionalUsd", "pos", "posCcy", "posId", "posSide", "quoteBal")
    held = [
        {**{name: row[name] for name in names}, "notionalCcy": plain(abs(each.position.quantity))}
        for row, each in zip(_position_rows(call, view, set()), _newest_first(view), strict=True)
    ]
    return [
        {
            "adjEq": "",
            "balData": [{"ccy": "USDT", "disEq": ratio(view.equity), "eq": ratio(view.equity)}],
            "posData": held if kind in ("", SWAP) else [],
            "ts": str(call.engine.now_ms()),
        }
    ]


def leverage_info(call: PrivateCall) -> list[Row]:
    mode = call.parameters.choice("mgnMode", ("cross", "isolated"))
    listings = [call.engine.listing_by_venue_symbol(Venue.OKX, name) for name in call.parameters.required("instId").split(",")]
    return [
        {
            "ccy": "",
            "instId": listing.venue_symbol,
            "lever": str(call.engine.leverage(call.account, listing.symbol)),
            "mgnMode": mode,
            "posSide": "net",
        }
        for listing in listings
    ]


def set_leverage(call: PrivateCall) -> list[Row]:
    call.parameters.required("lever")
    mode = call.parameters.choice("mgnMode", ("cross", "isolated"))
    listing = call.listing
    if mode == "isolated":
        raise Rejected(UNSUPPORTED_MODE)
    if call.parameters.text("posSide") not in ("", "net"):
        raise invalid("posSide")
    lever = call.parameters.positive_decimal("lever")
    if lever < 1:
        raise Rejected(LEVERAGE_BELOW_ONE)
    if lever != lever.to_integral_value():
        raise invalid("lever")
    try:
        call.engine.set_leverage(call.account, listing.symbol, int(lever))
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise Rejected(LEVERAGE_TOO_LOW) from refused
        raise
    return [{"instId": listing.venue_symbol, "lever": plain(lever), "mgnMode": mode, "posSide": "net"}]


def set_position_mode(call: PrivateCall) -> list[Row]:
    """One-way it is and stays: nothing to change, or refused with what stands in the way of the change."""
    mode = call.parameters.choice("posMode", ("net_mode", "long_short_mode"))
    if mode == "long_short_mode":
        busy = call.engine.view(call.account).positions or call.engine.open_orders(call.account)
        raise Rejected(POSITIONS_IN_THE_WAY if busy else UNSUPPORTED_MODE)
    return [{"posMode": mode}]


def trade_fee(call: PrivateCall) -> list[Row]:
    """Rates are negative where they cost; a USDT-margined swap pays makerU and takerU."""
    kind = call.parameters.choice("instType", TYPES)
    chosen = selected(call) if kind == SWAP else list(call.engine.listings(Venue.OKX))
    if not chosen:
        return []
    maker, taker = plain(-chosen[0].maker_fee), plain(-chosen[0].taker_fee)
    return [
        {
            "category": "1",
            "delivery": "",
            "exercise": "",
            "feeGroup": [{"groupId": "4", "maker": maker, "taker": taker}],
            "fiat": [],
            "instType": kind,
            "level": "Lv1",
            "maker": maker,
            "makerU": maker if kind == SWAP else "",
            "makerUSDC": maker if kind == SWAP else "",
            "ruleType": "normal",
            "settle": "",
            "taker": taker,
            "takerU": taker if kind == SWAP else "",
            "takerUSDC": taker if kind == SWAP else "",
            "ts": str(call.engine.now_ms()),
            "uly": family(chosen[0]) if kind == SWAP else "",
        }
    ]


def _currency_row(call: PrivateCall, view: AccountView) -> Row:
    used = view.position_margin + view.order_margin
    notional = sum((each.notional for each in view.positions), Decimal(0))
    return {
        **_UNUSED_DETAIL_FIELDS,
        **dict.fromkeys(
            ("fixedBal", "isoEq", "isoUpl", "rewardBal", "smtSyncEq", "spotCopyTradingEq", "spotIsoBal", "stgyEq", "twap"), "0"
        ),
        "availBal": ratio(view.available),
        "availEq": ratio(view.available),
        "cashBal": plain(view.wallet),
        "ccy": "USDT",
        "coinUsdPrice": "1",
        "colBorrAutoConversion": "0",
        "colRes": "0",
        "collateralEnabled": False,
        "collateralRestrict": False,
        "disEq": ratio(view.equity),
        "eq": ratio(view.equity),
        "eqUsd": ratio(view.equity),
        "frozenBal": ratio(used),
        "imr": ratio(used),
        "mgnRatio": _margin_ratio(view),
        "mmr": ratio(view.maintenance_margin),
        "notionalLever": ratio(notional / view.equity) if view.equity > 0 else "0",
        "ordFrozen": ratio(view.order_margin),
        "uTime": str(call.engine.now_ms()),
        "upl": ratio(view.unrealized_pnl),
    }


def _margin_ratio(view: AccountView) -> str:
    """Equity over maintenance margin: liquidation at 1; empty without a position."""
    return ratio(view.equity / view.maintenance_margin) if view.maintenance_margin else ""


def _position_rows(call: PrivateCall, view: AccountView, symbols: set[str]) -> list[Row]:
    listings = call.engine.listings(Venue.OKX)
    found = []
    for each in _newest_first(view):
        if symbols and each.position.symbol not in symbols:
            continue
        listing = call.engine.listing(Venue.OKX, each.position.symbol)
        quote = call.engine.ticker(Venue.OKX, listing.symbol)
        fills = _since_opened(call, each.position)
        found.append(rows.position_row(listing, instrument_code(listings, listing), each, quote, fills, _margin_ratio(view)))
    return found


def _newest_first(view: AccountView) -> list[PositionView]:
    return sorted(view.positions, key=lambda each: each.position.opened_ms, reverse=True)


def _since_opened(call: PrivateCall, position: Position) -> list[Fill]:
    """The fills that made the position what it is, newest first: back to the one that found the account flat or turned it around."""
    found, held = [], position.quantity
    for fill in call.engine.fills(call.account, position.symbol):
        found.append(fill)
        held -= fill.side.sign * fill.quantity
        if held * position.quantity <= 0:
            break
    return found
