// A form that is on its way is not sent again: the second answer would hide the first, and with it a token that is shown only once. It is
// free again when the page is shown anew, or after a while, should the answer never have come.
const FREE_AFTER_MS = 30_000;

function free(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[data-sent]")) delete button.dataset.sent;
}

// What htmx sends itself is prevented by now; a question whose answer is a place in the page may be asked again and again.
function sent(event) {
  const { target: form, submitter } = event;
  if (event.defaultPrevented || form.action.includes("#")) return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  if (submitter) submitter.dataset.sent = "";
  setTimeout(free, FREE_AFTER_MS, form);
}

document.addEventListener("submit", sent);
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free));
