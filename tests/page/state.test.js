/** What is known of a hub by what it tells, whatever is missing, doubled or late. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { morningAfter } from "../../web/chat/core/morning.js";
import * as outbox from "../../web/chat/core/outbox.js";
import * as rooms from "../../web/chat/core/room.js";
import * as states from "../../web/chat/core/state.js";
import { read } from "../../web/chat/core/unread.js";
import { after, ana, bodies, listed, said } from "./told.js";

test("what is told twice is there once, and the cursor goes on", () => {
  const { state, lab, wanted } = after(ana(), said(11), said(11), said(12));
  assert.deepEqual(bodies(lab), ["m11", "m12"]);
  assert.equal(lab.unread, 2);
  assert.equal(state.cursor, 12);
  assert.deepEqual(wanted, []);
});

test("a hole is asked for once, and what is behind it waits until it is filled", () => {
  const hole = after(ana(), said(11), said(14, { prev: 13 }), said(15));
  assert.deepEqual(hole.wanted, [{ room: "#lab", after: 11 }]);
  assert.equal(hole.state.cursor, 11);
  // RESUME tells all of it, in order.
  const filled = after(hole.state, said(12), said(13), said(14), said(15));
  const whole = states.caughtUp(filled.state, "#lab");
  assert.deepEqual(bodies(whole.rooms.get("#lab")), ["m11", "m12", "m13", "m14", "m15"]);
  assert.equal(whole.cursor, 15);
});

test("seqs of other rooms make no hole", () => {
  assert.deepEqual(after(ana(), said(11), said(19, { prev: 11 })).wanted, []);
});

test("who lagged asks from what it knows, and its cursor stays there", () => {
  const { state, wanted } = after(ana(), said(11), { ev: "lagged", room: "#lab", last: 11 });
  assert.deepEqual(wanted, [{ room: "#lab", after: 11 }]);
  assert.equal(state.cursor, 11);
});

test("what comes before the hub could tell what a room missed waits for that", () => {
  const lagged = { ev: "lagged", room: "#lab", last: 11 };
  const early = after(ana(), said(11), lagged, said(20, { prev: 19 }));
  assert.deepEqual([early.wanted, bodies(early.lab)], [[{ room: "#lab", after: 11 }], ["m11"]]);
  const told = Array.from({ length: 9 }, (_, at) => said(at + 12));
  const whole = states.caughtUp(after(early.state, ...told).state, "#lab");
  assert.deepEqual(bodies(whole.rooms.get("#lab")), [11, ...told.map(({ seq }) => seq)].map((seq) => `m${seq}`));
  assert.equal(whole.cursor, 20);
  // Who lags behind a hole asks from before that.
  const both = after(ana(), said(11), said(14, { prev: 13 }), { ...lagged, last: 14 });
  assert.deepEqual(both.wanted.at(-1), { room: "#lab", after: 11 });
});

test("after a lost line all that is known stays, and what was missed is counted once", () => {
  const before = after(ana(), said(11)).state;
  const again = states.loggedIn(
    before,
    { user: "ana", session: "s", cursor: 14, rooms: [listed({ last: 14, unread: 3 })] },
    true,
  );
  assert.equal(again.cursor, 11);
  const { state, lab } = after(again, said(11), said(12), said(14, { prev: 13 }), { ev: "resumed", cursor: 14 });
  assert.deepEqual(bodies(lab), ["m11", "m12", "m14"]);
  assert.equal(lab.unread, 3);
  assert.equal(state.cursor, 14);
});

test("lost again before all was told, it is asked from the same place", () => {
  const again = states.loggedIn(
    after(ana(), said(11)).state,
    { user: "ana", session: "s", cursor: 20, rooms: [listed({ last: 20 })] },
    true,
  );
  assert.equal(after(again, said(12)).state.cursor, 11);
});

test("of a log that was set back nothing is known but what the next login tells", () => {
  const kept = outbox.kept(outbox.add([], { cid: "c1", room: "#lab" }), "c1", 54);
  const asked = outbox.asking(outbox.add(kept, { cid: "c2", room: "#lab" }), "c2");
  const before = { ...after(ana(), said(11), said(54, { prev: 11 })).state, outbox: asked };
  const rewound = states.rewound(before);
  assert.equal(rewound.cursor, 0, "it asks for nothing that was missed");
  assert.deepEqual(rewound.outbox.map(({ cid, state }) => [cid, state]), [["c2", "waiting"]]);
  const told = { user: "ana", session: "s", cursor: 34, rooms: [listed({ last: 34, read: 24, unread: 10 })] };
  const again = states.loggedIn(rewound, told, false);
  const { state, lab } = after(again, said(35));
  assert.deepEqual([lab.read, lab.unread, bodies(lab)], [24, 11, ["m35"]]);
  assert.equal(state.cursor, 35);
});

test("a gap ends what is known, so that no page is taken for the next one", () => {
  const again = states.loggedIn(
    after(ana(), said(11)).state,
    { user: "ana", session: "s", cursor: 900, rooms: [listed({ last: 900 })] },
    true,
  );
  const { lab } = after(again, { ev: "gap", room: "#lab", from: 11, to: 800 }, said(801), said(802));
  assert.deepEqual(bodies(lab), ["m801", "m802"]);
  assert.equal(lab.more, true);
  const paged = rooms.before(lab, { events: [said(799), said(800), said(801)], more: true });
  assert.deepEqual(bodies(paged), ["m799", "m800", "m801", "m802"]);
});

test("edits and deletions are seen where the message is, now or later", () => {
  const edit = { ev: "edit", room: "#lab", seq: 12, prev: 11, ts: "", from: "bob", of: 11, body: "better" };
  const early = { ...edit, seq: 13, prev: 12, of: 5, body: "late" };
  const redact = { ev: "redact", room: "#lab", seq: 14, prev: 13, ts: "", from: "bob", of: 11, reason: "oops" };
  const edited = after(ana(), said(11), edit, early);
  assert.equal(edited.lab.entries[0].body, "better");
  const paged = rooms.before(edited.lab, { events: [said(5, { body: "early" })], more: false });
  assert.equal(paged.entries[0].body, "late");
  const gone = after(edited.state, redact).lab.entries[0];
  assert.equal(gone.body, null);
  assert.equal(gone.reason, "oops");
});

test("of signs the last word counts, in whatever order pages come", () => {
  const sign = (seq, on) => ({
    ev: "react",
    room: "#lab",
    seq,
    prev: seq - 1,
    ts: "",
    from: "bob",
    of: 5,
    emoji: "👍",
    on,
  });
  const { lab } = after(ana(), sign(11, false));
  const paged = rooms.before(lab, { events: [said(5), sign(6, true)], more: false });
  assert.deepEqual(rooms.signsOn(paged.signs.get(5)), []);
  const again = after(ana(), sign(11, true)).lab;
  assert.deepEqual(
    rooms.signsOn(again.signs.get(5)).map((one) => [one.emoji, one.who]),
    [["👍", ["bob"]]],
  );
});

test("no more is kept of a room than is looked at, and there is more to read again", () => {
  const many = (count, watched) => {
    let state = { ...ana(), watched };
    for (let seq = 11; seq < 11 + count; seq += 1) state = states.hear(state, said(seq), 0).state;
    return state.rooms.get("#lab");
  };
  const lab = many(801, "#lab");
  assert.deepEqual([lab.entries.length, lab.entries.at(-1).seq, lab.more], [400, 811, true]);
  assert.equal(many(6000, null).entries.length, 6000);
  assert.equal(many(6001, null).entries.length, 3000);
});

test("a room that is left keeps its end, and all that is unread", () => {
  const lab = { ...ana().rooms.get("#lab"), entries: Array.from({ length: 500 }, (_, at) => said(at + 1)), more: false };
  const left = (read) => {
    const { entries, more } = rooms.rested({ ...lab, read });
    return [entries[0].seq, entries.length, more];
  };
  assert.deepEqual(left(500), [381, 120, true]);
  assert.deepEqual(left(100), [100, 401, true]);
  assert.deepEqual(left(0), [1, 500, false]);
});

test("own words and what is being looked at are not unread; names are counted apart", () => {
  assert.equal(after(ana(), said(11, { from: "ana" })).lab.unread, 0);
  const { lab } = after(ana(), said(11, { mention: true }), said(12));
  assert.deepEqual([lab.unread, lab.mentions], [2, 1]);
  assert.deepEqual((({ unread, mentions }) => [unread, mentions])(read(lab, 11, "ana")), [1, 0]);
  const elsewhere = after(after(ana(), said(11)).state, { ev: "read", room: "#lab", last: 11 });
  assert.equal(elsewhere.lab.unread, 0);
});

test("what calls is what the hub tells to notice, by each room's level", () => {
  const wanted = [said(11, { mention: true }), said(12, { notify: "keyword" }), said(13)];
  const calls = (state) => [states.totals(state).unread, states.totals(state).calls];
  assert.deepEqual(calls(after(ana(), ...wanted).state), [3, 2]);
  assert.deepEqual(calls(after(ana({ level: "all" }), ...wanted).state), [3, 3]);
  assert.deepEqual(calls(after(ana({ level: "none" }), ...wanted).state), [0, 0]);
  // Another device changes it while one looks.
  const level = (of) => ({ ev: "notify", room: "#lab", level: of });
  assert.deepEqual(calls(after(ana(), ...wanted, level("none")).state), [0, 0]);
  assert.deepEqual(calls(after(ana(), level("none"), ...wanted, level("mentions")).state), [3, 2]);
  // What a login counts it knows better than who has read nothing yet.
  const listedUnread = ana({ last: 20, unread: 9, mentions: 4 });
  assert.deepEqual(calls(listedUnread), [9, 4]);
  assert.deepEqual(calls(after(listedUnread, { ev: "read", room: "#lab", last: 20 }).state), [0, 0]);
});

test("words to look out for and quiet are what the hub told last", () => {
  const told = { user: "ana", session: "s", cursor: 1, rooms: [], keywords: ["tea"], quiet: { on: true } };
  const known = states.loggedIn(states.nothing, told, false);
  assert.deepEqual([known.keywords, known.quiet], [["tea"], { on: true }]);
  const words = { ev: "keywords", words: ["milk"] };
  const quiet = { ev: "quiet", on: true, until: "2026-11-22T12:00:00.000Z" };
  const { state } = after(known, words, quiet);
  assert.deepEqual([state.keywords, state.quiet.until], [["milk"], quiet.until]);
  assert.equal(after(state, { ev: "quiet", on: false }).state.quiet, null);
  assert.deepEqual(states.loggedIn(state, { user: "ana", session: "s", cursor: 1, rooms: [] }, true).keywords, []);
});

test("tomorrow morning is the next one, for who is up late, too", () => {
  const morning = (...at) => {
    const then = morningAfter(new Date(2026, 10, ...at));
    return [then.getDate(), then.getHours()];
  };
  assert.deepEqual(morning(22, 19, 30), [23, 8]);
  assert.deepEqual(morning(30, 23, 59), [1, 8]);
  assert.deepEqual(morning(23, 1, 0), [23, 8]);
  assert.deepEqual(morning(23, 7, 0), [24, 8]);
});

test("who is sent out has the room no more, and is told why", () => {
  const { state } = after(ana(), {
    ev: "kick",
    room: "#lab",
    seq: 11,
    prev: 10,
    ts: "",
    from: "bob",
    user: "ana",
    reason: "noise",
  });
  assert.equal(state.rooms.size, 0);
  assert.equal(state.ended.reason, "noise");
});

test("who was in a room that is deleted has it no more, and is told by whom", () => {
  const deleted = { ev: "delete", room: "#lab", seq: 11, prev: 10, ts: "", from: "bob" };
  const { state } = after(ana(), deleted);
  assert.equal(state.rooms.size, 0);
  assert.equal(state.ended.from, "bob");
});

test("who was sent out of a room without a line learns of it by the next login; an old talk is only listed no more", () => {
  const known = states.joined(ana(), listed({ room: "@bob", private: true }));
  const answer = { user: "ana", session: "s", cursor: 12, rooms: [listed({ room: "#tea" })] };
  const { rooms: left, gone } = states.loggedIn(known, answer, true);
  assert.deepEqual([[...left.keys()], gone], [["#tea"], ["#lab"]]);
  assert.deepEqual(states.loggedIn(known, { ...answer, rooms: [listed()] }, true).gone, []);
});

test("an invitation is shown among the rooms to come into, and gone once one is in", () => {
  const { state } = after(ana(), { ev: "invite", room: "#den", seq: 11, prev: 0, ts: "", from: "bob", user: "ana" });
  assert.equal(state.others.get("#den").by, "bob");
  assert.equal(states.joined(state, listed({ room: "#den", last: 12 })).others.size, 0);
  // Who was away learns of it by the list; what is over is not in it.
  const invited = { by: "bob", ts: "" };
  const told = states.others(state, [listed({ room: "#park", role: undefined, invited })]);
  assert.deepEqual([...told.others].map(([name, one]) => [name, one.by]), [["#park", "bob"]]);
});

test("an invitation that is declined, here or on another device, is gone, and a room that is open to all stays", () => {
  const invite = { ev: "invite", room: "#den", seq: 11, prev: 0, ts: "", from: "bob", user: "ana" };
  const { state } = after(ana(), invite);
  const part = { ev: "part", room: "#den", seq: 12, prev: 11, ts: "", from: "ana" };
  for (const declined of [states.declined(state, "#den"), after(state, part).state]) {
    assert.deepEqual([declined.others.size, declined.rooms.has("#den")], [0, false]);
  }
  const open = { ...state, others: new Map([["#den", { ...state.others.get("#den"), isPrivate: false }]]) };
  assert.deepEqual([...states.declined(open, "#den").others].map(([name, one]) => [name, one.by]), [["#den", undefined]]);
  assert.equal(states.declined(state, "#none"), state);
});

test("names of members that are words of the language are names", () => {
  const told = { ev: "presence", user: "__proto__", state: "away", text: "x" };
  assert.equal(after(ana(), told).state.presence.get("__proto__").how, "away");
  assert.equal(after(ana(), { ev: "constructor" }).state.me, "ana");
});

/** What is known of a talk with bob, after events in it. */
function talk(...events) {
  const known = states.joined(states.nothing, listed({ room: "@bob", private: true }));
  const { state } = after({ ...known, me: "ana" }, ...events.map((event) => ({ room: "@bob", ts: "", ...event })));
  return state.rooms.get("@bob");
}

