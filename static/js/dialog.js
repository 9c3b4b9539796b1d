// The one dialog of the page: opens when htmx has put something in it, closes when an action left it empty.
const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-content");

function follow() {
  const isEmpty = content.textContent.trim() === "";
  if (isEmpty && dialog.open) dialog.close();
  if (!isEmpty && !dialog.open) dialog.showModal();
}

export function start() {
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.target !== content || !detail.successful) return;
    if (detail.xhr.status === 204) content.replaceChildren();
    follow();
  });
  dialog.addEventListener("close", () => content.replaceChildren());
  dialog.addEventListener("click", (event) => {
    if (event.target !== dialog && !event.target.closest("[data-dialog-close]")) return;
    event.preventDefault();
    dialog.close();
  });
}
