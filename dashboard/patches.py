"""What changed between two states of the page, as the small message that every open page of a portfolio gets. Pure: shapes in, JSON values
out. A panel whose rows came or went says so by its keys, and the page fetches that panel again."""

from dataclasses import asdict, dataclass
from typing import Any

from dashboard.book import Book
from dashboard.panels import PANELS, top_bar
from dashboard.presentation import Cell, Panel, Row, TopBar

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PageState:
    """Everything of the page that is pushed, at one version."""

    version: int
    top_bar: TopBar
    panels: dict[str, Panel]


def page_state(book: Book) -> PageState:
    return PageState(book.version, top_bar(book), {name: build(book) for name, build in PANELS.items()})


def patch(old: PageState, new: PageState, now_ms: int) -> Json:
    """The message that takes a page from `old` to `new`; parts that did not change are left out."""
    panels = {name: change for name, panel in new.panels.items() if (change := _panel_change(old.panels[name], panel))}
    message: Json = {"type": "patch", "from": old.version, "to": new.version, "now_ms": now_ms}
    if panels:
        message["panels"] = panels
    top = _top_bar_change(old.top_bar, new.top_bar)
    if top:
        message["topbar"] = top
    return message


def _panel_change(old: Panel, new: Panel) -> Json:
    if old == new:
        return {}
    before = {row.key: row for row in old.rows}
    change: Json = {"message": new.message}
    # Order alone is no reason to fetch a panel again: nothing re-sorts under the pointer.
    if before.keys() != {row.key for row in new.rows}:
        change["keys"] = [row.key for row in new.rows]
        return change
    cells = {row.key: cells for row in new.rows if (cells := _cells_change(before[row.key].cells, row.cells))}
    rows = {row.key: facts for row in new.rows if (facts := _row_change(before[row.key], row))}
    footer = _cells_change(old.footer, new.footer)
    return change | {name: part for name, part in (("cells", cells), ("rows", rows), ("footer", footer)) if part}


def _row_change(old: Row, new: Row) -> Json:
    """A page that is told of other buttons fetches the panel again: which of them its user gets is not for the push to say."""
    return {name: getattr(new, name) for name in ("freshness", "can_close", "can_cancel") if getattr(new, name) != getattr(old, name)}


def _cells_change(old: tuple[Cell, ...], new: tuple[Cell, ...]) -> Json:
    before = {cell.column: cell for cell in old}
    return {cell.column: _wire(cell) for cell in new if before.get(cell.column) != cell}


def _top_bar_change(old: TopBar, new: TopBar) -> Json:
    if old == new:
        return {}
    figures = _cells_change(tuple(figure.cell for figure in old.figures), tuple(figure.cell for figure in new.figures))
    before = {chip.key: chip for chip in old.chips}
    chips = {
        chip.key: {"freshness": chip.freshness, "reason": chip.reason, "cell": _wire(chip.cell)}
        for chip in new.chips
        if before.get(chip.key) != chip
    }
    change: Json = {"is_complete": new.is_complete, "incomplete_reasons": list(new.incomplete_reasons)}
    if before.keys() != {chip.key for chip in new.chips}:
        change["keys"] = [chip.key for chip in new.chips]
    return change | {name: part for name, part in (("figures", figures), ("chips", chips)) if part}


def _wire(cell: Cell) -> Json:
    parts = asdict(cell)
    del parts["column"]
    return parts
