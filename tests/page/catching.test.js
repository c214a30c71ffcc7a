/** What is missing of rooms is asked for until the hub has told it. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { CatchingUp } from "../../web/chat/core/catching.js";
import { Lost, Refused } from "../../web/chat/core/connection.js";

/** A page whose hub and clock are the test's. */
function stage() {
  const its = { asked: [], told: [], timers: [], given: 0 };
  const ask = (cmd, { rooms }) => new Promise((answer, refuse) => its.asked.push({ cmd, rooms, answer, refuse }));
  const timers = {
    set: (act, ms) => its.timers.push({ act, ms }),
    clear: (timer) => timer !== null && delete its.timers[timer - 1],
  };
  its.up = new CatchingUp({ ask, timers, caughtUp: (room) => its.told.push(room), putOff: () => (its.given += 1) });
  its.answer = async (how) => {
    const one = its.asked.shift();
    if (how instanceof Error) one.refuse(how);
    else one.answer({ ok: true });
    await new Promise(setImmediate);
    return one.rooms;
  };
  its.ring = () => {
    const [{ act, ms }] = its.timers.splice(0).filter(Boolean);
    act();
    return ms;
  };
  return its;
}

const refused = (code, retry_ms) => new Refused({ code, retry_ms });

test("what is refused for now is asked again when the hub likes", async () => {
  const its = stage();
  its.up.miss({ room: "#lab", after: 11 });
  await its.answer(refused("RATE_LIMITED", 100));
  assert.deepEqual(its.told, []);
  assert.equal(its.ring(), 100);
  await its.answer(refused("UNAVAILABLE"));
  assert.equal(its.ring(), 1000);
  assert.deepEqual(await its.answer(), { "#lab": 11 });
  assert.deepEqual([its.told, its.asked, its.given], [["#lab"], [], 0]);
});

test("of many rooms at once it is asked together", async () => {
  const its = stage();
  for (const [room, after] of [["#a", 1], ["#b", 2], ["#c", 3]]) its.up.miss({ room, after });
  assert.deepEqual(await its.answer(), { "#a": 1 });
  // One of them lags again while it is told.
  its.up.miss({ room: "#b", after: 7 });
  assert.deepEqual(await its.answer(refused("RATE_LIMITED", 100)), { "#b": 2, "#c": 3 });
  its.up.miss({ room: "#d", after: 4 });
  assert.equal(its.asked.length, 0);
  its.ring();
  assert.deepEqual(await its.answer(), { "#b": 2, "#c": 3, "#d": 4 });
  assert.deepEqual(its.told, ["#a", "#b", "#c", "#d"]);
});

test("a room that lags again while it is told is not whole", async () => {
  const its = stage();
  its.up.miss({ room: "#lab", after: 11 });
  its.up.miss({ room: "#lab", after: 20 });
  await its.answer();
  assert.deepEqual(its.told, []);
  assert.deepEqual(await its.answer(), { "#lab": 20 });
  assert.deepEqual(its.told, ["#lab"]);
});

test("what is refused for good is left to the next login, and so is what a lost line had asked", async () => {
  const its = stage();
  its.up.miss({ room: "#lab", after: 11 });
  await its.answer(refused("INTERNAL"));
  assert.deepEqual([its.given, its.asked.length, its.timers.length], [1, 0, 0]);
  its.up.miss({ room: "#lab", after: 11 });
  its.up.forget();
  await its.answer(new Lost());
  assert.deepEqual([its.asked.length, its.timers.length], [0, 0]);
  its.up.miss({ room: "#lab", after: 11 });
  await its.answer(refused("UNAVAILABLE"));
  its.up.forget();
  assert.deepEqual([its.asked.length, its.timers.filter(Boolean).length], [0, 0]);
});
