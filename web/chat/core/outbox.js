/**
 * What was said here and is not known to be kept by the hub: a list in the order in which it was said.
 *
 * Each has a `cid`, under which it is asked again after a lost line; the hub does it once. `state` is
 * `waiting` (for its turn, or for the line), `asked`, `kept` (acknowledged, its event not heard yet) or
 * `failed`, with the `error`. Functions here give a new list, or the same where nothing changes.
 */

/** Puts something at the end. */
export const add = (list, { cid, cmd, room, fields, ts }) => [
  ...list,
  { cid, cmd, room, fields, ts, state: "waiting" },
];

/** What is to be asked next: the first that waits, unless one is under way, as order matters. */
export function next(list) {
  if (list.some((one) => one.state === "asked")) return undefined;
  return list.find((one) => one.state === "waiting");
}

const change = (list, cid, fields) => list.map((one) => (one.cid === cid ? { ...one, ...fields } : one));

export const asking = (list, cid) => change(list, cid, { state: "asked", error: undefined });

/** The hub has it, as entry `seq`. */
export const kept = (list, cid, seq) => change(list, cid, { state: "kept", seq });

/** The hub says no. */
export const failed = (list, cid, error) => change(list, cid, { state: "failed", error });

/** It is to be tried again, with the same `cid`. */
export const again = (list, cid) => change(list, cid, { state: "waiting", error: undefined });

/** The line was lost: what was under way is to be asked again. */
export const lost = (list) => list.map((one) => (one.state === "asked" ? { ...one, state: "waiting" } : one));

export const drop = (list, cid) => list.filter((one) => one.cid !== cid);

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
