"""Place one order: check, commit the intent, send once, record. At most one order per intent, whatever crashes in between.

The intent and the time it will be signed with are committed before the first byte leaves. An answer that does not say what happened leaves
the order UNKNOWN; nothing here or elsewhere sends it again (portfolio.reconcile looks it up).
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from exchanges import accounts, order_rules, pauses
from exchanges.domain import OrderRequest, OrderResult, OrderType, PositionMode, PositionSide, TimeInForce
from exchanges.errors import ExchangeAPIError, ExchangeUnavailable, OutcomeUnknown, RequestExpired
from exchanges.models import ExchangeAccount, Instrument, MarkPrice
from exchanges.protocol import IExchangeClient
from exchanges.runtime import runtime
from exchanges.signing import SigningMoment, signing_at
from portfolio import access, publish, rate_limits, refresh, venue_clocks
from portfolio.execution import ownership, record
from portfolio.execution.identifiers import new_client_order_id
from portfolio.execution.refusals import Refused
from portfolio.models import AccountState, IdempotencyKey, Order, Origin, SubmitAttempt
from portfolio.states import OrderState

logger = logging.getLogger(__name__)

ORDER_WINDOW_MS = 5_000
SEND_DEADLINE_S = 12.0
ASK_ONCE_DEADLINE_S = 5.0
CLOCK_DEADLINE_S = venue_clocks.DEADLINE_S + 1.0


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The caller's key, and a digest of what was asked with it: the same key with another body is refused."""

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, body: Mapping[str, object]) -> "Idempotency | None":
        """None for an empty key. `body`: what the caller asked for, as JSON values."""
        return cls(key, hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()) if key else None


@dataclass(frozen=True, slots=True)
class Intent:
    """What is wanted, by whom, from where. `idempotency` is None where the caller gave no key; `routing` is what decided on the account
    (selection.Routed.to_json), kept with the order."""

    user: User
    account: ExchangeAccount
    request: OrderRequest
    origin: Origin
    idempotency: Idempotency | None = None
    routing: Mapping[str, object] = field(default_factory=dict)


def place(intent: Intent) -> tuple[Order, bool]:
    """Returns the order as it now stands and whether it was placed by an earlier request with the same key.

    Raises access.NotPermitted, Refused, RateLimited or an InvalidOrder of exchanges.errors: nothing was stored or sent. Never raises for
    what the venue answers: that is the order's state.
    """
    access.require_trading_role(intent.user, intent.account)
    earlier = earlier_order(intent.user, intent.idempotency)
    if earlier is not None:
        return earlier, True
    client = accounts.client_for(intent.account)
    check(intent.account, intent.request, client)
    # The time that is stored and signed is the venue's.
    runtime().run(venue_clocks.keep_if_answered(client), deadline_s=CLOCK_DEADLINE_S)
    try:
        order, attempt, moment = _commit_intent(intent, client)
    except IntegrityError:
        earlier = earlier_order(intent.user, intent.idempotency)
        if earlier is not None:
            return earlier, True
        raise Refused(
            "duplicate_client_order_id",
            f"client_order_id must be new for this account, was {intent.request.client_order_id}",
            "client_order_id",
        ) from None
    request = intent.request.model_copy(update={"client_order_id": order.client_order_id})
    return _send(order, attempt, request, moment, client), False


def earlier_order(user: User, idempotency: Idempotency | None) -> Order | None:
    """The order that `user` placed with this key before. Raises Refused where the key was used for something else."""
    if idempotency is None:
        return None
    known = IdempotencyKey.objects.select_related("order").filter(actor=user, key=idempotency.key).first()
    if known is None:
        return None
    if known.body_digest != idempotency.digest:
        raise Refused("idempotency_key_reused", "Idempotency-Key must be new: it was used with another body", "Idempotency-Key")
    return known.order


def check(account: ExchangeAccount, request: OrderRequest, client: IExchangeClient) -> None:
    """Everything that can be wrong with an order before it is stored. Raises Refused or InvalidOrder, RateLimited while nothing is sent
    to its venue."""
    refuse_without_trading(account)
    pauses.refuse_while_paused(account.exchange, account.environment, datetime.now(UTC))
    order_rules.refuse_unsupported(request, client.capabilities)
    _refuse_another_mode(account, request)
    mark = MarkPrice.objects.filter(exchange=account.exchange, environment=account.environment, symbol=request.symbol).first()
    order_rules.refuse_off_filter(request, instrument_for(account, request.symbol).to_domain(), mark.mark_price if mark else None)


def refuse_without_trading(account: ExchangeAccount) -> None:
    """Raises Refused unless `account` is enabled and trading is switched on for it."""
    if not account.is_enabled:
        raise Refused("account_disabled", f"account must be enabled, {account} is not", "account")
    if not account.is_trading_enabled:
        raise Refused("trading_disabled", f"account must have trading switched on, {account} is read-only", "account")


def _refuse_another_mode(account: ExchangeAccount, request: OrderRequest) -> None:
    """Whether an order names a leg depends on the account's mode. Before its first answer the venue judges."""
    state = AccountState.objects.filter(account=account).only("position_mode").first()
    if state is None or not state.position_mode:
        return
    names_leg = request.position_side is not PositionSide.BOTH
    if state.position_mode == PositionMode.HEDGE and not names_leg:
        raise Refused("position_side_missing", f"position_side must be LONG or SHORT: {account} is in hedge mode", "position_side")
    if state.position_mode == PositionMode.ONE_WAY and names_leg:
        raise Refused(
            "position_side_mismatch",
            f"position_side must be BOTH or left out, was {request.position_side}: {account} is in one-way mode",
            "position_side",
        )


