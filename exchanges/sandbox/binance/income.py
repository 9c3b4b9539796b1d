"""The account's income: every change of its wallet, so that all of it adds up to what the wallet holds.

Source: "Get Income History" (read November 2026). What a liquidation costs and what the insurance fund puts in are both
INSURANCE_CLEAR; the money an account begins with was transferred to it.
"""

from exchanges.sandbox.binance import errors
from exchanges.sandbox.binance.endpoint import VENUE, Call, Json, Private
from exchanges.sandbox.binance.numbers import money
from exchanges.sandbox.binance.periods import window
from exchanges.sandbox.model import Account, Entry, EntryKind

Row = dict[str, object]
_WINDOW_DAYS = 7
_TYPES = {
    EntryKind.DEPOSIT: "TRANSFER",
    EntryKind.REALIZED: "REALIZED_PNL",
    EntryKind.FEE: "COMMISSION",
    EntryKind.FUNDING: "FUNDING_FEE",
    EntryKind.LIQUIDATION_FEE: "INSURANCE_CLEAR",
    EntryKind.INSURANCE: "INSURANCE_CLEAR",
}
_KNOWN_TYPES = (
    *("TRANSFER", "WELCOME_BONUS", "REALIZED_PNL", "FUNDING_FEE", "COMMISSION", "INSURANCE_CLEAR", "REFERRAL_KICKBACK"),
    *("COMMISSION_REBATE", "API_REBATE", "CONTEST_REWARD", "CROSS_COLLATERAL_TRANSFER", "OPTIONS_PREMIUM_FEE", "OPTIONS_SETTLE_PROFIT"),
    *("INTERNAL_TRANSFER", "AUTO_EXCHANGE", "DELIVERED_SETTELMENT", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW"),
    *("POSITION_LIMIT_INCREASE_FEE", "STRATEGY_UMFUTURES_TRANSFER", "FEE_RETURN", "BFUSD_REWARD"),
)


def income(call: Call, account: Account) -> Json:
    """Oldest first, of the seven days asked for or the last seven: the first rows where a beginning was named, else the newest.
    `page` counts from the same end."""
    listing = call.optional_listing()
    limit = call.params.limit(default=100, most=1000)
    number = call.params.integer("page")
    if number is not None and number < 1:
        raise errors.invalid_data("page")
    wanted = call.params.choice("incomeType", _KNOWN_TYPES, errors.invalid_data("incomeType"))
    kinds = [kind for kind, name in _TYPES.items() if wanted in (None, name)]
    start_ms, end_ms = window(call.params, now_ms=call.engine.now_ms(), days=_WINDOW_DAYS)
    newest_first = call.engine.statement(account, kinds, listing.symbol if listing else None, start_ms, end_ms)
    entries = [entry for entry in newest_first if entry.amount]
    if call.params.has("startTime"):
        entries.reverse()
    skipped = ((number or 1) - 1) * limit
    asked = sorted(entries[skipped : skipped + limit], key=lambda entry: entry.id)
    venue_symbols = {"": "", **{each.symbol: each.venue_symbol for each in call.engine.listings(VENUE)}}
    return [_row(entry, venue_symbols[entry.symbol]) for entry in asked]


def _row(entry: Entry, venue_symbol: str) -> Row:
    kind = _TYPES[entry.kind]
    return {
        "symbol": venue_symbol,
        "incomeType": kind,
        "income": money(entry.amount),
        "asset": "USDT",
        "info": kind,
        "time": entry.time_ms,
        "tranId": entry.id,
        "tradeId": str(entry.fill_id) if entry.fill_id else "",
    }


ENDPOINTS = (Private("GET", "/fapi/v1/income", income, weight=30),)
