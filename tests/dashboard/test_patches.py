"""The message between two states of the page: applied to the old one it gives the new one, and it holds nothing that did not change."""

from copy import deepcopy
from dataclasses import asdict, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.template.loader import render_to_string
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.book import read_book
from dashboard.panels import PANELS
from dashboard.patches import PageState, page_state, patch
from dashboard.presentation import Cell, Chip, Column, Figure, Freshness, Panel, Row, TopBar
from exchanges.domain import Environment
from portfolio import publish
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

COLUMNS = ("symbol", "pnl", "age")
texts = st.sampled_from(["—", "1.00", "+2.50", "<img src=x onerror=alert(1)>", "\u202e", ""])
freshness: st.SearchStrategy[Freshness] = st.sampled_from(["fresh", "stale", "unknown"])


def cells_of(columns: tuple[str, ...]) -> st.SearchStrategy[tuple[Cell, ...]]:
    return st.tuples(*(st.builds(Cell, st.just(column), texts, detail=texts, as_of_ms=st.none() | st.integers(1, 9)) for column in columns))


panel_rows = st.lists(
    st.builds(Row, st.sampled_from("abcd"), cells_of(COLUMNS), freshness, can_close=st.booleans()),
    max_size=4,
    unique_by=lambda row: row.key,
)
panels = st.builds(
    lambda found, footer, message: Panel(
        "positions", "Positions", tuple(Column(name, name) for name in COLUMNS), tuple(found), footer if found else (), message
    ),
    panel_rows,
    cells_of(("pnl",)),
    texts,
)
chips = st.lists(
    st.builds(
        Chip, st.sampled_from("12"), st.just("OKX"), st.just("Main"), freshness, cells_of(("age",)).map(lambda cells: cells[0]), texts
    ),
    max_size=2,
    unique_by=lambda chip: chip.key,
)
bars = st.builds(
    lambda cell, found, complete, reasons: TopBar(
        Environment.SANDBOX, "Book", (Figure("net", "Net", cell),), tuple(found), complete, tuple(reasons)
    ),
    cells_of(("net",)).map(lambda cells: cells[0]),
    chips,
    st.booleans(),
    st.lists(texts, max_size=2),
)
states = st.builds(lambda version, bar, panel: PageState(version, bar, {"positions": panel}), st.integers(1, 99), bars, panels)


def shown(state: PageState) -> dict[str, Any]:
    """What a browser has of a state: texts by key, the order of the rows left out."""

    def cells(found: tuple[Cell, ...]) -> dict[str, Any]:
        return {cell.column: {name: value for name, value in asdict(cell).items() if name != "column"} for cell in found}

    def buttons(row: Row) -> dict[str, Any]:
        return {"freshness": row.freshness, "can_close": row.can_close, "can_cancel": row.can_cancel}

    found = {
        "version": state.version,
        "panels": {
            name: {
                "message": panel.message,
                "rows": {row.key: {"cells": cells(row.cells), **buttons(row)} for row in panel.rows},
                "footer": cells(panel.footer),
            }
            for name, panel in state.panels.items()
        },
        "figures": cells(tuple(figure.cell for figure in state.top_bar.figures)),
        "chips": {
            chip.key: {"freshness": chip.freshness, "reason": chip.reason, "cell": cells((chip.cell,))[chip.cell.column]}
            for chip in state.top_bar.chips
        },
        "is_complete": state.top_bar.is_complete,
        "incomplete_reasons": list(state.top_bar.incomplete_reasons),
    }
    shapes: dict[str, Any] = orjson.loads(orjson.dumps(found))
    return shapes


