// Short messages about what an action did. Bad news stays until it is dismissed.
const KEEP_MS = 7000;

export function toast({ text, tone = "ok" }) {
  const region = document.getElementById("toasts");
  const item = document.createElement("div");
  item.className = "note toast";
  item.dataset.tone = tone;
  if (tone !== "ok") item.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = text;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "tool";
  dismiss.textContent = "Dismiss";
  dismiss.addEventListener("click", () => remove(item));
  item.append(words, dismiss);
  raise(region);
  region.append(item);
  if (tone === "ok") setTimeout(remove, KEEP_MS, item);
}

// Shown anew each time: the top layer is in order of showing, and a dialog may have been opened since.
function raise(region) {
  if (!region.showPopover) return;
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
}

function remove(item) {
  const region = item.parentElement;
  item.remove();
  if (region && !region.children.length) region.hidePopover?.();
}

// Only an answer that refuses is proof that nothing was sent.
function explainFailure({ detail }) {
  if (detail.target?.id.startsWith("panel-") || detail.requestConfig.elt.id === "ticket-facts") return;
  toast({ tone: "danger", text: failureText(detail) });
}

function failureText({ xhr: { status }, requestConfig: { elt, verb } }) {
  const mayHaveSent = verb === "post" && !elt.matches(".ticket-form, [name='refresh']");
  if (status === 403) return "Not allowed and not carried out: your role changed, or you signed in anew in another tab. Load the page.";
  const answer = status ? `Crossbook answered with error ${status}` : "Crossbook did not answer";
  if (!mayHaveSent) return `${answer}. No order was sent.`;
  if (status >= 400 && status < 500) return `${answer}: this was not carried out.`;
  return `${answer}: it is unknown whether this was sent. Look at the open orders before you repeat it.`;
}

export function start() {
  document.addEventListener("toast", ({ detail }) => toast(detail));
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, explainFailure);
}
