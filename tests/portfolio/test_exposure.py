"""Many positions become one book: totals that agree with their parts, and that say what they lack (D3)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain import PositionSide
from portfolio.exposure import AccountFacts, Exposure, HeldPosition, aggregate, describe_age, is_stale

D = Decimal
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LIMIT = timedelta(seconds=15)
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


def held(underlying: str, side: PositionSide, quantity: str, mark: str, **changed: Any) -> HeldPosition:
    usual: dict[str, Any] = {
        "account_id": 1,
        "exchange": "binance",
        "multiplier": D(1),
        "unrealized_pnl": D(0),
        "as_of": NOW - timedelta(seconds=2),
    }
    return HeldPosition(underlying=underlying, side=side, quantity=D(quantity), mark_price=D(mark), **{**usual, **changed})


def facts(account_id: int = 1, **changed: Any) -> AccountFacts:
    usual: dict[str, Any] = {
        "name": f"Account {account_id}",
        "exchange": "binance",
        "equity_usd": D(1000),
        "as_of": NOW - timedelta(seconds=2),
    }
    return AccountFacts(account_id=account_id, **{**usual, **changed})


def book(positions: list[HeldPosition], accounts: "list[AccountFacts] | None" = None) -> Exposure:
    return aggregate([facts()] if accounts is None else accounts, positions, now=NOW, stale_after=LIMIT)


positions = st.builds(
    HeldPosition,
    account_id=st.integers(1, 3),
    exchange=st.sampled_from(["binance", "bybit", "okx"]),
    underlying=st.sampled_from(["BTC", "ETH", "PEPE"]),
    multiplier=st.sampled_from([D(1), D(1000)]),
    side=st.sampled_from([LONG, SHORT]),
    quantity=st.decimals("0.001", "10000", places=3),
    mark_price=st.decimals("0.0001", "100000", places=4),
    unrealized_pnl=st.decimals(-10_000, 10_000, places=4),
    as_of=st.integers(0, 60).map(lambda seconds: NOW - timedelta(seconds=seconds)),
)


@given(st.lists(positions, max_size=12))
def test_the_totals_agree_with_their_parts(held_positions: list[HeldPosition]) -> None:
    total = book(held_positions)
    assert total.net_usd == total.long_usd - total.short_usd
    assert total.gross_usd == total.long_usd + total.short_usd
    for name in ("net_usd", "gross_usd", "long_usd", "short_usd", "unrealized_pnl_usd"):
        assert getattr(total, name) == sum((getattr(asset, name) for asset in total.assets), D(0)), name
    assert abs(total.net_usd) <= total.gross_usd
    assert {asset.asset for asset in total.assets} == {position.underlying for position in held_positions}
    assert [asset.gross_usd for asset in total.assets] == sorted((asset.gross_usd for asset in total.assets), reverse=True)


@given(st.lists(positions, max_size=12))
def test_each_asset_agrees_with_its_positions(held_positions: list[HeldPosition]) -> None:
    for asset in book(held_positions).assets:
        own = [position for position in held_positions if position.underlying == asset.asset]
        assert min(asset.long_usd, asset.short_usd) >= 0
        assert asset.net_usd == asset.long_usd - asset.short_usd == sum(asset.by_exchange.values())
        assert asset.gross_usd == sum(position.quantity * position.mark_price for position in own)
        assert asset.oldest_as_of == min(position.as_of for position in own)
        assert set(asset.by_exchange) == {position.exchange for position in own}


@given(st.lists(positions, max_size=8), st.randoms())
def test_the_order_of_the_positions_does_not_matter(held_positions: list[HeldPosition], random: Any) -> None:
    shuffled = list(held_positions)
    random.shuffle(shuffled)
    assert book(shuffled) == book(held_positions)


@given(st.lists(positions, min_size=1, max_size=6))
def test_the_opposite_book_nets_it_to_zero(held_positions: list[HeldPosition]) -> None:
    def opposite(position: HeldPosition) -> HeldPosition:
        values = {name: getattr(position, name) for name in HeldPosition.__slots__}
        return HeldPosition(**values | {"side": SHORT if position.side is LONG else LONG})

    total = book(held_positions + [opposite(position) for position in held_positions])
    assert total.net_usd == 0
    assert all(asset.net_quantity == 0 for asset in total.assets)
    assert total.gross_usd == 2 * book(held_positions).gross_usd


def test_a_thousand_pepe_of_one_venue_hedge_a_thousand_pepe_of_another() -> None:
    long = held("PEPE", LONG, "5000", "0.0075", multiplier=D(1000))
    short = held("PEPE", SHORT, "5000000", "0.0000075", exchange="okx")
    (pepe,) = book([long, short]).assets
    assert pepe.net_quantity == pepe.net_usd == 0
    assert pepe.by_exchange == {"binance": D("37.5"), "okx": D("-37.5")}
    assert pepe.gross_usd == 75


def test_a_book_of_three_exchanges() -> None:
    total = book(
        [
            held("BTC", LONG, "0.5", "100000", unrealized_pnl=D("250.5")),
            held("BTC", SHORT, "0.2", "100100", exchange="okx", unrealized_pnl=D("-20")),
            held("ETH", SHORT, "10", "4000", exchange="bybit"),
        ]
    )
    assert (total.long_usd, total.short_usd, total.net_usd, total.gross_usd) == tuple(map(D, (50000, 60020, -10020, 110020)))
    assert total.unrealized_pnl_usd == D("230.5")
    assert [asset.asset for asset in total.assets] == ["BTC", "ETH"]
    btc = total.assets[0]
    assert (btc.net_quantity, btc.net_usd, btc.gross_usd) == (D("0.3"), D(29980), D(70020))
    assert btc.by_exchange == {"binance": 50000, "okx": -20020}


def test_nothing_known_is_not_zero() -> None:
    total = book([], [])
    assert (total.as_of, total.equity_usd, total.is_complete) == (None, None, False)
    assert total.incomplete_reasons == ("no enabled account",)


def test_a_complete_book_says_so() -> None:
    total = book([], [facts(1), facts(2, equity_usd=D("0.1"))])
    assert (total.is_complete, total.incomplete_reasons) == (True, ())
    assert total.equity_usd == D("1000.1")


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (facts(as_of=None, equity_usd=None), "Account 1 has not answered yet"),
        (facts(as_of=None, error="wrong key"), "Account 1 has not answered yet: wrong key"),
        (facts(as_of=NOW - timedelta(seconds=16)), "Account 1 is 16 s old"),
        (facts(as_of=NOW - timedelta(minutes=4), error="no route"), "Account 1 is 4 min old: no route"),
        (facts(equity_usd=None), "Account 1 reports no equity in USD"),
        (facts(not_covered=("BTCUSD", "ETHUSD")), "Account 1 holds 2 not covered: BTCUSD, ETHUSD"),
        (facts(not_covered=tuple("ABCDEFG")), "Account 1 holds 7 not covered: A, B, C, D, E"),
    ],
)
def test_what_a_total_lacks_is_named(account: AccountFacts, reason: str) -> None:
    total = book([], [facts(2), account])
    assert total.incomplete_reasons == (reason,)
    assert not total.is_complete


def test_everything_that_is_lacking_is_named() -> None:
    accounts = [facts(1, as_of=None), facts(2), facts(3, as_of=NOW - timedelta(hours=1, minutes=1), not_covered=("BTCUSD",))]
    assert book([], accounts).incomplete_reasons == (
        "Account 1 has not answered yet",
        "Account 3 is 1 h 1 min old",
        "Account 3 holds 1 not covered: BTCUSD",
    )


def test_an_equity_without_a_part_is_unknown() -> None:
    assert book([], [facts(1), facts(2, equity_usd=None)]).equity_usd is None


def test_the_age_of_a_book_is_that_of_its_oldest_account() -> None:
    oldest = NOW - timedelta(seconds=40)
    assert book([], [facts(1), facts(2, as_of=oldest), facts(3, as_of=None)]).as_of == oldest


def test_a_figure_is_stale_beyond_the_limit_and_when_it_was_never_read() -> None:
    assert not is_stale(NOW - LIMIT, now=NOW, stale_after=LIMIT)
    assert is_stale(NOW - LIMIT - timedelta(milliseconds=1), now=NOW, stale_after=LIMIT)
    assert is_stale(None, now=NOW, stale_after=LIMIT)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_an_age_in_words(seconds: float, text: str) -> None:
    assert describe_age(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(("accounts", "is_known"), [([], False), ([facts(as_of=None)], False), ([facts(as_of=None), facts(2)], True)])
def test_nothing_is_known_until_an_account_has_answered(accounts: list[AccountFacts], is_known: bool) -> None:
    assert book([], accounts).is_known == is_known
