"""What this venue says when it refuses: code, words and HTTP status. Codes and words follow the V5 error page and answers seen in the wild.

Business refusals come with HTTP status 200; only requests that fail before the gateway carry another status.
"""

from collections.abc import Mapping
from decimal import Decimal

from exchanges.sandbox.model import Reason, Refused

_MATCHING_SCALE = 10**8  # the matching engine quotes quantities as integers of 1e-8 in its refusals


class VenueError(Exception):
    """A refusal as it goes out. `result` is what the venue puts beside it, an empty object nearly always."""

    def __init__(self, code: int, message: str, *, status: int = 200, result: Mapping[str, object] | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.result = result or {}


def bad_parameter(name: str) -> VenueError:
    return VenueError(10001, f"params error: {name} invalid")


def illegal_category() -> VenueError:
    return VenueError(10001, "Illegal category")


def unsupported_symbol() -> VenueError:
    """Market data's words for a symbol it does not know."""
    return VenueError(10001, "Not supported symbols")


def unknown_order() -> VenueError:
    return VenueError(110001, "order not exists or too late to cancel")


def unsupported_order() -> VenueError:
    """Conditional, attached and trailing orders."""
    return VenueError(110032, "Order is illegal")


def unchanged_order() -> VenueError:
    return VenueError(10001, "The order remains unchanged as the parameters entered match the existing ones.")


def nothing_to_reduce() -> VenueError:
    return VenueError(110017, "current position is zero, cannot fix reduce-only order qty")


def route_not_found() -> VenueError:
    return VenueError(10017, "Route not found.", status=404)


def internal_error() -> VenueError:
    return VenueError(10016, "Server error.")


def from_refused(refused: Refused) -> VenueError:
    """The engine's reason in the venue's code and words; `detail` fills in what the words quote."""
    if refused.reason is Reason.ABOVE_MAXIMUM:
        return _too_large(refused.detail)
    if refused.reason is Reason.BELOW_NOTIONAL:
        return VenueError(110094, f"Order does not meet minimum order value {refused.detail.get('minimum', '5')}USDT")
    if refused.reason is Reason.ABOVE_BRACKET:
        return _beyond_risk_limit(refused.detail.get("allowed", ""))
    if refused.reason is Reason.LEVERAGE_TOO_HIGH:
        asked, maximum = refused.detail.get("leverage", ""), refused.detail.get("maximum", "")
        return leverage_beyond_risk_limit(asked, maximum)
    code, message = _FIXED[refused.reason]
    return VenueError(code, message)


def leverage_beyond_risk_limit(leverage: str, allowed: str) -> VenueError:
    return VenueError(110013, f"cannot set leverage [{leverage}] gt maxLeverage [{allowed}] by risk limit")


def _beyond_risk_limit(allowed: str) -> VenueError:
    words = "Order placement failed as your position may exceed the max limit. Please adjust your leverage to"
    return VenueError(110090, f"{words} {allowed} or below to increase the max. position limit")


def _too_large(detail: Mapping[str, str]) -> VenueError:
    message = "The number of contracts exceeds maximum limit allowed: too large"
    if "quantity" in detail and "maximum" in detail:
        asked, maximum = (int(Decimal(detail[name]) * _MATCHING_SCALE) for name in ("quantity", "maximum"))
        message += f", order_qty:{asked} > max_qty:{maximum}"
    return VenueError(10001, message)


_FIXED: Mapping[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (10001, "params error: symbol invalid"),
    Reason.BAD_TICK: (10001, "Price invalid"),
    Reason.BAD_LOT: (10001, "Qty invalid"),
    Reason.BELOW_MINIMUM: (10001, "The number of contracts exceeds minimum limit allowed"),
    Reason.PRICE_OUT_OF_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
    Reason.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.REDUCE_ONLY: (110017, "Reduce-only rule not satisfied"),
    Reason.WOULD_TAKE: (110032, "Order is illegal"),
    Reason.NOT_FILLABLE: (110032, "Order is illegal"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.ALREADY_FINAL: (110001, "order not exists or too late to cancel"),
    Reason.TOO_MANY_ORDERS: (110020, "Not allowed to have more than 500 active orders."),
    Reason.POSITION_SIDE: (10001, "position idx not match position mode"),
    Reason.UNCHANGED: (110025, "Position mode is not modified"),
    Reason.OPEN_POSITIONS: (110024, "You have an existing position, so the position mode cannot be switched."),
    Reason.OPEN_ORDERS: (110028, "You have existing open orders, so the position mode cannot be switched."),
    Reason.WOULD_LIQUIDATE: (110011, "Liquidation will be triggered immediately by this adjustment"),
    Reason.NO_POSITION: (110033, "You can't set margin without an open position"),
    Reason.NOT_ISOLATED: (110015, "The position is in cross margin mode."),
    Reason.BELOW_INITIAL_MARGIN: (110078, "Added margin more than max can reduce margin"),
}
