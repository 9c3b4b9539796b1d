"""The home page as a person works it: where things are on it, and what it shows. Nothing here knows a URL but the page's own."""

import time
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys.crossbook import eventually

ACTION_DEADLINE_MS = 15_000
PUSH_DEADLINE_S = 20.0
ORDERS_DEADLINE_S = 45.0  # order lists are read every 30 s

_CHIPS = """() => [...document.querySelectorAll("[data-chip]")].map((chip) => ({
  name: chip.querySelector(".account").textContent.trim(),
  freshness: chip.dataset.freshness,
  reason: chip.querySelector("[data-reason]").textContent.trim(),
  asOf: Number(chip.querySelector("[data-as-of]")?.dataset.asOf ?? 0),
  age: chip.querySelector("[data-cell]").textContent.trim(),
}))"""
_IS_CONNECTED = """() => document.querySelector("[data-connection]").hidden"""


class BookPage:
    def __init__(self, page: Page) -> None:
        self.page = page
        page.set_default_timeout(ACTION_DEADLINE_MS)

    def chips(self) -> dict[str, dict[str, Any]]:
        """Per account what its chip says; the first word is the exchange."""
        return {chip["name"].split(" ")[0]: chip for chip in self.page.evaluate(_CHIPS)}

    def is_live(self, *, since: float = 0.0) -> bool:
        """Every account fresh, read after `since` (epoch seconds), and the page connected."""
        chips = self.chips().values()
        return bool(
            self.page.evaluate(_IS_CONNECTED)
            and len(chips) == 3
            and all(chip["freshness"] == "fresh" and chip["asOf"] > since * 1_000 for chip in chips)
        )

    def wait_until_live(self, *, since: float = 0.0, within_s: float = PUSH_DEADLINE_S) -> float:
        """Seconds since `since`, or since the call."""
        began = since or time.time()
        eventually(lambda: self.is_live(since=since), within_s=within_s, what=f"a live page ({self.chips()})")
        return time.time() - began

    def show(self, tab: str) -> None:
        self.page.locator(f"input[name='tab'][value='{tab}']").check(force=True)

    def rows(self, panel: str, *texts: str) -> Locator:
        """The rows of a panel that contain all of these words."""
        found = self.page.locator(f"#panel-{panel} tr[data-row]")
        for text in texts:
            found = found.filter(has_text=text)
        return found

    def cell(self, row: Locator, column: str) -> Locator:
        return row.locator(f"[data-cell='{column}'] .value")

    def expect_cell(self, row: Locator, column: str, text: str, *, within_s: float = PUSH_DEADLINE_S) -> None:
        expect(self.cell(row, column)).to_have_text(text, timeout=within_s * 1_000)

    def fill_ticket(self, account: str, symbol: str, quantity: str, price: str | None = None) -> None:
        ticket = self.page.locator("#ticket")
        ticket.get_by_label("Account").select_option(label=account)
        ticket.get_by_label("Symbol").fill(symbol)
        ticket.locator(f"input[name='order_type'][value='{'LIMIT' if price else 'MARKET'}']").check(force=True)
        ticket.locator("#ticket-quantity").fill(quantity)
        if price:
            ticket.locator("#ticket-price").fill(price)

    def preview(self, side: str, sentence: str) -> None:
        """Press Buy or Sell; what is asked for confirmation must be `sentence`."""
        self.page.locator(f"#ticket button[name='side'][value='{side}']").click()
        expect(self.page.locator("#ticket .sentence")).to_have_text(sentence)

    def send(self) -> str:
        """Confirm; returns what the page said about it."""
        self.page.locator("#ticket .send").click()
        return self.toast()

    def toast(self) -> str:
        """The newest message, dismissed."""
        newest = self.page.locator("#toasts .toast").last
        text = newest.locator("p").inner_text()
        newest.get_by_role("button", name="Dismiss").click()
        expect(self.page.locator("#toasts .toast")).to_have_count(0)
        return text
