/** How much is unread, whatever of it is told, and where it was read. */

import { test } from "node:test";
import assert from "node:assert/strict";
import * as states from "../../web/chat/core/state.js";
import { callsOf, read } from "../../web/chat/core/unread.js";
import { after, ana, listed, said } from "./told.js";

/** The state after a lost line, where the hub lists #lab so. */
const back = (state, cursor, fields) =>
  states.loggedIn(state, { user: "ana", session: "s", cursor, rooms: [listed({ last: cursor, ...fields })] }, true);

const count = ({ rooms }) => (({ unread, mentions }) => [unread, mentions])(rooms.get("#lab"));

test("of a room that was not opened a lost line leaves what is unread as it was", () => {
  const waiting = { last: 20, read: 10, unread: 9, mentions: 4 };
  const again = back(ana(waiting), 20, waiting);
  assert.deepEqual(count(again), [9, 4]);
  assert.deepEqual(count(after(again, { ev: "resumed", cursor: 20 }, said(21), said(22, { mention: true })).state), [11, 5]);
  assert.deepEqual(count(after(again, { ev: "read", room: "#lab", last: 10 }).state), [9, 4]);
  assert.deepEqual(count(after(again, { ev: "read", room: "#lab", last: 20 }).state), [0, 0]);
});

test("what was missed and is not told is unread, too", () => {
  const again = back(after(ana(), said(11)).state, 900, { unread: 200, mentions: 3 });
  const { state } = after(again, { ev: "gap", room: "#lab", from: 11, to: 800 }, said(801), said(900, { prev: 801 }));
  assert.deepEqual(count(state), [200, 3]);
  const on = after(state, { ev: "resumed", cursor: 900 }, said(901, { mention: true })).state;
  assert.deepEqual(count(on), [201, 4]);
  // Another device reads some of it: how much is left is known of what is here alone.
  assert.deepEqual(count(after(on, { ev: "read", room: "#lab", last: 500 }).state), [201, 4]);
  assert.deepEqual(count(after(on, { ev: "read", room: "#lab", last: 801 }).state), [2, 1]);
});

test("what was read without a line, or while the rest is told, counts no more", () => {
  const before = after(ana(), said(11, { mention: true }), said(12)).state;
  const lab = read(before.rooms.get("#lab"), 11, "ana");
  const seen = { ...before, rooms: new Map([["#lab", lab]]) };
  const again = back(seen, 14, { unread: 4, mentions: 2 });
  assert.deepEqual(count(again), [3, 1]);
  const some = after(again, said(13)).state;
  const looked = states.inRoom(some, "#lab", (room) => read(room, 13, "ana"));
  assert.deepEqual(count(looked), [1, 1]);
  assert.deepEqual(count(after(looked, said(14, { mention: true })).state), [1, 1]);
  // The hub may not know that all of it was read.
  const all = states.inRoom(before, "#lab", (room) => read(room, 12, "ana"));
  assert.deepEqual(count(back(all, 12, { unread: 2, mentions: 1 })), [0, 0]);
});

test("what is unread calls in a room of which all is to be noticed", () => {
  const room = { unread: 3, mentions: 1 };
  assert.deepEqual([callsOf(room), callsOf({ ...room, level: "all" })], [1, 3]);
});
