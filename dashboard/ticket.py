"""What the ticket says beside its fields: where the order goes, reference price, what is held, steps, contracts, and the sentence to
confirm. Reads our database only."""

from datetime import UTC, datetime
from decimal import Decimal

from dashboard import numbers
from dashboard.book import stale_after
from dashboard.forms import LIFETIMES, Confirmation, OrderTicket
from exchanges.decimals import plain, to_decimal
from exchanges.domain import MarginMode, OrderRequest, OrderSide, OrderType, PositionSide
from exchanges.models import ExchangeAccount, Instrument, MarkPrice
from portfolio.execution.completion import names_margin_mode
from portfolio.execution.refusals import Refused
from portfolio.execution.selection import Routed
from portfolio.exposure import describe_age
from portfolio.models import AccountState, Order, Position
from portfolio.valuation import signed

FAR_FROM_MARK = Decimal("0.05")
_LIFETIME_WORDS = dict(LIFETIMES)


def describe(ticket: OrderTicket) -> None:
    """Set the texts from whatever the fields hold, valid or not."""
    symbol = ticket.chosen_symbol
    account = _destination(ticket)
    ticket.names_margin_mode = account is not None and names_margin_mode(account)
    instrument = _instrument(account, symbol) if account else None
    if account is None or instrument is None:
        ticket.reference = f"{symbol} is not listed at {account.get_exchange_display()}" if account and symbol else ""
        return
    mark = _mark(account, symbol)
    if mark is not None:
        ticket.reference = (
            f"{symbol} mark {numbers.price(mark.mark_price, instrument.tick)} · {account.get_exchange_display()}, {_age(mark.as_of)} ago"
        )
    ticket.holding, ticket.holding_age = _holding(account, symbol)
    ticket.unit = symbol.removesuffix("USDT")
    minimum = f" · min {plain(instrument.min_notional)} USDT" if instrument.min_notional else f" · min {plain(instrument.min_quantity)}"
    ticket.rules = f"tick {plain(instrument.tick)} · lot {plain(instrument.lot)}{minimum}"
    try:
        quantity = to_decimal(str(ticket["quantity"].value() or "").strip())
    except ValueError:
        return
    ticket.contracts = contracts_of(instrument, quantity)


def confirmation_of(routed: Routed, request: OrderRequest, warning: str = "") -> Confirmation:
    """The order in words, exactly as it will be sent, with its value and what is unusual about it, `warning` first."""
    account = routed.account
    instrument, mark = _instrument(account, request.symbol), _mark(account, request.symbol)
    tick = instrument.tick if instrument else None
    price = request.price or (mark.mark_price if mark else None)
    facts = [("Account", f"{account} ({account.get_environment_display()})")]
    if not routed.named:
        facts.append(("Route", " ".join(routed.reasons)))
    if price is not None:
        basis = (
            "at the limit price" if request.price or mark is None else f"at the mark {numbers.price(price, tick)}, {_age(mark.as_of)} old"
        )
        facts.append(("Value", f"{numbers.money(price * request.quantity)} USDT {basis}"))
    if instrument and contracts_of(instrument, request.quantity):
        facts.append(("Contracts", contracts_of(instrument, request.quantity)))
    if request.margin_mode is not None:
        facts.append(("Margin", request.margin_mode.value.capitalize()))
    if change := _change_of_position(account, request):
        facts.append(("Position", change))
    if request.order_type is OrderType.LIMIT:
        facts.append(("Time in force", _LIFETIME_WORDS[request.time_in_force.value if request.time_in_force else "GTC"]))
    agreed = "" if routed.named else routed.digest
    warnings = [*([warning] if warning else []), *_warnings(account, request, mark)]
    mode = request.margin_mode.value if request.margin_mode else ""
    return Confirmation(sentence_of(account, request), facts, warnings, agreed, mode)


def sentence_of(account: ExchangeAccount, request: OrderRequest) -> str:
    """`Buy 0.01 BTCUSDT at 95,000.5 limit on Binance · Demo`."""
    verb = "Buy" if request.side is OrderSide.BUY else "Sell"
    how = f"at {grouped(request.price)} limit" if request.price is not None else "at market"
    only = ", reduce-only," if request.reduce_only else ""
    if request.position_side is not PositionSide.BOTH:
        only = f", {'closing' if request.reduce_only else 'opening'} the {request.position_side.value.lower()} leg,"
    margin = " in isolated margin" if request.margin_mode is MarginMode.ISOLATED else ""
    return f"{verb} {grouped(request.quantity)} {request.symbol} {how}{only}{margin} on {account}"


def contracts_of(instrument: Instrument, quantity: Decimal) -> str:
    """`= 1.2 contracts x 0.01 BTC` where the venue counts contracts."""
    if instrument.contract_size == 1:
        return ""
    number = numbers.rounded_to(quantity / instrument.contract_size, 8)
    return f"= {plain(number)} contracts x {plain(instrument.contract_size)} {instrument.underlying}"