const begun = { ev: "dialogue", seq: 11, prev: 10, from: "ana", mode: "turns" };

test("a dialogue is held until its last word, and the hub says whose turn it is", () => {
  assert.deepEqual(talk(begun).dialogue, { mode: "turns", turn: "ana" });
  assert.equal(rooms.otherTurn(talk(begun), "ana"), undefined);
  assert.equal(rooms.otherTurn(talk(begun, { ev: "turn", who: "bob" }), "ana"), "bob");
  const end = { ev: "dialogue_end", seq: 12, prev: 11, from: "bob", by: "bob", word: "fin" };
  const ended = talk(begun, end);
  assert.equal(ended.dialogue, null);
  assert.equal(ended.entries.length, 2);
  // Late words about a turn begin nothing.
  assert.equal(talk(begun, end, { ev: "turn", who: "ana" }).dialogue, null);
  assert.deepEqual(talk({ ...begun, mode: "free" }).dialogue, { mode: "free" });
});

test("a login tells which dialogues are held, after a lost line, too", () => {
  const held = listed({ dialogue: { mode: "turns", turn: "bob" } });
  assert.equal(rooms.otherTurn(ana({ dialogue: held.dialogue }).rooms.get("#lab"), "ana"), "bob");
  const again = (one) =>
    states.loggedIn(ana(), { user: "ana", session: "s", cursor: 12, rooms: [one] }, true).rooms.get("#lab").dialogue;
  assert.deepEqual(again(held), { mode: "turns", turn: "bob" });
  assert.equal(again(listed()), null);
});

