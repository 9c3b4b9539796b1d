"""Changes of the wallet as the venue writes them: rows of the transaction log, and funding among the executions. Pure.

By "Get Transaction Log" (read November 2026): change = cashFlow + funding - fee; a fee paid is positive, funding paid negative, but
positive among the executions."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.sandbox.bybit import ids
from exchanges.sandbox.bybit.closing import Effect
from exchanges.sandbox.bybit.wire import QUOTE, money, plain, scaled, side
from exchanges.sandbox.model import ZERO, Entry, EntryKind, Listing, Side

_FEES = (EntryKind.FEE, EntryKind.LIQUIDATION_FEE)


@dataclass(frozen=True, slots=True)
class Payment:
    """Funding paid (negative amount) or received for a position of a signed size at a mark; `rate` is the market's."""

    entry: Entry
    listing: Listing
    size: Decimal
    mark: Decimal
    rate: Decimal

    @property
    def side(self) -> str:
        return side(Side.BUY if self.size > 0 else Side.SELL)

    @property
    def rate_of_side(self) -> Decimal:
        """What the longs pay, the shorts receive."""
        return self.rate if self.size > 0 else -self.rate


def from_entries(kind: str, entries: Sequence[Entry], *, user_id: str) -> dict[str, object]:
    """A row of the log for what happened at once, oldest first; `kind` is the venue's type."""
    last = entries[-1]
    fees = -sum((entry.amount for entry in entries if entry.kind in _FEES), ZERO)
    change = sum((entry.amount for entry in entries), ZERO)
    return {
        "transSubType": "",
        "id": f"{user_id}_{last.symbol}_{last.id}",
        "symbol": last.symbol,
        "side": "None",
        "funding": "",
        "orderLinkId": "",
        "orderId": ids.order_id(last.order_id) if last.order_id else "",
        "fee": plain(fees),
        "change": plain(change),
        "cashFlow": plain(change + fees),
        "transactionTime": str(last.time_ms),
        "type": kind,
        "feeRate": "0",
        "bonusChange": "",
        "size": "0",
        "qty": "0",
        "cashBalance": money(last.balance),
        "currency": QUOTE,
        "category": "linear",
        "tradePrice": "0",
        "tradeId": "",
        "extraFees": "",
    }


def of_fill(row: dict[str, object], effect: Effect, listing: Listing) -> dict[str, object]:
    """What the log tells of an execution."""
    fill = effect.fill
    return row | {
        "symbol": listing.venue_symbol,
        "side": side(fill.side),
        "orderLinkId": fill.client_id,
        "feeRate": plain(listing.maker_fee if fill.is_maker else listing.taker_fee),
        "size": plain(effect.size_after),
        "qty": plain(fill.quantity),
        "tradePrice": scaled(fill.price, listing.tick),
        "tradeId": ids.execution_id(fill.id),
    }


def of_funding(row: dict[str, object], payment: Payment) -> dict[str, object]:
    """What the log tells of a funding payment."""
    return row | {
        "symbol": payment.listing.venue_symbol,
        "side": payment.side,
        "funding": plain(payment.entry.amount),
        "cashFlow": "0",
        "orderId": ids.settlement_id(payment.entry.id),
        "feeRate": plain(payment.rate_of_side),
        "size": plain(payment.size),
        "qty": plain(abs(payment.size)),
        "tradePrice": scaled(payment.mark, payment.listing.tick),
        "tradeId": ids.execution_id(payment.entry.id),
    }


def from_funding(payment: Payment) -> dict[str, object]:
    """A row of execution/list, of the type Funding: it changes no position."""
    listing, entry = payment.listing, payment.entry
    mark, size = scaled(payment.mark, listing.tick), abs(payment.size)
    return {
        "symbol": listing.venue_symbol,
        "orderType": "UNKNOWN",
        "underlyingPrice": "",
        "orderLinkId": "",
        "side": payment.side,
        "indexPrice": "",
        "orderId": ids.settlement_id(entry.id),
        "stopOrderType": "UNKNOWN",
        "leavesQty": "0",
        "execTime": str(entry.time_ms),
        "feeCurrency": "",
        "isMaker": False,
        "execFee": plain(-entry.amount),
        "feeRate": plain(payment.rate_of_side),
        "execId": ids.execution_id(entry.id),
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": mark,
        "execPrice": mark,
        "markIv": "",
        "orderQty": "0",
        "orderPrice": "0",
        "execValue": plain(payment.mark * size),
        "execType": "Funding",
        "execQty": scaled(size, listing.lot),
        "closedSize": "0",
        "extraFees": "",
        "seq": entry.id,
        "createType": "",
    }
