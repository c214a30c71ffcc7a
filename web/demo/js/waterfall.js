// Requests over time: a table whose last column is drawn. The numbers stand in the other columns,
// so the drawing is hidden from screen readers.

import { bytes, millis } from "./exchange.js";

const SVG = "http://www.w3.org/2000/svg";
const SPAN = 1000;

// A table of performance entries, bars from `from` to the end of the last.
export function waterfall(entries, { from, caption }) {
  const until = Math.max(...entries.map((entry) => entry.responseEnd)) - from;
  const scale = SPAN / Math.max(until, 0.001);
  const table = document.createElement("table");
  table.createCaption().textContent = caption;
  const head = table.createTHead().insertRow();
  for (const [name, kind] of COLUMNS) head.append(cell("th", name, kind, "col"));
  const rows = table.createTBody();
  for (const entry of entries) {
    const row = rows.insertRow();
    const start = entry.startTime - from;
    row.append(
      cell("th", nameOf(entry), "", "row"),
      cell("td", sizeOf(entry), "less"),
      cell("td", entry.nextHopProtocol || "–", "less"),
      cell("td", millis(start), "less"),
      cell("td", millis(entry.responseEnd - entry.startTime), ""),
    );
    const track = cell("td", "", "track");
    track.append(bar(entry, from, scale));
    row.append(track);
  }
  return table;
}

const COLUMNS = [
  ["Resource", ""], ["Size", "less"], ["Protocol", "less"], ["Began after", "less"], ["Took", ""], ["When", "track"],
];

function cell(kind, text, className, scope) {
  const made = document.createElement(kind);
  made.textContent = text;
  if (className) made.className = className;
  if (scope) made.scope = scope;
  return made;
}

function nameOf(entry) {
  const { pathname, search } = new URL(entry.name);
  return pathname === "/" ? "/" : pathname.replace(/^.*\//, "") + search;
}

// The API tells a cached answer by zero bytes transferred; a check by 304 transfers a head only.
function sizeOf(entry) {
  if (entry.transferSize === 0) return entry.decodedBodySize > 0 ? "from cache" : "–";
  return bytes(entry.transferSize);
}

function bar(entry, from, scale) {
  const svg = draw("svg", { viewBox: `0 0 ${SPAN} 10`, preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(draw("line", { class: "rule", x1: 0, y1: 5, x2: SPAN, y2: 5 }));
  const asked = entry.requestStart || entry.startTime;
  const answered = entry.responseStart || asked;
  const parts = [["open", entry.startTime, asked], ["wait", asked, answered], ["body", answered, entry.responseEnd]];
  for (const [part, start, end] of parts) {
    // What is too short to see is drawn four units broad: it did happen.
    const width = Math.max((end - start) * scale, part === "body" ? 4 : 0);
    const x = Math.min((start - from) * scale, SPAN - width);
    svg.append(draw("rect", { class: part, x, y: 0, width, height: 10 }));
  }
  return svg;
}

// An SVG element with these attributes.
export function draw(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}