test("of a room that is here, the answer to who comes in hides nothing that events tell", () => {
  const known = rooms.before(ana().rooms.get("#lab"), { events: [said(10)], more: false });
  const state = { ...ana(), rooms: new Map([["#lab", known]]) };
  const { lab } = after(states.joined(state, listed({ last: 11, topic: "tea" })), { ...begun, room: "#lab", ts: "" });
  assert.deepEqual([lab.topic, lab.entries.length], ["tea", 2]);
});

test("pages looked at apart become one with what is known where they meet", () => {
  const lab = after(ana(), said(11), said(12)).lab;
  const away = rooms.lookAt(lab, { events: [said(3), said(4)], more: true }, 3);
  assert.deepEqual(bodies(away.aside), ["m3", "m4"]);
  const on = rooms.lookOn(away, { events: [5, 6, 7, 8, 9, 10, 11, 12].map((seq) => said(seq)), more: false }, "after");
  assert.equal(on.aside, null);
  assert.deepEqual(
    bodies(on),
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((seq) => `m${seq}`),
  );
});

const signs = (from, to, of) =>
  Array.from({ length: to - from + 1 }, (_, at) => ({ ev: "react", seq: from + at, of, emoji: "👍", from: "bob", on: true }));

test("a page of nothing but changes of others is gone back behind", async () => {
  const lab = after(ana(), said(100, { prev: 10 })).lab;
  const bare = { events: signs(40, 99, 5), more: true };
  const back = rooms.before(lab, bare);
  assert.deepEqual([rooms.begin(lab), rooms.begin(back), bodies(back)], [100, 40, ["m100"]]);
  const whole = rooms.before(back, { events: [said(5), said(39)], more: false });
  assert.deepEqual([rooms.begin(whole), bodies(whole)], [5, ["m5", "m39", "m100"]]);
  // Of a room that has nothing else at its end, too.
  const empty = rooms.before(rooms.blank("#lab"), bare);
  assert.deepEqual([rooms.begin(empty), empty.isLoaded], [40, true]);
  assert.equal(rooms.begin(rooms.happened(empty, said(120), { me: "ana" })), 40);
  assert.equal(rooms.begin(rooms.gap(empty, { to: 110 })), undefined);
  // So is one that is looked at apart, both ways, until it meets the rest.
  const apart = rooms.lookAt(lab, { events: [said(5), ...signs(6, 9, 5)], more: true }, 5);
  assert.deepEqual([apart.aside.begin, apart.aside.end], [5, 9]);
  const on = rooms.lookOn(apart, { events: signs(10, 70, 5), more: true }, "after");
  assert.deepEqual([on.aside.end, bodies(on.aside)], [70, ["m5"]]);
  const before = rooms.lookOn(on, { events: signs(2, 4, 1), more: true }, "before");
  assert.equal(before.aside.begin, 2);
  const met = rooms.lookOn(before, { events: signs(71, 100, 5), more: true }, "after");
  assert.deepEqual([met.aside, bodies(met), rooms.begin(met)], [null, ["m5", "m100"], 2]);
});

