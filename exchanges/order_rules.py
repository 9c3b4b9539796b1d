"""Is this order one the venue can take? Checked before anything is stored or sent, each answer with the field, the rule and the value.

Pure: an order, an instrument and an adapter's capabilities in, an InvalidOrder out. Rounds nothing.
"""

from decimal import Decimal

from exchanges.decimals import is_multiple, plain
from exchanges.domain import Instrument, InstrumentStatus, OrderRequest, OrderType, PositionSide
from exchanges.errors import FilterViolation, MarketNotTrading, UnsupportedField
from exchanges.protocol import Capabilities

# Looked up once: reading `model_fields` costs more than the whole check.
_DEFAULTS = {name: field.default for name, field in OrderRequest.model_fields.items()}


def refuse_unsupported(request: OrderRequest, capabilities: Capabilities) -> None:
    """Raises UnsupportedField naming the first field with a value that the adapter would not carry out."""
    exchange = capabilities.exchange.value
    if request.order_type not in capabilities.order_types:
        raise _unsupported("order_type", request.order_type.value, sorted(capabilities.order_types), exchange)
    if request.time_in_force is not None and request.time_in_force not in capabilities.times_in_force:
        raise _unsupported("time_in_force", request.time_in_force.value, sorted(capabilities.times_in_force), exchange)
    if request.position_side is not PositionSide.BOTH and not capabilities.supports_hedge_mode:
        raise _unsupported("position_side", request.position_side.value, ["BOTH"], exchange)
    for name, default in _DEFAULTS.items():
        if name not in capabilities.order_fields and (value := getattr(request, name)) != default:
            raise UnsupportedField(f"{name} is not supported yet and must be left out, was {_shown(value)}", exchange=exchange, field=name)


def refuse_off_filter(request: OrderRequest, instrument: Instrument, reference_price: Decimal | None) -> None:
    """Raises FilterViolation or MarketNotTrading. `reference_price` (the mark) values a market order for the minimum notional; without
    one that rule is left to the venue. Reduce-only orders are exempt from the minimum notional, as at the venues."""
    if instrument.status is not InstrumentStatus.TRADING:
        raise MarketNotTrading(f"symbol must be one that trades, {request.symbol} is halted", field="symbol")
    lot = instrument.market_lot or instrument.lot if request.order_type is OrderType.MARKET else instrument.lot
    _refuse_off_step("quantity", request.quantity, lot)
    if request.quantity < instrument.min_quantity:
        raise FilterViolation(
            f"quantity must be at least {plain(instrument.min_quantity)}, was {plain(request.quantity)}", field="quantity"
        )
    maximum = instrument.max_quantity
    if request.order_type is OrderType.MARKET and instrument.max_market_quantity is not None:
        maximum = instrument.max_market_quantity
    if maximum is not None and request.quantity > maximum:
        raise FilterViolation(f"quantity must be at most {plain(maximum)}, was {plain(request.quantity)}", field="quantity")
    if request.price is not None:
        _refuse_off_step("price", request.price, instrument.tick)
    price = request.price or reference_price
    if price is not None and instrument.min_notional is not None and not request.reduce_only:
        notional = price * request.quantity
        if notional < instrument.min_notional:
            raise FilterViolation(
                f"quantity times price must be at least {plain(instrument.min_notional)} USDT, was {plain(notional)}", field="quantity"
            )


def _refuse_off_step(name: str, value: Decimal, step: Decimal) -> None:
    if not is_multiple(value, step):
        raise FilterViolation(f"{name} must be a multiple of {plain(step)}, was {plain(value)}", field=name)


def _unsupported(name: str, value: str, allowed: list[str], exchange: str) -> UnsupportedField:
    return UnsupportedField(f"{name} must be one of {', '.join(allowed)} on {exchange}, was {value}", exchange=exchange, field=name)


def _shown(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
