"""What people type to change how an account trades a symbol: leverage, margin mode, position mode. Each form has its own button."""

from django import forms

from dashboard import sentences
from exchanges.domain import MarginMode, PositionMode

MARGIN_MODES = [(MarginMode.CROSS.value, "Cross"), (MarginMode.ISOLATED.value, "Isolated")]
POSITION_MODES = [(PositionMode.ONE_WAY.value, "One-way"), (PositionMode.HEDGE.value, "Hedge: long and short side by side")]
MAX_LEVERAGE = 200
_OFFERED = {"invalid_choice": "must be one of those offered, was %(value).40s", "required": "must be chosen"}


class LeverageForm(forms.Form):
    """`margin_mode` where the exchange keeps a leverage for each."""

    leverage = forms.IntegerField(
        min_value=1,
        max_value=MAX_LEVERAGE,
        error_messages={
            "required": "leverage is required",
            "invalid": "leverage must be a whole number",
            "min_value": "leverage must be at least %(limit_value)s, was %(show_value)s",
            "max_value": "leverage must be at most %(limit_value)s, was %(show_value)s",
        },
    )
    margin_mode = forms.ChoiceField(choices=[("", ""), *MARGIN_MODES], required=False, error_messages=_OFFERED)


class MarginModeForm(forms.Form):
    margin_mode = forms.ChoiceField(choices=MARGIN_MODES, error_messages=_OFFERED)


class PositionModeForm(forms.Form):
    position_mode = forms.ChoiceField(choices=POSITION_MODES, error_messages=_OFFERED)


def first_error(form: forms.Form) -> str:
    """As a sentence that begins with the field."""
    name, errors = next(iter(form.errors.items()))
    return str(errors[0]) if str(errors[0]).startswith(name) else f"{sentences.name_of(name)} {errors[0]}"
