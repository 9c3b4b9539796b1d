// Writes one cell of a pushed patch where the template wrote it first. The text is the server's: nothing is computed here.
const SVG = "http://www.w3.org/2000/svg";

export function writeCell(holder, cell) {
  const bar = holder.querySelector("[data-segments]");
  if (bar) writeBar(bar, cell);
  else writeValue(holder, cell);
  writeDetail(holder, cell.detail ?? "");
  setOrRemove(holder, "data-tone", cell.tone);
  setOrRemove(holder, "title", cell.title);
}

function writeBar(bar, cell) {
  bar.replaceChildren(...(cell.segments ?? []).map(segmentRect));
  bar.parentElement.setAttribute("aria-label", cell.title || cell.text);
}

function writeValue(holder, cell) {
  let value = holder.querySelector(".value");
  const tag = cell.as_of_ms ? "TIME" : "SPAN";
  if (value.tagName !== tag) {
    const other = document.createElement(tag);
    other.className = "value";
    value.replaceWith(other);
    value = other;
  }
  if (cell.as_of_ms) {
    value.dataset.asOf = cell.as_of_ms;
  } else if (value.textContent !== cell.text) {
    value.textContent = cell.text;
    // Two names in turn restart the style sheet's animation, which shows this for the columns where a change is news.
    holder.dataset.changed = holder.dataset.changed === "a" ? "b" : "a";
  }
}

function writeDetail(holder, detail) {
  let small = holder.querySelector("small");
  if (!small && !detail) return;
  if (!small) holder.append((small = document.createElement("small")));
  if (small.textContent !== detail) small.textContent = detail;
}

function segmentRect(segment) {
  const rect = document.createElementNS(SVG, "rect");
  const title = document.createElementNS(SVG, "title");
  title.textContent = segment.exchange;
  rect.append(title);
  const place = { x: segment.start, y: 1, width: segment.width, height: 8 };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  rect.dataset.exchange = segment.exchange;
  rect.dataset.tone = segment.tone;
  return rect;
}

function setOrRemove(element, name, value) {
  if (value) element.setAttribute(name, value);
  else element.removeAttribute(name);
}
