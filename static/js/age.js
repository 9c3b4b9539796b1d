// Every second: the age of each figure that has a time, and what that age makes of its row and of the whole feed. It runs without the
// socket, so that a dead connection shows as figures growing old.
import { serverNow } from "./clock.js";

const ORDER = ["fresh", "late", "stale", "unknown", "error"];
const HOLDERS = "[data-row], [data-chip]";
const TIME_PARTS = { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short", hourCycle: "h23" };
const time = new Intl.DateTimeFormat([], TIME_PARTS);

export function ageText(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

// Some panels are read less often than the page and have limits of their own.
export function freshnessOf(seconds, { lateAfter, staleAfter } = document.body.dataset) {
  if (seconds >= Number(staleAfter)) return "stale";
  return seconds >= Number(lateAfter) ? "late" : "fresh";
}

// What the server said of a row (`served`) stands beside what the clock makes of it; the worse one shows.
export function showFreshness(holder, served = holder.dataset.served ?? holder.dataset.freshness) {
  const ages = [...holder.querySelectorAll("[data-as-of]")].map((element) => element.dataset.freshness ?? "fresh");
  const worst = [served, ...ages].reduce((a, b) => (ORDER.indexOf(b) > ORDER.indexOf(a) ? b : a));
  holder.dataset.served = served;
  if (holder.dataset.freshness !== worst) holder.dataset.freshness = worst;
}

function tickOne(element, now) {
  const asOf = Number(element.dataset.asOf);
  const seconds = (now - asOf) / 1000;
  const text = ageText(seconds);
  if (element.textContent !== text) element.textContent = text;
  const freshness = freshnessOf(seconds, element.closest("[data-stale-after]").dataset);
  if (element.dataset.freshness !== freshness) element.dataset.freshness = freshness;
  const title = freshness === "fresh" ? "" : `Last known ${time.format(asOf)}`;
  if (element.title !== title) element.title = title;
  const row = element.closest("[data-row]");
  if (row && row.title !== title) row.title = title;
  return seconds;
}

export function tick() {
  const now = serverNow();
  const ages = [...document.querySelectorAll("[data-as-of]")].map((element) => tickOne(element, now));
  for (const holder of document.querySelectorAll(HOLDERS)) showFreshness(holder);
  document.body.dataset.feed = ages.length ? freshnessOf(Math.min(...ages)) : "unknown";
}

export function start() {
  tick();
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", tick);
  document.addEventListener("htmx:afterSettle", tick);
}