test("pages are read until one has a line, or there is none before", async () => {
  const check = async (pages, expected) => {
    let read = 0;
    await rooms.untilLine(async () => pages[read++]);
    assert.equal(read, expected);
  };
  const bare = { events: signs(1, 3, 1), more: true };
  await check([bare, bare, { events: [said(4)], more: true }], 3);
  await check([bare, { ...bare, more: false }], 2);
  await check([{ events: [], more: true }], 1);
  await check([undefined], 1);
});

test("what was said is sent one by one, and again under its own name", () => {
  let list = outbox.add([], { cid: "a", cmd: "MESSAGE", room: "#lab", fields: { body: "1" } });
  list = outbox.add(list, { cid: "b", cmd: "MESSAGE", room: "#lab", fields: { body: "2" } });
  assert.equal(outbox.next(list).cid, "a");
  list = outbox.asking(list, "a");
  assert.equal(outbox.next(list), undefined);
  list = outbox.lost(list);
  assert.equal(outbox.next(list).cid, "a");
  list = outbox.kept(outbox.asking(list, "a"), "a", 11);
  assert.equal(outbox.next(list).cid, "b");
  const state = { ...ana(), outbox: list };
  assert.deepEqual(
    after(state, said(11, { from: "ana", cid: "a" })).state.outbox.map((one) => one.cid),
    ["b"],
  );
  // Its event may have come before its answer.
  assert.deepEqual(
    outbox.seen(list, "#lab", { told: 11 }).map((one) => one.cid),
    ["b"],
  );
});

