"""Which exchange a symbol's orders go to: rules in the database, from wherever they are edited."""

from exchanges.routing.entry import Fault, WrongRules
from exchanges.routing.patterns import RuleTerms
from exchanges.routing.resolution import DEFAULT_EXCHANGE, AppliedRule, Route, resolve_exchange_for_symbol, route
from exchanges.routing.rules import load_symbol_mapping_from_policy, set_symbol_exchange_mapping

__all__ = [
    "DEFAULT_EXCHANGE",
    "AppliedRule",
    "Fault",
    "Route",
    "RuleTerms",
    "WrongRules",
    "load_symbol_mapping_from_policy",
    "resolve_exchange_for_symbol",
    "route",
    "set_symbol_exchange_mapping",
]
