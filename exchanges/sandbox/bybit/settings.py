"""The account's settings: margin mode, position mode, leverage, and the margin of isolated positions ("Set Margin Mode", "Switch Position
Mode", "Set Leverage", "Add Or Reduce Margin" and "Set Auto Add Margin", read November 2026)."""

from exchanges.sandbox.bybit import legs, rows, wire, wire_account
from exchanges.sandbox.bybit.errors import VenueError, bad_parameter, leverage_beyond_risk_limit
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.model import Leg, Listing, MarginMode, PositionKey, Reason, Refused, Venue

_MARGIN_MODES = {"REGULAR_MARGIN": MarginMode.CROSS, "ISOLATED_MARGIN": MarginMode.ISOLATED}
_PORTFOLIO = "PORTFOLIO_MARGIN"
_ONE_WAY, _HEDGE = 0, 3
_OFF, _ON = 0, 1
_MARGIN_DECIMALS = 4


def set_margin_mode(call: Call) -> Reply:
    """Of the whole account. Every position and open order stands in the way; portfolio margin is refused with the venue's reason. Asking
    for the mode that holds already is accepted."""
    wanted = call.params.choice("setMarginMode", (*_MARGIN_MODES, _PORTFOLIO))
    if wanted == _PORTFOLIO:
        raise _margin_mode_refusal([("3400000", f"{wanted} is not available to this account")])
    try:
        call.engine.set_margin_mode(call.account, None, _MARGIN_MODES[wanted])
    except Refused as refused:
        if refused.reason is not Reason.UNCHANGED:
            raise _margin_mode_refusal(_in_the_way(call)) from refused
    return Reply({"reasons": []}, message="Request accepted")


def switch_mode(call: Call) -> Reply:
    """Of a symbol: refused if it is so already, or has a position or an open order. Of a coin: all symbols that have neither are switched,
    whatever the others are (clients ask so at every start). A symbol goes before a coin."""
    if not call.is_listed():
        raise bad_parameter("category")
    symbol, coin = call.params.text("symbol"), call.params.text("coin")
    if not symbol and not coin:
        raise bad_parameter("symbol")
    wanted = call.engine.listing_by_venue_symbol(Venue.BYBIT, symbol).symbol if symbol else None
    mode = call.params.integer("mode")
    if mode not in (_ONE_WAY, _HEDGE):
        raise bad_parameter("mode")
    if wanted is None and coin != wire.QUOTE:
        raise VenueError(110050, "Invalid coin")
    call.engine.set_position_mode(call.account, mode == _HEDGE, wanted)
    return Reply({})


def switch_isolated(call: Call) -> Reply:
    call.category()
    raise VenueError(100028, "unified account is forbidden")


def set_leverage(call: Call) -> Reply:
    """The two legs of hedge mode may differ under isolated margin only."""
    listing, account = rows.linear_listing(call), call.account
    mode = account.margin_mode_of(listing.symbol)
    buy, sell = _leverage(call, listing, "buyLeverage"), _leverage(call, listing, "sellLeverage")
    if buy != sell and (mode is MarginMode.CROSS or not account.is_hedged(listing.symbol)):
        case = "cross margin" if mode is MarginMode.CROSS else "one-way mode"
        raise VenueError(10001, f"buy leverage must equal sell leverage under {case}")
    wanted = {leg: sell if leg is Leg.SHORT else buy for leg in legs.legs_of(account, listing.symbol)}
    changed = {leg: each for leg, each in wanted.items() if each != call.engine.leverage(account, listing.symbol, mode, leg)}
    if not changed:
        raise VenueError(110043, "leverage not modified")
    try:
        if buy == sell:
            call.engine.set_leverage(account, listing.symbol, buy)
        else:
            call.engine.set_leverages(
                account, listing.symbol, {PositionKey(listing.symbol, leg, mode): each for leg, each in changed.items()}
            )
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise VenueError(110044, "Available margin is insufficient.") from refused
        if refused.reason is Reason.ABOVE_BRACKET:
            raise leverage_beyond_risk_limit(refused.detail["leverage"], refused.detail["allowed"]) from refused
        raise
    return Reply({})


def add_margin(call: Call) -> Reply:
    """Into the wallet of an isolated position, or out of it; answers with the position as it is then."""
    listing = rows.linear_listing(call)
    amount = call.params.signed("margin", most_decimals=_MARGIN_DECIMALS)
    key = legs.chosen(call.account, listing.symbol, call.params)
    try:
        call.engine.add_margin(call.account, key, amount)
    except Refused as refused:
        if refused.reason is Reason.INSUFFICIENT_MARGIN:
            raise VenueError(110014, "Insufficient available balance to add additional margin.") from refused
        if refused.reason is Reason.BELOW_MINIMUM:
            raise VenueError(110027, "Margin has not been modified.") from refused
        raise
    (row,) = [row for row in rows.of_symbol(call, listing) if row["positionIdx"] == legs.INDEX[key.leg]]
    return Reply(wire_account.after_margin_change(row))


def set_auto_add_margin(call: Call) -> Reply:
    """Always off here: turning it off is accepted under isolated margin, turning it on is refused."""
    listing = rows.linear_listing(call)
    wanted = call.params.integer("autoAddMargin")
    if wanted not in (_OFF, _ON):
        raise bad_parameter("autoAddMargin")
    key = legs.chosen(call.account, listing.symbol, call.params)
    if key.margin_mode is not MarginMode.ISOLATED:
        raise VenueError(110076, "Only isolated mode can set auto-add-margin")
    if wanted == _ON:
        raise bad_parameter("autoAddMargin")
    return Reply({})


def _leverage(call: Call, listing: Listing, name: str) -> int:
    asked = call.params.decimal(name, bad_parameter(name))
    if asked is None:
        raise bad_parameter(name)
    if asked != int(asked) or asked < 1:
        raise VenueError(10001, "leverage invalid")
    if asked > listing.max_leverage:
        raise leverage_beyond_risk_limit(wire.plain(asked), str(listing.max_leverage))
    return int(asked)


def _margin_mode_refusal(reasons: list[tuple[str, str]]) -> VenueError:
    result = {"reasons": [{"reasonCode": code, "reasonMsg": words} for code, words in reasons]}
    return VenueError(3400045, "Set margin mode failed", result=result)


def _in_the_way(call: Call) -> list[tuple[str, str]]:
    """The venue names everything at once."""
    found = []
    if call.engine.open_orders(call.account):
        found.append(("3400002", "Please ensure that there are no active orders in your account, including Limit and Conditional orders"))
    if call.account.positions:
        found.append(("3400001", "Please ensure that there are no positions in your account"))
    return found