def instrument_for(account: ExchangeAccount, symbol: str) -> Instrument:
    """Raises Refused where the exchange does not list `symbol` (or its list has not been read yet)."""
    listed = Instrument.objects.filter(exchange=account.exchange, environment=account.environment)
    instrument = listed.filter(symbol=symbol).first()
    if instrument is not None:
        return instrument
    if not listed.exists():
        raise Refused(
            "instruments_unknown",
            f"the instruments of {account.get_exchange_display()} have not been read yet; try again shortly",
            "symbol",
        )
    raise Refused("unknown_symbol", f"symbol must be one that {account.get_exchange_display()} lists, was {symbol}", "symbol")


def _commit_intent(intent: Intent, client: IExchangeClient) -> tuple[Order, SubmitAttempt, SigningMoment]:
    request, now = intent.request, datetime.now(UTC)
    moment = SigningMoment(client.clock.now_ms(), ORDER_WINDOW_MS)
    # Durable: inside somebody's transaction nothing would be committed before the request leaves.
    with transaction.atomic(durable=True):
        # First: it holds the portfolio, as whoever changes its members or retires an account of it does. What they did is seen below, and
        # what they do next waits for this order to be there.
        publish.book_changed([intent.account.pk])
        _refuse_what_ended_meanwhile(intent)
        order = Order.objects.create(
            account=intent.account,
            client_order_id=request.client_order_id or new_client_order_id(),
            symbol=request.symbol,
            side=request.side.value,
            order_type=request.order_type.value,
            quantity=request.quantity,
            price=request.price,
            time_in_force=_lifetime(request),
            reduce_only=request.reduce_only,
            position_side=request.position_side.value,
            state=OrderState.SUBMITTING,
            origin=intent.origin,
            actor=intent.user,
            routing=dict(intent.routing),
            created_at=now,
            updated_at=now,
        )
        signed_at = datetime.fromtimestamp(moment.timestamp_ms / 1_000, UTC)
        attempt = SubmitAttempt.objects.create(
            order=order, number=1, signed_at=signed_at, fence_at=signed_at + timedelta(milliseconds=moment.window_ms), started_at=now
        )
        if intent.idempotency is not None:
            key, digest = intent.idempotency.key, intent.idempotency.digest
            IdempotencyKey.objects.create(actor=intent.user, key=key, body_digest=digest, order=order)
    return order, attempt, moment


def _refuse_what_ended_meanwhile(intent: Intent) -> None:
    """The venue's clock may take seconds to measure: who was shown out in them, or an account that was switched off, trades no more."""
    access.require_trading_role(intent.user, intent.account)
    refuse_without_trading(ExchangeAccount.objects.get(pk=intent.account.pk))


def _lifetime(request: OrderRequest) -> str:
    if request.time_in_force is not None:
        return request.time_in_force.value
    return "" if request.order_type is OrderType.MARKET else TimeInForce.GTC.value


def _send(order: Order, attempt: SubmitAttempt, request: OrderRequest, moment: SigningMoment, client: IExchangeClient) -> Order:
    try:
        result = runtime().run(_submit(client, request, moment), deadline_s=SEND_DEADLINE_S)
    except ExchangeUnavailable as error:
        row = _record_asked_once(order, attempt, error, client)
    except ExchangeAPIError as error:
        row = _record_failure(order, attempt, error)
    except Exception as error:
        # Whatever broke after the commit, the order may be live: it must not look failed.
        logger.exception("order %s: the outcome is unknown", order.pk)
        lost = OutcomeUnknown(f"{type(error).__name__} while sending", exchange=client.get_exchange_name())
        row = _record_failure(order, attempt, lost)
    else:
        row = _record_success(order, attempt, result)
    refresh.soon(order.account_id)
    return row


def _record_success(order: Order, attempt: SubmitAttempt, result: OrderResult) -> Order:
    with transaction.atomic():
        record.end_attempt(attempt)
        return record.record_result(order, result)


def _record_asked_once(order: Order, attempt: SubmitAttempt, refusal: ExchangeUnavailable, client: IExchangeClient) -> Order:
    """By the documentation an unavailable venue has done nothing. A person will send the order anew on the strength of that, so the venue
    is asked once; where it cannot be, or shows something else under the id, the outcome is not known."""
    try:
        found = runtime().run(client.find_order(order.symbol, order.client_order_id), deadline_s=ASK_ONCE_DEADLINE_S)
    except (ExchangeAPIError, TimeoutError) as error:
        logger.warning("order %s: refused (%s), and whether it was placed could not be asked: %s", order.pk, refusal, error)
    else:
        if found is None:
            return _record_failure(order, attempt, refusal)
        if ownership.is_same(order, found):
            logger.warning("order %s: refused (%s), and placed all the same", order.pk, refusal)
            return _record_success(order, attempt, found)
    doubt = OutcomeUnknown(refusal.message, refusal.code, refusal.exchange, refusal, http_status=refusal.http_status)
    return _record_failure(order, attempt, doubt)


def _record_failure(order: Order, attempt: SubmitAttempt, error: ExchangeAPIError) -> Order:
    rate_limits.note_venue(order.account, error, datetime.now(UTC))
    with transaction.atomic():
        record.end_attempt(attempt, error)
        return record.record_failure(order, error)


async def _submit(client: IExchangeClient, request: OrderRequest, moment: SigningMoment) -> OrderResult:
    if client.clock.now_ms() > moment.fence_ms:
        raise RequestExpired("the order was held up here for too long and was not sent", exchange=client.get_exchange_name())
    with signing_at(moment):
        return await client.place_order(request)
