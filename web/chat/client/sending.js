/**
 * Saying things: through the outbox, so that what was typed is neither lost nor said twice.
 */

import { batch } from "../vendor/signals.js";
import { Lost } from "../core/connection.js";
import * as outbox from "../core/outbox.js";
import { now } from "./clock.js";
import { ask, change, isUp, me, on, state } from "./hub.js";
import { cid, keep, keyOf } from "./kept.js";
import { complain } from "./passing.js";
import { giveBack, setAbout } from "./shown.js";

/** After these the same is asked again, by itself. */
const PASSING = new Set(["RATE_LIMITED", "UNAVAILABLE", "SHUTDOWN", "INTERNAL"]);
/** Who has to wait longer is told so, and tries again when they like. */
const WAIT_MS_MAX = 20_000;
const USUAL_WAIT_MS = 1000;
/** What the hub cannot do, and does not say when it can, is asked so often. */
const TRIES_MAX = 20;

const unsent = (its) => keyOf("unsent", me.value, its);

const setOutbox = (step, ...given) => change((known) => ({ ...known, outbox: step(known.outbox, ...given) }));

/** Says something in a room; `reply` is the entry that it answers. */
export function say(room, body, { kind = "text", reply } = {}) {
  put("MESSAGE", room, { body, kind, ...(reply === undefined ? {} : { reply }) });
}

export const edit = (room, seq, body) => put("EDIT", room, { seq, body });

export const redact = (room, seq) => put("REDACT", room, { seq });

export const react = (room, seq, emoji, isOn) => put("REACT", room, { seq, emoji, on: isOn });

/** The same, as it was typed: a whole `line`, that is in the composer again if it is refused. */
export const editTyped = ({ room, seq, line }, body) => put("EDIT", room, { seq, body }, line);

export const redactTyped = ({ room, seq, line }, reason) =>
  put("REDACT", room, { seq, ...(reason ? { reason } : {}) }, line);

export const reactTyped = ({ room, seq, line }, emoji, isOn) => put("REACT", room, { seq, emoji, on: isOn }, line);

function put(cmd, room, fields, line) {
  const one = { cid: cid(), cmd, room, fields, line, ts: new Date(now()).toISOString() };
  keep.set(unsent(one.cid), one);
  setOutbox(outbox.add, one);
  flush();
}

/** Tries again what was refused. */
export function tryAgain(one) {
  keep.set(unsent(one.cid), { ...one, state: "waiting" });
  setOutbox(outbox.again, one.cid);
  flush();
}

/** Leaves it unsaid. */
function giveUp(its) {
  keep.set(unsent(its), null);
  setOutbox(outbox.drop, its);
}

/** Leaves it unsaid, and has it in the composer again. */
export function takeBack({ cid: its, room, fields }) {
  const answered = state.value.rooms.get(room)?.entries.find((one) => one.seq === fields.reply);
  batch(() => {
    giveUp(its);
    if (answered) setAbout(room, { reply: answered });
    giveBack(room, outbox.typedOf(fields));
  });
}

/** Asks all that may be asked now: of each room the first that waits. */
function flush() {
  let one = outbox.next(state.value.outbox);
  while (isUp.value && one) {
    setOutbox(outbox.asking, one.cid);
    send(one);
    one = outbox.next(state.value.outbox);
  }
}

async function send(one) {
  const { cid: its, cmd, room, fields } = one;
  try {
    const { seq } = await ask(cmd, { room, cid: its, ...fields });
    keep.set(unsent(its), null);
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
  const mayBeTried = error.code === "RATE_LIMITED" || (one.tries ?? 0) < TRIES_MAX;
  if (PASSING.has(error.code) && wait <= WAIT_MS_MAX && mayBeTried) {
    setOutbox(outbox.pausing, one.cid, error.message);
    setTimeout(goOn, wait, one.cid);
  } else if (one.cmd === "MESSAGE") fail(one, error);
  else {
    giveUp(one.cid);
    // What was typed is not lost: it stands in the composer again.
    const typed = one.line ?? (one.cmd === "EDIT" ? outbox.typedOf(one.fields) : null);
    if (typed) giveBack(one.room, typed);
    complain(error, typed ? one.room : undefined);
  }
}

/** It stays where it was said, after a reload, too, until somebody tries it again or takes it back. */
function fail(one, { message: error, code }) {
  const after = state.value.rooms.get(one.room)?.told ?? 0;
  setOutbox(outbox.failed, one.cid, { error, code, after });
  keep.set(unsent(one.cid), state.value.outbox.find(({ cid: its }) => its === one.cid));
}

/** After a pause; a line that was lost meanwhile has it wait already. */
function goOn(its) {
  if (!state.value.outbox.some((one) => one.cid === its && one.state === "pausing")) return;
  setOutbox(outbox.again, its);
  flush();
}

// What was not sent when the page was left is sent when it is back.
on("entered", () => {
  const known = new Set(state.value.outbox.map((one) => one.cid));
  const left = keep
    .all(unsent())
    .map(([, one]) => one)
    .filter((one) => one?.cid && !known.has(one.cid));
  left.sort((a, b) => (a.ts < b.ts ? -1 : 1));
  for (const one of left) setOutbox(outbox.restore, one);
  flush();
});
