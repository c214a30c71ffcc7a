/**
 * What people do beside saying things: about rooms, and who is in them.
 */

import * as rooms from "../core/room.js";
import * as states from "../core/state.js";
import { Refused } from "../core/connection.js";
import { put } from "../core/maps.js";
import { ask, away, change, me, state } from "./hub.js";
import { trying } from "./passing.js";
import { open, show } from "./shown.js";
import { t } from "./tongue.js";
import { load, loadMembers } from "./reading.js";

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
  if (user === me.value) throw new Refused({ msg: t("talk with oneself") });
  const its = `@${user}`;
  if (!state.value.rooms.has(its)) {
    change((known) => ({ ...known, rooms: put(known.rooms, its, rooms.blank(its)) }));
  }
  openRoom(its);
  return its;
}

export const part = (name) => trying(() => ask("PART", { room: name }));

/** Declines an invitation. */
export const decline = (name) =>
  trying(async () => {
    await ask("PART", { room: name });
    change(states.declined, name);
  });

/** Invites somebody into a room who is not in it. */
export async function invite(room, user) {
  const { seq } = await ask("INVITE", { room, user });
  if (seq === undefined) throw new Refused({ msg: t("invited nobody") });
}

/** Does something about a member, as `KICK`. */
export const moderate = (cmd, room, user, fields = {}) => trying(() => ask(cmd, { room, user, ...fields }));

export const setTopic = (room, topic) => ask("TOPIC", { room, topic });

export const setAway = (text) =>
  trying(async () => {
    await ask("AWAY", text ? { text } : {});
    away.value = text || null;
  });

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
