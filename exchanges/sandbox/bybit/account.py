"""The unified account: settings, balances, fees and the coins. Positions and orders are told elsewhere."""

from exchanges.sandbox.bybit import wire, wire_account
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.keys import number_of
from exchanges.sandbox.model import ZERO, EntryKind, MarginMode, Venue

UNIFIED_2_PRO = 6

_MARGIN_MODES = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}


def info(call: Call) -> Reply:
    return Reply(
        {
            "marginMode": _MARGIN_MODES[call.account.margin_mode],
            "updatedTime": str(call.account.opened_ms),
            "unifiedMarginStatus": UNIFIED_2_PRO,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }
    )


def wallet_balance(call: Call) -> Reply:
    if call.params.required("accountType") != "UNIFIED":
        raise VenueError(10001, "accountType only support UNIFIED.")
    account = call.account
    view = call.engine.view(account)
    realized = account.wallet - account.totals.get(EntryKind.DEPOSIT, ZERO)
    usdt = wire_account.usdt_row(view, realized)
    asked = call.params.text("coin").split(",") if call.params.text("coin") else [wire.QUOTE]
    known = known_coins(call)
    if not set(asked) <= set(known):
        raise bad_parameter("coin")
    coins = [usdt if coin == wire.QUOTE else wire_account.empty_coin(coin) for coin in asked]
    return Reply({"list": [wire_account.from_wallet(view, account.margin_mode, coins)]})


def fee_rate(call: Call) -> Reply:
    symbol = call.params.text("symbol")
    if call.category("linear") != "linear":  # derivatives had no category here once, and clients still leave it out
        return Reply({"list": []})
    engine = call.engine
    listings = [engine.listing_by_venue_symbol(Venue.BYBIT, symbol)] if symbol else engine.listings(Venue.BYBIT)
    rows = [
        {"symbol": each.venue_symbol, "takerFeeRate": wire.plain(each.taker_fee), "makerFeeRate": wire.plain(each.maker_fee)}
        for each in listings
    ]
    return Reply({"list": rows})


def coin_info(call: Call) -> Reply:
    """Coins of the listings, with deposits and withdrawals closed."""
    asked = call.params.text("coin")
    rows = [_coin(coin) for coin in known_coins(call) if asked in ("", coin)]
    return Reply({"rows": rows}, message="")


def known_coins(call: Call) -> list[str]:
    return [wire.QUOTE, *(listing.base for listing in call.engine.listings(Venue.BYBIT))]


def _coin(coin: str) -> dict[str, object]:
    chain = {
        "chainType": coin,
        "confirmation": "1",
        "withdrawFee": "",
        "depositMin": "0",
        "withdrawMin": "0",
        "chain": coin,
        "chainDeposit": "0",
        "chainWithdraw": "0",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
        "safeConfirmNumber": "1",
    }
    return {"name": coin, "coin": coin, "remainAmount": "0", "chains": [chain]}


def user_id(call: Call) -> str:
    """A number for the account, the same after a restart."""
    return str(10**14 + number_of(call.account.name) % 10**14)
