// Puts off what would move rows under someone's hand: while the pointer is on the panel, a button in it is armed or a dialog is open,
// but never for long.
const HOLD_MS = 3000;
const LOOK_MS = 150;
const waiting = new Set();

export function whenFree(name, act) {
  if (waiting.has(name)) return;
  waiting.add(name);
  const deadline = performance.now() + HOLD_MS;
  const look = () => {
    if (isHeld(name) && performance.now() < deadline) {
      setTimeout(look, LOOK_MS);
      return;
    }
    waiting.delete(name);
    act(name);
  };
  look();
}

function isHeld(name) {
  return document.querySelector(`#panel-${name}:hover, #panel-${name} [data-armed], dialog[open]`) !== null;
}
