"""What can go wrong at a venue, as one tree. Two questions decide a class: may the caller retry, and do we know what happened?

`write_effect` is what the answer says about a write: NONE, nothing was changed; UNKNOWN, it may have been carried out and must be looked
up, never sent again; APPLIED, it is as it was asked for. Venue texts are foreign: they are cut here and escaped wherever shown.
"""

from enum import StrEnum
from typing import ClassVar

MAX_VENUE_TEXT = 500


class WriteEffect(StrEnum):
    NONE = "none"
    UNKNOWN = "unknown"
    APPLIED = "applied"


class Scope(StrEnum):
    """What else stops when this happens."""

    REQUEST = "request"
    ACCOUNT = "account"
    ADDRESS = "address"
    VENUE = "venue"


class ExchangeAPIError(Exception):
    """The base of everything an adapter raises. `code` is the venue's own code as a string ("" for transport errors)."""

    write_effect: ClassVar[WriteEffect] = WriteEffect.NONE
    scope: ClassVar[Scope] = Scope.REQUEST
    is_transient: ClassVar[bool] = False
    hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        code: str | int | None = None,
        exchange: str = "",
        original_error: BaseException | None = None,
        *,
        http_status: int | None = None,
        field: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message[:MAX_VENUE_TEXT])
        self.message = message[:MAX_VENUE_TEXT]
        self.code = "" if code is None else str(code)
        self.exchange = exchange
        self.original_error = original_error
        self.http_status = http_status
        self.field = field
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        origin = " ".join(part for part in (self.exchange, self.code) if part)
        return f"{self.message} ({origin})" if origin else self.message

    @property
    def user_message(self) -> str:
        """One sentence for a person: what we make of it, then the venue's words."""
        message = self.message[:1].upper() + self.message[1:]
        return f"{self.hint} {message}".strip() if self.hint else self.message

    @property
    def message_of_read(self) -> str:
        """The same where nothing was to be changed: then no order is in doubt, whatever the hint says of orders."""
        return self.message if self.write_effect is WriteEffect.UNKNOWN else self.user_message


class NotSent(ExchangeAPIError):
    """No byte of the request left: name lookup, refused connection, TLS, connect deadline. Nothing happened at the venue."""

    is_transient = True
    scope = Scope.VENUE


class OutcomeUnknown(ExchangeAPIError):
    """A write that may or may not have been carried out. Look it up by client order id; never send it again."""

    write_effect = WriteEffect.UNKNOWN
    is_transient = True
    hint = "The outcome is not known yet; the exchange is being asked. Do not repeat the order."


class BadVenueResponse(OutcomeUnknown):
    """The answer is no answer: truncated, HTML, a redirect, wrong types, a missing order id. Also of a read, where no order is in doubt."""

    hint = "The exchange gave no usable answer. Do not repeat an order that it would have answered: it may be live."


class DuplicateClientOrderId(OutcomeUnknown):
    """The venue already knows this client order id: something of ours is there. Look it up."""


class OrderBusy(OutcomeUnknown):
    """The venue is still working on an earlier request for this order."""


class UnmappedVenueError(OutcomeUnknown):
    """A code this adapter does not know. A write is unknown until looked up; of a read, no order is in doubt."""

    hint = "The exchange's answer is not understood. Do not repeat an order that it answers: it may be live."


class AuthenticationError(ExchangeAPIError):
    scope = Scope.ACCOUNT


class BadApiKey(AuthenticationError):
    hint = "The exchange does not accept this API key."


class BadSignature(AuthenticationError):
    hint = "The signature was refused: the stored secret does not match the key."


class WrongEnvironment(AuthenticationError):
    hint = "This key belongs to another environment (live or demo)."


class PermissionDenied(AuthenticationError):
    hint = "The key lacks the permission for this."


class IpNotAllowed(PermissionDenied):
    hint = "This server's address is not on the key's list."


class RegionRestricted(PermissionDenied):
    hint = "The exchange restricts this account or region."


class ReduceOnlyAccount(PermissionDenied):
    hint = "Only orders that reduce a position are allowed now."


