/**
 * Keeps the page for when the network is gone, so that it opens and waits for its hub; and brings who presses a
 * notification to it.
 *
 * What the hub serves always comes first: what is kept is given only where the hub does not answer. So no
 * browser is left with a page of yesterday.
 */

const KEPT = "relais-chat";
/** A hub that has not begun to answer by then is taken for gone, if something is kept. */
const PATIENCE_MS = 4000;

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const isOurs =
    event.request.method === "GET" && url.origin === location.origin && url.pathname !== "/ws" && !url.search;
  if (isOurs) event.respondWith(answer(event.request));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(come(event.notification.data?.room));
});

/** Goes to a window of the page, and there to the room. */
async function come(room) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const its = windows.find((one) => one.focused) ?? windows[0];
  if (!its) return self.clients.openWindow("./");
  its.postMessage({ pressed: room });
  return its.focus();
}

async function answer(request) {
  const cache = await caches.open(KEPT);
  const fresh = ask(request, cache);
  const kept = await cache.match(request, { ignoreVary: true });
  if (!kept) return fresh;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh.catch(() => kept), late]);
}

async function ask(request, cache) {
  const response = await fetch(request);
  if (response.ok) cache.put(request, response.clone());
  return response;
}
