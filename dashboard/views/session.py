"""Signing in, by password or one-time link, setting a password, signing out."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate, login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from dashboard import login_links, sessions, throttle
from dashboard.requests import HtmxHttpRequest

_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(LoginView):
    template_name = "pages/login.html"
    redirect_authenticated_user = True
    http_method_names = ("get", "head", "options", "post")  # Django takes PUT for POST

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with throttle.one_at_a_time:
            return super().post(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        throttle.remember_device(response, form.get_user())
        return response


class OwnPasswordForm(PasswordChangeForm):
    """A wrong present password counts as a failed sign-in: whoever found a signed-in browser must not try them all."""

    def __init__(self, request: HttpRequest, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        self.request = request

    def clean_old_password(self) -> str:
        old = str(self.cleaned_data["old_password"])
        with throttle.one_at_a_time:
            if authenticate(self.request, username=self.user.get_username(), password=old) is None:
                raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


sign_out = LogoutView.as_view(next_page="login")


@never_cache
@require_GET
def sign_in_by_link(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    user = login_links.redeem(uid, token)
    if user is None:
        return render(request, "pages/login_link_invalid.html", status=410)
    login(request, user, _BACKEND)
    response = redirect("home" if user.has_usable_password() else "set_password")
    throttle.remember_device(response, user)
    return response


@never_cache
@require_GET
def sign_in_to_admin(request: HttpRequest) -> HttpResponse:
    """The admin has no door of its own. Whoever is signed in and sent here may not see what they asked for."""
    if request.user.is_authenticated:
        raise PermissionDenied
    return redirect_to_login(request.GET.get("next") or reverse("admin:index"))


@sensitive_post_parameters()
@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def set_password(request: HtmxHttpRequest) -> HttpResponse:
    """Whoever has a password must give it to change it; after a first link there is none to give. Other devices are signed out."""
    user, is_first = request.user, not request.user.has_usable_password()
    data = request.POST or None
    form: Form = SetPasswordForm(user, data) if is_first else OwnPasswordForm(request, user, data)
    if request.method != "POST" or not form.is_valid():
        return render(request, "pages/set_password.html", {"form": form, "is_first": is_first}, status=422 if form.errors else 200)
    assert isinstance(form, SetPasswordForm)  # noqa: S101  (for the type checker)
    update_session_auth_hash(request, form.save())
    sessions.end_others(user, request.session.session_key)
    messages.add_message(request, messages.INFO, "Your password is set. Other devices were signed out.", extra_tags="ok")
    response = redirect("home")
    throttle.remember_device(response, user)
    return response
