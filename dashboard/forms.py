"""What people type: the order ticket. One step from the form to an OrderRequest; every error is the sentence that a program would get."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import uuid_utils
from django import forms
from django.contrib.auth.models import User
from pydantic import ValidationError

from dashboard import sentences
from dashboard.margin_forms import MARGIN_MODES
from dashboard.requests import id_from, symbol_in
from exchanges.domain import OrderRequest, OrderSide, OrderType, TimeInForce
from exchanges.models import Exchange, ExchangeAccount, Instrument
from exchanges.routing import DEFAULT_EXCHANGE
from portfolio import access
from portfolio.execution.selection import Routed, select_account
from portfolio.models import Portfolio

_NOT_OF_THE_ORDER = {"csrfmiddlewaretoken", "refresh"}
_TYPES = [(OrderType.LIMIT.value, "Limit"), (OrderType.MARKET.value, "Market")]
LIFETIMES = [
    (TimeInForce.GTC.value, "Good till canceled"),
    (TimeInForce.IOC.value, "Immediate or cancel"),
    (TimeInForce.FOK.value, "Fill or kill"),
    (TimeInForce.GTX.value, "Post-only"),
]
# At an exchange whose orders name one; portfolio.execution.completion fills it in where it is left open.
MARGIN_OF_ORDER = [("", "As held, else cross"), *MARGIN_MODES]
MAX_KEY_LENGTH = 100
ROUTE = "route"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What exactly will be sent, and what to know before it is. `agreed`: the route that it shows, empty where the account was named;
    `margin_mode`: empty where the order names none."""

    sentence: str
    facts: Sequence[tuple[str, str]]
    warnings: Sequence[str]
    agreed: str = ""
    margin_mode: str = ""


def new_idempotency_key() -> str:
    return str(uuid_utils.uuid7())


