"""Leverage brackets: their tables, what they let through, and the maintenance margin and liquidation price they lead to."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchanges.sandbox.brackets import bracket_of, largest_notional, maintenance
from exchanges.sandbox.listings import listings_of
from exchanges.sandbox.model import ZERO, Leg, Listing, MarginMode, Reason, Venue
from exchanges.sandbox.solvency import bankruptcy_price, liquidation_price
from tests.sandbox.exchange import BUY, SELL, away, exchange, limit, market, refusal

LISTINGS = [listing for venue in Venue for listing in listings_of(venue)]
CENT = Decimal("0.01")


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: f"{listing.venue}-{listing.symbol}")
def test_brackets_follow_each_other_without_gap_or_step(listing: Listing) -> None:
    first, last = listing.brackets[0], listing.brackets[-1]
    assert (first.floor, first.maintenance_amount) == (ZERO, ZERO)
    assert (first.leverage, first.maintenance_rate) == (listing.max_leverage, listing.maintenance_rate)
    assert last.leverage == 1
    for below, above in pairwise(listing.brackets):
        assert below.floor < below.cap == above.floor
        assert below.leverage > above.leverage
        assert below.maintenance_rate < above.maintenance_rate
        assert maintenance(below, below.cap) == maintenance(above, below.cap)
    for bracket in listing.brackets:
        assert 0 < bracket.maintenance_rate < 1 / Decimal(bracket.leverage)
        assert bracket_of(listing.brackets, bracket.cap) is bracket
        assert bracket_of(listing.brackets, bracket.floor + CENT) is bracket
        assert largest_notional(listing.brackets, bracket.leverage) == bracket.cap
    assert bracket_of(listing.brackets, last.cap * 2) is last


def test_maintenance_is_that_of_the_bracket_a_position_is_in() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.BINANCE, "someone")
    market(engine, account, BUY, "1500", symbol="SOLUSDT")
    (view,) = engine.view(account).positions
    listing = engine.listing(Venue.BINANCE, "SOLUSDT")
    second = listing.brackets[1]
    assert second.floor < view.notional <= second.cap
    assert view.bracket is second
    assert view.maintenance_margin == view.notional * second.maintenance_rate - second.maintenance_amount
    assert view.maintenance_margin > view.notional * listing.maintenance_rate


@pytest.mark.parametrize("venue", list(Venue))
def test_an_order_may_not_take_the_position_above_the_bracket_of_its_leverage(venue: Venue) -> None:
    engine, _ = exchange()
    account = engine.account(venue, "someone")
    listing = engine.listing(venue, "ADAUSDT")
    engine.set_leverage(account, "ADAUSDT", listing.max_leverage)
    mark, cap = engine.mark(venue, "ADAUSDT"), listing.brackets[0].cap
    most = cap / mark // listing.lot * listing.lot
    low = away(engine, listing, "0.97")
    assert refusal(limit, engine, account, BUY, most + listing.lot, low, symbol="ADAUSDT") is Reason.ABOVE_BRACKET
    resting = limit(engine, account, BUY, most / 2 // listing.lot * listing.lot, low, symbol="ADAUSDT")
    assert refusal(limit, engine, account, BUY, most, low, symbol="ADAUSDT") is Reason.ABOVE_BRACKET
    assert refusal(engine.amend, account, resting, quantity=most + listing.lot) is Reason.ABOVE_BRACKET
    engine.amend(account, resting, quantity=most)
    other = limit(engine, account, SELL, most, away(engine, listing, "1.03"), symbol="ADAUSDT")  # each side counts for itself
    for order in (resting, other):
        engine.cancel(account, symbol="ADAUSDT", order_id=order.id)
    market(engine, account, SELL, most, symbol="ADAUSDT")
    assert refusal(market, engine, account, SELL, listing.lot * 100, symbol="ADAUSDT") is Reason.ABOVE_BRACKET
    market(engine, account, BUY, most, symbol="ADAUSDT")


def test_leverage_may_not_be_raised_beyond_the_bracket_of_what_is_held() -> None:
    engine, _ = exchange()
    account = engine.account(Venue.OKX, "someone")
    market(engine, account, BUY, "1000", symbol="LINKUSDT", margin_mode=MarginMode.ISOLATED)
    for _ in range(2):
        market(engine, account, BUY, "6000", symbol="LINKUSDT")
    (_, cross) = engine.view(account).positions
    assert cross.bracket.leverage < 50
    assert refusal(engine.set_leverage, account, "LINKUSDT", 50) is Reason.ABOVE_BRACKET
    assert refusal(engine.set_leverage, account, "LINKUSDT", 51) is Reason.LEVERAGE_TOO_HIGH
    engine.set_leverage(account, "LINKUSDT", 50, mode=MarginMode.ISOLATED)
    engine.set_leverage(account, "LINKUSDT", cross.bracket.leverage, mode=MarginMode.CROSS)
    engine.set_leverage(account, "LINKUSDT", 5, mode=MarginMode.CROSS, leg=Leg.NET)
    assert engine.leverage(account, "LINKUSDT") == 5


@given(
    listing=st.sampled_from(LISTINGS),
    sizes=st.lists(st.decimals("-20000000", "20000000", places=0).filter(bool), min_size=1, max_size=2),
    worth=st.decimals("0.001", "0.5", places=3),
)
@example(LISTINGS[0], [Decimal(-79_862), Decimal(98_580)], Decimal("0.101"))  # nothing ends it but a rise by thousands of times
@settings(max_examples=300, deadline=None)
def test_equity_meets_maintenance_at_the_liquidation_price_and_not_before(listing: Listing, sizes: list[Decimal], worth: Decimal) -> None:
    """`sizes` are notionals in USDT, `worth` the equity as a ratio of them beyond what must be kept."""
    mark = listing.tick * 100_000
    quantities = [size / mark for size in sizes]

    def surplus(price: Decimal) -> Decimal:
        kept = (abs(quantity) * price for quantity in quantities)
        needed = sum((maintenance(bracket_of(listing.brackets, notional), notional) for notional in kept), ZERO)
        return equity + sum(quantities, ZERO) * (price - mark) - needed

    equity = ZERO
    equity = worth * sum(abs(size) for size in sizes) - surplus(mark)
    price = liquidation_price(listing, quantities, mark=mark, equity=equity)
    reach = mark - listing.tick if price is None else abs(price - mark) - listing.tick
    nearer = [mark + reach * step / 40 for step in range(-40, 41) if abs(step) < 40 or price is not None]
    assert all(surplus(each) > 0 for each in nearer if each > 0)
    if price is not None:
        beyond = (price - mark) / abs(price - mark) * listing.tick
        assert surplus(price - beyond) > 0 >= surplus(price + beyond)
    ruined = bankruptcy_price(listing, quantities, mark=mark, equity=equity)
    if ruined is not None:
        assert abs(equity + sum(quantities, ZERO) * (ruined - mark)) <= abs(sum(quantities, ZERO)) * listing.tick


def test_of_two_prices_that_liquidate_a_hedged_symbol_the_nearer_one_counts() -> None:
    """A small net long is ended by a fall, and by a rise into a bracket that asks more than the rise earns."""
    listing = next(each for each in LISTINGS if each.symbol == "1000PEPEUSDT" and each.venue is Venue.BINANCE)
    cap, mark = listing.brackets[-2].cap, Decimal(1)
    quantities = [cap * Decimal("0.99"), -cap * Decimal("0.59")]
    kept = sum((maintenance(bracket_of(listing.brackets, abs(each)), abs(each)) for each in quantities), ZERO)
    rise = liquidation_price(listing, quantities, mark=mark, equity=kept + cap / 100)
    fall = liquidation_price(listing, quantities, mark=mark, equity=kept + cap / 1000)
    assert fall is not None
    assert rise is not None
    assert fall < mark < rise
