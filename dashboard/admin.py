"""Users in the admin, for superusers: create them, close them, hand them a one-time link. No password hash is shown, nor half of one."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from dashboard import login_links

admin.site.unregister(User)


@admin.register(User)
class PeopleAdmin(UserAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    fieldsets: ClassVar[Any] = [
        (None, {"fields": ["username", "first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["is_active", "is_staff", "is_superuser", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields: ClassVar = ["last_login", "date_joined"]
    filter_horizontal = ("user_permissions",)
    actions = ("make_login_links",)

    @admin.action(description="Show a one-time sign-in link", permissions=["change"])
    def make_login_links(self, request: HttpRequest, queryset: QuerySet[User]) -> TemplateResponse | None:
        """Shown on this page alone, for whoever asked to hand over; that it was made is kept with the user."""
        people = list(queryset.filter(is_active=True))
        if not people:
            self.message_user(request, "A user who is not active cannot sign in.", messages.WARNING)
            return None
        assert isinstance(request.user, User)  # noqa: S101  (for the type checker)
        LogEntry.objects.log_actions(request.user.pk, people, CHANGE, change_message="Made a one-time sign-in link.")
        links = [(user, request.build_absolute_uri(login_links.path_for(user))) for user in people]
        context = {**self.admin_site.each_context(request), "title": "One-time sign-in links", "links": links, "opts": self.opts}
        return TemplateResponse(request, "admin/login_links.html", context)
