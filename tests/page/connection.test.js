/** The line to a hub: it comes back, and what was asked is answered or lost, never both. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { Connection, Lost, Refused } from "../../web/chat/core/connection.js";
import { waitBefore } from "../../web/chat/core/backoff.js";

/** A line whose sockets and clock are the test's. */
function stage() {
  const its = { sockets: [], states: [], events: [], timers: new Map(), number: 0 };
  const open = () => {
    const socket = {
      readyState: 0,
      sent: [],
      send: (text) => socket.sent.push(JSON.parse(text)),
      close: () => (socket.isClosed = true),
    };
    its.sockets.push(socket);
    return socket;
  };
  const timers = {
    set: (act, ms) => {
      its.timers.set(++its.number, { act, ms });
      return its.number;
    },
    clear: (timer) => its.timers.delete(timer),
  };
  its.line = new Connection({
    open,
    timers,
    random: () => 0,
    heard: (event) => its.events.push(event),
    opened: () => {},
    changed: (how) => its.states.push(how),
  });
  its.up = () => {
    its.line.call();
    its.socket().readyState = 1;
    its.socket().onopen();
  };
  its.socket = () => its.sockets.at(-1);
  its.told = (frame) => its.socket().onmessage({ data: JSON.stringify(frame) });
  its.ring = () => {
    const [[timer, { act, ms }]] = its.timers;
    its.timers.delete(timer);
    act();
    return ms;
  };
  return its;
}

test("an answer comes to who asked, whatever comes between", async () => {
  const its = stage();
  its.up();
  const one = its.line.ask("WHOIS", { user: "ana" });
  const two = its.line.ask("PING");
  its.told({ ev: "typing", room: "#lab", user: "bob", on: true });
  its.told({ re: 2, ok: true });
  its.told({ re: 1, err: { code: "NO_SUCH_USER", msg: "nobody is called so" } });
  assert.equal((await two).ok, true);
  await assert.rejects(one, (error) => error instanceof Refused && error.code === "NO_SUCH_USER");
  assert.equal(its.events.length, 1);
});

test("what was asked when the line broke is lost, and the hub is called again", async () => {
  const its = stage();
  its.up();
  const asked = its.line.ask("PING");
  its.socket().onclose();
  await assert.rejects(asked, Lost);
  assert.equal(its.ring(), 200);
  assert.equal(its.sockets.length, 2);
  assert.deepEqual(its.states, ["calling", "waiting", "calling"]);
});

test("a line that was ended while it waited is not called again by what happens to the network", () => {
  const its = stage();
  its.up();
  its.socket().onclose();
  its.line.close();
  its.line.nudge();
  assert.deepEqual([its.sockets.length, its.timers.size, its.states.at(-1)], [1, 0, "closed"]);
});

test("who is silent is asked, and who answers nothing is gone", () => {
  const its = stage();
  its.up();
  assert.equal(its.ring(), 30_000);
  assert.equal(its.socket().sent.at(-1).cmd, "PING");
  assert.equal(its.ring(), 10_000);
  assert.equal(its.sockets[0].isClosed, true);
  assert.equal(its.states.at(-1), "waiting");
});

test("when the network changes a hub is asked at once, and not waited for as long", () => {
  const its = stage();
  its.up();
  its.line.nudge();
  assert.equal(its.socket().sent.at(-1).cmd, "PING");
  assert.equal(its.ring(), 4000);
  assert.equal(its.states.at(-1), "waiting");
  // Who waits already is called at once.
  its.line.nudge();
  assert.equal(its.sockets.length, 2);
});

test("a hub that says when is called then", () => {
  const its = stage();
  its.up();
  its.line.later(7000);
  its.socket().onclose();
  assert.equal(its.ring(), 7000);
});

test("where what LOGIN missed is refused, nothing behind it is taken for the next: the hub is called again when it likes", () => {
  const its = stage();
  its.up();
  its.told({ err: { code: "UNAVAILABLE", retry_ms: 500, msg: "try again" } });
  assert.equal(its.sockets[0].isClosed, true);
  assert.equal(its.sockets[0].onmessage, null);
  assert.equal(its.states.at(-1), "waiting");
  assert.equal(its.ring(), 500);
  // One that does not say when is left alone for a while.
  its.socket().onopen();
  its.told({ err: { code: "INTERNAL", msg: "a fault" } });
  assert.equal(its.ring(), 5000);
});

test("a frame that is refused for being none ends no line", () => {
  const its = stage();
  its.up();
  its.told({ err: { code: "BAD_FRAME", msg: "no frame" } });
  assert.equal(its.socket().isClosed, undefined);
});

test("who begins anew has lost what was asked before", async () => {
  const its = stage();
  its.up();
  const asked = its.line.ask("PING");
  its.line.again();
  await assert.rejects(asked, Lost);
  assert.deepEqual(its.states, ["calling", "closed", "calling"]);
});

test("asked without a line, it is lost at once", async () => {
  await assert.rejects(stage().line.ask("PING"), Lost);
});

test("lines for people are left out, and what LOGIN missed ends with an event", () => {
  const its = stage();
  its.up();
  its.socket().onmessage({ data: "# relais" });
  its.told({ ok: true, cursor: 7 });
  assert.deepEqual(its.events, [{ ev: "resumed", cursor: 7 }]);
});

test("waits double to half a minute, half of each drawn", () => {
  const check = (attempt, least, most) => {
    assert.equal(
      waitBefore(attempt, () => 0),
      least,
    );
    assert.equal(
      waitBefore(attempt, () => 1),
      most,
    );
  };
  check(0, 200, 400);
  check(1, 400, 800);
  check(6, 12_800, 25_600);
  check(7, 15_000, 30_000);
  check(1000, 15_000, 30_000);
});

test("a refusal is told to people once, and without the names of fields", () => {
  const check = (code, field, msg, expected) => assert.equal(new Refused({ code, field, msg }).message, expected);
  const slow = "SECONDS is missing: /slow SECONDS, as in /slow 30";
  check("MISSING_FIELD", "seconds", `something is missing [seconds] (${slow})`, slow);
  check("MISSING_FIELD", "room", "something is missing [room]", "something is missing");
  check("BAD_FIELD", "level", "this is not what was expected [level] (x (y))", "x (y)");
  check("NAME_TAKEN", "user", "this name is somebody's [user]", "this name is somebody's");
  check("TOO_LONG", "body", "too long [body] (9 bytes)", "too long (9 bytes)");
  check("BAD_FIELD", undefined, "no [body] here", "no [body] here");
  check("GONE", undefined, undefined, "GONE");
});
