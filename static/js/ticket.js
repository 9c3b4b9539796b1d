// The order ticket: keeps the reference price beside it young while it is looked at, and says when it could not. The facts are swapped
// alone, so a refresh never touches a field.
const REFRESH_MS = 5000;

function refreshFacts() {
  const symbol = document.getElementById("ticket-symbol");
  if (!document.hidden && symbol?.value) htmx.trigger("#ticket-facts", "refresh");
}

function markFacts({ detail }) {
  const facts = document.getElementById("ticket-facts");
  if (facts && detail.target?.id === facts.id) facts.dataset.freshness = detail.successful ? "fresh" : "stale";
}

function lowerSheet({ target, detail }) {
  const sheet = target.closest?.("#ticket-sheet");
  if (detail.tone === "ok" && sheet?.matches(":popover-open")) sheet.hidePopover();
}

export function start() {
  setInterval(refreshFacts, REFRESH_MS);
  document.addEventListener("htmx:afterRequest", markFacts);
  document.addEventListener("toast", lowerSheet);
}
