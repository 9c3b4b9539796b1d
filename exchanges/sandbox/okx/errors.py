"""How the OKX dialect says no: code, words and HTTP status of each refusal, and the engine's reasons translated into them.

Source: error tables of docs-v5 (read July 2026) and the recorded payloads of the fixtures; where a recording and the table differ
in wording ("Parameter posSide error " with its trailing blank), the recording wins.
"""

from dataclasses import dataclass

from exchanges.sandbox.model import Leg, PositionKey, Reason, Refused


@dataclass(frozen=True, slots=True)
class Refusal:
    """`status` is the HTTP status where the code stands alone; as an item's sCode it always travels in an HTTP 200."""

    code: str
    message: str
    status: int = 200


class Rejected(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


# Since the venue split off Nitro Spread (which keeps 51401 and 51402), one code answers the cancel of a filled, canceled or unknown order.
NOT_CANCELABLE = Refusal("51400", "Order cancellation failed as the order has been filled, canceled or does not exist.")
AMENDED_BEYOND_MARGIN = Refusal("51502", "Order modification failed for insufficient margin.")
NOTHING_TO_AMEND = Refusal("51503", "Order modification failed as the order does not exist.")
NO_SUCH_ORDER = Refusal("51603", "Order does not exist.")
NO_ORDER_NAMED = Refusal("51003", "Either client order ID or order ID is required.")
NO_POSITION = Refusal("51023", "Position doesn't exist.")
CLOSE_ORDERS_PENDING = Refusal("51115", "Cancel all pending close-orders before liquidation.", 429)
NOTHING_TO_REDUCE = Refusal(
    "51169", "Order failed because you don't have any positions in this direction for this contract to reduce or close."
)
REDUCING_WRONG_WAY = Refusal(
    "51170", "Failed to place order. A reduce-only order can’t be the same trading direction as your existing positions."
)
MARKET_ORDER_TOO_LARGE = Refusal("51202", "Market order amount exceeds the maximum amount.")
CLOSE_TOO_LARGE = Refusal("51108", "Positions exceed the limit for closing out with the market price.")
POSITIONS_IN_THE_WAY = Refusal("59000", "Settings failed. Close any open positions or orders before modifying settings.")
LEVERAGE_TOO_LOW = Refusal("59108", "Your account leverage is too low and has insufficient margins. Please increase the leverage.")
LEVERAGE_BELOW_ONE = Refusal("59105", "Leverage can't be less than 1. Please increase the leverage.", 400)
LEVERAGE_TOO_HIGH = Refusal("59102", "Leverage exceeds the maximum limit. Please lower the leverage.")
EQUITY_TOO_LOW = Refusal("59109", "Account equity less than the required margin amount after adjustment. Please adjust the leverage.")
ISOLATED_ORDERS_PENDING = Refusal(
    "59101", "Leverage can't be modified. Please cancel all pending isolated margin orders before adjusting the leverage."
)
NO_POSITION_TO_MARGIN = Refusal("59300", "Margin call failed. Position does not exist.")
MARGIN_BEYOND_LIMIT = Refusal("59301", "Margin adjustment failed for exceeding the max limit.")
# Answered when the deadline has passed at arrival; 50037 "Order expired." is for a request that grew old inside the venue.
EXPIRED = Refusal("50036", "The expTime can't be earlier than the current system time. Please adjust the expTime and try again.")
EMPTY_BODY = Refusal("50000", "Body for POST request cannot be empty.", 400)
BAD_JSON = Refusal("50002", "JSON syntax error", 400)
BAD_CONTENT_TYPE = Refusal("50006", 'Invalid Content-Type. Please use "application/JSON".', 400)
BAD_METHOD = Refusal("50115", "Invalid request method.", 405)
SYSTEM_ERROR = Refusal("50026", "System error. Try again later", 500)

_BY_REASON = {
    Reason.UNKNOWN_SYMBOL: Refusal("51001", "Instrument ID, Instrument ID code or Spread ID doesn't exist."),
    Reason.BAD_TICK: Refusal("51150", "The precision of the number of trades or the price exceeds the limit."),
    Reason.BAD_LOT: Refusal("51121", "Order quantity must be a multiple of the lot size."),
    Reason.BELOW_MINIMUM: Refusal("51020", "Your order should meet or exceed the minimum order amount."),
    Reason.BELOW_NOTIONAL: Refusal("51020", "Your order should meet or exceed the minimum order amount."),
    Reason.ABOVE_MAXIMUM: Refusal("51005", "Your order amount exceeds the max order amount."),
    Reason.INSUFFICIENT_MARGIN: Refusal("51008", "Order failed. Insufficient USDT margin in account"),
    Reason.DUPLICATE_CLIENT_ID: Refusal("51016", "Client order ID already exists."),
    Reason.REDUCE_ONLY: NOTHING_TO_REDUCE,
    Reason.UNKNOWN_ORDER: NO_SUCH_ORDER,
    Reason.ALREADY_FINAL: NOT_CANCELABLE,
    Reason.LEVERAGE_TOO_HIGH: LEVERAGE_TOO_HIGH,
    Reason.OPEN_POSITIONS: POSITIONS_IN_THE_WAY,
    Reason.OPEN_ORDERS: POSITIONS_IN_THE_WAY,
    Reason.TOO_MANY_ORDERS: Refusal("51025", "Order count exceeds the limit."),
}


def of_reason(refused: Refused) -> Refusal:
    """Raises KeyError for a reason that this venue never gives (an order that would take is accepted here, then canceled)."""
    return _BY_REASON[refused.reason]


def missing(parameter: str) -> Rejected:
    return Rejected(Refusal("50014", f"Parameter {parameter} can not be empty.", 400))


def invalid(parameter: str) -> Rejected:
    return Rejected(Refusal("51000", f"Parameter {parameter} error ", 400))


def either(first: str, second: str) -> Rejected:
    return Rejected(Refusal("50015", f"Either parameter {first} or {second} is required", 400))


def out_of_band(max_buy: str, min_sell: str) -> Refusal:
    return Refusal("51006", f"Order price is not within the price limit (max buy price: {max_buy} , min sell price: {min_sell} )")


def above_tier(instrument: str, key: PositionKey, largest: str, leverage: str) -> Refusal:
    """`largest` in contracts. The venue goes on to list what it added up."""
    of = "buy/sell mode" if key.leg is Leg.NET else f"{key.margin_mode.value} long/short mode"
    summed = "position quantity, and pending orders" if key.leg is Leg.NET else "position quantity and pending orders in the same direction"
    return Refusal(
        "51004",
        f"Order failed. For {of} of {instrument}, the sum of current order size, {summed} can’t be more than {largest}(contracts) which is "
        "the maximum position amount under current leverage. Please lower the leverage or use a new sub-account to place the order again "
        f"(current leverage: {leverage}×).",
    )


def too_many_in_bulk(maximum: int) -> Rejected:
    return Rejected(Refusal("51111", f"Maximum {maximum} orders can be placed in bulk."))


def too_many_to_cancel(maximum: int) -> Rejected:
    return Rejected(Refusal("51406", f"Canceled - order count exceeds the limit {maximum}.", 400))
