"""What an exchange says of a key: asked with values that are not stored yet, and judged by one set of rules for new and stored keys.

A key that may withdraw is refused, and so is one that may not read. Nothing here stores anything; no sentence holds a secret."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.views.decorators.debug import sensitive_variables
from pydantic import SecretStr

from exchanges import pauses
from exchanges.domain import AccountSummary, Environment, ExchangeConfig, ExchangeType, KeyPermissions
from exchanges.endpoints import endpoints_for
from exchanges.errors import AuthenticationError, BadSignature, ExchangeAPIError, ExchangeUnavailable, ReduceOnlyAccount, RegionRestricted
from exchanges.factory import get_exchange_client
from exchanges.runtime import runtime
from exchanges.venue import VenueRegistry
from portfolio.execution.refusals import Refused

DEADLINE_S = 20.0
_GRACE_S = 2.0
MAX_SECRET_LENGTH = 512
SHORTEST_REPEATED = 4  # shorter ones are found inside ordinary words
CLOCK_TOLERANCE_MS = 1_000
EXPIRES_SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Keys:
    api_key: SecretStr
    api_secret: SecretStr
    passphrase: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """What the exchange said. `venue_account_id` is its own id of the account behind the key, "" where it told none.
    `clock_offset_ms` is its time minus ours; requests are signed with it, so it only deserves a warning."""

    permissions: KeyPermissions
    venue_account_id: str
    account: AccountSummary
    clock_offset_ms: int
    checked_at: datetime

    @property
    def equity_usd(self) -> Decimal | None:
        return self.account.equity_usd

    @property
    def warnings(self) -> list[str]:
        found = warnings_of(self.permissions, self.checked_at)
        if abs(self.clock_offset_ms) > CLOCK_TOLERANCE_MS:
            seconds, way = abs(self.clock_offset_ms) / Decimal(1_000), "behind" if self.clock_offset_ms > 0 else "ahead of"
            found.append(f"This server's clock is {seconds:.1f} s {way} the exchange's: set it by NTP.")
        return found


def warnings_of(permissions: KeyPermissions, now: datetime) -> list[str]:
    """What is no reason to refuse a key, and stays to be said as long as it is so."""
    found = []
    if permissions.is_ip_bound is False:
        found.append("The key is bound to no IP address: whoever gets hold of it can use it from anywhere.")
    if permissions.expires_at is not None and permissions.expires_at - now < EXPIRES_SOON:
        found.append(f"The key expires on {permissions.expires_at:%d %B %Y}.")
    return found


def unfitness_of(permissions: KeyPermissions) -> str:
    """Why a key with these permissions is not used, as a sentence; empty where nothing speaks against it."""
    if permissions.can_withdraw:
        return "The key may withdraw money: take that permission away at the exchange, or make another key."
    return "" if permissions.can_read else "The key may not read the account: give it that permission at the exchange."


def is_rejection(error: ExchangeAPIError) -> bool:
    """Whether the exchange does not take the key; a restriction of the region or of orders says nothing of the key."""
    return isinstance(error, AuthenticationError) and not isinstance(error, RegionRestricted | ReduceOnlyAccount)


@sensitive_variables()
def try_keys(exchange: ExchangeType, environment: Environment, region: str, keys: Keys) -> Findings:
    """Ask the exchange now. Raises Refused for keys that are not to be stored, ExchangeAPIError where it could not be asked."""
    config = _config(exchange, environment, region, keys)
    pauses.refuse_while_paused(exchange, environment, datetime.now(UTC))
    try:
        return runtime().run(_ask(config), deadline_s=DEADLINE_S + _GRACE_S)
    except TimeoutError as error:
        raise ExchangeUnavailable(f"no complete answer within {DEADLINE_S:g} s", exchange=exchange) from error
    except ExchangeAPIError as error:
        pauses.note(exchange, environment, error, datetime.now(UTC))
        if not is_rejection(error):
            raise
        field, words = _rejected(error, keys)
        raise Refused("key_refused", words, field) from error


async def _ask(config: ExchangeConfig) -> Findings:
    registry = VenueRegistry()
    client = get_exchange_client(config, registry)
    try:
        async with asyncio.timeout(DEADLINE_S):
            offset_ms = await client.clock.measure(client.get_server_time_ms)
            permissions = await client.get_key_permissions()
            unfit = unfitness_of(permissions)
            if unfit:
                raise Refused("key_can_withdraw" if permissions.can_withdraw else "key_cannot_read", unfit, "api_key")
            account_id = await client.get_account_id()
            return Findings(permissions, account_id, await client.get_account(), offset_ms, datetime.now(UTC))
    finally:
        await client.aclose()
        await registry.aclose()


def _config(exchange: ExchangeType, environment: Environment, region: str, keys: Keys) -> ExchangeConfig:
    try:
        endpoints_for(exchange, environment, region)
    except ValueError as error:
        raise Refused("unknown_region", str(error), "region") from error
    wants_passphrase = exchange is ExchangeType.OKX
    if wants_passphrase and keys.passphrase is None:
        raise Refused("passphrase_missing", "passphrase is required: an OKX key has one", "passphrase")
    if keys.passphrase is not None and not wants_passphrase:
        raise Refused("passphrase_unknown", f"passphrase must be left out: a {exchange.value} key has none", "passphrase")
    for name in ("api_key", "api_secret", "passphrase"):
        value = getattr(keys, name)
        if value is not None and not _is_usable(value.get_secret_value()):
            raise Refused(f"invalid_{name}", f"{name} must be 1 to {MAX_SECRET_LENGTH} printable characters", name)
    return ExchangeConfig(
        exchange_type=exchange,
        environment=environment,
        region=region,
        api_key=keys.api_key,
        api_secret=keys.api_secret,
        passphrase=keys.passphrase,
    )


def _is_usable(value: str) -> bool:
    return 0 < len(value) <= MAX_SECRET_LENGTH and value.isascii() and value.isprintable() and bool(value.strip())


def _rejected(error: ExchangeAPIError, keys: Keys) -> tuple[str, str]:
    """The field to look at, and the sentence, without what the exchange may repeat of the keys."""
    words = error.user_message
    for secret in (keys.api_key, keys.api_secret, keys.passphrase):
        if secret is not None and len(secret.get_secret_value()) >= SHORTEST_REPEATED:
            words = words.replace(secret.get_secret_value(), "…")
    if keys.passphrase is not None and "passphrase" in words.lower():
        return "passphrase", "passphrase must be the one that was chosen when the key was made: the exchange refuses this one"
    if isinstance(error, BadSignature):
        return "api_secret", "api_secret must be the one that belongs to this key: the exchange refuses the signature made with it"
    return "api_key", words
