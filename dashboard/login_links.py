"""One-time links that sign a person in: for the first start, and for whoever lost the password. Used once or a day old, they are void."""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode


def path_for(user: User) -> str:
    """The path of a fresh link. Signing in changes what the token is made of, so each works once."""
    return reverse("login_link", args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)])


def user_of(uid: str, token: str) -> User | None:
    """None for a link that is used, old, or was never made."""
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user is not None and default_token_generator.check_token(user, token) else None
