/** Coming in and going, in a browser of the test's own that has more than one window of the page. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { answer, keep, kept, sockets, told } from "./window.js";

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
