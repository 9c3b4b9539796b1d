"""Signing in, by password or one-time link, setting a password, signing out."""

from django.contrib import messages
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from dashboard import login_links
from dashboard.requests import HtmxHttpRequest

sign_in = LoginView.as_view(template_name="pages/login.html", redirect_authenticated_user=True)
sign_out = LogoutView.as_view(next_page="login")


@never_cache
@require_GET
def sign_in_by_link(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    user = login_links.redeem(uid, token)
    if user is None:
        return render(request, "pages/login_link_invalid.html", status=410)
    login(request, user)
    return redirect("home" if user.has_usable_password() else "set_password")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def set_password(request: HtmxHttpRequest) -> HttpResponse:
    """Whoever has a password must give it to change it; after a first link there is none to give."""
    is_first = not request.user.has_usable_password()
    form_class: type[SetPasswordForm[User]] = SetPasswordForm if is_first else PasswordChangeForm
    form = form_class(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        update_session_auth_hash(request, form.save())
        messages.add_message(request, messages.INFO, "Your password is set.", extra_tags="ok")
        return redirect("home")
    return render(request, "pages/set_password.html", {"form": form, "is_first": is_first}, status=422 if form.errors else 200)