class AccountBlocked(AuthenticationError):
    hint = "The account is blocked or in liquidation at the exchange."


class ClockSkew(ExchangeAPIError):
    """The venue refused the time of the request. Nothing was changed; the clock must be measured again."""

    scope = Scope.VENUE
    is_transient = True
    hint = "This server's clock differs from the exchange's."


class RequestExpired(ClockSkew):
    hint = "The request arrived too late and was not executed."


class RateLimited(ExchangeAPIError):
    """Counted by address: it concerns every account behind it. `retry_after_s` says when to come back, None where the venue does not."""

    scope = Scope.ADDRESS
    is_transient = True
    hint = "The exchange's rate limit is reached."


class AccountRateLimited(RateLimited):
    """The venue counts per account here: others behind the same address may go on."""

    scope = Scope.ACCOUNT


class Banned(RateLimited):
    hint = "This server's address is banned by the exchange for a while."


class ExchangeUnavailable(ExchangeAPIError):
    scope = Scope.VENUE
    is_transient = True
    hint = "The exchange is unavailable."


class Maintenance(ExchangeUnavailable):
    hint = "The exchange is under maintenance."


class Overloaded(ExchangeUnavailable):
    hint = "The exchange is overloaded."


class OverloadedOutcomeUnknown(OutcomeUnknown):
    """Overload as Bybit and OKX answer it: the write may have been carried out."""


class InsufficientMargin(ExchangeAPIError):
    hint = "Not enough margin."


class RiskLimitExceeded(ExchangeAPIError):
    hint = "Above the exchange's position limit at this leverage."


class InvalidOrder(ExchangeAPIError):
    """The order itself is wrong, `field` names the part. Also raised by our own checks, before anything is sent."""


class BadParameter(InvalidOrder):
    pass


class UnsupportedField(InvalidOrder):
    """A field of the order that is not carried out yet; it is refused, never ignored."""


class FilterViolation(InvalidOrder):
    pass


class PriceOutOfBand(InvalidOrder):
    hint = "The price is outside the exchange's allowed band."


class PostOnlyWouldTake(InvalidOrder):
    hint = "The post-only order would have taken liquidity."


class ReduceOnlyRejected(InvalidOrder):
    hint = "There is nothing left to reduce."


class WouldTriggerImmediately(InvalidOrder):
    hint = "The trigger price is already passed."


class NotFillable(InvalidOrder):
    hint = "The order could not be filled at once."


class TooManyOpenOrders(InvalidOrder):
    hint = "Too many open orders."


class PositionModeMismatch(InvalidOrder):
    hint = "The account's position mode (hedge or one-way) differs."


class UnknownSymbol(InvalidOrder):
    hint = "The exchange does not list this symbol."


class MarketNotTrading(InvalidOrder):
    hint = "The market is closed or settling."


class ReduceOnlyMarket(InvalidOrder):
    hint = "Only orders that reduce a position are allowed in this market now."


class WrongEndpoint(InvalidOrder):
    hint = "The exchange does not take this order here."


class UnknownOrder(ExchangeAPIError):
    """The venue does not know this order (any more). Says nothing about whether it was filled: look it up."""


class OrderAlreadyFinal(UnknownOrder):
    hint = "The order is already filled or canceled."


class SettingRefused(ExchangeAPIError):
    """Leverage, margin mode or position mode stay as they are."""

    hint = "The exchange does not change this setting now."


class OpenOrdersInTheWay(SettingRefused):
    hint = "Cancel the open orders first."


class PositionInTheWay(SettingRefused):
    hint = "Close the open position first."


class LeverageUnconfirmed(ExchangeAPIError):
    """Raised by an order that names a leverage: the exchange did not confirm the leverage, so the order was not sent."""

    is_transient = True
    hint = "Nothing was placed: the exchange did not confirm the leverage."


class NoChange(ExchangeAPIError):
    """It already is as asked (leverage, margin mode, position mode): a success, told apart so that the adapter may answer it as one."""

    write_effect = WriteEffect.APPLIED
