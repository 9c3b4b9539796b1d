// The strip under the head that says the page is no longer live. A connection that comes back at once is not worth an alarm.
const GRACE_MS = 1500;
const strip = document.querySelector("[data-connection]");
let timer;

export function lost() {
  timer ??= setTimeout(show, GRACE_MS, "Connection lost, retrying. The figures below are growing old.");
}

export function back() {
  clearTimeout(timer);
  timer = undefined;
  strip.hidden = true;
}

export function ended(reason) {
  back();
  show(`No longer live: ${reason}. `);
  strip.append(Object.assign(document.createElement("a"), { href: document.body.dataset.login, textContent: "Sign in again" }));
}

function show(text) {
  strip.textContent = text;
  strip.hidden = false;
}
