/** What was not said stands where it was typed again, and nowhere else. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { kept } from "./window.js";
import { ana, said } from "./told.js";

const { state } = await import("../../web/chat/client/hub.js");
const { about, giveBack, setAbout, show, takenBack } = await import("../../web/chat/client/shown.js");

const drafts = () => [...kept.keys()].filter((key) => key.includes("draft"));

test("what is refused while another message is edited is not mixed with that", () => {
  state.value = ana();
  show("#lab");
  setAbout("#lab", { edit: said(9) });
  giveBack("#lab", "/edit 8 better");
  assert.deepEqual([about.value.size, takenBack.value], [0, { room: "#lab", text: "/edit 8 better" }]);
  // What it answers stays.
  setAbout("#lab", { reply: said(9) });
  giveBack("#lab", "/x");
  assert.equal(about.value.get("#lab").reply.seq, 9);
});

test("of who is not here any more nothing is kept", () => {
  takenBack.value = null;
  giveBack("#tea", "/msg bob hello");
  assert.deepEqual(drafts(), ["relais-chat.draft.ana #tea"]);
  kept.clear();
  state.value = { ...state.value, me: null };
  giveBack("#tea", "/msg bob hello");
  assert.deepEqual(drafts(), []);
});
