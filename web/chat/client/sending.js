/**
 * Saying things: through the outbox, so that what was typed is neither lost nor said twice.
 */

import { Lost } from "../core/connection.js";
import * as outbox from "../core/outbox.js";
import { ask, change, isUp, me, on, state } from "./hub.js";
import { cid, keep } from "./kept.js";
import { complain } from "./shown.js";

/** After these the same is asked again, by itself. */
const PASSING = new Set(["RATE_LIMITED", "UNAVAILABLE", "SHUTDOWN", "INTERNAL"]);
/** Who has to wait longer is told so, and tries again when they like. */
const WAIT_MS_MAX = 20_000;
const USUAL_WAIT_MS = 1000;

const setOutbox = (step, ...given) => change((known) => ({ ...known, outbox: step(known.outbox, ...given) }));

/** Says something in a room; `reply` is the entry that it answers. */
export function say(room, body, { kind = "text", reply } = {}) {
  put("MESSAGE", room, { body, kind, ...(reply === undefined ? {} : { reply }) });
}

export const edit = (room, seq, body) => put("EDIT", room, { seq, body });

export const redact = (room, seq, reason) => put("REDACT", room, { seq, ...(reason ? { reason } : {}) });

export const react = (room, seq, emoji, isOn) => put("REACT", room, { seq, emoji, on: isOn });

function put(cmd, room, fields) {
  const one = { cid: cid(), cmd, room, fields, ts: new Date().toISOString() };
  keep.set(`unsent.${me.value}.${one.cid}`, one);
  setOutbox(outbox.add, one);
  flush();
}

export function tryAgain(its) {
  setOutbox(outbox.again, its);
  flush();
}

/** Leaves it unsaid. */
export function giveUp(its) {
  keep.set(`unsent.${me.value}.${its}`, null);
  setOutbox(outbox.drop, its);
}

async function flush() {
  const one = isUp.value && outbox.next(state.value.outbox);
  if (!one) return;
  const { cid: its, cmd, room, fields } = one;
  setOutbox(outbox.asking, its);
  try {
    const { seq } = await ask(cmd, { room, cid: its, ...fields });
    keep.set(`unsent.${me.value}.${its}`, null);
    settle(one, seq);
  } catch (error) {
    refused(one, error);
  }
  flush();
}

/** What changes another message is not shown here; a message is, until its event comes. */
function settle({ cid: its, cmd, room }, seq) {
  if (cmd !== "MESSAGE" || seq === undefined) {
    setOutbox(outbox.drop, its);
    return;
  }
  setOutbox(outbox.kept, its, seq);
  setOutbox(outbox.seen, room, { told: state.value.rooms.get(room)?.told ?? 0 });
}

function refused(one, error) {
  if (error instanceof Lost) return; // The lost line has it wait already.
  const wait = error.retryMs ?? USUAL_WAIT_MS;
  if (PASSING.has(error.code) && wait <= WAIT_MS_MAX) {
    setTimeout(() => tryAgain(one.cid), wait);
    return;
  }
  if (one.cmd === "MESSAGE") setOutbox(outbox.failed, one.cid, error.message);
  else {
    giveUp(one.cid);
    complain(error);
  }
}

// What was not sent when the page was left is sent when it is back.
on("entered", () => {
  const known = new Set(state.value.outbox.map((one) => one.cid));
  const left = keep
    .all(`unsent.${me.value}.`)
    .map(([, one]) => one)
    .filter((one) => one?.cid && !known.has(one.cid));
  left.sort((a, b) => (a.ts < b.ts ? -1 : 1));
  for (const one of left) setOutbox(outbox.add, one);
  flush();
});
