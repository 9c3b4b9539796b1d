"""One-time links that sign a person in: for the first start, and for whoever lost the password. Used once or a day old, they are void."""

from datetime import UTC

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode


class LinkTokens(PasswordResetTokenGenerator):
    """Django's own leave out the fraction of a second of the last sign-in: two within one second would leave a used link valid."""

    key_salt = "dashboard.login_links"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        last = user.last_login.astimezone(UTC).isoformat() if user.last_login else ""
        return f"{super()._make_hash_value(user, timestamp)}{last}"


_tokens = LinkTokens()


def path_for(user: User) -> str:
    """The path of a fresh link. Signing in changes what the token is made of, so each works once."""
    return reverse("login_link", args=[urlsafe_base64_encode(force_bytes(user.pk)), _tokens.make_token(user)])


def redeem(uid: str, token: str) -> User | None:
    """Whom the link signs in. None for a link that is used, old, or was never made.

    Of requests that come at once, each with a token that is still good, the one whose update finds the person unchanged has won."""
    user = _user_of(uid, token)
    if user is None:
        return None
    unchanged = User.objects.filter(pk=user.pk, is_active=True, password=user.password, last_login=user.last_login)
    return user if unchanged.update(last_login=timezone.now()) else None


def _user_of(uid: str, token: str) -> User | None:
    try:
        user = User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
    return user if user is not None and _tokens.check_token(user, token) else None
