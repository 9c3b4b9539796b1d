"""The tables of instruments and marks follow what each venue lists; a venue that fails leaves them as they were."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchanges import accounts, domain, listing
from exchanges.accounts import store_credential
from exchanges.models import Credential, Environment, Exchange, ExchangeAccount, Instrument, MarkPrice
from exchanges.runtime import runtime
from tests.conftest import Cast
from tests.simulated import Sandbox

VENUE = (Exchange.OKX, Environment.SANDBOX)


def instruments(exchange: Exchange) -> dict[str, Instrument]:
    return {each.symbol: each for each in Instrument.objects.filter(exchange=exchange)}


def test_venues_in_use_are_those_with_an_active_account(cast: Cast) -> None:
    assert listing.venues_in_use() == [("binance", "sandbox"), ("bybit", "sandbox"), ("okx", "sandbox")]
    ExchangeAccount.objects.filter(pk=cast.bybit.pk).update(is_enabled=False)
    ExchangeAccount.objects.filter(pk=cast.okx.pk).update(archived_at=datetime.now(UTC))
    assert listing.venues_in_use() == [("binance", "sandbox")]


def test_what_a_venue_lists_is_kept_exactly(cast: Cast) -> None:
    for exchange in Exchange:
        rows = instruments(exchange)
        assert len(rows) == 12
        assert all(row.status == "trading" for row in rows.values())
    pepe = instruments(Exchange.OKX)["PEPEUSDT"]
    assert (pepe.venue_symbol, pepe.underlying, pepe.multiplier) == ("PEPE-USDT-SWAP", "PEPE", Decimal(1))
    assert (pepe.tick, pepe.lot, pepe.contract_size) == (Decimal("0.000000001"), Decimal(1_000_000), Decimal(10_000_000))
    assert instruments(Exchange.BINANCE)["1000PEPEUSDT"].multiplier == 1000
    assert instruments(Exchange.BYBIT)["BTCUSDT"].min_notional == 5
    assert instruments(Exchange.OKX)["BTCUSDT"].min_notional is None


def test_a_row_becomes_the_instrument_it_was_made_from(cast: Cast) -> None:
    bridge = runtime()
    account = ExchangeAccount.objects.select_related("credential").get(pk=cast.okx.pk)
    client = accounts.client_for(account)
    listed = {each.symbol: each for each in bridge.run(client.get_instruments(), deadline_s=10)}
    assert {symbol: row.to_domain() for symbol, row in instruments(Exchange.OKX).items()} == listed


def test_reading_again_updates_rows_and_adds_none(cast: Cast) -> None:
    Instrument.objects.filter(exchange=Exchange.OKX, symbol="BTCUSDT").update(tick=Decimal(99), status="halted")
    before = instruments(Exchange.OKX)["BTCUSDT"]
    listing.read_instruments(*VENUE)
    after = instruments(Exchange.OKX)["BTCUSDT"]
    assert (after.pk, after.tick, after.status) == (before.pk, Decimal("0.1"), "trading")
    assert Instrument.objects.count() == 36


def test_what_is_gone_from_the_list_stays_as_halted(cast: Cast) -> None:
    known = instruments(Exchange.OKX)["BTCUSDT"]
    gone = Instrument.objects.create(
        **{name: getattr(known, name) for name in ("exchange", "environment", *listing._FIGURES)} | {"symbol": "LUNAUSDT"}
    )
    listing.read_instruments(*VENUE)
    gone.refresh_from_db()
    assert gone.status == domain.InstrumentStatus.HALTED
    assert instruments(Exchange.BINANCE)["BTCUSDT"].status == "trading"


def test_marks_say_when_they_were_asked_for(cast: Cast) -> None:
    MarkPrice.objects.filter(exchange=Exchange.OKX).update(mark_price=Decimal(1), as_of=datetime(2020, 1, 1, tzinfo=UTC))
    listing.read_marks(*VENUE)
    rows = list(MarkPrice.objects.filter(exchange=Exchange.OKX))
    assert len(rows) == 12
    assert all(datetime.now(UTC) - row.as_of < timedelta(seconds=10) for row in rows)
    assert next(row.mark_price for row in rows if row.symbol == "BTCUSDT") > 1_000
    assert MarkPrice.objects.count() == 36


@pytest.mark.parametrize("read", [listing.read_instruments, listing.read_marks])
def test_a_venue_that_fails_leaves_the_tables_as_they_were(cast: Cast, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, read) -> None:
    before = (list(Instrument.objects.values()), list(MarkPrice.objects.values()))
    sandbox.control("POST", "venue", {"venue": "okx", "up": False})
    read(*VENUE)
    assert (list(Instrument.objects.values()), list(MarkPrice.objects.values())) == before
    assert "okx: no answer from the exchange" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        '{"code":"0","msg":"","data":',
        "<html></html>",
        '{"code":"0","msg":"","data":[{"instId":"BTC-USDT-SWAP"}]}',
        '{"code":"0","msg":"","data":[]}',
    ],
)
def test_an_answer_that_is_none_leaves_the_tables_as_they_were(cast: Cast, sandbox: Sandbox, answer: str) -> None:
    before = (list(Instrument.objects.values()), list(MarkPrice.objects.values()))
    sandbox.fault("okx", {"kind": "body", "body": answer}, times=None)
    listing.read_instruments(*VENUE)
    listing.read_marks(*VENUE)
    assert (list(Instrument.objects.values()), list(MarkPrice.objects.values())) == before


def test_a_venue_with_a_broken_account_is_read_through_another(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    Credential.objects.filter(account=cast.okx).update(ciphertext="not a token", version=2)
    second = ExchangeAccount.objects.create(exchange=Exchange.OKX, environment=Environment.SANDBOX, label="second")
    key = f"sandbox-{cast.name}b"
    store_credential(second, api_key=key, api_secret=f"{key}-secret", passphrase=f"{key}-passphrase")
    MarkPrice.objects.filter(exchange=Exchange.OKX).delete()
    listing.read_marks(*VENUE)
    assert MarkPrice.objects.filter(exchange=Exchange.OKX).count() == 12
    assert "cannot be used" in caplog.text


def test_a_venue_without_any_usable_account_is_left_alone(cast: Cast) -> None:
    Credential.objects.filter(account=cast.okx).delete()
    before = list(MarkPrice.objects.values())
    listing.read_marks(*VENUE)
    assert list(MarkPrice.objects.values()) == before
