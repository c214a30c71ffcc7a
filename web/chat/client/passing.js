/**
 * Words in passing: told where one looks, and shown there alone.
 */

import { computed, effect, signal } from "../vendor/signals.js";
import { Lost, Refused } from "../core/connection.js";
import { on } from "./hub.js";
import { isNarrow } from "./narrow.js";
import { dialogue, isListOpen, room } from "./shown.js";
import { t } from "./tongue.js";

/** What was told last, and where: `{ text, isBad, at }`. */
export const passing = signal(null);

/** Where one looks: at a `window` over the page, at the `list` alone, at a room, by its name, or `nowhere`. */
export const place = computed(() => {
  if (dialogue.value) return "window";
  if (isNarrow.value && (isListOpen.value || !room.value)) return "list";
  return room.value?.name ?? "nowhere";
});

const PASSING_MS = 4000;
let timer;

/** Tells something that goes by itself. */
export function tell(text) {
  warn(text);
  passing.value = { ...passing.value, isBad: false };
  timer = setTimeout(() => (passing.value = null), PASSING_MS);
}

/** Tells what went wrong: it stays where it was told until it is closed, or something is said there. */
export function warn(text, at = place.value) {
  clearTimeout(timer);
  passing.value = { text, isBad: true, at };
}

on("left", () => (passing.value = null));

// What was told in a window that is closed is to be read behind it.
effect(() => {
  if (!dialogue.value && passing.value?.at === "window") passing.value = { ...passing.value, at: place.value };
});

/** Tells why something did not happen, where it was wanted. */
export function complain(error, at = place.value) {
  if (error instanceof Refused) warn(error.message, at);
  else if (error instanceof Lost) warn(t("not reachable"), at);
  else throw error;
}

/** Does something that the hub may refuse, and tells if it did. */
export const trying = async (what) => {
  try {
    return await what();
  } catch (error) {
    complain(error);
    return undefined;
  }
};
