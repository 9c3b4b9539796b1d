"""The venue's identifiers: orders and executions are UUIDs on the wire, integers in the engine.

The mapping is a bijection on 122 bits dressed as a version 4 UUID, so nothing has to be stored and an identifier means the same
order after a restart. Orders and executions are offset differently: one kind of identifier is never valid as the other.
"""

from uuid import UUID

_BITS = 122
_MASK = (1 << _BITS) - 1
_FACTOR = 0x2B7E151628AED2A6ABF7158809CF4F3
_INVERSE = pow(_FACTOR, -1, 1 << _BITS)
_LARGEST = 1 << 62
_ORDERS = 0x1D31_4159_2653_5897_9323_8462_6433_83
_EXECUTIONS = 0x2E27_1828_1828_4590_4523_5360_2874_71
_SETTLEMENTS = 0x1618_0339_8874_9894_8482_0458_6834_36
_PRINTS = 0x0577_2156_6490_1532_8606_0651_2090_08


def order_id(number: int) -> str:
    return _dressed(number + _ORDERS)


def order_number(text: str) -> int | None:
    """The engine's number behind an order identifier; None for anything this venue never issued."""
    try:
        uuid = UUID(text)
    except ValueError:
        return None
    number = (_undressed(uuid) * _INVERSE - _ORDERS) & _MASK
    return number if number < _LARGEST and order_id(number) == text else None


def execution_id(number: int) -> str:
    return _dressed(number + _EXECUTIONS)


def settlement_id(number: int) -> str:
    """What stands for the order where funding was settled."""
    return _dressed(number + _SETTLEMENTS)


def print_id(number: int) -> str:
    """Identifier of a public trade; `number` is unique within a symbol's tape."""
    return _dressed(number + _PRINTS)


def _dressed(number: int) -> str:
    mixed = number * _FACTOR & _MASK
    high, middle, low = mixed >> 74, mixed >> 62 & 0xFFF, mixed & ((1 << 62) - 1)
    return str(UUID(int=high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low))


def _undressed(uuid: UUID) -> int:
    whole = uuid.int
    return (whole >> 80) << 74 | (whole >> 64 & 0xFFF) << 62 | whole & ((1 << 62) - 1)
