"""The tables of the outside world: accounts and keys, what venues list, and which exchange a symbol is routed to."""

from exchanges.models.accounts import Credential, Environment, Exchange, ExchangeAccount, ExchangeAccountQuerySet
from exchanges.models.markets import Instrument, MarkPrice, VenuePause
from exchanges.models.routing import RoutingRule, RoutingTarget

__all__ = [
    "Credential",
    "Environment",
    "Exchange",
    "ExchangeAccount",
    "ExchangeAccountQuerySet",
    "Instrument",
    "MarkPrice",
    "RoutingRule",
    "RoutingTarget",
    "VenuePause",
]