/** An outbox of messages, each `cid room`. */
const said1by1 = (...all) =>
  all.reduce((list, one) => {
    const [cid, room] = one.split(" ");
    return outbox.add(list, { cid, cmd: "MESSAGE", room, fields: { kind: "text", body: cid } });
  }, []);

test("what was said is not shown twice where its event is not told", () => {
  const list = outbox.kept(outbox.add([], { cid: "a", cmd: "MESSAGE", room: "#lab", fields: { body: "1" } }), "a", 12);
  const state = { ...ana(), outbox: list };
  assert.equal(after(state, said(11)).state.outbox.length, 1);
  assert.deepEqual(after(state, { ev: "gap", room: "#lab", from: 10, to: 20 }).state.outbox, []);
  assert.deepEqual(states.joined(state, listed({ last: 20 })).outbox, []);
  const paged = states.inRoom(state, "#lab", (room) => rooms.before(room, { events: [said(12)], more: false }));
  assert.deepEqual(states.seen(paged, "#lab").outbox, []);
  assert.equal(states.seen(state, "#lab"), state);
});

test("what pauses holds up its own room and no other, and is asked again once", () => {
  let list = outbox.pausing(outbox.asking(said1by1("a #lab", "b #lab", "c #tea"), "a"), "a", "too fast");
  assert.equal(outbox.next(list).cid, "c");
  list = outbox.asking(list, "c");
  assert.equal(outbox.next(list), undefined);
  assert.equal(outbox.next(outbox.again(list, "a")).cid, "a");
  // A line that was lost meanwhile had it wait already; the end of the pause does nothing then.
  const asked = outbox.asking(outbox.lost(list), "a");
  assert.equal(outbox.again(asked, "a").find((one) => one.cid === "a").state, "asked");
  assert.equal(outbox.pausing(outbox.again(list, "a"), "a", "too fast")[0].tries, 2);
});

