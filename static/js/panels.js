// Keeps the panels in step with the server: patches go in at once, and a panel they do not fit is fetched again as a whole. What
// arrives while a panel is under way is applied once more after it, or the older fragment would win.
import { applyPanel, applyTopbar } from "./patch.js";

const HOLD_MS = 3000;
const RETRY_MS = 2000;
const waiting = new Map();
const underWay = new Map();

export function receive(message) {
  for (const [name, patch] of Object.entries(message.panels ?? {})) apply(name, patch);
  if (message.topbar) apply("topbar", message.topbar);
}

export function refetchAll() {
  for (const panel of document.querySelectorAll("[id^='panel-']")) refetch(panel.id.slice(6), { hold: false });
}

function apply(name, patch) {
  if (patch.keys) showCount(name, patch.keys.length);
  underWay.get(name)?.patches.push(patch);
  const isKnown = name === "topbar" ? applyTopbar(patch) : applyPanel(name, patch);
  if (!isKnown && !underWay.has(name)) refetch(name);
}

function refetch(name, { hold = true } = {}) {
  const running = underWay.get(name);
  if (running) {
    running.again = true;
    return;
  }
  const since = waiting.get(name) ?? performance.now();
  if (hold && isHeld(name) && performance.now() - since < HOLD_MS) {
    if (!waiting.has(name)) setTimeout(recheck, 150, name);
    waiting.set(name, since);
    return;
  }
  waiting.delete(name);
  underWay.set(name, { patches: [], again: false });
  htmx.trigger(`#panel-${name}`, "refresh");
}

function recheck(name) {
  if (!waiting.has(name)) return;
  refetch(name);
  if (waiting.has(name)) setTimeout(recheck, 150, name);
}

function isHeld(name) {
  return document.querySelector(`#panel-${name}:hover, #panel-${name} [data-armed], dialog[open]`) !== null;
}

// No row is no count: whether there are none or none are known is for the panel to say.
function showCount(name, count) {
  const element = document.querySelector(`[data-count="${name}"]`);
  if (element) element.textContent = count || "";
}

export function start() {
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    const name = detail.target?.id.startsWith("panel-") ? detail.target.id.slice(6) : "";
    const running = underWay.get(name);
    if (!running) return;
    underWay.delete(name);
    const status = detail.xhr.status;
    if (!detail.successful && (status === 0 || status >= 500)) setTimeout(refetch, RETRY_MS, name);
    if (!detail.successful) return;
    if (name !== "topbar") showCount(name, document.querySelectorAll(`#panel-${name} tr[data-row]`).length);
    for (const patch of running.patches) apply(name, patch);
    if (running.again) refetch(name);
  });
}
