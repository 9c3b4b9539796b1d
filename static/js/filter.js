// Narrows the positions to one asset, chosen in its row of the exposure. Rows are hidden, never removed, so that patches still reach them.
const bar = document.querySelector("[data-filter]");
let asset = bar.dataset.filter;

function apply() {
  bar.hidden = !asset;
  bar.querySelector("[data-filter-asset]").textContent = asset;
  for (const row of document.querySelectorAll("#panel-positions tr[data-row]")) row.hidden = asset !== "" && row.dataset.asset !== asset;
  for (const link of document.querySelectorAll("#panel-exposure a[data-asset]")) {
    if (asset && link.dataset.asset === asset) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// The link of the chosen asset takes the choice back.
function choose(event) {
  const link = event.target.closest("a[data-asset]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  asset = link.dataset.asset === asset ? "" : link.dataset.asset;
  apply();
  if (asset) showPositions();
}

function showPositions() {
  const tab = document.querySelector("input[name='tab'][value='positions']");
  if (!tab.checked) {
    tab.checked = true;
    tab.dispatchEvent(new Event("change"));
  }
  bar.scrollIntoView({ block: "nearest" });
}

export function start() {
  apply();
  document.addEventListener("click", choose);
  document.addEventListener("htmx:afterSwap", apply);
}