test("what failed waits for nobody, is kept as failed, and is tried again under its own name", () => {
  const list = outbox.failed(said1by1("a #lab", "b #lab"), "a", { error: "muted", code: "MUTED", after: 11 });
  assert.equal(outbox.next(list).cid, "b");
  const kept = outbox.restore([], list[0]);
  assert.equal(outbox.next(kept), undefined);
  assert.deepEqual([kept[0].after, kept[0].error], [11, "muted"]);
  const again = outbox.again(kept, "a");
  assert.deepEqual([outbox.next(again).cid, again[0].after], ["a", undefined]);
  assert.equal(outbox.next(outbox.restore([], { ...list[1], state: "asked" })).cid, "b");
});

test("what is taken back reads as it was typed", () => {
  const typed = (kind, body) => outbox.typedOf({ kind, body });
  assert.deepEqual([typed("text", "hi"), typed("text", "/x"), typed("action", "waves")], ["hi", "//x", "/me waves"]);
});

test("of the rooms that are listed those may be come into that one is not in by now", () => {
  const told = (room, role) => ({ room, topic: "", private: false, last: 1, unread: 0, members: 1, role });
  const names = (listed) => [...states.others(ana(), listed).others.keys()];
  assert.deepEqual(names([told("#a"), told("#b", "member"), told("#z")]), ["#a", "#z"]);
  // It was come into while the hub listed it.
  assert.deepEqual(names([told("#a"), told("#lab")]), ["#a"]);
});

test("who makes a room in another window owns it here, too", () => {
  const made = (from) => after(ana(), { ev: "create", room: "#new", seq: 11, prev: 0, ts: "", from }).state;
  const { role, size } = made("ana").rooms.get("#new");
  assert.deepEqual([role, size], ["owner", 1]);
  assert.equal(made("bob").rooms.get("#new").role, "member");
  const listedNew = listed({ room: "#new", private: true, role: "moderator", level: "all", slow: 30 });
  const told = states.others(made("ana"), [listedNew]).rooms.get("#new");
  assert.deepEqual([told.isPrivate, told.role, told.level, told.slow], [true, "moderator", "all", 30]);
});

test("how slow a room is, lists tell, and what sets it", () => {
  const slow = (state) => state.rooms.get("#lab").slow;
  assert.equal(slow(ana({ slow: 30 })), 30);
  assert.equal(slow(ana()), 0);
  const set = (value) => ({ ev: "slow", room: "#lab", seq: 11, prev: 10, ts: "", from: "bob", value });
  assert.deepEqual([slow(after(ana({ slow: 30 }), set(0)).state), slow(after(ana(), set(60)).state)], [0, 60]);
});

