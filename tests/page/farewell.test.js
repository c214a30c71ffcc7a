/** Who logged out while the hub was away: the hub hears of it once it is back. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { Farewells, farewell } from "../../web/chat/core/farewell.js";

/** A farewell whose hub answers by `answers`, each a command's error, a list, or nothing; without any it is not there. */
function stage(what, answers, begin = (means, done) => farewell(means, what, done)) {
  const its = { said: [], done: 0, waits: [], sockets: [], answers, calls: null };
  const open = () => {
    const socket = { readyState: 0, close: () => (socket.isClosed = true) };
    socket.send = (text) => {
      const { cmd, id, ...fields } = JSON.parse(text);
      its.said.push([cmd, fields]);
      const answer = its.answers[cmd];
      const frame = answer?.code ? { re: id, err: answer } : { re: id, ok: true, ...answer };
      queueMicrotask(() => socket.onmessage?.({ data: JSON.stringify(frame) }));
    };
    its.sockets.push(socket);
    return socket;
  };
  const timers = {
    set: (act, ms) => {
      its.calls = act;
      its.waits.push(ms);
      return its.waits.length;
    },
    clear: () => {},
  };
  begin({ open, timers, random: () => 0 }, () => (its.done += 1));
  its.meet = async () => {
    const socket = its.sockets.at(-1);
    socket.readyState = 1;
    socket.onopen();
    await new Promise(setImmediate);
  };
  return its;
}

const words = (its) => its.said.map(([cmd]) => cmd);

test("the hub is told on a line of its own, which ends then", async () => {
  const its = stage({ token: "rt_a", isAll: false }, {});
  await its.meet();
  assert.deepEqual(its.said.slice(1), [["LOGIN", { token: "rt_a" }], ["LOGOUT", {}]]);
  assert.deepEqual([its.done, its.sockets.length, its.sockets[0].isClosed], [1, 1, true]);
});

const LIST = { sessions: [{ session: "s_old", this: true }, { session: "s_phone" }, { session: "s_gone" }, { session: "s_new" }] };

/** Ana logged out everywhere while the hub was away, and `entered` came in on the page before it was back. */
async function everywhere(entered, answers = {}) {
  const its = stage(null, { SESSIONS: LIST, ...answers }, (means, done) => {
    const all = new Farewells(means, done);
    all.add({ token: "rt_a", user: "ana", isAll: true });
    for (const [user, session] of entered) all.entered({ user, session });
  });
  await its.meet();
  return its;
}

test("all devices are logged out, whoever else came in meanwhile", async () => {
  for (const entered of [[], [["bob", "s_b"]], [["bob", "s_b"], ["eve", "s_e"]]]) {
    const its = await everywhere(entered);
    assert.deepEqual(its.said.slice(1), [["LOGIN", { token: "rt_a" }], ["LOGOUT", { all: true }]]);
    assert.equal(its.done, 1);
  }
});

test("who came in again meanwhile stays, and all others are logged out", async () => {
  const its = await everywhere([["ana", "s_new"], ["bob", "s_b"]], { REVOKE: { code: "BAD_FIELD", msg: "" } });
  assert.deepEqual(its.said.slice(2), [
    ["SESSIONS", {}],
    ["REVOKE", { session: "s_phone" }],
    ["REVOKE", { session: "s_gone" }], // One that is not there any more is no reason to stop.
    ["LOGOUT", {}],
  ]);
  assert.equal(its.done, 1);
});

test("what is too fast for the hub is gone on with later", async () => {
  const its = await everywhere([["ana", "s_new"]], { REVOKE: { code: "RATE_LIMITED", msg: "", retry_ms: 60_000 } });
  assert.deepEqual([its.done, words(its).at(-1), its.waits.at(-1)], [0, "REVOKE", 60_000]);
  its.answers = { SESSIONS: LIST };
  its.calls();
  await its.meet();
  assert.deepEqual([its.done, its.said.at(-1)], [1, ["LOGOUT", {}]]);
});

test("all is heard when the last of them is", async () => {
  let heard = 0;
  const its = [];
  const all = new Farewells(null, () => (heard += 1), (_, what, done) => its.push(done));
  all.add({ token: "rt_a", user: "ana", isAll: false });
  all.add({ token: "rt_b", user: "bob", isAll: false });
  its[1]();
  assert.equal(heard, 0);
  its[0]();
  assert.equal(heard, 1);
});

test("a hub that is not there is called again until it is", async () => {
  const its = stage({ token: "rt_a" }, {});
  its.sockets[0].onclose();
  assert.equal(its.done, 0);
  its.calls();
  await its.meet();
  assert.deepEqual([its.done, its.sockets.length], [1, 2]);
});

test("a token that is worth nothing is given up, and other refusals are waited out", async () => {
  for (const code of ["TOKEN_EXPIRED", "SESSION_REVOKED", "BAD_CREDENTIALS"]) {
    const its = stage({ token: "rt_a" }, { LOGIN: { code, msg: "" } });
    await its.meet();
    assert.deepEqual([its.done, words(its)], [1, ["HELLO", "LOGIN"]], code);
  }
  const its = stage({ token: "rt_a" }, { LOGIN: { code: "RATE_LIMITED", msg: "", retry_ms: 60_000 } });
  await its.meet();
  assert.deepEqual([its.done, its.waits.at(-1)], [0, 60_000]);
  its.answers = {};
  its.calls();
  await its.meet();
  assert.equal(its.done, 1);
});
