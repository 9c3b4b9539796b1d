"""Which perpetuals each simulated venue lists, with the filters the venues publish for them.

Binance's and Bybit's filters are those of their recorded instrument lists, OKX's contract sizes and fractional lots those of its
public instruments; fees are the entry tier of each venue's schedule.
"""

from decimal import Decimal

from .brackets import brackets_of
from .model import Listing, Venue

FUNDING_INTERVAL_H = 8
_FUNDING_INTERVALS_H = {"ADAUSDT": 4}

# symbol: tick, lot, largest order, largest market order, smallest notional, leverage, maintenance rate, lowest and highest price,
# price band, time of listing
_BINANCE = """
BTCUSDT      0.10      0.001 1000      120       100 125 0.004  556.80    4529764 0.05 1569398400000
ETHUSDT      0.01      0.001 10000     2000      20  100 0.005  39.86     306177  0.05 1569398400000
SOLUSDT      0.0010    1     1000000   5000      5   100 0.005  0.4200    6857    0.05 1600041600000
ADAUSDT      0.00010   1     2000000   300000    5   75  0.0065 0.01740   20000   0.05 1580454000000
XRPUSDT      0.0001    0.1   10000000  2000000   5   100 0.005  0.0143    100000  0.05 1578295800000
DOGEUSDT     0.000010  1     50000000  30000000  5   75  0.0065 0.002440  30      0.10 1594108800000
BNBUSDT      0.010     0.01  100000    2000      5   75  0.005  6.600     100000  0.05 1581318000000
AVAXUSDT     0.0010    1     100000    5000      5   75  0.0065 0.3500    2403    0.10 1600819200000
LINKUSDT     0.001     0.01  200000    20000     20  75  0.0065 0.464     100000  0.10 1579168800000
LTCUSDT      0.01      0.001 10000     5000      20  75  0.0065 3.61      100000  0.05 1578555000000
DOTUSDT      0.001     0.1   1000000   50000     5   75  0.0065 0.373     2398    0.05 1598005800000
1000PEPEUSDT 0.0000001 1     800000000 100000000 5   75  0.01   0.0000001 200     0.15 1683244800000
"""

_BYBIT = """
BTCUSDT      0.10      0.001 1000      100      5 100 0.005 0.10      199999.80  0.05 1585526400000
ETHUSDT      0.01      0.01  15000     1500     5 100 0.005 0.01      19999.98   0.05 1603065600000
SOLUSDT      0.001     0.1   170000    17000    5 50  0.01  0.001     1999.998   0.05 1634256000000
ADAUSDT      0.0001    1     5700000   570000   5 50  0.01  0.0001    199.9998   0.05 1610582400000
XRPUSDT      0.0001    1     21000000  2100000  5 50  0.01  0.0001    199.9998   0.05 1610582400000
DOGEUSDT     0.00001   1     100000000 10000000 5 50  0.01  0.00001   19.99998   0.05 1622505600000
BNBUSDT      0.05      0.01  10000     1000     5 50  0.01  0.05      99999.90   0.05 1623628800000
AVAXUSDT     0.005     0.1   77000     7700     5 50  0.01  0.005     9999.990   0.05 1631145600000
LINKUSDT     0.001     0.1   200000    20000    5 50  0.01  0.001     1999.998   0.05 1603065600000
LTCUSDT      0.01      0.1   30000     3000     5 50  0.01  0.01      19999.98   0.05 1603065600000
DOTUSDT      0.001     0.1   300000    30000    5 50  0.01  0.001     1999.998   0.05 1612137600000
1000PEPEUSDT 0.0000001 100   400000000 80000000 5 50  0.01  0.0000001 1.9999998  0.05 1683244800000
"""

# As above, but lot and largest orders in contracts; then base units per contract.
_OKX = """
BTCUSDT  0.1         0.01 100000000 12000  0 100 0.004  0.1         10000000 0.05 1611916828000 0.01
ETHUSDT  0.01        0.01 100000000 20000  0 100 0.004  0.01        1000000  0.05 1611916828000 0.1
SOLUSDT  0.01        0.01 100000000 25000  0 50  0.0065 0.01        100000   0.05 1611916828000 1
ADAUSDT  0.0001      0.1  100000000 8000   0 50  0.01   0.0001      1000     0.05 1611916828000 100
XRPUSDT  0.0001      0.01 100000000 10000  0 50  0.0065 0.0001      1000     0.05 1611916828000 100
DOGEUSDT 0.00001     0.01 100000000 20000  0 50  0.0065 0.00001     100      0.05 1611916828000 1000
BNBUSDT  0.1         1    100000000 200000 0 50  0.01   0.1         100000   0.05 1672704000000 0.01
AVAXUSDT 0.001       0.1  100000000 10000  0 50  0.01   0.001       10000    0.05 1611916828000 1
LINKUSDT 0.001       0.1  100000000 10000  0 50  0.01   0.001       10000    0.05 1611916828000 1
LTCUSDT  0.01        0.1  100000000 10000  0 50  0.01   0.01        100000   0.05 1611916828000 1
DOTUSDT  0.001       0.1  100000000 30000  0 50  0.01   0.001       10000    0.05 1611916828000 1
PEPEUSDT 0.000000001 0.1  100000000 5000   0 50  0.01   0.000000001 1        0.05 1683273600000 10000000
"""

_TABLES = {Venue.BINANCE: _BINANCE, Venue.BYBIT: _BYBIT, Venue.OKX: _OKX}
_MAKER_FEE = Decimal("0.0002")
_TAKER_FEES = {Venue.BINANCE: Decimal("0.0005"), Venue.BYBIT: Decimal("0.00055"), Venue.OKX: Decimal("0.0005")}
_LIQUIDATION_FEES = {Venue.BINANCE: Decimal("0.0125"), Venue.BYBIT: Decimal("0.01"), Venue.OKX: Decimal("0.005")}


def listings_of(venue: Venue) -> tuple[Listing, ...]:
    """Every perpetual of a venue, in the order the venue lists them."""
    return tuple(_listing(venue, line.split()) for line in _TABLES[venue].strip().splitlines())


def _listing(venue: Venue, row: list[str]) -> Listing:
    symbol, tick, lot, largest, largest_market, notional, leverage, maintenance, lowest, highest, band, listed_at = row[:12]
    contract_size = Decimal(row[12]) if len(row) > 12 else Decimal(1)
    base = symbol.removesuffix("USDT")
    lot_in_base = Decimal(lot) * contract_size
    return Listing(
        venue=venue,
        symbol=symbol,
        venue_symbol=f"{base}-USDT-SWAP" if venue is Venue.OKX else symbol,
        base=base,
        tick=Decimal(tick),
        lot=lot_in_base,
        min_quantity=lot_in_base,
        max_quantity=Decimal(largest) * contract_size,
        max_market_quantity=Decimal(largest_market) * contract_size,
        min_notional=Decimal(notional),
        contract_size=contract_size,
        brackets=brackets_of(venue, base.removeprefix("1000"), int(leverage), Decimal(maintenance)),
        maker_fee=_MAKER_FEE,
        taker_fee=_TAKER_FEES[venue],
        liquidation_fee=_LIQUIDATION_FEES[venue],
        funding_interval_h=_FUNDING_INTERVALS_H.get(symbol, FUNDING_INTERVAL_H),
        listed_at_ms=int(listed_at),
        min_price=Decimal(lowest),
        max_price=Decimal(highest),
        price_band=Decimal(band),
    )
