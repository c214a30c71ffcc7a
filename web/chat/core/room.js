/**
 * One room as this page knows it, and what becomes of it by an event or a page of its past.
 *
 * `entries` is one piece of the log without holes that ends with what was told last (`told`); `more` says
 * whether there is more before it. Changes of others are in that piece, but no entries here: where it begins in the log
 * is `from`, once a page of it was read. `aside`, if it is there, is another piece further back, from entry `begin` to
 * `end`, for who looks something up. Functions here give a new room, or the same where nothing changes.
 */

import { entry, put, without } from "./maps.js";

/** Who looks at the end of a room for long keeps no more than so many entries of it, which can be read again. */
const WATCHED_MAX = 800;
/** Nor is more kept where nobody looks at the end: but there somebody may be reading further back. */
const ENTRIES_MAX = 6000;
/** And so many when another room is opened. */
const RESTED_MAX = 120;

/** A room by what the hub lists of it, beside what was known of it. */
export function listed(known, told) {
  const { room: name, last, read, unread, mentions = 0 } = told;
  const before = known ?? blank(name);
  return { ...before, ...standing(told), last, counted: last, read: Math.max(read ?? 0, before.read), unread, mentions };
}

/** What a list tells of a room as it stands, whatever was read of it. */
export const standing = ({ topic, private: isPrivate, role, members, slow = 0, dialogue = null, level = USUAL }) => ({
  topic,
  isPrivate,
  role,
  size: members,
  slow,
  dialogue,
  level,
});

/** How much of a room one wants to notice: `all`, `mentions`, `none`. */
const USUAL = "mentions";

/** A room of which only the name is known. */
export function blank(name) {
  return {
    name,
    topic: "",
    isPrivate: isTalk(name),
    role: "member",
    last: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    // What is unread up to there, a list has counted, whether it was told or not.
    counted: 0,
    size: 0,
    told: 0,
    entries: [],
    from: null,
    more: true,
    isLoaded: false,
    aside: null,
    signs: new Map(),
    edits: new Map(),
    people: null,
    slow: 0,
    dialogue: null,
    level: USUAL,
  };
}

/** Whether it is what two say to each other. */
export const isTalk = (name) => name.startsWith("@");

export const isWords = (event) => event.ev === "message";

/** What is said about others' messages changes those, and is no line of its own. */
const CHANGES = {
  edit: (room, event) => reword(room, event.of, { body: event.body, edited: true }),
  redact: (room, event) => reword(room, event.of, { body: null, reason: event.reason }),
  react: sign,
};

const RULES = {
  // Who makes a room owns it; of a talk nobody does.
  create: (room, { from }, me) =>
    isTalk(room.name) ? room : { ...here(room, from), role: from === me ? "owner" : room.role },
  topic: (room, event) => ({ ...room, topic: event.topic }),
  slow: (room, event) => ({ ...room, slow: event.value ?? 0 }),
  join: (room, event) => here(room, event.from),
  part: (room, event) => gone(room, event.from),
  kick: (room, event) => gone(room, event.user),
  ban: (room, event) => gone(room, event.user),
  role: (room, event, me) => ({ ...ranked(room, event), role: event.user === me ? event.role : room.role }),
  // Who asked for it begins.
  dialogue: (room, { mode, from }) => ({ ...room, dialogue: mode === "turns" ? { mode, turn: from } : { mode } }),
  dialogue_end: (room) => ({ ...room, dialogue: null }),
};

/** A room in which it is somebody's turn to speak. */
export const turned = (room, who) =>
  room.dialogue ? { ...room, dialogue: { ...room.dialogue, turn: who } } : room;

/** Whose turn it is, if it is another's than `me`. */
export const otherTurn = ({ dialogue }, me) => (dialogue?.turn === me ? undefined : dialogue?.turn);

/** Whether all who are in a room were told. */
const isWhole = ({ people, size }) => people?.size === size;