class OrderTicket(forms.Form):
    """`confirmation`, the texts from `reference` to `trouble` and `names_margin_mode` (an order says it at the account that it goes to) are
    set by dashboard.ticket before the form is shown. `agreed` is the route that the confirmation showed, where the route chooses the
    account."""

    portfolio = forms.CharField(max_length=18, required=False, widget=forms.HiddenInput)
    account = forms.ChoiceField()
    symbol = forms.CharField(max_length=32)
    side = forms.ChoiceField(choices=[(side.value, side.value) for side in OrderSide])
    order_type = forms.ChoiceField(choices=_TYPES, initial=OrderType.LIMIT.value)
    quantity = forms.CharField(max_length=50)
    price = forms.CharField(max_length=50, required=False)
    time_in_force = forms.ChoiceField(choices=LIFETIMES, required=False, initial=TimeInForce.GTC.value)
    reduce_only = forms.BooleanField(required=False)
    margin_mode = forms.ChoiceField(choices=MARGIN_OF_ORDER, required=False)
    idempotency_key = forms.CharField(max_length=MAX_KEY_LENGTH, widget=forms.HiddenInput)
    agreed = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)

    def __init__(self, user: User, data: Any = None, *, portfolio: Portfolio | None = None, **kwargs: Any) -> None:
        """Accounts of one portfolio only, so that a page never offers an account of another environment than the one it says it shows:
        of `portfolio`, else of the one that the form names, by itself or by its account."""
        kwargs["initial"] = {"idempotency_key": new_idempotency_key(), "account": ROUTE, **kwargs.get("initial", {})}
        super().__init__(data, **kwargs)
        self.user = user
        self.reference = self.holding = self.holding_age = self.rules = self.unit = self.contracts = self.route = self.trouble = ""
        self.names_margin_mode = False
        self.confirmation: Confirmation | None = None
        self.starts_at = ""
        self.accounts = {account.pk: account for account in sorted(_tradable(user), key=_standing)}
        self.shown_portfolio = portfolio or self._named_portfolio()
        self.accounts = {key: account for key, account in self.accounts.items() if account.portfolio_link.portfolio == self.shown_portfolio}
        self.initial["portfolio"] = str(self.shown_portfolio.pk) if self.shown_portfolio else ""
        choices = self.fields["account"]
        assert isinstance(choices, forms.ChoiceField)  # noqa: S101  (for the type checker)
        choices.choices = [(ROUTE, "Route: by rule"), *_grouped(list(self.accounts.values()))]
        sentences.name_fields(self.fields)

    @property
    def symbols(self) -> list[str]:
        environments = {account.environment for account in self.accounts.values()}
        return list(Instrument.objects.filter(environment__in=environments).values_list("symbol", flat=True).distinct().order_by("symbol"))

    @property
    def focused(self) -> str:
        """The field to go to: the first with a fault in it, else `starts_at`. Empty for none."""
        return next((name for name in self.fields if name in self.errors), "") if self.is_bound else self.starts_at

    @property
    def follows_route(self) -> bool:
        """What is chosen where nothing is."""
        return str(self["account"].value() or ROUTE) == ROUTE

    @property
    def chosen_account(self) -> ExchangeAccount | None:
        """The account that is named. None where the route chooses, and for one that is not offered."""
        named = id_from(str(self["account"].value() or ""))
        return None if named is None else self.accounts.get(named)

    @property
    def chosen_symbol(self) -> str:
        """As far as it can be looked up: no database takes every character."""
        text = str(self["symbol"].value() or "").strip().upper()
        return text if text.isprintable() else ""

    def destination(self) -> Routed | None:
        """Where the order goes as the fields stand, valid or not; None where they name no account that is offered. Raises Refused."""
        account = self.chosen_account
        if self.shown_portfolio is None or (account is None and not self.follows_route):
            return None
        account_id = account.pk if account else None
        return select_account(self.user, symbol=self.chosen_symbol, account_id=account_id, portfolio_id=self.shown_portfolio.pk)

    def _named_portfolio(self) -> Portfolio | None:
        named = id_from(str(self["portfolio"].value() or ""))
        portfolios = {account.portfolio_link.portfolio_id: account.portfolio_link.portfolio for account in self.accounts.values()}
        if self.chosen_account is not None:
            return self.chosen_account.portfolio_link.portfolio
        if named is not None:
            return portfolios.get(named)
        return next(iter(portfolios.values())) if len(portfolios) == 1 else None

    def clean(self) -> None:
        """What would not be carried out is refused, never ignored."""
        for name in sorted(set(self.data) - set(self.fields) - _NOT_OF_THE_ORDER):
            self.add_error(None, f"{name[:40]} must be left out: it is not a field of this ticket")

    def clean_symbol(self) -> str:
        try:
            return symbol_in(self.cleaned_data["symbol"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean_account(self) -> str:
        if self.shown_portfolio is None:
            raise forms.ValidationError("portfolio must be one of yours where you may trade")
        return str(self.cleaned_data["account"])

    def to_request(self) -> OrderRequest | None:
        """The order of a valid form; None after adding the errors that keep it from being one."""
        values = self.cleaned_data
        is_limit = values["order_type"] == OrderType.LIMIT
        try:
            return OrderRequest.model_validate(
                {
                    "symbol": values["symbol"],
                    "side": values["side"],
                    "order_type": values["order_type"],
                    "quantity": values["quantity"].strip(),
                    "price": values["price"].strip() or None if is_limit else None,
                    "time_in_force": values["time_in_force"] or None if is_limit else None,
                    "reduce_only": values["reduce_only"],
                    "margin_mode": values["margin_mode"] or None,
                }
            )
        except ValidationError as error:
            for item in error.errors():
                detail = sentences.of_pydantic(dict(item))
                self.add_error(detail["field"] if detail["field"] in self.fields else None, sentences.for_people(detail["message"]))
            return None


def _tradable(user: User) -> Iterable[ExchangeAccount]:
    """A person may trade in one portfolio and only watch another."""
    found = access.accounts_for(user).active().filter(is_trading_enabled=True).select_related("portfolio_link__portfolio", "credential")
    roles: dict[int, bool] = {}
    for account in found:
        portfolio = account.portfolio_link.portfolio
        if portfolio.pk not in roles:
            roles[portfolio.pk] = access.can_trade_in(user, portfolio)
        if roles[portfolio.pk]:
            yield account


def _standing(account: ExchangeAccount) -> tuple[bool, str, bool, int]:
    """The default exchange first, and in each exchange its default account."""
    return (account.exchange != DEFAULT_EXCHANGE, account.exchange, not account.portfolio_link.is_default, account.pk)


def _grouped(accounts: list[ExchangeAccount]) -> list[tuple[str, list[tuple[str, str]]]]:
    """In the order in which they stand, by exchange."""
    return [
        (exchange.label, [(str(account.pk), str(account)) for account in accounts if account.exchange == exchange])
        for exchange in sorted(Exchange, key=lambda exchange: exchange.value != DEFAULT_EXCHANGE)
        if any(account.exchange == exchange for account in accounts)
    ]
