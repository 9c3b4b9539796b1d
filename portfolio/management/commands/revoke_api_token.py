"""Take a bearer token of the REST API back: from now on it opens nothing. Named by its user and name, or by its id in the admin."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portfolio import tokens
from portfolio.models import ApiToken


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", help="whose token it is")
        parser.add_argument("--name", help="the name it was made with")
        parser.add_argument("--id", type=int, help="its id in the admin, instead of user and name")

    def handle(self, *_args: Any, **options: Any) -> None:
        user, name, token_id = options["user"], options["name"], options["id"]
        given = [option is not None for option in (user, name, token_id)]
        if given not in ([True, True, False], [False, False, True]):
            raise CommandError("name one token: by --user and --name, or by --id alone.")
        if token_id is None:
            found, what = ApiToken.objects.filter(user__username=user, name=name), f"{user!r} has no token named {name!r}."
        else:
            found, what = ApiToken.objects.filter(pk=token_id), f"there is no token with the id {token_id}."
        token = found.first()
        if token is None:
            raise CommandError(what)
        if not tokens.revoke(found, datetime.now(UTC)):
            raise CommandError(f"the token {token} was revoked before, at {token.revoked_at:%Y-%m-%d %H:%M:%S} UTC.")
        self.stdout.write(f"The token {token} is revoked.")
