/**
 * Calling people who look elsewhere: the count in the title, and the browser's notifications.
 */

import { computed, effect, signal } from "../vendor/signals.js";
import { firstLine } from "../core/text.js";
import { isTalk } from "../core/room.js";
import { totals } from "../core/state.js";
import { on, phase, state } from "./hub.js";
import { keep } from "./kept.js";
import { openRoom } from "./acting.js";
import { open } from "./shown.js";
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

on("news", ({ room, from, body, mention }) => {
  const isForMe = mention || isTalk(room);
  const isSeen = !document.hidden && document.hasFocus();
  if (!isForMe || isSeen || notifying.value !== "on" || body === null) return;
  const title = isTalk(room) ? from : t("x in y", from, room);
  const shown = new Notification(title, { body: firstLine(body, CHARS_MAX), tag: room, icon: "icon.svg", dir: "auto" });
  shown.onclick = () => {
    globalThis.focus();
    openRoom(room);
    shown.close();
  };
});

const all = computed(() => totals(state.value));

effect(() => {
  const { unread, mentions } = all.value;
  const count = mentions > 0 ? `(${mentions}) ` : unread > 0 ? "• " : "";
  const where = phase.value === "in" && open.value ? `${open.value} – ` : "";
  document.title = `${count}${where}relais`;
  // On the icon of the installed page.
  if (mentions > 0) navigator.setAppBadge?.(mentions).catch(() => {});
  else navigator.clearAppBadge?.().catch(() => {});
});
