// The panels of "Watch HTTP work". Each experiment sends its requests and returns a verdict; what
// was sent and what came is written down by the panel.

import { bytes, exchange, millis, version } from "./exchange.js";
import { draw, waterfall } from "./waterfall.js";

const good = (text, ...more) => ({ state: "good", text, more });
const other = (text, ...more) => ({ state: "other", text, more });

const EXPERIMENTS = {
  async get(send) {
    const got = await send("/robots.txt", { showBody: 400 });
    return got.status === 200
      ? good(`200: ${bytes(got.body.length)} in ${millis(got.took)}`)
      : other(`Expected 200, got ${got.status}: is this the whole demo site?`);
  },

  async conditional(send) {
    const first = await send("/style.css");
    const etag = first.header("etag");
    const date = first.header("last-modified");
    if (!etag && !date) return other("This server sends neither ETag nor Last-Modified: there is nothing to ask with");
    const headers = etag ? { "If-None-Match": etag } : { "If-Modified-Since": date };
    const again = await send("/style.css", { headers });
    if (again.status !== 304) return other(`Expected 304, got ${again.status}: this server does not compare ${etag ? "ETags" : "dates"}`);
    const saved = `304, without a body: ${bytes(first.timing?.encodedBodySize || first.body.length)} not sent again`;
    return etag ? good(saved) : other(`${saved}. Asked by date, as this server sends no ETag`);
  },

  async range(send) {
    const part = await send("/text.html", { headers: { Range: "bytes=0-99" }, showBody: 100 });
    if (part.status === 206) return good(`206: ${part.body.length} bytes of ${part.header("content-range")?.split("/")[1] ?? "?"}`);
    return other(`Expected 206, got ${part.status}: this server does not know ranges and sent all ${bytes(part.body.length)}`);
  },

  async ranges(send) {
    const parts = await send("/text.html", { headers: { Range: "bytes=0-39,1000-1039" }, showBody: 700 });
    const type = parts.header("content-type") ?? "";
    if (parts.status === 206 && type.startsWith("multipart/byteranges")) return good("206: both parts in one answer, each under its own Content-Range");
    if (parts.status === 206) return other(`206, but as one part: ${type}`);
    return other(`Expected 206, got ${parts.status}: this server does not know ranges and sent the whole file`);
  },

  async head(send) {
    const got = await send("/img/ridges-1200.jpg", { method: "HEAD" });
    if (got.status !== 200) return other(`Expected 200, got ${got.status}`);
    const length = Number(got.header("content-length"));
    return length
      ? good(`200: the head of ${bytes(length)}, and ${got.body.length} bytes of body`)
      : other("200, but no Content-Length: the head does not say how much a GET would bring");
  },

  async missing(send) {
    const got = await send("/no/such/page", { showBody: 160 });
    return got.status === 404
      ? good(`404, and a page of ${bytes(got.body.length)} for people`)
      : other(`Expected 404, got ${got.status}`);
  },

  async compression(send) {
    const got = await send("/text.html");
    if (got.status !== 200) return other(`Expected 200, got ${got.status}`);
    const coding = got.header("content-encoding");
    const wire = got.timing?.encodedBodySize || Number(got.header("content-length"));
    const whole = got.body.length;
    if (!coding) return other(`Not compressed: all ${bytes(whole)} were sent as they are`, sizes(whole, whole));
    if (!wire) return good(`Compressed with ${coding}; this browser does not tell how far`);
    return good(`${coding}: ${bytes(wire)} sent instead of ${bytes(whole)}, ${Math.round((1 - wire / whole) * 100)} % less`, sizes(wire, whole));
  },

  async protocol(_send, note) {
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => exchange(`/favicon.svg?${n + 1}`)));
    const timings = all.map((one) => one.timing).filter(Boolean);
    if (timings.length === 0) return other("This browser tells no timings");
    const spoken = timings[0].nextHopProtocol || "an unknown protocol";
    const opened = timings.filter((one) => one.connectEnd > one.connectStart).length;
    note(`# 12 × GET /favicon.svg, all at once: ${millis(performance.now() - began)}`);
    const table = waterfall(timings, { from: Math.min(...timings.map((one) => one.startTime)), caption: "Twelve requests at once" });
    const box = document.createElement("div");
    box.className = "fall";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Twelve requests over time");
    box.append(table);
    const news = opened === 0 ? "no connection opened for them" : `${opened} new connection${opened === 1 ? "" : "s"} opened for them`;
    if (spoken === "h2") return good(`h2: twelve streams side by side, ${news}`, box);
    const hint = location.protocol === "https:" ? "" : ". Open the https address to see h2";
    return { state: spoken === "http/1.1" ? "good" : "other", text: `${spoken}: ${news}${hint}`, more: [box] };
  },
};

