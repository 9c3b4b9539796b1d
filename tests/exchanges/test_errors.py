"""The tree of errors: what each class says about a write, and what its words hold."""

import inspect

import pytest

from exchanges import errors
from exchanges.errors import ExchangeAPIError, OutcomeUnknown, Scope, WriteEffect

CLASSES = [member for _, member in inspect.getmembers(errors, inspect.isclass) if issubclass(member, ExchangeAPIError)]


@pytest.mark.parametrize("error", CLASSES)
def test_unknown_is_said_by_the_family_of_outcome_unknown_alone(error: type[ExchangeAPIError]) -> None:
    """Whoever catches OutcomeUnknown has caught every write that may have been carried out."""
    assert issubclass(error, OutcomeUnknown) == (error.write_effect is WriteEffect.UNKNOWN)


@pytest.mark.parametrize("error", [errors.InvalidOrder, errors.InsufficientMargin, errors.AuthenticationError, errors.UnknownOrder])
def test_a_refusal_is_not_to_be_repeated(error: type[ExchangeAPIError]) -> None:
    assert (error.write_effect, error.is_transient) == (WriteEffect.NONE, False)


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (errors.BadApiKey, Scope.ACCOUNT),
        (errors.IpNotAllowed, Scope.ACCOUNT),
        (errors.Banned, Scope.ADDRESS),
        (errors.Maintenance, Scope.VENUE),
        (errors.NotSent, Scope.VENUE),
        (errors.FilterViolation, Scope.REQUEST),
    ],
)
def test_what_else_stops_is_told_by_the_scope(error: type[ExchangeAPIError], scope: Scope) -> None:
    assert error.scope is scope


def test_an_error_carries_the_venues_code_and_our_hint() -> None:
    cause = ValueError("cause")
    error = errors.InsufficientMargin("Margin is insufficient.", -2019, "binance", cause, http_status=400)
    assert (error.code, error.exchange, error.original_error, error.http_status) == ("-2019", "binance", cause, 400)
    assert str(error) == "Margin is insufficient. (binance -2019)"
    assert error.user_message == "Not enough margin. Margin is insufficient."
    assert ExchangeAPIError("plain").user_message == str(ExchangeAPIError("plain")) == "plain"


@pytest.mark.parametrize("error", [errors.BadVenueResponse, errors.UnmappedVenueError])
def test_what_a_read_may_raise_too_claims_no_order_that_is_being_asked_about(error: type[ExchangeAPIError]) -> None:
    """It is shown to somebody who looked at a chart, and to somebody whose order it is."""
    words = error("no JSON").user_message
    assert "being asked" not in words
    assert "Do not repeat an order" in words
    assert words.endswith("No JSON")


def test_the_contract_takes_message_code_exchange_and_original_error_in_this_order() -> None:
    assert list(inspect.signature(ExchangeAPIError).parameters)[:4] == ["message", "code", "exchange", "original_error"]


def test_a_venues_text_is_cut() -> None:
    error = ExchangeAPIError("x" * 10_000)
    assert len(error.message) == len(str(error)) == errors.MAX_VENUE_TEXT
