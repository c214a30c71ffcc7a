/**
 * What was said here and is not known to be kept by the hub: a list in the order in which it was said.
 *
 * Each has a `cid`, under which it is asked again after a lost line; the hub does it once. `state` is
 * `waiting` (for its turn, or for the line), `asked`, `pausing` (refused, by `error`, and asked again soon), `kept`
 * (acknowledged, its event not heard yet) or `failed`, with the `error` and its `code`; what failed stays where it was
 * said, behind entry `after`. What was typed as a command has its `line`. Functions here give a new list, or the same where nothing changes.
 */

/** Puts something at the end. */
export const add = (list, { cid, cmd, room, fields, line, ts }) => [
  ...list,
  { cid, cmd, room, fields, line, ts, state: "waiting" },
];

/** Puts something at the end as it was kept: what had failed is not asked again by itself. */
export const restore = (list, one) => (one.state === "failed" ? [...list, one] : add(list, one));

const isUnderWay = ({ state }) => state === "asked" || state === "pausing";

/** What is to be asked next: the first that waits, and not while another of its room is under way, as order matters. */
export function next(list) {
  const busy = new Set(list.filter(isUnderWay).map((one) => one.room));
  return list.find((one) => one.state === "waiting" && !busy.has(one.room));
}

const change = (list, cid, fields) => list.map((one) => (one.cid === cid ? { ...one, ...fields } : one));

export const asking = (list, cid) => change(list, cid, { state: "asked", error: undefined });

/** The hub has it, as entry `seq`. */
export const kept = (list, cid, seq) => change(list, cid, { state: "kept", seq });

/** The hub says no, for now; `tries` counts how often it did. */
export const pausing = (list, cid, error) =>
  list.map((one) => (one.cid === cid ? { ...one, state: "pausing", error, tries: (one.tries ?? 0) + 1 } : one));

/** The hub says no. */
export const failed = (list, cid, { error, code, after }) => change(list, cid, { state: "failed", error, code, after });

const AGAIN = { state: "waiting", error: undefined, code: undefined, after: undefined };

/** It is to be tried again, with the same `cid`, if it failed or pauses. */
export function again(list, cid) {
  const is = (one) => one.cid === cid && (one.state === "failed" || one.state === "pausing");
  return list.map((one) => (is(one) ? { ...one, ...AGAIN } : one));
}

/** The line was lost: what was under way is to be asked again. */
export const lost = (list) => list.map((one) => (isUnderWay(one) ? { ...one, state: "waiting" } : one));

/** The log was set back: no event of it tells any more of what was kept. */
export const rewound = (list) => lost(list).filter((one) => one.state !== "kept");

export const drop = (list, cid) => list.filter((one) => one.cid !== cid);

/** What one would type to say it. */
export function typedOf({ kind, body, seq }) {
  if (seq !== undefined) return `/edit ${seq} ${body}`;
  if (kind === "action") return `/me ${body}`;
  return body.startsWith("/") ? `/${body}` : body;
}

/** Takes out what is to be seen in the log: by its `cid`, or because the log is told further than it stands. */
export function seen(list, room, { cid, told }) {
  const is = (one) => one.room === room && (one.cid === cid || (one.state === "kept" && one.seq <= told));
  return list.some(is) ? list.filter((one) => !is(one)) : list;
}

/** A name for a request that is nobody else's: 80 bits, drawn by `fill`. */
export function newCid(fill) {
  const bytes = fill(new Uint8Array(10));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
