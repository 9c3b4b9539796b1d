"""The unified account: settings, balances, fees, the key's rights and the coins. Positions and orders are told elsewhere."""

from datetime import UTC, datetime

from exchanges.sandbox.bybit import history, wire, wire_account
from exchanges.sandbox.bybit.closing import Effect
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter
from exchanges.sandbox.bybit.paging import newest_first
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.bybit.wire_order import from_cash_flow
from exchanges.sandbox.model import ZERO, Venue

UNIFIED_2_PRO = 6

_MARGIN_MODES = ("ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN")
_PERMISSIONS: dict[str, list[str]] = {
    "ContractTrade": ["Order", "Position"],
    "Spot": [],
    "Wallet": [],
    "Options": [],
    "Derivatives": ["DerivativesTrade"],
    "CopyTrading": [],
    "BlockTrade": [],
    "Exchange": [],
    "NFT": [],
    "Affiliate": [],
    "Earn": [],
}


def info(call: Call) -> Reply:
    return Reply(
        {
            "marginMode": "REGULAR_MARGIN",
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
    realized = sum((fill.realized_pnl - fill.fee for fill in call.engine.fills(account)), ZERO)
    usdt = wire_account.usdt_row(view, realized)
    asked = call.params.text("coin").split(",") if call.params.text("coin") else [wire.QUOTE]
    known = known_coins(call)
    if not set(asked) <= set(known):
        raise bad_parameter("coin")
    coins = [usdt if coin == wire.QUOTE else wire_account.empty_coin(coin) for coin in asked]
    return Reply({"list": [wire_account.from_wallet(view, coins)]})


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


def transaction_log(call: Call) -> Reply:
    """Executions as changes of the wallet. The balance behind each is counted back from the present one."""
    params, account = call.params, call.account
    window = history.time_window(call, days=1, most_days=7)
    limit = params.limit(default=20, most=50)
    wanted = (
        params.text("accountType", "UNIFIED") == "UNIFIED"
        and params.text("category", "linear") == "linear"
        and params.text("currency", wire.QUOTE) == wire.QUOTE
        and params.text("type", "TRADE") == "TRADE"
    )
    balance = call.engine.view(account).wallet
    rows: list[tuple[Effect, dict[str, object]]] = []
    for effect in history.effects_newest_first(call):
        listing = call.engine.listing(Venue.BYBIT, effect.fill.symbol)
        if wanted and effect.fill.time_ms in window and params.text("baseCoin", listing.base) == listing.base:
            rows.append((effect, from_cash_flow(effect, listing, balance=balance, user_id=user_id(call))))
        balance -= effect.fill.realized_pnl - effect.fill.fee
    page, cursor = newest_first(rows, params, limit=limit, number=lambda row: row[0].fill.id)
    return Reply({"nextPageCursor": cursor, "list": [row for _, row in page]})


def set_margin_mode(call: Call) -> Reply:
    """Cross margin is what the account has; the other two modes are refused with the venue's reasons."""
    mode = call.params.choice("setMarginMode", _MARGIN_MODES)
    if mode != "REGULAR_MARGIN":
        reason = {"reasonCode": "3400000", "reasonMsg": f"{mode} is not available to this account"}
        raise VenueError(3400045, "Set margin mode failed", result={"reasons": [reason]})
    return Reply({"reasons": []}, message="Request accepted")


def query_api(call: Call) -> Reply:
    """The key: reads and trades contracts, withdraws and transfers nothing, is bound to no address and does not expire."""
    opened = datetime.fromtimestamp(call.account.opened_ms // 1000, UTC)
    return Reply(
        {
            "id": user_id(call),
            "note": call.name,
            "apiKey": f"sandbox-{call.name}",
            "readOnly": 0,
            "secret": "",
            "permissions": _PERMISSIONS,
            "ips": ["*"],
            "type": 1,
            "deadlineDay": -2,
            "expiredAt": "1970-01-01T00:00:00Z",
            "createdAt": opened.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "unified": 0,
            "uta": 1,
            "userID": int(user_id(call)),
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        },
        message="",
    )


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
    return str(int.from_bytes(call.name.encode()[:6].rjust(6, b"\0")) % 900_000_000 + 100_000_000)
