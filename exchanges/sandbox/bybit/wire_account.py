"""Balances and positions as the venue writes them. Pure. USDT counts as one USD."""

from decimal import Decimal

from exchanges.sandbox.bybit.wire import QUOTE, RISK_LIMIT_USDT, money, plain, scaled
from exchanges.sandbox.model import ZERO, AccountView, Listing, PositionView

_LEAST_BREAK_EVEN_FEE = Decimal("0.00055")
_RATE = Decimal("0.0001")


def from_wallet(view: AccountView, coins: list[dict[str, object]]) -> dict[str, object]:
    initial = view.position_margin + view.order_margin
    return {
        "totalEquity": money(view.equity),
        "accountIMRate": _rate(initial, view.equity),
        "accountIMRateByMp": _rate(initial, view.equity),
        "totalMarginBalance": money(view.equity),
        "totalInitialMargin": money(initial),
        "totalInitialMarginByMp": money(initial),
        "accountType": "UNIFIED",
        "totalAvailableBalance": money(view.available),
        "accountMMRate": _rate(view.maintenance_margin, view.equity),
        "accountMMRateByMp": _rate(view.maintenance_margin, view.equity),
        "totalPerpUPL": money(view.unrealized_pnl),
        "totalWalletBalance": money(view.wallet),
        "accountLTV": "0",
        "totalMaintenanceMargin": money(view.maintenance_margin),
        "totalMaintenanceMarginByMp": money(view.maintenance_margin),
        "coin": coins,
    }


def usdt_row(view: AccountView, realized_pnl: Decimal) -> dict[str, object]:
    """`realized_pnl` since the account opened, net of fees."""
    return empty_coin(QUOTE) | {
        "totalOrderIM": money(view.order_margin),
        "equity": money(view.equity),
        "totalPositionMM": money(view.maintenance_margin),
        "usdValue": money(view.equity),
        "unrealisedPnl": money(view.unrealized_pnl),
        "totalPositionIM": money(view.position_margin),
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
    """An open position: size is positive, the direction is in `side`. `all_time_pnl` is the symbol's, net of fees."""
    position = view.position
    size = abs(position.quantity)
    return flat_position(listing, leverage=view.leverage, mark=view.mark, all_time_pnl=all_time_pnl, sequence=sequence) | {
        "side": "Buy" if position.quantity > 0 else "Sell",
        "size": scaled(size, listing.lot),
        "avgPrice": money(position.entry_price),
        "positionValue": money(size * position.entry_price),
        "breakEvenPrice": money(_break_even(view, listing)),
        "positionBalance": money(view.initial_margin),
        "liqPrice": "" if view.liquidation_price is None else scaled(view.liquidation_price, listing.tick),
        "positionMM": money(view.maintenance_margin),
        "positionMMByMp": money(view.maintenance_margin),
        "positionIM": money(view.initial_margin),
        "positionIMByMp": money(view.initial_margin),
        "unrealisedPnl": money(view.unrealized_pnl),
        "curRealisedPnl": money(position.realized_pnl),
        "adlRankIndicator": 2,
        "createdTime": str(position.opened_ms),
        "updatedTime": str(position.updated_ms),
        "openTime": position.opened_ms,
    }


def flat_position(listing: Listing, *, leverage: int, mark: Decimal, all_time_pnl: Decimal, sequence: int) -> dict[str, object]:
    """The row of a symbol asked for by name without a position in it; `sequence` -1: never traded."""
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": plain(RISK_LIMIT_USDT),
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


def _break_even(view: PositionView, listing: Listing) -> Decimal:
    """The venue's formula: where closing by a taker order gives back what was realised so far."""
    quantity = view.position.quantity
    fee_rate = max(listing.taker_fee, _LEAST_BREAK_EVEN_FEE)
    return (view.position.entry_price * quantity - view.position.realized_pnl) / (quantity - abs(quantity) * fee_rate)


def _rate(part: Decimal, whole: Decimal) -> str:
    return plain((part / whole).quantize(_RATE)) if whole > ZERO else "0"
