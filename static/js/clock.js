// The server's time, carried on between its messages. Of two local clocks the one that moved further is believed: the monotonic one
// may stand still while the machine sleeps, the wall clock may be set back, and an age must never look younger than it is.
let anchor = null;

export function setServerTime(serverMs, heardAt = performance.now()) {
  const ago = performance.now() - heardAt;
  anchor = { serverMs: Number(serverMs) + ago, monotonic: performance.now(), wall: Date.now() };
}

export function serverNow() {
  return anchor.serverMs + Math.max(performance.now() - anchor.monotonic, Date.now() - anchor.wall);
}

export function startFromPage() {
  const navigation = performance.getEntriesByType("navigation")[0];
  setServerTime(document.body.dataset.serverNow, navigation?.responseStart ?? 0);
}
