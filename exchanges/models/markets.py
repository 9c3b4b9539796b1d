"""What the venues list: instruments and mark prices; and which of them limits this server just now."""

from typing import ClassVar

from django.db import models

from exchanges import domain
from exchanges.fields import ExactDecimalField
from exchanges.models.accounts import Environment, Exchange


class VenuePause(models.Model):
    """Until when no account of this exchange and environment is asked, because the venue limits this server's address."""

    exchange = models.CharField(max_length=16, choices=Exchange.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    until = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_pause_per_venue", fields=["exchange", "environment"])]

    def __str__(self) -> str:
        return f"{self.exchange} {self.environment} until {self.until:%H:%M:%S}"


class Instrument(models.Model):
    """A linear USDT perpetual as one venue lists it; see exchanges.domain.Instrument for the meaning of the figures."""

    exchange = models.CharField(max_length=16, choices=Exchange.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    symbol = models.CharField(max_length=32)
    venue_symbol = models.CharField(max_length=40)
    underlying = models.CharField(max_length=24)
    multiplier = ExactDecimalField()
    tick = ExactDecimalField()
    lot = ExactDecimalField()
    market_lot = ExactDecimalField(null=True, blank=True)
    min_quantity = ExactDecimalField()
    max_quantity = ExactDecimalField(null=True, blank=True)
    max_market_quantity = ExactDecimalField(null=True, blank=True)
    min_notional = ExactDecimalField(null=True, blank=True)
    contract_size = ExactDecimalField()
    max_leverage = ExactDecimalField(null=True, blank=True)
    status = models.CharField(max_length=16)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_instrument_per_symbol", fields=["exchange", "environment", "symbol"])]
        ordering: ClassVar = ["symbol", "exchange"]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.get_exchange_display()}"

    def to_domain(self) -> domain.Instrument:
        return domain.Instrument(
            symbol=self.symbol,
            venue_symbol=self.venue_symbol,
            underlying=self.underlying,
            multiplier=self.multiplier,
            tick=self.tick,
            lot=self.lot,
            market_lot=self.market_lot,
            min_quantity=self.min_quantity,
            max_quantity=self.max_quantity,
            max_market_quantity=self.max_market_quantity,
            min_notional=self.min_notional,
            contract_size=self.contract_size,
            max_leverage=self.max_leverage,
            status=domain.InstrumentStatus(self.status),
        )


class MarkPrice(models.Model):
    """The venue's latest mark price; `as_of` is when we asked for it."""

    exchange = models.CharField(max_length=16, choices=Exchange.choices)
    environment = models.CharField(max_length=16, choices=Environment.choices)
    symbol = models.CharField(max_length=32)
    mark_price = ExactDecimalField()
    as_of = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(name="one_mark_per_symbol", fields=["exchange", "environment", "symbol"])]

    def __str__(self) -> str:
        return f"{self.symbol} {self.mark_price:f} at {self.exchange}"
