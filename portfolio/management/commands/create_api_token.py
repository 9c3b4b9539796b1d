"""Make a bearer token for the REST API and print it: it cannot be shown again."""

from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from portfolio import access, tokens
from portfolio.models import ApiToken

MAX_DAYS = 3_650


class Command(BaseCommand):
    help = __doc__ or ""
    requires_system_checks = ()  # they import every page and form, for one row

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", required=True, help="whose rights the token has")
        parser.add_argument("--name", required=True, help="what it is for")
        parser.add_argument("--scopes", default="read", help=f"of {', '.join(tokens.SCOPES)}, separated by commas (read)")
        parser.add_argument(
            "--accounts", default="", help="the only accounts that it opens, by id, separated by commas (all of the user's)"
        )
        parser.add_argument("--addresses", default="", help="the only IP addresses and networks that it is taken from (any)")
        parser.add_argument("--expires-days", type=int, help="for how many days it is valid (until it is revoked)")

    def handle(self, *_args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['user']!r}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        unknown = [scope for scope in scopes if scope not in tokens.SCOPES]
        if unknown or not scopes:
            raise CommandError(f"scopes must be of {', '.join(tokens.SCOPES)}, was {options['scopes']!r}.")
        days = options["expires_days"]
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise CommandError(f"expires-days must be between 1 and {MAX_DAYS}, was {days}.")
        if ApiToken.objects.filter(user=user, name=options["name"]).exists():
            raise CommandError(f"{user} already has a token named {options['name']!r}; choose another name.")
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
        account_ids = self._accounts(user, options["accounts"])
        try:
            addresses = tokens.networks_in(options["addresses"])
            text = tokens.create(user, options["name"], scopes, expires_at=expires_at, account_ids=account_ids, addresses=addresses)
        except ValueError as error:
            raise CommandError(f"{error}.") from None
        self.stdout.write(text)

    def _accounts(self, user: User, text: str) -> list[int] | None:
        words = [word.strip() for word in text.split(",") if word.strip()]
        known = {str(account.pk): account.pk for account in access.accounts_for(user)}
        for word in words:
            if word not in known:
                raise CommandError(f"accounts must be ids of accounts that {user} may see, one was {word!r}.")
        return [known[word] for word in words] or None
