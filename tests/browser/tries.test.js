// How a test is tried: without a browser.

import { test } from "node:test";
import assert from "node:assert/strict";
import { once } from "./tries.js";

test("what is late is closed before anything else is tried", async () => {
  let end;
  const visit = () => new Promise((_, reject) => (end = reject));
  const close = async () => {
    closed += 1;
    end(new Error("closed")); // As a browser does to who still uses it; this one is nobody's to catch.
  };
  let closed = 0;
  const came = await once(visit, close, 20);
  assert.match(came.wrong, /not done after 20 ms/);
  assert.equal(closed, 1);
  await new Promise(setImmediate);
});

test("what passes and what fails is closed, too, and in time", async () => {
  const said = [];
  const close = async () => said.push("closed");
  const passes = await once(async () => said.push("passes"), close, 60_000);
  assert.deepEqual([passes.wrong, said], [undefined, ["passes", "closed"]]);
  assert.ok(passes.took < 60);
  const fails = await once(() => Promise.reject(new Error("no such button")), close, 60_000);
  assert.match(fails.wrong, /no such button/);
  assert.equal(said.length, 3);
});
