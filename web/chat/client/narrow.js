/**
 * On a narrow screen either the list or a room is shown, and the browser's way back leads from the room to the list.
 */

import { effect, signal } from "../vendor/signals.js";
import { isListOpen, open } from "./shown.js";

const NARROW = matchMedia("(max-width: 46rem)");

/** Whether the list and the room take turns on the screen. */
export const isNarrow = signal(NARROW.matches);
NARROW.addEventListener("change", () => (isNarrow.value = NARROW.matches));

/** Has opening a room on a narrow screen be a step that can be gone back. */
export function keepSteps() {
  addEventListener("popstate", () => {
    if (NARROW.matches) isListOpen.value = true;
  });
  effect(() => {
    const isInRoom = open.value !== null && !isListOpen.value;
    if (NARROW.matches && isInRoom && !history.state?.isInRoom) history.pushState({ isInRoom: true }, "");
  });
}

/** Back to the list. */
export function toList() {
  if (history.state?.isInRoom) history.back();
  else isListOpen.value = true;
}
