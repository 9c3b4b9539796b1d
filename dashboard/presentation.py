"""The shapes a panel is made of: cells of finished text, rows with a key, panels, chips. Built once per change of the book; the templates
lay them out and the hub sends the differences, so that a figure is formatted in one place only. Knows no request and no model."""

from dataclasses import dataclass
from typing import Literal

from exchanges.domain import Environment

Tone = Literal["", "long", "short", "warning", "danger", "muted"]
Freshness = Literal["fresh", "late", "stale", "error", "unknown"]


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of an exposure bar, in percent of the bar's width from its left edge; 50 is zero exposure."""

    exchange: str
    start: str
    width: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as shown. `detail` stands small beneath it, `title` explains it on hover and to screen readers, `as_of_ms` (epoch
    milliseconds of this server's clock) makes it an age that the browser keeps counting."""

    column: str
    text: str
    tone: Tone = ""
    detail: str = ""
    title: str = ""
    as_of_ms: int | None = None
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """`kind` decides alignment: number right, text left, asset left and a link to its positions, age right and small, bar wide, actions
    last."""

    name: str
    label: str
    kind: Literal["text", "asset", "number", "age", "bar", "actions"] = "number"
    title: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`key` is stable and unique within its panel; `id` the database id for the row's actions (None where there are none); `asset` what the
    row may be chosen by."""

    key: str
    cells: tuple[Cell, ...]
    freshness: Freshness = "fresh"
    id: int | None = None
    can_close: bool = False
    can_cancel: bool = False
    asset: str = ""

    def cell(self, column: str) -> Cell:
        return next(cell for cell in self.cells if cell.column == column)


@dataclass(frozen=True, slots=True)
class Panel:
    """A table that is refreshed as a whole, served alone and pushed. `message` says why it is empty or what it lacks; `late_after_s` and
    `stale_after_s` are its own where its figures are read less often than those of the page (0: as the page)."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    footer: tuple[Cell, ...] = ()
    message: str = ""
    late_after_s: int = 0
    stale_after_s: int = 0

    @property
    def lines(self) -> tuple[tuple[Row, tuple[tuple[Column, Cell | None], ...]], ...]:
        """Each row with its cells beside their columns, in the columns' order; None where a row has no cell, as under `actions`."""
        return tuple((row, self._beside_columns(row.cells)) for row in self.rows)

    @property
    def totals(self) -> tuple[tuple[Column, Cell | None], ...]:
        """The footer's cells beside their columns, in the columns' order."""
        return self._beside_columns(self.footer)

    def _beside_columns(self, cells: tuple[Cell, ...]) -> tuple[tuple[Column, Cell | None], ...]:
        by_column = {cell.column: cell for cell in cells}
        return tuple((column, by_column.get(column.name)) for column in self.columns)


@dataclass(frozen=True, slots=True)
class Figure:
    """One tile of the top bar."""

    name: str
    label: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Chip:
    """Health of one account: exchange and label, freshness, age and, where something is wrong, the reason in words. `is_only`: no other
    account of this exchange is in the book, so that its label may give way where there is little room."""

    key: str
    exchange: str
    label: str
    freshness: Freshness
    cell: Cell
    reason: str = ""
    is_only: bool = False


@dataclass(frozen=True, slots=True)
class TopBar:
    environment: Environment
    portfolio: str
    figures: tuple[Figure, ...]
    chips: tuple[Chip, ...]
    is_complete: bool
    incomplete_reasons: tuple[str, ...]