const panels = [...document.querySelectorAll(".panel")].map(prepare);
const all = document.querySelector("#all");
all.hidden = false;
all.addEventListener("click", async () => {
  all.disabled = true;
  for (const run of panels) await run();
  all.disabled = false;
});
addEventListener("load", () => setTimeout(showOwnWaterfall, 50));
document.querySelector("#reload").hidden = false;
document.querySelector("#reload").addEventListener("click", () => location.reload());

// Gives a panel its semaphore, its button and its place for results; returns what runs it.
function prepare(panel) {
  panel.querySelector("header").append(document.querySelector("#semaphore").content.cloneNode(true));
  const title = panel.querySelector("h2").textContent;
  const bar = make("div", "bar");
  const button = make("button", "main", "Send");
  button.type = "button";
  button.setAttribute("aria-label", `Send: ${title}`);
  bar.append(button);
  const out = panel.querySelector(".out");
  out.before(bar);
  const verdict = make("p", "verdict");
  verdict.setAttribute("role", "status");
  const rest = make("div");
  out.append(verdict, rest);

  async function run() {
    button.disabled = true;
    panel.dataset.state = "asking";
    const wire = make("div", "wire");
    wire.tabIndex = 0;
    wire.setAttribute("role", "region");
    wire.setAttribute("aria-label", `${title}: what was sent and what came`);
    const note = (text) => wire.append(line("note", text));
    const send = async (path, options = {}) => {
      const got = await exchange(path, options);
      write(wire, got, options.showBody ?? 0);
      return got;
    };
    const { state, text, more = [] } = await attempt(EXPERIMENTS[panel.id], send, note);
    panel.dataset.state = state;
    verdict.textContent = text;
    rest.replaceChildren(...more, ...(wire.childElementCount ? [wire] : []));
    button.disabled = false;
    button.textContent = "Send again";
    button.setAttribute("aria-label", `Send again: ${title}`);
  }
  button.addEventListener("click", run);
  return run;
}

async function attempt(experiment, send, note) {
  try {
    return await experiment(send, note);
  } catch (error) {
    return { state: "failed", text: `No answer: ${error.message}. Is the server still running?` };
  }
}

// Writes an exchange the way `curl -v` does: `>` went out, `<` came in.
function write(wire, got, showBody) {
  const spoken = version(got.timing);
  wire.append(line("sent", `> ${got.method} ${got.path} ${spoken}`));
  for (const [name, value] of Object.entries(got.sent)) wire.append(line("sent", `> ${name}: ${value}`));
  wire.append(line("came", `< ${spoken} ${got.status} ${got.reason}`));
  for (const [name, value] of got.headers) wire.append(line("came", `< ${name}: ${value}`));
  const { timing } = got;
  const wait = timing?.responseStart ? timing.responseStart - timing.requestStart : got.wait;
  wire.append(line("note", `# first byte after ${millis(wait)}, all after ${millis(got.took)}; body: ${bytes(got.body.length)}`));
  if (showBody && got.body.length) {
    const text = new TextDecoder().decode(got.body.subarray(0, showBody)).trimEnd();
    const rest = got.body.length - showBody;
    wire.append(line("body", text), ...(rest > 0 ? [line("note", `# and ${bytes(rest)} more`)] : []));
  }
}

function sizes(wire, whole) {
  const box = make("div", "sizes");
  for (const [name, count, kind] of [["on the wire", wire, "fill-came"], ["unpacked", whole, "fill-ink"]]) {
    const row = make("div");
    const svg = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    svg.append(draw("rect", { class: kind, x: 0, y: 0, width: (100 * count) / whole, height: 10 }));
    row.append(make("span", "", `${name}: ${bytes(count)}`), svg);
    box.append(row);
  }
  return box;
}

function showOwnWaterfall() {
  const own = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((entry) => entry.responseEnd > 0 && !new URL(entry.name).search)
    .sort((a, b) => a.startTime - b.startTime);
  const place = document.querySelector("#own");
  if (own.length === 0) {
    place.textContent = "This browser tells no timings.";
    return;
  }
  const last = Math.max(...own.map((entry) => entry.responseEnd));
  place.replaceChildren(waterfall(own, { from: 0, caption: `${own.length} requests in ${millis(last)}` }));
}

function line(kind, text) {
  return make("span", kind, text);
}

function make(kind, className = "", text = "") {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
