/**
 * All that the page knows of a hub, and what becomes of it by what the hub tells: pure functions.
 *
 * `cursor` is how far all was told, in every room, which is what is asked for after a lost line. While
 * something is missing (`isResuming`, or a room in `lagging`: because the hub told so, or a hole was seen) it stays
 * where nothing before it is missing.
 */

import { entry, put, without } from "./maps.js";
import * as outbox from "./outbox.js";
import * as rooms from "./room.js";
import * as unread from "./unread.js";

export const nothing = {
  me: null,
  session: null,
  cursor: 0,
  last: 0,
  isResuming: false,
  lagging: new Set(),
  rooms: new Map(),
  others: new Map(),
  presence: new Map(),
  typing: new Map(),
  outbox: [],
  watched: null,
  announced: null,
  /** How one was sent out of a room last. */
  ended: null,
  /** In which rooms one is no more since the last login. */
  gone: [],
  /** The words that this account looks out for. */
  keywords: [],
  /** That it is not to be disturbed, perhaps `until` a time, or `null`. */
  quiet: null,
};

const withRoom = (state, room) => ({ ...state, rooms: put(state.rooms, room.name, room) });

/** The state with a room changed by `change`; the same, if there is no such room. */
export function inRoom(state, name, change) {
  const room = state.rooms.get(name);
  const changed = room && change(room);
  return !room || changed === room ? state : withRoom(state, changed);
}

/** After a login. What was known of rooms stays, if it is asked what was missed. */
export function loggedIn(state, answer, isResuming) {
  const { user, session, cursor, rooms: told, keywords = [], quiet = null } = answer;
  const known = isResuming ? state.rooms : new Map();
  const row = (one) => {
    const room = known.get(one.room);
    return [one.room, room ? unread.relisted(room, one, user) : { ...rooms.listed(undefined, one), told: one.last }];
  };
  const isGone = (name) => !rooms.isTalk(name) && told.every((one) => one.room !== name);
  // Whom one is about to speak to for the first time the hub knows nothing of.
  const begun = [...known].filter(([name, room]) => rooms.isTalk(name) && room.told === 0);
  return {
    ...state,
    me: user,
    session,
    keywords,
    quiet,
    rooms: new Map([...begun, ...told.map(row)]),
    gone: [...known.keys()].filter(isGone),
    ended: null,
    isResuming,
    cursor: isResuming ? state.cursor : cursor,
    last: Math.max(state.last, cursor),
    lagging: new Set(),
    typing: new Map(),
    presence: new Map(),
  };
}

/** The hub's log does not have all that was told: the next login is as the first, and all that is known goes with it. */
export const rewound = (state) => ({
  ...state,
  cursor: 0,
  last: 0,
  outbox: outbox.rewound(state.outbox),
});

/** All that was missed was told. */
export function resumed(state, cursor) {
  return settled({ ...state, isResuming: false, last: Math.max(state.last, cursor) });
}

/** A room that lagged is told again. */
export function caughtUp(state, name) {
  const lagging = new Set(state.lagging);
  lagging.delete(name);
  return settled({ ...state, lagging });
}

function settled(state) {
  const isWhole = !state.isResuming && state.lagging.size === 0;
  return isWhole ? { ...state, cursor: Math.max(state.cursor, state.last) } : state;
}

/**
 * What is known after an event.
 *
 * @param {object} state
 * @param {object} event
 * @param {number} now milliseconds
 * @returns {{state: object, missing?: {room: string, after: number}, news?: object}} `missing` is what to ask
 * RESUME for; `news` is a message that was not known
 */
export function hear(state, event, now) {
  if (event.seq !== undefined) return logged(state, event);
  const passing = entry(PASSING, event.ev);
  return passing ? passing(state, event, now) : { state };
}

const PASSING = {
  resumed: (state, { cursor }) => ({ state: resumed(state, cursor) }),
  read: (state, { room, last }) => ({ state: inRoom(state, room, (known) => unread.read(known, last, state.me)) }),
  gap: (state, event) => ({
    state: seen(inRoom(state, event.room, (room) => rooms.gap(room, event)), event.room),
  }),
  lagged: (state, { room, last }) => ({
    state: lags(state, room),
    missing: { room, after: state.rooms.get(room)?.told || last },
  }),
  typing: (state, { room, user, on }, now) => {
    const there = state.typing.get(room) ?? new Map();
    const left = on ? put(there, user, now) : without(there, user);
    return { state: left === there ? state : { ...state, typing: put(state.typing, room, left) } };
  },
  notify: (state, { room, level }) => ({
    state: inRoom(state, room, (known) => unread.noticed(known, level, state.me)),
  }),
  keywords: (state, { words }) => ({ state: { ...state, keywords: words } }),
  quiet: (state, { on, until }) => ({ state: { ...state, quiet: on ? { on, until } : null } }),
  turn: (state, { room, who }) => ({ state: inRoom(state, room, (known) => rooms.turned(known, who)) }),
  presence: (state, { user, state: how, text }) => ({
    state: { ...state, presence: put(state.presence, user, { how, text }) },
  }),
  announce: (state, event) => ({ state: { ...state, announced: event } }),
};

/** What was said in a room is in its log, as far as that was told. */
export function seen(state, name) {
  const list = outbox.seen(state.outbox, name, { told: state.rooms.get(name)?.told ?? 0 });
  return list === state.outbox ? state : { ...state, outbox: list };
}

