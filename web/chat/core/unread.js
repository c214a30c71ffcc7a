/**
 * How much of a room is unread: as the hub's lists count it, and what is told behind those.
 *
 * What a list counted need not be told yet, or at all (`counted` is how far it counted): of that what is here can be
 * taken off, once it was read.
 */

import { isForMe, isWords, listed } from "./room.js";

/** A room that is known, by what a login lists of it: what was missed is counted there already, and told behind that. */
export function relisted(room, told, me) {
  const before = told.read ?? 0;
  const after = { ...listed(room, told), last: Math.max(room.last, told.last) };
  if (after.read >= told.last) return { ...after, unread: 0, mentions: 0 };
  // What was read here the hub may not have heard of yet.
  return lessened(after, [before, after.read], me);
}

/** A room of which this account has read up to `last`. */
export function read(room, last, me) {
  if (last <= room.read) return room;
  const after = { ...room, read: last };
  const isHere = room.told >= room.counted && (room.entries[0]?.seq ?? Infinity) <= last + 1;
  if (last >= room.last || isHere) return { ...after, ...counts(after, [last, Infinity], me) };
  return lessened(after, [room.read, last], me);
}

/** A room in which what others said behind an entry, up to another, is unread no more, as far as it is here. */
function lessened(room, between, me) {
  const less = counts(room, between, me);
  return {
    ...room,
    unread: Math.max(0, room.unread - less.unread),
    mentions: Math.max(0, room.mentions - less.mentions),
  };
}

/** How much others said behind an entry, up to another, of what is here, and how much of that is for `me`. */
function counts(room, [after, upto], me) {
  const isSaid = (one) => isWords(one) && one.from !== me && one.body !== null;
  const said = room.entries.filter((one) => one.seq > after && one.seq <= upto && isSaid(one));
  return { unread: said.length, mentions: said.filter((one) => isForMe(room, one)).length };
}

/** A room of which this account wants to notice so much from now on. */
export function noticed(room, level, me) {
  const after = { ...room, level };
  const isLeft = (one) => isWords(one) && one.seq > room.read && one.from !== me;
  const again = () => room.entries.filter((one) => isLeft(one) && isForMe(after, one)).length;
  const mentions = level === "none" ? 0 : room.level === "none" ? again() : room.mentions;
  return { ...after, mentions };
}

/** How much of what is unread calls: all of it, where all is to be noticed. */
export const callsOf = (room) => (room.level === "all" ? room.unread : room.mentions);
