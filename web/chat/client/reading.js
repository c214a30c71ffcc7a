/**
 * Reading: pages of the past, what is missing, what was read, search.
 */

import { CatchingUp } from "../core/catching.js";
import { Lost, USUAL_WAIT_MS } from "../core/connection.js";
import { without } from "../core/maps.js";
import * as rooms from "../core/room.js";
import * as states from "../core/state.js";
import { read } from "../core/unread.js";
import { computed, effect, signal, untracked } from "../vendor/signals.js";
import { ask, away, change, isUp, on, putOff, state, timers } from "./hub.js";
import { tell, trying } from "./passing.js";
import { focus, open, room as shown, show } from "./shown.js";
import { t } from "./tongue.js";

const PAGE = 60;
const PAGE_MAX = 200;
/** So many pages are read to go back to an entry; what is further away is looked at apart. */
const PAGES_BACK_MAX = 5;

/** Rooms of which a page is on its way. */
export const loading = signal(new Set());

const inRoom = (name, step, ...given) => change(states.inRoom, name, (room) => step(room, ...given));

/** Does `what` for a room; where the hub refuses it for now, again when it likes, as long as the room is open. */
async function patiently(name, what) {
  for (;;) {
    try {
      return await what();
    } catch (error) {
      if (!error.isPassing) throw error;
      await new Promise((over) => timers.set(over, error.retryMs ?? USUAL_WAIT_MS));
      if (name !== open.value) throw error;
    }
  }
}

/** Does `what` for a room, unless something is done for it already. */
async function once(name, what) {
  if (loading.value.has(name)) return;
  loading.value = new Set(loading.value).add(name);
  try {
    await patiently(name, () => what(state.value.rooms.get(name)));
  } catch {
    // Asked again when it is needed again: the line may be gone, or the room.
  } finally {
    const left = new Set(loading.value);
    left.delete(name);
    loading.value = left;
  }
}

/** A page of a room; of a talk that nobody began yet, none. */
async function pageOf(name, fields) {
  try {
    return await ask("HISTORY", { room: name, ...fields });
  } catch (error) {
    if (rooms.isTalk(name) && error.code === "NO_SUCH_ROOM") return { events: [], more: false };
    throw error;
  }
}

async function pageBefore(name, limit) {
  const room = state.value.rooms.get(name);
  if (!room) return undefined;
  const first = rooms.begin(room);
  const where = first === undefined ? { latest: true } : { before: first };
  const page = await pageOf(name, { ...where, limit });
  // What is known may begin further on by now: then this page ends before it.
  const fits = (now) => first === undefined || rooms.begin(now) === first;
  inRoom(name, (now) => (fits(now) ? rooms.before(now, page) : now));
  change(states.seen, name);
  return page;
}

const linesBefore = (name, limit) => rooms.untilLine(() => pageBefore(name, limit));

/** Reads the newest of a room, with all that is unread where that is not too much. */
export const load = (name) =>
  once(name, async (room) => {
    // What a page was to stand before may have ended by a gap meanwhile.
    for (let its = room; its && !its.isLoaded; its = state.value.rooms.get(name))
      await linesBefore(name, Math.min(PAGE_MAX, Math.max(PAGE, its.unread + 30)));
  });

// The room that is open is read as soon as there is a line, and anew after a gap.
const unloaded = computed(() => (isUp.value && shown.value && !shown.value.isLoaded ? shown.value.name : null));
effect(() => {
  const name = unloaded.value;
  if (name !== null) untracked(() => load(name));
});

/** Reads what was before. */
export const loadBefore = (name) =>
  once(name, async (room) => {
    if (room?.aside) await lookOn(name, "before");
    else if (room?.more) await linesBefore(name, PAGE);
  });

/** Reads on, of what is looked at. */
export const loadAfter = (name) =>
  once(name, async (room) => {
    if (room?.aside) await lookOn(name, "after");
  });

const lookOn = (name, way) =>
  rooms.untilLine(async () => {
    const aside = state.value.rooms.get(name)?.aside;
    if (!aside || (way === "before" && !aside.more)) return undefined;
    const edge = way === "before" ? "begin" : "end";
    const page = await ask("HISTORY", { room: name, [way]: aside[edge], limit: PAGE });
    // Another part may be looked at by now.
    const fits = (now) => now.aside?.[edge] === aside[edge];
    inRoom(name, (now) => (fits(now) ? rooms.lookOn(now, page, way) : now));
    return page;
  });

/** Whether an entry stands before all that is known of a room, if one is still in that. */
function isBefore(name, seq) {
  const room = state.value.rooms.get(name);
  return Boolean(room?.more) && (rooms.begin(room) ?? Infinity) > seq;
}

