// A session that has ended answers any request with the sign-in page; inside a panel that would be nonsense, so the whole page goes there.
function leave({ detail }) {
  const path = document.body.dataset.login;
  if (new URL(detail.xhr.responseURL, location.href).pathname !== path) return;
  detail.shouldSwap = false;
  location.assign(path);
}

export function start() {
  document.addEventListener("htmx:beforeSwap", leave);
}
