/**
 * What people do beside saying things: rooms, members, and lines that are commands.
 */

import * as rooms from "../core/room.js";
import * as states from "../core/state.js";
import { readTyped } from "../core/typed.js";
import { put } from "../core/maps.js";
import { ask, away, change, logOut, me, state } from "./hub.js";
import { aside, beside, complain, dialogue, open, show, tell, trying } from "./shown.js";
import { load, loadMembers } from "./reading.js";
import { say } from "./sending.js";
import { t } from "./tongue.js";

/** Comes into a room, and opens it. */
export const join = (name) => trying(() => joinOrFail(name));

export async function joinOrFail(name) {
  cameIn(await ask("JOIN", { room: name }));
}

/** Shows a room that this person is in now. */
export function cameIn(told) {
  change(states.joined, told);
  openRoom(told.room);
}

export async function create(name, { isPrivate, topic }) {
  cameIn(await ask("CREATE", { room: name, private: isPrivate, ...(topic ? { topic } : {}) }));
}

/** Opens a room one is in. */
export function openRoom(name) {
  show(name);
  if (!name) return;
  load(name);
  if (!state.value.rooms.get(name)?.people) loadMembers(name);
}

/** Opens what is said between this person and another, who has to be there. */
export async function talkTo(name) {
  const { user } = await ask("WHOIS", { user: name.replace(/^@/, "") });
  const its = `@${user}`;
  if (!state.value.rooms.has(its)) {
    const blank = { ...rooms.blank(its), more: false, isLoaded: true };
    change((known) => ({ ...known, rooms: put(known.rooms, its, blank) }));
  }
  openRoom(its);
  return its;
}

export const part = (name) => trying(() => ask("PART", { room: name }));

/** Does something about a member, as `KICK`. */
export const moderate = (cmd, room, user, fields = {}) => trying(() => ask(cmd, { room, user, ...fields }));

export const setTopic = (room, topic) => ask("TOPIC", { room, topic });

export const setAway = (text) =>
  trying(async () => {
    await ask("AWAY", text ? { text } : {});
    away.value = text || null;
  });

const OWN = {
  async talk(rest) {
    const [, name, words] = /^(\S+)\s*([\s\S]*)$/.exec(rest) ?? [];
    if (!name) return tell(t("whom"), true);
    const room = await talkTo(name);
    if (words) say(room, words);
    return undefined;
  },
  /** In a talk it need not be said with whom. */
  async dialogue(rest, room) {
    const isHere = rooms.isTalk(room) && /^(?:turns|tours|free|libre|end|fin)?$/i.test(rest.trim());
    await command(room, `/dialogue ${isHere ? `${room} ${rest}` : rest}`);
  },
  search: (rest) => {
    beside.value = { is: "search", words: rest };
  },
  members: () => {
    beside.value = { is: "members" };
  },
  rooms: () => {
    dialogue.value = { is: "rooms" };
  },
  help: () => {
    dialogue.value = { is: "help" };
  },
  devices: () => {
    dialogue.value = { is: "settings" };
  },
  password: () => {
    dialogue.value = { is: "settings" };
  },
  logout: () => logOut(false),
};

/**
 * Does what was typed in a room. Gives whether the composer is done with it.
 *
 * @param {string} room
 * @param {string} text
 * @param {?number} reply the entry it answers
 */
export async function doTyped(room, text, reply) {
  const typed = readTyped(text);
  if (!typed) return false;
  if (typed.say !== undefined) say(room, typed.say, { kind: typed.kind, reply });
  else {
    try {
      if (typed.own) await OWN[typed.own](typed.rest, room);
      else await command(room, typed.command);
    } catch (error) {
      complain(error);
      return false;
    }
  }
  return true;
}

/** The hub knows what a line means; what it comes to, the answer's fields tell. */
async function command(room, line) {
  const answer = await ask("COMMAND", { room, line });
  const [, read] = ANSWERS.find(([field]) => answer[field] !== undefined) ?? [];
  if (read) read(answer, { room, line });
  else if (/^\/(?:away|abs)\b/i.test(line)) away.value = line.replace(/^\S+\s*/, "") || null;
}

const ANSWERS = [
  ["seq", () => {}],
  ["events", (answer, { line }) => (beside.value = { is: "search", words: line, found: answer.events })],
  ["rooms", () => (dialogue.value = { is: "rooms" })],
  ["room", cameIn],
  ["members", () => (beside.value = { is: "members" })],
  [
    "user",
    ({ user, online, away: text }, { room }) =>
      aside(room, { text: `${user}: ${text ?? t(online ? "online" : "offline")}` }),
  ],
  ["value", ({ value }, { room, line }) => aside(room, { text: `${line.replace(/^\S+\s*/, "")} = ${value}` })],
  ["sessions", () => (dialogue.value = { is: "settings" })],
  ["commands", () => (dialogue.value = { is: "help" })],
];

/** Opens the room that was open last, or else the first. */
export function openUsual(kept) {
  if (open.value && state.value.rooms.has(open.value)) return openRoom(open.value);
  const names = [...state.value.rooms.keys()];
  const its = state.value.rooms.has(kept) ? kept : names[0];
  return openRoom(its ?? null);
}

/** The names that one may have in mind: of members here, of whom one talks with, and who was heard of. */
export function names(room) {
  const said = new Set();
  for (const one of [...(room?.entries ?? [])].slice(-200).reverse()) said.add(one.from);
  for (const user of room?.people?.keys() ?? []) said.add(user);
  for (const name of state.value.rooms.keys()) if (rooms.isTalk(name)) said.add(name.slice(1));
  for (const user of state.value.presence.keys()) said.add(user);
  said.delete(me.value);
  return [...said];
}
