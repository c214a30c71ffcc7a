/**
 * What is shown: which room, what stands beside it, which dialogue is open.
 */

import { computed, signal } from "../vendor/signals.js";
import * as rooms from "../core/room.js";
import * as states from "../core/state.js";
import { mayKeep } from "../core/typed.js";
import { change, me, on, state } from "./hub.js";
import { keep, keyOf } from "./kept.js";

/** The name of the room that is open. */
export const open = signal(null);
/** The last that was read of it when it was opened: the line "new" stands behind it. */
export const newAfter = signal(null);
/** What stands beside the log: `members`, `search`, or nothing. */
export const beside = signal(null);
/** On a narrow screen: whether the list of rooms is shown. */
export const isListOpen = signal(false);
/** `{ is, … }` of the dialogue that is open. */
export const dialogue = signal(null);
/** The menu that is open: `{ at, items, label }`. */
export const menu = signal(null);
/** To what the composer of a room answers, or what it edits: room → `{ reply }` or `{ edit }`. */
export const about = signal(new Map());
/** What was taken back, for the composer of its room: `{ room, text }`. */
export const takenBack = signal(null);
/** Has what was not said stand in the composer of its room again; where another room is open, among its drafts. */
export function giveBack(name, text) {
  // What is edited is not mixed with it.
  if (about.value.get(name)?.edit) setAbout(name, null);
  const waiting = takenBack.value;
  if (waiting && waiting.room !== name) addDraft(waiting);
  const both = waiting?.room === name ? `${waiting.text}\n${text}` : text;
  if (name === open.value) takenBack.value = { room: name, text: both };
  else addDraft({ room: name, text: both });
}

function addDraft({ room: name, text }) {
  // Of who is not here any more nothing is kept.
  if (me.value === null) return;
  const key = keyOf("draft", me.value, name);
  if (mayKeep(text)) keep.set(key, [text, keep.get(key)].filter(Boolean).join("\n"));
}

/** The entry to scroll to, and to point out. */
export const focus = signal(null);
/** What is told to the one who typed alone: room → lines. */
export const asides = signal(new Map());

export const room = computed(() => state.value.rooms.get(open.value) ?? null);

on("left", () => {
  for (const its of [open, newAfter, beside, dialogue, menu, takenBack, focus]) its.value = null;
  [about.value, asides.value, isListOpen.value] = [new Map(), new Map(), false];
});

/** The dialogues about the room that is open: they end with it. */
const ABOUT_ROOM = new Set(["invite", "topic", "rules", "sending out", "taking out", "leaving"]);

/** Opens a room; what was read of it until now is where the new begins. */
export function show(name) {
  if (open.value !== name) {
    const its = state.value.rooms.get(name);
    newAfter.value = its && its.unread > 0 ? its.read : null;
    focus.value = null;
    if (ABOUT_ROOM.has(dialogue.value?.is)) dialogue.value = null;
    change(states.inRoom, open.value, rooms.rested);
    change(states.inRoom, name, rooms.opened);
  }
  open.value = name;
  isListOpen.value = false;
  if (name) keep.set(`open.${me.value}`, name);
}

/** What comes while one looks elsewhere, or came while there was no line, is new when one looks again. */
function mark(name) {
  const its = state.value.rooms.get(name);
  if (name === open.value && state.value.watched !== name && its?.unread > 0) newAfter.value = its.read;
}

on("news", ({ room: name }) => mark(name));
on("entered", () => mark(open.value));

export function setAbout(name, what) {
  const next = new Map(about.value);
  if (what) next.set(name, what);
  else next.delete(name);
  about.value = next;
}

const ASIDES_MAX = 20;

/** Tells the one who typed something alone, where the log of a room ends now. */
export function aside(name, { text, code }) {
  const after = state.value.rooms.get(name)?.told ?? 0;
  const lines = [...(asides.value.get(name) ?? []), { key: `aside ${++number}`, text, code, after }];
  asides.value = new Map(asides.value).set(name, lines.slice(-ASIDES_MAX));
}

let number = 0;
