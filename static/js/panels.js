// Keeps the panels in step with the server: patches go in at once, and a panel they do not fit is fetched again as a whole. What
// arrives while a panel is under way is applied once more after it, or the older fragment would win.
import { whenFree } from "./hold.js";
import { applyPanel, applyTopbar } from "./patch.js";

const RETRY_MS = 2000;
const underWay = new Map();

export function receive(message) {
  for (const [name, patch] of Object.entries(message.panels ?? {})) apply(name, patch);
  if (message.topbar) apply("topbar", message.topbar);
}

export function refetchAll() {
  for (const panel of document.querySelectorAll("[id^='panel-']")) refetch(panelName(panel));
}

function apply(name, patch) {
  if (patch.keys) showCount(name, patch.keys.length);
  underWay.get(name)?.patches.push(patch);
  const fits = name === "topbar" ? applyTopbar(patch) : applyPanel(name, patch);
  if (!fits && !underWay.has(name)) whenFree(name, refetch);
}

function refetch(name) {
  const running = underWay.get(name);
  if (running) {
    running.again = true;
    return;
  }
  underWay.set(name, { patches: [], again: false });
  htmx.trigger(`#panel-${name}`, "refresh");
}

// htmx makes a fragment ready to act only when it has settled; a refresh asked for earlier would be lost.
function arrived({ target }) {
  const name = panelName(target);
  const running = underWay.get(name);
  if (!running) return;
  underWay.delete(name);
  if (name !== "topbar") showCount(name, target.querySelectorAll("tr[data-row]").length);
  for (const patch of running.patches) apply(name, patch);
  if (running.again) refetch(name);
}

function failed({ detail }) {
  const name = panelName(detail.target);
  if (detail.successful || !underWay.delete(name)) return;
  const { status } = detail.xhr;
  if (status === 0 || status >= 500) setTimeout(refetch, RETRY_MS, name);
}

// No row is no count: whether there are none or none are known is for the panel to say.
function showCount(name, count) {
  const element = document.querySelector(`[data-count="${name}"]`);
  if (element) element.textContent = count || "";
}

function panelName(element) {
  return element?.id?.startsWith("panel-") ? element.id.slice(6) : "";
}

export function start() {
  document.addEventListener("htmx:afterSettle", arrived);
  document.addEventListener("htmx:afterRequest", failed);
}
