/**
 * The rooms that one may come into. The hub tells of no new room by itself: it is asked while somebody looks, and not
 * more often than is good for it.
 */

import { effect } from "../vendor/signals.js";
import * as states from "../core/state.js";
import { ask, change, isUp, on, state } from "./hub.js";
import { isNarrow } from "./narrow.js";
import { isListOpen } from "./shown.js";

/** What was listed so long ago is taken for true. */
const REST_MS = 5000;
/** So often it is asked again while the page is to be seen, and nothing is done there. */
const AGAIN_MS = 60_000;

let last = -Infinity;
let timer = null;

/** Whether there are more rooms than were listed. */
let isCut = false;

/** Asks for the rooms there are; of a hub that lists only some, for those, too, whose names match. */
export async function loadOthers(match) {
  last = performance.now();
  const { rooms: first, more } = await ask("ROOMS");
  isCut = Boolean(more);
  const found = isCut && match ? (await ask("ROOMS", { match })).rooms : [];
  change(states.others, [...first, ...found]);
}

/** Looks for rooms by their names, where not all were listed. */
export async function findOthers(match) {
  if (isCut) await loadOthers(match);
}

/** Asks again, now or when it may be; where nobody looks, not at all. */
export function lookAgain() {
  if (timer !== null || document.hidden) return;
  timer = setTimeout(
    () => {
      timer = null;
      if (isUp.value && !document.hidden) loadOthers().catch(() => {}); // Asked again when somebody looks again.
    },
    Math.max(0, last + REST_MS - performance.now()),
  );
}

/** Asks again and again while a window shows them; gives what ends that. `wanted` gives what is looked for. */
export function keepLooking(wanted) {
  const timer = setInterval(() => {
    if (isUp.value && !document.hidden) loadOthers(wanted()).catch(() => {});
  }, REST_MS);
  return () => clearInterval(timer);
}

on("entered", lookAgain);
setInterval(lookAgain, AGAIN_MS);
addEventListener("focus", lookAgain);
document.addEventListener("visibilitychange", lookAgain);
// Where the list comes into view. Of a room that is new here no event tells all, and one that was left may be come into again.
effect(() => {
  if (isNarrow.value && isListOpen.value) lookAgain();
});
let many = 0;
effect(() => {
  const { size } = state.value.rooms;
  if (size !== many) lookAgain();
  many = size;
});
