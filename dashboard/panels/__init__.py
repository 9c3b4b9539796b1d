"""From a book to the panels of the page: every figure is formatted here, once, for the page, the panel served alone and the push."""

from collections.abc import Callable

from dashboard.book import Book
from dashboard.panels.balances import balances_panel
from dashboard.panels.exposure import exposure_panel
from dashboard.panels.orders import orders_panel
from dashboard.panels.positions import positions_panel
from dashboard.panels.topbar import top_bar
from dashboard.presentation import Panel

__all__ = ["PANELS", "top_bar"]

PANELS: dict[str, Callable[[Book], Panel]] = {
    "exposure": exposure_panel,
    "positions": positions_panel,
    "orders": orders_panel,
    "balances": balances_panel,
}
