// The order ticket: keeps the reference price beside it young while it is looked at, and says when it could not. The facts are swapped
// alone, so a refresh never touches a field; a preview under way goes before them.
const REFRESH_MS = 5000;

function refreshFacts() {
  const symbol = document.getElementById("ticket-symbol");
  if (!document.hidden && symbol?.value) htmx.trigger("#ticket-facts", "refresh");
}

function giveWay(event) {
  const { elt } = event.detail;
  if (elt.id === "ticket-facts" && elt.closest("form.htmx-request")) event.preventDefault();
  if (elt.matches(".ticket-form")) htmx.trigger("#ticket-facts", "htmx:abort");
}

function markFacts({ detail }) {
  if (detail.requestConfig?.elt.id === "ticket-facts") detail.requestConfig.elt.dataset.freshness = "stale";
}

function lowerSheet({ target, detail }) {
  const sheet = target.closest?.("#ticket-sheet");
  if (detail.tone === "ok" && sheet?.matches(":popover-open")) sheet.hidePopover();
}

export function start() {
  setInterval(refreshFacts, REFRESH_MS);
  document.addEventListener("htmx:beforeRequest", giveWay);
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, markFacts);
  document.addEventListener("toast", lowerSheet);
}
