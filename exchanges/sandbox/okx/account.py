"""The account's money, configuration and fees: USDT under single-currency margin ("Futures mode").

cashBal is what cross positions and orders may use; the margin of isolated positions is set aside from it and shows in isoEq, so that
eq = cashBal + isoEq + the unrealised PnL of cross positions ("Get balance" and the bills of a margin move, read November 2026).
"""

from decimal import Decimal

from exchanges.sandbox.keys import number_of
from exchanges.sandbox.model import Venue
from exchanges.sandbox.okx.endpoint import PrivateCall, Row
from exchanges.sandbox.okx.instruments import SWAP, TYPES, family, selected
from exchanges.sandbox.okx.modes import position_mode
from exchanges.sandbox.okx.permissions import permissions
from exchanges.sandbox.okx.rows import margin_ratio
from exchanges.sandbox.okx.wire import blank, plain, ratio
from exchanges.sandbox.views import AccountView

_UNUSED_DETAIL_FIELDS = blank(
    "accAvgPx borrowFroz clSpotInUseAmt crossLiab interest isoLiab liab maxLoan maxSpotInUseAmt openAvgPx spotBal spotInUseAmt spotUpl "
    "spotUplRatio totalPnl totalPnlRatio uplLiab"
)
# What a single-currency account shows per currency it leaves empty for the whole account.
_UNUSED_ACCOUNT_FIELDS = blank("adjEq availEq borrowFroz imr mgnRatio mmr notionalUsd notionalUsdForBorrow ordFroz upl")


def config(call: PrivateCall) -> list[Row]:
    number = str(10**17 + number_of(call.account.name))
    return [
        {
            "acctLv": "2",
            "acctStpMode": "cancel_maker",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "feeType": "0",
            "greeksType": "PA",
            "kycLv": "3",
            "label": call.key_name,
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": number,
            "mgnIsoMode": "automatic",
            "opAuth": "1",
            **permissions(call.key_name),
            "posMode": position_mode(call),
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
            "isoEq": ratio(_isolated_equity(view)),
            "totalEq": ratio(view.equity),
            "uTime": str(call.engine.now_ms()),
        }
    ]


def funding_balances(_: PrivateCall) -> list[Row]:
    """The funding account holds nothing: all the money is in the trading account."""
    return []


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
    used = view.cross_position_margin + view.order_margin
    notional = sum((each.notional for each in view.positions), Decimal(0))
    return {
        **_UNUSED_DETAIL_FIELDS,
        **dict.fromkeys(("fixedBal", "rewardBal", "smtSyncEq", "spotCopyTradingEq", "spotIsoBal", "stgyEq", "twap"), "0"),
        "availBal": ratio(view.available),
        "availEq": ratio(view.available),
        "cashBal": plain(view.cross_wallet),
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
        "isoEq": ratio(_isolated_equity(view)),
        "isoUpl": ratio(view.isolated_unrealized_pnl),
        "mgnRatio": margin_ratio(view.cross_equity, view.cross_maintenance_margin),
        "mmr": ratio(view.cross_maintenance_margin),
        "notionalLever": ratio(notional / view.equity) if view.equity > 0 else "0",
        "ordFrozen": ratio(view.order_margin),
        "uTime": str(call.engine.now_ms()),
        "upl": ratio(view.unrealized_pnl),
    }


def _isolated_equity(view: AccountView) -> Decimal:
    return view.isolated_margin + view.isolated_unrealized_pnl