/** Goes to an entry, wherever it is. */
export async function goTo(name, seq) {
  if (!state.value.rooms.has(name)) return;
  show(name);
  await trying(async () => {
    for (let pages = 0; pages < PAGES_BACK_MAX; pages += 1) {
      if (!isBefore(name, seq)) break;
      await pageBefore(name, PAGE_MAX);
    }
    if (isBefore(name, seq)) {
      const page = await ask("HISTORY", { room: name, around: seq, limit: PAGE });
      inRoom(name, rooms.lookAt, page, seq);
    }
  });
  focus.value = { seq, at: performance.now() };
}

/** Goes to where the last `many` messages of a room begin, or those before an entry. */
export async function goBack(name, many, before) {
  let [left, first, end] = [many, null, before];
  for (let pages = 0; pages < PAGES_BACK_MAX && left > 0; pages += 1) {
    const page = await ask("HISTORY", { room: name, ...(end ? { before: end } : { latest: true }), limit: PAGE_MAX });
    const said = page.events.filter((event) => event.ev === "message");
    first = said.at(-Math.min(left, said.length)) ?? first;
    left -= said.length;
    end = page.events[0]?.seq;
    if (!page.more) break;
  }
  if (first) await goTo(name, first.seq);
  else tell(t("nothing before"));
}

export const backToNow = (name) => inRoom(name, rooms.lookBack);

/** One message that is answered to and not here: `undefined` while it is asked for, `null` if it is nowhere. */
export const quotes = signal(new Map());

export async function quote(name, seq) {
  const key = `${name} ${seq}`;
  if (quotes.value.has(key)) return;
  setQuote(key, undefined);
  const one = () => ask("HISTORY", { room: name, between: [seq, seq], limit: 1 });
  try {
    const { events } = await patiently(name, one);
    setQuote(key, events.find((event) => event.seq === seq) ?? null);
  } catch (error) {
    // What could not be asked for is asked for when it is shown again.
    if (error instanceof Lost || error.isPassing) quotes.value = without(quotes.value, key);
    else setQuote(key, null);
  }
}

const setQuote = (key, found) => (quotes.value = new Map(quotes.value).set(key, found));

/** All there is of a room was seen. */
export function markRead(name) {
  const room = state.value.rooms.get(name);
  if (!room || room.told <= room.read) return;
  inRoom(name, read, room.told, state.value.me);
  ask("READ", { room: name, seq: room.told }).catch(() => {}); // Said again after a login.
}

/** Who is in a room; of whom one talks with, whether they are there. */
export const loadMembers = async (name) => {
  try {
    if (rooms.isTalk(name)) change(states.met, await ask("WHOIS", { user: name.slice(1) }));
    else change(states.members, name, await ask("WHO", { room: name }));
  } catch {
    // Asked again when it is shown again.
  }
};

export const search = (words, { room, from }) =>
  ask("SEARCH", { q: words, limit: 50, ...(room ? { room } : {}), ...(from ? { from } : {}) });

/** Of whom it was asked, since the line is up, whether they are there: then the hub tells of itself. */
const met = new Set();
on("lost", () => met.clear());
on("left", () => met.clear());

/** It is asked of so many at once, of those one talked with last. */
const MET_MAX = 20;

function meet() {
  const talks = [...state.value.rooms.values()].filter(({ name }) => rooms.isTalk(name) && !met.has(name));
  talks.sort((one, other) => other.last - one.last);
  for (const { name } of talks.slice(0, MET_MAX)) {
    met.add(name);
    loadMembers(name);
  }
}

// Who speaks to this person for the first time has not been asked for.
let many = 0;
effect(() => {
  const { size } = state.value.rooms;
  if (size > many && isUp.peek()) meet();
  many = size;
});

on("left", () => (quotes.value = new Map()));

on("rewound", () => {
  quotes.value = new Map();
  tell(t("set back"));
});

const catchingUp = new CatchingUp({ ask, timers, caughtUp: (room) => change(states.caughtUp, room), putOff });
on("missing", (what) => catchingUp.miss(what));
on("lost", () => catchingUp.forget());

on("entered", ({ rooms: told }) => {
  for (const { room, read, last } of told) {
    const mine = state.value.rooms.get(room)?.read ?? 0;
    // What was read behind its end, was in a log that was set back since.
    if (mine > read && mine <= last) ask("READ", { room, seq: mine }).catch(() => {});
  }
  if (away.value) ask("AWAY", { text: away.value }).catch(() => {});
  if (open.value) loadMembers(open.value);
  meet();
});
