"""The routing rules in the admin: the same rule, through the same writes and for the same people as everywhere else, with its history."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from exchanges.models import Exchange, RoutingRule
from exchanges.routing import RuleTerms, WrongRules, history, policy, rules
from exchanges.routing.entry import checked_rule
from exchanges.routing.patterns import to_pattern
from exchanges.routing.rules import Change, Door, RuleChanged
from portfolio import routing

_SHOWN_VERSIONS = 200


class RuleAdminForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What the rules refuse is refused here already, beside its field. `user` is set for each request by the admin class."""

    user: ClassVar[User]
    targets = forms.CharField(max_length=80, help_text=f"In order, separated by commas: {', '.join(Exchange.values)}.")
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = RoutingRule
        fields = ("pattern", "note", "is_enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rule: tuple[str, RuleTerms] = ("", RuleTerms(()))
        self.initial["seen_version"] = 0
        if self.instance.pk is not None:
            self.initial["seen_version"] = self.instance.version
            self.initial["targets"] = ", ".join(rules.terms_of(self.instance).targets)

    def clean_pattern(self) -> str:
        """In upper case, before it is compared with what is there."""
        try:
            return to_pattern(self.cleaned_data["pattern"])
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        super().clean()  # makes the pattern's uniqueness be looked at
        values = self.cleaned_data
        if self.errors:
            return values
        pattern = values.get("pattern", self.instance.pattern)
        targets = values["targets"].replace(",", " ").split()
        try:
            self.rule = checked_rule(pattern, targets, is_enabled=values["is_enabled"], note=values["note"])
            routing.require_reach_of(self.user, [Change(self.rule[0], None, self.rule[1])])
        except WrongRules as error:
            raise ValidationError({fault.field: fault.message for fault in error.faults}) from error
        return values


@admin.register(RoutingRule)
class RoutingRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Staff with the permission change rules, as in the page; a pattern stays what it is."""

    is_for_staff = True
    form = RuleAdminForm
    fields = ("pattern", "targets", "note", "is_enabled", "seen_version")
    list_display = ("pattern", "targets_in_order", "is_enabled", "note", "version", "updated_at")
    list_filter = ("is_enabled",)
    search_fields = ("pattern", "note")

    @admin.display(description="goes to")
    def targets_in_order(self, rule: RoutingRule) -> str:
        return policy.targets_in_words(rules.terms_of(rule).targets)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RoutingRule]:
        return super().get_queryset(request).prefetch_related("targets")

    def get_form(self, request: HttpRequest, obj: RoutingRule | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.user = request.user
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: RoutingRule | None = None) -> tuple[str, ...]:
        return ("pattern",) if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may_edit(request)

    def has_change_permission(self, request: HttpRequest, obj: RoutingRule | None = None) -> bool:
        return _may_edit(request)

    def has_delete_permission(self, request: HttpRequest, obj: RoutingRule | None = None) -> bool:
        return _may_edit(request)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (RuleChanged, WrongRules) as error:
            self.message_user(request, f"Nothing was changed: {error}", messages.ERROR)
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: RoutingRule, form: Any, change: bool) -> None:
        pattern, terms = form.rule
        saved = routing.put(_user_of(request), Door.ADMIN, pattern, terms, seen_version=form.cleaned_data["seen_version"])
        obj.pk, obj.version = saved.pk, saved.version

    def delete_model(self, request: HttpRequest, obj: RoutingRule) -> None:
        routing.delete(_user_of(request), Door.ADMIN, obj.pattern)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RoutingRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What the rules keep themselves, in place of the admin's log, which knows nothing of the other doors."""
        rule = self.get_object(request, object_id)
        if rule is None:
            raise Http404
        if not self.has_view_or_change_permission(request, rule):
            raise PermissionDenied
        versions, _ = history.versions(rule.pattern, limit=_SHOWN_VERSIONS)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {rule.pattern}",
            "versions": versions,
            "opts": self.opts,
            "object": rule,
        }
        return TemplateResponse(request, "admin/routing_history.html", context)


def _user_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  (for the type checker: the admin lets nobody else in)
    return request.user


def _may_edit(request: HttpRequest) -> bool:
    return routing.can_edit(_user_of(request))
