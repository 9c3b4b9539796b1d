"""What people type about themselves and others: an API token, a member and their role."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User

from dashboard import sentences
from portfolio import access, tokens
from portfolio.models import ApiToken, Role

ALL, SOME = "all", "some"
_LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")]
_SCOPES = [
    (tokens.READ, "read: see accounts, positions, orders"),
    (tokens.TRADE, "trade: place, cancel and close, and read"),
    (tokens.ADMIN, "admin: what a manager decides: accounts and routing"),
]


class TokenForm(forms.Form):
    """A token can do no more than its user; this says how much less."""

    name = forms.CharField(max_length=60)
    scopes = forms.MultipleChoiceField(choices=_SCOPES, initial=[tokens.READ])
    reach = forms.ChoiceField(choices=[(ALL, "All accounts, also later ones"), (SOME, "Only these")], initial=ALL)
    accounts = forms.MultipleChoiceField(required=False)
    addresses = forms.CharField(max_length=1_000, required=False)
    days = forms.ChoiceField(choices=_LIFETIMES, initial="90", required=False)

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data)
        self.user = user
        self.choices_of_accounts = [(str(account.pk), str(account)) for account in access.accounts_for(user)]
        choices = self.fields["accounts"]
        assert isinstance(choices, forms.MultipleChoiceField)  # noqa: S101  (for the type checker)
        choices.choices = self.choices_of_accounts
        sentences.name_fields(self.fields)

    @property
    def chosen_accounts(self) -> list[str]:
        return list(self["accounts"].value() or [])

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError("name must be letters, digits and signs that can be seen")
        if ApiToken.objects.filter(user=self.user, name=name).exists():
            raise forms.ValidationError("name must be new: you have a token of this name, or had one")
        return name

    def clean_addresses(self) -> list[str]:
        try:
            return tokens.networks_in(self.cleaned_data["addresses"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> None:
        if self.errors:
            return
        values = self.cleaned_data
        if values["reach"] == ALL and values["accounts"]:
            raise forms.ValidationError("accounts were ticked: choose “Only these”, or untick them")
        try:
            tokens.check(values["scopes"], self.account_ids)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    @property
    def account_ids(self) -> list[int] | None:
        return None if self.cleaned_data["reach"] == ALL else [int(account) for account in self.cleaned_data["accounts"]]

    def make(self, now: datetime) -> str:
        """The token of a valid form."""
        values = self.cleaned_data
        return tokens.create(
            self.user,
            values["name"],
            values["scopes"],
            expires_at=now + timedelta(days=int(values["days"])) if values["days"] else None,
            account_ids=self.account_ids,
            addresses=values["addresses"],
        )


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER.value)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sentences.name_fields(self.fields)


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)
