// Applies a pushed patch to the panels on the page. Answers, per panel, whether the page knew every row and cell it spoke of; where it
// did not, the panel has to be fetched again. Never moves, adds or removes a row.
import { showFreshness } from "./age.js";
import { writeCell } from "./cell.js";

export function applyPanel(name, patch) {
  const panel = document.getElementById(`panel-${name}`);
  if (!panel) return true;
  const rows = new Map([...panel.querySelectorAll("tr[data-row]")].map((row) => [row.dataset.row, row]));
  for (const [key, row] of patch.keys ? rows : []) row.toggleAttribute("data-gone", !patch.keys.includes(key));
  const known = [
    sameKeys(rows, patch.keys),
    ...Object.entries(patch.cells ?? {}).map(([key, cells]) => writeCells(rows.get(key), cells)),
    ...Object.entries(patch.rows ?? {}).map(([key, facts]) => writeRow(rows.get(key), facts)),
    writeFooter(panel, patch.footer),
  ];
  if (patch.message !== undefined) writeMessage(panel, patch.message, rows.size);
  return known.every(Boolean);
}

export function applyTopbar(patch) {
  const topbar = document.getElementById("panel-topbar");
  if (!topbar) return true;
  const figures = Object.entries(patch.figures ?? {}).map(([name, cell]) => {
    const holder = topbar.querySelector(`[data-figure="${CSS.escape(name)}"] dd`);
    if (holder) writeCell(holder, cell);
    return holder;
  });
  const chips = Object.entries(patch.chips ?? {}).map(([key, chip]) => {
    return writeChip(topbar.querySelector(`[data-chip="${CSS.escape(key)}"]`), chip);
  });
  if (patch.is_complete !== undefined) topbar.querySelector("[data-incomplete]").hidden = patch.is_complete;
  if (patch.incomplete_reasons) topbar.querySelector("[data-reasons]").textContent = patch.incomplete_reasons.join(" · ");
  const accounts = new Map([...topbar.querySelectorAll("[data-chip]")].map((chip) => [chip.dataset.chip, chip]));
  return [sameKeys(accounts, patch.keys), ...figures, ...chips].every(Boolean);
}

function sameKeys(rows, keys) {
  return !keys || (keys.length === rows.size && keys.every((key) => rows.has(String(key))));
}

function writeCells(row, cells) {
  if (!row) return false;
  const holders = new Map([...row.cells].map((holder) => [holder.dataset.cell, holder]));
  return Object.entries(cells).map(([column, cell]) => {
    const holder = holders.get(column);
    if (holder) writeCell(holder, cell);
    return Boolean(holder);
  }).every(Boolean);
}

function writeRow(row, facts) {
  if (!row) return false;
  if (facts.freshness) showFreshness(row, facts.freshness);
  // Which buttons a row has is the server's business.
  return facts.can_close === undefined && facts.can_cancel === undefined;
}

function writeFooter(panel, footer) {
  const row = panel.querySelector("tfoot tr");
  return !footer || Object.keys(footer).length === 0 || (row ? writeCells(row, footer) : false);
}

function writeMessage(panel, message, rowCount) {
  const element = panel.querySelector("[data-message]");
  element.textContent = message;
  element.hidden = !message && rowCount > 0;
}

function writeChip(element, chip) {
  if (!element) return false;
  if (chip.cell) writeCell(element.querySelector("[data-cell]"), chip.cell);
  if (chip.reason !== undefined) element.querySelector("[data-reason]").textContent = element.title = chip.reason;
  if (chip.freshness) showFreshness(element, chip.freshness);
  return true;
}
