/** Who logged out while the hub was away: the hub hears of it once it is back. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { farewell } from "../../web/chat/core/farewell.js";

/** A farewell whose hub answers by `answers`, each a command's error or nothing; without any it is not there. */
function stage(what, answers) {
  const its = { said: [], done: 0, waits: [], sockets: [], answers, calls: null };
  const open = () => {
    const socket = { readyState: 0, close: () => (socket.isClosed = true) };
    socket.send = (text) => {
      const { cmd, id, ...fields } = JSON.parse(text);
      its.said.push([cmd, fields]);
      const err = its.answers[cmd];
      const frame = err ? { re: id, err } : { re: id, ok: true };
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
  farewell({ open, timers, random: () => 0 }, what, () => (its.done += 1));
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

test("all devices are logged out if that is still wanted when the hub is there", async () => {
  const what = { token: "rt_a", isAll: true };
  const all = stage(what, {});
  await all.meet();
  assert.deepEqual(all.said.at(-1), ["LOGOUT", { all: true }]);
  const later = { ...what };
  const one = stage(later, {});
  later.isAll = false; // They came in again meanwhile.
  await one.meet();
  assert.deepEqual(one.said.at(-1), ["LOGOUT", {}]);
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
