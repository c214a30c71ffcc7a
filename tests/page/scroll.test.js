/** A log stays at its end, however its height changes, and where its reader is. */

import { test } from "node:test";
import assert from "node:assert/strict";
import { holdStill } from "../../web/chat/view/scroll.js";

const LINE_PX = 20;

/** A box of so many lines, as a browser would have it: told of its size after it was scrolled. */
function boxOf(many, height) {
  const its = { resized: () => {}, top: 0 };
  globalThis.ResizeObserver = class {
    constructor(resized) {
      its.resized = resized;
    }
    observe() {}
    disconnect() {}
  };
  const rect = (top) => ({ top, bottom: top + LINE_PX });
  const line = (at) => ({ isConnected: true, getBoundingClientRect: () => rect(at * LINE_PX - its.top) });
  const lines = Array.from({ length: many }, (_, at) => line(at));
  const piece = { getBoundingClientRect: () => ({ top: -its.top, bottom: Infinity }), querySelectorAll: () => lines };
  its.box = {
    clientHeight: height,
    firstElementChild: {},
    querySelectorAll: () => [piece],
    getBoundingClientRect: () => rect(0),
    get scrollHeight() {
      return lines.length * LINE_PX;
    },
    get scrollTop() {
      return its.top;
    },
    set scrollTop(top) {
      its.top = Math.max(0, Math.min(top, lines.length * LINE_PX - its.box.clientHeight));
    },
  };
  its.left = () => its.box.scrollHeight - its.box.clientHeight - its.box.scrollTop;
  its.grow = (by) => {
    for (let each = 0; each < by; each += 1) lines.push(line(lines.length));
    its.resized();
  };
  its.before = (by) => {
    for (let each = 0; each < by; each += 1) lines.unshift({});
    lines.forEach((one, at) => (one.getBoundingClientRect = () => rect(at * LINE_PX - its.top)));
    its.resized();
  };
  return its;
}

test("a box that becomes lower step by step stays at its end, though it is told that it was scrolled in between", () => {
  const its = boxOf(100, 500);
  const still = holdStill(its.box, 40);
  for (const height of [460, 380, 300, 180]) {
    its.box.clientHeight = height;
    // Browsers tell of scrolling first, and of sizes after that.
    still.note();
    its.resized();
    assert.equal(its.left(), 0);
  }
  its.grow(3);
  assert.equal(its.left(), 0);
});

test("who scrolled back stays at the line they read, whatever comes before and behind", () => {
  const its = boxOf(100, 500);
  const still = holdStill(its.box, 40);
  its.box.scrollTop = 600;
  still.note();
  its.grow(5);
  assert.equal(its.top, 600);
  its.before(10);
  assert.equal(its.top, 600 + 10 * LINE_PX);
  its.box.clientHeight = 300;
  its.resized();
  assert.equal(its.top, 600 + 10 * LINE_PX);
  still.toEnd();
  assert.equal(its.left(), 0);
});
