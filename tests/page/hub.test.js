/** Coming in and going, in a browser of the test's own that has more than one window of the page. */

import { test } from "node:test";
import assert from "node:assert/strict";

const kept = new Map();
globalThis.localStorage = {
  get length() {
    return kept.size;
  },
  key: (index) => [...kept.keys()][index] ?? null,
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, text) => kept.set(name, text),
  removeItem: (name) => kept.delete(name),
};
const heard = {};
globalThis.addEventListener = (what, listener) => (heard[what] = listener);
globalThis.document = { addEventListener() {}, documentElement: {}, hidden: false };
globalThis.navigator ??= { languages: ["en"] };
globalThis.location = { href: "http://127.0.0.1:6680/" };

const sockets = [];
globalThis.WebSocket = class {
  constructor() {
    Object.assign(this, { readyState: 1, sent: [] });
    sockets.push(this);
    queueMicrotask(() => this.onopen());
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.isClosed = true;
  }
};

const settled = () => new Promise(setImmediate);
const keep = (key, value) => kept.set(`relais-chat.${key}`, JSON.stringify(value));
const told = (frame) => sockets.at(-1).onmessage({ data: JSON.stringify(frame) });

/** Answers what was asked last. */
async function answer(fields) {
  await settled();
  const { id } = sockets.at(-1).sent.at(-1);
  told({ re: id, ...fields });
  await settled();
}

async function comeIn(hub) {
  await answer({ server: "relais", time: new Date().toISOString() });
  const { cmd, token } = sockets.at(-1).sent.at(-1);
  assert.equal(cmd, "LOGIN");
  await answer({ user: "ana", session: "s", cursor: 0, rooms: [] });
  assert.equal(hub.phase.value, "in");
  return token;
}

test("what an old session is told logs nobody out who came in again by another window", async () => {
  keep("token", "rt_old");
  keep("user", "ana");
  keep("draft.ana #lab", "hello");
  const hub = await import("../../web/chat/client/hub.js");
  hub.begin();
  assert.equal(await comeIn(hub), "rt_old");
  // Meanwhile, in another one.
  keep("token", "rt_new");
  told({ ev: "bye", code: "SESSION_REVOKED", msg: "log in" });
  assert.equal(kept.get("relais-chat.token"), '"rt_new"');
  assert.equal(await comeIn(hub), "rt_new");
  // Its own one is another thing.
  told({ ev: "bye", code: "SESSION_REVOKED", msg: "log in" });
  assert.deepEqual([hub.phase.value, hub.sentOut.value, kept.has("relais-chat.token")], ["out", "log in", false]);
  assert.equal(kept.has("relais-chat.draft.ana #lab"), false);
});
