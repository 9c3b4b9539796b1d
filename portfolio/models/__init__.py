"""The book's tables: who may see what, what is held, what was ordered."""

from portfolio.models.access import Membership, Portfolio, PortfolioAccount, Role
from portfolio.models.book import AccountState, Balance, EquityPoint, Position
from portfolio.models.orders import IdempotencyKey, Order, Origin, SubmitAttempt
from portfolio.models.people import ApiToken, TokenOwner, UserSession

__all__ = [
    "AccountState",
    "ApiToken",
    "Balance",
    "EquityPoint",
    "IdempotencyKey",
    "Membership",
    "Order",
    "Origin",
    "Portfolio",
    "PortfolioAccount",
    "Position",
    "Role",
    "SubmitAttempt",
    "TokenOwner",
    "UserSession",
]
