"""Sessions of which their owner can see where they are and end each: Django's sessions in the database, with columns for that.

The key of a session is its secret. A session is named by a handle made from the key, which opens nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from dashboard.addresses import client_address
from dashboard.devices import device_of
from portfolio.models import UserSession

SEEN_PRECISION = timedelta(minutes=1)
_SIGNED_IN_AT = "signed_in_at"
_HANDLE_CHARACTERS = 20


class SessionStore(db.SessionStore):
    """`address` and `user_agent` are of the present request, `last_seen_at` as it was stored; set by the middleware and by load()."""

    address = ""
    user_agent = ""
    last_seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[UserSession]:
        return UserSession

    def load(self) -> dict[str, Any]:
        row = UserSession.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        self.last_seen_at = row.last_seen_at
        return self.decode(row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> UserSession:
        """Made anew at every save: what must outlast one is in `data`. The first save with somebody in it is their sign-in."""
        now = timezone.now()
        if SESSION_KEY in data:
            data.setdefault(_SIGNED_IN_AT, now.isoformat())
        row = super().create_model_instance(data)
        assert isinstance(row, UserSession)  # noqa: S101  (for the type checker)
        row.user_id = data.get(SESSION_KEY)
        row.address = self.address or None
        row.user_agent = self.user_agent
        row.signed_in_at = datetime.fromisoformat(data[_SIGNED_IN_AT]) if _SIGNED_IN_AT in data else None
        row.last_seen_at = now
        return row


@dataclass(frozen=True, slots=True)
class Device:
    """One signed-in browser, as its owner sees it; `name` says in words what it is."""

    handle: str
    name: str
    address: str
    signed_in_at: datetime | None
    last_seen_at: datetime
    is_this_one: bool


def noting_presence(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: keeps from where and when a session was used last, to the minute. Only sessions that a request asked for: what comes
    with a bearer token uses none."""

    def middleware(request: HttpRequest) -> HttpResponse:
        session = request.session
        assert isinstance(session, SessionStore)  # noqa: S101  (for the type checker)
        session.address = client_address(request)
        session.user_agent = printable(request.headers.get("User-Agent", ""))[:255]
        response = get_response(request)
        if session.session_key and session.last_seen_at and timezone.now() - session.last_seen_at > SEEN_PRECISION:
            row = UserSession.objects.filter(session_key=session.session_key)
            row.update(last_seen_at=timezone.now(), address=session.address or None, user_agent=session.user_agent)
        return response

    return middleware


def note_open_pages(session_keys: list[str]) -> None:
    """A page that is kept open on its live socket is there, even if it asks for nothing."""
    now = timezone.now()
    UserSession.objects.filter(session_key__in=session_keys, last_seen_at__lt=now - SEEN_PRECISION).update(last_seen_at=now)


def devices_of(user: User, present_key: str | None) -> list[Device]:
    """Where `user` is signed in, this device first and then by the last visit."""
    found = [
        Device(
            handle=_handle_of(row),
            name=device_of(row.user_agent),
            address=row.address or "",
            signed_in_at=row.signed_in_at,
            last_seen_at=row.last_seen_at,
            is_this_one=row.session_key == present_key,
        )
        for row in _lasting(user)
    ]
    return sorted(found, key=lambda device: (device.is_this_one, device.last_seen_at), reverse=True)


def end(user: User, handle: str) -> bool:
    """Sign that device of `user` out. False where there is none such."""
    keys = [row.session_key for row in _lasting(user) if constant_time_compare(_handle_of(row), handle)]
    return bool(UserSession.objects.filter(user=user, session_key__in=keys).delete()[0])


def end_others(user: User, present_key: str | None) -> int:
    """Sign all devices of `user` out but this one. Returns how many were signed in."""
    count = sum(row.session_key != present_key for row in _lasting(user))
    UserSession.objects.filter(user=user).exclude(session_key=present_key or "").delete()
    return count


def printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _lasting(user: User) -> list[UserSession]:
    """What lets somebody in: a session made before the password was changed does not, although its row is there."""
    rows = UserSession.objects.filter(user=user, expire_date__gt=timezone.now())
    store, present = SessionStore(), user.get_session_auth_hash()
    return [row for row in rows if constant_time_compare(store.decode(row.session_data).get(HASH_SESSION_KEY, ""), present)]


def _handle_of(row: UserSession) -> str:
    return salted_hmac("dashboard.sessions", row.session_key).hexdigest()[:_HANDLE_CHARACTERS]
