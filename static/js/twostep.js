// A button that asks back in its own place: the first press arms it, a second one within a few seconds goes through. The pause in
// between keeps a double click from being both.
const ARMED_MS = 4000;
const PAUSE_MS = 400;

function arm(button) {
  const before = button.textContent;
  button.textContent = button.dataset.twoStep;
  button.dataset.armed = performance.now();
  const disarm = () => {
    clearTimeout(timer);
    button.removeEventListener("blur", disarm);
    button.textContent = before;
    delete button.dataset.armed;
  };
  const timer = setTimeout(disarm, ARMED_MS);
  button.addEventListener("blur", disarm);
}

export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-two-step]");
    if (!button || button.disabled) return;
    const armedAt = Number(button.dataset.armed);
    if (armedAt && performance.now() - armedAt > PAUSE_MS) return;
    event.preventDefault();
    event.stopPropagation();
    if (!armedAt) arm(button);
  }, true);
}
