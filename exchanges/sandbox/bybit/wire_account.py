"""Balances and positions as the venue writes them. Pure. USDT counts as one USD."""

from decimal import Decimal

from exchanges.sandbox.bybit.legs import INDEX
from exchanges.sandbox.bybit.wire import QUOTE, money, plain, scaled
from exchanges.sandbox.model import ZERO, Bracket, Leg, Listing, MarginMode
from exchanges.sandbox.views import AccountView, PositionView

_LEAST_BREAK_EVEN_FEE = Decimal("0.00055")
_RATE = Decimal("0.0001")
_TOLD_OF_MARGIN = (
    "symbol",
    "positionIdx",
    "riskId",
    "riskLimitValue",
    "size",
    "positionValue",
    "avgPrice",
    "liqPrice",
    "bustPrice",
    "markPrice",
    "leverage",
    "autoAddMargin",
    "positionStatus",
    "positionIM",
    "positionMM",
    "unrealisedPnl",
    "cumRealisedPnl",
    "stopLoss",
    "takeProfit",
    "trailingStop",
    "createdTime",
    "updatedTime",
)


def from_wallet(view: AccountView, mode: MarginMode, coins: list[dict[str, object]]) -> dict[str, object]:
    """Figures of the whole account's margin are empty under isolated margin, where each position has its own ("Get Wallet Balance": not
    applicable to isolated margin; so seen on the wire in August 2026)."""
    initial = view.position_margin + view.order_margin
    margins = {
        "totalMarginBalance": money(view.equity),
        "totalAvailableBalance": money(view.available),
        "totalInitialMargin": money(initial),
        "totalInitialMarginByMp": money(initial),
        "totalMaintenanceMargin": money(view.maintenance_margin),
        "totalMaintenanceMarginByMp": money(view.maintenance_margin),
        "accountIMRate": _rate(initial, view.equity),
        "accountIMRateByMp": _rate(initial, view.equity),
        "accountMMRate": _rate(view.maintenance_margin, view.equity),
        "accountMMRateByMp": _rate(view.maintenance_margin, view.equity),
    }
    return {
        "totalEquity": money(view.equity),
        "accountType": "UNIFIED",
        "totalPerpUPL": money(view.unrealized_pnl),
        "totalWalletBalance": money(view.wallet),
        "accountLTV": "0",
        **(dict.fromkeys(margins, "") if mode is MarginMode.ISOLATED else margins),
        "coin": coins,
    }


def usdt_row(view: AccountView, realized_pnl: Decimal) -> dict[str, object]:
    """`realized_pnl` since the account opened, net of fees and with funding. What is free under isolated margin is the wallet less the
    initial margin of positions (their wallets) and of orders."""
    return empty_coin(QUOTE) | {
        "totalOrderIM": money(view.order_margin),
        "equity": money(view.equity),
        "totalPositionMM": money(view.maintenance_margin),
        "usdValue": money(view.equity),
        "unrealisedPnl": money(view.unrealized_pnl),
        "totalPositionIM": money(view.cross_position_margin + view.isolated_margin),
        "walletBalance": money(view.wallet),
        "cumRealisedPnl": money(realized_pnl),
    }


def empty_coin(coin: str) -> dict[str, object]:
    """A coin that was asked for and is not held. The venue no longer fills availableToWithdraw in for unified accounts."""
    return {
        "availableToBorrow": "",
        "bonus": "0",
        "accruedInterest": "0",
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "equity": "0",
        "totalPositionMM": "0",
        "usdValue": "0",
        "spotHedgingQty": "0",
        "unrealisedPnl": "0",
        "collateralSwitch": True,
        "borrowAmount": "0",
        "totalPositionIM": "0",
        "walletBalance": "0",
        "cumRealisedPnl": "0",
        "locked": "0",
        "marginCollateral": True,
        "coin": coin,
        "spotBorrow": "0",
    }


def from_position(view: PositionView, listing: Listing, *, all_time_pnl: Decimal, sequence: int) -> dict[str, object]:
    """An open position: size is positive, the direction is in `side`. `all_time_pnl` is its leg's, net of fees and with funding. The
    initial margin of an isolated one is its wallet, which positionBalance names too; that is 0 under cross margin."""
    position = view.position
    size, is_isolated = abs(position.quantity), position.margin_mode is MarginMode.ISOLATED
    flat = flat_position(listing, leg=position.leg, leverage=view.leverage, mark=view.mark, all_time_pnl=all_time_pnl, sequence=sequence)
    return flat | {
        **_tier(listing, view.bracket),
        "side": "Buy" if position.quantity > 0 else "Sell",
        "size": scaled(size, listing.lot),
        "avgPrice": money(position.entry_price),
        "positionValue": money(size * position.entry_price),
        "breakEvenPrice": money(_break_even(view, listing)),
        "positionBalance": money(view.margin) if is_isolated else "0",
        "liqPrice": _liquidation_price(view, listing),
        "positionMM": money(view.maintenance_margin),
        "positionMMByMp": money(view.maintenance_margin),
        "positionIM": money(view.margin),
        "positionIMByMp": money(view.margin),
        "unrealisedPnl": money(view.unrealized_pnl),
        "curRealisedPnl": money(position.realized_pnl + position.funding),
        "adlRankIndicator": 2,
        "createdTime": str(position.opened_ms),
        "updatedTime": str(position.updated_ms),
        "openTime": position.opened_ms,
    }


def after_margin_change(row: dict[str, object]) -> dict[str, object]:
    """What "Add Or Reduce Margin" tells of a position."""
    return {"category": "linear"} | {name: row[name] for name in _TOLD_OF_MARGIN}


def flat_position(listing: Listing, *, leg: Leg, leverage: int, mark: Decimal, all_time_pnl: Decimal, sequence: int) -> dict[str, object]:
    """The row of a symbol asked for by name without a position in it; `sequence` -1: never traded."""
    return {
        "positionIdx": INDEX[leg],
        **_tier(listing, listing.brackets[0]),
        "symbol": listing.venue_symbol,
        "side": "",
        "size": "0",
        "avgPrice": "0",
        "positionValue": "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": str(leverage),
        "breakEvenPrice": "",
        "positionBalance": "0",
        "markPrice": scaled(mark, listing.tick),
        "liqPrice": "",
        "bustPrice": "",
        "positionMM": "",
        "positionMMByMp": "",
        "positionIM": "",
        "positionIMByMp": "",
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": "",
        "curRealisedPnl": "0",
        "cumRealisedPnl": money(all_time_pnl),
        "seq": sequence,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "createdTime": "0",
        "updatedTime": "0",
        "openTime": 0,
    }


def _tier(listing: Listing, bracket: Bracket) -> dict[str, object]:
    return {"riskId": listing.brackets.index(bracket) + 1, "riskLimitValue": plain(bracket.cap)}


def _liquidation_price(view: PositionView, listing: Listing) -> str:
    """Empty where no price that the symbol may have would do it, as the venue documents."""
    price = view.liquidation_price
    if price is None or not listing.min_price < price < listing.max_price:
        return ""
    return scaled(price, listing.tick)


def _break_even(view: PositionView, listing: Listing) -> Decimal:
    """The venue's formula: where closing by a taker order gives back what was realised so far."""
    position, quantity = view.position, view.position.quantity
    fee_rate = max(listing.taker_fee, _LEAST_BREAK_EVEN_FEE)
    return (position.entry_price * quantity - position.realized_pnl - position.funding) / (quantity - abs(quantity) * fee_rate)


def _rate(part: Decimal, whole: Decimal) -> str:
    return plain((part / whole).quantize(_RATE)) if whole > ZERO else "0"
