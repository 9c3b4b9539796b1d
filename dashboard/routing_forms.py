"""What people enter of routing rules: one rule, a whole file. Errors are the sentences that a program would get."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from exchanges.models import Exchange, RoutingRule
from exchanges.routing import RuleTerms, WrongRules, policy, rules
from exchanges.routing.entry import checked_rule
from exchanges.routing.patterns import MAX_NOTE_LENGTH, MAX_PATTERN_LENGTH
from exchanges.routing.rules import Change

_RANKS = range(1, len(Exchange) + 1)
RANKS = [f"target_{rank}" for rank in _RANKS]
# A form as a whole may have 64 KB; the text comes back with longer ends of lines.
MAX_IMPORT_BYTES = 48 * 1024


class RuleForm(forms.Form):
    """A new rule, or one that is there: its pattern stays what it is. `version` is the one that was looked at, 0 for none."""

    pattern = forms.CharField(max_length=80, required=False)
    note = forms.CharField(max_length=4 * MAX_NOTE_LENGTH, required=False)
    is_enabled = forms.BooleanField(required=False, initial=True)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput, initial=0)

    def __init__(self, data: Any = None, *, rule: RoutingRule | None = None, **kwargs: Any) -> None:
        if rule is not None:
            kwargs["initial"] = {**_initial(rule), **kwargs.get("initial", {})}
        super().__init__(data, **kwargs)
        self.rule = rule
        for name in RANKS:
            self.fields[name] = forms.ChoiceField(choices=[("", "—"), *Exchange.choices], required=False)

    @property
    def ranked(self) -> list[tuple[str, forms.BoundField]]:
        """The targets in order, each with its label."""
        return [("First" if rank == 1 else f"Number {rank}, where none before it can take it", self[f"target_{rank}"]) for rank in _RANKS]

    @property
    def pattern_length(self) -> int:
        return MAX_PATTERN_LENGTH

    @property
    def note_length(self) -> int:
        return MAX_NOTE_LENGTH

    def to_rule(self) -> tuple[str, RuleTerms] | None:
        """Of a valid form; None after adding the errors that keep it from being one."""
        values = self.cleaned_data
        pattern = self.rule.pattern if self.rule else values["pattern"]
        targets = [values[name] for name in RANKS if values[name]]
        try:
            return checked_rule(pattern, targets, is_enabled=values["is_enabled"], note=values["note"])
        except WrongRules as error:
            self.add_faults(error)
            return None

    def add_faults(self, error: WrongRules) -> None:
        for fault in error.faults:
            field = RANKS[0] if fault.field == "targets" else fault.field
            self.add_error(field if field in self.fields else None, fault.message)


class ImportForm(forms.Form):
    """A policy as a file or as text; `agreed` is the digest of the changes that were shown."""

    text = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    file = forms.FileField(required=False, allow_empty_file=True)
    agreed = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def content(self) -> bytes:
        """The file where there is one, no more of it than needed to see that it is too big. Call it once."""
        uploaded = self.cleaned_data.get("file")
        if isinstance(uploaded, UploadedFile):
            content: bytes = uploaded.read(MAX_IMPORT_BYTES + 1)
            return content
        return str(self.cleaned_data["text"]).encode()

    def mapping(self, content: bytes) -> dict[str, RuleTerms] | None:
        """None after adding what is wrong with it."""
        try:
            return policy.read_policy(content, at_most=MAX_IMPORT_BYTES)
        except WrongRules as error:
            for fault in error.faults:
                self.add_error(None, str(fault))
            return None


def digest_of(changes: Sequence[Change]) -> str:
    """The same for the same changes."""
    return hashlib.sha256("\n".join(map(policy.words_of, changes)).encode()).hexdigest()


def _initial(rule: RoutingRule) -> dict[str, Any]:
    terms = rules.terms_of(rule)
    targets = dict(zip(RANKS, terms.targets, strict=False))
    return {"pattern": rule.pattern, "note": terms.note, "is_enabled": terms.is_enabled, "version": rule.version, **targets}
