"""Exposure by asset: one row per underlying, a bar with its parts per account in the order of the chips."""

from decimal import Decimal

from dashboard import numbers
from dashboard.book import Book
from dashboard.panels.cells import ZERO, age_cell, amount, empty_message, figure_cell, freshness_of, share_of_equity, signed_cell
from dashboard.presentation import Cell, Column, Panel, Row, Segment
from exchanges.domain import PositionSide
from exchanges.models import Exchange
from portfolio.exposure import AssetExposure
from portfolio.valuation import notional_usd

_BAR_HALF = Decimal(50)


def exposure_panel(book: Book) -> Panel:
    columns = (
        Column("asset", "Asset", "asset"),
        Column(
            "bar", "Short and long by exchange", "bar", "Shorts to the left of the middle, longs to the right, at one scale for all assets"
        ),
        Column("quantity", "Net quantity"),
        Column("net", "Net USD"),
        Column("gross", "Gross USD"),
        Column("share", "% of equity", title="Net exposure as a share of equity"),
        Column("pnl", "Unrealised PnL USD"),
        Column("age", "Age", "age"),
    )
    widest = max((abs(part) for asset in book.exposure.assets for part in (asset.long_usd, asset.short_usd)), default=ZERO)
    rows = tuple(_asset_row(book, asset, widest) for asset in book.exposure.assets)
    footer = (
        Cell("asset", "Total", detail=f"long {numbers.money(book.exposure.long_usd)}, short {numbers.money(book.exposure.short_usd)}"),
        signed_cell("net", book.exposure.net_usd),
        Cell("gross", numbers.money(book.exposure.gross_usd)),
        figure_cell("share", numbers.signed_percent(share_of_equity(book, book.exposure.net_usd))),
        signed_cell("pnl", book.exposure.unrealized_pnl_usd),
    )
    return Panel(
        "exposure",
        "Exposure by asset",
        columns,
        rows,
        footer if rows else (),
        empty_message(book, rows, "No exposure: every position is flat."),
    )


def _asset_row(book: Book, asset: AssetExposure, widest: Decimal) -> Row:
    return Row(
        key=asset.asset,
        cells=(
            Cell("asset", asset.asset),
            Cell("bar", "", title=_bar_title(asset), segments=_segments(book, asset.asset, widest)),
            Cell("quantity", f"{amount(asset.net_quantity)} {asset.asset}"),
            signed_cell("net", asset.net_usd),
            Cell("gross", numbers.money(asset.gross_usd)),
            figure_cell("share", numbers.signed_percent(share_of_equity(book, asset.net_usd))),
            signed_cell("pnl", asset.unrealized_pnl_usd),
            age_cell(book, asset.oldest_as_of),
        ),
        freshness=freshness_of(book, asset.oldest_as_of),
    )


def _segments(book: Book, asset: str, widest: Decimal) -> tuple[Segment, ...]:
    """Longs grow from the middle to the right, shorts to the left, one part per account."""
    if not widest:
        return ()
    places = {account.pk: place for place, account in enumerate(book.accounts)}
    right, left = _BAR_HALF, _BAR_HALF
    segments = []
    for position in sorted(book.positions, key=lambda position: (places[position.account_id], position.pk)):
        if position.underlying != asset:
            continue
        width = notional_usd(position.quantity, position.mark_price) / widest * _BAR_HALF
        is_long = position.side != PositionSide.SHORT
        start = right if is_long else left - width
        segments.append(Segment(position.account.get_exchange_display(), f"{start:.2f}", f"{width:.2f}", "long" if is_long else "short"))
        right, left = (right + width, left) if is_long else (right, left - width)
    return tuple(segments)


def _bar_title(asset: AssetExposure) -> str:
    return ", ".join(
        f"{Exchange(exchange).label} {numbers.signed_money(amount)} USD" for exchange, amount in sorted(asset.by_exchange.items())
    )
