// The WebSocket: one connection, kept up with back-off. Decides from the versions whether a message fits the page; what is in it is the
// panels' business.
import { setServerTime } from "./clock.js";
import { receive, refetchAll } from "./panels.js";
import * as strip from "./strip.js";

const BACKOFF_S = [0.5, 1, 2, 4, 8, 10];
const page = document.body.dataset;
let version = Number(page.version);
let attempts = 0;
let hasBeenUp = false;
let heardAt = performance.now();
let socket, retryTimer;

const handlers = {
  hello(message) {
    if (hasBeenUp || message.version !== version) refetchAll();
    version = message.version;
    hasBeenUp = true;
    attempts = 0;
    strip.back();
  },
  patch(message) {
    socket.send(message.to); // taken: the server keeps the next one until it hears this
    if (message.to <= version) return;
    const fits = message.from === version;
    version = message.to;
    if (fits) receive(message);
    else refetchAll();
  },
  bye(message) {
    drop();
    strip.ended(message.reason);
  },
};

function connect() {
  socket = new WebSocket(`${location.origin.replace("http", "ws")}${page.socket}?v=${version}`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    heardAt = performance.now();
    if (message.now_ms) setServerTime(message.now_ms);
    handlers[message.type]?.(message);
  };
  socket.onclose = retry;
}

function retry() {
  strip.lost();
  const delay = BACKOFF_S[Math.min(attempts++, BACKOFF_S.length - 1)] * 1000;
  retryTimer = setTimeout(connect, delay * (0.75 + Math.random() / 2));
}

function drop() {
  clearTimeout(retryTimer);
  socket.onclose = socket.onmessage = null;
  socket.close();
}

// A connection may die without closing: old figures and a long silence together give it away.
function watch() {
  const isSilent = performance.now() - heardAt > Number(page.staleAfter) * 1000;
  if (!isSilent || page.feed !== "stale" || socket.readyState !== WebSocket.OPEN) return;
  heardAt = performance.now();
  drop();
  retry();
}

function hurry() {
  if (socket.readyState === WebSocket.OPEN || !socket.onclose) return;
  drop();
  connect();
}

export function start() {
  connect();
  setInterval(watch, 1000);
  addEventListener("online", hurry);
  addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
}
