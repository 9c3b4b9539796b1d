// A form that asks an exchange: what is typed stays while the answer is awaited, and a failure of our own is said where the answer would be.
import * as session from "./session.js";

function explain({ detail }) {
  const { status } = detail.xhr;
  const note = document.createElement("p");
  note.className = "note";
  note.dataset.tone = "danger";
  note.setAttribute("role", "alert");
  note.textContent = `${status ? `Crossbook answered with error ${status}` : "Crossbook did not answer"}. Load the page anew and look whether the account is there before you repeat this.`;
  detail.target.replaceChildren(note);
}

// The answer before says nothing of what is asked now.
function clear({ detail }) {
  detail.target.replaceChildren();
}

session.start();
document.documentElement.dataset.scripted = "";
document.addEventListener("htmx:beforeSend", clear);
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) document.addEventListener(name, explain);
