/**
 * The keys that work wherever one is.
 */

import { state } from "../client/hub.js";
import { openRoom } from "../client/acting.js";
import { passing } from "../client/passing.js";
import { beside, dialogue, menu, newAfter, open } from "../client/shown.js";
import { backToNow, markRead } from "../client/reading.js";
import { focusComposer } from "./insert.js";
import { inOrder } from "./rooms.js";

export function keys(event) {
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && event.key.toLowerCase() === "k")
    dialogue.value = dialogue.value?.is === "switcher" ? null : { is: "switcher" };
  else if (dialogue.value || menu.value) return;
  else if (isCommand && event.key.toLowerCase() === "f" && !isSearching()) beside.value = { is: "search", words: "" };
  else if (event.altKey && STEPS[event.key]) step(STEPS[event.key], event.shiftKey);
  else if (event.key === "F6") nextPart(event.shiftKey ? -1 : 1);
  else if (event.key === "Escape" && open.value) {
    passing.value = null;
    backToNow(open.value);
    markRead(open.value);
    newAfter.value = null;
    focusComposer();
  } else return;
  event.preventDefault();
}

/** Who searches already wants the browser's own search. */
const isSearching = () => document.activeElement?.matches(".search input");

const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** To the next room, or the next with news. */
function step(by, isForNews) {
  const all = inOrder();
  const at = all.indexOf(open.value);
  const round = all.map((_, index) => all[(((at + by * (index + 1)) % all.length) + all.length) % all.length]);
  const next = isForNews ? round.find((name) => state.value.rooms.get(name).unread > 0) : round[0];
  if (next) openRoom(next);
}

const PARTS = ['.rooms [tabindex="0"]', ".log", "#composer", ".beside input, .beside button"];

function nextPart(by) {
  const parts = PARTS.map((one) => document.querySelector(one)).filter(Boolean);
  const at = parts.findIndex(
    (one) => one.contains(document.activeElement) || one.closest("nav, aside")?.contains(document.activeElement),
  );
  parts[(at + by + parts.length) % parts.length]?.focus();
}
