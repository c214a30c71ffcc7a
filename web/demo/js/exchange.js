// One request and everything the browser tells about it; and how numbers are written.

// Sends a request to this server, around the browser's cache, and reads the whole body.
export async function exchange(path, { method = "GET", headers = {} } = {}) {
  const url = new URL(path, location.href);
  const began = performance.now();
  const response = await fetch(url, { method, headers, cache: "no-store" });
  const headed = performance.now();
  const body = new Uint8Array(await response.arrayBuffer());
  const ended = performance.now();
  return {
    path, method, sent: headers, body,
    status: response.status,
    reason: response.statusText || REASONS[response.status] || "",
    headers: [...response.headers],
    header: (name) => response.headers.get(name),
    wait: headed - began,
    took: ended - began,
    timing: await timingOf(url.href, began),
  };
}

// HTTP/2 sends no reason phrase, so the usual one is put in its place.
const REASONS = {
  200: "OK", 206: "Partial Content", 304: "Not Modified", 404: "Not Found",
  405: "Method Not Allowed", 416: "Range Not Satisfiable", 500: "Internal Server Error",
};

// The browser's own measurement. It is filed a moment after the body has been read.
async function timingOf(href, began) {
  for (let tries = 0; tries < 20; tries += 1) {
    const found = performance.getEntriesByName(href, "resource")
      .findLast((entry) => entry.startTime >= began - 1);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  return null;
}

// The page's own requests must not be pushed out by experiments.
performance.setResourceTimingBufferSize?.(2000);

const PROTOCOLS = { "http/1.0": "HTTP/1.0", "http/1.1": "HTTP/1.1", h2: "HTTP/2", h3: "HTTP/3" };

export const version = (timing) => PROTOCOLS[timing?.nextHopProtocol] ?? "HTTP";

export function millis(value) {
  if (value < 0.095) return "< 0.1 ms";
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function bytes(count) {
  if (count < 1000) return `${count} bytes`;
  return `${(count / 1000).toFixed(count < 100_000 ? 1 : 0)} kB`;
}