def apply(page: dict[str, Any], message: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What the browser does; `new` is what it gets where it has to fetch a part again."""
    page = deepcopy(page)
    assert page["version"] == message["from"]
    page["version"] = message["to"]
    for name, change in message.get("panels", {}).items():
        panel = page["panels"][name]
        panel["message"] = change["message"]
        if set(change.get("keys", panel["rows"])) != set(panel["rows"]):
            page["panels"][name] = new["panels"][name]
            continue
        for key, cells in change.get("cells", {}).items():
            panel["rows"][key]["cells"].update(cells)
        for key, facts in change.get("rows", {}).items():
            panel["rows"][key].update(facts)
        panel["footer"].update(change.get("footer", {}))
    bar = message.get("topbar", {})
    page["figures"].update(bar.get("figures", {}))
    if set(bar.get("keys", page["chips"])) == set(page["chips"]):
        page["chips"].update(bar.get("chips", {}))
    else:
        page["chips"] = new["chips"]
    for name in ("is_complete", "incomplete_reasons"):
        page[name] = bar.get(name, page[name])
    return page


@settings(max_examples=300, deadline=None)
@given(states, states)
def test_a_patch_takes_the_old_page_to_the_new_one(old: PageState, new: PageState) -> None:
    message = orjson.loads(orjson.dumps(patch(old, new, 7)))
    assert apply(shown(old), message, shown(new)) == shown(new)


@settings(max_examples=100, deadline=None)
@given(states)
def test_nothing_new_is_an_empty_patch(state: PageState) -> None:
    assert patch(state, replace(state, version=100), 7) == {"type": "patch", "from": state.version, "to": 100, "now_ms": 7}


def panel_with(*found: Row, footer: tuple[Cell, ...] = (), message: str = "") -> PageState:
    bar = TopBar(Environment.SANDBOX, "Book", (), (), True, ())
    return PageState(1, bar, {"positions": Panel("positions", "", (), found, footer, message)})


def test_only_the_cells_that_changed_are_sent() -> None:
    old = panel_with(Row("1", (Cell("symbol", "BTCUSDT"), Cell("pnl", "1.00"))), Row("2", (Cell("symbol", "X"), Cell("pnl", "2.00"))))
    new = panel_with(Row("1", (Cell("symbol", "BTCUSDT"), Cell("pnl", "1.50"))), Row("2", (Cell("symbol", "X"), Cell("pnl", "2.00"))))
    [change] = patch(old, new, 0)["panels"].values()
    assert change == {
        "message": "",
        "cells": {"1": {"pnl": {"text": "1.50", "tone": "", "detail": "", "title": "", "as_of_ms": None, "segments": ()}}},
    }


def test_rows_that_come_or_go_are_told_by_their_keys_alone() -> None:
    one, two = Row("1", (Cell("pnl", "1.00"),)), Row("2", (Cell("pnl", "1.00"),))
    assert patch(panel_with(one), panel_with(one, two), 0)["panels"]["positions"] == {"message": "", "keys": ["1", "2"]}
    assert patch(panel_with(one, two), panel_with(two), 0)["panels"]["positions"] == {"message": "", "keys": ["2"]}
    assert patch(panel_with(one), panel_with(message="None."), 0)["panels"]["positions"] == {"message": "None.", "keys": []}


def test_another_order_of_the_same_rows_moves_nothing() -> None:
    one, two = Row("1", (Cell("pnl", "1.00"),)), Row("2", (Cell("pnl", "1.00"),))
    assert patch(panel_with(one, two), panel_with(two, one), 0)["panels"]["positions"] == {"message": ""}


def test_other_buttons_are_told_beside_the_cells_so_that_the_page_fetches_the_panel() -> None:
    """The keys alone would say that nothing came or went, and the page would keep its old buttons and its old cells."""
    old, new = Row("1", (Cell("state", "Sending"),)), Row("1", (Cell("state", "Open"),), can_cancel=True)
    [change] = patch(panel_with(old), panel_with(new), 0)["panels"].values()
    assert change["rows"] == {"1": {"can_cancel": True}}
    assert change["cells"]["1"]["state"]["text"] == "Open"
    assert "keys" not in change


def test_an_account_that_went_is_told_by_the_keys_of_the_chips() -> None:
    def with_chips(*keys: str) -> PageState:
        found = tuple(Chip(key, "OKX", "", "fresh", Cell("age", "0 s")) for key in keys)
        return PageState(1, TopBar(Environment.SANDBOX, "Book", (), found, True, ()), {})

    assert patch(with_chips("1", "2"), with_chips("1"), 0)["topbar"]["keys"] == ["1"]
    assert "topbar" not in patch(with_chips("1"), with_chips("1"), 0)


def test_a_change_of_the_book_becomes_a_patch_in_the_templates_words(desk: Desk) -> None:
    old = page_state(read_book(desk.portfolio.pk))
    desk.position.mark_price, desk.position.unrealized_pnl = Decimal("96000"), Decimal("3000")
    desk.position.as_of += timedelta(seconds=1)
    desk.position.save()
    publish.book_changed([desk.binance.pk])
    book = read_book(desk.portfolio.pk)
    new = page_state(book)
    message = patch(old, new, 0)
    assert message["to"] == message["from"] + 1
    cells = message["panels"]["positions"]["cells"][str(desk.position.pk)]
    assert cells["mark"]["text"] == "96,000.0"
    assert cells["pnl"] == {
        "text": "+3,000.00",
        "tone": "long",
        "detail": "+6.67 %",
        "title": "Percent of the entry value",
        "as_of_ms": None,
        "segments": (),
    }
    html = render_to_string("panels/positions.html", {"panel": PANELS["positions"](book), "can_trade": False})
    for cell in cells.values():
        assert f'<span class="value">{cell["text"]}</span>' in html or f">{cell['text']}</time>" in html
    assert message["topbar"]["figures"]["net"]["text"] == "+29,000.00"
    assert message["panels"]["exposure"]["cells"]["BTC"]["net"]["text"] == "+29,000.00"
    assert "balances" not in message["panels"] or "keys" not in message["panels"]["balances"]


def test_an_order_that_the_exchange_confirms_gets_its_button(desk: Desk) -> None:
    order = rows.order(desk.okx, state="SUBMITTING", exchange_order_id="")
    old = page_state(read_book(desk.portfolio.pk))
    order.state, order.exchange_order_id = "NEW", "77"
    order.save()
    message = patch(old, page_state(read_book(desk.portfolio.pk)), 0)
    change = message["panels"]["orders"]
    assert change["rows"][str(order.pk)] == {"freshness": "fresh", "can_cancel": True}
    assert change["cells"][str(order.pk)]["state"]["text"] == "Open"


def test_a_message_of_the_book_is_json(desk: Desk) -> None:
    old = page_state(read_book(desk.portfolio.pk))
    rows.position(desk.bybit, "SOLUSDT")
    assert orjson.loads(orjson.dumps(patch(old, page_state(read_book(desk.portfolio.pk)), 1)))["type"] == "patch"