function here(room, user) {
  const people = room.people && put(room.people, user, { user, role: "member", online: true, ...room.people.get(user) });
  return { ...room, people, size: isWhole(room) ? people.size : room.size + 1 };
}

function gone(room, user) {
  const people = room.people && without(room.people, user);
  return { ...room, people, size: isWhole(room) ? people.size : Math.max(0, room.size - 1) };
}

function ranked(room, { user, role }) {
  const member = room.people?.get(user);
  return member ? { ...room, people: put(room.people, user, { ...member, role }) } : room;
}

/**
 * A room after something that happened in it now, or was missed.
 *
 * @param {object} room
 * @param {object} event one that has a `seq` beyond `room.told`
 * @param {{me: string, isWatched: boolean}} view who sees it, and whether it is being looked at
 */
export function happened(room, event, { me, isWatched }) {
  let after = { ...room, told: event.seq, last: Math.max(room.last, event.seq) };
  after = entry(RULES, event.ev)?.(after, event, me) ?? after;
  const change = entry(CHANGES, event.ev);
  if (change) return change(after, event);
  const entries = [...after.entries, event];
  const most = isWatched ? WATCHED_MAX : ENTRIES_MAX;
  after = entries.length > most ? cut(after, entries.slice(-most / 2)) : { ...after, entries };
  const isNew = event.from !== me && event.seq > Math.max(room.read, room.counted);
  if (!isWords(event) || !isNew) return after;
  return { ...after, unread: after.unread + 1, mentions: after.mentions + (isForMe(room, event) ? 1 : 0) };
}

/** A room that nobody looks at keeps its end, and what is unread: the rest is read again when it is wanted. */
export function rested(room) {
  const unread = room.entries.findIndex((one) => one.seq > room.read);
  const from = Math.min(room.entries.length - RESTED_MAX, unread < 0 ? Infinity : unread - 1);
  return from > 0 ? cut(room, room.entries.slice(from)) : room;
}

/** A room that is opened begins with as much as can be drawn in a moment: what was before is read when it is wanted. */
export const opened = (room) =>
  room.entries.length > WATCHED_MAX ? cut(room, room.entries.slice(-WATCHED_MAX)) : room;

/** A room of which the end is kept. What was put on others, and how they read, is told again with them. */
function cut(room, entries) {
  const after = { ...room, entries, from: null, more: true };
  if (room.aside) return after;
  const first = entries[0].seq;
  const isKept = ([of, there]) => of >= first || [...there.values()].some(({ seq }) => seq >= first);
  after.signs = new Map([...room.signs].filter(isKept));
  after.edits = new Map([...room.edits].filter(([of]) => of >= first));
  return after;
}

/** Whether what was said is for who reads, as the hub counts it: what comes while it is quiet, too. */
export const isForMe = (room, event) =>
  room.level !== "none" && (event.mention || event.notify === "keyword" || isTalk(room.name));

/** Has a message read otherwise, wherever it is. Of what is not here yet it is kept for when it comes. */
function reword(room, of, words) {
  const edits = put(room.edits, of, words);
  const change = (entries) => entries.map((one) => (one.seq === of ? { ...one, ...words } : one));
  const aside = room.aside && { ...room.aside, entries: change(room.aside.entries) };
  return { ...room, edits, entries: change(room.entries), aside };
}

/** Puts a sign there, or takes it back. The latest about it counts, in whatever order they are told. */
function sign(room, { of, emoji, from, on, seq }) {
  const there = room.signs.get(of) ?? new Map();
  const key = `${emoji} ${from}`;
  if ((there.get(key)?.seq ?? 0) >= seq) return room;
  return { ...room, signs: put(room.signs, of, put(there, key, { emoji, from, on, seq })) };
}

