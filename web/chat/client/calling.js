/**
 * Calling people who look elsewhere: the count in the title, the browser's notifications, a sound. What calls is what
 * the hub tells to notice, and nothing else.
 */

import { computed, effect, signal } from "../vendor/signals.js";
import { spokenBy } from "../core/hook.js";
import { showNotice } from "../core/notice.js";
import { firstLine } from "../core/text.js";
import { isTalk } from "../core/room.js";
import { totals } from "../core/state.js";
import { on, phase, state } from "./hub.js";
import { keep } from "./kept.js";
import { openRoom } from "./acting.js";
import { isQuiet } from "./noticing.js";
import { open } from "./shown.js";
import { ring } from "./sound.js";
import { t } from "./tongue.js";

const CHARS_MAX = 140;

/** Whether the browser notifies: `unknown`, `on`, `off` (by the person), `denied` (by the browser). */
export const notifying = signal(standing());

function standing() {
  if (!("Notification" in globalThis)) return "denied";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && keep.get("notify") ? "on" : "off";
}

/** Begins or ceases to notify; the browser may ask. */
export async function notify(isOn) {
  if (isOn && "Notification" in globalThis) await Notification.requestPermission();
  keep.set("notify", isOn ? true : null);
  notifying.value = standing();
}

on("news", (event) => {
  if (!event.notify || event.body === null) return;
  const isHere = !document.hidden && document.hasFocus();
  if (!isHere || state.value.watched !== event.room) ring();
  if (!isHere && notifying.value === "on") show(event);
});

function show(event) {
  const { room } = event;
  const { name, body } = spokenBy(event);
  const title = isTalk(room) ? name : t("x in y", name, room);
  const options = { body: firstLine(body, CHARS_MAX), tag: room, icon: "icon.svg", dir: "auto", data: { room } };
  showNotice({ Notification, worker }, title, options, () => {
    globalThis.focus();
    openRoom(room);
  });
}

const worker = navigator.serviceWorker;
// One was pressed that the worker showed.
worker?.addEventListener("message", ({ data: { pressed } }) => {
  if (state.value.rooms.has(pressed)) openRoom(pressed);
});

const all = computed(() => totals(state.value));
const called = computed(() => (isQuiet.value ? 0 : all.value.calls));
const isNews = computed(() => all.value.unread > 0);

effect(() => {
  const count = called.value > 0 ? `(${called.value}) ` : isNews.value ? "• " : "";
  const where = phase.value === "in" && open.value ? `${open.value} – ` : "";
  document.title = `${count}${where}relais`;
});

// On the icon of the installed page.
effect(() => {
  if (called.value > 0) navigator.setAppBadge?.(called.value).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
});