/** What has a place in the log. */
function logged(state, event) {
  if (isAboutOutside(state, event)) return { state: outside(state, event) };
  const room = state.rooms.get(event.room) ?? rooms.blank(event.room);
  if (event.seq <= room.told) return { state };
  if (isHole(state, room, event)) return hole(state, room);
  const isWatched = state.watched === room.name;
  const after = rooms.happened(room, event, { me: state.me, isWatched });
  let next = { ...withRoom(state, after), last: Math.max(state.last, event.seq) };
  next.outbox = outbox.seen(state.outbox, room.name, { cid: event.cid, told: event.seq });
  if (event.ev === "message") next.typing = stopped(state.typing, event);
  if (isEnd(state, event)) next = left(next, event);
  return { state: settled(next), news: event.ev === "message" && event.from !== state.me ? event : undefined };
}

const lags = (state, name) => ({ ...state, lagging: new Set(state.lagging).add(name) });

/**
 * Something is missing before it. Of what was missed while there was no line, a gap tells. Of a room that lags, the hub
 * goes on telling where it refuses for now to tell what is missing.
 */
const isHole = ({ isResuming }, room, event) => !isResuming && room.told > 0 && event.prev > room.told;

/** What is missing is asked for, once; what is behind it comes with it. */
function hole(state, room) {
  if (state.lagging.has(room.name)) return { state };
  return { state: lags(state, room.name), missing: { room: room.name, after: room.told } };
}

/** Whether it is about who may come into a room that this account is not in. */
const isAboutOutside = (state, { ev, room }) => (ev === "invite" || ev === "part") && !state.rooms.has(room);

const isEnd = ({ me }, { ev, from, user }) =>
  // A room that is deleted is nobody's any more.
  ev === "delete" || (ev === "part" && from === me) || ((ev === "kick" || ev === "ban") && user === me);

const outside = (state, event) => {
  if (event.ev === "invite") return invited(state, event);
  return event.from === state.me ? declined(state, event.room) : state;
};

function invited(state, { room, from, user }) {
  if (user !== state.me) return state;
  const other = { name: room, topic: "", isPrivate: true, size: 0, ...state.others.get(room), by: from };
  return { ...state, others: put(state.others, room, other) };
}

function left(state, event) {
  const ended = event.ev === "part" ? null : event;
  return { ...state, rooms: without(state.rooms, event.room), ended };
}

function stopped(typing, { room, from }) {
  const there = typing.get(room);
  return there?.has(from) ? put(typing, room, without(there, from)) : typing;
}

/**
 * The rooms that one may come into, and `by` whom one is invited, by what the hub lists, beside `kept`: those that are known already. One
 * of them it may have been come into meanwhile.
 */
export function others(state, told, kept = []) {
  const open = told.filter((one) => !one.role && !state.rooms.has(one.room));
  const row = (one) => [one.room, { ...rooms.listed(undefined, one), by: one.invited?.by }];
  const next = { ...state, others: new Map([...kept, ...open.map(row)]) };
  const mine = told.filter((one) => one.role && state.rooms.has(one.room));
  // Whose turn it is, events tell, which this may be older than.
  const again = (one) => (room) => ({ ...room, ...rooms.standing(one), dialogue: room.dialogue });
  return mine.reduce((after, one) => inRoom(after, one.room, again(one)), next);
}

/** This account does not want to come into a room it was invited to, which may be open to all. */
export function declined(state, name) {
  const known = state.others.get(name);
  if (!known) return state;
  const left = known.isPrivate ? without(state.others, name) : put(state.others, name, { ...known, by: undefined });
  return { ...state, others: left };
}

/** This account came into a room, made it, or began a dialogue there. */
export function joined(state, told) {
  const known = state.rooms.get(told.room);
  if (known?.isLoaded) return inRoom(state, told.room, () => entered(known, told));
  const room = { ...rooms.listed(known, told), told: Math.max(known?.told ?? 0, told.last) };
  const next = { ...withRoom(state, room), others: without(state.others, told.room) };
  return seen(settled({ ...next, last: Math.max(state.last, told.last) }), told.room);
}

/** Of a room whose end is known, what is new in its log is told by events, before this or behind it. */
function entered(known, told) {
  const isBlank = known.told === 0 && told.last > 0;
  return { ...known, ...rooms.standing(told), more: known.more || isBlank };
}

/** Who is in a room; of very many not all are told. */
export function members(state, name, { members: told, more }) {
  const people = new Map(told.map((one) => [one.user, one]));
  return inRoom(state, name, (room) => ({ ...room, people, size: more ? Math.max(room.size, people.size) : people.size }));
}

/** Whether somebody is there, who was asked about. */
export function met(state, { user, online, away }) {
  const how = online ? (away ? "away" : "online") : "offline";
  return { ...state, presence: put(state.presence, user, { how, text: away }) };
}

/** Forgets who began to write so long ago that they will have stopped. */
export function settleTyping(state, now, longest) {
  let { typing } = state;
  for (const [room, there] of typing) {
    const left = new Map([...there].filter(([, since]) => now - since < longest));
    if (left.size !== there.size) typing = put(typing, room, left);
  }
  return typing === state.typing ? state : { ...state, typing };
}

/** How much is unread that calls this person, and how much in all rooms that are to be noticed. */
export function totals(state) {
  const all = [...state.rooms.values()].filter((room) => room.level !== "none");
  const sum = (of) => all.reduce((count, room) => count + of(room), 0);
  return { unread: sum((room) => room.unread), calls: sum(unread.callsOf) };
}