/** The signs on a message, the earliest first: each with who put it there. */
export function signsOn(there) {
  const byEmoji = new Map();
  for (const { emoji, from, on, seq } of there?.values() ?? []) {
    if (!on) continue;
    const one = byEmoji.get(emoji) ?? { emoji, seq, who: [] };
    one.seq = Math.min(one.seq, seq);
    one.who.push(from);
    byEmoji.set(emoji, one);
  }
  return [...byEmoji.values()].sort((a, b) => a.seq - b.seq);
}

/** What a page has that makes lines, as it reads now; the signs in it are put on the room. */
function taken(room, events) {
  let after = room;
  const lines = [];
  for (const event of events) {
    if (event.ev === "react") after = sign(after, event);
    else if (!entry(CHANGES, event.ev)) lines.push({ ...event, ...(isWords(event) && room.edits.get(event.seq)) });
  }
  return [after, lines];
}

/** Where what is known of a room begins: what was before is asked for from there. */
export const begin = ({ from, entries }) => from ?? entries[0]?.seq;

/** Reads page after page, until one has a line, or there is no more. */
export async function untilLine(read) {
  let page;
  do page = await read();
  while (page?.more && page.events.length > 0 && page.events.every(({ ev }) => entry(CHANGES, ev)));
}

/** A room with a page of what was before all that is known. */
export function before(room, { events, more }) {
  const [after, lines] = taken(room, events);
  const first = room.entries[0]?.seq ?? Infinity;
  const entries = [...lines.filter((one) => one.seq < first), ...room.entries];
  const told = Math.max(room.told, ...events.map((one) => one.seq));
  const from = events[0]?.seq ?? room.from;
  return { ...after, entries, from, told, last: Math.max(room.last, told), more, isLoaded: true };
}

/** More was missed than is told: what is known ends, and begins anew with what comes. */
export const gap = (room, { to }) => ({
  ...room,
  entries: [],
  from: null,
  more: true,
  isLoaded: false,
  edits: new Map(),
  told: Math.max(room.told, to),
});

/** Looks at a page from further back. */
export function lookAt(room, { events, more }, focus) {
  const [after, entries] = taken(room, events);
  const [begin, end] = [events[0]?.seq, events.at(-1)?.seq];
  return joined({ ...after, aside: { entries, begin, end, more, focus, moreAfter: true } });
}

/** Has `aside` go on by a page, before it or after it. */
export function lookOn(room, { events, more }, way) {
  if (!room.aside) return room;
  const [after, lines] = taken(room, events);
  const { aside } = room;
  if (way === "before") {
    const begin = events[0]?.seq ?? aside.begin;
    return { ...after, aside: { ...aside, entries: [...lines, ...aside.entries], begin, more } };
  }
  const end = events.at(-1)?.seq ?? aside.end;
  return joined({ ...after, aside: { ...aside, entries: [...aside.entries, ...lines], end, moreAfter: more } });
}

/** Where what is looked at reaches what is known, both are one. */
function joined(room) {
  const { aside, entries } = room;
  const first = begin(room) ?? Infinity;
  if (aside.moreAfter && (aside.end ?? 0) < first) return room;
  const older = aside.entries.filter((one) => one.seq < (entries[0]?.seq ?? Infinity));
  return { ...room, entries: [...older, ...entries], from: aside.begin, more: aside.more, aside: null };
}

export const lookBack = (room) => (room.aside ? { ...room, aside: null } : room);

/** Where this account stands among the members of a room. */
export const mayModerate = (room) => room.role === "owner" || room.role === "moderator";

const RANKS = ["member", "moderator", "owner"];

/** Whether who has the role `one` may do something about who has `other`. */
export const isAbove = (one, other) => RANKS.indexOf(one) > RANKS.indexOf(other);

/** So many seconds at most the hub has people wait between two messages. */
export const SLOW_SECONDS_MAX = 6 * 3600;

/** Whether something is to be seen beside the log of a room: between two there are no members to list. */
export const standsBeside = (beside, room) =>
  Boolean(beside) && (beside.is !== "members" || (Boolean(room) && !isTalk(room.name)));
