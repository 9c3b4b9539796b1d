"""From accounts and their positions to one book: totals, exposure per asset, and what the totals lack.

Pure: no ORM, no clock, no network. Money is USD (USDT counts as one), `net` = long - short, the rest is >= 0; quantities are units of the
underlying asset (1000 PEPE for one 1000PEPE), shorts negative in `net_quantity`.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain import PositionSide
from portfolio.valuation import notional_usd, signed

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class HeldPosition:
    account_id: int
    exchange: str
    underlying: str
    multiplier: Decimal
    side: PositionSide
    quantity: Decimal
    mark_price: Decimal
    unrealized_pnl: Decimal
    as_of: datetime


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of one enabled account. `as_of` None: never read. `not_covered`: venue symbols outside the scope."""

    account_id: int
    name: str
    exchange: str
    equity_usd: Decimal | None
    as_of: datetime | None
    error: str = ""
    not_covered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetExposure:
    asset: str
    net_quantity: Decimal
    net_usd: Decimal
    gross_usd: Decimal
    long_usd: Decimal
    short_usd: Decimal
    unrealized_pnl_usd: Decimal
    by_exchange: dict[str, Decimal]
    oldest_as_of: datetime


@dataclass(frozen=True, slots=True)
class Exposure:
    """`as_of` is the age of the oldest figure in the totals, None while nothing is known: then the totals are sums of nothing, no figures.
    `equity_usd` is None where an account's equity is not known: a part is never shown as the whole."""

    as_of: datetime | None
    is_complete: bool
    incomplete_reasons: tuple[str, ...]
    equity_usd: Decimal | None
    gross_usd: Decimal
    net_usd: Decimal
    long_usd: Decimal
    short_usd: Decimal
    unrealized_pnl_usd: Decimal
    assets: tuple[AssetExposure, ...]

    @property
    def is_known(self) -> bool:
        """Whether any account has answered yet."""
        return self.as_of is not None


@dataclass(slots=True)
class _Sum:
    quantity: Decimal = ZERO
    long: Decimal = ZERO
    short: Decimal = ZERO
    pnl: Decimal = ZERO
    by_exchange: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    oldest: datetime | None = None

    def add(self, position: HeldPosition) -> None:
        value = notional_usd(position.quantity, position.mark_price)
        self.quantity += signed(position.quantity * position.multiplier, position.side)
        if position.side is PositionSide.SHORT:
            self.short += value
        else:
            self.long += value
        self.pnl += position.unrealized_pnl
        self.by_exchange[position.exchange] += signed(value, position.side)
        self.oldest = position.as_of if self.oldest is None else min(self.oldest, position.as_of)


def aggregate(accounts: Sequence[AccountFacts], positions: Iterable[HeldPosition], *, now: datetime, stale_after: timedelta) -> Exposure:
    """Assets by gross exposure, largest first. Complete means: every account was read, none is older than `stale_after`, everything held is
    covered and every equity is known."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for position in positions:
        sums[position.underlying].add(position)
    assets = sorted((_asset(name, total) for name, total in sums.items()), key=lambda asset: (-asset.gross_usd, asset.asset))
    long = sum((asset.long_usd for asset in assets), ZERO)
    short = sum((asset.short_usd for asset in assets), ZERO)
    reasons = tuple(_incomplete_reasons(accounts, now=now, stale_after=stale_after))
    known = [account.equity_usd for account in accounts if account.equity_usd is not None]
    ages = [account.as_of for account in accounts if account.as_of is not None]
    return Exposure(
        as_of=min(ages, default=None),
        is_complete=not reasons,
        incomplete_reasons=reasons,
        equity_usd=sum(known, ZERO) if accounts and len(known) == len(accounts) else None,
        gross_usd=long + short,
        net_usd=long - short,
        long_usd=long,
        short_usd=short,
        unrealized_pnl_usd=sum((asset.unrealized_pnl_usd for asset in assets), ZERO),
        assets=tuple(assets),
    )


def is_stale(as_of: datetime | None, *, now: datetime, stale_after: timedelta) -> bool:
    return as_of is None or now - as_of > stale_after


def describe_age(age: timedelta) -> str:
    """`12 s`, `4 min`, `2 h 5 min`; a clock that ran backwards reads 0 s."""
    seconds = max(0, int(age.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3_600:
        return f"{seconds // 60} min"
    return f"{seconds // 3_600} h {seconds % 3_600 // 60} min"


def _asset(name: str, total: _Sum) -> AssetExposure:
    assert total.oldest is not None  # noqa: S101  (a sum exists only once a position was added)
    return AssetExposure(
        asset=name,
        net_quantity=total.quantity,
        net_usd=total.long - total.short,
        gross_usd=total.long + total.short,
        long_usd=total.long,
        short_usd=total.short,
        unrealized_pnl_usd=total.pnl,
        by_exchange=dict(total.by_exchange),
        oldest_as_of=total.oldest,
    )


def _incomplete_reasons(accounts: Sequence[AccountFacts], *, now: datetime, stale_after: timedelta) -> Iterable[str]:
    if not accounts:
        yield "no enabled account"
    for account in accounts:
        if account.as_of is None:
            yield f"{account.name} has not answered yet" + (f": {account.error}" if account.error else "")
        elif is_stale(account.as_of, now=now, stale_after=stale_after):
            age = describe_age(now - account.as_of)
            yield f"{account.name} is {age} old" + (f": {account.error}" if account.error else "")
        elif account.equity_usd is None:
            yield f"{account.name} reports no equity in USD"
        if account.not_covered:
            yield f"{account.name} holds {len(account.not_covered)} not covered: {', '.join(account.not_covered[:5])}"