test("of a room with more members than are listed it is known how many there are", () => {
  const people = ["ana", "bob"].map((user) => ({ user, role: "member", online: true }));
  const size = (state) => state.rooms.get("#lab").size;
  const some = states.members(ana({ members: 1200 }), "#lab", { members: people, more: true });
  assert.equal(size(some), 1200);
  const event = (ev, from) => ({ ev, room: "#lab", seq: 11, prev: 10, ts: "", from });
  assert.equal(size(after(some, event("join", "carl")).state), 1201);
  assert.equal(size(after(some, event("part", "dora")).state), 1199);
  const all = states.members(ana({ members: 9 }), "#lab", { members: people });
  assert.equal(size(all), 2);
  assert.equal(size(after(all, event("join", "carl")).state), 3);
  assert.equal(size(after(all, event("part", "dora")).state), 2);
});

test("of what is read again when it is wanted neither signs nor edits are kept", () => {
  const view = { me: "ana", isWatched: true };
  let room = rooms.before(rooms.blank("#lab"), { events: [], more: false });
  const hear = (event) => (room = rooms.happened(room, { room: "#lab", from: "bob", ts: said(1).ts, ...event }, view));
  for (let seq = 1; seq <= 6000; seq += 3) {
    hear(said(seq));
    hear({ ev: "react", seq: seq + 1, of: seq, emoji: "👍", on: true });
    hear({ ev: "edit", seq: seq + 2, of: seq, body: "otherwise" });
  }
  assert.ok(room.entries.length <= 800 && room.signs.size <= 800 && room.edits.size <= 800);
  // What was put on something long ago just now is.
  hear({ ev: "react", seq: 7000, of: 4, emoji: "🎉", on: true });
  for (let seq = 7001; seq <= 7100; seq += 1) hear(said(seq));
  assert.equal(rooms.signsOn(room.signs.get(4)).length, 1);
  // Read again, all is there.
  const events = [said(1, { body: "otherwise", edited: true }), { ev: "react", seq: 2, of: 1, emoji: "👍", from: "bob", on: true }];
  room = rooms.before(room, { events, more: false });
  assert.equal(room.entries[0].body, "otherwise");
  assert.deepEqual(rooms.signsOn(room.signs.get(1)).map((one) => one.who), [["bob"]]);
  room = rooms.rested(read(room, room.told, "ana"));
  assert.ok(room.entries.length <= 120 && room.signs.size <= 121, `${room.entries.length} ${room.signs.size}`);
});

test("of a room in which much was said elsewhere as much is shown at once as is drawn in a moment, and all of it counts", () => {
  let room = { ...rooms.blank("#lab"), told: 1, isLoaded: true, more: false };
  for (let seq = 2; seq <= 5001; seq += 1) room = rooms.happened(room, said(seq), { me: "ana", isWatched: false });
  assert.deepEqual([room.entries.length, room.unread], [5000, 5000]);
  room = rooms.opened(room);
  assert.deepEqual([room.entries.length, room.entries.at(-1).seq, room.unread, room.more], [800, 5001, 5000, true]);
  assert.equal(read(room, 5001, "ana").unread, 0);
  assert.equal(rooms.opened(room), room);
});

test("an edit that was refused is typed again as it would be typed", () => {
  assert.equal(outbox.typedOf({ seq: 7, body: "x" }), "/edit 7 x");
  assert.equal(outbox.typedOf({ kind: "text", body: "/x" }), "//x");
});

test("members stand beside a room, and nothing empty stands beside a talk", () => {
  const check = (beside, name, expected) => assert.equal(rooms.standsBeside(beside, name && { name }), expected);
  check({ is: "members" }, "#lab", true);
  check({ is: "members" }, "@bob", false);
  check({ is: "members" }, null, false);
  check({ is: "search" }, "@bob", true);
  check(null, "#lab", false);
});

test("as many seconds are offered between two messages as the hub takes", () => {
  const hub = readFileSync(new URL("../../crates/hub/src/model/state/standing.rs", import.meta.url), "utf8");
  const [, hours] = /SLOW_SECONDS_MAX: u32 = (\d+) \* 3600;/.exec(hub);
  assert.equal(rooms.SLOW_SECONDS_MAX, Number(hours) * 3600);
});
