"""What the top bar says first: the totals, what could hurt next, and how each account answers."""

from decimal import Decimal

import pytest

from dashboard.book import read_book
from dashboard.panels import top_bar
from dashboard.presentation import Cell, TopBar
from exchanges.models import Exchange
from portfolio.models import Position
from tests.dashboard import rows
from tests.dashboard.conftest import Desk


def bar_of(desk: Desk) -> TopBar:
    return top_bar(read_book(desk.portfolio.pk))


def test_the_top_bar_names_what_equity_is_made_of(desk: Desk) -> None:
    bar = bar_of(desk)
    figures = {figure.name: figure.cell for figure in bar.figures}
    assert figures["equity"].text == "300,000.00"
    assert figures["equity"].title == (
        "The exchanges' own totals in USD (Binance totalMarginBalance, Bybit totalEquity, OKX totalEq); USDT counts as one USD"
    )
    assert (bar.environment, bar.portfolio, bar.is_complete) == ("sandbox", "Alice's book", True)
    assert [(chip.exchange, chip.freshness) for chip in bar.chips] == [("Binance", "fresh"), ("Bybit", "fresh"), ("OKX", "fresh")]


def figure(desk: Desk, name: str) -> Cell:
    return next(figure.cell for figure in bar_of(desk).figures if figure.name == name)


def test_the_top_bar_gives_each_sum_its_currency_and_the_gross_its_multiple_of_equity(desk: Desk) -> None:
    details = {name: figure(desk, name).detail for name in ("equity", "pnl", "net", "gross")}
    assert details == {"equity": "USD", "pnl": "USD", "net": "USD", "gross": "USD · 0.22x"}
    desk.okx.state.equity_usd = None
    desk.okx.state.save()
    assert figure(desk, "gross").detail == "USD"


def margins(desk: Desk, **by_exchange: tuple[str, str | None]) -> None:
    for name, (equity, maintenance) in by_exchange.items():
        state = getattr(desk, name).state
        state.equity_usd, state.maintenance_margin_usd = Decimal(equity), maintenance and Decimal(maintenance)
        state.save()


def test_the_worst_margin_ratio_is_that_of_the_account_nearest_to_its_limit(desk: Desk) -> None:
    assert (figure(desk, "margin").text, figure(desk, "margin").tone) == ("—", "muted")
    margins(desk, binance=("100000", "1000"), okx=("1000", "600"))
    worst = figure(desk, "margin")
    assert (worst.text, worst.detail, worst.tone) == ("60.00 %", "OKX", "warning")
    assert f"Not given by {desk.bybit}" in worst.title


@pytest.mark.parametrize(
    ("equity", "maintenance", "text", "tone"),
    [
        ("1000", "800", "80.00 %", "danger"),
        ("1000", "1001", "> 100 %", "danger"),
        ("-5", "1", "> 100 %", "danger"),
        ("0", "0", "0.00 %", ""),
    ],
)
def test_no_equity_left_is_the_worst_margin_ratio(desk: Desk, equity: str, maintenance: str, text: str, tone: str) -> None:
    margins(desk, okx=(equity, maintenance))
    assert (figure(desk, "margin").text, figure(desk, "margin").tone) == (text, tone)


def test_the_nearest_liquidation_names_its_symbol_or_why_there_is_none(desk: Desk) -> None:
    rows.position(desk.bybit, "ETHUSDT", mark_price=Decimal("4000"), liquidation_price=Decimal("3700"))
    nearest = figure(desk, "liquidation")
    assert (nearest.text, nearest.detail, nearest.tone) == ("7.50 %", "ETHUSDT", "danger")
    Position.objects.update(liquidation_price=None)
    assert (figure(desk, "liquidation").text, figure(desk, "liquidation").title) == ("—", "No exchange names a liquidation price")
    Position.objects.all().delete()
    assert figure(desk, "liquidation").title == "No open position"


def test_a_label_may_give_way_only_where_its_exchange_has_one_account(desk: Desk) -> None:
    rows.account(desk.portfolio, Exchange.BYBIT, label="New", is_default=False)
    assert [(chip.exchange, chip.is_only) for chip in bar_of(desk).chips] == [
        ("Binance", True),
        ("Bybit", False),
        ("Bybit", False),
        ("OKX", True),
    ]


def test_a_new_account_waits_and_a_disabled_one_is_gone(desk: Desk) -> None:
    rows.account(desk.portfolio, Exchange.BYBIT, label="New", is_default=False)
    desk.okx.is_enabled = False
    desk.okx.save()
    bar = bar_of(desk)
    assert [(chip.label, chip.freshness, chip.reason) for chip in bar.chips if chip.label == "New"] == [
        ("New", "unknown", "Waiting for the first answer from Bybit")
    ]
    assert "OKX" not in {chip.exchange for chip in bar.chips}
    assert not bar.is_complete
