"""What the ticket says beside its fields: reference price, steps, contracts, and the sentence to confirm. Reads our database only."""

from datetime import UTC, datetime
from decimal import Decimal

from dashboard import numbers
from dashboard.book import stale_after
from dashboard.forms import Confirmation, OrderTicket
from exchanges.decimals import plain, to_decimal
from exchanges.domain import OrderRequest, OrderSide, OrderType
from exchanges.models import ExchangeAccount, Instrument, MarkPrice
from portfolio.exposure import describe_age
from portfolio.models import Order

FAR_FROM_MARK = Decimal("0.05")


def describe(ticket: OrderTicket) -> None:
    """Set reference, rules and contracts from whatever the fields hold, valid or not."""
    account, symbol = ticket.chosen_account, str(ticket["symbol"].value() or "").strip().upper()
    instrument = _instrument(account, symbol) if account else None
    if account is None or instrument is None:
        ticket.reference = f"{symbol} is not listed at {account.get_exchange_display()}" if account and symbol else ""
        return
    mark = _mark(account, symbol)
    if mark is not None:
        age = describe_age(datetime.now(UTC) - mark.as_of)
        ticket.reference = f"{symbol} mark {numbers.price(mark.mark_price, instrument.tick)} · {account.get_exchange_display()}, {age} ago"
    minimum = f" · min {plain(instrument.min_notional)} USDT" if instrument.min_notional else f" · min {plain(instrument.min_quantity)}"
    ticket.rules = f"tick {plain(instrument.tick)} · lot {plain(instrument.lot)}{minimum}"
    try:
        quantity = to_decimal(str(ticket["quantity"].value() or "").strip())
    except ValueError:
        return
    ticket.contracts = contracts_of(instrument, quantity)


def confirmation_of(account: ExchangeAccount, request: OrderRequest) -> Confirmation:
    """The order in words, exactly as it will be sent, with its value and what is unusual about it."""
    instrument, mark = _instrument(account, request.symbol), _mark(account, request.symbol)
    tick = instrument.tick if instrument else None
    price = request.price or (mark.mark_price if mark else None)
    facts = [("Account", f"{account} ({account.get_environment_display()})")]
    if price is not None:
        basis = "at the limit price" if request.price else f"at the mark {numbers.price(price, tick)}"
        facts.append(("Value", f"{numbers.money(price * request.quantity)} USDT {basis}"))
    if instrument and contracts_of(instrument, request.quantity):
        facts.append(("Contracts", contracts_of(instrument, request.quantity)))
    if request.order_type is OrderType.LIMIT:
        facts.append(("Time in force", request.time_in_force.value if request.time_in_force else "GTC"))
    return Confirmation(sentence_of(account, request), facts, list(_warnings(account, request, mark)))


def sentence_of(account: ExchangeAccount, request: OrderRequest) -> str:
    """`Buy 0.01 BTCUSDT at 95,000.5 limit on Binance · Demo`."""
    verb = "Buy" if request.side is OrderSide.BUY else "Sell"
    how = f"at {grouped(request.price)} limit" if request.price is not None else "at market"
    only = ", reduce-only," if request.reduce_only else ""
    return f"{verb} {grouped(request.quantity)} {request.symbol} {how}{only} on {account}"


def contracts_of(instrument: Instrument, quantity: Decimal) -> str:
    """`= 1.2 contracts x 0.01 BTC` where the venue counts contracts."""
    if instrument.contract_size == 1:
        return ""
    number = numbers.rounded_to(quantity / instrument.contract_size, 8)
    return f"= {plain(number)} contracts x {plain(instrument.contract_size)} {instrument.underlying}"


def grouped(number: Decimal) -> str:
    """Every digit that is sent, with thousands separators."""
    return numbers.grouped(number, numbers.places_of(number))


def _warnings(account: ExchangeAccount, request: OrderRequest, mark: MarkPrice | None) -> list[str]:
    warnings = []
    if Order.objects.unresolved().filter(account=account, symbol=request.symbol).exists():
        warnings.append(f"An order for {request.symbol} on this account is still unresolved. Sending another may double it.")
    if mark is None or datetime.now(UTC) - mark.as_of > stale_after():
        age = f"{describe_age(datetime.now(UTC) - mark.as_of)} old" if mark else "not known"
        warnings.append(f"The mark price is {age}: the value above may be wrong.")
    elif request.price is not None:
        away = request.price / mark.mark_price - 1
        if abs(away) > FAR_FROM_MARK:
            warnings.append(f"The price is {numbers.percent(abs(away))} {'above' if away > 0 else 'below'} the mark.")
    return warnings


def _instrument(account: ExchangeAccount, symbol: str) -> Instrument | None:
    return Instrument.objects.filter(exchange=account.exchange, environment=account.environment, symbol=symbol).first()


def _mark(account: ExchangeAccount, symbol: str) -> MarkPrice | None:
    return MarkPrice.objects.filter(exchange=account.exchange, environment=account.environment, symbol=symbol).first()
