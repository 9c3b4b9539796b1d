"""How much of a venue's rate limit is used up, in the figures for monitoring, as the venue's own answers say it."""

from prometheus_client import REGISTRY

from exchanges import measures
from exchanges.domain import ExchangeType
from exchanges.protocol import IExchangeClient


def used(exchange: str) -> dict[str, float]:
    """The used share by budget."""
    return {
        sample.labels["budget"]: sample.value
        for family in REGISTRY.collect()
        if family.name == "crossbook_venue_budget_used_ratio"
        for sample in family.samples
        if sample.labels["exchange"] == exchange
    }


async def test_the_used_share_of_a_limit_is_what_the_venue_told_last(client: IExchangeClient) -> None:
    exchange = client.get_exchange_name()
    await client.get_open_positions("BTCUSDT")
    found = used(exchange)
    if exchange == ExchangeType.OKX:
        assert found == {}
        return
    budget = "weight_1m" if exchange == ExchangeType.BINANCE else "/bybit/v5/position/list"
    assert 0 < found[budget] < 1
    limit = 2_400 if exchange == ExchangeType.BINANCE else 50
    assert found[budget] in {count / limit for count in range(1, limit)}


def test_what_is_no_number_changes_no_figure() -> None:
    measures.note_budget("binance", "/x", {"X-MBX-USED-WEIGHT-1M": "1200"})
    for text in ("", "-5", "１２", "1e9", "9" * 400):
        measures.note_budget("binance", "/x", {"X-MBX-USED-WEIGHT-1M": text})
        measures.note_budget("bybit", "/nowhere", {"X-Bapi-Limit": text, "X-Bapi-Limit-Status": "1"})
    measures.note_budget("bybit", "/nowhere", {"X-Bapi-Limit": "0", "X-Bapi-Limit-Status": "0"})
    assert used("binance")["weight_1m"] == 0.5
    assert "/nowhere" not in used("bybit")
