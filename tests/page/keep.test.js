// What a browser keeps of the page, and what becomes of it where it may keep nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { forgetOf, keep, keyOf } from "../../web/chat/client/kept.js";
import { Keep } from "../../web/chat/core/keep.js";

test("what may not be kept lasts as long as the page", () => {
  const keep = new Keep(null);
  keep.set("token", "rt_1");
  keep.set("draft.lab", "salut");
  keep.set("draft.tea", "bonjour");
  assert.equal(keep.get("token"), "rt_1");
  assert.deepEqual(keep.all("draft."), [["lab", "salut"], ["tea", "bonjour"]]);
  keep.forget("draft.");
  assert.deepEqual(keep.all("draft."), []);
  keep.set("token", null);
  assert.equal(keep.get("token"), null);
});

test("a storage that takes nothing more breaks nothing", () => {
  const full = { setItem: () => { throw new Error("full"); }, getItem: () => null, removeItem: () => {} };
  const keep = new Keep(full);
  keep.set("token", "rt_1");
  assert.equal(keep.get("token"), null);
});

test("what somebody wrote is nobody's whose name begins so", () => {
  keep.set(keyOf("unsent", "ana.b", "c1"), { cid: "c1" });
  keep.set(keyOf("draft", "ana.b", "#lab"), "salut");
  keep.set(keyOf("draft", "ana", "#lab"), "bonjour");
  assert.deepEqual(keep.all(keyOf("unsent", "ana")), []);
  forgetOf("ana");
  assert.equal(keep.get(keyOf("draft", "ana", "#lab")), null);
  assert.deepEqual(keep.all(keyOf("unsent", "ana.b")), [["c1", { cid: "c1" }]]);
  assert.equal(keep.get(keyOf("draft", "ana.b", "#lab")), "salut");
});
