/** What is read of rooms, in a browser of the test's own: until it is there, whatever the hub refuses for now. */

import { mock, test } from "node:test";
import assert from "node:assert/strict";
import { answer, keep, settled, sockets, told } from "./window.js";
import { listed, said } from "./told.js";

mock.timers.enable({ apis: ["setTimeout"] });
keep("token", "rt_1");
keep("user", "ana");
const hub = await import("../../web/chat/client/hub.js");
const { openRoom } = await import("../../web/chat/client/acting.js");
const reading = await import("../../web/chat/client/reading.js");

const asked = (cmd) => sockets.at(-1).sent.filter((one) => one.cmd === cmd);

/** Answers what was asked by a command last; gives that. */
async function reply(cmd, fields) {
  const { id, ...its } = asked(cmd).at(-1);
  told({ re: id, ...fields });
  await settled();
  return its;
}

const refused = { err: { code: "UNAVAILABLE", retry_ms: 500 } };

async function logIn(cursor, fields) {
  await answer({ server: "relais", time: new Date().toISOString() });
  await answer({ user: "ana", session: "s", cursor, rooms: [listed({ last: cursor, ...fields })] });
  assert.equal(hub.isUp.value, true);
}

/** The line is lost, and there again. */
async function lose() {
  sockets.at(-1).onclose();
  await settled();
  mock.timers.tick(60_000);
}

const lab = () => hub.state.value.rooms.get("#lab");

test("a page of the room that is open is asked for until it is there", async () => {
  hub.begin();
  await logIn(10);
  openRoom("#lab");
  await reply("HISTORY", refused);
  assert.deepEqual([asked("HISTORY").length, lab().isLoaded, reading.loading.value.has("#lab")], [1, false, true]);
  mock.timers.tick(500);
  await settled();
  await reply("HISTORY", { events: [said(9), said(10)], more: true });
  assert.deepEqual([asked("HISTORY").length, lab().entries.length, reading.loading.value.size], [2, 2, 0]);
});

test("what is refused for good is not asked for again", async () => {
  const before = asked("HISTORY").length;
  reading.loadBefore("#lab");
  await reply("HISTORY", { err: { code: "FORBIDDEN" } });
  mock.timers.tick(60_000);
  await settled();
  assert.deepEqual([asked("HISTORY").length, reading.loading.value.size], [before + 1, 0]);
});

test("where more was missed of the room that is open than is told, its end is read", async () => {
  await lose();
  await logIn(900, { unread: 200 });
  assert.deepEqual(asked("HISTORY"), []);
  told({ ev: "gap", room: "#lab", from: 10, to: 900 });
  await settled();
  const { latest, limit } = await reply("HISTORY", { events: [said(899), said(900)], more: true });
  assert.deepEqual([latest, limit, lab().entries.length, lab().unread], [true, 200, 2, 200]);
  told({ cursor: 900 });
});

test("a message that is answered to is asked for again where the line broke, or the hub was busy", async () => {
  const its = () => reading.quotes.value.get("#lab 3");
  reading.quote("#lab", 3);
  await lose();
  assert.equal(reading.quotes.value.has("#lab 3"), false);
  await logIn(900);
  reading.quote("#lab", 3);
  await reply("HISTORY", refused);
  assert.equal(its(), undefined);
  mock.timers.tick(500);
  await settled();
  await reply("HISTORY", { events: [said(3)], more: false });
  assert.equal(its().body, "m3");
  // What is not there is not.
  reading.quote("#lab", 4);
  await reply("HISTORY", { err: { code: "NO_SUCH_EVENT" } });
  assert.equal(reading.quotes.value.get("#lab 4"), null);
  told({ ev: "bye", code: "SESSION_REVOKED" });
});
