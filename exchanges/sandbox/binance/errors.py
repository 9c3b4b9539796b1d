"""What this venue says when it refuses: code, words and HTTP status, as its error page has them (USDⓈ-M futures, read 2025-11).

Knows the table and nothing about when a refusal is due.
"""

from collections.abc import Mapping

from exchanges.sandbox.model import Reason, Refused

BAD_REQUEST = 400
UNAUTHORIZED = 401
NOT_FOUND = 404
INTERNAL_ERROR = 500

Refusals = Mapping[Reason, tuple[int, str]]

_REFUSALS: Refusals = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.BAD_TICK: (-4014, "Price not increased by tick size."),
    Reason.BAD_LOT: (-4023, "Qty not increased by step size."),
    Reason.BELOW_MINIMUM: (-4004, "Quantity less than min quantity."),
    Reason.ABOVE_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.BELOW_NOTIONAL: (-4164, "Order's notional must be no smaller than 5.0 (unless you choose reduce only)"),
    Reason.PRICE_OUT_OF_BAND: (-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit"),
    Reason.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Reason.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.WOULD_TAKE: (-5022, "Due to the order could not be executed as maker, the Post Only order will be rejected."),
    Reason.NOT_FILLABLE: (-5021, "Due to the order could not be filled immediately, the FOK order has been rejected."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.ALREADY_FINAL: (-2011, "Unknown order sent."),
    Reason.LEVERAGE_TOO_HIGH: (-4028, "Invalid leverage"),
    Reason.ABOVE_BRACKET: (-2027, "Exceeded the maximum allowable position at current leverage."),
    Reason.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Reason.LEVERAGE_REDUCTION: (-4161, "Leverage reduction is not supported in Isolated Margin Mode with open positions."),
    Reason.NO_POSITION: (-4054, "Cannot add position margin: position is 0."),
    Reason.NOT_ISOLATED: (-4049, "Add margin only support for isolated position."),
    Reason.BELOW_INITIAL_MARGIN: (-4051, "Isolated balance insufficient."),
    Reason.TOO_MANY_ORDERS: (-2025, "Reach max open order limit."),
}


class VenueError(Exception):
    """A refusal as the client will read it; the account is unchanged."""

    def __init__(self, code: int, text: str, *, status: int = BAD_REQUEST) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.status = status

    @property
    def body(self) -> dict[str, object]:
        return {"code": self.code, "msg": self.text}


def from_refusal(refused: Refused, own: Refusals | None = None) -> VenueError:
    """`own` goes before the table: what a reason means to one request alone."""
    return VenueError(*((own or {}).get(refused.reason) or _REFUSALS[refused.reason]))


def wrong_position_side() -> VenueError:
    return VenueError(*_REFUSALS[Reason.POSITION_SIDE])


def missing(name: str) -> VenueError:
    return VenueError(-1102, f"Mandatory parameter '{name.lower()}' was not sent, was empty/null, or malformed.")


def missing_both(name: str, other: str) -> VenueError:
    return VenueError(-1102, f"Param '{name}' or '{other}' must be sent, but both were empty/null!")


def empty(name: str) -> VenueError:
    return VenueError(-1105, f"Parameter '{name}' was empty.")


def not_required(name: str) -> VenueError:
    return VenueError(-1106, f"Parameter '{name.lower()}' sent when not required.")


def illegal_characters(name: str, legal: str) -> VenueError:
    return VenueError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def invalid_data(name: str) -> VenueError:
    return VenueError(-1130, f"Data sent for parameter '{name}' is not valid.")


def unknown_order() -> VenueError:
    return VenueError(-2013, "Order does not exist.")


def unknown_cancel() -> VenueError:
    return VenueError(-2011, "Unknown order sent.")


def unsupported() -> VenueError:
    return VenueError(-1020, "This operation is not supported.")


def unknown_path(path: str, method: str) -> VenueError:
    return VenueError(-5000, f"Path {path}, Method {method} is invalid", status=NOT_FOUND)


def internal() -> VenueError:
    return VenueError(-1000, "An unknown error occured while processing the request.", status=INTERNAL_ERROR)
