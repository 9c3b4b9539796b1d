"""The project's own OKX payloads as the mapping tests read them."""

from datetime import UTC, datetime

from exchanges.adapters.okx import mapping
from exchanges.domain import Instrument, OrderRequest
from tests.exchanges.okx.venue import payload


def rows(name):
    return payload(name)["data"]


def instruments() -> dict[str, Instrument]:
    return {instrument.venue_symbol: instrument for instrument in mapping.to_instruments(rows("instruments"))}


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


BTC = instruments()["BTC-USDT-SWAP"]


def request(**fields) -> OrderRequest:
    defaults = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": "0.025",
        "price": "64000.10",
        "client_order_id": "cb0001",
    }
    return OrderRequest.model_validate({name: value for name, value in (defaults | fields).items() if value is not None})
