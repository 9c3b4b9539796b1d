"""The project's own Binance payloads as the mapping tests read them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from exchanges.adapters.binance import mapping, margin
from exchanges.domain import PositionBook

OWN = Path(__file__).parent / "payloads"


def own(name: str) -> Any:
    return orjson.loads((OWN / f"{name}.json").read_bytes())


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)


INSTRUMENTS = {instrument.venue_symbol: instrument for instrument in mapping.to_instruments(own("instruments"))}
SETTINGS = margin.to_symbol_configs(own("symbol_config"), {"ETHUSDT", "1000PEPEUSDT"})


def to_book(answer: Any, **arguments: Any) -> PositionBook:
    return mapping.to_position_book(mapping.to_holdings(answer), **arguments)
