/**
 * What this person wants to notice: how much of each room, which words, and nothing at all for a while. The hub
 * keeps it and tells all devices, so nothing is changed here before it says so.
 */

import { computed, effect, signal } from "../vendor/signals.js";
import { now } from "./clock.js";
import { ask, state, steady } from "./hub.js";
import { trying } from "./passing.js";

export const setLevel = (room, level) => trying(() => ask("NOTIFY", { room, level }));

/** The words that are looked out for. */
export const keywords = steady(() => state.value.keywords);

/** Words as they are typed, with spaces or commas between. */
export const setKeywords = (text) => ask("KEYWORDS", { words: text.split(/[\s,]+/).filter(Boolean) });

/** Is not to be disturbed: for so many seconds, or until it is said otherwise. */
export const beQuiet = (seconds) => trying(() => ask("QUIET", { on: true, ...(seconds ? { seconds } : {}) }));

export const beCalled = () => trying(() => ask("QUIET", { on: false }));

/** No timer of a browser is longer. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const clock = signal(now());

/** Whether nothing is to be noticed now. */
export const isQuiet = computed(() => {
  const { quiet } = state.value;
  return quiet !== null && (!quiet.until || Date.parse(quiet.until) > clock.value);
});

const until = computed(() => state.value.quiet?.until);

// It ends by itself.
effect(() => {
  const end = Date.parse(until.value ?? "");
  let timer;
  const look = () => {
    clock.value = now();
    const left = end - clock.value;
    if (left > 0) timer = setTimeout(look, Math.min(left, TIMER_MS_MAX));
  };
  look();
  return () => clearTimeout(timer);
});
