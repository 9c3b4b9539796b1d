"""What people type about accounts: where one is, how it is called, its keys. What was typed as a key leaves the form wrapped, and never
goes back into a page."""

from collections.abc import Sequence
from typing import Any

from django import forms
from pydantic import SecretStr

from dashboard import sentences
from exchanges import domain
from exchanges.endpoints import regions_for
from exchanges.models import Environment, Exchange
from portfolio.connecting import MAX_LABEL_LENGTH, Place
from portfolio.key_check import MAX_SECRET_LENGTH, Keys
from portfolio.models import Portfolio

SECRET_FIELDS = ("api_key", "api_secret", "passphrase")


class KeyForm(forms.Form):
    api_key = forms.CharField(max_length=MAX_SECRET_LENGTH)
    api_secret = forms.CharField(max_length=MAX_SECRET_LENGTH)
    passphrase = forms.CharField(max_length=MAX_SECRET_LENGTH, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sentences.name_fields(self.fields)

    def to_keys(self) -> Keys:
        """Of a valid form."""
        key, secret, passphrase = (self.cleaned_data[name] for name in SECRET_FIELDS)
        return Keys(SecretStr(key), SecretStr(secret), SecretStr(passphrase) if passphrase else None)

    @property
    def sentences(self) -> list[tuple[str, str]]:
        """Every error with the field it is about, "" for one that is about none."""
        return [(name if name in self.fields else "", str(text)) for name, texts in self.errors.items() for text in texts]


class ConnectForm(KeyForm):
    portfolio = forms.ChoiceField()
    venue = forms.ChoiceField()
    label = forms.CharField(max_length=MAX_LABEL_LENGTH, initial="Main")

    def __init__(self, managed: Sequence[Portfolio], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.managed = {str(portfolio.pk): portfolio for portfolio in managed}
        self._offer("portfolio", [(key, f"{each.name} · {each.get_environment_display()}") for key, each in self.managed.items()])
        environments = {portfolio.environment for portfolio in managed}
        self._offer("venue", [group for world in domain.Environment if world.value in environments for group in _venues(world)])

    def to_place(self) -> Place:
        exchange, environment, region = self.cleaned_data["venue"].split("/")
        return Place(domain.ExchangeType(exchange), domain.Environment(environment), region)

    def to_portfolio(self) -> Portfolio:
        return self.managed[self.cleaned_data["portfolio"]]

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  (for the type checker)
        field.choices = choices


def _venues(world: domain.Environment) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every exchange and region of this environment that exists, as one group of choices."""
    choices = [
        (f"{exchange.value}/{world.value}/{region}", f"{exchange.label} {region.upper()}".strip())
        for exchange in Exchange
        for region in regions_for(domain.ExchangeType(exchange.value), world)
    ]
    return [(Environment(world.value).label, choices)]
