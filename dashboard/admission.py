"""Who may open a live socket, and keep it open: signed in by a session that lasts, and a member of the portfolio. Any of it may end at any
moment, and nothing tells the socket so: it is asked again and again."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from dashboard import sessions
from portfolio import access
from portfolio.models import UserSession

ENDED = "you were signed out, or may not see this portfolio any more"


@dataclass(frozen=True, slots=True)
class Admission:
    """By which session a page comes in; `session_hash` is of the password that it was opened with."""

    user_id: int
    session_key: str
    session_hash: str


def admission_of(user: User, session: SessionBase) -> Admission:
    return Admission(user.pk, session.session_key or "", session.get(HASH_SESSION_KEY, ""))


def admitted(portfolio_id: int, admissions: Collection[Admission]) -> set[Admission]:
    """Those of `admissions` that hold now, in two queries for however many, and a third once a minute for those who are there."""
    keys = {admission.session_key for admission in admissions}
    now = timezone.now()
    seen = dict(UserSession.objects.filter(session_key__in=keys, expire_date__gt=now).values_list("session_key", "last_seen_at"))
    members = access.members_of(portfolio_id).filter(pk__in={admission.user_id for admission in admissions})
    hashes = {member.pk: member.get_session_auth_hash() for member in members}
    kept = {each for each in admissions if each.session_key in seen and hashes.get(each.user_id) == each.session_hash}
    unnoted = [each.session_key for each in kept if now - seen[each.session_key] > sessions.SEEN_PRECISION]
    if unnoted:
        sessions.note_open_pages(unnoted)
    return kept