def position_in_words(amount: Decimal) -> str:
    """`Short 0.1805` for -0.1805; `flat` for nothing."""
    return f"{'Long' if amount > 0 else 'Short'} {grouped(abs(amount))}" if amount else "flat"


def grouped(number: Decimal) -> str:
    """Every digit that is sent, with thousands separators."""
    return numbers.grouped(number, numbers.places_of(number))


def _destination(ticket: OrderTicket) -> ExchangeAccount | None:
    """The account as the fields stand; sets what is said of the route."""
    if ticket.follows_route and not ticket.chosen_symbol:
        return None
    try:
        routed = ticket.destination()
    except Refused as refusal:
        ticket.trouble = refusal.message
        return None
    if routed is None:
        return None
    if not routed.named:
        why = f"rule {routed.rule.pattern}" if routed.rule else "no rule matches"
        ticket.route = " ".join([f"Goes to {routed.account}: {why}.", *routed.passed_over])
    return routed.account


def _holding(account: ExchangeAccount, symbol: str) -> tuple[str, str]:
    """What the account holds of the symbol and has left to trade with, and how old that is; empty before the first answer."""
    state = AccountState.objects.filter(account=account).first()
    if state is None or state.as_of is None:
        return "", ""
    amounts = [signed(row.quantity, row.side) for row in Position.objects.filter(account=account, symbol=symbol).order_by("id")]
    held = " and ".join(position_in_words(amount).lower() for amount in amounts) or "none"
    available = f" · available {numbers.money(state.available_usd)} USD" if state.available_usd is not None else ""
    late = f" · {_age(state.as_of)} old" if datetime.now(UTC) - state.as_of > stale_after() else ""
    return f"position {held}{available}{late}", f"Read {_age(state.as_of)} ago"


def _change_of_position(account: ExchangeAccount, request: OrderRequest) -> str:
    """From what is held to what would be held if all of it filled, of the leg that the order means in hedge mode, and of its margin mode
    where it names one: the other one's position stays beside it. Empty where that is not for us to say: before the first answer, and for
    what may fill in part only."""
    state = AccountState.objects.filter(account=account).first()
    if state is None or state.as_of is None or not state.position_mode or request.reduce_only:
        return ""
    rows = Position.objects.filter(account=account, symbol=request.symbol)
    if request.position_side is not PositionSide.BOTH:
        rows = rows.filter(position_side=request.position_side.value)
    if request.margin_mode is not None:
        rows = rows.filter(margin_mode=request.margin_mode.value)
    now = sum((signed(row.quantity, row.side) for row in rows), Decimal(0))
    after = now + signed(request.quantity, PositionSide.LONG if request.side is OrderSide.BUY else PositionSide.SHORT)
    return f"{position_in_words(now)} → {position_in_words(after)} if all of it fills"


def _age(moment: datetime) -> str:
    return describe_age(datetime.now(UTC) - moment)


def _warnings(account: ExchangeAccount, request: OrderRequest, mark: MarkPrice | None) -> list[str]:
    warnings = []
    if Order.objects.unresolved().filter(account=account, symbol=request.symbol).exists():
        warnings.append(f"An order for {request.symbol} on this account is still unresolved. Sending another may double it.")
    if beside := _held_in_the_other_mode(account, request):
        warnings.append(f"{account.get_exchange_display()} keeps the margin modes apart: your {beside} stays beside this order's position.")
    if mark is None or datetime.now(UTC) - mark.as_of > stale_after():
        age = f"{_age(mark.as_of)} old" if mark else "not known"
        warnings.append(f"The mark price is {age}: the value above may be wrong.")
    elif request.price is not None:
        away = request.price / mark.mark_price - 1
        if abs(away) > FAR_FROM_MARK:
            warnings.append(f"The price is {numbers.percent(abs(away))} {'above' if away > 0 else 'below'} the mark.")
    return warnings


def _held_in_the_other_mode(account: ExchangeAccount, request: OrderRequest) -> str:
    """`cross short 0.1805`; empty where nothing is, and at exchanges that have one mode for a symbol."""
    if request.margin_mode is None:
        return ""
    rows = Position.objects.filter(account=account, symbol=request.symbol).exclude(margin_mode=request.margin_mode.value).order_by("id")
    return " and ".join(f"{row.margin_mode} {position_in_words(signed(row.quantity, row.side)).lower()}" for row in rows)


def _instrument(account: ExchangeAccount, symbol: str) -> Instrument | None:
    return Instrument.objects.filter(exchange=account.exchange, environment=account.environment, symbol=symbol).first()


def _mark(account: ExchangeAccount, symbol: str) -> MarkPrice | None:
    return MarkPrice.objects.filter(exchange=account.exchange, environment=account.environment, symbol=symbol).first()
